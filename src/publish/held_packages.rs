//! What would wait of what comes into a repository: looked at, not written.

use super::PublishError;
use super::reception::Reception;
use super::record::PublishedPackage;
use super::repositories::{Repositories, RepositoryPlace};
use super::wanted::wanted_packages;

impl Repositories {
    /// Which of the packages that come into a repository would wait, and what there is.
    ///
    /// # Errors
    /// As [`Repositories::leaving`].
    pub(super) fn held_packages<'a>(
        &self,
        place: &RepositoryPlace,
        coming: impl Iterator<Item = &'a PublishedPackage>,
    ) -> Result<Reception, PublishError> {
        let Some(folder) = self.open(&place.path)? else { return Ok(Reception::default()) };
        let target = self.target(&place.chroot, &place.path, folder)?;
        let now = self.clock.now();
        let known = target.read_known(now).map_err(|error| self.locate(error))?;
        let coming: Vec<PublishedPackage> = coming.cloned().collect();
        let wanted = wanted_packages(&target, &known.record, &coming, now);
        let held = self.holding().take(&target, &known.record, wanted).held;
        let is_away = |package: &&PublishedPackage| target.keep.stays_away(&known.record, package, now);
        let away = coming.iter().filter(is_away).map(|package| package.package.clone()).collect();
        let published = known.record.newest().map(|package| (package.package.clone(), package.clone()));
        Ok(Reception { held, published: published.collect(), away, pinned: target.keep.pinned })
    }
}
