//! What repositories have now, as their records say.

use std::collections::HashSet;

use super::PublishError;
use super::repositories::{Repositories, RepositoryPlace};
use crate::digest::Key;
use crate::event::BuildName;

/// A build of a package in a repository.
#[derive(Clone, Debug)]
pub struct PublishedBuild {
    /// What was built.
    pub build: BuildName,
    /// Its version, `[epoch:]version-release`.
    pub version: Option<String>,
    /// The key of its result, where that is known.
    pub key: Option<Key>,
    /// Whether it is the newest of its package there.
    pub is_newest: bool,
    /// The fingerprints of the keys that its packages are signed with.
    pub signed_by: Vec<String>,
}

impl Repositories {
    /// The builds in the repositories of declared chroots, and of this project's others.
    ///
    /// # Errors
    /// As [`Repositories::leaving`].
    pub fn published_builds(&self) -> Result<Vec<PublishedBuild>, PublishError> {
        let mut builds = Vec::new();
        for place in self.declared_places().chain(self.undeclared_places()?) {
            builds.extend(self.builds_in(&place)?);
        }
        Ok(builds)
    }

    /// The keys of the results that repositories are made of.
    ///
    /// # Errors
    /// As [`Repositories::leaving`].
    pub fn published_keys(&self) -> Result<HashSet<Key>, PublishError> {
        Ok(self.published_builds()?.into_iter().filter_map(|build| build.key).collect())
    }

    /// The keys of the results that the repository of each declared chroot is made of.
    pub(super) fn published_keys_by_chroot(&self) -> Result<Vec<(String, HashSet<Key>)>, PublishError> {
        let mut keys = Vec::new();
        for place in self.declared_places() {
            let published = self.builds_in(&place)?.into_iter().filter_map(|build| build.key).collect();
            keys.push((place.chroot, published));
        }
        Ok(keys)
    }

    fn builds_in(&self, place: &RepositoryPlace) -> Result<Vec<PublishedBuild>, PublishError> {
        let RepositoryPlace { chroot, path } = place;
        let Some(folder) = self.open(path)? else { return Ok(Vec::new()) };
        let target = self.target(chroot, path, folder)?;
        let known = target.read_known(self.clock.now()).map_err(|error| self.locate(error))?;
        let builds = known.record.packages.iter().map(|package| PublishedBuild {
            version: package.version(),
            key: package.key,
            is_newest: package.is_newest(),
            signed_by: package.signed.as_ref().map(|signed| signed.by.clone()).unwrap_or_default(),
            build: BuildName { package: package.package.clone(), chroot: chroot.clone() },
        });
        Ok(builds.collect())
    }
}
