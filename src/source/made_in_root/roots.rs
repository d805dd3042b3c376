//! What sources are made in, as those say it who open roots.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::chroot::RootIdentity;
use crate::chroot::making::PackageRoots;
use crate::engine::{EnginesInRoot, SourcePrograms};
use crate::files::HostPath;
use crate::manifest::{ChrootId, Manifest};

/// What sources are made with that a program makes.
#[derive(Clone, Copy)]
pub struct SourceMaking<'a> {
    /// The manifest: it has the chroots, and what may be taken in them.
    pub manifest: &'a Manifest,
    /// Opens roots.
    pub roots: &'a dyn SourceRoots,
    /// Runs programs.
    pub programs: &'a SourcePrograms,
    /// The folder that what they print is kept in.
    pub logs: &'a HostPath,
    /// Where the programs are waited for.
    pub runtime: &'a Handle,
}

/// Opens the roots that sources are made in.
pub trait SourceRoots: Sync {
    /// That of a chroot.
    ///
    /// # Errors
    /// There is none, and why.
    fn open_root(&self, chroot: ChrootId) -> Result<SourceRoot, RefusedRoot>;
}

/// A root that sources are made in.
#[derive(Clone)]
pub struct SourceRoot {
    /// The engines there, which know what is installed.
    pub engines: EnginesInRoot,
    /// What identifies it.
    pub identity: RootIdentity,
    /// What chooses its packages and makes it, where it is made of packages.
    pub packages: Option<Arc<PackageRoots>>,
}

/// Why there is no root.
#[derive(Clone, Debug)]
pub struct RefusedRoot {
    /// Why, in words.
    pub reason: String,
    /// What may help.
    pub help: String,
}
