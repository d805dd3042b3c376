//! What Debian says is translated as it is meant: its own programs, and rpm's, tell.

use std::cmp::Ordering;
use std::path::Path;
use std::process::Command;

use super::make::{compare_debian, read_elf, read_relations, run, translate_alternatives, translate_version};

const VERSIONS: &[&str] = &[
    "0",
    "1",
    "1.0",
    "1.0-0",
    "1.0-1",
    "1.0-1+b2",
    "1.0-1+deb13u1",
    "1.0-1~deb13u1",
    "1.0~rc1-1",
    "1.0+dfsg-1",
    "1.0a-1",
    "1.0.1-1",
    "1.01-1",
    "1.10-1",
    "1.9-1",
    "1:0.5-1",
    "2:0.1",
    "1.0-.",
    "1.0-10",
    "1.0-2",
    "5.1.1alpha+20110809-3~",
    "2.1.13-stable-1",
];

#[test]
fn versions_are_compared_as_dpkg_does() {
    for (a, b) in VERSIONS.iter().flat_map(|a| VERSIONS.iter().map(move |b| (a, b))) {
        let sign = match compare_debian(a, b) {
            Ordering::Less => "lt",
            Ordering::Equal => "eq",
            Ordering::Greater => "gt",
        };
        run(Command::new("dpkg").args(["--compare-versions", a, sign, b]));
    }
}

#[test]
fn versions_have_the_same_order_for_rpm() {
    for (a, b) in VERSIONS.iter().flat_map(|a| VERSIONS.iter().map(move |b| (a, b))) {
        let (for_rpm, for_debian) = (translate_version(a).cmp(&translate_version(b)), compare_debian(a, b));
        // Only what has other separators than points can differ: to RPM, they are all the same.
        assert_eq!(for_rpm, for_debian, "{a} and {b}");
    }
}

#[test]
fn relations_become_dependencies() {
    let cases = [
        ("libc6 (>= 2.38)", "libc6 >= 2.38-0"),
        ("perl:any", "perl"),
        ("base-passwd (>= 3.6.1)", "setup >= 3.6.1-0"),
        ("git-man (<< 1:2.47.3-.)", "git-man < 1:2.47.3^-0"),
        ("rpm-common (= 4.20.1+dfsg-3)", "rpm-common = 4.20.1+dfsg-3"),
        ("awk | mawk (>= 1.3)", "(awk or mawk >= 1.3-0)"),
    ];
    for (debian, rpm) in cases {
        let relations = read_relations(debian);
        assert_eq!(translate_alternatives(&relations[0]).to_string(), rpm);
    }
}

#[test]
fn libraries_tell_what_elfdeps_finds() {
    let libraries = ["libc.so.6", "libstdc++.so.6", "libcrypto.so.3", "libpython3.11.so.1.0", "libz.so.1"];
    let paths = libraries
        .iter()
        .map(|name| format!("/usr/lib/x86_64-linux-gnu/{name}"))
        .chain(["/usr/bin/git".to_owned()]);
    let there: Vec<String> = paths.filter(|path| Path::new(path).exists()).collect();
    assert!(there.len() >= 3, "{there:?}");
    for path in there {
        let relations = read_elf(&std::fs::read(&path).unwrap()).unwrap();
        for (option, ours) in [("--provides", relations.gives), ("--requires", relations.needs)] {
            let said = run(Command::new("/usr/lib/rpm/elfdeps").arg(option).arg(&path));
            let theirs: std::collections::BTreeSet<String> = said.lines().map(str::to_owned).collect();
            assert_eq!(ours, theirs, "{path} {option}");
        }
    }
}
