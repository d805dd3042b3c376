//! Files by URL: specs and source packages, and the sources that specs name.

use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use crate::server::{Answer, Manner, Request, Server};
use crate::support::{Project, spec};

/// A server whose files a test can change.
pub struct Files {
    server: Server,
    files: Arc<Mutex<Vec<(String, Answer)>>>,
}

impl Files {
    pub fn start(files: &[(&str, &[u8])]) -> Self {
        let own = files.iter().map(|(path, content)| ((*path).to_owned(), Answer::ok(*content))).collect();
        let files: Arc<Mutex<Vec<(String, Answer)>>> = Arc::new(Mutex::new(own));
        let shared = Arc::clone(&files);
        let server = Server::start(move |request: &Request| {
            let files = shared.lock().unwrap();
            let found = files.iter().find(|(path, _)| *path == request.path.trim_start_matches('/'));
            found.map_or_else(|| Answer::status(404), |(_, answer)| answer.clone())
        });
        Self { server, files }
    }

    pub fn set(&self, path: &str, answer: Answer) {
        let mut files = self.files.lock().unwrap();
        files.retain(|(known, _)| known != path);
        files.push((path.to_owned(), answer));
    }

    pub fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// How often a path was asked for.
    fn count(&self, path: &str) -> usize {
        self.server.requests().iter().filter(|request| request.path.trim_start_matches('/') == path).count()
    }
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A project with a spec that names a source of the server.
fn with_remote_source(files: &Files) -> Project {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", &format!("Source0: {}", files.url("data-1.txt")), "grep one %{SOURCE0}");
    project
}

#[test]
fn a_source_that_a_spec_names_by_url_is_fetched_once_and_locked() {
    let files = Files::start(&[("data-1.txt", b"one\n")]);
    let project = with_remote_source(&files);
    let run = project.succeed(&["apply"]);
    let sum = sha256(b"one\n");
    assert!(run.stderr.contains(&format!("data-1.txt is locked as it came: sha256:{sum}")), "{}", run.stderr);
    let lock = project.read("Rpmforge.lock");
    let line =
        format!("file \"data-1.txt\" checksum=\"sha256:{sum}\" size=4 url=\"{}\"", files.url("data-1.txt"));
    assert!(lock.contains(&line), "{lock}");
    let again = project.succeed(&["apply"]);
    assert!(!again.stderr.contains("locked as it came"), "{}", again.stderr);
    assert_eq!(files.count("data-1.txt"), 1);
    assert_eq!(project.read("Rpmforge.lock"), lock);
}

#[test]
fn another_machine_gets_what_is_locked_and_nothing_else() {
    let files = Files::start(&[("data-1.txt", b"one\n")]);
    let project = with_remote_source(&files);
    project.succeed(&["apply"]);
    std::fs::remove_dir_all(project.cache()).unwrap();
    project.succeed(&["apply", "--locked"]);
    std::fs::remove_dir_all(project.cache()).unwrap();
    files.set("data-1.txt", Answer::ok("one or another\n"));
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("forge::source::changed_upstream"), "{}", run.stderr);
    assert!(run.stderr.contains("`data-1.txt` is another file than Rpmforge.lock says"), "{}", run.stderr);
    assert!(project.read("Rpmforge.lock").contains(&sha256(b"one\n")));
    project.succeed(&["update", "a"]);
    assert!(project.read("Rpmforge.lock").contains(&sha256(b"one or another\n")));
    project.succeed(&["apply", "--locked"]);
}

#[test]
fn with_a_filled_store_nothing_is_fetched() {
    let files = Files::start(&[("data-1.txt", b"one\n")]);
    let project = with_remote_source(&files);
    let run = project.run(&["apply", "--offline"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("`data-1.txt` is not in the store, and forge is offline"), "{}", run.stderr);
    assert!(run.stderr.contains("forge::source::not_stored"), "{}", run.stderr);
    project.succeed(&["fetch"]);
    files.set("data-1.txt", Answer::status(500));
    project.succeed(&["apply", "--offline", "--locked"]);
    assert_eq!(files.count("data-1.txt"), 1);
}

#[test]
fn what_is_not_locked_is_an_error_where_the_lock_may_not_change() {
    let files = Files::start(&[("data-1.txt", b"one\n")]);
    let project = with_remote_source(&files);
    let run = project.run(&["apply", "--locked"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::source::not_locked"), "{}", run.stderr);
    assert_eq!(files.count("data-1.txt"), 0);
}

#[test]
fn a_checksum_of_the_manifest_counts_before_the_lock() {
    let files = Files::start(&[("data-1.txt", b"one\n")]);
    let project = with_remote_source(&files);
    let manifest = |sum: &str| {
        let url = files.url("data-1.txt");
        format!("package a {{ source path \"a.spec\" {{ file \"{url}\" sha256=\"{sum}\" }} }}\n")
    };
    project.write("Rpmforge.kdl", &(crate::support::host() + &manifest(&sha256(b"two\n"))));
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::source::wrong_checksum"), "{}", run.stderr);
    project.write("Rpmforge.kdl", &(crate::support::host() + &manifest(&sha256(b"one\n"))));
    let run = project.succeed(&["apply", "--locked"]);
    assert!(!run.stderr.contains("locked as it came"), "{}", run.stderr);
}

#[test]
fn a_file_of_the_manifest_may_have_another_name_and_be_at_another_place() {
    let files = Files::start(&[("get", b"one\n")]);
    let url = files.url("get#/data-1.txt");
    let project = Project::with(&format!("package a {{ source path \"a.spec\" {{ file \"{url}\" }} }}\n"));
    project.spec("a", "Source0: https://gone.invalid/data-1.txt", "grep one %{SOURCE0}");
    project.succeed(&["apply"]);
}

#[test]
fn a_spec_comes_with_the_files_beside_it() {
    let text = spec("a", "Source0: data", "grep one %{SOURCE0}");
    let files = Files::start(&[("a.spec", text.as_bytes()), ("x/data", b"one\n")]);
    let (spec_url, data) = (files.url("a.spec"), files.url("x/data"));
    let project = Project::with(&format!("package a {{ source url \"{spec_url}\" \"{data}\" }}\n"));
    project.succeed(&["apply"]);
    assert!(project.read("Rpmforge.lock").contains("source \"a\" kind=\"url\" {"));
    project.succeed(&["apply", "--offline", "--locked"]);
    assert_eq!((files.count("a.spec"), files.count("x/data")), (1, 1));
}

#[test]
fn one_package_that_can_not_be_had_does_not_stop_another() {
    let files = Files::start(&[("b.spec", spec("b", "", "true").as_bytes())]);
    let (a, b) = (files.url("a.spec"), files.url("b.spec"));
    let project =
        Project::with(&format!("package a {{ source url \"{a}\" }}\npackage b {{ source url \"{b}\" }}\n"));
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("the server answers 404"), "{}", run.stderr);
    assert!(run.stderr.contains("forge::source::not_fetched"), "{}", run.stderr);
    assert!(run.stderr.contains("Rpmforge.kdl:"), "{}", run.stderr);
    assert!(run.stderr.contains("1 built") || run.stdout.contains("1 built"), "{}{}", run.stdout, run.stderr);
}

#[test]
fn answers_that_end_early_or_never_leave_nothing() {
    let files = Files::start(&[]);
    let project = with_remote_source(&files);
    files.set("data-1.txt", Answer::ok("one\n").says_length(Some(100)).manner(Manner::CutAfter(2)));
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("`data-1.txt` can't be fetched"), "{}", run.stderr);
    assert!(!project.path().join("Rpmforge.lock").exists());
    files.set("data-1.txt", Answer::ok("one\n"));
    project.succeed(&["apply"]);
}

#[test]
fn an_address_without_the_name_of_a_file_is_refused() {
    let project = Project::with("package a { source url \"http://127.0.0.1:1/\" }\n");
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::source::no_file_name"), "{}", run.stderr);
}

#[test]
fn a_spec_from_elsewhere_is_written_into_the_project_to_be_kept() {
    let text = spec("a", "Source0: https://gone.invalid/big.txt\nPatch0: fix", "grep one %{PATCH0}");
    let files = Files::start(&[("a.spec", text.as_bytes()), ("fix", b"one\n"), ("big.txt", b"big\n")]);
    let urls = ["a.spec", "fix", "big.txt"].map(|path| format!("\"{}\"", files.url(path))).join(" ");
    let project = Project::with(&format!("package a {{ source url {urls} }}\n"));
    let run = project.succeed(&["eject", "a"]);
    let said = "wrote specs/a/a.spec\nwrote specs/a/fix\nleft  big.txt\nnext: `source path \"specs/a/a.spec\"` in `package a`\n";
    assert_eq!(run.stdout, said);
    assert_eq!((project.read("specs/a/a.spec"), project.read("specs/a/fix")), (text, "one\n".to_owned()));
    let again = project.run(&["eject", "a"]);
    assert!(again.code == Some(1) && again.stderr.contains("forge::cli::folder_exists"), "{}", again.stderr);
    project.edit("Rpmforge.kdl", &format!("source url {urls}"), "source path \"specs/a/a.spec\"");
    let own = project.run(&["eject", "a"]);
    assert!(own.code == Some(1) && own.stderr.contains("forge::cli::in_project"), "{}", own.stderr);
    assert!(project.run(&["eject", "b"]).stderr.contains("forge::plan::unknown_package"));
}

/// A spec that names a source elsewhere, `data-1.txt` of a server whose address is put in place of `SERVER` in the manifest.
fn with_source_at(url: &str, more: &str) -> Project {
    let project = Project::with(&format!("{more}package a {{ source path \"pkg/a.spec\" }}\n"));
    project.write("pkg/a.spec", &spec("a", &format!("Source0: {url}"), "grep one %{SOURCE0}"));
    project
}

#[test]
fn a_mirror_is_asked_first_and_the_address_itself_where_it_has_nothing() {
    let (old, new) =
        (Files::start(&[("pub/data-1.txt", b"one\n")]), Files::start(&[("data-1.txt", b"one\n")]));
    let mirror = format!("mirror \"{}\" to=\"{}\"\n", old.url("pub/"), new.url(""));
    let project = with_source_at(&old.url("pub/data-1.txt"), &mirror);
    project.succeed(&["apply"]);
    assert_eq!((old.count("pub/data-1.txt"), new.count("data-1.txt")), (0, 1));
    // The lock is the same wherever it came from.
    let lock = project.read("Rpmforge.lock");
    assert!(lock.contains(&old.url("pub/data-1.txt")) && !lock.contains(&new.url("")), "{lock}");
    new.set("data-1.txt", Answer::status(404));
    let other = with_source_at(&old.url("pub/data-1.txt"), &mirror);
    other.succeed(&["apply"]);
    assert_eq!(old.count("pub/data-1.txt"), 1);
    assert_eq!(other.read("Rpmforge.lock"), lock);
    project.edit("Rpmforge.kdl", &new.url(""), "new.example");
    assert!(project.run(&["check"]).stderr.contains("forge::manifest::wrong_value"));
}

#[test]
fn checksums_that_lie_beside_a_spec_count() {
    let files = Files::start(&[("data-1.txt", b"one\n")]);
    let sum = |content: &[u8]| {
        let digest = <sha2::Sha512 as sha2::Digest>::digest(content);
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let md5 = |content: &[u8]| {
        let digest = <md5::Md5 as md5::Digest>::digest(content);
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let signatures =
        |content: &[u8]| format!("{{\"Signatures\":{{\"data-1.txt\":\"{}\"}}}}", sha256(content));
    let lines = |content: &[u8]| format!("SHA512 (data-1.txt) = {}\n", sum(content));
    let old_lines = |content: &[u8]| format!("{}  data-1.txt\n", md5(content));
    let right: &[u8] = b"one\n";
    for (name, good, bad, code) in [
        ("sources", lines(right), lines(b"two\n"), "forge::source::wrong_checksum"),
        ("sources", old_lines(right), old_lines(b"two\n"), "forge::source::wrong_md5"),
        ("a.signatures.json", signatures(right), signatures(b"two\n"), "forge::source::wrong_checksum"),
    ] {
        let project = with_source_at(&files.url("data-1.txt"), "");
        project.write(&format!("pkg/{name}"), &bad);
        let run = project.run(&["apply"]);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains(code), "{name}: {}", run.stderr);
        project.write(&format!("pkg/{name}"), &good);
        let run = project.succeed(&["apply"]);
        let is_first_use = run.stderr.contains("is locked as it came");
        assert_eq!(is_first_use, good.len() < 60, "{name}: {}", run.stderr);
    }
}

#[test]
fn a_line_of_sources_that_makes_no_sense_leaves_no_file_unchecked() {
    let files = Files::start(&[("data-1.txt", b"one\n")]);
    let project = with_source_at(&files.url("data-1.txt"), "");
    let digest = <sha2::Sha512 as sha2::Digest>::digest(b"one\n");
    let sum = digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    // A digit is missing.
    project.write(
        "pkg/sources",
        &format!("SHA512 (other.txt) = {sum}\n\nSHA512 (data-1.txt) = {}\n", &sum[1..]),
    );
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let shown = run.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(shown.contains("forge::source::sources_line"), "{}", run.stderr);
    assert!(shown.contains("pkg/sources:3: this line names no file with its checksum"), "{}", run.stderr);
    assert!(shown.contains("`SHA512 (FILE) = CHECKSUM`") && shown.contains("`MD5 FILE`"), "{}", run.stderr);
    assert!(!std::fs::exists(project.path().join("Rpmforge.lock")).unwrap());
    project.write("pkg/sources", &format!("SHA512 (data-1.txt) = {sum}\n"));
    project.succeed(&["apply"]);
}

#[test]
fn who_asks_is_taken_from_netrc_and_stays_secret() {
    use std::os::unix::fs::PermissionsExt;

    let server = Server::start(|request| match request.headers.get("authorization") {
        // `me:s3cr3t-word`
        Some(said) if said == "Basic bWU6czNjcjN0LXdvcmQ=" => Answer::ok("one\n"),
        _ => Answer::status(401),
    });
    let project = with_source_at(&server.url("data-1.txt"), "");
    let netrc = project.beside(".netrc");
    std::fs::write(&netrc, "machine 127.0.0.1 login me password s3cr3t-word\n").unwrap();
    let set_mode = |mode| std::fs::set_permissions(&netrc, std::fs::Permissions::from_mode(mode)).unwrap();
    set_mode(0o644);
    let run = project.run(&["apply"]);
    assert!(run.stderr.contains("others may read it") && run.code == Some(1), "{}", run.stderr);
    set_mode(0o600);
    let run = project.succeed(&["apply", "-v"]);
    assert!(!(run.stdout + &run.stderr).contains("s3cr3t"));
    std::fs::remove_file(&netrc).unwrap();
    // Nothing that is written anywhere has it.
    let mut open = vec![project.path(), project.cache()];
    let mut files = 0;
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                files += 1;
                let bytes = std::fs::read(entry.path()).unwrap();
                for secret in [b"s3cr3t-word".as_slice(), b"bWU6czNjcjN0LXdvcmQ="] {
                    let has_it = bytes.windows(secret.len()).any(|part| part == secret);
                    assert!(!has_it, "{}", entry.path().display());
                }
            }
        }
    }
    assert!(files > 5);
}
