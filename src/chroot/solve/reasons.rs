//! Why packages are in an answer.

use std::collections::{HashMap, VecDeque};

use super::catalogue::{Catalogue, List};
use super::pool_ids::{DependencyId, PackageId};
use super::solution::Why;

/// A dependency that is asked for, with the words for who asks and what.
pub(super) struct AskedFor {
    pub packages: Vec<PackageId>,
    pub by: String,
    pub what: String,
}

/// Why each package is there. `packages` are those of the answer in its order, `base` those of them that were there before.
///
/// Each gets the reason that is fewest steps from what was asked for; of several, that of the first request and of the first
/// package that requires it.
pub(super) fn find_reasons(
    catalogue: &mut Catalogue<'_>,
    packages: &[PackageId],
    base: &[PackageId],
    roots: &[AskedFor],
) -> Vec<Why> {
    let places: HashMap<PackageId, usize> =
        packages.iter().enumerate().map(|(place, package)| (*package, place)).collect();
    let mut search = Search { reasons: vec![None; packages.len()], open: VecDeque::new(), places };
    for root in roots {
        let asked = || Why::Requested { by: root.by.clone(), what: root.what.clone() };
        root.packages.iter().for_each(|package| search.reach(*package, asked));
    }
    base.iter().for_each(|package| search.reach(*package, || Why::Base));
    search.follow(catalogue, packages, List::Requires);
    search.open = (0..packages.len()).filter(|place| search.reasons[*place].is_some()).collect();
    search.follow(catalogue, packages, List::Recommends);
    search.find_supplements(catalogue, packages);
    search.reasons.into_iter().map(|why| why.unwrap_or(Why::Condition)).collect()
}

struct Search {
    reasons: Vec<Option<Why>>,
    open: VecDeque<usize>,
    places: HashMap<PackageId, usize>,
}

impl Search {
    fn reach(&mut self, package: PackageId, why: impl FnOnce() -> Why) {
        let Some(place) = self.places.get(&package) else { return };
        if let Some(reason @ None) = self.reasons.get_mut(*place) {
            *reason = Some(why());
            self.open.push_back(*place);
        }
    }

    /// Goes on from the packages that are open; what is recommended brings what it requires.
    fn follow(&mut self, catalogue: &mut Catalogue<'_>, packages: &[PackageId], list: List) {
        while let Some(by) = self.open.pop_front() {
            for from in [List::Requires, list] {
                for dependency in catalogue.leaves(packages[by], from) {
                    self.reach_providers(catalogue, dependency, by, from);
                }
            }
        }
    }

    fn reach_providers(
        &mut self,
        catalogue: &mut Catalogue<'_>,
        dependency: DependencyId,
        by: usize,
        list: List,
    ) {
        for provider in catalogue.pool.providers(dependency) {
            let Some(place) = self.places.get(&provider) else { continue };
            if self.reasons.get(*place).is_some_and(Option::is_some) {
                continue;
            }
            let what = catalogue.pool.dependency_text(dependency);
            self.reach(provider, || match list {
                List::Requires => Why::Required { by, what },
                List::Recommends | List::Supplements | List::Obsoletes => Why::Recommended { by, what },
            });
        }
    }

    /// What is there because it supplements another package says so itself.
    fn find_supplements(&mut self, catalogue: &mut Catalogue<'_>, packages: &[PackageId]) {
        for place in 0..packages.len() {
            if self.reasons[place].is_some() {
                continue;
            }
            for dependency in catalogue.leaves(packages[place], List::Supplements) {
                let supplemented = catalogue.pool.providers(dependency);
                let by = supplemented.iter().find_map(|package| self.places.get(package)).copied();
                if let Some(by) = by.filter(|by| *by != place) {
                    let what = catalogue.pool.dependency_text(dependency);
                    self.reach(packages[place], || Why::Recommended { by, what });
                    break;
                }
            }
            self.follow(catalogue, packages, List::Recommends);
        }
    }
}
