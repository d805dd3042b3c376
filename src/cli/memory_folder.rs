//! A folder on another file system than the project's, which lists what is in it in another order.

use cap_std::fs::{DirBuilder, DirBuilderExt, MetadataExt};
use rustix::fs::{statfs, statvfs};
use rustix::process::geteuid;

use crate::files::{EntryKind, Folder, HostPath, Lock, LockKind};

/// Where file systems of other kinds are usually found: in memory, and on the disk.
const PLACES: [&str; 3] = ["/dev/shm", "/tmp", "/var/tmp"];

/// How the names of such folders begin.
const PREFIX: &str = "rpmforge-verify-";

/// The file whose lock says that a folder is in use.
const LOCK: &str = "lock";

/// How much room there has to be, in bytes.
const LEAST_ROOM: u64 = 1 << 30;

/// A folder there, which nobody else may look into. It is removed with all that is in it when this is dropped; what is left of a forge
/// that was killed, by the next.
#[derive(Debug)]
pub struct MemoryFolder {
    parent: Folder,
    name: String,
    _lock: Lock,
}

impl MemoryFolder {
    /// Makes one on a file system of another kind than that of `other`: one in memory lists files by when they came, one on a disk by
    /// their names' digests. Gives in words why there is none.
    pub fn make(other: &Folder) -> Result<Self, String> {
        let kind_of = |path: &HostPath| statfs(path.as_path()).ok().map(|status| status.f_type);
        let own = kind_of(other.path());
        for place in PLACES {
            let Some(path) = HostPath::new(place) else { continue };
            let room = || statvfs(place).map(|status| status.f_bavail.saturating_mul(status.f_frsize));
            if kind_of(&path).is_none() || kind_of(&path) == own {
                continue;
            }
            let Ok(parent) = Folder::open_ambient(&path) else { continue };
            let parent = parent.without_sync();
            remove_left(&parent);
            if room().unwrap_or_default() < LEAST_ROOM {
                continue;
            }
            if let Ok(made) = Self::make_in(parent) {
                return Ok(made);
            }
        }
        Err(format!("there is no file system of another kind with room for it at {}", PLACES.join(", ")))
    }

    fn make_in(parent: Folder) -> std::io::Result<Self> {
        let name = parent.unique(PREFIX)?;
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        // An error where somebody was faster: everybody may write there.
        parent.dir().create_dir_with(&name, &builder)?;
        let lock = Lock::take(&parent.folder(&name)?, LOCK, LockKind::Exclusive)?;
        let lock = lock.map_err(std::io::Error::other)?;
        Ok(Self { parent, name, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> HostPath {
        self.parent.path().join(&self.name)
    }
}

/// Removes what is left of a forge of this user's that was killed: its lock is held no more.
fn remove_left(parent: &Folder) {
    let entries = parent.entries().unwrap_or_default().into_iter();
    for entry in entries.filter(|entry| entry.kind == EntryKind::Folder && entry.name.starts_with(PREFIX)) {
        let is_own = parent.dir().symlink_metadata(&entry.name);
        if !is_own.is_ok_and(|status| status.is_dir() && status.uid() == geteuid().as_raw()) {
            continue;
        }
        let lock =
            parent.folder(&entry.name).and_then(|folder| Lock::take(&folder, LOCK, LockKind::Exclusive));
        if let Ok(Ok(_lock)) = lock {
            let _ = parent.remove_folder(&entry.name);
        }
    }
}

impl Drop for MemoryFolder {
    fn drop(&mut self) {
        let _ = self.parent.remove_folder(&self.name);
    }
}
