//! A whole distribution: the packages that `tests/distro` makes. `FORGE_TEST_DISTRO` names the folder of the repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rpmforge::chroot::database::{InstallTransaction, InstalledPackage, write_database};
use rpmforge::chroot::scriptlets::{install_order, plan_scriptlets};
use rpmforge::package::{Header, Headers};

use super::packages::{RpmRoot, headers, succeed};
use super::running::{make_null, run_in_root};

const TRANSACTION: InstallTransaction = InstallTransaction { time: 1_700_000_000, colors: 3 };

fn distribution() -> Vec<PathBuf> {
    let folder = std::env::var_os("FORGE_TEST_DISTRO").map(PathBuf::from).expect("FORGE_TEST_DISTRO is set");
    let mut found = Vec::new();
    let mut open = vec![folder];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false if path.extension().is_some_and(|extension| extension == "rpm") => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

fn in_order(packages: &[Headers]) -> Vec<&Headers> {
    let all: Vec<&Header> = packages.iter().map(|package| &package.header).collect();
    install_order(&all, TRANSACTION.colors).into_iter().map(|number| &packages[number]).collect()
}

fn millis(what: &str, began: Instant) {
    eprintln!("{what}: {:.1} ms", began.elapsed().as_secs_f64() * 1000.0);
}

/// A root with the one device that programs can't do without.
fn new_root(path: PathBuf) -> RpmRoot {
    let root = RpmRoot::new(path);
    make_null(&root.path);
    root
}

/// What lies in a root: names, kinds, modes, owners by name, targets. Numbers of users are given out in the order of
/// installation, which versions of rpm see differently.
fn list(root: &Path) -> Vec<String> {
    let script = "find . -path ./var/lib/rpm -prune -o -path ./proc -prune -o -path ./dev -prune -o \
        -printf '%p %y %m %l\\t%U\\t%G\\n' | LC_ALL=C sort";
    let names = |file: &str| -> BTreeMap<String, String> {
        let text = fs::read_to_string(root.join(file)).unwrap();
        let fields = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        fields.map(|fields| (fields[2].to_owned(), fields[0].to_owned())).collect()
    };
    let (users, groups) = (names("etc/passwd"), names("etc/group"));
    let listed = succeed(root, "/bin/sh", &["-ec", script]);
    let line = |line: &str| match line.split('\t').collect::<Vec<_>>().as_slice() {
        [file, user, group] => format!("{file} {:?}:{:?}", users.get(*user), groups.get(*group)),
        _ => line.to_owned(),
    };
    let mut lines: Vec<String> = listed.lines().map(line).collect();
    lines.sort();
    lines
}

#[test]
#[ignore = "needs a repository that tests/distro has made, and some minutes"]
fn a_root_is_what_rpm_makes_of_it() {
    let files = distribution();
    let began = Instant::now();
    let packages = headers(&files);
    millis("headers read", began);
    let began = Instant::now();
    let ordered = in_order(&packages);
    millis("ordered", began);
    let began = Instant::now();
    let plan = plan_scriptlets(&ordered, &[]);
    millis("planned", began);
    eprintln!("{} packages, {} steps", packages.len(), plan.len());
    let installed: Vec<InstalledPackage<'_>> =
        ordered.iter().map(|headers| InstalledPackage::new(headers)).collect();
    let began = Instant::now();
    let database = write_database(None, &installed, &TRANSACTION).unwrap();
    millis("database written", began);
    let (base, delta) = installed.split_at(installed.len() - 50);
    let base = write_database(None, base, &TRANSACTION).unwrap();
    let began = Instant::now();
    write_database(Some(&base), delta, &TRANSACTION).unwrap();
    millis("50 packages added to a database", began);
    eprintln!("{} bytes", database.len());

    let temp = tempfile::tempdir().unwrap();
    let theirs = new_root(temp.path().join("theirs"));
    theirs.install(&[], &files);
    let ours = new_root(temp.path().join("ours"));
    ours.install(&["--noscripts", "--notriggers"], &files);
    ours.set_database(&database);
    let began = Instant::now();
    let ran = run_in_root(&ours.path, plan);
    millis("scriptlets run", began);
    assert_eq!(ran.end()["how"], "answered", "{}", ran.log);
    assert!(!ran.log.contains("scriptlet failed"), "{}", ran.log);
    assert_eq!(ours.try_rpm("rpmdb", &["--verifydb"]), (true, String::new()));
    let names = |root: &RpmRoot| {
        let mut names: Vec<String> = root.rpm(&["-qa"]).lines().map(str::to_owned).collect();
        names.sort();
        names
    };
    assert_eq!(names(&ours), names(&theirs));
    let verify = |root: &RpmRoot| {
        let (_, said) = root.try_rpm("rpm", &["-Va", "--nomtime"]);
        let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let (ours_lines, theirs_lines) = (list(&ours.path), list(&theirs.path));
    let only = |a: &[String], b: &[String]| -> Vec<String> {
        a.iter().filter(|line| b.binary_search(line).is_err()).cloned().collect()
    };
    assert_eq!(only(&ours_lines, &theirs_lines), only(&theirs_lines, &ours_lines));
    assert_eq!(verify(&ours), verify(&theirs));
}
