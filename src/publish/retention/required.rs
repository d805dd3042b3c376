//! Which builds stay because packages that stay require them.
//!
//! What a chroot's own repositories have is left out of account: they change, and whether they can be read must not decide what goes.
//! A requirement that no build of the repository meets is for them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::verdict::{Verdict, WhyGoes, WhyStays};
use crate::package::Dependency;
use crate::publish::PublishError;
use crate::publish::closure::{Needs, ReadRequirement};
use crate::publish::record::PublishedPackage;

/// What is asked of a package's files: what they give and need.
pub(in crate::publish) type AskNeeds<'a> =
    &'a (dyn Fn(&PublishedPackage) -> Result<Vec<Needs>, PublishError> + Sync);

/// What follows from what packages require. Builds are named by their places.
pub(super) struct Needed {
    /// The builds that stay besides.
    pub kept: Vec<(usize, WhyStays)>,
    /// The builds that need what was replaced.
    pub broken: Vec<(usize, WhyGoes)>,
}

/// What the binary packages of each build give and need.
pub(super) fn read_needs(
    pool: &[PublishedPackage],
    ask: AskNeeds<'_>,
) -> Result<Vec<Vec<Needs>>, PublishError> {
    pool.par_iter().map(ask).collect()
}

/// Finds them, given what becomes of builds otherwise.
pub(super) fn find_needed(pool: &[PublishedPackage], verdicts: &[Verdict], needs: &[Vec<Needs>]) -> Needed {
    let mut search = RequirementSearch::new(pool, verdicts, needs);
    let mut kept = BTreeMap::new();
    let mut open: Vec<usize> = (0..needs.len()).filter(|place| search.stays(*place)).collect();
    while !open.is_empty() {
        let mut found = BTreeMap::new();
        for (_, wanted, name) in search.unmet(&open) {
            for provider in search.find_providers(&wanted) {
                let (by, wanted) = (name.to_owned(), wanted.text());
                found.entry(provider).or_insert(WhyStays::Required { by, wanted });
            }
        }
        open = found.keys().copied().collect();
        search.keep(&open);
        kept.extend(found);
    }
    let broken = search.find_broken();
    Needed { kept: kept.into_iter().collect(), broken }
}

/// What is provided under a name.
struct Offer<'a> {
    place: usize,
    needs: &'a Needs,
    provided: &'a Dependency,
}

struct RequirementSearch<'a> {
    pool: &'a [PublishedPackage],
    verdicts: &'a [Verdict],
    needs: &'a [Vec<Needs>],
    by_name: HashMap<&'a str, Vec<Offer<'a>>>,
    stays: Vec<bool>,
}

impl<'a> RequirementSearch<'a> {
    fn new(pool: &'a [PublishedPackage], verdicts: &'a [Verdict], needs: &'a [Vec<Needs>]) -> Self {
        let mut by_name: HashMap<&str, Vec<Offer<'_>>> = HashMap::new();
        for (place, packages) in needs.iter().enumerate() {
            for needs in packages {
                for provided in &needs.provides {
                    by_name.entry(&provided.name).or_default().push(Offer { place, needs, provided });
                }
            }
        }
        // What metadata leave out can't be installed for another.
        let is_there =
            |verdict: &Verdict| verdict.stays() && *verdict != Verdict::Stays(WhyStays::PinnedAndReplaced);
        let stays = verdicts.iter().map(is_there).collect();
        Self { pool, verdicts, needs, by_name, stays }
    }

    fn stays(&self, place: usize) -> bool {
        self.stays.get(place).copied().unwrap_or_default()
    }

    fn keep(&mut self, places: &[usize]) {
        for place in places {
            if let Some(stays) = self.stays.get_mut(*place) {
                *stays = true;
            }
        }
    }

    /// What builds require that no build meets which stays, each with who requires it.
    fn unmet(&self, places: &[usize]) -> Vec<(usize, ReadRequirement<'a>, &'a str)> {
        let mut unmet = Vec::new();
        for place in places {
            for needs in self.needs.get(*place).into_iter().flatten() {
                let wanted = needs.requires.iter().filter_map(ReadRequirement::new);
                let wanted = wanted.filter(|wanted| !self.is_met(wanted, |place| self.stays(place)));
                unmet.extend(wanted.map(|wanted| (*place, wanted, needs.nevra.as_str())));
            }
        }
        unmet
    }

    /// Whether the builds that are meant meet a requirement.
    fn is_met(&self, wanted: &ReadRequirement<'_>, is_meant: impl Fn(usize) -> bool) -> bool {
        match wanted {
            ReadRequirement::Plain(wanted) => {
                let mut offers = self.by_name.get(wanted.name.as_str()).into_iter().flatten();
                offers.any(|offer| is_meant(offer.place) && wanted.is_met_by(offer.provided))
            }
            ReadRequirement::Rich(_, rich) => {
                let names = wanted.names();
                let offers = names.iter().filter_map(|name| self.by_name.get(name.as_str())).flatten();
                let offers = offers.filter(|offer| is_meant(offer.place));
                let packages: Vec<&[Dependency]> =
                    offers.map(|offer| offer.needs.provides.as_slice()).collect();
                rich.is_met_by(&packages)
            }
        }
    }

    /// The builds that would go and meet a requirement: the one that came last, or all that it takes together.
    fn find_providers(&self, wanted: &ReadRequirement<'_>) -> Vec<usize> {
        let names = wanted.names();
        let offers = names.iter().filter_map(|name| self.by_name.get(name.as_str())).flatten();
        let may_stay = |place: &usize| {
            !self.stays(*place) && self.verdicts.get(*place).is_some_and(Verdict::may_be_needed)
        };
        let mut candidates: Vec<usize> = offers.map(|offer| offer.place).filter(may_stay).collect();
        candidates.sort_by_key(|place| (self.came(*place), *place));
        candidates.dedup();
        let alone = candidates
            .iter()
            .find(|candidate| self.is_met(wanted, |place| self.stays(place) || place == **candidate));
        match alone {
            Some(alone) => vec![*alone],
            None if self.is_met(wanted, |place| self.stays(place) || candidates.contains(&place)) => {
                candidates
            }
            None => Vec::new(),
        }
    }

    /// When a build came, for the last to come first.
    fn came(&self, place: usize) -> Reverse<u64> {
        let came = self.pool.get(place).and_then(|build| build.keeping.came);
        Reverse(came.unwrap_or_default().0)
    }

    /// The older builds that stay and need what only a build has that was replaced.
    fn find_broken(&self) -> Vec<(usize, WhyGoes)> {
        let is_older = |place: &usize| {
            let may_go = self.verdicts.get(*place) != Some(&Verdict::Stays(WhyStays::Pinned));
            may_go && self.stays(*place) && self.pool.get(*place).is_some_and(|build| !build.is_newest())
        };
        let older: Vec<usize> = (0..self.needs.len()).filter(is_older).collect();
        let is_replaced = |place: usize| {
            let replaced = matches!(
                self.verdicts.get(place),
                Some(
                    Verdict::Goes(WhyGoes::Replaced { .. } | WhyGoes::Broken { .. })
                        | Verdict::Stays(WhyStays::PinnedAndReplaced)
                )
            );
            replaced || self.stays(place)
        };
        let unmet = self.unmet(&older).into_iter();
        let unmet = unmet.filter(|(_, wanted, _)| self.is_met(wanted, is_replaced));
        let broken = unmet.map(|(place, wanted, needs)| {
            (place, WhyGoes::Broken { needs: needs.to_owned(), wanted: wanted.text() })
        });
        broken.collect()
    }
}
