//! What inspecting needs.

use std::collections::HashMap;
use std::sync::Arc;

use super::PlanError;
use crate::chroot::RootIdentity;
use crate::chroot::compose::Farm;
use crate::chroot::making::PackageRoots;
use crate::engine::{EngineInRoot, EnginesInRoot, MacroSetting};
use crate::files::Folder;
use crate::manifest::declaration::EngineChoice;
use crate::manifest::{ChrootId, Manifest};
use crate::source::{Origin, SourceLock, SourceTools};
use crate::store::Store;
use crate::text::Located;

/// What inspecting needs.
pub struct Inspector<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The repository.
    pub repository: &'a Folder,
    /// What sources that are not in the project are fetched and made with.
    pub sources: SourceTools<'a>,
    /// What is locked of sources.
    pub source_lock: &'a SourceLock,
    /// Where answers are remembered.
    pub store: &'a Store,
    /// The roots that can be built in.
    pub roots: &'a OpenRoots,
    /// Macros of the command line.
    pub over: &'a [MacroSetting],
}

/// A root that specs are read and packages built in.
#[derive(Clone)]
pub struct OpenRoot {
    /// The engines there.
    pub engines: EnginesInRoot,
    /// What identifies it.
    pub identity: RootIdentity,
    /// What chooses and makes the roots of builds, where they are made of packages.
    pub packages: Option<Arc<PackageRoots>>,
    /// The image that it is, which stays in the store as long as this is held.
    pub image: Option<Arc<Farm>>,
}

/// The roots of chroots.
#[derive(Clone, Default)]
pub struct OpenRoots {
    /// All of them, once each.
    pub all: Vec<OpenRoot>,
    /// Which of them each chroot has that can be built in.
    pub of_chroots: HashMap<ChrootId, usize>,
    /// Why others have none.
    pub refused: HashMap<ChrootId, Arc<Located<PlanError>>>,
}

impl OpenRoots {
    /// That of a chroot.
    pub fn of(&self, chroot: ChrootId) -> Option<&OpenRoot> {
        self.all.get(*self.of_chroots.get(&chroot)?)
    }
}

/// Where a package comes from, or why that is of no use; the same for all of its builds.
pub(super) type LocatedOrigin = Result<Origin, Arc<Located<PlanError>>>;

impl OpenRoot {
    /// What reads and builds the packages that choose this engine.
    pub(super) fn engine(&self, engine: EngineChoice) -> &Arc<dyn EngineInRoot> {
        match engine {
            EngineChoice::Native => &self.engines.native,
            EngineChoice::Rpmbuild => self.engines.rpmbuild.as_ref().unwrap_or(&self.engines.native),
        }
    }
}
