//! A folder on another file system than the project's, which lists what is in it in another order.

use rustix::fs::{statfs, statvfs};

use crate::files::{Folder, HostPath};

/// Where file systems of other kinds are usually found: in memory, and on the disk.
const PLACES: [&str; 3] = ["/dev/shm", "/tmp", "/var/tmp"];

/// How much room there has to be, in bytes.
const LEAST_ROOM: u64 = 1 << 30;

/// A folder there. It is removed with all that is in it when this is dropped.
#[derive(Debug)]
pub struct MemoryFolder {
    parent: Folder,
    name: String,
}

impl MemoryFolder {
    /// Makes one on a file system of another kind than that of `other`: one in memory lists files by when they came, one on a disk by
    /// their names' digests. Gives in words why there is none.
    pub fn make(other: &Folder) -> Result<Self, String> {
        let kind_of = |path: &HostPath| statfs(path.as_path()).ok().map(|status| status.f_type);
        let own = kind_of(other.path());
        for place in PLACES {
            let Some(path) = HostPath::new(place) else { continue };
            let room = statvfs(place).map(|status| status.f_bavail.saturating_mul(status.f_frsize));
            if kind_of(&path).is_none() || kind_of(&path) == own || room.unwrap_or_default() < LEAST_ROOM {
                continue;
            }
            let made = Folder::open_ambient(&path).and_then(|parent| {
                let parent = parent.without_sync();
                let name = parent.unique("rpmforge-verify-")?;
                parent.create(&name)?;
                Ok(Self { parent, name })
            });
            if let Ok(made) = made {
                return Ok(made);
            }
        }
        Err(format!("there is no file system of another kind with room for it at {}", PLACES.join(", ")))
    }

    /// Where it is.
    pub fn path(&self) -> HostPath {
        self.parent.path().join(&self.name)
    }
}

impl Drop for MemoryFolder {
    fn drop(&mut self) {
        let _ = self.parent.remove_folder(&self.name);
    }
}
