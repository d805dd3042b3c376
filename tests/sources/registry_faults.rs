//! What a registry, or whoever stands between, may do wrong: of all four the same is asked, one after another at one server each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use sha2::{Digest, Sha256, Sha512};

use crate::registries::{gzip, hex};
use crate::server::{Answer, Manner, Request, Server};
use crate::support::{Project, Run};

const KINDS: [&str; 4] = ["pypi", "rubygems", "crates", "npm"];

/// What an archive has beyond what its kind of package needs.
#[derive(Clone, Copy)]
enum Extra<'a> {
    /// A file that makes it another archive.
    File(&'a [u8]),
    /// A file with this path, as it is.
    Path(&'a str),
    /// A symbolic link that leads there.
    Link(&'a str),
}

/// A `.tar.gz` of files, with something that may not belong there.
fn archive(files: &[(&str, &str)], top: &str, extra: Extra<'_>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut append = |path: &str, target: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        // As they are: the checked way refuses what some of these are for.
        let old = header.as_old_mut();
        old.name[..path.len()].copy_from_slice(path.as_bytes());
        old.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(if target.is_empty() {
            tar::EntryType::Regular
        } else {
            tar::EntryType::Symlink
        });
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    };
    for (path, content) in files {
        append(&format!("{top}/{path}"), "", content.as_bytes());
    }
    match extra {
        Extra::File(content) => append(&format!("{top}/extra"), "", content),
        Extra::Path(path) => append(path, "", b""),
        Extra::Link(target) => append(&format!("{top}/link"), target, b""),
    }
    gzip(&builder.into_inner().unwrap())
}

/// The file of a package.
fn package(kind: &str, name: &str, version: &str, extra: Extra<'_>) -> Vec<u8> {
    let top = if kind == "npm" { "package".to_owned() } else { format!("{name}-{version}") };
    let archived = |files: &[(&str, &str)]| archive(files, &top, extra);
    match kind {
        "pypi" => {
            let info = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
            archived(&[("PKG-INFO", &info), ("thing.py", "")])
        }
        "rubygems" => {
            let metadata = format!(
                "--- !ruby/object:Gem::Specification\nname: {name}\nversion: !ruby/object:Gem::Version\n  version: {version}\nfiles:\n- lib/thing.rb\n"
            );
            let mut gem = tar::Builder::new(Vec::new());
            for (path, content) in [
                ("metadata.gz", gzip(metadata.as_bytes())),
                ("data.tar.gz", archived(&[("lib/thing.rb", "")])),
            ] {
                let mut header = tar::Header::new_gnu();
                header.set_size(content.len() as u64);
                header.set_mode(0o644);
                gem.append_data(&mut header, path, content.as_slice()).unwrap();
            }
            gem.into_inner().unwrap()
        }
        "crates" => {
            let manifest = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\n");
            archived(&[("Cargo.toml", &manifest), ("Cargo.lock", "version = 4\n"), ("src/main.rs", "")])
        }
        _ => {
            let json = format!("{{\"name\":\"{name}\",\"version\":\"{version}\"}}");
            archived(&[("package.json", &json), ("index.js", "")])
        }
    }
}

/// What decides about a request before the files do.
type Fault = Box<dyn Fn(&Request) -> Option<Answer> + Send>;

/// A registry that has one package, `thing`, and that can be made to fail.
struct Registry {
    kind: &'static str,
    server: Server,
    certificate: Option<Vec<u8>>,
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl Registry {
    fn new(kind: &'static str) -> Self {
        Self::start(kind, false)
    }

    fn start(kind: &'static str, is_tls: bool) -> Self {
        let files: Arc<Mutex<BTreeMap<String, Vec<u8>>>> = Arc::default();
        let fault: Arc<Mutex<Option<Fault>>> = Arc::default();
        let (known, faulty) = (Arc::clone(&files), Arc::clone(&fault));
        let answer = move |request: &Request| {
            let fault = faulty.lock().unwrap();
            let wrong = fault.as_ref().and_then(|fault| fault(request));
            let path = request.path.trim_start_matches('/');
            let found = || known.lock().unwrap().get(path).cloned();
            wrong.unwrap_or_else(|| found().map_or_else(|| Answer::status(404), Answer::ok))
        };
        let (server, certificate) = match is_tls {
            true => {
                let (server, certificate) = Server::start_tls(answer);
                (server, Some(certificate))
            }
            false => (Server::start(answer), None),
        };
        let registry = Self { kind, server, certificate, files, fault };
        registry.put("config.json", format!("{{\"dl\":\"{}\"}}", registry.server.url("dl")).as_bytes());
        registry.offer(&registry.package(Extra::File(b"one")));
        registry
    }

    fn package(&self, extra: Extra<'_>) -> Vec<u8> {
        package(self.kind, "thing", "1.0.0", extra)
    }

    fn put(&self, path: &str, content: &[u8]) {
        self.files.lock().unwrap().insert(path.to_owned(), content.to_owned());
    }

    /// Has a file, and an index that says so.
    fn offer(&self, content: &[u8]) {
        self.list("1.0.0", content);
        self.put(self.path(), content);
    }

    /// What the index says: a version, and what its file is.
    fn list(&self, version: &str, content: &[u8]) {
        let sum = hex(&Sha256::digest(content));
        let document = match self.kind {
            "pypi" => {
                let file = format!("thing-{version}.tar.gz");
                format!("<a href=\"/{}#sha256={sum}\">{file}</a>\n", self.path())
            }
            "rubygems" => format!("---\n{version} |checksum:{sum}\n"),
            "crates" => format!(
                "{{\"name\":\"thing\",\"vers\":\"{version}\",\"cksum\":\"{sum}\",\"yanked\":false}}\n"
            ),
            _ => {
                let integrity = base64::prelude::BASE64_STANDARD.encode(Sha512::digest(content));
                let dist = serde_json::json!({ "tarball": self.server.url(self.path()), "integrity": format!("sha512-{integrity}") });
                serde_json::json!({ "dist-tags": { "latest": version }, "versions": { version: { "dist": dist } } }).to_string()
            }
        };
        self.put(self.index(), document.as_bytes());
    }

    /// Where the index has what it says of the package.
    fn index(&self) -> &'static str {
        match self.kind {
            "pypi" => "simple/thing/",
            "rubygems" => "info/thing",
            "crates" => "th/in/thing",
            _ => "thing",
        }
    }

    /// Where the package's file is.
    fn path(&self) -> &'static str {
        match self.kind {
            "pypi" => "files/thing-1.0.0.tar.gz",
            "rubygems" => "gems/thing-1.0.0.gem",
            "crates" => "dl/thing/1.0.0/download",
            _ => "thing/-/thing-1.0.0.tgz",
        }
    }

    /// What the file is called here.
    fn file(&self) -> &'static str {
        match self.kind {
            "crates" => "thing-1.0.0.crate",
            _ => self.path().rsplit('/').next().unwrap(),
        }
    }

    /// Answers otherwise where this path is asked for.
    fn fail(&self, path: &'static str, fault: impl Fn(&Request) -> Option<Answer> + Send + 'static) {
        let is_meant = move |request: &Request| request.path.trim_start_matches('/') == path;
        *self.fault.lock().unwrap() =
            Some(Box::new(move |request| is_meant(request).then(|| fault(request)).flatten()));
    }

    fn recover(&self) {
        *self.fault.lock().unwrap() = None;
    }

    fn project(&self) -> Project {
        let index = self.server.url(if self.kind == "pypi" { "simple" } else { "" });
        Project::with(&format!("package x {{ source {} thing registry=\"{index}\" }}\n", self.kind))
    }

    fn fetch(&self, project: &Project) -> Run {
        let mut command = project.forge(&["fetch"]);
        if let Some(certificate) = &self.certificate {
            let path = project.beside("certificate.pem");
            fs::write(&path, certificate).unwrap();
            command.env("SSL_CERT_FILE", path);
        }
        Run::from(command.output().unwrap())
    }

    /// Fetches, and expects that it is refused in these words; with what was said.
    #[track_caller]
    fn refused(&self, project: &Project, words: &[&str]) -> String {
        let run = self.fetch(project);
        let shown = run.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(shown.contains(word), "{}: no {word:?} in {}", self.kind, run.stderr);
        }
        assert_eq!(run.code, Some(1), "{}: {}", self.kind, run.stderr);
        assert!(specs(project) == 0, "{}: {}", self.kind, run.stderr);
        shown
    }

    /// Fetches, and expects that a spec is made, whether this machine can build it or not.
    #[track_caller]
    fn taken(&self, project: &Project) {
        let run = self.fetch(project);
        assert!(specs(project) == 1, "{}: {}", self.kind, run.stderr);
    }
}

/// Does the same with each registry, at the same time: most of it is waiting.
fn with_each(act: impl Fn(&Registry) + Sync) {
    thread::scope(|scope| {
        for kind in KINDS {
            let act = &act;
            scope.spawn(move || act(&Registry::new(kind)));
        }
    });
}

/// How many specs were made.
fn specs(project: &Project) -> usize {
    count_files(&project.path().join(".forge/sources"), &|path| {
        path.extension().is_some_and(|end| end == "spec")
    })
}

/// How many files of the store hold just this.
fn stored(project: &Project, content: &[u8]) -> usize {
    count_files(&project.cache(), &|path| fs::read(path).is_ok_and(|found| found == content))
}

fn count_files(folder: &Path, is_meant: &dyn Fn(&Path) -> bool) -> usize {
    let (mut open, mut count) = (vec![folder.to_owned()], 0);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            match kind.is_dir() {
                true => open.push(path),
                false => count += usize::from(kind.is_file() && is_meant(&path)),
            }
        }
    }
    count
}

#[test]
fn a_file_that_is_not_what_the_index_says_never_enters_the_store() {
    with_each(|registry| {
        let other = registry.package(Extra::File(b"other"));
        registry.put(registry.path(), &other);
        let project = registry.project();
        registry.refused(&project, &[&format!("`{}`", registry.file()), "its checksum is"]);
        assert_eq!(stored(&project, &other), 0);
    });
}

#[test]
fn a_file_that_was_changed_with_its_index_is_refused_until_an_update() {
    with_each(|registry| {
        let project = registry.project();
        registry.taken(&project);
        let lock = project.read("Rpmforge.lock");
        for folder in [project.cache(), project.path().join(".forge")] {
            fs::remove_dir_all(folder).unwrap();
        }
        let other = registry.package(Extra::File(b"other"));
        registry.offer(&other);
        let named = format!("`{}` is another file than Rpmforge.lock says", registry.file());
        registry.refused(&project, &["forge::source::changed_upstream", &named, "`forge update x`"]);
        assert_eq!((project.read("Rpmforge.lock"), stored(&project, &other)), (lock.clone(), 0));
        project.run(&["update", "x"]);
        assert_ne!(project.read("Rpmforge.lock"), lock);
        registry.taken(&project);
    });
}

#[test]
fn what_is_not_there_is_said_with_its_name() {
    with_each(|registry| {
        let project = registry.project();
        registry.fail(registry.path(), |_| Some(Answer::status(404)));
        registry.refused(&project, &[&format!("`{}`", registry.file()), "the server answers 404"]);
        registry.fail(registry.index(), |_| Some(Answer::status(404)));
        registry.refused(&project, &["forge::source::no_project", "has no `thing`"]);
        registry.recover();
        registry.taken(&project);
    });
}

#[test]
fn a_server_that_recovers_and_connections_that_break_are_tried_again() {
    with_each(|registry| {
        let whole = registry.package(Extra::File(b"one"));
        registry.fail(registry.path(), move |request| match request.earlier {
            0 => Some(Answer::status(503)),
            1 => Some(Answer::ok(whole.clone()).manner(Manner::CutAfter(20))),
            _ => None,
        });
        registry.taken(&registry.project());
        registry.fail(registry.index(), |request| (request.earlier % 2 == 1).then(|| Answer::status(503)));
        registry.taken(&registry.project());
    });
}

#[test]
fn a_connection_that_breaks_each_time_is_told_and_leaves_nothing() {
    with_each(|registry| {
        let whole = registry.package(Extra::File(b"one"));
        registry.fail(registry.path(), move |_| Some(Answer::ok(whole.clone()).manner(Manner::CutAfter(20))));
        let project = registry.project();
        let named = format!("`{}` can't be fetched", registry.file());
        registry.refused(&project, &[&named, "the connection broke"]);
        registry.recover();
        registry.taken(&project);
    });
}

#[test]
fn no_registry_leads_to_files_of_this_machine() {
    with_each(|registry| {
        let project = registry.project();
        for path in [registry.path(), registry.index()] {
            registry.fail(path, |_| Some(Answer::redirect("file:///etc/passwd")));
            registry.refused(&project, &["to nowhere that forge fetches from"]);
        }
        assert_eq!(stored(&project, &fs::read("/etc/passwd").unwrap()), 0);
    });
}

#[test]
fn no_registry_leads_from_https_to_http() {
    thread::scope(|scope| {
        for kind in KINDS {
            scope.spawn(move || {
                let (registry, plain) = (Registry::start(kind, true), Registry::new(kind));
                let project = registry.project();
                for path in [registry.path(), registry.index()] {
                    let to = plain.server.url(path);
                    registry.fail(path, move |_| Some(Answer::redirect(&to)));
                    registry.refused(&project, &["from https to http"]);
                }
                assert!(plain.server.requests().is_empty());
                registry.recover();
                registry.taken(&project);
            });
        }
    });
}

#[test]
fn answers_without_end_end() {
    with_each(|registry| {
        let project = registry.project();
        let endless = || Answer::ok(vec![b'\n'; 1 << 16]).says_length(None).manner(Manner::Endless);
        registry.fail(registry.index(), move |_| Some(endless()));
        registry.refused(&project, &["134217728 bytes that such a file may have"]);
        registry.fail(registry.path(), |_| Some(Answer::ok("x").says_length(Some(1 << 40))));
        registry.refused(&project, &[&format!("`{}`", registry.file())]);
        registry.recover();
        registry.taken(&project);
        for folder in [project.cache(), project.path().join(".forge")] {
            fs::remove_dir_all(folder).unwrap();
        }
        // The lock knows how long it is.
        registry.fail(registry.path(), move |_| Some(endless()));
        registry.refused(&project, &["forge::source::changed_upstream"]);
    });
}

#[test]
fn a_full_disk_is_told_and_nothing_half_written_is_believed() {
    use rand::RngCore as _;

    let mut noise = vec![0; 3 << 20];
    rand::thread_rng().fill_bytes(&mut noise);
    with_each(|registry| {
        registry.offer(&registry.package(Extra::File(&noise)));
        let project = registry.project();
        fs::create_dir_all(project.cache()).unwrap();
        let forge = project.forge(&["fetch"]);
        let mount = "mount -t tmpfs -o size=2m none \"$0\" && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", mount]).arg(project.cache());
        command.arg(forge.get_program()).args(forge.get_args()).current_dir(forge.get_current_dir().unwrap());
        command.env_clear().envs(forge.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(run.stderr.contains("No space left on device"), "{}: {}", registry.kind, run.stderr);
        assert_eq!(specs(&project), 0);
        registry.taken(&project);
    });
}

#[test]
fn an_index_that_lies_about_versions_and_names_of_files_is_not_believed() {
    with_each(|registry| {
        let content = registry.package(Extra::File(b"one"));
        for version in ["1.0.0/../../../evil", "../../evil", "1.0.0+../evil", "1.0.0\\u0000"] {
            registry.list(version, &content);
            let project = registry.project();
            let said = registry.refused(&project, &[]);
            let codes = ["forge::source::no_version", "forge::source::odd_name", "forge::source::unreadable"];
            assert!(codes.iter().any(|code| said.contains(code)), "{}: {version}: {said}", registry.kind);
            assert_eq!(stored(&project, &content), 0);
        }
        for (name, version) in [("other", "1.0.0"), ("thing", "2.0.0")] {
            registry.offer(&package(registry.kind, name, version, Extra::File(b"")));
            let says = format!("`{}` says that it is `{name} {version}`", registry.file());
            registry.refused(&registry.project(), &["forge::source::other_package", &says, "`thing 1.0.0`"]);
        }
    });
}

#[test]
fn archives_with_paths_and_links_that_lead_out_are_refused() {
    with_each(|registry| {
        for (extra, shown) in [
            (Extra::Path("../evil"), "`../evil`"),
            (Extra::Path("/evil"), "begins at the root"),
            (Extra::Link("/etc/passwd"), "link that leads out"),
            (Extra::Link("../../etc"), "link that leads out"),
        ] {
            registry.offer(&registry.package(extra));
            let named = format!("`{}` holds", registry.file());
            registry.refused(&registry.project(), &["forge::source::unsafe_entry", &named, shown]);
        }
    });
}
