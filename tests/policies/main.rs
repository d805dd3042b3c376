//! Policies of the buildroot: what is done in the place of known scripts is what these do.
//!
//! The scripts are those of the machine's rpm. `FORGE_TEST_POLICIES` names folders of others, separated by colons.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

mod builds;
mod debuginfo;
mod made_tree;
#[path = "../support/mod.rs"]
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use made_tree::{Listing, Made, MadeTree, list};

/// Scripts of which forge knows the work, and what a distribution gives them.
const SCRIPTS: [(&str, &[&str]); 13] = [
    ("brp-ldconfig", &[]),
    ("brp-compress", &["/usr"]),
    ("brp-elfperms", &[]),
    ("brp-strip", &["/usr/bin/strip"]),
    ("brp-strip-static-archive", &["/usr/bin/strip"]),
    ("brp-strip-comment-note", &["/usr/bin/strip", "/usr/bin/objdump"]),
    ("brp-strip-lto", &["/usr/bin/strip"]),
    ("check-rpaths", &[]),
    ("brp-mangle-shebangs", &[]),
    ("brp-remove-la-files", &[]),
    ("brp-python-bytecompile", &["", "1", "0"]),
    ("brp-python-hardlink", &[]),
    ("check-buildroot", &[]),
];

/// Those that take symbols out.
const STRIPS: std::ops::Range<usize> = 3..6;

/// A script with its arguments.
type Script = (PathBuf, &'static [&'static str]);

/// The folders of scripts that are compared with.
fn folders() -> Vec<PathBuf> {
    let others = std::env::var_os("FORGE_TEST_POLICIES").unwrap_or_default();
    let others: Vec<PathBuf> =
        std::env::split_paths(&others).filter(|folder| !folder.as_os_str().is_empty()).collect();
    if others.is_empty() { vec![PathBuf::from("/usr/lib/rpm")] } else { others }
}

/// What a folder says with programs that only scripts need: whoever runs them is found out.
const NO_FIND: &str = "find is not for this program";

/// A folder whose find(1) does nothing but say so.
fn no_find() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("find");
        std::fs::write(&program, format!("#!/bin/sh\necho {NO_FIND} >&2\nexit 9\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        folder
    });
    folder.path()
}

fn command(program: &Path, root: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("RPM_BUILD_ROOT", root).env("RPM_BUILD_NCPUS", "2");
    command.current_dir("/");
    command
}

fn run_native(script: &Path, arguments: &[&str], root: &Path) -> Output {
    let mut command = command(Path::new(env!("CARGO_BIN_EXE_forge")), root);
    command.args(["policies", "--"]).arg(script).args(arguments).output().unwrap()
}

/// Runs scripts one after the other, until one fails.
fn run_scripts(scripts: &[Script], root: &Path) -> (Option<i32>, String) {
    let mut said = String::new();
    for (script, arguments) in scripts {
        let output = command(script, root).args(*arguments).output().unwrap();
        said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            return (output.status.code(), format!("{}: {said}", script.display()));
        }
    }
    (Some(0), said)
}

/// Does what they do. `path` is where programs are looked for before the usual places.
fn run_natives(scripts: &[Script], root: &Path, path: Option<&Path>) -> (Option<i32>, String) {
    let mut command = command(Path::new(env!("CARGO_BIN_EXE_forge")), root);
    if let Some(path) = path {
        command.env("PATH", format!("{}:/usr/bin:/bin", path.display()));
    }
    command.arg("policies");
    for (script, arguments) in scripts {
        command.arg("--").arg(script).args(*arguments);
    }
    let output = command.output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), said)
}

/// The scripts of a folder. In the place of two that need another shell or other options than here, rpm's later versions can be
/// had, which differ in nothing else.
fn scripts(folder: &Path, is_later: bool) -> Vec<Script> {
    let there = SCRIPTS.iter().map(|(name, arguments)| {
        let later = later_scripts().path().join(name);
        (if is_later && later.exists() { later } else { folder.join(name) }, *arguments)
    });
    let there: Vec<Script> = there.filter(|(script, _)| script.exists()).collect();
    assert!(!there.is_empty(), "{} has no policies", folder.display());
    there
}

/// `brp-compress` and `brp-remove-la-files` as later versions of rpm have them.
fn later_scripts() -> &'static tempfile::TempDir {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let later = tempfile::tempdir().unwrap();
        let changes = [
            ("brp-compress", "#!/bin/sh\n", "#!/bin/bash\n"),
            ("brp-remove-la-files", "xargs --null", "xargs -0"),
        ];
        for (name, old, new) in changes {
            let Ok(text) = std::fs::read_to_string(folders()[0].join(name)) else { continue };
            std::fs::write(later.path().join(name), text.replace(old, new)).unwrap();
            let runs = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(later.path().join(name), runs).unwrap();
        }
        later
    })
}

/// What is left of a tree when scripts have gone over it, and when forge has.
fn outcomes(tree: &MadeTree, scripts: &[Script], path: Option<&Path>) -> [(Option<i32>, String, Listing); 2] {
    let temp = tempfile::tempdir().unwrap();
    // Some files have its name in them: it is the same for both.
    let root = temp.path().join("root");
    let with = |run: &dyn Fn() -> (Option<i32>, String)| {
        tree.make(&root);
        let (code, said) = run();
        let listing = list(&root);
        std::fs::remove_dir_all(&root).unwrap();
        (code, said, listing)
    };
    [with(&|| run_scripts(scripts, &root)), with(&|| run_natives(scripts, &root, path))]
}

/// Asserts that forge does what scripts do; gives what it says.
#[track_caller]
fn assert_same(tree: &MadeTree, scripts: &[Script], path: Option<&Path>) -> String {
    let [(code, said, listing), (own_code, own_said, own)] = outcomes(tree, scripts, path);
    let differs: Vec<_> =
        listing.iter().filter(|(path, is)| own.get(*path) != Some(is)).map(|(path, _)| path).collect();
    let more: Vec<_> = own.keys().filter(|path| !listing.contains_key(*path)).collect();
    assert!(
        code == own_code && more.is_empty() && differs.is_empty(),
        "{code:?}, here {own_code:?}; other: {differs:?}; more: {more:?}\n{scripts:?}\n{tree:?}\n{said}\n--\n{own_said}"
    );
    own_said
}

/// Asserts that forge does what scripts do, without them.
#[track_caller]
fn assert_same_without_script(tree: &MadeTree, scripts: &[Script]) {
    let said = assert_same(tree, scripts, Some(no_find()));
    assert!(!said.contains(NO_FIND), "a script was run for {tree:?}: {said}");
}

/// The script of a name.
fn script(name: &str) -> Script {
    let mut all = scripts(&folders()[0], true).into_iter();
    all.find(|(script, _)| script.ends_with(name)).unwrap()
}

/// How many scripts go over each of many trees.
const TOGETHER: usize = 6;

/// Many trees of all kinds of files, at places and with names and modes of all kinds. Each begins with another script, so that
/// one that fails hides none.
#[test]
fn made_trees_come_out_as_of_the_scripts() {
    let trees: Vec<u64> = (0..200).collect();
    let compare = |number: u64| {
        for folder in folders() {
            let mut scripts = scripts(&folder, number % 4 < 3);
            let first = usize::try_from(number).unwrap() % scripts.len();
            scripts.rotate_left(first);
            scripts.truncate(TOGETHER);
            assert_same(&MadeTree::random(number), &scripts, None);
        }
    };
    std::thread::scope(|scope| {
        for part in trees.chunks(100) {
            scope.spawn(|| part.iter().for_each(|number| compare(*number)));
        }
    });
}

/// Whether a policy comes to the end by itself whatever is in a tree: that of rpm 4.14 is asked which file is the last one.
fn needs_no_script(folder: &Path) -> bool {
    let script = folder.join("brp-strip-static-archive");
    !script.exists() || std::fs::read_to_string(script).is_ok_and(|text| text.contains("xargs"))
}

#[test]
fn ordinary_programs_need_no_script() {
    for folder in folders().iter().filter(|folder| needs_no_script(folder)) {
        let strips: Vec<&str> = SCRIPTS[STRIPS].iter().map(|(name, _)| *name).collect();
        let mut scripts = scripts(folder, false);
        scripts.retain(|(script, _)| strips.iter().any(|name| script.ends_with(name)));
        for number in 200..220 {
            // Archives are stripped in the order of the file system until one fails; the rest is left out.
            for script in &scripts {
                assert_same_without_script(&MadeTree::random_programs(number), std::slice::from_ref(script));
            }
        }
    }
}

/// A tree of these files and links.
fn tree(made: &[(&str, Made)]) -> MadeTree {
    MadeTree(made.iter().map(|(path, made)| (PathBuf::from(path), made.clone())).collect())
}

fn file(kind: &'static str) -> Made {
    Made::File(kind, 0o644)
}

#[test]
fn pages_are_compressed_without_the_script() {
    let pages = tree(&[
        ("usr/share/man/man1/a.1", file("page")),
        ("usr/share/man/man1/b.1", Made::File("page-long", 0o444)),
        ("usr/share/man/man1/c.1.gz", file("page.gz")),
        ("usr/share/man/man1/dir", file("page")),
        ("usr/share/man/man1/empty.1", file("page-empty")),
        ("usr/share/man/man1/link.1", Made::Link("a.1".into())),
        ("usr/share/man/man1/link-2.1.gz", Made::Link("c.1.gz".into())),
        ("usr/share/man/man1/link-3.1.bz2", Made::Link("/usr/share/man/man1/b.1.xz".into())),
        ("usr/share/man/man1/folder", Made::Link("../man3".into())),
        ("usr/share/man/man3/d.3", file("page-long")),
        ("usr/share/man/man3/e.3", Made::HardLink("usr/share/man/man3/d.3".into())),
        ("usr/share/man/man3/f.3", Made::HardLink("usr/share/man/man3/d.3".into())),
        ("usr/share/man/man5/g.5", Made::HardLink("usr/share/man/man3/d.3".into())),
        ("usr/share/man/de/man1/deep/a.1", file("page-odd")),
        ("usr/share/doc/d.3", Made::HardLink("usr/share/man/man3/d.3".into())),
        ("usr/share/info/a.info", file("page")),
        ("usr/share/man/whatis", file("page")),
        ("usr/lib/lib.so", Made::Link("lib.so.1".into())),
        ("opt/share/man/man1/a.1", file("page")),
    ]);
    assert_same_without_script(&pages, &[script("brp-compress")]);
    let (script, _) = script("brp-compress");
    let elsewhere: Script = (script, &["/opt"]);
    assert_same_without_script(&pages, &[elsewhere]);
}

/// What comes out may depend on the order of the file system, or is not as gzip(1) has it.
#[test]
fn pages_in_each_others_way_are_the_scripts() {
    for (path, made) in [
        ("a.1.gz", file("page")),
        ("b.1.bz2", file("page")),
        ("c.tgz", file("page")),
        ("d e.1", file("page")),
        ("f.1", Made::File("page", 0o4755)),
        ("g.1", Made::Link("a b".into())),
        ("a.1.xz", Made::Link("a.1".into())),
    ] {
        let pages = tree(&[
            ("usr/share/man/man1/a.1", file("page-long")),
            (format!("usr/share/man/man1/{path}").as_str(), made.clone()),
        ]);
        let said = run_on(&pages, &[script("brp-compress")]);
        assert!(said.contains(NO_FIND), "{path}: {said}");
        assert_same(&pages, &[script("brp-compress")], None);
    }
    let linked =
        tree(&[("usr/share/man/man1", Made::Link("../man1".into())), ("usr/share/man1/a.1", file("page"))]);
    assert!(run_on(&linked, &[script("brp-compress")]).contains(NO_FIND));
    let compressed = std::fs::read_to_string(folders()[0].join("brp-compress")).unwrap();
    if compressed.starts_with("#!/bin/sh\n") && compressed.contains("read -r -d") {
        // Whether it does anything is a matter of which shell that is.
        let here: Script = (folders()[0].join("brp-compress"), &["/usr"]);
        let pages = tree(&[("usr/share/man/man1/a.1", file("page"))]);
        assert!(run_on(&pages, &[here]).contains(NO_FIND));
    }
}

/// What forge says of a tree, when scripts can do nothing.
fn run_on(tree: &MadeTree, scripts: &[Script]) -> String {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("root");
    tree.make(&root);
    run_natives(scripts, &root, Some(no_find())).1
}

/// A package of a few files has nothing that concerns any policy.
#[test]
fn no_script_runs_where_there_is_nothing_to_do() {
    let small = tree(&[
        ("etc/a.conf", file("text")),
        ("usr/bin/script", Made::File("script-usr", 0o755)),
        ("usr/share/man/man1/dir", file("page")),
        ("usr/share/odd name", file("text")),
    ]);
    for folder in folders() {
        assert_same_without_script(&small, &scripts(&folder, false));
    }
}

#[test]
fn descriptions_of_libraries_are_removed_without_the_script() {
    let libraries = tree(&[
        ("usr/lib64/a.la", file("libtool")),
        ("usr/lib64/b.la", Made::HardLink("usr/lib64/a.la".into())),
        ("usr/lib64/c d.la", file("libtool")),
        ("usr/lib64/.la", file("libtool")),
        ("usr/lib64/e.la", file("text")),
        ("usr/lib64/f.lai", file("libtool")),
    ]);
    assert_same_without_script(&libraries, &[script("brp-remove-la-files")]);
}

#[test]
fn checks_are_done_without_the_script_unless_they_fail() {
    let checks = [script("check-rpaths"), script("check-buildroot")];
    let good = tree(&[
        ("usr/bin/a", Made::File("program", 0o755)),
        ("usr/lib64/lib.a", file("archive")),
        ("usr/lib64/a.o", file("object")),
        ("usr/lib64/lib.so", file("shared")),
        ("usr/lib64/a.pyc", file("root")),
        ("usr/lib64/.packlist", file("root")),
    ]);
    assert_same_without_script(&good, &checks);
    for (path, kind) in [("usr/bin/b", "run-path"), ("usr/bin/c", "cut"), ("usr/share/packlist", "root")] {
        let mut bad = good.clone();
        bad.0.insert(path.into(), Made::File(kind, 0o755));
        assert!(run_on(&bad, &checks).contains(NO_FIND), "{path}");
        assert_same(&bad, &checks, None);
    }
}

/// What one policy leaves is what the next one finds.
#[test]
fn the_tree_is_looked_at_again_where_it_was_changed() {
    let pages = tree(&[("usr/share/man/man1/program", Made::File("program", 0o755))]);
    assert_same_without_script(
        &pages,
        &[script("brp-compress"), script("brp-strip"), script("check-rpaths")],
    );
}

#[test]
fn what_is_no_buildroot_is_left_alone() {
    for root in ["", "/"] {
        let script = folders()[0].join("brp-strip");
        let output = run_native(&script, &["/nosuch/strip"], Path::new(root));
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), b"".as_slice()));
    }
}

#[test]
fn a_script_that_nobody_knows_runs_as_it_is() {
    let temp = tempfile::tempdir().unwrap();
    let script = temp.path().join("brp-own");
    std::fs::write(&script, "#!/bin/sh\necho \"$RPM_BUILD_ROOT $1\"\nexit 7\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = run_native(&script, &["word"], temp.path());
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{} word\n", temp.path().display()));
    let output = run_native(Path::new("/nosuch/brp-strip"), &[], temp.path());
    assert_eq!(output.status.code(), Some(127));
    assert!(String::from_utf8(output.stderr).unwrap().contains("/nosuch/brp-strip"));
}
