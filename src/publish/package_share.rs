//! What a package has of a group: what metadata files say of it, what it requires and what it provides.

use std::borrow::Cow;

use super::PublishError;
use super::closure::Needs;
use super::kept_needs::{encode_needs, name_needs};
use super::name_hashes::NameHashes;
use super::package_record::record_of;
use super::record::{PublishedFile, PublishedPackage};
use super::section::Section;
use crate::files::Folder;
use crate::package::{Location, PackageRecord, RepositoryKind};
use crate::store::Store;

/// How many texts a share has, and a group: those of the metadata files, what is required and what is provided.
pub(super) const TEXTS: usize = 5;

/// See the [module](self).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PackageShare<'a> {
    /// When the newest of its files was built: seconds since 1970.
    pub newest: u64,
    /// Its parts of the group's texts.
    pub texts: [Cow<'a, [u8]>; TEXTS],
    /// What its binary packages require and what they provide.
    pub names: [NameHashes; 2],
}

/// The files of a package that the metadata of a section name.
pub(super) fn listed_files(
    package: &PublishedPackage,
    section: Section,
) -> impl Iterator<Item = &PublishedFile> {
    let is_shown = !package.keeping.hidden;
    package.files.iter().filter(move |file| is_shown && is_listed(file, section))
}

fn is_listed(file: &PublishedFile, section: Section) -> bool {
    file.times.is_some() && Section::of_path(&file.path).0 == section
}

impl PackageShare<'_> {
    /// That of a package of the repository.
    ///
    /// # Errors
    /// [`PublishError::Package`] where one of its files is no package, [`PublishError::Unlistable`] where XML can't hold what one says.
    pub fn make(
        repository: &Folder,
        store: &Store,
        package: &PublishedPackage,
        section: Section,
    ) -> Result<Self, PublishError> {
        let (mut primary, mut filelists, mut other) = (Vec::new(), Vec::new(), Vec::new());
        let (mut needs, mut newest) = (Vec::new(), 0);
        for file in listed_files(package, section) {
            let record = listable_record(repository, store, file)?;
            let href = Section::of_path(&file.path).1;
            let location = Location { href, sha256: &file.sha256, size: file.size };
            record.write(RepositoryKind::Primary, location, &mut primary)?;
            record.write(RepositoryKind::Filelists, location, &mut filelists)?;
            record.write(RepositoryKind::Other, location, &mut other)?;
            newest = record.build_time.max(newest);
            if record.arch != "src" {
                needs.push(Needs::of(&record));
            }
        }
        let [requires, provides] = encode_needs(&package.package, &needs)?;
        let texts = [primary, filelists, other, requires, provides].map(Cow::Owned);
        Ok(Self { newest, texts, names: name_needs(&needs) })
    }
}

fn listable_record(
    repository: &Folder,
    store: &Store,
    file: &PublishedFile,
) -> Result<PackageRecord, PublishError> {
    let record = record_of(repository, store, file)?;
    match record.forbidden_character() {
        Some(character) => {
            Err(PublishError::Unlistable { file: file.path.clone(), what: character.to_string() })
        }
        None => Ok(record),
    }
}
