//! What a database holds of a package.

use super::{DatabaseError, FileState};
use crate::chroot::Checksum;
use crate::package::{Headers, Tag, Value};

/// A package that is installed.
#[derive(Clone, Debug)]
pub struct InstalledPackage<'a> {
    /// What its file says.
    pub headers: &'a Headers,
    /// What became of each of its files; all are as they should be where nothing is said.
    pub file_states: Option<Vec<FileState>>,
    /// The SHA-256 or SHA-512 checksum of the file. rpm keeps those since version 6; older ones pass over them.
    pub checksum: Option<&'a Checksum>,
}

/// What all packages have in common that were installed in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstallTransaction {
    /// When that was, in seconds since 1970; also what rpm calls the transaction by.
    pub time: u32,
    /// The kinds of ELF files that are welcome, `%_transaction_color`: 1 of 32 bits, 2 of 64, 3 where both are.
    pub colors: u32,
}

/// rpm's numbers of hash algorithms (`RPM_HASH_SHA256`, `_SHA512`), by their names.
const ALGORITHMS: [(&str, u64); 2] = [("sha256", 8), ("sha512", 10)];

impl<'a> InstalledPackage<'a> {
    /// A package all of whose files are as they should be.
    pub fn new(headers: &'a Headers) -> Self {
        Self { headers, file_states: None, checksum: None }
    }

    /// Its header as the database holds it.
    pub(super) fn encode(&self, transaction: &InstallTransaction) -> Result<Vec<u8>, DatabaseError> {
        let added = self.added(transaction);
        self.headers
            .encode_installed(&added)
            .ok_or_else(|| DatabaseError::Header { package: self.headers.header.nevra() })
    }

    /// What comes with installation.
    fn added(&self, transaction: &InstallTransaction) -> Vec<(Tag, Value)> {
        let header = &self.headers.header;
        let number = |number: u32| Value::Numbers(vec![number.into()]);
        let mut added = vec![
            (Tag::INSTALLTIME, number(transaction.time)),
            (Tag::INSTALLTID, number(transaction.time)),
            (Tag::INSTALLCOLOR, number(transaction.colors)),
        ];
        let files = header.texts(Tag::BASENAMES).len();
        if files > 0 {
            let states = match &self.file_states {
                Some(states) => states.iter().map(|state| state.number()).collect(),
                None => vec![FileState::Normal.number(); files],
            };
            added.push((Tag::FILESTATES, Value::Numbers(states)));
        }
        if !header.has(Tag::SOURCE_RPM) && !header.has(Tag::SOURCE_PACKAGE) {
            added.push((Tag::SOURCE_RPM, Value::Text("(none)".into())));
        }
        // Scriptlets learn from it where the package was put: where it says itself, here.
        let prefixes = header.texts(Tag::PREFIXES);
        if !prefixes.is_empty() && !header.has(Tag::INSTPREFIXES) {
            added.push((Tag::INSTPREFIXES, Value::Texts(prefixes.to_vec())));
        }
        let algorithm = self.checksum.and_then(|checksum| {
            let known = ALGORITHMS.iter().find(|(name, _)| *name == checksum.algorithm().name())?;
            Some((checksum, known.1))
        });
        if let Some((checksum, algorithm)) = algorithm {
            added.push((Tag::PACKAGEDIGESTS, Value::Texts(vec![checksum.hex().into()])));
            added.push((Tag::PACKAGEDIGESTALGOS, Value::Numbers(vec![algorithm])));
        }
        added
    }
}
