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

use std::io;
use std::time::Duration;

use rayon::prelude::*;

use super::PublishError;
use super::declared_metadata::DeclaredMetadata;
use super::groups::{Groups, RecordGroups};
use super::holding::{HeldPackage, Holding, Taken};
use super::inspect::{FileState, InspectedPackage, Inspector, Verification};
use super::known::{Known, PublishTarget, RecordOrigin};
use super::lock::lock_repository;
use super::mend_builds::{BuildMender, Mended};
use super::metadata::JoinedMetadata;
use super::record::{
    Incoming, PublishedFile, PublishedPackage, RepositoryRecord, Retired, have_same_listing, set_times,
};
use super::record_file::{EncodedRecord, RECORD, RECORD_CHANGES};
use super::retention::{Retained, retain};
use super::staging::{Staging, remove_leftovers};
use super::superseded::supersede;
use super::told::{Damaged, not_published, tell, tell_retained};
use super::wanted::wanted_packages;
use crate::event::{Damage, DamagedFile, Timestamp, What};
use crate::files::Sharing;
use crate::store::{Store, StoreError};

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
        let _lock = match lock_repository(
            &target.folder,
            (&target.shown, &format!("for {}", target.owner)),
            PATIENCE,
        ) {
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
        let published = RecordGroups::new(&record, self.holding.packing);
        let (retained, _) = self.desired(target, &published, results);
        let packages = inspector.packages(retained.packages)?;
        let by = target.clients.package_fingerprints();
        let are_signed = packages.iter().all(|package| package.package.is_signed_by(&by));
        let mut states: Vec<FileState> = packages.iter().flat_map(|package| package.states.clone()).collect();
        let signing = record.signed.iter().flat_map(|signed| &signed.files);
        for file in record.metadata.iter().chain(&record.repomd).chain(signing) {
            states.push(inspector.file(file)?);
        }
        let packages: Vec<PublishedPackage> =
            packages.into_iter().map(InspectedPackage::into_package).collect();
        Ok(origin == RecordOrigin::Repository
            && record.repomd.is_some()
            && target.is_signed_as_wanted(&record)
            && are_signed
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
        let published = RecordGroups::new(&record, self.holding.packing);
        let (Retained { packages: wanted, retired, judged, warning }, taken) =
            self.desired(target, &published, results);
        let inspector = Inspector::new(&target.folder, &record, verification).with_links(target.links);
        inspector.refuse_linked_metadata(&target.clients.sections)?;
        let packages = inspector.packages(wanted)?;
        let mender = BuildMender { store: self.store, target, inspector: &inspector, now: self.now };
        let Mended { packages, unsigned } = mender.mend(packages)?;
        let publish = Publish {
            store: self.store,
            groups: &self.holding.groups,
            declared: &self.declared,
            target,
            inspector: &inspector,
            published: &published,
            retired,
            now: self.now,
        };
        let mut damaged = Damaged::default();
        if let RecordOrigin::Recovered(damage) = &origin {
            let damage = *damage;
            damaged.repaired.push(DamagedFile::new(RECORD.to_owned(), None, damage));
        }
        let (packages, ahead) = publish.bring_packages(packages, &mut damaged)?;
        let new = publish.publish_metadata(packages, ahead, &mut damaged)?;
        if new == record && origin == RecordOrigin::Repository {
            target.repair_copy()?;
        } else {
            let staging = Staging::open(&target.folder)?;
            publish.write_record(&staging, &new)?;
            staging.close()?;
        }
        let mut told = tell(target, &record, &new, (origin, damaged));
        let judged = judged.unwrap_or_default();
        told.extend(tell_retained(target, &record, &judged).into_iter().chain(warning).map(noted));
        told.extend(taken.held.into_iter().map(|HeldPackage { package, broken, stays }| {
            not_published(target.chroot, Some(package), &PublishError::Held { broken, stays })
        }));
        told.extend(taken.warnings.into_iter().chain(unsigned).map(noted));
        Ok(told)
    }

    /// What the repository is to hold, and what of it waits.
    pub fn desired(
        &self,
        target: &PublishTarget<'_>,
        published: &RecordGroups<'_>,
        results: &[PublishedPackage],
    ) -> (Retained, Taken) {
        let record = published.record;
        let wanted = wanted_packages(target, record, results, self.now);
        let mut taken = self.holding.take(target, published, wanted);
        let newest = std::mem::take(&mut taken.packages);
        let needs = |package: &PublishedPackage| self.holding.needs_of(target, package);
        let rules = (&target.keep, &target.declared);
        (retain((record, newest), rules, self.now, &needs), taken)
    }
}

fn noted(text: String) -> What {
    What::Noted { text }
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
    let is_to_stay = |package: &&PublishedPackage| {
        !package.is_newest() || target.declared.contains(package.package.as_str())
    };
    let packages = record.packages.iter().filter(is_to_stay).cloned().collect();
    for InspectedPackage { package, states } in inspector.packages(packages)? {
        for (file, state) in package.files.iter().zip(states) {
            let is_older = !package.is_newest();
            let found = damaged_file(&file.path, Some(&package.package), state);
            damaged.extend(found.map(|file| DamagedFile { is_older, ..file }));
        }
    }
    let signing = record.signed.iter().flat_map(|signed| &signed.files);
    for file in record.metadata.iter().chain(&record.repomd).chain(signing) {
        damaged.extend(damaged_file(&file.path, None, inspector.file(file)?));
    }
    if let RecordOrigin::Recovered(damage) = known.origin {
        damaged.push(DamagedFile::new(RECORD.to_owned(), None, damage));
    }
    Ok(damaged)
}

fn damaged_file(path: &str, package: Option<&String>, state: FileState) -> Option<DamagedFile> {
    match state {
        FileState::Right(_) | FileState::Shared(_) | FileState::ToBring(None) => None,
        FileState::ToBring(Some(damage)) => Some(DamagedFile::new(path.to_owned(), package.cloned(), damage)),
    }
}

/// One publish to one repository.
pub(super) struct Publish<'a> {
    store: &'a Store,
    pub groups: &'a Groups<'a>,
    pub declared: &'a DeclaredMetadata,
    pub target: &'a PublishTarget<'a>,
    pub inspector: &'a Inspector<'a>,
    /// The groups of what is on record.
    pub published: &'a RecordGroups<'a>,
    pub retired: Vec<Retired>,
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
    /// Brings in the files that are not there or not right. A package whose new files can't be had stays as it is on record. While the
    /// disk takes them in, the metadata are joined.
    fn bring_packages(
        &self,
        packages: Vec<InspectedPackage>,
        damaged: &mut Damaged,
    ) -> Result<(Vec<PublishedPackage>, Option<JoinedMetadata>), PublishError> {
        if !packages.iter().flat_map(|package| &package.states).any(|state| must_bring(*state)) {
            return Ok((packages.into_iter().map(InspectedPackage::into_package).collect(), None));
        }
        let (brought, ahead) = rayon::join(|| self.bring_coming(&packages), || self.join_ahead(&packages));
        let mut packages: Vec<PublishedPackage> =
            packages.into_iter().map(InspectedPackage::into_package).collect();
        for (place, BroughtPackage { package, brought, lost, abandoned }) in brought? {
            let damage = |path: String, damage: Damage| {
                let (is_older, package) = (!package.is_newest(), Some(package.package.clone()));
                DamagedFile { path, package, damage, is_older }
            };
            let repaired = brought.into_iter().filter_map(|(path, found)| Some(damage(path, found?)));
            damaged.repaired.extend(repaired);
            damaged.lost.extend(lost.into_iter().map(|(path, found)| damage(path, found)));
            damaged.abandoned.extend(abandoned);
            if let Some(before) = packages.get_mut(place) {
                *before = package;
            }
        }
        // Where the newest build can't be had, the one before it is the newest again.
        if !packages.iter().all(PublishedPackage::is_newest) {
            retain_useful(&mut packages);
        }
        Ok((packages, ahead))
    }

    /// Announces and brings in what is to come; gives those packages with their places.
    fn bring_coming(
        &self,
        packages: &[InspectedPackage],
    ) -> Result<Vec<(usize, BroughtPackage)>, PublishError> {
        let incoming = packages.iter().map(|package| package.package.clone()).collect();
        let (metadata, repomd, revision) = (Vec::new(), None, self.inspector.record.revision);
        let staging = Staging::open(&self.target.folder)?;
        self.announce(&staging, Incoming { packages: incoming, metadata, repomd, signed: None, revision })?;
        let is_coming =
            |(_, package): &(usize, &InspectedPackage)| package.states.iter().any(|state| must_bring(*state));
        let coming: Vec<(usize, &InspectedPackage)> = packages.iter().enumerate().filter(is_coming).collect();
        let brought: Vec<(usize, BroughtPackage)> = coming
            .into_par_iter()
            .map(|(place, package)| Ok((place, self.bring_package_or_keep(&staging, package.clone())?)))
            .collect::<Result<_, PublishError>>()?;
        let paths = brought.iter().flat_map(|(_, package)| &package.brought).map(|(path, _)| path.as_str());
        staging.sync_names(paths)?;
        staging.close()?;
        Ok(brought)
    }

    fn bring_package_or_keep(
        &self,
        staging: &Staging<'_>,
        package: InspectedPackage,
    ) -> Result<BroughtPackage, PublishError> {
        let new = self.bring_package(staging, package)?;
        if new.lost.is_empty() || !new.package.is_newest() {
            return Ok(new);
        }
        let paths = |package: &PublishedPackage| -> Vec<String> {
            package.files.iter().map(|file| file.path.clone()).collect()
        };
        let old = self.inspector.record.newest().find(|old| old.package == new.package.package);
        let Some(old) = old.filter(|old| paths(old) != paths(&new.package)) else {
            return Ok(new);
        };
        let mut kept = self.bring_package(staging, self.inspector.package(old.clone())?)?;
        kept.lost.extend(new.lost);
        kept.abandoned = new.package.files.iter().filter(|file| file.times.is_some()).cloned().collect();
        Ok(kept)
    }

    fn bring_package(
        &self,
        staging: &Staging<'_>,
        package: InspectedPackage,
    ) -> Result<BroughtPackage, PublishError> {
        let InspectedPackage { mut package, states } = package;
        let (mut brought, mut lost, mut times) = (Vec::new(), Vec::new(), Vec::new());
        let sharing = if self.target.links { Sharing::HardLink } else { Sharing::Nothing };
        for (file, state) in package.files.iter().zip(states) {
            let (there, damage) = match state {
                FileState::Right(there) => {
                    times.push(Some(there));
                    continue;
                }
                FileState::Shared(times) => (Some(times), None),
                FileState::ToBring(damage) => (None, damage),
            };
            times.push(match staging.bring(self.store, file, sharing) {
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
            });
        }
        set_times(&mut package.files, &times);
        Ok(BroughtPackage { package, brought, lost, abandoned: Vec::new() })
    }

    /// Puts what comes in on record before it comes.
    pub fn announce(&self, staging: &Staging<'_>, incoming: Incoming) -> Result<(), PublishError> {
        let record = self.inspector.record;
        let superseded = supersede(record, &record.packages, &record.metadata, self.now);
        // Where the update does not take effect, what is still there has not left.
        let retired = self.retired.clone();
        let record = RepositoryRecord { incoming: Some(incoming), superseded, retired, ..record.clone() };
        self.write_record(staging, &record)
    }

    /// Writes the record and its copy.
    fn write_record(&self, staging: &Staging<'_>, record: &RepositoryRecord) -> Result<(), PublishError> {
        let Self { target, .. } = self;
        let encoded = target.decoded.encode(&target.folder, RECORD, record)?;
        match &encoded {
            EncodedRecord::Whole(bytes) => staging.write(RECORD, bytes)?,
            EncodedRecord::Changes(bytes) => staging.write(RECORD_CHANGES, bytes)?,
        };
        staging.sync_names(std::iter::empty())?;
        if matches!(encoded, EncodedRecord::Whole(_)) {
            // They are of what was there before, and nobody looks at them any more.
            target.folder.remove_file(RECORD_CHANGES)?;
        }
        target.decoded.note_written(&target.folder, RECORD, (&encoded, record));
        Ok(target.write_copy(&encoded)?)
    }
}

/// Leaves out the older builds that have become the newest again, and those that can't be had whole, which are of no use any more.
fn retain_useful(packages: &mut Vec<PublishedPackage>) {
    let newest: Vec<PublishedPackage> =
        packages.iter().filter(|package| package.is_newest()).cloned().collect();
    let has_place = |older: &PublishedPackage| newest.iter().any(|newest| newest.has_same_files(older));
    let is_whole = |older: &PublishedPackage| older.files.iter().all(|file| file.times.is_some());
    packages.retain(|package| package.is_newest() || is_whole(package) && !has_place(package));
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
