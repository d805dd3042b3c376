//! What would wait of what comes into a repository: looked at, not written.

use std::collections::HashMap;

use super::PublishError;
use super::holding::HeldPackage;
use super::record::PublishedPackage;
use super::repositories::{Repositories, RepositoryPlace};
use super::wanted::wanted_packages;

impl Repositories {
    /// Which of the packages that come into a repository would wait; and what is on record of it, by the names of packages.
    ///
    /// # Errors
    /// As [`Repositories::leaving`].
    pub(super) fn held_packages<'a>(
        &self,
        place: &RepositoryPlace,
        coming: impl Iterator<Item = &'a PublishedPackage>,
    ) -> Result<(Vec<HeldPackage>, HashMap<String, PublishedPackage>), PublishError> {
        let Some(folder) = self.open(&place.path)? else { return Ok((Vec::new(), HashMap::new())) };
        let target = self.target(&place.chroot, &place.path, folder)?;
        let known = target.read_known(self.clock.now()).map_err(|error| self.locate(error))?;
        let coming: Vec<PublishedPackage> = coming.cloned().collect();
        let wanted = wanted_packages(&target, &known.record, &coming);
        let held = self.holding().take(&target, &known.record, wanted).held;
        let packages = known.record.packages.into_iter();
        Ok((held, packages.map(|package| (package.package.clone(), package)).collect()))
    }
}
