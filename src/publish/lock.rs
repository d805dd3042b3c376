//! The lock that a publish holds on its repository.

use std::time::{Duration, Instant};

use super::{PublishError, Refusal};
use crate::files::{Folder, Lock, LockKind};

/// The file whose lock a publish holds.
const LOCK: &str = ".forge-repository.lock";

/// Keeps every other forge out of a repository until the lock is dropped; they are told of this `work`.
pub(super) fn lock_repository(
    folder: &Folder,
    (shown, work): (&str, &str),
    patience: Duration,
) -> Result<Lock, PublishError> {
    let begun = Instant::now();
    loop {
        match Lock::take(folder, LOCK, LockKind::Exclusive)? {
            Ok(mut lock) => {
                lock.sign(&format!("forge, process {}, {work}", std::process::id()))?;
                return Ok(lock);
            }
            Err(_) if begun.elapsed() < patience => std::thread::sleep(Duration::from_millis(50)),
            Err(holder) => return Err(Refusal::Busy { folder: shown.to_owned(), holder }.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::HostPath;

    #[test]
    fn a_forge_that_publishes_to_the_same_folder_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let work = "for the project `acme`";
        let lock = || lock_repository(&folder, ("public/host", work), Duration::ZERO);
        let first = lock().unwrap();
        let Err(PublishError::Refused(Refusal::Busy { holder, .. })) = lock() else {
            panic!("both have the lock");
        };
        assert_eq!(holder, format!("forge, process {}, {work}", std::process::id()));
        drop(first);
        assert!(lock().is_ok());
    }
}
