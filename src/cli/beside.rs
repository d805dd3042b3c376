//! What is beside the repositories that are published to: what the repositories of their chroots have.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::chroot::making::PackageRoots;
use crate::manifest::Manifest;
use crate::package::Dependency;
use crate::plan::OpenRoots;
use crate::publish::Beside;

/// The repositories of chroots, by the chroots' names. Of a chroot that has none, nothing is known.
#[derive(Default)]
pub struct ChrootRepositories {
    by_chroot: HashMap<String, Arc<PackageRoots>>,
}

impl ChrootRepositories {
    /// Those of the roots of a manifest.
    pub fn new(manifest: &Manifest, roots: &OpenRoots) -> Self {
        let packages = |place: &usize| roots.all.get(*place).and_then(|root| root.packages.clone());
        let of_chroots = roots.of_chroots.iter();
        let by_chroot = of_chroots
            .filter_map(|(id, place)| Some((manifest.chroot(*id).name.value.clone(), packages(place)?)));
        Self { by_chroot: by_chroot.collect() }
    }
}

impl Beside for ChrootRepositories {
    fn provided(&self, chroot: &str, names: &BTreeSet<String>) -> Option<Vec<Dependency>> {
        // Where a repository can't be read now, what is published must not depend on that.
        self.by_chroot.get(chroot)?.chooser.provided(names).ok().flatten()
    }
}
