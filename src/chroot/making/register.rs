//! The packages of a root, written into its package database.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::RootError;
use crate::chroot::LockedPackage;
use crate::chroot::database::{
    DatabaseFormat, DatabaseKind, InstallTransaction, InstalledPackage, MACRO_FILES, file_states,
    plan_import, read_database, write_database,
};
use crate::engine::ScriptletRun;
use crate::files::Folder;
use crate::package::Headers;
use crate::store::Blob;

/// The kinds of ELF files of a root of 64 bits (`%_transaction_color`).
pub(super) const COLORS: u32 = 3;

/// When packages of a root are installed: a moment that is the same for all, so that roots are.
const INSTALL_TIME: u32 = 946_684_800;

/// The name of rpm's database.
const DATABASE: &str = "rpmdb.sqlite";

/// How packages were registered.
#[derive(Default)]
pub(super) struct Registered {
    /// What is to be run for it, where the root's own rpm has to do it.
    pub import: Option<ScriptletRun>,
    /// The packages that were there before, where the database tells.
    pub base: Option<Vec<Headers>>,
}

/// Registers packages, in the order of their installation, in the database of the root that `layers` are, the uppermost first:
/// what is new is written below `upper`.
///
/// # Errors
/// A package that no database takes, or files that can't be read or written.
pub(super) fn register_packages(
    upper: &Folder,
    layers: &[Folder],
    packages: &[(LockedPackage, Blob)],
    headers: &[&Headers],
) -> Result<Registered, RootError> {
    let files = macro_files(layers)?;
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_slice()));
    let kind = DatabaseKind::from_macro_files(files);
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
        return Ok(Registered { import: Some(plan_import(&installed, &transaction)?), base: None });
    }
    let path = Path::new(kind.folder.trim_start_matches('/')).join(DATABASE);
    let before = layers.iter().find_map(|layer| read_file(layer, &path));
    let before = before.as_deref();
    let (base, bytes) = rayon::join(
        || before.map(read_database).transpose(),
        || write_database(before, &installed, &transaction),
    );
    let (base, bytes) = (base?, bytes?);
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
    Ok(Registered { import: None, base })
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
