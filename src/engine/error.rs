//! Why an engine can't work at all.

use crate::files::{HostPath, RootPath};
use crate::process::ProcessError;

/// Why an engine can't work at all.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum EngineError {
    /// rpm is not on this machine.
    #[error(
        "`engine rpmbuild` needs the programs rpmspec and rpmbuild, and `{program}` is not on this machine"
    )]
    #[diagnostic(
        code(forge::engine::no_rpm),
        help(
            "install it: `apt-get install rpm` (Debian, Ubuntu), `dnf install rpm-build` (Fedora, RHEL), `zypper install rpm-build` (SUSE)"
        )
    )]
    NoRpm {
        /// The program that is missing.
        program: String,
    },
    /// rpm is there but does not answer as rpm does.
    #[error("`{program} --version` did not answer with a version: {answer}")]
    #[diagnostic(code(forge::engine::odd_rpm), help("is it rpm's own program? run the command by hand"))]
    OddRpm {
        /// The program.
        program: String,
        /// What it said.
        answer: String,
    },
    /// It was told to end.
    #[error("it was canceled")]
    #[diagnostic(code(forge::engine::canceled), help("run the command again"))]
    Canceled,
    /// A root that programs of this machine can't work in.
    #[error("`isolation none` builds in the machine's own root, not in {path}")]
    #[diagnostic(
        code(forge::engine::other_root),
        help("leave `isolation` out: builds in a root of its own run in a sandbox")
    )]
    OtherRoot {
        /// Where it is.
        path: HostPath,
    },
    /// A folder that a job works in and that can't be reached.
    #[error("nothing is mounted at {path}, where a build works")]
    #[diagnostic(code(forge::engine::not_mounted), help("this is a mistake in forge: please report it"))]
    NotMounted {
        /// Where it would be seen.
        path: RootPath,
    },
    /// A program can't be run.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Process(#[from] ProcessError),
    /// A root that could not be asked.
    #[error("the root could not be asked which rpm's language it speaks: {reason}")]
    #[diagnostic(
        code(forge::engine::root_silent),
        help("was a process of forge ended from outside, or is the machine out of memory? run forge again")
    )]
    RootSilent {
        /// Why.
        reason: String,
    },
    /// The work folder can't be used.
    #[error("the work folder can't be used: {}", crate::files::reason(.0))]
    #[diagnostic(
        code(forge::engine::work_folder),
        help("is there room on the disk, and may forge write there?")
    )]
    Io(#[from] std::io::Error),
}
