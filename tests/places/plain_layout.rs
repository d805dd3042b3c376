//! Repositories with the layout that people and mirrors know: in the folder, in a bucket, and by rsync.

use std::fs;

use crate::bucket_server::{BucketServer, project_with_bucket};
use crate::buckets::succeed;
use crate::repository_client::follow;
use crate::support::Project;

/// The paths of the packages that clients of the folder see.
#[track_caller]
fn paths(project: &Project) -> Vec<String> {
    let mut paths: Vec<String> =
        project.repository().follow().unwrap().into_iter().map(|package| package.href).collect();
    paths.sort();
    paths
}

fn set_layout(project: &Project, from: &str, to: &str) {
    project.edit(
        "Rpmforge.kdl",
        &format!("publish \"public/{{chroot}}\" {{ {from}"),
        &format!("publish \"public/{{chroot}}\" {{ {to}"),
    );
}

const PLAIN: [&str; 4] = [
    "Packages/a/a-1.0-1.noarch.rpm",
    "Packages/a/a-1.0-1.src.rpm",
    "Packages/b/b-1.0-1.noarch.rpm",
    "Packages/b/b-1.0-1.src.rpm",
];

#[test]
fn packages_lie_by_their_first_letters_and_none_ever_replaces_another() {
    let server = BucketServer::start();
    let project = project_with_bucket(&server.endpoint());
    set_layout(&project, "", "layout plain; ");
    succeed(&project, &["apply"]);
    assert_eq!(paths(&project), PLAIN);
    let second = succeed(&project, &["apply", "-v"]);
    assert!(!second.stderr.contains("published") && !second.stderr.contains("sent "), "{}", second.stderr);
    let folder = project.path().join("public/host");
    let before = fs::read(folder.join(PLAIN[0])).unwrap();
    project.spec("a", "Provides: more", "true");
    succeed(&project, &["apply"]);
    let now = paths(&project);
    let beside: Vec<&String> = now.iter().filter(|path| path.starts_with("Packages/a/a-")).collect();
    assert_eq!(beside.len(), 2, "{now:?}");
    assert!(beside.iter().all(|path| path.matches('/').count() == 3), "{beside:?}");
    assert_eq!(fs::read(folder.join(PLAIN[0])).unwrap(), before, "for clients that ask for it");
    // Another version has a path of its own.
    let text = project.read("a.spec").replace("Version: 1.0", "Version: 1.1");
    project.write("a.spec", &text);
    succeed(&project, &["apply"]);
    assert_eq!(paths(&project)[..2], ["Packages/a/a-1.1-1.noarch.rpm", "Packages/a/a-1.1-1.src.rpm"]);
    // What comes back is where it was.
    project.spec("a", "", "true");
    succeed(&project, &["apply"]);
    assert_eq!(paths(&project), PLAIN);
    let listed = follow(&|path| server.object(&format!("host/{path}"))).unwrap();
    let listed: Vec<String> = listed.into_keys().filter(|path| path.ends_with(".rpm")).collect();
    assert_eq!(listed, PLAIN);
    assert!(succeed(&project, &["publish", "--json"]).events("sent").is_empty());
}

#[test]
fn a_repository_takes_another_layout_and_earlier_paths_stay_for_a_while() {
    let project = Project::with(
        "package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n\
         publish \"public/{chroot}\" { debuginfo separate=#true }\n",
    );
    project.spec("a", "", "true");
    project.spec("b", "", "true");
    project.succeed(&["apply"]);
    let before = paths(&project);
    set_layout(&project, "", "layout plain; ");
    project.succeed(&["apply"]);
    assert_eq!(paths(&project), [PLAIN[0], PLAIN[2]]);
    let folder = project.path().join("public/host");
    assert!(folder.join("source").join(PLAIN[1]).exists(), "source packages in their own part");
    assert!(before.iter().all(|path| folder.join(path).exists()), "{before:?}");
    set_layout(&project, "layout plain; ", "");
    project.succeed(&["apply"]);
    assert_eq!(paths(&project), before);
}

#[test]
fn a_plain_repository_whose_record_was_lost_is_known_by_its_metadata() {
    let project = Project::with(
        "package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n\
         publish \"public/{chroot}\" { layout plain; adopt #true }\n",
    );
    project.spec("a", "", "true");
    project.spec("b", "", "true");
    project.succeed(&["apply"]);
    let folder = project.path().join("public/host");
    fs::remove_file(folder.join(".forge-repository")).unwrap();
    fs::remove_dir_all(project.path().join(".forge/published")).unwrap();
    project.succeed(&["apply"]);
    assert_eq!(paths(&project), PLAIN);
    // What is known again leaves when the manifest drops it, and nothing else does.
    let stranger = folder.join("Packages/z/z-1-1.noarch.rpm");
    fs::create_dir_all(stranger.parent().unwrap()).unwrap();
    fs::write(&stranger, "theirs").unwrap();
    project.edit("Rpmforge.kdl", "package b { source path \"b.spec\" }\n", "");
    project.succeed(&["apply"]);
    assert_eq!(paths(&project), PLAIN[..2]);
    assert_eq!(fs::read_to_string(stranger).unwrap(), "theirs");
}
