//! Bringing one repository up to date: what is wanted, what is on record and what is there are made one.
//!
//! The order is such that clients never see metadata of files that are not there, wherever forge is killed or power is
//! lost; each line is safe on the disk before the next begins:
//!
//! 1. the record, with what comes in
//! 2. package files, under names of their own
//! 3. metadata files, named by their checksums
//! 4. the signature of `repomd.xml`, and `repomd.xml`
//! 5. the record, as things are now
//!
//! A signature and what it is of can't be replaced in one step. Both are on the disk when the first is renamed, so that they don't
//! fit for no longer than two renames take. One file with the old and the new signature would fit both, and no client takes it: dnf
//! and zypper refuse a file as soon as one signature in it is wrong. (Several right ones they take, also where they know one key
//! only.)
//!
//! What is superseded goes [later](super::superseded).

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::declared_metadata::DeclaredMetadata;
use super::groups::Groups;
use super::holding::{HeldPackage, Holding, Taken};
use super::inspect::{FileState, InspectedPackage, Inspector, Verification};
use super::known::{Known, PublishTarget, RecordOrigin};
use super::record::{
    Incoming, PublishedFile, PublishedPackage, RECORD, RepositoryRecord, files, have_same_listing,
};
use super::staging::{Staging, remove_leftovers};
use super::superseded::supersede;
use super::told::not_published;
use super::wanted::wanted_packages;
use super::{PublishError, Refusal};
use crate::event::{Damage, DamagedFile, Timestamp, What};
use crate::files::{Lock, LockKind, Sharing};
use crate::store::{Store, StoreError};

/// The file whose lock a publish holds.
const LOCK: &str = ".forge-repository.lock";

/// How long another forge that publishes to the same folder is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Brings repositories up to date.
pub(super) struct Updater<'a> {
    pub store: &'a Store,
    pub now: Timestamp,
    pub verification: Verification,
    pub holding: Holding<'a>,
    /// What the manifest says of metadata.
    pub declared: DeclaredMetadata,
}

impl Updater<'_> {
    /// Makes the repository hold `results`, and what stays of what it holds.
    pub fn update(
        &self,
        target: &PublishTarget<'_>,
        results: &[PublishedPackage],
    ) -> Result<Vec<What>, PublishError> {
        if results.is_empty() && target.is_unknown() {
            return Ok(Vec::new());
        }
        let _lock = match wait_for_lock(target, PATIENCE) {
            Err(PublishError::Io(error)) if is_read_only(&error) => {
                // Where there is nothing to write, nothing need be kept from others either.
                return match self.is_up_to_date(target, results)? {
                    true => Ok(Vec::new()),
                    false => Err(error.into()),
                };
            }
            lock => lock?,
        };
        match self.bring_up_to_date(target, results, self.verification) {
            // A package that is none, though its times say that it is as forge left it.
            Err(PublishError::Package(_)) if self.verification == Verification::TimesFirst => {
                self.bring_up_to_date(target, results, Verification::EveryDigest)
            }
            result => result,
        }
    }

    /// Whether there is nothing to be written; what has been superseded for long enough may stay.
    fn is_up_to_date(
        &self,
        target: &PublishTarget<'_>,
        results: &[PublishedPackage],
    ) -> Result<bool, PublishError> {
        let Known { record, origin } = target.read_known(self.now)?;
        let inspector = Inspector::new(&target.folder, &record, self.verification).with_links(target.links);
        inspector.refuse_linked_metadata(&target.clients.sections)?;
        let taken = self.holding.take(target, &record, wanted_packages(target, &record, results));
        let packages = inspector.packages(taken.packages)?;
        let mut states: Vec<FileState> = packages.iter().flat_map(|package| package.states.clone()).collect();
        let signing = record.signed.iter().flat_map(|signed| &signed.files);
        for file in record.metadata.iter().chain(&record.repomd).chain(signing) {
            states.push(inspector.file(file)?);
        }
        let packages: Vec<PublishedPackage> = packages.into_iter().map(with_times).collect();
        Ok(origin == RecordOrigin::Repository
            && record.repomd.is_some()
            && target.is_signed_as_wanted(&record)
            && self.declared.are_in(&record.metadata)
            && have_same_listing(&record.packages, &packages)
            && !states.into_iter().any(must_bring))
    }

    fn bring_up_to_date(
        &self,
        target: &PublishTarget<'_>,
        results: &[PublishedPackage],
        verification: Verification,
    ) -> Result<Vec<What>, PublishError> {
        let Known { record, origin } = target.read_known(self.now)?;
        remove_leftovers(&target.folder)?;
        let wanted = wanted_packages(target, &record, results);
        let Taken { packages: wanted, held, warnings } = self.holding.take(target, &record, wanted);
        let inspector = Inspector::new(&target.folder, &record, verification).with_links(target.links);
        inspector.refuse_linked_metadata(&target.clients.sections)?;
        let packages = inspector.packages(wanted)?;
        let publish = Publish {
            store: self.store,
            groups: &self.holding.groups,
            declared: &self.declared,
            target,
            inspector: &inspector,
            now: self.now,
        };
        let mut damaged = Damaged::default();
        if let RecordOrigin::Recovered(damage) = &origin {
            let damage = *damage;
            damaged.repaired.push(DamagedFile { path: RECORD.to_owned(), package: None, damage });
        }
        let packages = publish.bring_packages(packages, &mut damaged)?;
        let new = publish.publish_metadata(packages, &mut damaged)?;
        if new == record && origin == RecordOrigin::Repository {
            target.write_copy(&target.folder.read(RECORD)?)?;
        } else {
            publish.write_record(&new)?;
        }
        let mut told = tell(target, &record, &new, (origin, damaged));
        told.extend(held.into_iter().map(|HeldPackage { package, broken, stays }| {
            not_published(target.chroot, Some(package), &PublishError::Held { broken, stays })
        }));
        told.extend(warnings.into_iter().map(|text| What::Noted { text }));
        Ok(told)
    }
}

/// What is not as the record says of what is to stay.
pub(super) fn find_damage(
    target: &PublishTarget<'_>,
    known: &Known,
    verification: Verification,
) -> Result<Vec<DamagedFile>, PublishError> {
    let record = &known.record;
    let inspector = Inspector::new(&target.folder, record, verification).with_links(target.links);
    inspector.refuse_linked_metadata(&target.clients.sections)?;
    let mut damaged = Vec::new();
    for InspectedPackage { package, states } in inspector.packages(wanted_packages(target, record, &[]))? {
        for (file, state) in package.files.iter().zip(states) {
            damaged.extend(damaged_file(&file.path, Some(&package.package), state));
        }
    }
    let signing = record.signed.iter().flat_map(|signed| &signed.files);
    for file in record.metadata.iter().chain(&record.repomd).chain(signing) {
        damaged.extend(damaged_file(&file.path, None, inspector.file(file)?));
    }
    if let RecordOrigin::Recovered(damage) = known.origin {
        damaged.push(DamagedFile { path: RECORD.to_owned(), package: None, damage });
    }
    Ok(damaged)
}

fn damaged_file(path: &str, package: Option<&String>, state: FileState) -> Option<DamagedFile> {
    match state {
        FileState::Right(_) | FileState::Shared(_) | FileState::ToBring(None) => None,
        FileState::ToBring(Some(damage)) => {
            Some(DamagedFile { path: path.to_owned(), package: package.cloned(), damage })
        }
    }
}

/// What was not as it should be.
#[derive(Default)]
pub(super) struct Damaged {
    pub repaired: Vec<DamagedFile>,
    pub lost: Vec<DamagedFile>,
    /// Files of packages that could not be had whole: they are of no use.
    pub abandoned: Vec<PublishedFile>,
}

/// One publish to one repository.
pub(super) struct Publish<'a> {
    store: &'a Store,
    pub groups: &'a Groups<'a>,
    pub declared: &'a DeclaredMetadata,
    pub target: &'a PublishTarget<'a>,
    pub inspector: &'a Inspector<'a>,
    pub now: Timestamp,
}

/// A package after its files were brought in, and which could not be.
struct BroughtPackage {
    package: PublishedPackage,
    brought: Vec<(String, Option<Damage>)>,
    lost: Vec<(String, Damage)>,
    abandoned: Vec<PublishedFile>,
}

impl Publish<'_> {
    /// Brings in the files that are not there or not right. A package whose new files can't be had stays as it is on record.
    fn bring_packages(
        &self,
        packages: Vec<InspectedPackage>,
        damaged: &mut Damaged,
    ) -> Result<Vec<PublishedPackage>, PublishError> {
        if !packages.iter().flat_map(|package| &package.states).any(|state| must_bring(*state)) {
            return Ok(packages.into_iter().map(with_times).collect());
        }
        let incoming = packages.iter().map(|package| package.package.clone()).collect();
        let (metadata, repomd, revision) = (Vec::new(), None, self.inspector.record.revision);
        self.announce(Incoming { packages: incoming, metadata, repomd, signed: None, revision })?;
        let staging = Staging::open(&self.target.folder)?;
        let brought: Vec<BroughtPackage> = packages
            .into_par_iter()
            .map(|package| self.bring_package_or_keep(&staging, package))
            .collect::<Result<_, _>>()?;
        let paths = brought.iter().flat_map(|package| &package.brought).map(|(path, _)| path.as_str());
        staging.sync_names(paths)?;
        staging.close()?;
        let mut packages = Vec::new();
        for BroughtPackage { package, brought, lost, abandoned } in brought {
            let damage = |path: String, damage: Damage| {
                let package = Some(package.package.clone());
                DamagedFile { path, package, damage }
            };
            let repaired = brought.into_iter().filter_map(|(path, found)| Some(damage(path, found?)));
            damaged.repaired.extend(repaired);
            damaged.lost.extend(lost.into_iter().map(|(path, found)| damage(path, found)));
            damaged.abandoned.extend(abandoned);
            packages.push(package);
        }
        Ok(packages)
    }

    fn bring_package_or_keep(
        &self,
        staging: &Staging<'_>,
        package: InspectedPackage,
    ) -> Result<BroughtPackage, PublishError> {
        let new = self.bring_package(staging, package)?;
        if new.lost.is_empty() {
            return Ok(new);
        }
        let paths = |package: &PublishedPackage| -> Vec<String> {
            package.files.iter().map(|file| file.path.clone()).collect()
        };
        let recorded = &self.inspector.record.packages;
        let old = recorded.iter().find(|old| old.package == new.package.package);
        let Some(old) = old.filter(|old| paths(old) != paths(&new.package)) else {
            return Ok(new);
        };
        let mut kept = self.bring_package(staging, self.inspector.package(old.clone())?)?;
        kept.lost.extend(new.lost);
        kept.abandoned = new.package.files.into_iter().filter(|file| file.times.is_some()).collect();
        Ok(kept)
    }

    fn bring_package(
        &self,
        staging: &Staging<'_>,
        package: InspectedPackage,
    ) -> Result<BroughtPackage, PublishError> {
        let InspectedPackage { mut package, states } = package;
        let (mut brought, mut lost) = (Vec::new(), Vec::new());
        let sharing = if self.target.links { Sharing::HardLink } else { Sharing::Nothing };
        for (file, state) in package.files.iter_mut().zip(states) {
            let (there, damage) = match state {
                FileState::Right(times) => {
                    file.times = Some(times);
                    continue;
                }
                FileState::Shared(times) => (Some(times), None),
                FileState::ToBring(damage) => (None, damage),
            };
            file.times = match staging.bring(self.store, file, sharing) {
                Ok(times) => {
                    brought.push((file.path.clone(), damage));
                    Some(times)
                }
                Err(PublishError::Store(StoreError::Damaged(_))) => {
                    if there.is_none() {
                        lost.push((file.path.clone(), damage.unwrap_or(Damage::Missing)));
                    }
                    there
                }
                Err(error) => return Err(error),
            }
        }
        Ok(BroughtPackage { package, brought, lost, abandoned: Vec::new() })
    }

    /// Puts what comes in on record before it comes.
    pub fn announce(&self, incoming: Incoming) -> Result<(), PublishError> {
        let record = self.inspector.record;
        let superseded = supersede(record, &record.packages, &record.metadata, self.now);
        let record = RepositoryRecord { incoming: Some(incoming), superseded, ..record.clone() };
        self.write_record(&record)
    }

    /// Writes the record and its copy.
    fn write_record(&self, record: &RepositoryRecord) -> Result<(), PublishError> {
        let bytes = record.encode()?;
        let staging = Staging::open(&self.target.folder)?;
        staging.write(RECORD, &bytes)?;
        staging.sync_names(std::iter::empty())?;
        staging.close()?;
        Ok(self.target.write_copy(&bytes)?)
    }
}

/// Whether a folder can be read and not be written to.
fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied)
}

fn must_bring(state: FileState) -> bool {
    match state {
        FileState::Right(_) => false,
        FileState::Shared(_) | FileState::ToBring(_) => true,
    }
}

fn with_times(package: InspectedPackage) -> PublishedPackage {
    let InspectedPackage { mut package, states } = package;
    for (file, state) in package.files.iter_mut().zip(states) {
        file.times = match state {
            FileState::Right(times) | FileState::Shared(times) => Some(times),
            FileState::ToBring(_) => None,
        };
    }
    package
}

/// The events of an update.
fn tell(
    target: &PublishTarget<'_>,
    before: &RepositoryRecord,
    now: &RepositoryRecord,
    (origin, damaged): (RecordOrigin, Damaged),
) -> Vec<What> {
    let (chroot, folder) = (target.chroot.to_owned(), target.shown.clone());
    let mut told = Vec::new();
    if let RecordOrigin::Adopted(from) = &origin {
        told.push(What::Noted { text: format!("the repository `{folder}` was taken over from {from}") });
    }
    let Damaged { repaired, lost, .. } = damaged;
    if !repaired.is_empty() || !lost.is_empty() {
        told.push(What::RepositoryDamaged { chroot: chroot.clone(), folder: folder.clone(), repaired, lost });
    }
    let signed_by = now.signed.iter().flat_map(|signed| signed.by.clone()).collect();
    let signers = |record: &RepositoryRecord| {
        record.signed.as_ref().map(|signed| signed.by.clone()).unwrap_or_default()
    };
    let is_the_same = before.repomd.is_some()
        && signers(before) == signers(now)
        && have_same_listing(&before.packages, &now.packages);
    if !is_the_same {
        let packages = files(&now.packages).filter(|file| file.times.is_some()).count();
        let (added, removed) = changes(&before.packages, &now.packages);
        told.push(What::Published { chroot, folder, packages, added, removed, signed_by });
    }
    told
}

/// The packages that came in or changed, and those that left.
fn changes(before: &[PublishedPackage], now: &[PublishedPackage]) -> (Vec<String>, Vec<String>) {
    let paths = |packages: &[PublishedPackage]| -> BTreeSet<(String, Vec<String>)> {
        let paths = |package: &PublishedPackage| package.files.iter().map(|file| file.path.clone()).collect();
        packages.iter().map(|package| (package.package.clone(), paths(package))).collect()
    };
    let names = |packages: &[PublishedPackage]| -> BTreeSet<String> {
        packages.iter().map(|package| package.package.clone()).collect()
    };
    let added = paths(now).difference(&paths(before)).map(|(name, _)| name.clone()).collect();
    let removed = names(before).difference(&names(now)).cloned().collect();
    (added, removed)
}

/// Keeps every other forge out of a repository until the lock is dropped.
fn wait_for_lock(target: &PublishTarget<'_>, patience: Duration) -> Result<Lock, PublishError> {
    let begun = Instant::now();
    loop {
        match Lock::take(&target.folder, LOCK, LockKind::Exclusive)? {
            Ok(mut lock) => {
                lock.sign(&format!("forge, process {}", std::process::id()))?;
                return Ok(lock);
            }
            Err(_) if begun.elapsed() < patience => std::thread::sleep(Duration::from_millis(50)),
            Err(holder) => return Err(Refusal::Busy { folder: target.shown.clone(), holder }.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Folder, HostPath};
    use crate::publish::DecodedRecords;
    use crate::publish::client_files::ClientFiles;
    use crate::publish::owner::Owner;
    use crate::publish::section::Parting;

    #[test]
    fn a_forge_that_publishes_to_the_same_folder_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let folder = || Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let target = PublishTarget {
            chroot: "host",
            folder: folder(),
            shown: "public/host".to_owned(),
            owner: Owner::new(None, temp.path(), temp.path()),
            adopts: false,
            links: false,
            clients: ClientFiles {
                signers: None,
                id: "host".to_owned(),
                title: String::new(),
                url: String::new(),
                sections: Parting::Together.sections(),
            },
            state: &folder(),
            decoded: &DecodedRecords::default(),
            declared: BTreeSet::new(),
            all_packages: BTreeSet::new(),
            all_chroots: BTreeSet::new(),
        };
        let first = wait_for_lock(&target, Duration::ZERO).unwrap();
        let second = wait_for_lock(&target, Duration::ZERO);
        let Err(PublishError::Refused(Refusal::Busy { holder, .. })) = second else {
            panic!("both have the lock");
        };
        assert_eq!(holder, format!("forge, process {}", std::process::id()));
        drop(first);
        assert!(wait_for_lock(&target, Duration::ZERO).is_ok());
    }
}
