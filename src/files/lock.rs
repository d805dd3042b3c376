//! Advisory locks on files: the kernel frees them when their holder ends, however it ends.

use std::io::{self, Read, Seek, Write};
use std::path::Path;

use cap_std::fs::{File, OpenOptions, OpenOptionsExt};
use rustix::fs::{FlockOperation, OFlags, flock};

use super::limits::LONGEST_HOLDER;
use super::{Folder, about};

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
                // Others may be able to write there too.
                let mut holder = Vec::new();
                (&mut file).take(LONGEST_HOLDER).read_to_end(&mut holder)?;
                Ok(Err(String::from_utf8_lossy(&holder).trim().escape_debug().to_string()))
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

/// Opens a regular file. A link is not followed: a holder's name is written to what is opened.
fn open(folder: &Folder, path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).custom_flags(flags.bits().cast_signed());
    let opened = folder.dir().open_with(path, &options).and_then(|file| match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")),
    });
    opened.map_err(about(folder.path().join(path)))
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

    #[test]
    fn what_a_link_leads_to_is_not_written_to() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        folder.write_atomic("theirs", b"kept").unwrap();
        folder.dir().symlink_contents("theirs", "lock").unwrap();
        assert!(Lock::take(&folder, "lock", LockKind::Exclusive).is_err());
        assert_eq!(folder.read("theirs").unwrap(), b"kept");
    }

    #[test]
    fn what_others_have_written_is_not_read_whole_and_shown_as_text() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let mut first = Lock::take(&folder, "lock", LockKind::Exclusive).unwrap().unwrap();
        first.sign(&"\u{1b}".repeat(100_000)).unwrap();
        let shown = Lock::take(&folder, "lock", LockKind::Exclusive).unwrap().unwrap_err();
        assert!(shown.len() < 10_000 && !shown.contains('\u{1b}'));
    }
}
