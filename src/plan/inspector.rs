//! What inspecting needs.

use std::sync::Arc;

use super::PlanError;
use crate::engine::{EngineInRoot, MacroSetting};
use crate::event::Timestamp;
use crate::files::{Folder, HostPath};
use crate::manifest::Manifest;
use crate::manifest::declaration::EngineChoice;
use crate::source::{Origin, Unpacked};
use crate::store::Store;
use crate::text::Located;

/// What inspecting needs.
pub struct Inspector<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The repository.
    pub repository: &'a Folder,
    /// Where source packages are unpacked.
    pub unpacked: &'a Unpacked,
    /// Where answers are remembered.
    pub store: &'a Store,
    /// Reads the specs of `engine rpmbuild`.
    pub rpmbuild: Arc<dyn EngineInRoot>,
    /// Reads the specs of `engine native`.
    pub native: Arc<dyn EngineInRoot>,
    /// Macros of the command line.
    pub over: &'a [MacroSetting],
    /// Forge's own binary, which is no part of a root that it lies in.
    pub own_binary: &'a HostPath,
    /// The moment that it is now.
    pub now: Timestamp,
}

/// Where a package comes from, or why that is of no use; the same for all of its builds.
pub(super) type LocatedOrigin = Result<Origin, Arc<Located<PlanError>>>;

impl Inspector<'_> {
    /// What reads and builds the packages that choose this engine.
    pub(super) fn engine(&self, engine: EngineChoice) -> &Arc<dyn EngineInRoot> {
        match engine {
            EngineChoice::Native => &self.native,
            EngineChoice::Rpmbuild => &self.rpmbuild,
        }
    }
}
