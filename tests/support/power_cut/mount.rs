//! Mounting a tree where programs can use it.

use std::path::Path;
use std::process::Command;

use fuser::{BackgroundSession, Config, MountOption};

use super::journal::Journal;
use super::layer::Layer;
use super::tree::Tree;

/// Set where a test runs among its own mounts.
const OWN_MOUNTS: &str = "FORGE_TEST_OWN_MOUNTS";

const NEEDED: &str = "the tests of power cuts and flipped bits mount a file system with FUSE: that needs /dev/fuse (`modprobe fuse`; \
    in a container `--device /dev/fuse`), util-linux' unshare, and root or unprivileged user namespaces \
    (in a container `--cap-add SYS_ADMIN`)";

/// A tree that is mounted; no longer when this goes.
pub struct Mount {
    layer: Layer,
    session: Option<BackgroundSession>,
}

impl Mount {
    /// Mounts `tree` at the folder `path`.
    pub fn new(tree: Tree, path: &Path) -> Self {
        let layer = Layer::new(tree);
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("power-cut".to_owned()), MountOption::NoAtime];
        match fuser::spawn_mount(layer.clone(), path, &config) {
            Ok(session) => Self { layer, session: Some(session) },
            Err(error) => panic!("{error}: {NEEDED}"),
        }
    }

    /// The tree as it is now.
    pub fn tree(&self) -> Tree {
        self.layer.state().tree.clone()
    }

    /// What has been done since it was mounted.
    pub fn journal(&self) -> Journal {
        self.layer.state().journal.clone()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            // A test that fails has more to tell than that something was still open there.
            let _ = session.umount_and_join();
        }
    }
}

/// Whether this process has mounts of its own: where it hasn't, the test of this name is run in one that has, and must
/// succeed. What a killed test leaves mounted goes with its process, and users who are not root may mount.
#[must_use]
pub fn in_own_mounts(test: &str) -> bool {
    if std::env::var_os(OWN_MOUNTS).is_some() {
        return true;
    }
    let mut command = Command::new("unshare");
    command.arg("--mount");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.arg(std::env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]).env(OWN_MOUNTS, "1");
    let status = command.status().unwrap_or_else(|error| panic!("{error}: {NEEDED}"));
    // 101 is a test's own failure, which has said why.
    assert!(status.success() || status.code() == Some(101), "{status}: {NEEDED}");
    assert!(status.success(), "{test} failed, see above");
    false
}
