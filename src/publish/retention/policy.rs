//! What `keep` and pins say of each build, before anything is asked of what others need.

use std::collections::{BTreeSet, HashSet};

use super::rules::{Keep, KeepRules};
use super::verdict::{Verdict, WhyGoes, WhyStays};
use crate::event::Timestamp;
use crate::manifest::Age;
use crate::publish::record::PublishedPackage;

/// What stays where only pins keep older builds.
const NEWEST_ALONE: KeepRules = KeepRules { newest: Age::Forever, builds: 1, superseded: None };

/// Says of each build of `pool`, which is by package and the newest first, whether it stays.
pub(super) fn judge(
    pool: &[PublishedPackage],
    keep: &Keep,
    declared: &BTreeSet<&str>,
    now: Timestamp,
) -> Vec<Verdict> {
    let of_package = pool.chunk_by(|one, other| one.package == other.package);
    let judged = of_package.flat_map(|builds| {
        let is_declared = builds.first().is_some_and(|build| declared.contains(build.package.as_str()));
        let rules = keep.rules.unwrap_or(NEWEST_ALONE);
        let newest = builds.first().filter(|build| build.is_newest());
        let mut judge = Judge { rules, now, newest, is_declared, seen: HashSet::new(), place: 0 };
        let judged = builds.iter().map(|build| {
            let verdict = judge.judge(build);
            match keep.pins(build) && verdict != Verdict::Stays(WhyStays::Newest) {
                true => Verdict::Stays(WhyStays::Pinned),
                false => verdict,
            }
        });
        judged.collect::<Vec<_>>()
    });
    judged.collect()
}

/// Has metadata leave out the pinned builds whose packages a newer build that stays has too.
pub(super) fn hide_replaced(pool: &[PublishedPackage], verdicts: &mut [Verdict]) {
    let mut seen: HashSet<&str> = HashSet::new();
    for (build, verdict) in pool.iter().zip(verdicts) {
        let is_replaced = names(build).any(|name| seen.contains(name));
        if is_replaced && *verdict == Verdict::Stays(WhyStays::Pinned) {
            *verdict = Verdict::Stays(WhyStays::PinnedAndReplaced);
        } else if verdict.stays() {
            seen.extend(names(build));
        }
    }
}

/// What is known of a package while its builds are judged, the newest first.
struct Judge<'a> {
    rules: KeepRules,
    now: Timestamp,
    newest: Option<&'a PublishedPackage>,
    is_declared: bool,
    /// The packages of the builds so far.
    seen: HashSet<&'a str>,
    /// How many builds there were so far that a newer one has not replaced.
    place: u32,
}

impl<'a> Judge<'a> {
    fn judge(&mut self, build: &'a PublishedPackage) -> Verdict {
        let since = build.keeping.since.unwrap_or(self.now);
        let is_replaced = names(build).any(|name| self.seen.contains(name));
        if is_replaced {
            return Verdict::Goes(WhyGoes::Replaced { since });
        }
        self.seen.extend(names(build));
        self.place += 1;
        let came = |build: &PublishedPackage| build.keeping.came.unwrap_or(self.now);
        match self.newest {
            None if !self.is_declared => Verdict::Goes(WhyGoes::Undeclared),
            Some(_) if !self.is_declared && build.is_newest() => Verdict::Stays(WhyStays::Waits),
            Some(_) if !self.is_declared => Verdict::Goes(WhyGoes::Undeclared),
            // Its newest build has left for its age.
            None => Verdict::Goes(WhyGoes::Newest { since: came(build) }),
            Some(newest) if self.rules.newest.is_over(self.now.since(came(newest))) => {
                Verdict::Goes(WhyGoes::Newest { since: came(newest) })
            }
            Some(_) if build.is_newest() => Verdict::Stays(WhyStays::Newest),
            Some(_) if self.place <= self.rules.builds => {
                Verdict::Stays(WhyStays::Builds { place: self.place })
            }
            Some(_) => self.judge_superseded(since),
        }
    }

    fn judge_superseded(&self, since: Timestamp) -> Verdict {
        match self.rules.superseded {
            Some(Age::Forever) => Verdict::Stays(WhyStays::Superseded { until: None }),
            Some(age @ Age::Limited(most)) if !age.is_over(self.now.since(since)) => {
                Verdict::Stays(WhyStays::Superseded { until: Some(since.after(most)) })
            }
            Some(Age::Limited(_)) | None => Verdict::Goes(WhyGoes::Superseded { since }),
        }
    }
}

/// The packages of a build: names, versions and architectures.
fn names(build: &PublishedPackage) -> impl Iterator<Item = &str> {
    build.files.iter().filter_map(|file| file.nevra.as_deref())
}
