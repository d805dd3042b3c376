//! From a project's name to its spec.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use pep440_rs::Version;

use super::index::{Sdist, choose};
use super::metadata::PythonProject;
use super::page::PAGE_FORMS;
use super::sdist_files::is_wanted;
use super::spec::{PythonSpecSettings, package_name, sdist_url, write_spec};
use super::version::normalized_name;
use crate::source::made_spec::{
    Indexes, MadeLock, MadeSource, MadeSpec, MadeSpecError, ProjectRequest, RegistryAccess, check_identity,
    is_plain_name, license_list_name, make_vendor, read_archive, read_cargo_lock, vendor_name,
    write_license_list,
};
use crate::store::Blob;

/// What is asked of PyPI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PypiRequest {
    /// The project, and which version.
    pub project: ProjectRequest,
    /// The extras that become packages; `*` means all.
    pub extras: BTreeSet<String>,
}

/// The source distribution that is meant, as the index has it.
///
/// # Errors
/// There is none, or the index can't be reached.
pub fn find_sdist(
    access: &RegistryAccess<'_>,
    index: &str,
    request: &ProjectRequest,
) -> Result<Sdist, MadeSpecError> {
    let project = &request.project;
    if !is_plain_name(project) {
        return Err(MadeSpecError::OddName { part: "name", name: project.escape_debug().to_string() });
    }
    let url = format!("{index}/{}", normalized_name(project));
    let page = access.document_as((&format!("{url}/"), Some(PAGE_FORMS)))?;
    let page = page.ok_or_else(|| MadeSpecError::NoProject { registry: "PyPI", project: project.clone() })?;
    choose(&url, &String::from_utf8_lossy(&page), project, request.version.as_deref())
}

/// The spec of a project: of what is locked, or else of what the index has now.
///
/// # Errors
/// It can't be had, or no spec can be made of it.
pub fn gather(
    access: &RegistryAccess<'_>,
    indexes: &Indexes,
    request: &PypiRequest,
    locked: Option<&MadeLock>,
) -> Result<(MadeSpec, MadeLock), MadeSpecError> {
    let project = &request.project;
    let index = project.index.as_deref().unwrap_or(&indexes.pypi);
    let lock = match locked {
        Some(lock) => lock.clone(),
        None => {
            let found = find_sdist(access, index, project)?;
            let locked = access.file_to_lock(&found.file, public_url(project, index, &found))?;
            MadeLock { version: found.version, found: BTreeMap::new(), files: [locked].into() }
        }
    };
    let (name, file) = lock.only_file(&project.project)?;
    let wanted = ProjectRequest { version: Some(lock.version.clone()), ..project.clone() };
    let blob = access.locked_file(file, || Ok(find_sdist(access, index, &wanted)?.file))?;
    let is_asked = |found: &PythonProject| {
        normalized_name(&project.project) == found.name
            && Version::from_str(&lock.version)
                .is_ok_and(|asked| Version::from_str(&found.version).is_ok_and(|found| found == asked))
    };
    let check = |found: &PythonProject| {
        let asked = (project.project.as_str(), lock.version.as_str());
        check_identity(is_asked(found), name, asked, (&found.name, &found.version))
    };
    let made = make_spec(access, (&indexes.crates, &request.extras), (name, blob), check)?;
    Ok((made, lock))
}

/// Where everybody finds a source distribution, or where the manifest says that the index is.
fn public_url(project: &ProjectRequest, index: &str, found: &Sdist) -> String {
    match &project.index {
        Some(_) => format!("{index}/{}/{}", normalized_name(&project.project), found.file.name),
        None => sdist_url(&normalized_name(&project.project), &found.file.name),
    }
}

/// The spec of a source distribution that is in the store, if it is the one that `check` wants. `crates` is the index of crates, for
/// those that are built with Rust.
///
/// # Errors
/// It is no source distribution, or another one, or what it is built with can't be had.
pub fn make_spec(
    access: &RegistryAccess<'_>,
    (crates, extras): (&str, &BTreeSet<String>),
    (file, blob): (&str, Blob),
    check: impl FnOnce(&PythonProject) -> Result<(), MadeSpecError>,
) -> Result<MadeSpec, MadeSpecError> {
    let content =
        access.store.read_blob(&blob, |reader| read_archive(file, blob.size, reader, &is_wanted))?;
    let project = PythonProject::read(file, content)?;
    check(&project)?;
    let mut sources = vec![MadeSource { file: file.to_owned(), blob }];
    let asked = if extras.contains("*") { project.extras.clone() } else { extras.clone() };
    let mut settings =
        PythonSpecSettings { sdist: file.to_owned(), extras: asked, ..PythonSpecSettings::default() };
    let name = package_name(&project.name);
    if let Some((path, text)) = &project.cargo_lock {
        let packages = read_cargo_lock(path, text)?;
        let (vendored, bundled) = make_vendor(access, crates, &packages)?;
        let archive = vendor_name(&name, &project.rpm_version.version);
        let list = write_license_list(access, &bundled)?;
        settings.bundled = bundled;
        settings.vendor = Some(archive.clone());
        sources.push(MadeSource { file: archive, blob: vendored });
        sources.push(MadeSource { file: license_list_name(&name), blob: list });
    }
    Ok(MadeSpec { text: write_spec(&project, &settings), name, sources })
}
