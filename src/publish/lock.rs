//! The lock that a publish holds on its repository.

use std::time::{Duration, Instant};

use super::known::PublishTarget;
use super::{PublishError, Refusal};
use crate::files::{Lock, LockKind};

/// The file whose lock a publish holds.
const LOCK: &str = ".forge-repository.lock";

/// Keeps every other forge out of a repository until the lock is dropped.
pub(super) fn wait_for_lock(target: &PublishTarget<'_>, patience: Duration) -> Result<Lock, PublishError> {
    let begun = Instant::now();
    loop {
        match Lock::take(&target.folder, LOCK, LockKind::Exclusive)? {
            Ok(mut lock) => {
                lock.sign(&format!("forge, process {}", std::process::id()))?;
                return Ok(lock);
            }
            Err(_) if begun.elapsed() < patience => std::thread::sleep(Duration::from_millis(50)),
            Err(holder) => return Err(Refusal::Busy { folder: target.shown.clone(), holder }.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::files::{Folder, HostPath};
    use crate::publish::DecodedRecords;
    use crate::publish::owner::Owner;
    use crate::publish::retention::Keep;

    #[test]
    fn a_forge_that_publishes_to_the_same_folder_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let folder = || Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let target = PublishTarget {
            chroot: "host",
            folder: folder(),
            shown: "public/host".to_owned(),
            owner: Owner::new(None, temp.path(), temp.path()),
            adopts: false,
            links: false,
            id: "host".to_owned(),
            signing: None,
            state: &folder(),
            decoded: &DecodedRecords::default(),
            declared: BTreeSet::new(),
            all_packages: BTreeSet::new(),
            all_chroots: BTreeSet::new(),
            keep: Keep::default(),
        };
        let first = wait_for_lock(&target, Duration::ZERO).unwrap();
        let second = wait_for_lock(&target, Duration::ZERO);
        let Err(PublishError::Refused(Refusal::Busy { holder, .. })) = second else {
            panic!("both have the lock");
        };
        assert_eq!(holder, format!("forge, process {}", std::process::id()));
        drop(first);
        assert!(wait_for_lock(&target, Duration::ZERO).is_ok());
    }
}
