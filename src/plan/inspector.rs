//! What inspecting needs.

use std::collections::HashMap;
use std::sync::Arc;

use miette::Diagnostic as _;

use super::{PlanError, Rebuild};
use crate::chroot::RootIdentity;
use crate::chroot::compose::Farm;
use crate::chroot::making::PackageRoots;
use crate::engine::{EngineInRoot, EnginesInRoot, MacroSetting};
use crate::files::Folder;
use crate::manifest::declaration::EngineChoice;
use crate::manifest::{ChrootId, Manifest};
use crate::source::{Origin, RefusedRoot, SourceLock, SourceRoot, SourceRoots, SourceTools};
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
    /// The earlier build that is made again, where the manifest stands for that one alone.
    pub rebuild: Option<Arc<Rebuild>>,
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

impl SourceRoots for OpenRoots {
    fn open_root(&self, chroot: ChrootId) -> Result<SourceRoot, RefusedRoot> {
        match (self.of(chroot), self.refused.get(&chroot)) {
            (Some(OpenRoot { engines, identity, packages, image: _ }), _) => {
                Ok(SourceRoot { engines: engines.clone(), identity: *identity, packages: packages.clone() })
            }
            (None, Some(refused)) => Err(RefusedRoot {
                reason: refused.error().in_one_line(),
                help: refused.error().help().map(|help| help.to_string()).unwrap_or_default(),
            }),
            (None, None) => Err(RefusedRoot {
                reason: "it was not opened".to_owned(),
                help: "this is a mistake in forge: please report it".to_owned(),
            }),
        }
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
