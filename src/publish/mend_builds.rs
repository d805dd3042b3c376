//! Builds that stay in a repository, made what they should be before their files are brought in: signed by the keys that are declared now, and
//! whole where files are lost that can be had again.
//!
//! A build's packages are in the store, in the repository itself or in the project's folder of results; to sign them takes no more than one of
//! these. With other signatures they are other files, at other paths: clients never meet a file that is not what their metadata say.

use std::cell::LazyCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::PublishError;
use super::inspect::{FileState, InspectedPackage, Inspector};
use super::known::PublishTarget;
use super::paths::package_folder;
use super::record::{PublishedFile, PublishedPackage, SignedResult};
use super::section::{Section, in_section};
use super::signing::{Earlier, NamedBlob};
use crate::digest::{Digest, Key};
use crate::event::Timestamp;
use crate::execute::{RESULTS_FOLDER, ResultRecord};
use crate::files::Folder;
use crate::store::{Blob, Store, StoreError, result_digest};

/// Mends the builds of one repository.
pub(super) struct BuildMender<'a> {
    pub store: &'a Store,
    pub target: &'a PublishTarget<'a>,
    pub inspector: &'a Inspector<'a>,
    pub now: Timestamp,
}

/// Builds after that.
pub(super) struct Mended {
    pub packages: Vec<InspectedPackage>,
    /// Those that the declared keys have not signed, and why not, in words.
    pub unsigned: Vec<String>,
}

/// The files that a build is made of anew, and what they have of signatures.
struct Remaking {
    files: Vec<NamedBlob>,
    earlier: Earlier,
}

impl BuildMender<'_> {
    /// Mends what is to be mended of `packages`.
    ///
    /// # Errors
    /// What signs does not, or the store can't be written to.
    pub fn mend(&self, packages: Vec<InspectedPackage>) -> Result<Mended, PublishError> {
        let signers = self.target.clients.signers.as_deref();
        let by = self.target.clients.package_fingerprints();
        let mut unsigned = Vec::new();
        if packages.iter().all(|package| package.package.is_signed_by(&by) && !self.is_lost(package)) {
            return Ok(Mended { packages, unsigned });
        }
        let mut all = Vec::new();
        let mut to_make: Vec<(usize, Remaking)> = Vec::new();
        for package in packages {
            let is_signed = package.package.is_signed_by(&by);
            let is_lost = self.is_lost(&package);
            if is_lost || !is_signed {
                match self.remaking(&package, is_signed)? {
                    Some(remaking) => to_make.push((all.len(), remaking)),
                    None if !is_signed => unsigned.push(format!(
                        "{} in the repository of {} is not signed by the keys that sign it now: not all of its files are there any more",
                        package.package.title(),
                        self.target.chroot
                    )),
                    None => {}
                }
            }
            all.push(package);
        }
        for earlier in [Earlier::Kept, Earlier::Dropped] {
            let meant = to_make.iter_mut().filter(|(_, it)| it.earlier == earlier);
            let files: Vec<&mut NamedBlob> = meant.flat_map(|(_, it)| &mut it.files).collect();
            let mut signed: Vec<NamedBlob> = files.iter().map(|file| (**file).clone()).collect();
            if let Some(signers) = signers {
                signers.sign_blobs(self.store, &mut signed, earlier, self.now)?;
            }
            files.into_iter().zip(signed).for_each(|(file, signed)| *file = signed);
        }
        let is_any_remade = !to_make.is_empty();
        for (place, Remaking { files, .. }) in to_make {
            if let Some(package) = all.get_mut(place) {
                *package = self.remake(package, &files, &by)?;
            }
        }
        if is_any_remade {
            // What was there unsigned may be what comes in signed.
            let mut seen = HashSet::new();
            all.retain(|package| package.package.files.iter().all(|file| seen.insert(file.path.clone())));
        }
        Ok(Mended { packages: all, unsigned })
    }

    /// Whether files of a build are to be brought that the store doesn't have.
    fn is_lost(&self, package: &InspectedPackage) -> bool {
        let files = package.package.files.iter().zip(&package.states);
        files.into_iter().any(|(file, state)| is_to_bring(*state) && !self.store.has(&file.blob()))
    }

    /// What a build can be made of again: its unsigned packages or, where it gets other signatures, those that are published.
    fn remaking(
        &self,
        package: &InspectedPackage,
        is_signed: bool,
    ) -> Result<Option<Remaking>, PublishError> {
        let unsigned = match package.package.signed {
            None => self.published(package, true)?,
            Some(_) => self.unsigned(&package.package)?,
        };
        if let Some(files) = unsigned {
            return Ok(Some(Remaking { files, earlier: Earlier::Kept }));
        }
        if is_signed || package.package.signed.is_none() {
            return Ok(None);
        }
        let published = self.published(package, false)?;
        Ok(published.map(|files| Remaking { files, earlier: Earlier::Dropped }))
    }

    /// The files of a build as they are published, in the store: there, or taken from the repository or from the results.
    fn published(
        &self,
        package: &InspectedPackage,
        may_be_result: bool,
    ) -> Result<Option<Vec<NamedBlob>>, PublishError> {
        let results = LazyCell::new(|| {
            let key = package.package.key.filter(|_| may_be_result);
            key.map(|key| results_of_key(self.target, &package.package.package, key)).unwrap_or_default()
        });
        let mut found = Vec::new();
        for (file, state) in package.package.files.iter().zip(&package.states) {
            let (blob, name) = (file.blob(), file.name().to_owned());
            let mut is_had = self.store.has(&blob)
                || !is_to_bring(*state)
                    && self.takes_in(&self.target.folder, Path::new(&file.path), &blob)?;
            if !is_had {
                for folder in results.iter() {
                    is_had = is_had || self.takes_in(folder, Path::new(&name), &blob)?;
                }
            }
            if !is_had {
                return Ok(None);
            }
            found.push(NamedBlob { name, blob, sha256: file.sha256.clone() });
        }
        Ok(Some(found))
    }

    /// The unsigned packages of a build that is signed, in the store: there, or taken from the results.
    fn unsigned(&self, package: &PublishedPackage) -> Result<Option<Vec<NamedBlob>>, PublishError> {
        let Some(key) = package.key else { return Ok(None) };
        let of = package.result();
        let known = self.store.result(&key).filter(|result| result.digest() == of);
        if let Some(result) =
            known.filter(|result| result.files.iter().all(|file| self.store.has(&file.blob)))
        {
            return Ok(Some(result.files.iter().map(NamedBlob::of_result).collect()));
        }
        for folder in results_of_key(self.target, &package.package, key) {
            let files = package.files.iter().map(|file| {
                let taken = self.take_in(&folder, Path::new(file.name()))?;
                Ok(taken.map(|(blob, sha256)| NamedBlob { name: file.name().to_owned(), blob, sha256 }))
            });
            let files: Option<Vec<NamedBlob>> = files.collect::<Result<_, PublishError>>()?;
            if let Some(files) = files.filter(|files| digest_of(files) == of) {
                return Ok(Some(files));
            }
        }
        Ok(None)
    }

    /// Takes a file into the store, if it is the one that is meant.
    fn takes_in(&self, folder: &Folder, path: &Path, blob: &Blob) -> Result<bool, PublishError> {
        Ok(self.take_in(folder, path)?.is_some_and(|(taken, _)| taken == *blob))
    }

    fn take_in(&self, folder: &Folder, path: &Path) -> Result<Option<(Blob, String)>, PublishError> {
        match self.store.take_in(folder, path) {
            Ok(taken) => Ok(Some(taken)),
            // What is no file there, or can't be read, is not had.
            Err(StoreError::Io(_)) if folder.open_regular(path).is_err() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The build with these files, which the keys with those fingerprints have signed.
    fn remake(
        &self,
        before: &InspectedPackage,
        files: &[NamedBlob],
        by: &[String],
    ) -> Result<InspectedPackage, PublishError> {
        let folder = package_folder(&before.package.package, &digest_of(files));
        let published = before.package.files.iter().zip(files).map(|(file, made)| PublishedFile {
            path: in_section(Section::of_path(&file.path).0, &format!("{folder}/{}", made.name)),
            size: made.blob.size,
            sha256: made.sha256.clone(),
            blake3: made.blob.digest,
            nevra: file.nevra.clone(),
            times: None,
        });
        let published: Vec<PublishedFile> = published.collect();
        let signed = (!by.is_empty()).then(|| SignedResult { of: before.package.result(), by: by.to_vec() });
        let package = PublishedPackage { files: published.into(), signed, ..before.package.clone() };
        if package.has_same_files(&before.package) {
            let InspectedPackage { package, states } = before;
            return Ok(InspectedPackage { package: package.clone(), states: states.clone() });
        }
        let mut remade = self.inspector.package(package)?;
        for (state, before) in remade.states.iter_mut().zip(&before.states) {
            if *state == FileState::ToBring(None) && is_to_bring(*before) {
                *state = *before;
            }
        }
        Ok(remade)
    }
}

/// The folders of results that have a key: several builds may have made it, and where one was forced not the same each time.
/// They are looked for, the last ones first, where something is missing: the history may be lost that says which they are.
fn results_of_key(target: &PublishTarget<'_>, package: &str, key: Key) -> Vec<Folder> {
    let above: PathBuf = [RESULTS_FOLDER, target.chroot].iter().collect();
    let Ok(above) = target.state.folder(above) else { return Vec::new() };
    let is_of_package = |name: &str| name.split_once('-').is_some_and(|(_, of)| of == package);
    let names = above.entries().unwrap_or_default().into_iter().map(|entry| entry.name);
    let mut names: Vec<String> = names.filter(|name| is_of_package(name)).collect();
    names.sort();
    let folder = |name: &String| {
        let folder = above.folder(name).ok()?;
        let record: ResultRecord = serde_json::from_slice(&folder.read("result.json").ok()?).ok()?;
        (record.key == key && !record.is_source_package_alone()).then_some(folder)
    };
    names.iter().rev().filter_map(folder).collect()
}

fn digest_of(files: &[NamedBlob]) -> Digest {
    result_digest(files.iter().map(|file| (file.name.as_str(), &file.blob.digest)))
}

fn is_to_bring(state: FileState) -> bool {
    match state {
        FileState::ToBring(_) => true,
        FileState::Right(_) | FileState::Shared(_) => false,
    }
}
