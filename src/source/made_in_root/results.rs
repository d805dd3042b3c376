//! What a program has left in its result folder, taken into the store: the regular files there, within the limits of source
//! packages. Folders below it are left out: builds know their sources by names alone.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::MakingError;
use crate::digest::{Checksum, ChecksumAlgorithm};
use crate::engine::Settings;
use crate::files::{EntryKind, Folder};
use crate::source::SourceError;
use crate::source::limits::{PACKAGE_FILES, UNPACKED_BYTES};
use crate::source::reach::is_executable;
use crate::source::source_package::safe_name;
use crate::source::tools::SourceTools;
use crate::store::{Blob, FetchedFile};

/// The files that a program has made, by their names.
pub(super) type MadeFiles = BTreeMap<String, MadeFile>;

/// A file that a program has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MadeFile {
    /// Its content.
    pub blob: Blob,
    /// SHA-256 of it.
    pub sha256: String,
    /// Whether its owner may execute it.
    pub is_executable: bool,
}

impl MadeFile {
    /// Its checksum.
    pub fn checksum(&self) -> Result<Checksum, SourceError> {
        let checksum = Checksum::new(ChecksumAlgorithm::Sha256.name(), &self.sha256);
        checksum.map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error).into())
    }
}

/// What was made, and by what.
pub(super) struct ResultFolder<'a> {
    /// What ran, for messages.
    pub what: &'a str,
    /// Its settings: they may hold secrets.
    pub settings: &'a Settings,
    /// The spec that is meant.
    pub spec: Option<&'a str>,
    /// Where the log is.
    pub log: &'a str,
}

impl ResultFolder<'_> {
    /// Takes in what lies in a folder: a spec with all that lies beside it, or one source package.
    ///
    /// # Errors
    /// There is no one spec, or something that is not taken in.
    pub fn take_in(&self, folder: &Folder, tools: &SourceTools<'_>) -> Result<MadeFiles, SourceError> {
        let names = self.list(folder)?;
        let mut files = MadeFiles::new();
        for name in names {
            self.check_for_secrets(folder, &name)?;
            let path = Path::new(&name);
            let is_executable = is_executable(folder, path)?;
            let (blob, sha256) = tools.store.take_in(folder, path)?;
            let file = MadeFile { blob, sha256, is_executable };
            tools.store.remember_fetched(&file.checksum()?, &FetchedFile { blob, package: None })?;
            files.insert(name, file);
        }
        Ok(files)
    }

    /// The names of the files that are taken in.
    fn list(&self, folder: &Folder) -> Result<Vec<String>, SourceError> {
        let (mut names, mut bytes) = (Vec::new(), 0_u64);
        for entry in folder.entries()? {
            match entry.kind {
                EntryKind::Folder => continue,
                EntryKind::File => {}
                EntryKind::Other => {
                    return Err(SourceError::UnsafeFile {
                        file: self.what.trim_matches('`').to_owned(),
                        name: entry.name,
                        reason: "it is no regular file",
                    });
                }
            }
            let name = safe_name(self.what.trim_matches('`'), entry.name.as_bytes())?;
            bytes = bytes.saturating_add(folder.own_file_size(Path::new(&name)).unwrap_or_default());
            names.push(name);
        }
        let file = || self.what.trim_matches('`').to_owned();
        let names = self.choose(names)?;
        if names.len() > PACKAGE_FILES {
            return Err(SourceError::TooManyFiles { file: file(), files: names.len(), most: PACKAGE_FILES });
        }
        if bytes > UNPACKED_BYTES {
            return Err(SourceError::TooLarge { file: file(), bytes, most: UNPACKED_BYTES });
        }
        Ok(names)
    }

    /// Those of all files that belong to the one spec, or the one source package.
    fn choose(&self, names: Vec<String>) -> Result<Vec<String>, MakingError> {
        let with_end = |end: &str| names.iter().filter(|name| name.ends_with(end)).cloned().collect();
        let (specs, packages): (Vec<String>, Vec<String>) = (with_end(".spec"), with_end(".src.rpm"));
        let refuse = |found: String| {
            let (what, log) = (self.what.to_owned(), self.log.to_owned());
            Err(MakingError::NotOneSpec { what, found, log })
        };
        match (self.spec, specs.as_slice(), packages.as_slice()) {
            (Some(spec), _, _) if names.iter().any(|name| name == spec) => Ok(names),
            (Some(spec), _, _) => refuse(format!("no `{spec}`")),
            (None, [_], []) => Ok(names),
            (None, [], [_]) => Ok(packages),
            (None, [], []) => refuse("no spec".to_owned()),
            (None, _, _) => {
                let all = specs.iter().chain(&packages).map(|name| format!("`{name}`"));
                refuse(all.collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn check_for_secrets(&self, folder: &Folder, name: &str) -> Result<(), SourceError> {
        let mask = self.settings.mask();
        if mask.is_empty() {
            return Ok(());
        }
        let Some(owner) = mask.find(folder.open_regular(name)?)? else { return Ok(()) };
        let of = self.settings.secrets().nth(owner).map(|(of, _)| of).unwrap_or_default();
        let (what, file) = (self.what.to_owned(), name.to_owned());
        Err(MakingError::HoldsSecret { what, of, file }.into())
    }
}

impl From<MakingError> for SourceError {
    fn from(error: MakingError) -> Self {
        Self::Making(Box::new(error))
    }
}

/// The files that a lock names, if all of them are in the store.
pub(super) fn find_stored<'a>(
    locked: impl Iterator<Item = (&'a String, &'a Checksum, bool)>,
    tools: &SourceTools<'_>,
) -> Option<MadeFiles> {
    let now = tools.clock.now();
    let find = |(name, checksum, is_executable): (&String, &Checksum, bool)| {
        let FetchedFile { blob, .. } = tools.store.fetched(checksum, now)?;
        Some((name.clone(), MadeFile { blob, sha256: checksum.hex().to_owned(), is_executable }))
    };
    let found: Option<MadeFiles> = locked.map(find).collect();
    found.filter(|files| !files.is_empty())
}
