//! What forge knows of a repository before it touches it: its record, or what can stand for it.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use super::adopt::packages_named_by_metadata;
use super::inspect::{Found, Verification, look_at};
use super::owner::Owner;
use super::paths::REPOMD;
use super::record::{Incoming, PublishedFile, RECORD, ReadRecord, RepositoryRecord, read_record};
use super::superseded::supersede;
use super::{PublishError, Refusal};
use crate::digest::Digest;
use crate::event::{Damage, Timestamp};
use crate::files::Folder;

/// Where copies of records are, below the project's state folder.
const COPIES: &str = "published";

/// A repository, and whoever wants to publish to it.
pub(super) struct Target<'a> {
    pub chroot: &'a str,
    pub folder: Folder,
    /// The folder as the manifest says it.
    pub shown: String,
    pub owner: Owner,
    pub adopts: bool,
    pub links: bool,
    /// The project's state folder, which has a copy of the record.
    pub state: &'a Folder,
    /// The packages that the manifest declares for the chroot.
    pub declared: BTreeSet<&'a str>,
}

/// What is known of a repository.
pub(super) struct Known {
    pub record: RepositoryRecord,
    pub origin: Origin,
}

/// Where the record comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// From the repository.
    Repository,
    /// From the project's copy, since the repository's own was found so.
    Copy(Damage),
    /// There is nothing published.
    New,
    /// It was taken over from those.
    Adopted(String),
}

impl Target<'_> {
    /// What is known of the repository. Nothing is written.
    ///
    /// # Errors
    /// [`Refusal`] where the repository is not this project's.
    pub fn read_known(&self, now: Timestamp) -> Result<Known, PublishError> {
        let folder = || self.shown.clone();
        let (mut record, origin) = match read_record(&self.folder, RECORD) {
            ReadRecord::Newer(form) => return Err(Refusal::NewerRecord { folder: folder(), form }.into()),
            ReadRecord::Intact(record) if record.owner.is_same_project(&self.owner) => {
                (*record, Origin::Repository)
            }
            ReadRecord::Intact(record) if self.adopts => {
                let owner = record.owner.to_string();
                (*record, Origin::Adopted(owner))
            }
            ReadRecord::Intact(record) => {
                let owner = record.owner.to_string();
                return Err(Refusal::Foreign { folder: folder(), owner }.into());
            }
            ReadRecord::Missing => self.without_record(Damage::Missing)?,
            ReadRecord::Damaged => self.without_record(Damage::Changed)?,
        };
        record.owner = self.owner.clone();
        record.chroot = self.chroot.to_owned();
        self.roll_forward(&mut record, now);
        Ok(Known { record, origin })
    }

    fn without_record(&self, damage: Damage) -> Result<(RepositoryRecord, Origin), PublishError> {
        let copy = match read_record(self.state, self.copy_path()) {
            ReadRecord::Intact(copy) if copy.owner.is_same_project(&self.owner) => Some(*copy),
            ReadRecord::Intact(_) | ReadRecord::Missing | ReadRecord::Damaged | ReadRecord::Newer(_) => None,
        };
        if let Some(copy) = copy.as_ref().filter(|copy| self.fits(copy)) {
            return Ok((copy.clone(), Origin::Copy(damage)));
        }
        let mut record = RepositoryRecord::empty(self.owner.clone(), self.chroot);
        if damage == Damage::Missing && !self.has_repomd() {
            return Ok((record, Origin::New));
        }
        if !self.adopts {
            let folder = self.shown.clone();
            return Err(match damage {
                Damage::Missing => Refusal::Unrecorded { folder },
                Damage::Changed => Refusal::DamagedRecord { folder },
            }
            .into());
        }
        record.packages = match packages_named_by_metadata(&self.folder, &self.declared) {
            Some(packages) => packages,
            None => copy.map(|copy| copy.packages).unwrap_or_default(),
        };
        Ok((record, Origin::Adopted("nobody on record".to_owned())))
    }

    /// Whether a copy tells of the repository as it is now. Another checkout of the project may have published since.
    fn fits(&self, copy: &RepositoryRecord) -> bool {
        let incoming = copy.incoming.as_ref().and_then(|incoming| incoming.repomd.as_ref());
        !self.has_repomd() || copy.repomd.iter().chain(incoming).any(|repomd| self.is_there(repomd))
    }

    fn has_repomd(&self) -> bool {
        self.folder.dir().symlink_metadata(REPOMD).is_ok()
    }

    fn is_there(&self, file: &PublishedFile) -> bool {
        matches!(look_at(&self.folder, file, Verification::EveryDigest), Found::Right(_))
    }

    /// Where a publish was killed after its `repomd.xml` came to its place, clients have seen what it brought in: that is
    /// what is published.
    fn roll_forward(&self, record: &mut RepositoryRecord, now: Timestamp) {
        let Some(Incoming { packages, metadata, repomd: Some(repomd) }) = &record.incoming else {
            return;
        };
        if !self.is_there(repomd) {
            return;
        }
        let (packages, metadata, repomd) = (packages.clone(), metadata.clone(), Some(repomd.clone()));
        record.superseded = supersede(record, &packages, &metadata, now);
        (record.packages, record.metadata, record.repomd, record.incoming) =
            (packages, metadata, repomd, None);
    }

    fn copy_path(&self) -> PathBuf {
        copy_path(self.chroot, &self.shown)
    }

    /// Whether there is neither a record nor a copy of one.
    pub fn is_unknown(&self) -> bool {
        let is_missing = |folder: &Folder, path: PathBuf| folder.dir().symlink_metadata(path).is_err();
        is_missing(&self.folder, PathBuf::from(RECORD)) && is_missing(self.state, self.copy_path())
    }

    /// Makes the copy what the record is.
    pub fn write_copy(&self, record: &[u8]) -> io::Result<()> {
        let path = self.copy_path();
        let is_same = self.state.file_size(&path) == Some(record.len() as u64)
            && self.state.read(&path).is_ok_and(|copy| copy == record);
        if is_same {
            return Ok(());
        }
        self.state.create(COPIES)?;
        self.state.write_atomic(path, record)
    }
}

/// Whether a project has a copy of the record of the repository in `folder`, which is gone whole.
pub(super) fn has_copy(state: &Folder, chroot: &str, folder: &str) -> bool {
    state.dir().symlink_metadata(copy_path(chroot, folder)).is_ok()
}

/// Where the copy of a record is, below the project's state folder.
fn copy_path(chroot: &str, folder: &str) -> PathBuf {
    let folder = Digest::of(folder.as_bytes()).short(12);
    [COPIES, &format!("{chroot}-{folder}")].iter().collect()
}
