//! A program that makes sources, run in its root.

use std::path::Path;
use std::time::Duration;

use cap_std::fs::{Permissions, PermissionsExt};

use super::error::MakingError;
use super::roots::{SourceMaking, SourceRoot};
use crate::chroot::making::ChosenSet;
use crate::engine::{EngineError, Root, Settings, SourceProgram, SourceProgramEnd};
use crate::files::{Folder, HostPath, Mount, MountAccess, RootPath};
use crate::process::{Cancel, SandboxLimits};

/// Where a program sees the folder that it works in, as builds do.
pub(super) const PLACE: &str = "/builddir";

/// What is to run.
pub(super) struct ProgramOrder<'a> {
    /// What it is, for messages.
    pub what: &'a str,
    /// The package.
    pub package: &'a str,
    /// The root's chroot.
    pub chroot: &'a str,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The folder below [`PLACE`] that it begins in.
    pub begin: &'a str,
    /// Its environment, and whether it may reach the network.
    pub settings: &'a Settings,
    /// Variables beside those.
    pub variables: Vec<(String, String)>,
    /// Folders that it sees beside its own.
    pub mounts: Vec<Mount>,
    /// How much it may take.
    pub limits: SandboxLimits,
    /// How long it may take.
    pub timeout: Duration,
    /// The file that all that it prints goes to.
    pub log: HostPath,
}

/// The folders of a program: `builddir`, seen at [`PLACE`], and what is private to it.
pub(super) struct ProgramFolders {
    /// Where it works.
    pub place: Folder,
    private: HostPath,
}

impl ProgramFolders {
    /// Makes them in an empty folder.
    ///
    /// # Errors
    /// They can't be made.
    pub fn make(work: &Folder) -> std::io::Result<Self> {
        let private = work.create("private")?;
        for (name, mode) in [("tmp", 0o1777), ("var-tmp", 0o1777), ("home", 0o755)] {
            private.create(name)?;
            private.dir().set_permissions(name, Permissions::from_mode(mode))?;
        }
        Ok(Self { place: work.create("builddir")?, private: private.path().clone() })
    }
}

impl ProgramOrder<'_> {
    /// Runs it in a root, made of `chosen` packages where it is made of packages.
    ///
    /// # Errors
    /// The root can't be made, the program can't be started, or it has failed.
    pub fn run(
        self,
        (root, chosen): (&SourceRoot, Option<&ChosenSet>),
        folders: &ProgramFolders,
        making: &SourceMaking<'_>,
        cancel: &Cancel,
    ) -> Result<(), MakingError> {
        // Who gathers sources has threads of its own, which making a root and waiting take for those of the runtime.
        let _in_runtime = making.runtime.enter();
        let made = match (&root.packages, chosen) {
            (Some(packages), Some(chosen)) => {
                let made = packages.maker.make_for_build(chosen, Vec::new());
                Some(made.map_err(|error| self.refuse_root(error.in_words(), error.help_in_words()))?)
            }
            (_, _) => None,
        };
        let of_packages = made.as_ref().map(|made| Root::of_folders(made.layers()));
        let mount = |place: &Folder| Mount {
            host: place.path().clone(),
            root: place_in_root(),
            access: MountAccess::Write,
        };
        self.begin_log()?;
        let program = SourceProgram {
            command: self.command,
            root: of_packages.unwrap_or_else(|| root.engines.root.clone()),
            settings: self.settings.clone(),
            variables: self.variables,
            place: mount(&folders.place),
            mounts: self.mounts,
            private: folders.private.clone(),
            begin: place_in_root().join(self.begin),
            limits: self.limits,
            timeout: self.timeout,
            log: self.log.clone(),
        };
        // The root is held until the program has ended.
        let end = making.runtime.block_on(making.programs.run(&program, cancel))?;
        drop(made);
        match end {
            SourceProgramEnd::Well => Ok(()),
            SourceProgramEnd::Failed { reason, excerpt } => {
                let lines: String = excerpt.iter().map(|line| format!("\n  {line}")).collect();
                Err(MakingError::Failed {
                    what: self.what.to_owned(),
                    package: self.package.to_owned(),
                    reason: reason + &lines,
                    log: self.log.to_string(),
                })
            }
        }
    }

    fn refuse_root(&self, reason: String, help: String) -> MakingError {
        let (what, chroot) = (self.what.to_owned(), self.chroot.to_owned());
        MakingError::NoRoot { what, chroot, reason, help }
    }

    /// Takes away what an earlier run has printed.
    fn begin_log(&self) -> Result<(), EngineError> {
        let path = self.log.as_path();
        let folder = path.parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
        let folder = Folder::create_ambient(&folder)?;
        let name = path.file_name().map(Path::new).unwrap_or_else(|| Path::new("log"));
        if folder.exists(name) {
            folder.remove_file(name)?;
        }
        Ok(())
    }
}

/// [`PLACE`] as a path.
pub(super) fn place_in_root() -> RootPath {
    RootPath::root().join(PLACE.trim_start_matches('/'))
}
