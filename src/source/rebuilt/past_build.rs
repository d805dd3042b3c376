//! `source build`: the sources of an earlier build of the project.

use std::collections::BTreeMap;

use super::error::RebuiltError;
use super::shelves::BuiltSource;
use crate::digest::{Digest, Encoder};
use crate::source::SourceError;
use crate::source::lock::{LockedFile, LockedSource};
use crate::source::tools::{Gathered, SourceTools};
use crate::store::FetchedFile;

const KIND: &str = "build";

/// Takes the source package of a build: of the lock, as long as the store has it, else of the history.
///
/// # Errors
/// It can't be had any more.
pub(in crate::source) fn gather(
    build: u64,
    tools: &SourceTools<'_>,
    locked: Option<&LockedSource>,
) -> Result<Gathered, SourceError> {
    let asked = asked(build);
    let known = locked.filter(|locked| locked.kind == KIND && locked.asked == Some(asked));
    let source = match known.and_then(|known| find_locked(known, build, tools)) {
        Some(source) => source,
        None => {
            let found = tools.shelves.builds.source_package(build);
            found.map_err(|reason| RebuiltError::BuildGone { build, reason })?
        }
    };
    let BuiltSource { name, blob, checksum } = source;
    tools.store.remember_fetched(&checksum, &FetchedFile { blob, package: None })?;
    let (folder, spec) = tools.folders.unpack_once(tools.store.folder(), &blob.path(), &name)?;
    let file = LockedFile { url: format!("build #{build}"), checksum, size: blob.size };
    let locked = LockedSource {
        kind: KIND.to_owned(),
        asked: Some(asked),
        found: BTreeMap::from([(KIND.to_owned(), build.to_string())]),
        files: BTreeMap::from([(name, file)]),
    };
    Ok(Gathered { folder, spec, locked })
}

fn find_locked(known: &LockedSource, build: u64, tools: &SourceTools<'_>) -> Option<BuiltSource> {
    let of_build = format!("build #{build}");
    let (name, file) = known.files.iter().find(|(_, file)| file.url == of_build)?;
    let FetchedFile { blob, .. } = tools.store.fetched(&file.checksum, tools.clock.now())?;
    Some(BuiltSource { name: name.clone(), blob, checksum: file.checksum.clone() })
}

fn asked(build: u64) -> Digest {
    let mut encoder = Encoder::new("rpmforge source of a build v1");
    encoder.text("build", &build.to_string());
    encoder.digest()
}
