//! `forge serve`: a folder over HTTP.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::http::{Answer, ask, get};
use crate::support::{Project, Run};

/// A server of a folder of a project.
pub struct Served {
    pub child: Child,
    pub address: SocketAddr,
}

impl Served {
    pub fn start(project: &Project, folder: &str) -> Self {
        let mut command = project.forge(&["serve", "--repo", folder, "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("an address").0;
        Self { child, address: address.parse().unwrap() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn project() -> Project {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    fs::create_dir_all(project.path().join("public/host/repodata")).unwrap();
    project.write("public/host/repodata/repomd.xml", "<repomd>0123456789</repomd>");
    project.write("public/host/.forge-repository", "hidden");
    project
}

#[test]
fn files_come_whole_in_parts_and_only_where_they_have_changed() {
    let project = project();
    let server = Served::start(&project, "public");
    let path = "/host/repodata/repomd.xml";
    let with = |lines: &str| ask(server.address, "GET", path, (lines, &[]));
    let whole = with("");
    assert_eq!((whole.status, &whole.body[..]), (200, &b"<repomd>0123456789</repomd>"[..]));
    assert_eq!(whole.header("content-type"), Some("application/xml"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let part = with("Range: bytes=8-11\r\n");
    assert_eq!((part.status, &part.body[..]), (206, &b"0123"[..]));
    assert_eq!(part.header("content-range"), Some("bytes 8-11/27"));
    assert_eq!(with("Range: bytes=99-\r\n").status, 416);
    assert_eq!(with("Range: bytes=99999999999999999999999-\r\n").status, 416);
    let etag = whole.header("etag").unwrap();
    assert_eq!(with(&format!("If-Match: {etag}\r\n")).status, 200);
    let other = with("If-Match: \"other\"\r\n");
    assert_eq!((other.status, other.body.len()), (412, 0));
    let ranged = ask(server.address, "HEAD", path, ("Range: bytes=8-11\r\n", &[]));
    assert_eq!((ranged.status, ranged.header("content-length")), (200, Some("27")));
    let known = with(&format!("If-None-Match: {etag}\r\n"));
    assert_eq!((known.status, known.body.len()), (304, 0));
    let head = ask(server.address, "HEAD", path, ("", &[]));
    assert_eq!((head.status, head.body.len(), head.header("content-length")), (200, 0, Some("27")));
    // Another file in its place is another, also where it is as large.
    project.write("public/host/new", "<repomd>9876543210</repomd>");
    fs::rename(
        project.path().join("public/host/new"),
        project.path().join("public/host/repodata/repomd.xml"),
    )
    .unwrap();
    let changed = with(&format!("If-None-Match: {etag}\r\n"));
    assert_eq!((changed.status, &changed.body[8..12]), (200, &b"9876"[..]));
    let resumed = with(&format!("Range: bytes=8-\r\nIf-Range: {etag}\r\n"));
    assert_eq!(resumed.status, 200, "what is missing of another file is of no use");
}

#[test]
fn nothing_hidden_nothing_outside_and_nothing_but_files_is_served() {
    let project = project();
    project.write("secret", "secret");
    symlink(project.path().join("secret"), project.path().join("public/host/out")).unwrap();
    symlink(".forge-repository", project.path().join("public/host/record")).unwrap();
    fs::create_dir(project.path().join("public/host/.hidden")).unwrap();
    project.write("public/host/.hidden/file", "hidden");
    symlink(".hidden", project.path().join("public/host/seen")).unwrap();
    symlink("repodata/repomd.xml", project.path().join("public/host/in")).unwrap();
    let pipe = project.path().join("public/host/pipe");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    let server = Served::start(&project, "public/host");
    for path in [
        "/",
        "/repodata",
        "/repodata/",
        "/.forge-repository",
        "/%2Eforge-repository",
        "/../../secret",
        "/%2e%2e/%2e%2e/secret",
        "/repodata/..%2f..%2f..%2fsecret",
        "/out",
        "/record",
        "/seen/file",
        "/pipe",
        "/none",
    ] {
        let Answer { status, body, .. } = ask(server.address, "GET", path, ("", &[]));
        assert!((status == 404 || status == 400) && body.is_empty(), "{path}: {status}");
    }
    assert!(get(server.address, "/in").is_some(), "a link within the folder");
    let post = ask(server.address, "POST", "/repodata/repomd.xml", ("", b"mine"));
    assert_eq!((post.status, post.header("allow")), (405, Some("get, head")));
}

#[test]
fn who_opens_connections_and_says_nothing_keeps_nobody_out() {
    let project = project();
    let server = Served::start(&project, "public");
    let open = |_| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(b"GET /host").unwrap();
        stream
    };
    let silent: Vec<TcpStream> = (0..600).map(open).collect();
    let begun = Instant::now();
    assert!(get(server.address, "/host/repodata/repomd.xml").is_some());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    drop(silent);
}

#[test]
fn an_interrupt_lets_what_has_begun_come_to_its_end() {
    let project = project();
    let big = project.path().join("public/host/big");
    fs::write(&big, vec![7; 32 << 20]).unwrap();
    let mut server = Served::start(&project, "public/host");
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut first = vec![0; 1000];
    stream.read_exact(&mut first).unwrap();
    assert!(Command::new("kill").args(["-INT", &server.child.id().to_string()]).status().unwrap().success());
    std::thread::sleep(Duration::from_millis(200));
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(first.len() + rest.len() > 32 << 20, "{}", rest.len());
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn an_address_that_is_taken_is_named() {
    let project = project();
    let server = Served::start(&project, "public");
    let run = project.forge(&["serve", "--repo", "public", "--listen", &server.address.to_string()]);
    let run = Run::from({ run }.output().unwrap());
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::serve::address"), "{}", run.stderr);
}
