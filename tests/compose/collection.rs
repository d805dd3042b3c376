//! What `forge gc` leaves of trees and roots.

use std::time::Duration;

use rpmforge::event::{Clock, SystemClock, Timestamp};
use rpmforge::store::{Collection, CollectionLimits, CollectionMode, CollectionReport, Repair, StoreError};

use super::made_package::{file, package};
use super::scratch::Scratch;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn collect(scratch: &Scratch, limits: CollectionLimits, days: u64) -> CollectionReport {
    let now = Timestamp(SystemClock.now().0 + days * 24 * 3600 * 1000);
    scratch.store.collect(&Collection { limits, ..Collection::default() }, now).unwrap()
}

fn older(days: u32) -> CollectionLimits {
    CollectionLimits { older: Some(DAY * days), size_bytes: None }
}

#[test]
fn what_was_not_used_for_long_goes_with_the_files_that_nothing_else_has() {
    let scratch = Scratch::new();
    let a = package("a", [file("/a", "a"), file("/both", "both")]);
    let b = package("b", [file("/b", "b"), file("/both", "both")]);
    drop(scratch.compose(&[a.clone(), b]).unwrap());
    let report = collect(&scratch, older(30), 29);
    assert_eq!((report.roots.packages, report.roots.roots, report.roots.bytes_left), (0, 0, 6));
    let aged = std::time::SystemTime::now() - DAY * 20;
    for path in scratch.names("trees/packages").iter().filter(|name| name.len() > 60) {
        let path = scratch.temp.path().join("store/trees/packages").join(path);
        std::fs::File::open(path).unwrap().set_modified(aged).unwrap();
    }
    drop(scratch.compose(&[a]).unwrap());
    let report = collect(&scratch, older(30), 15);
    assert_eq!((report.roots.packages, report.roots.roots, report.roots.bytes_left), (1, 0, 5));
    let report = collect(&scratch, older(30), 31);
    assert_eq!((report.roots.packages, report.roots.roots, report.roots.bytes_left), (1, 2, 0));
    assert!(scratch.names("trees/files").iter().all(|name| name.len() == 2));
}

#[test]
fn a_root_that_is_held_is_not_collected() {
    let scratch = Scratch::new();
    let farm = scratch.compose(&[package("a", [file("/a", "a")])]).unwrap();
    let collected = scratch.store.collect(&Collection::default(), Timestamp(0));
    assert!(matches!(collected, Err(StoreError::InUse)));
    drop(farm);
    scratch.store.collect(&Collection::default(), Timestamp(0)).unwrap();
}

#[test]
fn packages_stay_as_long_as_what_they_unpack_to() {
    let scratch = Scratch::new();
    let packages = scratch.take(&[package("a", [file("/a", "a")]), package("b", [file("/b", "b")])]);
    let compose =
        |packages: &[_]| rpmforge::chroot::compose::compose(&scratch.store, packages, None, &|_| ());
    drop(compose(&packages[..1]).unwrap());
    collect(&scratch, older(30), 0);
    assert!(scratch.store.has(&packages[0].1) && !scratch.store.has(&packages[1].1));
}

#[test]
fn trees_go_where_the_store_would_be_too_large_and_counting_removes_nothing() {
    let scratch = Scratch::new();
    drop(scratch.compose(&[package("a", [file("/a", [7; 1000])])]).unwrap());
    let limits = CollectionLimits { older: None, size_bytes: Some(500) };
    let counting = Collection { limits, mode: CollectionMode::Count, ..Collection::default() };
    let before = scratch.names("").len();
    let counted = scratch.store.collect(&counting, Timestamp(0)).unwrap();
    assert_eq!((counted.roots.packages, scratch.names("").len()), (1, before));
    assert_eq!(collect(&scratch, limits, 0).roots, counted.roots);
    assert!(scratch.names("").len() < before);
}

#[test]
fn headers_are_read_of_copies_that_are_sound_and_go_with_their_packages() {
    let scratch = Scratch::new();
    let packages = scratch.take(&[package("a", [file("/a", "a")]), package("b", [file("/b", "b")])]);
    let read = |index: usize| scratch.store.package_headers("it", &packages[index].1);
    let first = [read(0).unwrap(), read(1).unwrap()];
    let copies = || scratch.names("trees/headers").into_iter().filter(|name| name.len() > 60);
    assert_eq!(copies().count(), 2);
    let folder = scratch.temp.path().join("store/trees/headers");
    for copy in copies() {
        let mut bytes = std::fs::read(folder.join(&copy)).unwrap();
        bytes[200] ^= 1;
        std::fs::write(folder.join(&copy), bytes).unwrap();
    }
    let wrong = |scratch: &Scratch| scratch.store.verify(Repair::Nothing).unwrap().wrong.len();
    assert_eq!(wrong(&scratch), 2);
    // What is not what was written is read of the package, and written anew.
    assert_eq!(
        [read(0).unwrap(), read(1).unwrap()].map(|it| it.header_bytes),
        first.clone().map(|it| it.header_bytes)
    );
    assert_eq!(wrong(&scratch), 0);
    // So is what was written of another package.
    let [one, other] = Vec::from_iter(copies()).try_into().unwrap();
    std::fs::copy(folder.join(&one), folder.join(&other)).unwrap();
    assert_eq!(wrong(&scratch), 1);
    assert_ne!(first[0].header_bytes, first[1].header_bytes);
    let again = [read(0).unwrap(), read(1).unwrap()];
    assert_eq!(again.each_ref().map(|it| &it.header_bytes), first.each_ref().map(|it| &it.header_bytes));
    assert_eq!(wrong(&scratch), 0);
    // Then nothing of the package is read.
    let blob = scratch.temp.path().join("store").join(packages[0].1.path());
    std::fs::rename(&blob, blob.with_extension("away")).unwrap();
    assert!(read(0).is_ok());
    std::fs::rename(blob.with_extension("away"), &blob).unwrap();
    drop(rpmforge::chroot::compose::compose(&scratch.store, &packages[..1], None, &|_| ()).unwrap());
    collect(&scratch, older(30), 0);
    assert_eq!(copies().count(), 1);
}
