//! Connections that break and programs that are killed half way.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::bucket_server::{BucketServer, forge_with_credentials, project_with_bucket};
use crate::buckets::{run, succeed};
use crate::repository_client::follow;

/// What stands between a client and a server, and breaks connections once so much was sent through it.
struct Cutter {
    address: SocketAddr,
    /// How many bytes clients have sent.
    sent: Arc<AtomicU64>,
    /// How many they may send.
    most: Arc<AtomicU64>,
}

impl Cutter {
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sent, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(u64::MAX)));
        let (counted, limit) = (Arc::clone(&sent), Arc::clone(&most));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(server) else { return };
                let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || copy(from, to, |_| true));
                let (counted, limit) = (Arc::clone(&counted), Arc::clone(&limit));
                let may_pass = move |bytes: u64| {
                    counted.fetch_add(bytes, Ordering::SeqCst) + bytes <= limit.load(Ordering::SeqCst)
                };
                std::thread::spawn(move || copy(client, server, may_pass));
            }
        });
        Self { address, sent, most }
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, may_pass: impl Fn(u64) -> bool) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || !may_pass(length as u64) || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

const BIG: &str = "head -c 25000000 /dev/urandom > big";

#[test]
fn a_large_file_that_was_cut_goes_on_where_it_stopped() {
    let server = BucketServer::start();
    let cutter = Cutter::before(server.address);
    let project = project_with_bucket(&format!("http://{}", cutter.address));
    project.spec("a", "", BIG);
    let text = project.read("a.spec").replace("echo a > %{buildroot}", "cat big > %{buildroot}");
    project.write("a.spec", &text);
    // The first part arrives, and something of the second.
    cutter.most.store(14 << 20, Ordering::SeqCst);
    let cut = run(&project, &["apply"]);
    assert_eq!(cut.code, Some(1), "{}", cut.stderr);
    assert!(cut.stderr.contains("not sent:  host to s3://packages/host: "), "{}", cut.stderr);
    assert!(project.repository().follow().is_ok(), "the folder is as it should be");
    assert!(server.object("host/repodata/repomd.xml").is_none());
    assert!(!server.keys().keys().any(|key| key.contains("/a-1.0-1.noarch")), "nothing is there half");
    cutter.most.store(u64::MAX, Ordering::SeqCst);
    cutter.sent.store(0, Ordering::SeqCst);
    succeed(&project, &["publish"]);
    let sent = cutter.sent.load(Ordering::SeqCst);
    assert!(sent < 25_000_000 - (7 << 20), "{sent} bytes: the first part was sent again");
    let listed = follow(&|path| server.object(&format!("host/{path}"))).unwrap();
    assert_eq!(listed.keys().filter(|path| path.ends_with(".rpm")).count(), 4);
}

#[test]
fn a_reader_meets_no_broken_bucket_whenever_forge_is_killed() {
    let server = BucketServer::start();
    let project = project_with_bucket(&server.endpoint());
    succeed(&project, &["apply"]);
    let mut killed = 0;
    for round in 0..12 {
        project.spec("a", &format!("Provides: round({round})"), "true");
        succeed(&project, &["apply", "--offline", "-q"]);
        let mut command = forge_with_credentials(&project, &["publish", "-q"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(25 * round));
        let _ = child.kill();
        killed += usize::from(child.wait().unwrap().code().is_none());
        let listed = follow(&|path| server.object(&format!("host/{path}")));
        assert_eq!(listed.map(|listed| listed.len() > 4), Ok(true), "round {round}");
    }
    assert!(killed > 3, "{killed}");
    succeed(&project, &["publish"]);
    let primary = project.repository().primary();
    assert!(primary.contains("round(11)"));
    for (path, _) in follow(&|path| server.object(&format!("host/{path}"))).unwrap() {
        assert!(project.path().join("public/host").join(&path).exists(), "{path} is of an earlier state");
    }
}
