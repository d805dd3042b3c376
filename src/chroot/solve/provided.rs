//! What a repository's packages provide, by name.

use std::collections::BTreeSet;

use super::filter::Filter;
use super::index::{PackageIndex, Reference, Referent, RelationKind};
use super::request::SolveRepository;
use crate::package::Dependency;

/// What packages of these repositories provide of `names`, a file as itself: of those packages that may be taken.
pub fn find_provided(repositories: &[SolveRepository<'_>], names: &BTreeSet<String>) -> Vec<Dependency> {
    let mut found = Vec::new();
    for repository in repositories {
        let (index, filter) = (repository.index, Filter::new(repository, repositories));
        let is_taken = |number: usize| {
            index.packages.get(number).is_some_and(|package| filter.check(index, package).is_none())
        };
        for number in (0..index.len()).filter(|number| is_taken(*number)) {
            let [provides, ..] = index.lists(number);
            let provided = provides.iter().filter_map(|reference| index.named(*reference, names));
            found.extend(provided);
        }
        let has = |path: &String| {
            let with = index.files.packages_with(path).iter();
            with.filter_map(|number| usize::try_from(*number).ok()).any(is_taken)
        };
        let paths = names.iter().filter(|name| name.starts_with('/'));
        found.extend(paths.filter(|path| has(path)).map(Dependency::any));
    }
    found
}

impl PackageIndex {
    /// A dependency of a package, if it is on one of `names`.
    fn named(&self, reference: Reference, names: &BTreeSet<String>) -> Option<Dependency> {
        let text = |reference: Reference| match reference.referent() {
            Referent::Name(name) => Some(self.names.get(name)),
            Referent::Relation(_) => None,
        };
        let (name, version) = match reference.referent() {
            Referent::Name(name) => (self.names.get(name), None),
            Referent::Relation(relation) => {
                let relation = self.relations.get(usize::try_from(relation).ok()?)?;
                let RelationKind::Version(comparison) = relation.kind else { return None };
                (text(relation.left)?, Some((comparison, text(relation.right)?.to_owned())))
            }
        };
        names.contains(name).then(|| Dependency { name: name.to_owned(), version })
    }
}
