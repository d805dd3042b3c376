//! What forge knows of a repository before it touches it: its record, or what can stand for it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::adopt::{packages_named_by_metadata, primary_on_disk, revision_on_disk};
use super::client_files::ClientFiles;
use super::inspect::{FileOnDisk, Verification, inspect_file};
use super::owner::{Owner, Sameness};
use super::paths::{REPOMD, repo_file};
use super::record::{Incoming, PublishedFile, PublishedPackage, RepositoryRecord};
use super::record_file::{
    DecodedRecords, EncodedRecord, RECORD, RECORD_CHANGES, ReadRecord, changes_path, claim_the_same,
    have_same_base,
};
use super::retention::Keep;
use super::superseded::supersede;
use super::{PublishError, Refusal};
use crate::digest::Digest;
use crate::event::{Damage, Timestamp};
use crate::files::Folder;
use crate::manifest::declaration::RepositoryLayout;

/// Where copies of records are, below the project's state folder.
const COPIES: &str = "published";

/// A repository, and the project that publishes to it.
pub(super) struct PublishTarget<'a> {
    pub chroot: &'a str,
    pub folder: Folder,
    /// The folder as the manifest says it.
    pub shown: String,
    pub owner: Owner,
    pub adopts: bool,
    pub links: bool,
    /// The project's state folder, which has a copy of the record.
    pub state: &'a Folder,
    /// What clients are told of it, and what signs it.
    pub clients: ClientFiles,
    /// The records that were read before.
    pub decoded: &'a DecodedRecords,
    /// The packages that the manifest declares for the chroot.
    pub declared: BTreeSet<&'a str>,
    /// Those that it declares for any chroot.
    pub all_packages: BTreeSet<&'a str>,
    /// The chroots that it declares.
    pub all_chroots: BTreeSet<&'a str>,
    /// Which builds stay beside the newest.
    pub keep: Keep,
    /// Where packages lie that come in.
    pub layout: RepositoryLayout,
}

/// What is known of a repository.
pub(super) struct Known {
    pub record: RepositoryRecord,
    pub origin: RecordOrigin,
}

/// Where the record comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RecordOrigin {
    /// From the repository.
    Repository,
    /// From the project's copy or the repository's metadata, since the repository's own was found so.
    Recovered(Damage),
    /// There is nothing published.
    New,
    /// It was taken over from those.
    Adopted(String),
}

/// Whether a record is this project's.
enum Recognition {
    Own,
    Foreign,
    /// It can't be known; this package speaks against it.
    Unidentified(String),
}

impl PublishTarget<'_> {
    /// The name of the file that tells clients of the repository where its metadata are signed.
    pub fn repo_file(&self) -> String {
        repo_file(&self.clients.id)
    }

    /// Whether the file that would tell clients of the repository is somebody else's, which an unsigned repository lets be.
    pub fn has_foreign_repo_file(&self, record: &RepositoryRecord) -> bool {
        let path = self.repo_file();
        self.clients.signers.is_none()
            && !record.signing_files().any(|file| file.path == path)
            && self.folder.dir().symlink_metadata(&path).is_ok()
    }

    /// Whether the metadata on record are signed by those that are to sign them, and say the same to clients.
    pub fn is_signed_as_wanted(&self, record: &RepositoryRecord) -> bool {
        let has_foreign = self.has_foreign_repo_file(record);
        record.signed.as_ref().is_some_and(|signed| self.clients.are_on_record(signed, has_foreign))
    }

    /// What is known of the repository. Nothing is written.
    ///
    /// # Errors
    /// [`Refusal`] where the repository is not this project's, or is another chroot's, or its state can't be known.
    pub fn read_known(&self, now: Timestamp) -> Result<Known, PublishError> {
        let (mut record, origin) = match self.decoded.read(&self.folder, RECORD) {
            ReadRecord::Newer(form) => {
                return Err(Refusal::NewerRecord { folder: self.shown.clone(), form }.into());
            }
            ReadRecord::Intact(record) => self.with_record(*record, now)?,
            ReadRecord::Missing => self.recover_without_record(Damage::Missing, now)?,
            ReadRecord::Damaged => self.recover_without_record(Damage::Changed, now)?,
        };
        record.owner = match origin {
            RecordOrigin::Repository | RecordOrigin::Recovered(_) => self.owner.with_id_of(&record.owner),
            RecordOrigin::New | RecordOrigin::Adopted(_) => self.owner.with_new_id()?,
        };
        record.chroot = self.chroot.to_owned();
        self.roll_forward(&mut record, now);
        if record.revision == 0 {
            record.revision = revision_on_disk(&self.folder).unwrap_or_default();
        }
        Ok(Known { record, origin })
    }

    fn with_record(
        &self,
        record: RepositoryRecord,
        now: Timestamp,
    ) -> Result<(RepositoryRecord, RecordOrigin), PublishError> {
        let folder = || self.shown.clone();
        let owner = record.owner.to_string();
        let adopted = match self.recognise(&record) {
            Recognition::Own => None,
            Recognition::Foreign | Recognition::Unidentified(_) if self.adopts => Some(owner),
            Recognition::Foreign => return Err(Refusal::Foreign { folder: folder(), owner }.into()),
            Recognition::Unidentified(package) => {
                return Err(Refusal::Unidentified { folder: folder(), owner, package }.into());
            }
        };
        let is_other_chroot = record.chroot != self.chroot && self.all_chroots.contains(&*record.chroot);
        if adopted.is_none() && is_other_chroot {
            let (chroot, other) = (self.chroot.to_owned(), record.chroot);
            return Err(Refusal::TwoChroots { folder: folder(), chroot, other }.into());
        }
        let newest = self.recover_newer(&record, now)?;
        Ok(match (adopted, newest) {
            (Some(owner), newest) => (newest.unwrap_or(record), RecordOrigin::Adopted(owner)),
            (None, Some(newest)) => (newest, RecordOrigin::Recovered(Damage::Changed)),
            (None, None) => (record, RecordOrigin::Repository),
        })
    }

    /// Whether the record of a chroot that the manifest does not declare is surely this project's.
    pub fn is_own_undeclared(&self, record: &RepositoryRecord) -> bool {
        record.chroot == self.chroot
            && match self.compare_owner(record) {
                Sameness::Same => true,
                Sameness::Other => false,
                Sameness::Unknown => {
                    record.owner.lies_in_project() && self.find_undeclared_package(record).is_none()
                }
            }
    }

    fn recognise(&self, record: &RepositoryRecord) -> Recognition {
        match (self.compare_owner(record), self.find_undeclared_package(record)) {
            (Sameness::Same, _) | (Sameness::Unknown, None) => Recognition::Own,
            (Sameness::Other, _) => Recognition::Foreign,
            (Sameness::Unknown, Some(package)) => Recognition::Unidentified(package.to_owned()),
        }
    }

    fn compare_owner(&self, record: &RepositoryRecord) -> Sameness {
        match record.owner.compare(&self.owner, None) {
            Sameness::Unknown => {
                // Most of the time both are the same, and the copy need not be understood.
                let copy_path = self.copy_path();
                let (own, copied) = ((&self.folder, Path::new(RECORD)), (self.state, copy_path.as_path()));
                let copy = match claim_the_same(own, copied) {
                    true => Some(record.owner.clone()),
                    false => self.read_copy().map(|copy| copy.owner),
                };
                record.owner.compare(&self.owner, copy.as_ref())
            }
            sure @ (Sameness::Same | Sameness::Other) => sure,
        }
    }

    /// The package on record that makes it doubtful whether a repository is of a project that lies where its owner lay. In
    /// the project itself hardly another can have published; elsewhere it must declare all that would leave otherwise.
    fn find_undeclared_package<'r>(&self, record: &'r RepositoryRecord) -> Option<&'r str> {
        let incoming = record.incoming.iter().flat_map(|incoming| &incoming.packages);
        let names: Vec<&str> =
            record.packages.iter().chain(incoming).map(|package| package.package.as_str()).collect();
        let is_declared = |name: &&str| self.all_packages.contains(name);
        match record.owner.lies_in_project() && names.iter().any(is_declared) {
            true => None,
            false => names.into_iter().find(|name| !is_declared(name)),
        }
    }

    /// What is published, where that is not what the record says: somebody may have put an older record back. None where
    /// the record is of this state of the repository.
    fn recover_newer(
        &self,
        record: &RepositoryRecord,
        now: Timestamp,
    ) -> Result<Option<RepositoryRecord>, PublishError> {
        if self.matches_repository(record) {
            return Ok(None);
        }
        let copy = self.read_copy();
        if let Some(copy) = copy.as_ref().filter(|copy| self.matches_repository(copy)) {
            return Ok(Some(copy.clone()));
        }
        let is_copied = copy.as_ref() == Some(record);
        let Some(primary) = primary_on_disk(&self.folder) else { return Ok(None) };
        let incoming = record.incoming.iter().flat_map(|incoming| &incoming.metadata);
        let superseded = record.superseded.iter().map(|superseded| &superseded.file);
        let mut known = record.metadata.iter().chain(incoming).chain(superseded.filter(|_| is_copied));
        if known.any(|file| file.path == primary) {
            // Only `repomd.xml` is not what it was.
            return Ok(None);
        }
        let names = record.packages.iter().map(|package| package.package.as_str());
        let names = names.chain(self.declared.iter().copied()).collect();
        let Some(found) = packages_named_by_metadata(&self.folder, &names, now) else { return Ok(None) };
        if let Some(path) = found.lost.into_iter().chain(found.unknown).next().filter(|_| !self.adopts) {
            return Err(Refusal::OutdatedRecord { folder: self.shown.clone(), path }.into());
        }
        let mut packages = found.packages;
        if is_copied {
            // It is the metadata that somebody else has made: what they leave out does not leave.
            let is_named =
                |package: &PublishedPackage| packages.iter().any(|it| it.package == package.package);
            let kept: Vec<_> = record.packages.iter().filter(|package| !is_named(package)).cloned().collect();
            packages.extend(kept);
            packages.sort_by(|one, other| one.package.cmp(&other.package));
        }
        let superseded = supersede(record, &packages, &[], now);
        let packages = packages.into();
        let (metadata, repomd, incoming) = (Vec::new(), None, None);
        let revision = revision_on_disk(&self.folder).unwrap_or_default().max(record.revision);
        let record = record.clone();
        Ok(Some(RepositoryRecord { packages, metadata, repomd, revision, incoming, superseded, ..record }))
    }

    /// The project's copy of the record.
    fn read_copy(&self) -> Option<RepositoryRecord> {
        match self.decoded.read(self.state, self.copy_path()) {
            ReadRecord::Intact(copy)
                if copy.owner.compare(&self.owner, Some(&copy.owner)) == Sameness::Same =>
            {
                Some(*copy)
            }
            ReadRecord::Intact(_) | ReadRecord::Missing | ReadRecord::Damaged | ReadRecord::Newer(_) => None,
        }
    }

    fn recover_without_record(
        &self,
        damage: Damage,
        now: Timestamp,
    ) -> Result<(RepositoryRecord, RecordOrigin), PublishError> {
        let copy = self.read_copy();
        if let Some(copy) = copy.as_ref().filter(|copy| self.matches_repository(copy)) {
            return Ok((copy.clone(), RecordOrigin::Recovered(damage)));
        }
        let mut record = RepositoryRecord::empty(self.owner.clone(), self.chroot);
        if damage == Damage::Missing && !self.has_repomd() {
            return Ok((record, RecordOrigin::New));
        }
        if !self.adopts {
            let folder = self.shown.clone();
            return Err(match damage {
                Damage::Missing => Refusal::Unrecorded { folder },
                Damage::Changed => Refusal::DamagedRecord { folder },
            }
            .into());
        }
        record.packages = match packages_named_by_metadata(&self.folder, &self.declared, now) {
            Some(found) => found.packages.into(),
            None => copy.map(|copy| copy.packages).unwrap_or_default(),
        };
        Ok((record, RecordOrigin::Adopted("nobody on record".to_owned())))
    }

    /// Whether a record tells of the repository as it is now. It may be of an earlier time, and another checkout of the project
    /// may have published since a copy was made.
    fn matches_repository(&self, record: &RepositoryRecord) -> bool {
        let incoming = record.incoming.as_ref().and_then(|incoming| incoming.repomd.as_ref());
        !self.has_repomd() || record.repomd.iter().chain(incoming).any(|repomd| self.is_there(repomd))
    }

    fn has_repomd(&self) -> bool {
        self.folder.dir().symlink_metadata(REPOMD).is_ok()
    }

    fn is_there(&self, file: &PublishedFile) -> bool {
        matches!(inspect_file(&self.folder, file, Verification::EveryDigest), FileOnDisk::Right(_))
    }

    /// Where a publish was killed after its `repomd.xml` came to its place, clients have seen what it brought in: that is
    /// what is published.
    fn roll_forward(&self, record: &mut RepositoryRecord, now: Timestamp) {
        let Some(Incoming { packages, metadata, repomd: Some(repomd), signed, revision }) = &record.incoming
        else {
            return;
        };
        let signed = signed.clone();
        let revision = *revision;
        if !self.is_there(repomd) {
            return;
        }
        let (packages, metadata, repomd) = (packages.clone(), metadata.clone(), Some(repomd.clone()));
        record.superseded = supersede(record, &packages, &metadata, now);
        (record.packages, record.metadata, record.repomd, record.incoming) =
            (packages, metadata, repomd, None);
        (record.signed, record.revision) = (signed, revision);
    }

    fn copy_path(&self) -> PathBuf {
        copy_path(self.chroot, &self.shown)
    }

    /// Whether there is neither a record nor a copy of one.
    pub fn is_unknown(&self) -> bool {
        let is_missing = |folder: &Folder, path: PathBuf| folder.dir().symlink_metadata(path).is_err();
        is_missing(&self.folder, PathBuf::from(RECORD)) && is_missing(self.state, self.copy_path())
    }

    /// Makes the copy what the record was just made.
    pub fn write_copy(&self, written: &EncodedRecord) -> io::Result<()> {
        let path = self.copy_path();
        match written {
            EncodedRecord::Whole(bytes) => {
                self.write_copied(&path, bytes)?;
                self.state.remove_file(changes_path(&path))
            }
            EncodedRecord::Changes(changes) => {
                let (own, copy) = ((&self.folder, Path::new(RECORD)), (self.state, path.as_path()));
                if !have_same_base(own, copy) {
                    self.write_copied(&path, &self.folder.read(RECORD)?)?;
                }
                self.write_copied(&changes_path(&path), changes)
            }
        }
    }

    /// Makes the copy what the record is.
    pub fn repair_copy(&self) -> io::Result<()> {
        let path = self.copy_path();
        self.write_copied(&path, &self.folder.read(RECORD)?)?;
        match self.folder.read(RECORD_CHANGES) {
            Ok(changes) => self.write_copied(&changes_path(&path), &changes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.state.remove_file(changes_path(&path))
            }
            Err(error) => Err(error),
        }
    }

    fn write_copied(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let is_same = self.state.file_size(path) == Some(bytes.len() as u64)
            && self.state.read(path).is_ok_and(|copy| copy == bytes);
        if is_same {
            return Ok(());
        }
        self.state.create(COPIES)?;
        self.state.write_atomic(path, bytes)
    }
}

/// Whether a project has a copy of the record of the repository in `folder`, which is gone whole.
pub(super) fn has_copy(state: &Folder, chroot: &str, folder: &str) -> bool {
    state.dir().symlink_metadata(copy_path(chroot, folder)).is_ok()
}

/// Where the copy of a record is, below the project's state folder.
fn copy_path(chroot: &str, folder: &str) -> PathBuf {
    let folder = Digest::compute(folder.as_bytes()).short(12);
    [COPIES, &format!("{chroot}-{folder}")].iter().collect()
}
