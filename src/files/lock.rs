//! Advisory locks on files: the kernel frees them when their holder ends, however it ends.

use std::io::{self, Read, Seek, Write};
use std::path::Path;

use cap_std::fs::{File, OpenOptions};
use rustix::fs::{FlockOperation, flock};

use super::Folder;

/// Who else may hold the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// Others that also share it.
    Shared,
    /// Nobody.
    Exclusive,
}

/// A lock that is held until this value is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock on `path` in `folder` (made where it is missing), or gives what its holder wrote there.
    pub fn take(folder: &Folder, path: impl AsRef<Path>, kind: LockKind) -> io::Result<Result<Self, String>> {
        let mut file = open(folder, path.as_ref())?;
        let operation = match kind {
            LockKind::Shared => FlockOperation::NonBlockingLockShared,
            LockKind::Exclusive => FlockOperation::NonBlockingLockExclusive,
        };
        match flock(&file, operation) {
            Ok(()) => Ok(Ok(Self { file })),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                Ok(Err(holder.trim().to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the lock on `path` in `folder` (made where it is missing) as soon as its holders let go of it.
    pub fn wait(folder: &Folder, path: impl AsRef<Path>, kind: LockKind) -> io::Result<Self> {
        let file = open(folder, path.as_ref())?;
        let operation = match kind {
            LockKind::Shared => FlockOperation::LockShared,
            LockKind::Exclusive => FlockOperation::LockExclusive,
        };
        rustix::io::retry_on_intr(|| flock(&file, operation))?;
        Ok(Self { file })
    }

    /// Leaves word for those who find the lock taken.
    pub fn sign(&mut self, holder: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(holder.as_bytes())
    }
}

fn open(folder: &Folder, path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    folder.dir().open_with(path, &options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::HostPath;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let mut first = Lock::take(&folder, "lock", LockKind::Exclusive).unwrap().unwrap();
        first.sign("process 7").unwrap();
        let second = Lock::take(&folder, "lock", LockKind::Exclusive).unwrap();
        assert_eq!(second.unwrap_err(), "process 7");
        drop(first);
        assert!(Lock::take(&folder, "lock", LockKind::Exclusive).unwrap().is_ok());
    }
}
