//! Whoever composes a root may be killed at any moment: what is found later is right, or not there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rpmforge::chroot::LockedPackage;
use rpmforge::chroot::compose::compose;
use rpmforge::event::Timestamp;
use rpmforge::store::{Blob, Collection};

use super::made_package::{MadeFile, MadePackage, file, folder, link, package};
use super::scratch::{Scratch, Seen, layer, listing, open_store};

const FOLDER: &str = "FORGE_TEST_COMPOSED_IN";
const PACKAGES: &str = "packages.json";

/// Enough that composing them takes a while.
fn packages() -> Vec<MadePackage> {
    let filesystem = package("filesystem", [folder("/"), link("/bin", "usr/bin"), folder("/usr/bin")]);
    let made = (0..12).map(|number| {
        let small =
            (0..40).map(|index| file(&format!("/usr/share/{number}/{index}"), format!("{number} {index}")));
        let large = MadeFile { content: vec![number; 5 << 20], ..file(&format!("/bin/large{number}"), "") };
        package(&format!("made{number}"), small.chain([large]))
    });
    [filesystem].into_iter().chain(made).collect()
}

/// Composes a base and what lies over it; gives what is in both.
fn compose_all(scratch: &Path, packages: &[(LockedPackage, Blob)]) -> Vec<BTreeMap<String, Seen>> {
    let store = open_store(scratch);
    let (base, added) = packages.split_at(8);
    let base = compose(&store, base, None, &|_| ()).unwrap();
    let farm = compose(&store, added, Some(&base), &|_| ()).unwrap();
    vec![layer(&base), layer(&farm)]
}

#[test]
#[ignore = "the test below starts it, and kills it"]
fn composes_until_it_is_killed() {
    let folder = std::env::var_os(FOLDER).expect("the test below says where");
    let packages = std::fs::read(Path::new(&folder).join(PACKAGES)).unwrap();
    let packages: Vec<(LockedPackage, Blob)> = serde_json::from_slice(&packages).unwrap();
    compose_all(Path::new(&folder), &packages);
}

#[test]
fn after_fifty_kills_no_root_is_found_that_is_not_whole() {
    let scratch = Scratch::new();
    let packages = scratch.take(&packages());
    let folder = scratch.temp.path();
    std::fs::write(folder.join(PACKAGES), serde_json::to_vec(&packages).unwrap()).unwrap();
    let expected = compose_all(folder, &packages);
    let mut killed = 0;
    for round in 0_u64..50 {
        let _ = std::fs::remove_dir_all(folder.join("store/farms"));
        if round % 2 == 0 {
            let _ = std::fs::remove_dir_all(folder.join("store/trees"));
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "kills::composes_until_it_is_killed"])
            .env(FOLDER, folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(round * 7919 % 400));
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        for root in finished_roots(folder) {
            assert!(expected.contains(&root), "round {round}: a root is not whole");
        }
        // Most rounds go on with what the one before has left.
        if round % 5 == 4 {
            assert!(compose_all(folder, &packages) == expected, "round {round}: another root");
        }
    }
    assert!(killed > 10, "only {killed} were killed");
    assert!(compose_all(folder, &packages) == expected);
    scratch.store.collect(&Collection::default(), Timestamp(0)).unwrap();
    let left = |path: &str| scratch.names(path).len();
    assert_eq!((left("farms/incoming"), left("trees/incoming"), finished_roots(folder).len()), (0, 0, 2));
}

/// What is in all roots that have a name.
fn finished_roots(folder: &Path) -> Vec<BTreeMap<String, Seen>> {
    let Ok(farms) = std::fs::read_dir(folder.join("store/farms")) else { return Vec::new() };
    let names = farms.map(|entry| entry.unwrap().path());
    names
        .filter(|path| path.file_name().unwrap().len() == 64)
        .map(|path| listing(&path.join("root")))
        .collect()
}
