//! A project whose builds misbehave, for root or for an ordinary user.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use tempfile::TempDir;

use crate::support::Run;

/// Who runs forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Root.
    Root,
    /// Somebody without rights, whose number no user of the machine has.
    Ordinary,
}

/// The number of [`Who::Ordinary`].
pub const ORDINARY: u32 = 54_321;

impl Who {
    /// Those whom these tests can be: both where they run as root, or who runs them.
    pub fn all() -> Vec<Self> {
        if geteuid().is_root() { vec![Self::Root, Self::Ordinary] } else { vec![Self::Ordinary] }
    }

    /// A program, run as this user.
    pub fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        if self == Self::Root || !geteuid().is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        let number = ORDINARY.to_string();
        command.args(["--reuid", &number, "--regid", &number, "--clear-groups", "--"]).arg(program);
        command
    }
}

/// A project of packages that all misbehave but one.
pub struct Site {
    temp: TempDir,
    /// Who runs forge there.
    pub who: Who,
    manifest: String,
}

impl Site {
    /// A project with the package `good`, which behaves.
    pub fn new(who: Who) -> Self {
        let temp = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
        fs::create_dir(temp.path().join("project")).unwrap();
        let forge = temp.path().join("forge");
        let built = env!("CARGO_BIN_EXE_forge");
        fs::hard_link(built, &forge).or_else(|_| fs::copy(built, &forge).map(drop)).unwrap();
        let engine = crate::support::engine();
        let manifest = format!(
            "rpmforge version=1\nchroot host {{ root \"/\" }}\ndefaults {{ engine {engine}; timeout \"100s\" }}\n"
        );
        let mut site = Self { temp, who, manifest };
        crate::support::begin_store(&site.beside("cache"));
        fs::copy(attacker(), site.path().join("attack")).unwrap();
        site.build("good", "true");
        site
    }

    /// Its folder.
    pub fn path(&self) -> PathBuf {
        self.temp.path().join("project")
    }

    /// A path beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// Adds a package whose `%build` is a script; `$ATTACK` is the program of attacks.
    pub fn build(&mut self, name: &str, script: &str) {
        self.build_with(name, "", script);
    }

    /// As [`Site::build`], with more in the manifest's node of the package.
    pub fn build_with(&mut self, name: &str, more: &str, script: &str) {
        self.package(name, more, &spec(name, script));
    }

    /// Adds a package with a spec.
    pub fn package(&mut self, name: &str, more: &str, spec: &str) {
        fs::write(self.path().join(format!("{name}.spec")), spec).unwrap();
        self.manifest.push_str(&format!("package {name} {{ source path \"{name}.spec\"; {more} }}\n"));
    }

    /// Has another manifest.
    pub fn replace_manifest(&mut self, text: String) {
        self.manifest = text;
    }

    /// `forge` with arguments, to be run here.
    pub fn forge(&self, arguments: &[&str]) -> Command {
        let mut command = self.who.command(self.beside("forge"));
        command.args(arguments);
        self.here(command)
    }

    /// A command that is to be run here, with a cleared environment.
    pub fn here(&self, mut command: Command) -> Command {
        fs::write(self.path().join("Rpmforge.kdl"), &self.manifest).unwrap();
        if geteuid().is_root() && self.who == Who::Ordinary {
            give(self.temp.path());
        }
        command.current_dir(self.path()).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", self.temp.path());
        command.env("XDG_CACHE_HOME", self.beside("cache")).env("TERM", "dumb");
        command
    }

    /// Runs forge.
    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::from(self.forge(arguments).output().unwrap())
    }

    /// Builds all packages; `good` must succeed, and no process be left.
    #[track_caller]
    pub fn apply(&self) -> Ended<'_> {
        let run = self.run(&["apply", "--json"]);
        let ended = Ended { run, site: self };
        assert_eq!(ended.state("good"), "succeeded", "{}\n{}", ended.run.stdout, ended.run.stderr);
        assert_eq!(self.processes(), Vec::<String>::new(), "processes are left");
        ended
    }

    /// Starts forge in the background.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.forge(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The command lines of the processes whose program is this project's forge.
    pub fn processes(&self) -> Vec<String> {
        let forge = self.beside("forge");
        let is_own = |process: &Path| {
            // The first process of a sandbox is one, and all others there end with it.
            fs::read_link(process.join("exe")).is_ok_and(|exe| exe == forge)
        };
        let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let numbered =
            processes.filter(|path| path.join("mountinfo").exists() && path != Path::new("/proc/self"));
        let numbered = numbered.filter(|path| path != Path::new("/proc/thread-self"));
        let own = numbered.filter(|process| is_own(process));
        own.filter(|process| !is_zombie(process))
            .map(|process| {
                let line = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
                format!("{}: {}", process.display(), line.replace('\0', " "))
            })
            .collect()
    }

    /// The names of the packages that the newest build of a package has made.
    pub fn packages(&self, package: &str) -> Vec<String> {
        let names = fs::read_dir(self.results(package)).unwrap().flatten();
        let names = names.map(|entry| entry.file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".rpm")).collect()
    }

    /// Whether a text stands in any file of the store, the results or the repositories, packed or not.
    pub fn holds(&self, text: &str) -> bool {
        let folders = [self.beside("cache"), self.path().join(".forge/results"), self.path().join("public")];
        folders.iter().any(|folder| holds(folder, text.as_bytes()))
    }

    /// Everything that the newest build of a package has printed.
    pub fn log(&self, package: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.results(package).join("build.log")).unwrap()).into_owned()
    }

    fn results(&self, package: &str) -> PathBuf {
        let results = self.path().join(".forge/results/host");
        let mut names: Vec<String> = fs::read_dir(&results)
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name().into_string().unwrap())
            .filter(|name| name.split_once('-').is_some_and(|(_, name)| name == package))
            .collect();
        names.sort();
        let newest = names.pop().unwrap_or_else(|| panic!("{package} was not built"));
        results.join(newest)
    }
}

/// How an apply ended.
pub struct Ended<'a> {
    pub run: Run,
    site: &'a Site,
}

impl Ended<'_> {
    /// How the build of a package ended.
    #[track_caller]
    pub fn state(&self, package: &str) -> String {
        let states = self.run.states();
        let state = states.get(package);
        state.unwrap_or_else(|| panic!("{package}: {}\n{}", self.run.stdout, self.run.stderr)).clone()
    }

    /// Why the build of a package failed.
    #[track_caller]
    pub fn cause(&self, package: &str) -> String {
        let ended = self.run.events("build-ended");
        let ended = ended.iter().find(|event| event["package"] == package).unwrap();
        ended["failure"]["cause"].as_str().unwrap_or_else(|| panic!("{ended:#}")).to_owned()
    }

    /// What a line of a build's log says behind `name: `.
    #[track_caller]
    pub fn said(&self, package: &str, name: &str) -> String {
        let log = self.site.log(package);
        let line = log.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("{package} does not say `{name}`:\n{log}")).trim_end().to_owned()
    }
}

/// The text of a spec that builds one file, with `script` as its `%build`.
pub fn spec(name: &str, script: &str) -> String {
    let script = format!("set +x\nexport ATTACK=%{{SOURCE9}}\n{script}");
    crate::support::spec(name, "Source9: attack", &script)
}

/// Waits until something is so.
#[track_caller]
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: not so after a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The program of attacks, compiled once.
pub fn attacker() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("attack-{}", std::process::id()));
        let source = crate::support::repository().join("tests/sandbox/attack.c");
        let mut compiler = Command::new("cc");
        let status = compiler.args(["-O1", "-o"]).arg(&program).arg(source).status().unwrap();
        assert!(status.success(), "the attacks can't be compiled");
        program
    })
}

fn holds(folder: &Path, text: &[u8]) -> bool {
    fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { return false };
        if kind.is_dir() {
            return holds(&path, text);
        }
        let content = fs::read(&path).unwrap_or_default();
        kind.is_file() && content.windows(text.len()).any(|part| part == text)
    })
}

fn is_zombie(process: &Path) -> bool {
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']))
}

fn give(folder: &Path) {
    chown(folder, Some(ORDINARY), Some(ORDINARY)).unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        match kind.is_dir() {
            // Forge has made it, as that user.
            true if entry.file_name() == ".forge"
                && fs::metadata(entry.path()).unwrap().uid() == ORDINARY => {}
            true => give(&entry.path()),
            // A name of the binary that was built may be the file itself.
            false if entry.file_name() == "forge" || kind.is_symlink() => {}
            false => chown(entry.path(), Some(ORDINARY), Some(ORDINARY)).unwrap(),
        }
    }
}
