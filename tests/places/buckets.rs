//! Sending to a bucket.

use std::fs;

use crate::bucket_server::{BucketServer, SECRET, forge_with_credentials, project_with_bucket};
use crate::repository_client::follow;
use crate::support::{Project, Run};

/// Runs forge as somebody who may send.
#[track_caller]
pub fn run(project: &Project, arguments: &[&str]) -> Run {
    let run = Run::from(forge_with_credentials(project, arguments).output().unwrap());
    assert!(
        !run.stdout.contains(SECRET) && !run.stderr.contains(SECRET) && !run.stderr.contains("Signature")
    );
    run
}

#[track_caller]
pub fn succeed(project: &Project, arguments: &[&str]) -> Run {
    let run = run(project, arguments);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    run
}

/// What a client finds in the bucket.
#[track_caller]
fn followed(server: &BucketServer) -> Vec<String> {
    let listed = follow(&|path| server.object(&format!("host/{path}"))).unwrap();
    listed.into_keys().filter(|path| path.ends_with(".rpm")).collect()
}

#[test]
fn an_apply_sends_what_it_has_published_and_a_second_one_sends_nothing() {
    let server = BucketServer::start();
    let project = project_with_bucket(&server.endpoint());
    let first = succeed(&project, &["apply"]);
    assert!(first.stderr.contains("sent       host: s3://packages/host ("), "{}", first.stderr);
    assert_eq!(followed(&server).len(), 4, "packages and their sources");
    let keys = server.keys();
    let second = succeed(&project, &["apply", "-v"]);
    assert!(!second.stderr.contains("sent "), "{}", second.stderr);
    assert_eq!(server.keys(), keys);
    // Neither the record nor the lock of the folder goes along, nor anything of this machine.
    assert!(
        keys.keys().all(|key| !key.contains(".forge-repository") && key.starts_with("host/")),
        "{keys:?}"
    );
    assert!(keys.contains_key("host/.forge-place"), "{keys:?}");
    let record = String::from_utf8(server.object("host/.forge-place").unwrap()).unwrap();
    assert!(!record.contains(SECRET) && !record.contains("AKIDOFSOMEBODY"), "{record}");
}

#[test]
fn an_update_sends_what_is_new_and_leaves_what_clients_may_still_read() {
    let server = BucketServer::start();
    let project = project_with_bucket(&server.endpoint());
    succeed(&project, &["apply"]);
    let before = followed(&server);
    project.spec("a", "Provides: more", "true");
    let events = succeed(&project, &["apply", "--json"]).events("sent");
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!((&events[0]["chroot"], &events[0]["place"]), (&"host".into(), &"s3://packages/host".into()));
    // Two packages, three metadata files, repomd.xml.
    assert_eq!(events[0]["files"], 6, "{events:?}");
    assert_eq!(events[0]["removed"], 0);
    let now = followed(&server);
    assert_eq!(now.len(), 4);
    assert_ne!(now, before);
    let keys = server.keys();
    let old: Vec<&String> = before.iter().filter(|path| !now.contains(path)).collect();
    assert_eq!(old.len(), 2, "{old:?}");
    assert!(old.iter().all(|path| keys.contains_key(&format!("host/{path}"))), "{keys:?}");
    // Two packages and three metadata files.
    assert_eq!(age_superseded(&server), 5);
    let events = succeed(&project, &["publish", "--json"]).events("sent");
    assert_eq!((&events[0]["files"], &events[0]["removed"]), (&0.into(), &5.into()), "{events:?}");
    assert_eq!(followed(&server), now);
    let keys = server.keys();
    assert!(!old.iter().any(|path| keys.contains_key(&format!("host/{path}"))), "{keys:?}");
}

/// Has all that is superseded be so since long ago; gives how much that is.
fn age_superseded(server: &BucketServer) -> usize {
    let mut record: serde_json::Value =
        serde_json::from_slice(&server.object("host/.forge-place").unwrap()).unwrap();
    let superseded = record["superseded"].as_object_mut().unwrap();
    let count = superseded.len();
    superseded.values_mut().for_each(|since| *since = "2020-01-01T00:00:00Z".into());
    let bytes = serde_json::to_vec(&record).unwrap();
    assert_eq!(server.request("PUT", "/packages/host/.forge-place", &bytes).0, 200);
    count
}

#[test]
fn what_has_gone_from_a_bucket_or_was_changed_there_is_sent_again() {
    let server = BucketServer::start();
    let project = project_with_bucket(&server.endpoint());
    succeed(&project, &["apply"]);
    let package = followed(&server)[0].clone();
    let key = format!("/packages/host/{package}");
    assert_eq!(server.request("DELETE", &key, &[]).0, 204);
    let events = succeed(&project, &["publish", "--json"]).events("sent");
    assert_eq!(events[0]["files"], 1, "{events:?}");
    server.request("PUT", &key, b"cut");
    server.request("PUT", "/packages/host/repodata/repomd.xml", b"<repomd/>");
    let events = succeed(&project, &["publish", "--json"]).events("sent");
    assert_eq!(events[0]["files"], 2, "{events:?}");
    assert_eq!(followed(&server).len(), 4);
    assert!(succeed(&project, &["publish", "--json"]).events("sent").is_empty());
}

#[test]
fn what_others_have_put_beside_a_repository_stays() {
    let server = BucketServer::start();
    let project = project_with_bucket(&server.endpoint());
    server.request("PUT", "/packages/host/index.html", b"theirs");
    server.request("PUT", "/packages/hostile/a", b"theirs");
    succeed(&project, &["apply"]);
    project.edit("Rpmforge.kdl", "package b { source path \"b.spec\" }\n", "");
    succeed(&project, &["apply"]);
    assert!(age_superseded(&server) > 0);
    let events = succeed(&project, &["publish", "--json"]).events("sent");
    assert!(events[0]["removed"].as_u64().unwrap() > 0, "{events:?}");
    assert_eq!(followed(&server).len(), 2);
    assert_eq!(server.object("host/index.html").unwrap(), b"theirs");
    assert_eq!(server.object("hostile/a").unwrap(), b"theirs");
}

#[test]
fn the_credentials_of_the_profile_that_is_named_are_used() {
    let server = BucketServer::start();
    let project = project_with_bucket(&server.endpoint());
    project.edit("Rpmforge.kdl", "endpoint=", "profile=lab region=\"eu-1\" endpoint=");
    let missing = project.run(&["apply"]);
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.stderr.contains("there are no credentials for it in profile `lab`"),
        "{}",
        missing.stderr
    );
    let events = project.run(&["publish", "--json"]).events("not-sent");
    assert_eq!(events[0]["code"], "forge::publish::place_no_credentials");
    // The folder is as it should be all the same.
    assert!(project.repository().follow().is_ok());
    let home = project.path().parent().unwrap().to_owned();
    fs::create_dir_all(home.join(".aws")).unwrap();
    let text = format!("[lab]\naws_access_key_id = L\naws_secret_access_key = {SECRET}\n");
    fs::write(home.join(".aws/credentials"), text).unwrap();
    project.succeed(&["publish"]);
    assert_eq!(followed(&server).len(), 4);
}

#[test]
fn offline_sends_nothing() {
    let server = BucketServer::start();
    let project = project_with_bucket(&server.endpoint());
    let apply = succeed(&project, &["apply", "--offline"]);
    assert!(apply.stderr.contains("nothing is sent to places"), "{}", apply.stderr);
    assert!(server.keys().is_empty());
}

#[test]
fn prune_sends_what_it_leaves() {
    let server = BucketServer::start();
    let project = project_with_bucket(&server.endpoint());
    project.edit("Rpmforge.kdl", "to \"s3:", "keep builds=2; to \"s3:");
    succeed(&project, &["apply"]);
    project.edit("a.spec", "Version: 1", "Version: 2");
    succeed(&project, &["apply"]);
    assert_eq!(followed(&server).len(), 6);
    project.edit("Rpmforge.kdl", "builds=2", "builds=1");
    let run = succeed(&project, &["prune"]);
    assert!(run.stderr.contains("sent       host: s3://packages/host ("), "{}", run.stderr);
    assert_eq!(followed(&server).len(), 4);
}
