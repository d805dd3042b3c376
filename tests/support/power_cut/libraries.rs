//! `examples/libraries` on a disk whose power can be cut, and forge run on it.

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::mount::Mount;
use super::tree::Tree;
use crate::repository_client::{Listed, follow};

/// Where things are on the disk.
pub const PROJECT: &str = "project";
/// The user's cache, in which the store is.
const CACHE: &str = "cache";
/// The repository.
const REPOSITORY: &str = "project/public/host";

/// A place to mount disks at, always the same: paths get into packages.
pub struct Machine {
    temp: TempDir,
}

/// What a run of forge said.
pub struct Said {
    pub code: Option<i32>,
    pub text: String,
}

impl Machine {
    pub fn new() -> Self {
        let temp = TempDir::new().unwrap();
        std::fs::create_dir(temp.path().join("disk")).unwrap();
        Self { temp }
    }

    /// A disk with the example on it, and nothing built.
    pub fn new_disk(&self) -> Tree {
        let origin = self.temp.path().join("origin");
        std::fs::create_dir_all(origin.join(CACHE)).unwrap();
        let project = origin.join(PROJECT);
        let example = crate::support::repository().join("examples/libraries");
        crate::support::copy(&example, &project);
        // The disk is the test's own: what builds may see of it is none of its business.
        let manifest = project.join("Rpmforge.kdl");
        let text = std::fs::read_to_string(&manifest).unwrap() + "\ndefaults { isolation none }\n";
        std::fs::write(&manifest, text).unwrap();
        Tree::copy_of(&origin)
    }

    /// Where disks are mounted.
    pub fn path(&self) -> PathBuf {
        self.temp.path().join("disk")
    }

    /// Mounts a disk.
    pub fn mount(&self, disk: Tree) -> Mount {
        Mount::new(disk, &self.path())
    }

    /// Runs forge in the project of the mounted disk.
    pub fn forge(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
        command.args(arguments).current_dir(self.path().join(PROJECT)).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", self.temp.path());
        command.env("XDG_CACHE_HOME", self.path().join(CACHE)).env("TERM", "dumb");
        Said::from(command.output().unwrap())
    }

    /// Runs forge and expects exit code 0.
    #[track_caller]
    pub fn succeed(&self, arguments: &[&str]) -> Said {
        let said = self.forge(arguments);
        assert_eq!(said.code, Some(0), "forge {arguments:?}: {}", said.text);
        said
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        Self { code: output.status.code(), text: String::from_utf8_lossy(&text).into_owned() }
    }
}

/// What a client meets that reads the repository of a disk.
pub fn read_repository(disk: &Tree) -> Result<Listed, String> {
    follow(&|path| disk.read(format!("{REPOSITORY}/{path}")).map(<[u8]>::to_vec))
}

/// The blobs of the store that are not what their names say.
pub fn wrong_blobs(disk: &Tree) -> Vec<String> {
    let is_wrong = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_digest = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest && disk.read(path).is_none_or(|data| blake3::hash(data).to_hex().as_str() != name)
    };
    let blobs = disk.files("cache/rpmforge/blobs").into_iter();
    blobs.filter(is_wrong).map(|path| format!("{} is not what its name says", path.display())).collect()
}

/// Writes a new release into a spec of the mounted project, for good.
pub fn release_again(machine: &Machine, spec: &str) {
    let path = machine.path().join(PROJECT).join(spec);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\nRelease: "));
    let lines = text.lines().map(|line| if line.starts_with("Release: ") { "Release: 2" } else { line });
    std::fs::write(&path, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    std::fs::File::open(&path).unwrap().sync_all().unwrap();
}
