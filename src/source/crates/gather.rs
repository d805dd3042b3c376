//! From a crate's name to its spec.

use super::index::choose;
use super::manifest::{CrateManifest, is_wanted};
use super::spec::{rpm_version, write_spec};
use crate::source::made_spec::{
    CargoPackage, Indexes, LockedRegistryFile, MadeLock, MadeSource, MadeSpec, MadeSpecError, ProjectRequest,
    RegistryAccess, check_identity, fetch_crate, find_crate_file, index_folder, is_plain_name,
    license_list_name, make_vendor, read_archive, read_cargo_lock, vendor_name, write_license_list,
};
use crate::store::Blob;

/// The crate that is meant, as the index has it.
///
/// # Errors
/// There is none, or the index can't be reached.
pub fn find_crate(
    access: &RegistryAccess<'_>,
    index: &str,
    request: &ProjectRequest,
) -> Result<CargoPackage, MadeSpecError> {
    let name = &request.project;
    if !is_plain_name(name) || !name.is_ascii() {
        return Err(MadeSpecError::OddName { part: "name", name: name.escape_debug().to_string() });
    }
    let lower = name.to_lowercase();
    let text = access.document(&format!("{index}/{}/{lower}", index_folder(&lower)))?;
    let text =
        text.ok_or_else(|| MadeSpecError::NoProject { registry: "crates.io", project: name.clone() })?;
    choose(&String::from_utf8_lossy(&text), name, request.version.as_deref())
}

/// What is asked of crates.io.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CratesRequest {
    /// The crate, and which version.
    pub project: ProjectRequest,
    /// The text of a `Cargo.lock` for a crate that has none itself.
    pub lock: Option<String>,
}

/// The spec of a crate: of what is locked, or else of what the index has now.
///
/// # Errors
/// It can't be had, or no spec can be made of it.
pub fn gather(
    access: &RegistryAccess<'_>,
    indexes: &Indexes,
    request: &CratesRequest,
    locked: Option<&MadeLock>,
) -> Result<(MadeSpec, MadeLock), MadeSpecError> {
    let project = &request.project;
    let index = project.index.as_deref().unwrap_or(&indexes.crates);
    let (package, blob, lock) = match locked {
        Some(lock) => {
            let (_, file) = lock.only_file(&project.project)?;
            let name = lock.found.get("name").unwrap_or(&project.project).clone();
            let package =
                CargoPackage { name, version: lock.version.clone(), checksum: file.checksum.clone() };
            let blob = access.locked_file(file, || find_crate_file(access, index, &package))?;
            (package, blob, lock.clone())
        }
        None => {
            let package = find_crate(access, index, project)?;
            let blob = fetch_crate(access, index, &package)?;
            let url = format!("https://static.crates.io/crates/{}/{}", package.name, package.file_name());
            let file = LockedRegistryFile { url, checksum: package.checksum.clone(), size: blob.size };
            let found = [("name".to_owned(), package.name.clone())].into();
            let files = [(package.file_name(), file)].into();
            let lock = MadeLock { version: package.version.clone(), found, files };
            (package, blob, lock)
        }
    };
    let made = make_spec(access, index, (&package, blob), request.lock.as_deref())?;
    Ok((made, lock))
}

/// The spec of a crate that is in the store; the crates that it is built with are fetched. `lock` is the text of a `Cargo.lock` for one
/// that has none itself.
///
/// # Errors
/// It is another crate, or none with programs, or what it is built with can't be had.
pub fn make_spec(
    access: &RegistryAccess<'_>,
    index: &str,
    (package, blob): (&CargoPackage, Blob),
    lock: Option<&str>,
) -> Result<MadeSpec, MadeSpecError> {
    let file = package.file_name();
    let file = file.as_str();
    let content =
        access.store.read_blob(&blob, |reader| read_archive(file, blob.size, reader, &is_wanted))?;
    let top = content
        .top()
        .ok_or_else(|| MadeSpecError::unreadable(file, "its files are not in one folder"))?
        .to_owned();
    let content = content.below(&top);
    let manifest = CrateManifest::read(file, &content)?;
    let (asked, found) = (
        (package.name.as_str(), package.version.as_str()),
        (manifest.name.as_str(), manifest.version.as_str()),
    );
    check_identity(asked == found, file, asked, found)?;
    if manifest.programs.is_empty() {
        return Err(MadeSpecError::NoProgram { project: manifest.name });
    }
    let own = content.text("Cargo.lock");
    let text = lock.or(own.as_deref()).ok_or_else(|| MadeSpecError::NoCargoLock { file: file.to_owned() })?;
    let packages = read_cargo_lock("Cargo.lock", text)?;
    let (vendored, bundled) = make_vendor(access, index, &packages)?;
    let name = manifest.name.clone();
    let sources = vec![
        MadeSource { file: file.to_owned(), blob },
        MadeSource { file: vendor_name(&name, &rpm_version(&manifest.version)), blob: vendored },
        MadeSource { file: license_list_name(&name), blob: write_license_list(access, &bundled)? },
    ];
    Ok(MadeSpec { text: write_spec(&manifest, &bundled), name, sources })
}
