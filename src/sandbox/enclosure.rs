//! What a program in a sandbox sees, and how much it may take.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::process::{Circumstances, InsideUser, Personality, SandboxLimits};

/// A sandbox, as the process that sets it up is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Enclosure {
    /// The binary that is seen at [`FORGE_INSIDE`].
    pub forge: PathBuf,
    /// The folders that are the root together, where that is not the machine's own.
    pub root: Option<RootFolders>,
    /// Folders of the machine that are seen, the outer before the inner.
    pub binds: Vec<Bind>,
    /// What of those is seen empty, where it is there.
    pub hidden: Vec<PathBuf>,
    /// Folders whose content is seen over the root's own, the uppermost first.
    pub layers: Vec<PathBuf>,
    /// Folders of the machine that stand for `/tmp`, `/var/tmp` and `/home`; memory does, if nothing is said.
    pub private: Option<PathBuf>,
    /// Where the program begins.
    pub folder: PathBuf,
    /// Which machine it is told that this is.
    pub personality: Personality,
    /// Whether it reaches the network that the machine reaches.
    pub network: bool,
    /// Who it is.
    pub user: InsideUser,
    /// Whether it keeps the terminal that it is started from.
    pub terminal: bool,
    /// How much it may take.
    pub limits: SandboxLimits,
    /// What is the same for all builds, but where it is tried whether packages depend on it.
    pub circumstances: Circumstances,
}

impl Enclosure {
    /// As the process that sets it up reads it. Paths that are not UTF-8 are in none: forge takes none.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Folders that are a root together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RootFolders {
    /// The folders, the uppermost first.
    pub folders: Vec<PathBuf>,
    /// The folder that keeps what is changed there, if anything can be.
    pub changes: Option<PathBuf>,
}

/// A folder of the machine that is seen in a sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Bind {
    pub host: PathBuf,
    pub root: PathBuf,
    pub writable: bool,
}

/// Where the binary of forge is in a sandbox.
pub const FORGE_INSIDE: &str = "/run/rpmforge/forge";

/// The user that builds, as `/etc/passwd` of a sandbox names it.
pub const BUILDER: &str = "builder";

/// The number of [`BUILDER`] and of its group.
pub const BUILDER_ID: u32 = 1000;

/// [`InsideUser::AnotherBuilder`], as `/etc/passwd` of a sandbox names it.
const ANOTHER_BUILDER: &str = "packager";

/// The number of [`InsideUser::AnotherBuilder`] and of its group.
const ANOTHER_BUILDER_ID: u32 = 4321;

/// The name and number of who builds, where `user` does; of who would, where that is root.
pub(super) fn builder(user: InsideUser) -> (&'static str, u32) {
    match user {
        InsideUser::Builder | InsideUser::Root => (BUILDER, BUILDER_ID),
        InsideUser::AnotherBuilder => (ANOTHER_BUILDER, ANOTHER_BUILDER_ID),
    }
}
