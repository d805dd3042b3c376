//! A record in a repository, which others may have written with a right digest: it is believed only where it names nothing but what
//! forge publishes, and nothing else is removed or replaced for it.
#![no_main]

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rpmforge::digest::Digest;
use rpmforge::event::SystemClock;
use rpmforge::files::{Folder, HostPath};
use rpmforge::manifest::{MANIFEST_FILE, load};
use rpmforge::publish::{Repositories, Verification, recorded_paths};
use rpmforge::store::Store;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Two repositories of one project: one of a chroot that its manifest declares, and one that is emptied.
const REPOSITORIES: [&str; 2] = ["project/public/host", "project/public/other"];

/// What must stay as it is, in each repository and beside all of them.
const THEIRS: [&str; 5] =
    ["./note.rpm", "theirs/b.rpm", "theirs/.git/hooks", "repodata/primary.xml.gz", "a-0123456789ab/kept/a.rpm"];

struct Scene {
    top: Folder,
    repositories: Repositories,
    _temp: TempDir,
}

thread_local! {
    static SCENE: OnceCell<Scene> = const { OnceCell::new() };
}

fn scene() -> Scene {
    let temp = TempDir::new().unwrap();
    let top = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap().without_sync();
    let project = Arc::new(top.create("project").unwrap());
    let manifest = "rpmforge version=1\nchroot host { root \"/\" }\npackage a { source path \"a.spec\" }\n";
    project.write_atomic(MANIFEST_FILE, manifest.as_bytes()).unwrap();
    project.write_atomic("a.spec", b"").unwrap();
    let manifest = load(&project, MANIFEST_FILE, &BTreeMap::new()).unwrap_or_else(|_| panic!("a manifest"));
    let store = top.create("store").unwrap();
    let repositories = Repositories {
        manifest: Arc::new(manifest),
        state: Arc::new(project.create(".forge").unwrap()),
        project,
        store: Arc::new(Store::open(store.path()).unwrap()),
        clock: Arc::new(SystemClock),
        verification: Verification::TimesFirst,
        decoded: Default::default(),
    };
    Scene { top, repositories, _temp: temp }
}

/// A record that names a path for each line: the line's first byte says as what.
fn record_of_lines(text: &str) -> String {
    let (mut packages, mut metadata, mut superseded) = (Vec::new(), Vec::new(), Vec::new());
    let mut incoming = json!({ "packages": [], "metadata": [], "repomd": null });
    for line in text.lines().filter(|line| line.is_char_boundary(1) && line.len() > 1) {
        let (kind, path) = line.split_at(1);
        let file = |nevra: Value| {
            let digest = Digest::compute(b"").to_string();
            let times = json!({ "modified": 0, "changed": 0 });
            json!({ "path": path, "size": 0, "sha256": digest, "blake3": digest, "nevra": nevra, "times": times })
        };
        let package = path.split('/').next().and_then(|folder| Some(folder.rsplit_once('-')?.0)).unwrap_or(path);
        let package = json!({ "package": package, "key": null, "files": [file(json!("a-1-1"))] });
        match kind {
            "p" => packages.push(package),
            "m" => metadata.push(file(Value::Null)),
            "i" => incoming["packages"].as_array_mut().unwrap().push(package),
            "r" => incoming["repomd"] = file(Value::Null),
            "s" => superseded.push(json!({ "file": file(json!("a-1-1")), "since": 0 })),
            _ => superseded.push(json!({ "file": file(Value::Null), "since": 0 })),
        }
    }
    json!({
        "owner": { "project": null, "place": { "around": "PLACE" } }, "chroot": "other", "links": false,
        "packages": packages, "metadata": metadata, "repomd": null, "incoming": incoming, "superseded": superseded,
    })
    .to_string()
}

fn with_digest(content: &str) -> String {
    let digest = Digest::compute(format!("1:{content}").as_bytes());
    format!("{{\"version\":1,\"blake3\":\"{digest}\",\"repository\":{content}}}\n")
}

fn is_plain(path: &str) -> bool {
    path == path.trim_start_matches('/')
        && Path::new(path).components().count() == 2
        && Path::new(path).components().all(|component| matches!(component, Component::Normal(_)))
        && !path.contains(char::is_control)
}

fuzz_target!(|text: &str| {
    let _ = recorded_paths(text.as_bytes());
    let content = if text.starts_with('{') { text.to_owned() } else { record_of_lines(text) };
    let Some(paths) = recorded_paths(with_digest(&content).as_bytes()) else { return };
    assert!(paths.iter().all(|path| is_plain(path)), "{paths:?}");
    SCENE.with(|cell| {
        let Scene { top, repositories, .. } = cell.get_or_init(scene);
        for repository in REPOSITORIES {
            let place = repository.trim_start_matches("project/");
            let record = with_digest(&content.replace("PLACE", place));
            top.remove_folder(repository).unwrap();
            let folder = top.create(repository).unwrap();
            for theirs in THEIRS {
                folder.create(Path::new(theirs).parent().unwrap()).unwrap();
                folder.write_atomic(theirs, b"").unwrap();
            }
            folder.dir().symlink_contents("theirs", "b-0123456789ab").unwrap();
            folder.write_atomic(".forge-repository", record.as_bytes()).unwrap();
        }
        THEIRS.iter().for_each(|theirs| drop(top.create(Path::new(theirs).parent().unwrap()).unwrap()));
        THEIRS.iter().for_each(|theirs| top.write_atomic(theirs, b"").unwrap());
        let _ = repositories.leaving();
        let _ = repositories.find_damage();
        repositories.retire_undeclared();
        for folder in REPOSITORIES.iter().chain(&["."]) {
            let folder = top.folder(folder).unwrap();
            assert!(THEIRS.iter().all(|theirs| folder.file_size(theirs) == Some(0)), "{paths:?}");
        }
        assert!(top.file_size("project/Rpmforge.kdl").is_some_and(|size| size > 0));
    });
});
