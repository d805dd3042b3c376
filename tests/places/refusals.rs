//! Places that are another's, servers that say no, and what can't be sent.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::bucket_server::{BucketServer, SECRET, forge_with_credentials, project_with_bucket};
use crate::buckets::{run, succeed};
use crate::support::{Project, Run};

/// The code that says why something is not sent.
#[track_caller]
fn why_not(project: &Project) -> (String, String) {
    let run = run(project, &["publish", "--json"]);
    assert_eq!(run.code, Some(1), "{}\n{}", run.stdout, run.stderr);
    let events = run.events("not-sent");
    assert_eq!(events.len(), 1, "{}\n{}", run.stdout, run.stderr);
    let text = |name: &str| events[0][name].as_str().unwrap().to_owned();
    assert!(!text("help").is_empty());
    (text("code"), text("cause"))
}

#[test]
fn a_place_of_another_project_is_refused_until_it_is_taken_over() {
    let server = BucketServer::start();
    let first = project_with_bucket(&server.endpoint());
    first.edit("Rpmforge.kdl", "rpmforge version=1\n", "rpmforge version=1\nproject one\n");
    succeed(&first, &["apply"]);
    let keys = server.keys();
    let second = project_with_bucket(&server.endpoint());
    second.edit("Rpmforge.kdl", "rpmforge version=1\n", "rpmforge version=1\nproject two\n");
    assert_eq!(run(&second, &["apply"]).code, Some(1));
    let (code, cause) = why_not(&second);
    assert_eq!(code, "forge::publish::place_foreign");
    assert!(cause.contains("belongs to the project `one`"), "{cause}");
    assert_eq!(server.keys(), keys);
    second.edit(
        "Rpmforge.kdl",
        "publish \"public/{chroot}\" {",
        "publish \"public/{chroot}\" { adopt #true;",
    );
    succeed(&second, &["publish"]);
    // A repository without a record may be anybody's.
    server.request("DELETE", "/packages/host/.forge-place", &[]);
    succeed(&second, &["publish"]);
    server.request("DELETE", "/packages/host/.forge-place", &[]);
    assert_eq!(why_not(&first).0, "forge::publish::place_unrecorded");
    server.request("PUT", "/packages/host/.forge-place", b"{\"version\":1,\"owner\"");
    assert_eq!(why_not(&first).0, "forge::publish::place_damaged_record");
}

#[test]
fn what_is_not_as_it_was_published_is_not_sent() {
    let server = BucketServer::start();
    let project = project_with_bucket(&server.endpoint());
    succeed(&project, &["apply", "--offline"]);
    let folder = project.path().join("public/host");
    let repomd = fs::read(folder.join("repodata/repomd.xml")).unwrap();
    fs::write(folder.join("repodata/repomd.xml"), [&repomd[..], b"\n"].concat()).unwrap();
    let (code, cause) = why_not(&project);
    assert_eq!(code, "forge::publish::place_changed_file");
    assert!(cause.contains("`repodata/repomd.xml`"), "{cause}");
    fs::write(folder.join("repodata/repomd.xml"), repomd).unwrap();
    let package = project.repository().follow().unwrap();
    let package = package.iter().find(|file| file.href.ends_with(".rpm")).unwrap();
    let mut bytes = fs::read(folder.join(&package.href)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(folder.join(&package.href), bytes).unwrap();
    assert_eq!(why_not(&project).0, "forge::publish::place_changed_file");
    assert!(server.object(&format!("host/{}", package.href)).is_none());
    assert!(server.object("host/repodata/repomd.xml").is_none());
    succeed(&project, &["apply", "--verify-published"]);
    assert!(server.object("host/repodata/repomd.xml").is_some());
    fs::write(folder.join(".forge-repository"), "{\"version\":1").unwrap();
    assert_eq!(why_not(&project).0, "forge::publish::place_unfinished");
}

#[test]
fn a_server_that_says_no_is_quoted() {
    let server = BucketServer::start();
    let project = project_with_bucket(&server.endpoint());
    project.edit("Rpmforge.kdl", "s3://packages/", "s3://other/");
    assert_eq!(run(&project, &["apply"]).code, Some(1));
    let (code, cause) = why_not(&project);
    assert_eq!(code, "forge::publish::place_refused");
    assert!(cause.contains("404 NoSuchBucket"), "{cause}");
}

#[test]
fn an_address_that_is_none_is_named() {
    let project = project_with_bucket("http://127.0.0.1:1");
    project.edit("Rpmforge.kdl", " endpoint=\"http://127.0.0.1:1\"", "");
    succeed(&project, &["apply", "--offline"]);
    let mut command = forge_with_credentials(&project, &["publish", "--json"]);
    let run = Run::from(command.env("AWS_ENDPOINT_URL", "nowhere").output().unwrap());
    assert_eq!(run.events("not-sent")[0]["code"], "forge::publish::place_address", "{}", run.stdout);
}

#[test]
fn a_server_that_is_none_of_buckets_is_told_from_one() {
    let project = project_with_bucket(&format!("http://{}", odd_server("<html>hello</html>")));
    succeed(&project, &["apply", "--offline"]);
    assert_eq!(why_not(&project).0, "forge::publish::place_answer");
}

#[test]
fn what_was_sent_and_is_not_there_is_missed() {
    let empty = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>false</IsTruncated>\
                 </ListBucketResult>";
    let project = project_with_bucket(&format!("http://{}", odd_server(empty)));
    succeed(&project, &["apply", "--offline"]);
    let (code, cause) = why_not(&project);
    assert_eq!(code, "forge::publish::place_not_arrived");
    assert!(cause.contains(".rpm` was sent, and is not there"), "{cause}");
}

/// A server that has no object, takes whatever it gets, and answers lists with `list`.
fn odd_server(list: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
                request.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&request).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            let _ = stream.read_exact(&mut body);
            let (status, content) = match head.contains("list-type=2") {
                true => ("200 OK", list),
                false if head.starts_with("get ") => ("404 Not Found", ""),
                false => ("200 OK", ""),
            };
            let length = content.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{content}"
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn an_interrupt_ends_sending_and_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let project = project_with_bucket(&format!("http://{}", listener.local_addr().unwrap()));
    succeed(&project, &["apply", "--offline"]);
    let mut command = forge_with_credentials(&project, &["publish", "--json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It has asked, and is never answered.
    let (_connection, _) = listener.accept().unwrap();
    let begun = Instant::now();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(run.code, Some(130), "{}", run.stderr);
    assert_eq!(run.events("not-sent")[0]["code"], "forge::publish::place_canceled", "{}", run.stdout);
    assert!(!run.stdout.contains(SECRET));
}

#[test]
fn where_no_place_is_named_there_is_nothing_to_send_to() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    let run = project.run(&["publish"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::cli::no_place"), "{}", run.stderr);
    let server = project_with_bucket("http://127.0.0.1:1");
    let run = server.run(&["publish", "--to", "s3://other"]);
    assert!(run.stderr.contains("the manifest names no place `s3://other`"), "{}", run.stderr);
}
