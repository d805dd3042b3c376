//! A folder that is open: everything below it can be reached, nothing else.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use cap_std::ambient_authority;
use cap_std::fs::{
    Dir, DirEntry, File, FileTypeExt, Metadata, MetadataExt, OpenOptions, OpenOptionsExt, Permissions,
    PermissionsExt,
};
use rayon::prelude::*;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};

use super::durability::{Durability, make_ambient_folders};
use super::limits::DEEPEST_EMPTIED;
use super::remove::remove_tree;
use super::{HostPath, about};

/// What a name in a folder stands for; links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, a device, a socket or a pipe.
    Other,
}

/// One name in a folder.
#[derive(Clone, Debug)]
pub struct FolderEntry {
    /// The name; names that are not UTF-8 are left out of listings.
    pub name: String,
    /// What it stands for.
    pub kind: EntryKind,
}

/// A folder that is open, with its path. See the [module](super).
#[derive(Debug)]
pub struct Folder {
    dir: Dir,
    path: HostPath,
    pub(super) durability: Durability,
}

/// How names begin that files have until they are whole.
const TEMPORARY: &str = ".forge-tmp-";

/// Whether a file is one that is being written, or was when its writer was killed.
pub fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()))
}

static TEMPORARIES: AtomicU64 = AtomicU64::new(0);

impl Folder {
    /// Opens the folder at `path`, which is the one place where the machine's whole file system is in reach.
    pub fn open_ambient(path: &HostPath) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(path.as_path(), ambient_authority()).map_err(about(path))?;
        Ok(Self { dir, path: path.clone(), durability: Durability::Synced })
    }

    /// As [`Folder::open_ambient`], and makes the folder (and those above it) where it is missing.
    pub fn create_ambient(path: &HostPath) -> io::Result<Self> {
        make_ambient_folders(path).map_err(about(path))?;
        Self::open_ambient(path)
    }

    /// As [`Folder::create_ambient`], for content that need not last: nothing is synced there or on the way.
    pub fn create_scratch(path: &HostPath) -> io::Result<Self> {
        Dir::create_ambient_dir_all(path.as_path(), ambient_authority()).map_err(about(path))?;
        Ok(Self { durability: Durability::Unsynced, ..Self::open_ambient(path)? })
    }

    /// Whether what is written into it must be there after a power cut.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Its path.
    pub fn path(&self) -> &HostPath {
        &self.path
    }

    /// The handle, for what has no method here.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// A second handle of the same folder.
    pub fn again(&self) -> io::Result<Self> {
        Ok(Self { dir: self.dir.try_clone()?, path: self.path.clone(), durability: self.durability })
    }

    /// A folder below this one.
    pub fn folder(&self, path: impl AsRef<Path>) -> io::Result<Self> {
        let full = self.path.join(&path);
        let dir = self.dir.open_dir(path).map_err(about(&full))?;
        Ok(Self { dir, path: full, durability: self.durability })
    }

    /// A folder below this one, made where it is missing.
    pub fn create(&self, path: impl AsRef<Path>) -> io::Result<Self> {
        self.durability.make_folders(&self.dir, path.as_ref()).map_err(self.about(&path))?;
        self.folder(path)
    }

    /// Whether there is something at `path` (a link counts by what it points to).
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.dir.exists(path)
    }

    /// Whether there is a folder at `path`.
    pub fn is_folder(&self, path: impl AsRef<Path>) -> bool {
        self.dir.is_dir(path)
    }

    /// The size in bytes of the regular file at `path`, if there is one.
    pub fn file_size(&self, path: impl AsRef<Path>) -> Option<u64> {
        let metadata = self.dir.metadata(path).ok()?;
        metadata.is_file().then(|| metadata.len())
    }

    /// As [`Folder::file_size`], in one call of the kernel, for paths that forge has made up itself, or opens later: whether a
    /// folder on the way is a link that leads out is not looked at. Thousands of files are counted with it.
    pub fn own_file_size(&self, path: &Path) -> Option<u64> {
        let stat = rustix::fs::statat(&self.dir, path, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let is_file = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
        u64::try_from(stat.st_size).ok().filter(|_| is_file)
    }

    /// When the file at `path` was last written.
    pub fn modified(&self, path: impl AsRef<Path>) -> io::Result<SystemTime> {
        let metadata = self.dir.metadata(&path).map_err(self.about(&path))?;
        Ok(metadata.modified()?.into_std())
    }

    /// Opens a file for reading.
    pub fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        self.dir.open(&path).map_err(self.about(&path))
    }

    /// Opens a regular file for reading. A pipe would be waited for without end, and a device be read without end.
    ///
    /// # Errors
    /// `InvalidInput` where it is anything else.
    pub fn open_regular(&self, path: impl AsRef<Path>) -> io::Result<File> {
        self.open_regular_with_metadata(path).map(|(file, _)| file)
    }

    /// As [`Folder::open_regular`], with what was read of the file to find that out.
    ///
    /// # Errors
    /// As there.
    pub fn open_regular_with_metadata(&self, path: impl AsRef<Path>) -> io::Result<(File, Metadata)> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        let opened = self.dir.open_with(&path, &options).and_then(|file| {
            let metadata = file.metadata()?;
            if metadata.is_file() {
                Ok((file, metadata))
            } else {
                Err(not_regular_error(metadata.file_type()))
            }
        });
        opened.map_err(self.about(&path))
    }

    /// A whole file as bytes.
    pub fn read(&self, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        self.dir.read(&path).map_err(self.about(&path))
    }

    /// A whole file as text.
    ///
    /// # Errors
    /// `InvalidData` where it is not UTF-8.
    pub fn read_text(&self, path: impl AsRef<Path>) -> io::Result<String> {
        self.dir.read_to_string(&path).map_err(self.about(&path))
    }

    /// A whole regular file as text, if it has no more than `most` bytes.
    ///
    /// # Errors
    /// `FileTooLarge` where it has, `InvalidInput` where it is no regular file, `InvalidData` where it is not UTF-8.
    pub fn read_text_up_to(&self, path: impl AsRef<Path>, most: u64) -> io::Result<String> {
        let file = self.open_regular(&path)?;
        let is_too_large = file.metadata().map_err(self.about(&path))?.len() > most;
        let mut text = String::new();
        let read = match is_too_large {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => file.take(most).read_to_string(&mut text),
        };
        read.map(|_| text).map_err(self.about(&path))
    }

    /// A whole file as text if it is there.
    pub fn read_text_if_there(&self, path: impl AsRef<Path>) -> io::Result<Option<String>> {
        match self.read_text(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names in this folder, sorted, so that nothing depends on the file system's order.
    pub fn entries(&self) -> io::Result<Vec<FolderEntry>> {
        let mut entries = Vec::new();
        for entry in self.dir.entries().map_err(about(&self.path))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            entries.push(FolderEntry { name, kind: kind_of(entry.file_type()?) });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Writes a file whole: beside its place, then renamed into it, so that nobody ever sees half of it. Where this
    /// folder's content [has to last](Durability), file and folder are synced, so that a power cut leaves either the old
    /// content or the new.
    pub fn write_atomic(&self, path: impl AsRef<Path>, content: &[u8]) -> io::Result<()> {
        self.write_atomic_with(path, |file| file.write_all(content))
    }

    /// As [`Folder::write_atomic`], from a writer.
    pub fn write_atomic_with(
        &self,
        path: impl AsRef<Path>,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        let path = path.as_ref();
        let temporary = self.temporary(path);
        let result = self.new_file(&temporary, 0o644).and_then(|mut file| {
            write(&mut file)?;
            self.durability.sync_content(&file)?;
            self.dir.rename(&temporary, &self.dir, path)?;
            self.durability.sync_name(&self.dir, path)
        });
        if result.is_err() {
            // What is left of a failed write is of no use; a second failure here would only hide the first.
            let _ = self.dir.remove_file(&temporary);
        }
        result.map_err(self.about(path))
    }

    /// As [`Folder::write_atomic`], in the place of a file that is there: a link to it stays a link (one out of this folder
    /// is refused, as everywhere), and the new file has the old one's mode, and its owner where that may be given.
    pub fn rewrite(&self, path: impl AsRef<Path>, content: &[u8]) -> io::Result<()> {
        let target = self.dir.canonicalize(&path).map_err(self.about(&path))?;
        let before = self.dir.metadata(&target).map_err(self.about(&path))?;
        self.write_atomic_with(&target, |file| {
            let now = file.metadata()?;
            if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
                let owner = Some(rustix::fs::Uid::from_raw(before.uid()));
                let group = Some(rustix::fs::Gid::from_raw(before.gid()));
                // Only root may give a file away; what others rewrite is their own then, as with an editor.
                let _ = rustix::fs::fchown(&*file, owner, group);
            }
            // Before there is anything in it that others should not read.
            file.set_permissions(Permissions::from_mode(before.mode() & 0o777))?;
            file.write_all(content)
        })
    }

    /// A new file that must not be there yet.
    pub fn new_file(&self, path: impl AsRef<Path>, mode: u32) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(mode);
        self.dir.open_with(&path, &options).map_err(self.about(&path))
    }

    /// A file to write from its beginning, in place of what was there.
    pub fn replace_file(&self, path: impl AsRef<Path>) -> io::Result<File> {
        self.dir.create(&path).map_err(self.about(&path))
    }

    /// A name beside `path` that nothing else uses.
    pub fn temporary(&self, path: &Path) -> PathBuf {
        let number = TEMPORARIES.fetch_add(1, Ordering::Relaxed);
        path.with_file_name(format!("{TEMPORARY}{}-{number}", process::id()))
    }

    /// A name that begins with `prefix` and that nothing in this folder has, not even another program's.
    ///
    /// # Errors
    /// There is no randomness to be had.
    pub fn unique(&self, prefix: &str) -> io::Result<String> {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        loop {
            let mut random = [0_u8; 6];
            rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
            let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
            let name = format!("{prefix}{}", random.iter().map(letter).collect::<String>());
            if self.dir.symlink_metadata(&name).is_err() {
                return Ok(name);
            }
        }
    }

    /// Puts the file `from` of this folder elsewhere: by reflink where the file system can, else by a hard link, else as a
    /// copy. What the result is for decides whether sharing is allowed, see [`Sharing`]. `check` sees what was placed before
    /// it gets its name; what it refuses leaves nothing behind.
    pub fn place(
        &self,
        from: &Path,
        destination: Destination<'_>,
        check: impl FnOnce(File) -> io::Result<()>,
    ) -> io::Result<()> {
        let Destination { folder: target, path: to, sharing } = destination;
        let temporary = target.temporary(to);
        let placed = self.share(from, target, &temporary, sharing);
        let checked = placed.and_then(|()| check(target.dir.open(&temporary)?));
        let named = checked.and_then(|()| target.dir.rename(&temporary, &target.dir, to));
        let result = named.and_then(|()| target.durability.sync_name(&target.dir, to));
        if result.is_err() {
            let _ = target.dir.remove_file(&temporary);
        }
        result.map_err(target.about(to))
    }

    fn share(&self, from: &Path, target: &Folder, to: &Path, sharing: Sharing) -> io::Result<()> {
        let mut source = self.dir.open(from)?;
        let mut copy = target.new_file(to, 0o644)?;
        if rustix::fs::ioctl_ficlone(&copy, &source).is_ok() {
            return target.durability.sync_content(&copy);
        }
        if sharing == Sharing::HardLink {
            drop(copy);
            target.dir.remove_file(to)?;
            if self.dir.hard_link(from, &target.dir, to).is_ok() {
                return Ok(());
            }
            copy = target.new_file(to, 0o644)?;
        }
        io::copy(&mut source, &mut copy)?;
        target.durability.sync_content(&copy)
    }

    /// Takes write permission away from a file that others share.
    pub fn make_read_only(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.dir.set_permissions(&path, Permissions::from_mode(0o444)).map_err(self.about(&path))
    }

    /// Sets the time of the last change of a file.
    pub fn set_modified(&self, path: impl AsRef<Path>, seconds: u64) -> io::Result<()> {
        let file = self.open(&path)?.into_std();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).map_err(self.about(&path))
    }

    /// Gives a file the time that it is now.
    ///
    /// # Errors
    /// It is not there, or belongs to somebody else.
    pub fn touch(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let file = self.open(&path)?;
        let time = |nanoseconds| Timespec { tv_sec: 0, tv_nsec: nanoseconds };
        let times = Timestamps { last_access: time(UTIME_OMIT), last_modification: time(UTIME_NOW) };
        Ok(futimens(&file, &times)?)
    }

    /// Removes a file; one that is not there is no error.
    pub fn remove_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        ignore_missing(self.dir.remove_file(&path)).map_err(self.about(&path))
    }

    /// Removes a folder and all below it; one that is not there is no error. Folders that a build has made
    /// unreadable are made writable first.
    pub fn remove_folder(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        let remove = || {
            let parent = path.parent().filter(|parent| *parent != Path::new(""));
            let parent = self.dir.open_dir(parent.unwrap_or(Path::new(".")))?;
            remove_tree(&parent, path.file_name().ok_or(io::ErrorKind::InvalidInput)?)
        };
        ignore_missing(remove()).map_err(self.about(path))
    }

    /// Removes what is at `path`, file or folder; that there is nothing is no error.
    pub fn remove(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let kind = self.dir.symlink_metadata(&path).map(|metadata| metadata.is_dir());
        if kind.is_ok_and(|is_folder| is_folder) { self.remove_folder(path) } else { self.remove_file(path) }
    }

    /// Removes everything in this folder.
    pub fn clear(&self) -> io::Result<()> {
        for entry in self.entries()? {
            match entry.kind {
                EntryKind::Folder => self.remove_folder(&entry.name)?,
                EntryKind::File | EntryKind::Other => self.remove_file(&entry.name)?,
            }
        }
        Ok(())
    }

    /// Removes everything below a folder that can be removed, on all threads; errors are ignored.
    pub fn try_clear(&self, path: impl AsRef<Path>) {
        if let Ok(folder) = self.dir.open_dir(path) {
            try_clear(&folder, DEEPEST_EMPTIED);
        }
    }

    fn about(&self, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> io::Error {
        about(self.path.join(path))
    }
}

/// Where a file is put, and what it may share with where it came from.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// The folder.
    pub folder: &'a Folder,
    /// The path in it.
    pub path: &'a Path,
    /// What it may share.
    pub sharing: Sharing,
}

/// What a file that is put elsewhere may share with where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Nothing that a writer could spoil: a reflink or a copy. For what builds may write to.
    Nothing,
    /// The content itself: a hard link will do. For results that are only read.
    HardLink,
}

fn try_clear(folder: &Dir, depth: usize) {
    let entries = folder.entries().into_iter().flatten().flatten();
    let is_folder = |entry: &DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let (folders, files): (Vec<DirEntry>, Vec<DirEntry>) = entries.partition(is_folder);
    // What is in the way is for those to tell who have to remove it.
    for file in files {
        let _ = folder.remove_file(file.file_name());
    }
    if let Some(depth) = depth.checked_sub(1) {
        folders.into_par_iter().for_each(|entry| {
            if let Ok(below) = folder.open_dir(entry.file_name()) {
                try_clear(&below, depth);
            }
            let _ = folder.remove_dir(entry.file_name());
        });
    }
}

fn not_regular_error(kind: cap_std::fs::FileType) -> io::Error {
    let what = match kind {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    };
    io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a regular file"))
}

fn kind_of(file_type: cap_std::fs::FileType) -> EntryKind {
    match file_type {
        kind if kind.is_file() => EntryKind::File,
        kind if kind.is_dir() => EntryKind::Folder,
        _ => EntryKind::Other,
    }
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Folder) {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        (temp, folder)
    }

    #[test]
    fn a_link_out_of_the_folder_is_not_followed() {
        let (_temp, folder) = scratch();
        folder.dir().symlink_contents("/etc/passwd", "users").unwrap();
        assert!(folder.read("users").is_err());
    }

    #[test]
    fn a_folder_is_cleared_but_for_what_links_point_at() {
        let (_temp, folder) = scratch();
        let below = folder.create("a/b").unwrap();
        below.write_atomic("file", b"x").unwrap();
        folder.create("kept").unwrap().write_atomic("file", b"x").unwrap();
        below.dir().symlink_contents("../../kept", "link").unwrap();
        // Deeper than is gone through.
        let mut deep = folder.folder("a").unwrap();
        for _ in 0..DEEPEST_EMPTIED + 10 {
            deep = deep.create("d").unwrap();
        }
        folder.try_clear("a");
        folder.try_clear("missing");
        assert!(folder.exists("kept/file") && !folder.exists("a/b") && folder.exists("a/d"));
        folder.remove_folder("a").unwrap();
    }

    #[test]
    fn a_failed_write_leaves_the_old_content_and_no_litter() {
        let (_temp, folder) = scratch();
        folder.write_atomic("note", b"old").unwrap();
        let failed = folder.write_atomic_with("note", |_| Err(io::Error::other("disk full")));
        assert!(failed.is_err());
        assert_eq!(folder.read("note").unwrap(), b"old");
        assert_eq!(folder.entries().unwrap().len(), 1);
    }

    #[test]
    fn a_copy_for_a_build_cannot_spoil_its_origin() {
        let (_temp, folder) = scratch();
        folder.write_atomic("origin", b"kept").unwrap();
        let copy = Destination { folder: &folder, path: Path::new("copy"), sharing: Sharing::Nothing };
        folder.place(Path::new("origin"), copy, |_| Ok(())).unwrap();
        folder.replace_file("copy").unwrap().write_all(b"spoilt").unwrap();
        assert_eq!(folder.read("origin").unwrap(), b"kept");
    }
}
