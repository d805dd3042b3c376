//! All that has to do with the roots of one chroot.

use super::{ChrootRequest, LockRule, PackageChooser, RootError, RootMaker, RootTools};
use crate::chroot::LockedChroot;

/// The roots of a chroot that is made of packages.
pub struct PackageRoots {
    /// Says what is in them.
    pub chooser: PackageChooser,
    /// Makes them.
    pub maker: RootMaker,
}

impl PackageRoots {
    /// Those of a chroot, of which `locked` is known.
    ///
    /// # Errors
    /// What it declares can't be.
    pub fn new(
        request: ChrootRequest,
        locked: LockedChroot,
        rule: LockRule,
        tools: RootTools,
    ) -> Result<Self, RootError> {
        let chooser = PackageChooser::new(request, locked, rule, tools)?;
        let maker = RootMaker::new(&chooser);
        Ok(Self { chooser, maker })
    }
}
