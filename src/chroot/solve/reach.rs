//! Which packages an answer can have, at most, and which files those depend on.

use std::collections::{BTreeSet, HashSet};

use super::catalogue::{Catalogue, List};
use super::pool_ids::{DependencyId, PackageId};
use super::request::WeakDependencies;

/// The packages that can be had for what was looked at, and the paths among what they depend on that nothing provides.
#[derive(Default)]
pub(super) struct Reach {
    pub paths: BTreeSet<String>,
    packages: HashSet<PackageId>,
    dependencies: HashSet<DependencyId>,
    open: Vec<PackageId>,
}

impl Reach {
    pub fn add_package(&mut self, package: PackageId) {
        if self.packages.insert(package) {
            self.open.push(package);
        }
    }

    pub fn add_dependency(&mut self, catalogue: &mut Catalogue<'_>, dependency: DependencyId) {
        if !self.dependencies.insert(dependency) {
            return;
        }
        let providers = catalogue.pool.providers(dependency);
        // What has packages is no path that nobody has: only what has none is written out.
        if providers.is_empty() {
            let text = catalogue.pool.dependency_text(dependency);
            if text.starts_with('/') {
                self.paths.insert(text);
            }
        }
        for package in providers.into_iter().filter(|package| catalogue.is_installable(*package)) {
            self.add_package(package);
        }
    }

    /// Goes on to all that packages need, and what that needs.
    pub fn follow(&mut self, catalogue: &mut Catalogue<'_>, weak: WeakDependencies) {
        match weak {
            WeakDependencies::Left => self.follow_lists(catalogue, &[List::Requires]),
            WeakDependencies::Taken => {
                self.follow_lists(catalogue, &[List::Requires, List::Recommends]);
                while self.add_supplements(catalogue) {
                    self.follow_lists(catalogue, &[List::Requires, List::Recommends]);
                }
            }
        }
    }

    fn follow_lists(&mut self, catalogue: &mut Catalogue<'_>, lists: &[List]) {
        while let Some(package) = self.open.pop() {
            for list in lists {
                for dependency in catalogue.leaves(package, *list) {
                    self.add_dependency(catalogue, dependency);
                }
            }
        }
    }

    /// Adds packages that supplement those that were reached; whether there are any.
    fn add_supplements(&mut self, catalogue: &mut Catalogue<'_>) -> bool {
        let others: Vec<PackageId> = catalogue
            .packages()
            .filter(|(id, package)| {
                !self.packages.contains(id) && !package.list(List::Supplements).is_empty()
            })
            .map(|(id, _)| id)
            .collect();
        for id in others {
            let supplemented = catalogue.leaves(id, List::Supplements);
            let mut providers = supplemented.into_iter().flat_map(|leaf| catalogue.pool.providers(leaf));
            if providers.any(|provider| self.packages.contains(&provider)) && catalogue.is_installable(id) {
                self.add_package(id);
            }
        }
        !self.open.is_empty()
    }
}
