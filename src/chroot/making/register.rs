//! The packages of a root, written into its package database.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::RootError;
use crate::chroot::LockedPackage;
use crate::chroot::database::{
    DatabaseFormat, DatabaseKind, InstallTransaction, InstalledPackage, MACRO_FILES, file_states,
    plan_import, read_database, write_database,
};
use crate::engine::ScriptletRun;
use crate::files::Folder;
use crate::package::{Headers, Tag};
use crate::store::Blob;

/// The kinds of ELF files of a root of 64 bits (`%_transaction_color`).
pub(super) const COLORS: u32 = 3;

/// When packages of a root are installed: a moment that is the same for all, so that roots are.
const INSTALL_TIME: u32 = 946_684_800;

/// The name of rpm's database.
const DATABASE: &str = "rpmdb.sqlite";

/// How packages are registered in a root: worked out before their files lie there, as it takes as long as laying them out.
pub(super) struct Registration {
    /// Which database the root has.
    kind: DatabaseKind,
    way: RegistrationWay,
    /// The packages that were there before, where the database tells.
    pub base: Option<Vec<Headers>>,
}

enum RegistrationWay {
    /// The content of the database.
    Database(Vec<u8>),
    /// What is to be run in the root: its own rpm has to do it.
    Import(Box<ScriptletRun>),
}

impl Registration {
    /// Works out how packages are registered, in the order of their installation, in the root that `layers` are, the
    /// uppermost first.
    ///
    /// # Errors
    /// A package that no database takes, or files that can't be read.
    pub fn plan(
        layers: &[Folder],
        packages: &[(LockedPackage, Blob)],
        headers: &[&Headers],
    ) -> Result<Self, RootError> {
        let kind = database_kind(layers)?;
        let all: Vec<_> = headers.iter().map(|headers| &headers.header).collect();
        let installed: Vec<InstalledPackage<'_>> = packages
            .iter()
            .zip(headers)
            .zip(file_states(&all, COLORS))
            .map(|(((package, _), headers), states)| InstalledPackage {
                checksum: Some(&package.checksum),
                file_states: Some(states),
                headers,
            })
            .collect();
        let transaction = InstallTransaction { time: INSTALL_TIME, colors: COLORS };
        if kind.format != DatabaseFormat::Sqlite {
            let way = RegistrationWay::Import(Box::new(plan_import(&installed, &transaction)?));
            return Ok(Self { kind, way, base: None });
        }
        let path = database_path(&kind);
        let before = layers.iter().find_map(|layer| read_file(layer, &path));
        let before = before.as_deref();
        let (base, bytes) = rayon::join(
            || before.map(read_database).transpose(),
            || write_database(before, &installed, &transaction),
        );
        Ok(Self { kind, way: RegistrationWay::Database(bytes?), base: base? })
    }

    /// Whether it is also how packages are registered when the files of `headers` lie in `layers`.
    ///
    /// # Errors
    /// Files can't be read.
    pub fn holds_for(&self, layers: &[Folder], headers: &[&Headers]) -> io::Result<bool> {
        Ok(!headers.iter().any(|headers| brings_macro_files(headers)) || database_kind(layers)? == self.kind)
    }

    /// Writes below `upper` what is new in the root that `layers` are, and says what is to be run for it.
    ///
    /// # Errors
    /// Files can't be written.
    pub fn write(self, upper: &Folder, layers: &[Folder]) -> io::Result<Option<ScriptletRun>> {
        let bytes = match self.way {
            RegistrationWay::Database(bytes) => bytes,
            RegistrationWay::Import(run) => return Ok(Some(*run)),
        };
        let path = database_path(&self.kind);
        let mut made = PathBuf::new();
        for part in path.parent().into_iter().flat_map(Path::components) {
            made.push(part);
            upper.create(&made)?;
            // It is seen over the packages' own, and is to look like that.
            if let Some(own) = layers.iter().find_map(|layer| layer.dir().metadata(&made).ok()) {
                upper.dir().set_permissions(&made, own.permissions())?;
            }
        }
        upper.write_atomic(&path, &bytes)?;
        Ok(None)
    }
}

fn database_path(kind: &DatabaseKind) -> PathBuf {
    Path::new(kind.folder.trim_start_matches('/')).join(DATABASE)
}

fn database_kind(layers: &[Folder]) -> io::Result<DatabaseKind> {
    let files = macro_files(layers)?;
    Ok(DatabaseKind::from_macro_files(files.iter().map(|(name, text)| (name.as_str(), text.as_slice()))))
}

/// Whether files of a package may say which database a root has: all [macro files](MACRO_FILES) lie below a folder of that
/// name, wherever links lead.
fn brings_macro_files(headers: &Headers) -> bool {
    let folders = headers.header.texts(Tag::DIRNAMES);
    folders.iter().any(|folder| folder.contains_str("/rpm/"))
}

/// The macro files of a root, in the order in which rpm reads them.
fn macro_files(layers: &[Folder]) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for pattern in MACRO_FILES {
        let mut found: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for layer in layers.iter().rev() {
            let pattern = pattern.trim_start_matches('/');
            for path in layer.search(Path::new(""), pattern)?.unwrap_or_default() {
                if let Some(text) = read_file(layer, &path) {
                    found.insert(format!("/{}", path.display()), text);
                }
            }
        }
        files.extend(found);
    }
    Ok(files)
}

/// A file of a layer, links followed within it.
fn read_file(layer: &Folder, path: &Path) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    layer.open(path).ok()?.read_to_end(&mut content).ok()?;
    Some(content)
}
