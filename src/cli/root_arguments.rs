//! Arguments that are about roots and their lock.

use clap::{Args, Subcommand};

use crate::chroot::Connection;
use crate::chroot::making::LockRule;

/// What may be fetched, and locked.
#[derive(Args, Clone, Debug, Default)]
pub struct LockArguments {
    /// Refuse to change Rpmforge.lock: what is not locked is an error
    #[arg(long)]
    pub locked: bool,
    /// Fetch nothing: what is not in the store is an error
    #[arg(long)]
    pub offline: bool,
}

impl LockArguments {
    /// Whether the lock may change.
    pub fn rule(&self) -> LockRule {
        if self.locked { LockRule::Frozen } else { LockRule::MayChange }
    }

    /// Whether anything may be fetched.
    pub fn connection(&self) -> Connection {
        if self.offline { Connection::Offline } else { Connection::Online }
    }
}

/// `forge update`
#[derive(Args, Debug)]
pub struct Update {
    /// The chroot whose packages are chosen anew, or the package whose source is found anew, or a pattern; all if none is given
    #[arg(value_name = "CHROOT|PACKAGE")]
    pub chroot: Option<String>,
    /// With a chroot, the packages of it that may change, by name; otherwise further packages whose sources are found anew
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Show what would change, and leave the lock as it is
    #[arg(long)]
    pub dry_run: bool,
    /// Take metadata of repositories that are older than those seen before: a mirror that lags, a snapshot that was taken back
    #[arg(long)]
    pub allow_older: bool,
    /// Apply a profile of the manifest
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
}

/// `forge fetch`
#[derive(Args, Debug)]
pub struct Fetch {
    /// Only for this chroot, or for those that match a pattern; can be repeated
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Vec<String>,
    /// Apply a profile of the manifest
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
}

/// `forge eject`
#[derive(Args, Debug)]
pub struct Eject {
    /// The package
    #[arg(value_name = "PACKAGE")]
    pub package: String,
    /// Where its spec is written to; `specs/PACKAGE` if not given
    #[arg(long, value_name = "FOLDER")]
    pub to: Option<String>,
    /// Apply a profile of the manifest
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
}

/// `forge chroot`
#[derive(Args, Debug)]
pub struct Chroot {
    /// What to do.
    #[command(subcommand)]
    pub command: ChrootCommand,
}

/// What `forge chroot` does.
#[derive(Subcommand, Debug)]
pub enum ChrootCommand {
    /// List the chroots, and what each is made from
    List,
    /// Show what is locked of a chroot: its repositories, and the packages of its roots
    Show {
        /// The chroot
        #[arg(value_name = "CHROOT")]
        chroot: String,
    },
    /// Show why a package is in the roots of a chroot: who asks for it, and what requires it
    Why {
        /// The chroot
        #[arg(value_name = "CHROOT")]
        chroot: String,
        /// The package: its name, or name-version-release.arch
        #[arg(value_name = "PACKAGE")]
        package: String,
    },
    /// Remove from the store what only the roots of a chroot need: their packages, and what was made of them
    Clean {
        /// The chroot, or a pattern; all if none is given
        #[arg(value_name = "CHROOT")]
        chroot: Option<String>,
        /// Show what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Show what differs between the locked packages of two chroots
    Diff {
        /// One
        #[arg(value_name = "CHROOT")]
        one: String,
        /// The other
        #[arg(value_name = "OTHER")]
        other: String,
    },
}
