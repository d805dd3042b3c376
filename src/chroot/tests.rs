//! Roots made up in folders: what of them makes another identity, and what is said of it.

#![allow(clippy::disallowed_methods, reason = "the tests make whole roots, with links and modes")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;
use crate::digest::Digest;
use crate::event::Timestamp;
use crate::files::HostPath;
use crate::store::Store;

/// Long after all files of a test were made.
const LATER: Timestamp = Timestamp(1 << 50);

struct Root {
    temp: tempfile::TempDir,
}

impl Root {
    /// A root with a compiler, macro files and a package database.
    fn new() -> Self {
        let root = Self { temp: tempfile::tempdir().unwrap() };
        root.write("/usr/lib/os-release", "ID=test\n");
        root.write("/usr/lib/sysimage/rpm/rpmdb.sqlite", "packages");
        root.write("/usr/lib/rpm/macros", "%_x 1\n");
        root.program("/usr/bin/gcc-14", "gcc 14");
        root.program("/usr/lib/gcc/x86_64-linux-gnu/14/cc1", "cc1 14");
        fs::create_dir_all(root.path("/etc/alternatives")).unwrap();
        symlink("/etc/alternatives/cc", root.path("/usr/bin/cc")).unwrap();
        symlink("/usr/bin/gcc-14", root.path("/etc/alternatives/cc")).unwrap();
        symlink("usr/bin", root.path("/bin")).unwrap();
        root
    }

    fn path(&self, path: &str) -> PathBuf {
        self.temp.path().join("root").join(path.trim_start_matches('/'))
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn program(&self, path: &str, text: &str) {
        self.write(path, text);
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn store(&self) -> Store {
        Store::open(&HostPath::new(self.temp.path()).unwrap().join("store")).unwrap()
    }

    fn identity(&self) -> RootIdentity {
        let path = HostPath::new(self.path("/")).unwrap();
        let request = RootRequest { path: &path, own_binary: &path.join("usr/bin/forge"), now: LATER };
        RootIdentity::read(&request, &self.store()).unwrap()
    }

    /// The parts and files that differ after a change.
    fn changes(&self, change: impl FnOnce(&Self)) -> Vec<(RootPart, Vec<String>)> {
        let before = self.identity();
        change(self);
        let parts = before.parts().into_iter().zip(self.identity().parts());
        let changed = parts.filter(|(was, now)| was != now);
        changed.map(|((part, was), (_, now))| (part, changed_files(&self.store(), was, now))).collect()
    }
}

#[track_caller]
fn assert_changes(change: impl FnOnce(&Root), part: RootPart, files: &[&str]) {
    let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
    assert_eq!(Root::new().changes(change), [(part, files)]);
}

#[track_caller]
fn assert_same(change: impl FnOnce(&Root)) {
    assert_eq!(Root::new().changes(change), []);
}

#[test]
fn every_kind_of_package_database_is_seen() {
    for file in [
        "/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
        "/usr/lib/sysimage/rpm/Packages.db",
        "/usr/lib/sysimage/rpm/Packages",
        "/var/lib/rpm/rpmdb.sqlite",
        "/var/lib/rpm/rpmdb.sqlite-wal",
        "/var/lib/rpm/Packages.db",
        "/var/lib/rpm/Packages",
    ] {
        assert_changes(|root| root.write(file, "changed!"), RootPart::Packages, &[file]);
    }
    let status = "Package: gcc\nStatus: install ok installed\nVersion: 14\n";
    assert_changes(
        |root| root.write("/var/lib/dpkg/status", status),
        RootPart::Packages,
        &["/var/lib/dpkg/status"],
    );
}

#[test]
fn what_a_package_manager_leaves_without_a_change_is_no_other_root() {
    assert_same(|root| root.write("/usr/lib/sysimage/rpm/rpmdb.sqlite-wal", ""));
    assert_same(|root| root.write("/usr/lib/sysimage/rpm/rpmdb.sqlite-shm", "shared memory"));
    assert_same(|root| root.write("/usr/lib/sysimage/rpm/.rpm.lock", "x"));
}

#[test]
fn all_of_rpms_configuration_is_seen() {
    for file in [
        "/usr/lib/rpm/macros",
        "/usr/lib/rpm/macros.d/macros.x",
        "/usr/lib/rpm/rpmrc",
        "/usr/lib/rpm/redhat/rpmrc",
        "/usr/lib/rpm/platform/x86_64-linux/macros",
        "/usr/lib/rpm/fileattrs/x.attr",
        "/etc/rpm/macros",
        "/etc/rpm/macros.dist",
        "/etc/rpm/platform",
        "/etc/rpmrc",
    ] {
        assert_changes(|root| root.write(file, "%_x 2\n"), RootPart::Configuration, &[file]);
    }
    assert_same(|root| root.write("/usr/lib/rpm/__pycache__/x.pyc", "compiled"));
}

#[test]
fn a_macro_file_behind_a_link_is_seen() {
    let root = Root::new();
    root.write("/opt/macros/a", "%_a 1\n");
    fs::create_dir_all(root.path("/etc/rpm")).unwrap();
    symlink("/opt/macros", root.path("/etc/rpm/more")).unwrap();
    // A link back to where it is must not hold anything up.
    symlink("/etc/rpm", root.path("/etc/rpm/loop")).unwrap();
    let changes = root.changes(|root| root.write("/opt/macros/a", "%_a 2\n"));
    assert_eq!(changes, [(RootPart::Configuration, vec!["/etc/rpm/more/a".to_owned()])]);
}

#[test]
fn a_compiler_that_was_replaced_by_hand_is_named_with_all_its_names() {
    let files = ["/usr/bin/cc", "/usr/bin/gcc-14"];
    assert_changes(|root| root.write("/usr/bin/gcc-14", "gcc 99"), RootPart::Programs, &files);
    let files = ["/usr/lib/gcc/x86_64-linux-gnu/14/cc1"];
    assert_changes(|root| root.write(files[0], "cc1 99"), RootPart::Programs, &files);
    let point_elsewhere = |root: &Root| {
        root.program("/opt/cc", "another");
        fs::remove_file(root.path("/etc/alternatives/cc")).unwrap();
        symlink("/opt/cc", root.path("/etc/alternatives/cc")).unwrap();
    };
    assert_changes(point_elsewhere, RootPart::Programs, &["/usr/bin/cc"]);
    let files = ["/usr/local/bin/gcc"];
    assert_changes(|root| root.program(files[0], "before the other"), RootPart::Programs, &files);
}

#[test]
fn a_program_that_is_written_anew_with_the_same_content_is_the_same() {
    assert_same(|root| {
        fs::remove_file(root.path("/usr/bin/gcc-14")).unwrap();
        root.program("/usr/bin/gcc-14", "gcc 14");
    });
}

#[test]
fn forges_own_binary_and_files_that_nobody_runs_do_not_count() {
    assert_same(|root| root.program("/usr/bin/forge", "a new forge"));
    assert_same(|root| root.write("/usr/bin/README", "text"));
    assert_same(|root| root.program("/home/user/bin/gcc", "not in the PATH of builds"));
}

#[test]
fn a_change_that_keeps_size_and_time_is_seen() {
    let root = Root::new();
    let path = root.path("/usr/bin/gcc-14");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let changes = root.changes(|root| {
        root.write("/usr/bin/gcc-14", "gcc 15");
        fs::File::options().append(true).open(&path).unwrap().set_modified(modified).unwrap();
    });
    assert_eq!(changes.len(), 1, "{changes:?}");
}

#[test]
fn what_has_just_been_written_is_read_again() {
    let root = Root::new();
    let path = HostPath::new(root.path("/")).unwrap();
    let written = fs::metadata(root.path("/usr/bin/gcc-14")).unwrap().modified().unwrap();
    let request = RootRequest { path: &path, own_binary: &path, now: Timestamp::of(written) };
    RootIdentity::read(&request, &root.store()).unwrap();
    let records = fs::read_dir(root.temp.path().join("store/roots")).unwrap();
    let records = records.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
    let texts: Vec<String> =
        records.map(|record| fs::read_to_string(record.unwrap().path()).unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains("\"described\":{")), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("inode")), "{texts:?}");
}

#[test]
fn a_root_of_which_the_store_knows_nothing_is_another_one_without_names() {
    let (was, now) = (Digest::compute(b"was"), Digest::compute(b"now"));
    assert_eq!(changed_files(&Root::new().store(), was, now), Vec::<String>::new());
}

#[test]
fn the_identity_is_of_names_and_contents() {
    let files = |pairs: &[(&str, &[u8])]| -> BTreeMap<String, Digest> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), Digest::compute(text))).collect()
    };
    let contents = |programs| RootContents { programs, ..RootContents::default() }.identity();
    assert_ne!(contents(files(&[("/a", b"x")])), contents(files(&[("/b", b"x")])));
    assert_ne!(contents(files(&[("/a", b"x")])), contents(files(&[("/a", b"y")])));
}
