//! A root that was made.

use std::sync::Arc;

use super::effect::read_log;
use crate::chroot::LockedPackage;
use crate::chroot::compose::Farm;
use crate::files::HostPath;

/// A root that was made.
#[derive(Clone, Debug)]
pub struct MadeRoot {
    pub(super) farm: Farm,
    /// What scriptlets and the installation have changed.
    pub(super) effect: Option<HostPath>,
    pub(super) base: Option<Arc<MadeRoot>>,
    /// Its packages, those of its base left out.
    pub packages: Vec<LockedPackage>,
}

impl MadeRoot {
    /// What scriptlets have printed while it was made, those of its base first.
    pub fn log(&self) -> String {
        let below = self.base.as_ref().map(|base| base.log()).unwrap_or_default();
        below + &self.effect.as_ref().map(read_log).unwrap_or_default()
    }

    /// All packages in it, those of its base first.
    pub fn all_packages(&self) -> Vec<LockedPackage> {
        let below = self.base.iter().flat_map(|base| base.all_packages());
        below.chain(self.packages.iter().cloned()).collect()
    }

    /// The folders that it consists of, the uppermost first.
    pub fn layers(&self) -> Vec<HostPath> {
        let below = self.base.iter().flat_map(|base| base.layers());
        self.effect.iter().cloned().chain(self.farm.own_layers()).chain(below).collect()
    }
}
