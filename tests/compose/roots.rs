//! What is in a root.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use rpmforge::chroot::compose::{ComposeProgress, compose};
use rpmforge::package::Archive;

use super::made_package::{MadeFile, MadePackage, file, folder, link, package};
use super::scratch::{Scratch, layer};

fn filesystem() -> MadePackage {
    package(
        "filesystem",
        [
            MadeFile { mode: 0o040_555, ..folder("/") },
            link("/bin", "usr/bin"),
            link("/lib64", "usr/lib64"),
            folder("/usr"),
            MadeFile { mode: 0o040_555, ..folder("/usr/bin") },
            MadeFile { modified: 1_600_000_000, ..folder("/usr/lib64") },
            MadeFile { mode: 0o041_777, ..folder("/tmp") },
        ],
    )
}

#[test]
fn a_root_has_what_its_packages_have() {
    let scratch = Scratch::new();
    let tool = package(
        "tool",
        [
            MadeFile { mode: 0o104_755, ..file("/usr/bin/tool", "a program") },
            link("/usr/bin/alias", "tool"),
            link("/usr/outside", "../../../../etc/passwd"),
            MadeFile { modified: 1, ..file("/usr/share/doc/empty", "") },
        ],
    );
    let farm = scratch.compose(&[filesystem(), tool]).unwrap();
    let root = layer(&farm);
    let seen = |path: &str| (root[path].mode, root[path].modified, root[path].content.as_slice());
    assert_eq!(seen(""), (0o555, 1_700_000_000, b"".as_slice()));
    assert_eq!(seen("usr/bin"), (0o555, 1_700_000_000, b"".as_slice()));
    assert_eq!(seen("usr/lib64"), (0o755, 1_600_000_000, b"".as_slice()));
    assert_eq!(seen("tmp").0, 0o1777);
    assert_eq!(seen("usr/bin/tool"), (0o4755, 1_700_000_000, b"a program".as_slice()));
    assert_eq!(seen("usr/bin/alias"), (0, 1_700_000_000, b"tool".as_slice()));
    assert_eq!(seen("usr/outside").2, b"../../../../etc/passwd");
    assert_eq!(seen("usr/share/doc/empty"), (0o644, 1, b"".as_slice()));
    assert_eq!(seen("usr/share/doc").0, 0o755);
    assert_eq!(root.len(), 13);
}

#[test]
fn nobody_else_can_reach_the_programs_in_the_store_that_give_rights() {
    let scratch = Scratch::new();
    scratch.compose(&[package("a", [MadeFile { mode: 0o104_755, ..file("/usr/bin/su", "x") }])]).unwrap();
    for name in ["trees", "farms"] {
        let mode = fs::metadata(scratch.temp.path().join("store").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{name}");
    }
}

#[test]
fn files_come_to_lie_where_links_of_other_packages_lead() {
    let old = package(
        "old",
        [file("/bin/old", "old"), file("/lib64/old/x.so", "x"), link("/lib64/x.so", "old/x.so")],
    );
    // In whichever order they are installed.
    for packages in [[filesystem(), old.clone()], [old, filesystem()]] {
        let scratch = Scratch::new();
        let farm = scratch.compose(&packages).unwrap();
        let root = layer(&farm);
        assert_eq!(root["usr/bin/old"].content, b"old");
        assert_eq!(root["usr/lib64/old/x.so"].content, b"x");
        assert_eq!(root["usr/lib64/x.so"].content, b"old/x.so");
        assert_eq!(root["bin"].content, b"usr/bin");
    }
}

#[test]
fn links_are_followed_within_the_root_alone() {
    let scratch = Scratch::new();
    let outside = scratch.temp.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let links = package(
        "links",
        [
            link("/absolute", outside.to_str().unwrap()),
            link("/up", "../../../../../../up-there"),
            folder("/up-there"),
        ],
    );
    let files = package("files", [file("/absolute/a", "a"), file("/up/b", "b")]);
    let root = layer(&scratch.compose(&[links, files]).unwrap());
    assert_eq!(root[&format!("{}/a", outside.to_str().unwrap().trim_start_matches('/'))].content, b"a");
    assert_eq!(root["up-there/b"].content, b"b");
    assert_eq!(fs::read_dir(outside).unwrap().count(), 0);
}

#[test]
fn hard_links_are_those_of_the_package_and_no_others() {
    for archive in [Archive::Whole, Archive::Stripped] {
        let scratch = Scratch::new();
        let one = |path| MadeFile { inode: Some(77), ..file(path, "the same") };
        let second = MadeFile { color: 2, ..one("/b/second") };
        let files = [one("/a/first"), file("/a/other", "the same"), second, one("/b/third")];
        let farm = scratch.compose(&[MadePackage { archive, ..package("a", files) }]).unwrap();
        let root = layer(&farm);
        let same_as: Vec<&str> =
            ["a/first", "a/other", "b/second", "b/third"].map(|path| root[path].same_as.as_str()).to_vec();
        assert_eq!(same_as, ["a/first", "a/other", "a/first", "a/first"]);
    }
}

#[test]
fn every_way_of_compression_is_unpacked() {
    let root = |payload| {
        let files = [file("/a", "content"), MadeFile { content: vec![7; 6 << 20], ..file("/large", "") }];
        let scratch = Scratch::new();
        layer(&scratch.compose(&[MadePackage { payload, ..package("a", files) }]).unwrap())
    };
    let expected = root("w.ufdio");
    assert_eq!(
        (expected["a"].content.as_slice(), expected["large"].content.len()),
        (b"content".as_slice(), 6 << 20)
    );
    for payload in ["w1.gzdio", "w1.bzdio", "w1.xzdio", "w1.lzdio", "w1.zstdio"] {
        assert_eq!(root(payload), expected, "{payload}");
    }
}

#[test]
fn a_root_is_found_again_and_a_package_unpacked_once() {
    let scratch = Scratch::new();
    let packages = scratch.take(&[package("a", [file("/a", "a")]), package("b", [file("/b", "b")])]);
    let progress = |packages: &[_]| {
        let told = std::sync::Mutex::new(Vec::new());
        let farm = compose(&scratch.store, packages, None, &|step| told.lock().unwrap().push(step)).unwrap();
        (farm.key(), told.into_inner().unwrap())
    };
    let (first, _) = progress(&packages);
    assert_eq!(progress(&packages), (first, vec![ComposeProgress::Found]));
    let (other, told) = progress(&packages[1..]);
    let is_new = |step: &ComposeProgress| matches!(step, ComposeProgress::Unpacked { is_new: true, .. });
    assert!(other != first && !told.iter().any(is_new), "{told:?}");
}

#[test]
fn what_is_added_to_a_base_lies_over_it_alone() {
    let scratch = Scratch::new();
    let tool = package("tool", [file("/usr/bin/tool", "tool"), file("/usr/share/tool", "x")]);
    let base = scratch.compose(&[filesystem(), tool.clone()]).unwrap();
    let added = package("added", [file("/bin/added", "added"), file("/usr/share/tool", "x")]);
    let farm = scratch.compose_over(&base, &[tool, added]).unwrap();
    assert_eq!(farm.layers()[1..], base.layers());
    let root = layer(&farm);
    let names: Vec<&str> = root.keys().map(String::as_str).collect();
    assert_eq!(names, ["", "usr", "usr/bin", "usr/bin/added"]);
    // Folders of an upper layer hide what those below are like.
    assert_eq!(
        (root[""].mode, root["usr/bin"].mode, root["usr/bin"].modified),
        (0o555, 0o555, 1_700_000_000)
    );
}

#[test]
fn files_of_a_root_are_looked_up_in_all_its_layers() {
    let scratch = Scratch::new();
    let base = scratch.compose(&[filesystem()]).unwrap();
    let games = MadeFile { owner: "games", capabilities: "cap_net_raw=ep", ..file("/bin/added", "added") };
    let farm = scratch.compose_over(&base, &[package("added", [games])]).unwrap();
    let files = farm.files().unwrap();
    assert_eq!(files.get("/usr/bin/added").unwrap().package, Some("added-1-1.noarch"));
    assert_eq!(files.get("/usr/bin").unwrap().package, Some("filesystem-1-1.noarch"));
    assert!(files.get("/bin/added").is_none() && files.get("/usr/bin/nothing").is_none());
    assert_eq!(files.resolve("/bin/../bin/added"), files.get("/usr/bin/added"));
    let paths: Vec<_> = files.iter().map(|file| file.entry.path.to_string()).collect();
    assert_eq!(paths, ["", "usr", "usr/bin", "usr/bin/added", "bin", "lib64", "tmp", "usr/lib64"]);
    let others: Vec<_> = files.owned_by_others().map(|file| file.entry.ownership.owner.to_string()).collect();
    assert_eq!(others, ["games"]);
}

#[test]
fn a_file_that_has_no_links_left_is_copied() {
    let scratch = Scratch::new();
    let packages = [package("a", [MadeFile { mode: 0o100_755, ..file("/a", "a") }])];
    let first = scratch.compose(&packages).unwrap();
    let path = first.layers()[0].as_path().join("a");
    // Until the file system can count no more of them (ext4: 65,000), or there are as many as that.
    let many = scratch.temp.path().join("many");
    fs::create_dir(&many).unwrap();
    let is_full = (0..66_000).any(|number: u32| fs::hard_link(&path, many.join(number.to_string())).is_err());
    let second = scratch.compose(&[packages[0].clone(), package("b", [])]).unwrap();
    let (one, other) = (layer(&first), layer(&second));
    assert_eq!(one["a"], other["a"]);
    let inode = |farm: &rpmforge::chroot::compose::Farm| {
        fs::metadata(farm.layers()[0].as_path().join("a")).unwrap().ino()
    };
    assert_eq!(inode(&first) != inode(&second), is_full);
}

#[test]
fn what_was_changed_in_the_store_is_unpacked_again() {
    let scratch = Scratch::new();
    let a = package("a", [file("/a", "a")]);
    let farm = scratch.compose(std::slice::from_ref(&a)).unwrap();
    let path = farm.layers()[0].as_path().join("a");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    let farm = scratch.compose(&[a.clone(), package("b", [])]).unwrap();
    assert_eq!(layer(&farm)["a"].mode, 0o644);
    fs::write(farm.layers()[0].as_path().join("a"), "other and longer").unwrap();
    let farm = scratch.compose(&[package("c", []), a]).unwrap();
    assert_eq!(layer(&farm)["a"].content, b"a");
}
