//! Whoever composes a root: it is the same.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::made_package::{MadeFile, MadePackage, file, folder, link, package};
use super::scratch::Scratch;

const FOLDER: &str = "FORGE_TEST_OWNED_IN";
const NOBODY: u32 = 65_534;

/// What only root could give on disk, and what an ordinary user could lock itself out of.
fn packages() -> [MadePackage; 2] {
    let files = [
        MadeFile { mode: 0o040_555, ..folder("/") },
        MadeFile { mode: 0o040_000, ..folder("/closed") },
        file("/closed/below", "below"),
        MadeFile { mode: 0o100_000, owner: "root", group: "shadow", ..file("/etc/shadow", "x") },
        MadeFile { mode: 0o106_755, owner: "daemon", ..file("/usr/bin/at", "at") },
        MadeFile { capabilities: "cap_net_raw=ep", ..file("/usr/bin/ping", "ping") },
        MadeFile { owner: "nosuchuser", group: "nosuchgroup", ..link("/usr/link", "/closed") },
    ];
    [package("a", files), package("b", [MadeFile { mode: 0o041_777, owner: "b", ..folder("/var/b") }])]
}

/// What is in the root, as a text: on disk as far as it can be looked at, and as it is listed.
fn composed(scratch: &Scratch) -> String {
    let farm = scratch.compose(&packages()).unwrap();
    let files = farm.files().unwrap();
    let listed: Vec<String> = files.iter().map(|file| format!("{:?}", file.entry)).collect();
    let root = farm.layers()[0].as_path().to_owned();
    let mode = |path: &str| std::fs::symlink_metadata(root.join(path)).unwrap().permissions().mode();
    let modes = ["", "closed", "etc/shadow", "usr/bin/at", "usr/bin/ping", "usr/link", "var", "var/b"]
        .map(|path| format!("{:o}", mode(path)));
    format!("{modes:?}\n{}\n", listed.join("\n"))
}

#[test]
#[ignore = "the test below starts it, as another user"]
fn composes_as_another_user() {
    let folder = std::env::var_os(FOLDER).expect("the test below says where");
    let scratch = Scratch::within(Path::new(&folder));
    std::fs::write(Path::new(&folder).join("composed"), composed(&scratch)).unwrap();
    scratch.store.collect(&rpmforge::store::Collection::default(), rpmforge::event::Timestamp(0)).unwrap();
}

#[test]
fn a_root_is_the_same_for_root_and_for_an_ordinary_user() {
    let own = composed(&Scratch::new());
    assert!(own.contains("106755") && own.contains("nosuchuser") && own.contains("cap_net_raw=ep"), "{own}");
    let temp = tempfile::tempdir().unwrap();
    if chown(temp.path(), Some(NOBODY), Some(NOBODY)).is_err() {
        // An ordinary user has just composed one: what root makes is what `composed` was compared with above.
        return;
    }
    // The test itself may lie where others can't reach it.
    let program = temp.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let status = Command::new(&program)
        .args(["--ignored", "--exact", "owners::composes_as_another_user"])
        .env(FOLDER, temp.path())
        .env("TMPDIR", temp.path())
        .current_dir(temp.path())
        .gid(NOBODY)
        .uid(NOBODY)
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(std::fs::read_to_string(temp.path().join("composed")).unwrap(), own);
}
