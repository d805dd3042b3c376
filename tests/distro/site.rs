//! A project that builds in roots of the distribution.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rpmforge::package::{Tag, content_digest, read_headers};

use super::make;
use crate::support::{Project, Run};

/// The number of an ordinary user that the machine doesn't know.
const ORDINARY: u32 = 54_321;

/// A project that builds in roots of the distribution; what roots are made of is in a store that these tests share.
pub struct Site(pub Project);

impl Site {
    pub fn new(packages: &str) -> Self {
        Self::with("", packages)
    }

    /// One whose chroot has more nodes.
    pub fn with(more: &str, packages: &str) -> Self {
        // Whoever builds here has a store of its own, or the one that all share.
        let project = Project::without_store();
        let distro = make::repository();
        let chroot = format!("chroot clean {{ repo distro baseurl=\"{}\"\n{more}\n}}", distro.display());
        project.write("Rpmforge.kdl", &format!("rpmforge version=1\n{chroot}\n{packages}"));
        Self(project)
    }

    pub fn forge(&self, arguments: &[&str]) -> Command {
        let mut command = self.0.forge(arguments);
        command.env("XDG_CACHE_HOME", shared_store());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::from(self.forge(arguments).output().unwrap())
    }

    #[track_caller]
    pub fn succeed(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
        run
    }

    /// Runs forge as an ordinary user, to whom the project is given, and who has a store of his own.
    #[track_caller]
    pub fn succeed_as_ordinary_user(&self, arguments: &[&str]) -> Run {
        assert!(rustix::process::geteuid().is_root(), "only root can be both");
        let temp = self.0.path().parent().unwrap().to_owned();
        let forge = temp.join("forge");
        fs::copy(env!("CARGO_BIN_EXE_forge"), &forge).unwrap();
        fs::set_permissions(&temp, fs::Permissions::from_mode(0o755)).unwrap();
        chown(&temp, Some(ORDINARY), Some(ORDINARY)).unwrap();
        for folder in [self.0.path(), self.0.cache()] {
            give_to_ordinary_user(&folder);
        }
        let number = ORDINARY.to_string();
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", &number, "--regid", &number, "--clear-groups", "--"])
            .arg(forge)
            .args(arguments);
        command.current_dir(self.0.path()).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", &temp).env("XDG_CACHE_HOME", self.0.cache()).env("TERM", "dumb");
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
        run
    }

    /// The log of a package's newest build.
    #[track_caller]
    pub fn log(&self, package: &str) -> String {
        self.succeed(&["log", package]).stdout
    }

    /// The packages that the lock has, in rpm's words.
    pub fn locked(&self) -> BTreeSet<String> {
        let lock = self.0.read("Rpmforge.lock");
        let packages = lock.lines().filter_map(|line| line.trim_start().strip_prefix("package \""));
        packages.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    }
}

fn give_to_ordinary_user(path: &Path) {
    if !path.exists() {
        return;
    }
    chown(path, Some(ORDINARY), Some(ORDINARY)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give_to_ordinary_user(&entry.unwrap().path()));
    }
}

/// The store that these tests share, which is empty at first.
pub fn shared_store() -> &'static Path {
    static STORE: OnceLock<PathBuf> = OnceLock::new();
    STORE.get_or_init(|| {
        let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clean-roots");
        let _ = fs::remove_dir_all(&store);
        store
    })
}

/// A spec of one file, with `preamble`, and `build` as its `%build`.
pub fn spec(name: &str, preamble: &str, build: &str) -> String {
    format!(
        "Name: {name}\nVersion: 1\nRelease: 1\nSummary: A test\nLicense: MIT\n{preamble}\n%description\nA test.\n\
         %prep\n%setup -q -c -T\n%build\n{build}\n%install\ninstall -D made %{{buildroot}}/usr/bin/{name}\n\
         %files\n/usr/bin/{name}\n"
    )
}

/// Compiles a program that is linked with a library of the repository.
pub const COMPILE: &str = "printf '#include <zlib.h>\\nint main(void) { return zlibVersion()[0] != 49; }' > made.c\n\
    gcc -O2 -g -o made made.c -lz\n./made";

/// All packages that are published, by their names.
pub fn published(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let files = project.published().into_iter();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.map(|(path, bytes)| (name(&path), bytes)).filter(|(name, _)| name.ends_with(".rpm")).collect()
}

/// What published packages are, but for the times of their builds and forge's own mark.
pub fn contents_of(project: &Project) -> BTreeMap<String, String> {
    let content = |bytes: Vec<u8>| {
        let mut headers = read_headers(&mut bytes.as_slice()).unwrap();
        headers.header.remove(Tag::FORGE_VERSION);
        content_digest(&headers).to_string()
    };
    published(project).into_iter().map(|(name, bytes)| (name, content(bytes))).collect()
}
