//! What is there of what should be: times and sizes first, digests where they differ.

use std::collections::HashSet;
use std::io;
use std::path::{Component, Path};
use std::sync::OnceLock;

use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Stat, statat};

use super::paths::REPODATA;
use super::record::{FileTimes, PublishedFile, PublishedPackage, RepositoryRecord, set_times};
use super::section::{Section, in_section};
use super::{PublishError, Refusal};
use crate::digest::Digest;
use crate::event::Damage;
use crate::files::Folder;

/// How thoroughly a repository is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// A file whose size and times are as forge left them is right.
    TimesFirst,
    /// Every file is read.
    EveryDigest,
}

/// What stands where a file should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileOnDisk {
    Right(FileTimes),
    Missing,
    /// Something else, or what can't be read.
    Other,
}

/// What has to be done about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileState {
    Right(FileTimes),
    /// It is right, but a link to the store's file, which is no longer wanted.
    Shared(FileTimes),
    /// It has to be brought in; with the damage where it was there before.
    ToBring(Option<Damage>),
}

/// A package and the states of its files, in their order.
#[derive(Clone)]
pub(super) struct InspectedPackage {
    pub package: PublishedPackage,
    pub states: Vec<FileState>,
}

impl FileState {
    /// The times of what is there; none of what has to be brought in.
    fn times(self) -> Option<FileTimes> {
        match self {
            Self::Right(times) | Self::Shared(times) => Some(times),
            Self::ToBring(_) => None,
        }
    }
}

impl InspectedPackage {
    /// The package as it is now.
    pub fn into_package(self) -> PublishedPackage {
        let Self { mut package, states } = self;
        let times: Vec<Option<FileTimes>> = states.into_iter().map(FileState::times).collect();
        set_times(&mut package.files, &times);
        package
    }

    /// The package as it is once all its files are there.
    pub fn when_brought(&self) -> PublishedPackage {
        let mut package = self.package.clone();
        let times = self.states.iter().map(|state| Some(state.times().unwrap_or_default()));
        set_times(&mut package.files, &times.collect::<Vec<_>>());
        package
    }
}

/// Looks at the files of a repository.
pub(super) struct Inspector<'a> {
    folder: &'a Folder,
    pub record: &'a RepositoryRecord,
    verification: Verification,
    /// Whether files may stay that are links to the store's.
    links: bool,
    /// The paths on record, once they are asked for.
    paths: OnceLock<HashSet<&'a str>>,
}

impl<'a> Inspector<'a> {
    /// Looks at the files of the repository in `folder`, which has that `record`.
    pub fn new(folder: &'a Folder, record: &'a RepositoryRecord, verification: Verification) -> Self {
        Self { folder, record, verification, links: false, paths: OnceLock::new() }
    }

    /// Lets files stay that are links to the store's, where `links` says so.
    pub fn with_links(self, links: bool) -> Self {
        Self { links, ..self }
    }

    /// All packages, on all threads.
    pub fn packages(&self, packages: Vec<PublishedPackage>) -> Result<Vec<InspectedPackage>, PublishError> {
        let states = packages.par_iter().with_min_len(64).map(|package| self.file_states(package));
        let states: Vec<Vec<FileState>> = states.collect::<Result<_, _>>()?;
        let packages = packages.into_iter().zip(states);
        Ok(packages.map(|(package, states)| InspectedPackage { package, states }).collect())
    }

    /// One package.
    pub fn package(&self, package: PublishedPackage) -> Result<InspectedPackage, PublishError> {
        let states = self.file_states(&package)?;
        Ok(InspectedPackage { package, states })
    }

    /// The states of a package's files, which lie in folders that are no links.
    fn file_states(&self, package: &PublishedPackage) -> Result<Vec<FileState>, PublishError> {
        let mut seen = None;
        for folder in package.files.iter().map(|file| Path::new(&file.path).parent()) {
            // Nearly always all lie in one.
            if folder != seen {
                let folders = folder.into_iter().flat_map(Path::ancestors);
                let mut folders = folders.filter(|folder| !folder.as_os_str().is_empty());
                folders.try_for_each(|folder| self.refuse_link(folder))?;
                seen = folder;
            }
        }
        package.files.iter().map(|file| self.file(file)).collect()
    }

    /// One file.
    pub fn file(&self, file: &PublishedFile) -> Result<FileState, PublishError> {
        let found = inspect_file(self.folder, file, self.verification);
        let damage = |damage: Damage| file.times.map(|_| damage);
        Ok(match found {
            FileOnDisk::Right(times) if self.may_be_shared(file) && !self.links => FileState::Shared(times),
            FileOnDisk::Right(times) => FileState::Right(times),
            FileOnDisk::Missing => FileState::ToBring(damage(Damage::Missing)),
            FileOnDisk::Other if self.is_on_record(&file.path) => FileState::ToBring(damage(Damage::Changed)),
            FileOnDisk::Other => return Err(self.in_the_way_error(&file.path)),
        })
    }

    /// Sees to it that a folder of forge's is no link: what it leads to is not forge's to write to.
    pub fn refuse_link(&self, path: impl AsRef<Path>) -> Result<(), PublishError> {
        let path = path.as_ref();
        match is_link(self.folder, path) {
            true => Err(self.in_the_way_error(&path.to_string_lossy())),
            false => Ok(()),
        }
    }

    /// Sees to it that the folders of metadata of these sections are no links.
    pub fn refuse_linked_metadata(&self, sections: &[Section]) -> Result<(), PublishError> {
        let folders = sections.iter().map(|section| in_section(*section, REPODATA));
        let mut folders = folders.into_iter().flat_map(|path| {
            let above = Path::new(&path).ancestors().filter(|folder| !folder.as_os_str().is_empty());
            above.map(Path::to_owned).collect::<Vec<_>>()
        });
        folders.try_for_each(|folder| self.refuse_link(folder))
    }

    fn in_the_way_error(&self, path: &str) -> PublishError {
        Refusal::InTheWay { folder: self.folder.path().to_string(), path: path.to_owned() }.into()
    }

    fn may_be_shared(&self, file: &PublishedFile) -> bool {
        self.record.links && file.nevra.is_some()
    }

    fn is_on_record(&self, path: &str) -> bool {
        let all = || {
            let all = self.record.files().chain(&self.record.repomd).chain(self.record.signing_files());
            all.map(|file| file.path.as_str())
        };
        self.paths.get_or_init(|| all().collect()).contains(path)
    }
}

/// Looks at one file, whoever it belongs to.
pub(super) fn inspect_file(folder: &Folder, file: &PublishedFile, verification: Verification) -> FileOnDisk {
    let status = match status(folder, Path::new(&file.path)) {
        Ok(status) => status,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return FileOnDisk::Missing,
        Err(_) => return FileOnDisk::Other,
    };
    let is_file = FileType::from_raw_mode(status.st_mode).is_file();
    if !is_file || u64::try_from(status.st_size) != Ok(file.size) {
        return FileOnDisk::Other;
    }
    let times = times_from(&status);
    let is_untouched = verification == Verification::TimesFirst && file.times == Some(times);
    let is_right = || Digest::read_file(folder, &file.path).is_ok_and(|(digest, _)| digest == file.blake3);
    if is_untouched || is_right() { FileOnDisk::Right(times) } else { FileOnDisk::Other }
}

/// Whether there is a symbolic link at `path`.
pub(super) fn is_link(folder: &Folder, path: &Path) -> bool {
    status(folder, path).is_ok_and(|status| FileType::from_raw_mode(status.st_mode).is_symlink())
}

/// The times of a file that is as it should be.
pub(super) fn read_times(folder: &Folder, path: &str) -> io::Result<FileTimes> {
    Ok(times_from(&status(folder, Path::new(path))?))
}

/// What the kernel says of a file, in one call: a repository has thousands. Folders on the way were found to be no links; whoever reads
/// the file opens it as every other.
fn status(folder: &Folder, path: &Path) -> io::Result<Stat> {
    if !path.components().all(|component| matches!(component, Component::Normal(_))) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(statat(folder.dir(), path, AtFlags::SYMLINK_NOFOLLOW)?)
}

fn times_from(status: &Stat) -> FileTimes {
    let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    let rest = |nanoseconds| i64::try_from(nanoseconds).unwrap_or_default();
    FileTimes {
        modified: nanoseconds(status.st_mtime, rest(status.st_mtime_nsec)),
        changed: nanoseconds(status.st_ctime, rest(status.st_ctime_nsec)),
    }
}
