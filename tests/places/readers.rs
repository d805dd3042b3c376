//! Clients that read all the time, over HTTP and from a bucket, while forge publishes.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::bucket_server::{BucketServer, project_with_bucket};
use crate::buckets::succeed;
use crate::http::get;
use crate::repository_client::follow;
use crate::served::Served;

/// Reads files of a repository.
type ReadFile<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// Half of the updates are made without a signature, half with one.
const UPDATES: usize = 200;

#[test]
fn clients_of_a_server_and_of_a_bucket_never_meet_a_broken_state_while_200_updates_are_published() {
    let bucket = BucketServer::start();
    let project = project_with_bucket(&bucket.endpoint());
    let key =
        ["keys", "new", "acme", "--user", "Acme <acme@example.org>", "--kind", "ed25519", "--no-passphrase"];
    project.succeed(&key);
    let keyring = Keyring::with(&project.succeed(&["keys", "export", "acme"]).stdout);
    succeed(&project, &["apply"]);
    let server = Served::start(&project, "public/host");
    let (is_signed, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
    let read_on = |read: ReadFile<'_>, times: &AtomicUsize| {
        while !is_over.load(Ordering::Relaxed) {
            let is_signed = is_signed.load(Ordering::Relaxed);
            let listed = follow(read)?;
            if listed.len() < 5 {
                return Err(format!("only {} files", listed.len()));
            }
            if is_signed {
                keyring.check(read)?;
            }
            times.fetch_add(1, Ordering::Relaxed);
            // Leaves the processors to those who publish.
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok::<(), String>(())
    };
    let (by_http, by_bucket) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let readers = [
            scope.spawn(|| read_on(&|path| get(server.address, &format!("/{path}")), &by_http)),
            scope.spawn(|| read_on(&|path| bucket.object(&format!("host/{path}")), &by_bucket)),
        ];
        for round in 0..UPDATES {
            if round == UPDATES / 2 {
                project.edit("Rpmforge.kdl", "{ to ", "{ sign name=acme; to ");
                succeed(&project, &["apply", "-q"]);
                is_signed.store(true, Ordering::Relaxed);
            }
            // Each of a few states comes again and again; some are new.
            let state = if round % 10 == 9 { round } else { round % 2 };
            project.spec("a", &format!("Provides: round({state})"), "true");
            succeed(&project, &["apply", "-q"]);
            if readers.iter().any(std::thread::ScopedJoinHandle::is_finished) {
                break;
            }
        }
        is_over.store(true, Ordering::Relaxed);
        let [by_http, by_bucket] = readers.map(|reader| reader.join().unwrap());
        assert_eq!((by_http, by_bucket), (Ok(()), Ok(())));
    });
    let counts = (by_http.into_inner(), by_bucket.into_inner());
    assert!(counts.0 > UPDATES && counts.1 > UPDATES / 4, "{counts:?}");
}

/// A user of gpg who knows one key.
struct Keyring(TempDir);

impl Keyring {
    fn with(key: &str) -> Self {
        let keyring = Self(TempDir::new().unwrap());
        fs::write(keyring.0.path().join("key"), key).unwrap();
        assert!(keyring.gpg(&["--import", "key"]));
        keyring
    }

    fn gpg(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--quiet", "--no-autostart"]).args(arguments).current_dir(self.0.path());
        command.env("GNUPGHOME", self.0.path()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().unwrap().success()
    }

    /// Checks the signature of `repomd.xml`. That and its signature are two files, and can't be replaced in one step: who
    /// reads them just then reads them again.
    fn check(&self, read: ReadFile<'_>) -> Result<(), String> {
        let folder = TempDir::new().unwrap();
        let named = |name: &str| Path::new(folder.path()).join(name);
        for _ in 0..20 {
            let repomd = read("repodata/repomd.xml").ok_or("no repomd.xml")?;
            let signature = read("repodata/repomd.xml.asc").ok_or("no signature")?;
            fs::write(named("repomd"), repomd).unwrap();
            fs::write(named("asc"), signature).unwrap();
            let files = [named("asc"), named("repomd")].map(|path| path.to_str().unwrap().to_owned());
            if self.gpg(&["--verify", &files[0], &files[1]]) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err("the signature is that of another file".to_owned())
    }
}
