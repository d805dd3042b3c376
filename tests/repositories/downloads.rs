//! Files from servers that work and servers that don't.

use std::cell::RefCell;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use miette::Diagnostic;
use rpmforge::digest::{Checksum, ChecksumAlgorithm};
use rpmforge::fetch::{
    Address, Client, ClientSettings, Download, DownloadOutcome, Downloads, FetchError, Progress, Proxies,
    Validators,
};
use rpmforge::files::{Folder, HostPath};
use rpmforge::process::Cancel;
use tempfile::TempDir;

use crate::server::{Answer, Manner, Server};

const CONTENT: &[u8] = b"the content of a package, long enough to be cut somewhere in its middle";

/// Gives up soon.
pub fn impatient() -> ClientSettings {
    ClientSettings {
        speed_window: Duration::from_millis(300),
        retries: 2,
        first_pause: Duration::from_millis(1),
        ..ClientSettings::default()
    }
}

/// A folder to fetch into, and what is told on the way.
struct Target {
    _temp: TempDir,
    folder: Folder,
    cancel: Cancel,
    progress: RefCell<Vec<Progress>>,
}

impl Target {
    fn new() -> Self {
        let temp = TempDir::new().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        Self { _temp: temp, folder, cancel: Cancel::default(), progress: RefCell::default() }
    }

    fn fetch(&self, file: Download) -> Result<DownloadOutcome, FetchError> {
        let client = Client::new(impatient(), Proxies::default()).unwrap();
        let progress = |progress| self.progress.borrow_mut().push(progress);
        client.download(file, Downloads { folder: &self.folder, cancel: &self.cancel, progress: &progress })
    }

    fn files(&self) -> Vec<String> {
        self.folder.entries().unwrap().into_iter().map(|entry| entry.name).collect()
    }

    /// The error of a download that leaves nothing behind.
    #[track_caller]
    fn refused(&self, file: Download) -> FetchError {
        let error = self.fetch(file).unwrap_err();
        assert!(self.files().is_empty(), "{:?}", self.files());
        assert!(error.help().is_some());
        error
    }
}

fn from(urls: &[String]) -> Download {
    Download {
        file: "file".to_owned(),
        addresses: urls.iter().map(|url| Address::parse(url).unwrap()).collect(),
        checksums: vec![sha256(CONTENT)],
        size: Some(CONTENT.len() as u64),
        most_bytes: 1000,
        known: None,
        accept: None,
    }
}

/// One of which nothing is known.
fn unknown(url: String) -> Download {
    Download { checksums: Vec::new(), size: None, ..from(&[url]) }
}

fn sha256(content: &[u8]) -> Checksum {
    Checksum::compute(ChecksumAlgorithm::Sha256, content)
}

#[track_caller]
fn assert_code(error: &FetchError, code: &str) {
    assert_eq!(error.code().map(|code| code.to_string()).as_deref(), Some(code), "{error}");
}

#[test]
fn a_file_comes_whole_and_its_bytes_are_counted() {
    let server = Server::start(|_| Answer::ok(CONTENT).header("ETag", "\"1\""));
    let target = Target::new();
    let DownloadOutcome::Came(came) = target.fetch(from(&[server.url("a?b=c")])).unwrap() else {
        panic!("unchanged")
    };
    assert_eq!((came.size, came.validators.etag.as_deref()), (CONTENT.len() as u64, Some("\"1\"")));
    assert_eq!(
        (target.folder.read("file").unwrap(), target.files()),
        (CONTENT.to_vec(), vec!["file".to_owned()])
    );
    let bytes = CONTENT.len() as u64;
    let end = Progress { bytes, total_bytes: bytes, files: 1, total_files: 1, waiting_seconds: 0 };
    assert_eq!(target.progress.borrow().last(), Some(&end));
}

#[test]
fn a_file_that_is_still_as_it_was_does_not_come_again() {
    let server = Server::start(|request| match request.headers.get("if-none-match") {
        Some(tag) if tag == "\"1\"" => Answer::status(304),
        _ => Answer::ok(CONTENT),
    });
    let known = |etag: &str| Some(Validators { etag: Some(etag.to_owned()), last_modified: None });
    let target = Target::new();
    assert_eq!(
        target.fetch(Download { known: known("\"1\""), ..unknown(server.url("")) }).unwrap(),
        DownloadOutcome::Unchanged
    );
    assert!(target.files().is_empty());
    let came = target.fetch(Download { known: known("\"0\""), ..unknown(server.url("")) }).unwrap();
    assert!(matches!(came, DownloadOutcome::Came(_)));
}

#[test]
fn a_wrong_checksum_is_refused_and_nothing_is_kept() {
    let changed: Vec<u8> = CONTENT.iter().map(u8::to_ascii_uppercase).collect();
    let server = Server::start(move |_| Answer::ok(changed.clone()));
    let error = Target::new().refused(from(&[server.url("")]));
    assert_code(&error, "forge::fetch::checksum");
    assert!(error.to_string().contains(sha256(CONTENT).hex()));
    assert_eq!(server.paths().len(), 1, "a file that is another one is not asked for again");
}

#[test]
fn a_mirror_that_has_another_file_is_left_for_the_next() {
    let (wrong, missing) = (Server::start(|_| Answer::ok("wrong")), Server::start(|_| Answer::status(404)));
    let right = Server::start(|_| Answer::ok(CONTENT));
    let target = Target::new();
    target.fetch(from(&[wrong.url(""), missing.url(""), right.url("")])).unwrap();
    assert_eq!(target.folder.read("file").unwrap(), CONTENT);
    let error = Target::new().refused(from(&[wrong.url(""), missing.url("")]));
    assert_code(&error, "forge::fetch::no_mirror");
    let attempts: Vec<String> =
        error.related().unwrap().map(|attempt| attempt.code().unwrap().to_string()).collect();
    assert_eq!(attempts, ["forge::fetch::status", "forge::fetch::length"]);
}

#[test]
fn a_mirror_that_stalls_is_left_for_the_next() {
    let stalls = Server::start(|_| Answer::ok(CONTENT).manner(Manner::StallAfter(10)));
    let silent = Server::start(|_| Answer::ok(CONTENT).manner(Manner::StallAfter(0)));
    let right = Server::start(|_| Answer::ok(CONTENT));
    let target = Target::new();
    target.fetch(from(&[stalls.url(""), silent.url(""), right.url("")])).unwrap();
    assert_eq!(target.folder.read("file").unwrap(), CONTENT);
    assert_code(&Target::new().refused(from(&[stalls.url("")])), "forge::fetch::slow");
}

#[test]
fn a_mirror_that_answers_slowly_is_left_for_the_next() {
    let slow = Server::start(|_| Answer::ok(CONTENT).manner(Manner::Slow));
    let right = Server::start(|_| Answer::ok(CONTENT));
    let target = Target::new();
    target.fetch(from(&[slow.url(""), right.url("")])).unwrap();
    assert_eq!(target.folder.read("file").unwrap(), CONTENT);
    assert_code(&Target::new().refused(from(&[slow.url("")])), "forge::fetch::slow");
}

#[test]
fn a_mirror_that_lies_about_the_length_is_left() {
    let lies = [
        // Says less than it should have, or more.
        Answer::ok(&CONTENT[..20]),
        Answer::ok([CONTENT, b"more"].concat()),
        // Says no length, and sends more or less.
        Answer::ok([CONTENT, b"more"].concat()).says_length(None),
        Answer::ok(&CONTENT[..20]).says_length(None),
    ];
    for lie in lies {
        let server = Server::start(move |_| lie.clone());
        let target = Target::new();
        assert_code(&target.refused(from(&[server.url("")])), "forge::fetch::length");
        let right = Server::start(|_| Answer::ok(CONTENT));
        target.fetch(from(&[server.url(""), right.url("")])).unwrap();
        assert_eq!(target.folder.read("file").unwrap(), CONTENT);
    }
}

#[test]
fn a_file_without_end_is_cut_off_at_what_it_may_have() {
    let server = Server::start(|_| Answer::ok(CONTENT).says_length(None).manner(Manner::Endless));
    assert_code(&Target::new().refused(unknown(server.url(""))), "forge::fetch::too_large");
    let boaster = Server::start(|_| Answer::ok(CONTENT).says_length(Some(u64::MAX / 2)));
    assert_code(&Target::new().refused(unknown(boaster.url(""))), "forge::fetch::too_large");
}

#[test]
fn a_download_that_was_cut_goes_on_where_it_stopped() {
    let server = Server::start(|request| {
        let answer = Answer::tagged(request, CONTENT, "\"1\"");
        if request.earlier == 0 { answer.manner(Manner::CutAfter(30)) } else { answer }
    });
    let target = Target::new();
    target.fetch(from(&[server.url("")])).unwrap();
    assert_eq!(target.folder.read("file").unwrap(), CONTENT);
    let second = &server.requests()[1];
    assert_eq!(second.headers["range"], "bytes=30-");
    assert_eq!(second.headers["if-range"], "\"1\"");
}

#[test]
fn a_run_goes_on_where_an_earlier_one_stopped_and_not_if_the_file_is_another_one_now() {
    for etag in ["\"1\"", "\"2\""] {
        let server = Server::start(move |request| match request.headers.contains_key("range") {
            false if request.path == "/" => {
                Answer::tagged(request, CONTENT, "\"1\"").manner(Manner::CutAfter(30))
            }
            _ => Answer::tagged(request, CONTENT, etag),
        });
        let target = Target::new();
        let settings = ClientSettings { retries: 0, ..impatient() };
        let client = Client::new(settings, Proxies::default()).unwrap();
        let around = Downloads { folder: &target.folder, cancel: &target.cancel, progress: &|_| {} };
        let error = client.download(from(&[server.url("")]), around).unwrap_err();
        assert_code(&error, "forge::fetch::connection");
        let part = format!("sha256-{}.part", sha256(CONTENT).hex());
        assert_eq!(target.files(), [part.clone(), part + "-of"]);
        target.fetch(from(&[server.url("")])).unwrap();
        assert_eq!(target.folder.read("file").unwrap(), CONTENT);
        assert_eq!(target.files(), ["file"]);
        assert_eq!(server.requests().last().unwrap().headers["range"], "bytes=30-");
    }
}

#[test]
fn what_an_earlier_run_left_damaged_does_no_harm() {
    let server = Server::start(|request| match request.headers.contains_key("range") {
        false if request.earlier == 0 => {
            Answer::tagged(request, CONTENT, "\"1\"").manner(Manner::CutAfter(30))
        }
        _ => Answer::tagged(request, CONTENT, "\"1\""),
    });
    let target = Target::new();
    let client = Client::new(ClientSettings { retries: 0, ..impatient() }, Proxies::default()).unwrap();
    let around = Downloads { folder: &target.folder, cancel: &target.cancel, progress: &|_| {} };
    client.download(from(&[server.url("")]), around).unwrap_err();
    let part = target.files().remove(0);
    target.folder.write_atomic(&part, b"not what came before").unwrap();
    target.fetch(from(&[server.url("")])).unwrap();
    assert_eq!(target.folder.read("file").unwrap(), CONTENT);
}

#[test]
fn a_weak_tag_is_nothing_to_go_on_by() {
    let server = Server::start(|request| {
        let answer = Answer::tagged(request, CONTENT, "W/\"1\"");
        if request.earlier == 0 { answer.manner(Manner::CutAfter(30)) } else { answer }
    });
    Target::new().fetch(from(&[server.url("")])).unwrap();
    assert!(!server.requests()[1].headers.contains_key("range"));
}

#[test]
fn a_server_that_is_overloaded_is_asked_again() {
    let server = Server::start(|request| match request.earlier {
        0 => Answer::status(503),
        1 => Answer::status(429),
        _ => Answer::ok(CONTENT),
    });
    Target::new().fetch(from(&[server.url("")])).unwrap();
    assert_eq!(server.paths().len(), 3);
    let server = Server::start(|_| Answer::status(500));
    let error = Target::new().refused(from(&[server.url("")]));
    assert_code(&error, "forge::fetch::status");
    assert_eq!((server.paths().len(), error.to_string().contains("500")), (3, true));
}

#[test]
fn redirections_are_followed_but_not_in_circles() {
    let server = Server::start(|request| match request.path.as_str() {
        "/circle" => Answer::redirect("/circle"),
        "/file" => Answer::redirect("file:///etc/passwd"),
        "/one" => Answer::redirect("/two"),
        _ => Answer::ok(CONTENT),
    });
    Target::new().fetch(from(&[server.url("one")])).unwrap();
    for path in ["circle", "file"] {
        assert_code(&Target::new().refused(from(&[server.url(path)])), "forge::fetch::redirect");
    }
}

#[test]
fn a_password_is_sent_and_never_shown() {
    let server = Server::start(|request| match request.headers.contains_key("authorization") {
        true => Answer::ok("wrong"),
        false => Answer::status(401),
    });
    let url = server.url("a").replace("http://", "http://me:hunter2@");
    let error = Target::new().refused(from(&[url.clone(), url.replace("127.0.0.1", "127.0.0.1.")]));
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("me:"), "{shown}");
    assert!(server.requests()[0].headers.contains_key("authorization"));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let error = Target::new().refused(from(&["http://127.0.0.1:1/a".to_owned()]));
    assert_code(&error, "forge::fetch::connection");
    assert!(error.to_string().starts_with("http://127.0.0.1:1/a: no connection: "), "{error}");
}

#[test]
fn files_of_this_machine_are_copied_and_checked() {
    let source = TempDir::new().unwrap();
    let url = |name: &str| format!("file://{}/{name}", source.path().display());
    std::fs::write(source.path().join("right"), CONTENT).unwrap();
    std::fs::write(source.path().join("wrong"), CONTENT.to_ascii_uppercase()).unwrap();
    let target = Target::new();
    target.fetch(from(&[url("missing"), url("wrong"), url("right")])).unwrap();
    assert_eq!(target.folder.read("file").unwrap(), CONTENT);
    assert_code(&Target::new().refused(from(&[url("wrong")])), "forge::fetch::checksum");
    assert_code(&Target::new().refused(from(&[url("missing")])), "forge::fetch::local");
    assert_code(&Target::new().refused(from(&[url("")])), "forge::fetch::local");
}

#[test]
fn what_is_no_address_to_fetch_from_is_refused_by_name() {
    for (text, code) in [
        ("ftp://mirror.example/", "forge::fetch::scheme"),
        ("mirror.example/os", "forge::fetch::address"),
        ("https://mirror.example/a\nb", "forge::fetch::address"),
    ] {
        assert_code(&Address::parse(text).unwrap_err(), code);
    }
    let value = |name: &str| (name == "http_proxy").then(|| "socks5://proxy.example".to_owned());
    let error = Client::new(impatient(), Proxies::from_environment(value)).err().unwrap();
    assert_code(&error, "forge::fetch::proxy");
    assert_code(&Target::new().refused(from(&[])), "forge::fetch::no_address");
}

#[test]
fn a_proxy_of_the_environment_is_asked_but_not_for_what_no_proxy_names() {
    let proxy = Server::start(|_| Answer::ok(CONTENT));
    let direct = Server::start(|_| Answer::ok(CONTENT));
    let url = proxy.url("");
    let value = move |name: &str| match name {
        "http_proxy" => Some(url.clone()),
        "no_proxy" => Some("127.0.0.1".to_owned()),
        _ => None,
    };
    let client = Client::new(impatient(), Proxies::from_environment(value)).unwrap();
    let target = Target::new();
    let around = Downloads { folder: &target.folder, cancel: &target.cancel, progress: &|_| {} };
    client.download(from(&["http://mirror.example/a".to_owned()]), around).unwrap();
    client.download(from(&[direct.url("b")]), around).unwrap();
    assert_eq!(
        (proxy.paths(), direct.paths()),
        (vec!["http://mirror.example/a".to_owned()], vec!["/b".to_owned()])
    );
}

#[test]
fn a_download_that_is_called_off_ends_at_once() {
    let server = Server::start(|_| Answer::ok(CONTENT).manner(Manner::StallAfter(10)));
    let target = Target::new();
    let patient = ClientSettings { speed_window: Duration::from_secs(600), ..impatient() };
    let client = Client::new(patient, Proxies::default()).unwrap();
    let cancel = &target.cancel;
    let progress = |progress: Progress| {
        if progress.bytes == 10 {
            cancel.cancel();
        }
    };
    let around = Downloads { folder: &target.folder, cancel, progress: &progress };
    let error = client.download(from(&[server.url("")]), around).unwrap_err();
    assert_code(&error, "forge::fetch::canceled");
    assert!(target.files().is_empty());
}

#[test]
fn many_files_come_at_once_but_not_more_than_a_machine_may_be_asked_for() {
    static AT_ONCE: Mutex<(i32, i32)> = Mutex::new((0, 0));
    let server = Server::start(|_| {
        {
            let mut at_once = AT_ONCE.lock().unwrap();
            at_once.0 += 1;
            at_once.1 = at_once.1.max(at_once.0);
        }
        std::thread::sleep(Duration::from_millis(20));
        AT_ONCE.lock().unwrap().0 -= 1;
        Answer::ok(CONTENT)
    });
    let client = Client::new(ClientSettings { most_per_host: 3, ..impatient() }, Proxies::default()).unwrap();
    let target = Target::new();
    let around = Downloads { folder: &target.folder, cancel: &target.cancel, progress: &|_| {} };
    let file = |index: usize| Download { file: format!("file{index}"), ..from(&[server.url("")]) };
    let mut done = Vec::new();
    client.download_all((0..20).map(file).collect(), around, |index, outcome| {
        outcome.unwrap();
        done.push(index);
    });
    done.sort_unstable();
    assert_eq!((done, target.files().len()), ((0..20).collect(), 20));
    let most = AT_ONCE.lock().unwrap().1;
    assert!((2..=3).contains(&most), "{most}");
}

#[test]
fn servers_with_certificates_are_believed_and_never_lead_to_unprotected_ones() {
    let plain = Server::start(|_| Answer::ok(CONTENT));
    let elsewhere = plain.url("");
    let (server, certificate) = Server::start_tls(move |request| match request.path.as_str() {
        "/away" => Answer::redirect(&elsewhere),
        _ => Answer::ok(CONTENT),
    });
    let target = Target::new();
    let around = Downloads { folder: &target.folder, cancel: &target.cancel, progress: &|_| {} };
    let client = Client::with_certificates(impatient(), Proxies::default(), &[certificate]).unwrap();
    client.download(from(&[server.url("")]), around).unwrap();
    assert_eq!(target.folder.read("file").unwrap(), CONTENT);
    let error = client.download(from(&[server.url("away")]), around).unwrap_err();
    assert_code(&error, "forge::fetch::redirect");
    assert!(plain.paths().is_empty() && error.to_string().contains("from https to http"), "{error}");
    // Nobody vouches for it where the certificate is not known.
    let error = Target::new().refused(from(&[server.url("")]));
    assert_code(&error, "forge::fetch::connection");
    let none = Client::with_certificates(impatient(), Proxies::default(), &[b"none".to_vec()]);
    assert_code(&none.err().unwrap(), "forge::fetch::client");
}

#[test]
fn a_server_that_says_when_it_wants_to_be_asked_again_is_left_alone_until_then() {
    let server = Server::start(|request| match request.earlier {
        0 => Answer::status(429).header("Retry-After", "1"),
        _ => Answer::ok(CONTENT),
    });
    let target = Target::new();
    let begun = Instant::now();
    target.fetch(from(&[server.url("a")])).unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    let waits = target.progress.borrow().iter().map(|progress| progress.waiting_seconds).max();
    assert_eq!(waits, Some(1));
    // Who would have to wait too long is told.
    let busy = Server::start(|_| Answer::status(503).header("Retry-After", "3600"));
    let error = Target::new().refused(from(&[busy.url("a")]));
    assert_code(&error, "forge::fetch::retry_later");
    assert!(error.to_string().ends_with("wants to be asked again in 3600 seconds"), "{error}");
    assert_eq!(busy.paths().len(), 1);
    // Another server that has it is not waited for.
    let begun = Instant::now();
    Target::new().fetch(from(&[busy.url("a"), server.url("a")])).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[test]
fn all_files_of_a_server_wait_that_wants_to_be_left_alone() {
    let server = Server::start(|request| match (request.path.as_str(), request.earlier) {
        ("/first", 0) => Answer::status(503).header("Retry-After", "1"),
        _ => Answer::ok(CONTENT),
    });
    let client = Client::new(ClientSettings { most_per_host: 1, ..impatient() }, Proxies::default()).unwrap();
    let target = Target::new();
    let around = Downloads { folder: &target.folder, cancel: &target.cancel, progress: &|_| {} };
    let file = |path: &str| Download { file: path.to_owned(), ..from(&[server.url(path)]) };
    client.download(file("first"), around).unwrap();
    let begun = Instant::now();
    client.download(file("other"), around).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "the time is over");
    assert_eq!(server.paths(), ["/first", "/first", "/other"]);
}
