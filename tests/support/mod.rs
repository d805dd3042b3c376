//! What the tests of the binary share: projects in temporary folders, and the binary run in them.

#![allow(dead_code, reason = "each test binary uses its own part")]

mod repository;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

pub use repository::{Repository, repositories};

/// A project in a temporary folder, with a store of its own.
pub struct Project {
    temp: TempDir,
}

/// What a run of the binary gave.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The lines that make the machine's root a chroot, and the specs trusted.
pub fn host() -> String {
    let (engine, isolation) = (engine(), isolation());
    format!(
        "rpmforge version=1\nchroot host {{ root \"/\" }}\ndefaults {{ engine {engine}; isolation {isolation} }}\n"
    )
}

/// Where builds are made: the same tests run on the machine and in a sandbox.
pub fn isolation() -> String {
    std::env::var("FORGE_TEST_ISOLATION").unwrap_or_else(|_| "none".to_owned())
}

/// The engine that builds: the same tests run with both.
pub fn engine() -> String {
    std::env::var("FORGE_TEST_ENGINE").unwrap_or_else(|_| "native".to_owned())
}

/// Begins a store that knows the machine's programs already: hashing them all took most of the time of most tests.
pub fn begin_store(cache: &Path) {
    for (path, bytes) in known_machine() {
        let path = known_roots(cache).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Where a store remembers roots.
fn known_roots(cache: &Path) -> PathBuf {
    cache.join("rpmforge/roots")
}

/// What a store remembers of the machine's own root once it was read: files by their path below `roots`.
fn known_machine() -> &'static BTreeMap<PathBuf, Vec<u8>> {
    static KNOWN: OnceLock<BTreeMap<PathBuf, Vec<u8>>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let project = Project::without_store();
        project.write("Rpmforge.kdl", &format!("{}package a {{ source path \"a.spec\" }}\n", host()));
        project.spec("a", "", "");
        project.succeed(&["plan"]);
        let roots = known_roots(&project.cache());
        let folders = fs::read_dir(&roots).unwrap().map(|folder| folder.unwrap().path());
        let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path());
        files.map(|path| (path.strip_prefix(&roots).unwrap().to_owned(), fs::read(&path).unwrap())).collect()
    })
}

impl Project {
    /// An empty one.
    pub fn new() -> Self {
        let project = Self::without_store();
        begin_store(&project.cache());
        project
    }

    /// An empty one whose store is not there yet.
    pub fn without_store() -> Self {
        let project = Self { temp: TempDir::new().unwrap() };
        fs::create_dir(project.path()).unwrap();
        project
    }

    /// One with this manifest, after the lines that every test needs.
    pub fn with(manifest: &str) -> Self {
        let project = Self::new();
        project.write("Rpmforge.kdl", &format!("{}{manifest}", host()));
        project
    }

    /// A copy of an example of the repository.
    pub fn example(name: &str) -> Self {
        let project = Self::new();
        copy(&repository().join("examples").join(name), &project.path());
        project
    }

    /// Its folder.
    pub fn path(&self) -> PathBuf {
        self.temp.path().join("project")
    }

    /// A folder beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// The folder of its store.
    pub fn cache(&self) -> PathBuf {
        self.beside("cache")
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a file.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap()
    }

    /// Replaces a part of a file.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, &text.replace(from, to));
    }

    /// Writes a spec that builds a noarch package of one file, with `more` in its preamble and `build` as `%build`.
    pub fn spec(&self, name: &str, more: &str, build: &str) {
        self.write(&format!("{name}.spec"), &spec(name, more, build));
    }

    /// The binary, set up to run in this project with a cleared environment.
    pub fn forge(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", self.temp.path());
        command.env("XDG_CACHE_HOME", self.cache()).env("TERM", "dumb");
        command
    }

    /// Runs the binary.
    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::from(self.forge(arguments).output().unwrap())
    }

    /// Runs it and expects exit code 0.
    #[track_caller]
    pub fn succeed(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
        run
    }

    /// `forge plan --json`: the action of every build.
    #[track_caller]
    pub fn actions(&self) -> BTreeMap<String, String> {
        let plan: serde_json::Value = serde_json::from_str(&self.run(&["plan", "--json"]).stdout).unwrap();
        let builds = plan["builds"].as_array().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        builds.iter().map(|build| (text(&build["package"]), text(&build["action"]))).collect()
    }

    /// Every file of the repositories that clients see, with its content.
    pub fn published(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        for path in repositories(&self.path().join("public")) {
            let repository = Repository::new(&path);
            let metadata = repository.metadata().unwrap();
            let packages = repository.packages(&metadata).unwrap();
            let hrefs = metadata.iter().chain(&packages).map(|file| file.href.as_str());
            for href in hrefs.chain(["repodata/repomd.xml"]) {
                let path = path.join(href);
                let bytes = fs::read(&path).unwrap();
                files.insert(path.strip_prefix(self.path()).unwrap().to_owned(), bytes);
            }
        }
        files
    }

    /// The repository of the chroot `host`.
    pub fn repository(&self) -> Repository {
        Repository::new(self.path().join("public/host"))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// The events of a run with `--json`, of one kind.
    pub fn events(&self, kind: &str) -> Vec<serde_json::Value> {
        let events = self.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        events.filter(|event| event["event"] == kind).collect()
    }

    /// The state that each package ended in, of a run with `--json`.
    pub fn states(&self) -> BTreeMap<String, String> {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        self.events("build-ended")
            .iter()
            .map(|event| (text(&event["package"]), text(&event["state"])))
            .collect()
    }
}

/// The text of a spec that builds a noarch package of one file.
pub fn spec(name: &str, more: &str, build: &str) -> String {
    format!(
        "Name: {name}\nVersion: 1.0\nRelease: 1\nSummary: A test\nLicense: MIT\nBuildArch: noarch\n{more}\n\
         %description\nA test.\n\n%build\n{build}\n\n%install\nmkdir -p %{{buildroot}}/usr/share\n\
         echo {name} > %{{buildroot}}/usr/share/{name}\n\n%files\n/usr/share/{name}\n"
    )
}

/// The repository that the tests belong to.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Copies a project, without what forge made of it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if name == ".forge" || name == "public" {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(name));
        } else {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}
