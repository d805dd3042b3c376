//! From a gem's name to its spec.

use std::collections::BTreeMap;

use super::index::{GemVersion, choose};
use super::package::read_gem;
use super::spec::{package_name, write_spec};
use crate::source::limits::SOURCE_BYTES;
use crate::source::made_spec::{
    Indexes, MadeLock, MadeSource, MadeSpec, MadeSpecError, ProjectRequest, RUBYGEMS, RegistryAccess,
    RegistryFile, check_identity, is_plain_name,
};
use crate::store::Blob;

/// The gem that is meant, as the index has it.
///
/// # Errors
/// There is none, or the index can't be reached.
pub fn find_gem(
    access: &RegistryAccess<'_>,
    index: &str,
    request: &ProjectRequest,
) -> Result<(GemVersion, RegistryFile), MadeSpecError> {
    let gem = &request.project;
    if !is_plain_name(gem) {
        return Err(MadeSpecError::OddName { part: "name", name: gem.escape_debug().to_string() });
    }
    let page = access.document(&format!("{index}/info/{gem}"))?;
    let page = page.ok_or_else(|| MadeSpecError::NoProject { registry: "RubyGems", project: gem.clone() })?;
    let found = choose(&String::from_utf8_lossy(&page), gem, request.version.as_deref())?;
    let name = format!("{gem}-{}.gem", found.version);
    let file = RegistryFile {
        url: format!("{index}/gems/{name}"),
        name,
        checksum: found.checksum.clone(),
        size: None,
        most: SOURCE_BYTES,
    };
    Ok((found, file))
}

/// The spec of a gem: of what is locked, or else of what the index has now.
///
/// # Errors
/// It can't be had, or no spec can be made of it.
pub fn gather(
    access: &RegistryAccess<'_>,
    indexes: &Indexes,
    request: &ProjectRequest,
    locked: Option<&MadeLock>,
) -> Result<(MadeSpec, MadeLock), MadeSpecError> {
    let index = request.index.as_deref().unwrap_or(&indexes.rubygems);
    let lock = match locked {
        Some(lock) => lock.clone(),
        None => {
            let (found, file) = find_gem(access, index, request)?;
            let public = request.index.as_deref().unwrap_or(RUBYGEMS);
            let url = format!("{public}/gems/{}", file.name);
            let locked = access.file_to_lock(&file, url)?;
            MadeLock { version: found.version, found: BTreeMap::new(), files: [locked].into() }
        }
    };
    let (name, file) = lock.only_file(&request.project)?;
    let blob = access.locked_file_at((name, file), format!("{index}/gems/{name}"))?;
    Ok((make_spec(access, (name, blob), (&request.project, &lock.version))?, lock))
}

/// The spec of a gem that is in the store, and that should be of this name and version.
///
/// # Errors
/// It is none, or another one.
pub fn make_spec(
    access: &RegistryAccess<'_>,
    (file, blob): (&str, Blob),
    asked: (&str, &str),
) -> Result<MadeSpec, MadeSpecError> {
    let gem = access.store.read_blob(&blob, |reader| read_gem(file, blob.size, reader))?;
    let found = (gem.name.as_str(), gem.version.as_str());
    check_identity(found == asked, file, asked, found)?;
    let sources = vec![MadeSource { file: file.to_owned(), blob }];
    Ok(MadeSpec { name: package_name(&gem.name), text: write_spec(&gem), sources })
}
