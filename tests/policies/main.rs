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

use made_tree::{Listing, MadeTree, list};

/// Scripts of which forge knows the work, and what a distribution gives them.
const SCRIPTS: [(&str, &[&str]); 3] = [
    ("brp-strip", &["/usr/bin/strip"]),
    ("brp-strip-static-archive", &["/usr/bin/strip"]),
    ("brp-strip-comment-note", &["/usr/bin/strip", "/usr/bin/objdump"]),
];

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

fn run_script(script: &Path, arguments: &[&str], root: &Path) -> Output {
    command(script, root).args(arguments).output().unwrap()
}

/// As [`run_native`], where the script can't do it.
fn run_without_find(script: &Path, arguments: &[&str], root: &Path) -> Output {
    let mut command = command(Path::new(env!("CARGO_BIN_EXE_forge")), root);
    command.env("PATH", format!("{}:/usr/bin:/bin", no_find().display()));
    command.args(["policies", "--"]).arg(script).args(arguments).output().unwrap()
}

fn run_native(script: &Path, arguments: &[&str], root: &Path) -> Output {
    let mut command = command(Path::new(env!("CARGO_BIN_EXE_forge")), root);
    command.args(["policies", "--"]).arg(script).args(arguments).output().unwrap()
}

/// What is left of a tree when each policy of a folder has gone over it, and how each ended.
fn outcome(
    tree: &MadeTree,
    folder: &Path,
    run: fn(&Path, &[&str], &Path) -> Output,
) -> (Vec<Option<i32>>, Listing, Vec<String>) {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("root");
    tree.make(&root);
    let (mut codes, mut said) = (Vec::new(), Vec::new());
    for (name, arguments) in SCRIPTS {
        let script = folder.join(name);
        if script.exists() {
            let output = run(&script, arguments, &root);
            codes.push(output.status.code());
            said.push(format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ));
        }
    }
    assert!(!codes.is_empty(), "{} has no policies", folder.display());
    (codes, list(&root), said)
}

/// Whether a policy comes to the end by itself whatever is in a tree: that of rpm 4.14 is asked which file is the last one.
fn needs_no_script(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join(SCRIPTS[1].0)).is_ok_and(|script| script.contains("xargs"))
        || !folder.join(SCRIPTS[1].0).exists()
}

#[track_caller]
fn assert_same(tree: &MadeTree) {
    for folder in folders() {
        let (codes, listing, said) = outcome(tree, &folder, run_script);
        let run = if tree.is_ordinary() && needs_no_script(&folder) { run_without_find } else { run_native };
        let (own_codes, own, own_said) = outcome(tree, &folder, run);
        assert!(!own_said.iter().any(|said| said.contains(NO_FIND)), "the script was run for {tree:?}");
        let differs: Vec<_> =
            listing.iter().filter(|(path, is)| own.get(*path) != Some(is)).map(|(path, _)| path).collect();
        assert!(
            codes == own_codes && listing.len() == own.len() && differs.is_empty(),
            "{}: {codes:?}, here {own_codes:?}; other: {differs:?}\n{tree:?}\n{said:#?}\n{own_said:#?}",
            folder.display()
        );
    }
}

/// Many trees of all kinds of files, at places and with names and modes of all kinds.
#[test]
fn made_trees_come_out_as_of_the_scripts() {
    let trees: Vec<u64> = (0..200).collect();
    std::thread::scope(|scope| {
        for part in trees.chunks(100) {
            scope.spawn(|| part.iter().for_each(|number| assert_same(&MadeTree::random(*number))));
        }
    });
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
