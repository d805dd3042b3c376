//! What would wait of what comes into a repository: looked at, not written.

use super::PublishError;
use super::groups::RecordGroups;
use super::holding::Taken;
use super::reception::Reception;
use super::record::PublishedPackage;
use super::repositories::{Repositories, RepositoryPlace};
use super::retention::{Verdict, WhyGoes, retain};
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
        let holding = self.holding();
        let published = RecordGroups::new(&known.record, holding.packing);
        let Taken { packages, held, .. } = holding.take(&target, &published, wanted);
        let needs = |package: &PublishedPackage| holding.needs_of(&target, package);
        let retained = retain((&known.record, packages), (&target.keep, &target.declared), now, &needs);
        let judged = retained.judged.unwrap_or_default();
        let aged = judged.iter().filter_map(|(build, verdict)| match verdict {
            Verdict::Goes(WhyGoes::Newest { since }) if build.is_newest() => {
                Some((build.package.clone(), *since))
            }
            Verdict::Goes(_) | Verdict::Stays(_) => None,
        });
        let away = coming.iter().filter(|package| target.keep.stays_away(&known.record, package, now));
        let away = away.filter_map(|package| {
            let retired = known.record.retired.iter().find(|it| it.package == package.package)?;
            Some((package.package.clone(), retired.came))
        });
        let published = known.record.newest().map(|package| (package.package.clone(), package.clone()));
        let pinned = known.record.packages.iter().filter(|package| target.keep.pins(package));
        Ok(Reception {
            held,
            published: published.collect(),
            away: away.collect(),
            aged: aged.collect(),
            pinned: pinned.cloned().collect(),
        })
    }
}
