//! What a program in a sandbox has around it, and who puts it there: a layer above this one knows how.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Command, Personality};
use crate::files::{HostPath, Mount, RootPath};

/// What a program in a sandbox has around it, and who it is there.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The root, where it is not the machine's own.
    pub root: Option<LayeredRoot>,
    /// Who the program is.
    pub user: InsideUser,
    /// The folders of the machine that are seen.
    pub mounts: Vec<Mount>,
    /// What of those is seen empty, where it is there.
    pub hidden: Vec<RootPath>,
    /// Folders whose content is seen over the root's own, the uppermost first.
    pub layers: Vec<HostPath>,
    /// A folder of its own that holds what stands for `/tmp`, `/var/tmp` and `/home`; memory does, if there is none.
    pub private: Option<HostPath>,
    /// Where it begins.
    pub folder: RootPath,
    /// Which machine it is told that this is.
    pub personality: Personality,
    /// Whether it reaches the network that the machine reaches.
    pub network: bool,
    /// Whether it keeps the terminal that it is started from: it is a person's.
    pub terminal: bool,
    /// How much it may take.
    pub limits: SandboxLimits,
    /// What is the same for all builds, but where it is tried whether packages depend on it.
    pub circumstances: Circumstances,
}

/// What no package should depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Circumstances {
    /// The name of the machine.
    pub host_name: String,
    /// The mode bits that new files lack (umask(2)).
    pub umask: u32,
    /// On how many processors programs run; on all that forge runs on, if nothing is said.
    pub processors: Option<usize>,
}

impl Default for Circumstances {
    fn default() -> Self {
        Self { host_name: "localhost".to_owned(), umask: 0o022, processors: None }
    }
}

/// A root that is made of folders, each seen over the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayeredRoot {
    /// The folders, the uppermost first.
    pub folders: Vec<HostPath>,
    /// The folder that keeps what is changed in the root; nothing can be, if there is none. Its `upper` has the same form as one of
    /// `folders` then.
    pub changes: Option<HostPath>,
}

/// Who a program in a sandbox is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InsideUser {
    /// Somebody without any right of root's, who builds.
    #[default]
    Builder,
    /// The same by another name and number: no package should depend on who builds.
    AnotherBuilder,
    /// Root, as far as packaging needs it, within the sandbox.
    Root,
}

/// How much all programs of a sandbox may take together. Nothing said means as much as the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SandboxLimits {
    /// Memory, in bytes; what lies in folders in memory counts.
    pub memory: Option<u64>,
    /// Processes and threads at a time.
    pub processes: u64,
    /// What the folders that it may write hold, in bytes.
    pub disk: Option<u64>,
    /// Files that one process has open at a time.
    pub open_files: u64,
    /// What they print, in bytes: who takes it down counts, without a sandbox as well.
    pub log: u64,
}

impl Default for SandboxLimits {
    fn default() -> Self {
        Self { memory: None, processes: 4096, disk: None, open_files: 65_536, log: 1 << 30 }
    }
}

/// Puts programs into sandboxes.
pub trait Sandbox: fmt::Debug + Send + Sync {
    /// The command that runs `command` in a sandbox. Documents and a request come before: nothing may be added to it after.
    fn enclose(&self, command: Command, surroundings: &Surroundings) -> Command;

    /// The command that gives a folder that root of a sandbox has written to the user that forge runs as; nothing where it is that
    /// user's in any case.
    fn settle(&self, folder: &HostPath) -> Option<Command>;

    /// Where forge's own binary is within.
    fn forge_inside(&self) -> RootPath;
}
