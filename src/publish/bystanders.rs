//! The packages that updates leave as they are, as far as updates concern them.
//!
//! Whether an update breaks something depends on the requirements that something in it met, and on who else meets them and what the update
//! needs. All other requirements are met or not whatever becomes of the updates: they are not looked at, so that the update of one
//! package among ten thousand takes no more than a look through their names.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rayon::prelude::*;

use super::PublishError;
use super::closure::{Change, Needs, required_names};
use super::groups::{Groups, PackageGroup};
use super::kept_group::KeptGroup;
use super::kept_needs::{DependencyQuery, FoundDependencies};
use crate::files::Folder;
use crate::package::Dependency;

/// What `updates` concern in these groups of the repository in `folder`, by the names of packages.
///
/// # Errors
/// As [`Groups::get`].
pub(super) fn find_bystanders(
    folder: &Folder,
    groups: &Groups<'_>,
    published: &[PackageGroup<'_>],
    updates: &[Change],
) -> Result<Vec<Change>, PublishError> {
    let updated: BTreeSet<&str> = updates.iter().map(|change| change.package.as_str()).collect();
    let is_package = |package: &str| !updated.contains(package);
    let touched: HashSet<&str> =
        of_updates(updates, |needs| &needs.provides).map(|it| it.name.as_str()).collect();
    let is_touched = |name: &str| match name.starts_with('(') {
        true => required_names(&Dependency::any(name)).iter().any(|name| touched.contains(name.as_str())),
        false => touched.contains(name),
    };
    let names = touched.iter().copied().collect();
    let asked = DependencyQuery { is_package: &is_package, is_name: &is_touched, names };
    let requires = look_through(folder, groups, published, |group| group.requirements(&asked))?;
    let own = of_updates(updates, |needs| &needs.requires);
    let required: HashSet<String> = own
        .chain(requires.iter().flat_map(|(_, found)| &found.dependencies))
        .flat_map(required_names)
        .collect();
    let is_required = |name: &str| required.contains(name);
    let names = required.iter().map(String::as_str).collect();
    let asked = DependencyQuery { is_package: &is_package, is_name: &is_required, names };
    let provides = look_through(folder, groups, published, |group| group.provided(&asked))?;
    Ok(join_by_package(requires, provides))
}

fn of_updates<'a>(
    updates: &'a [Change],
    list: impl Fn(&'a Needs) -> &'a Vec<Dependency> + 'a,
) -> impl Iterator<Item = &'a Dependency> {
    let needs = updates.iter().flat_map(|change| change.before.iter().chain(&change.after));
    needs.flat_map(list)
}

/// What each group has, with the number of the group.
fn look_through(
    folder: &Folder,
    groups: &Groups<'_>,
    published: &[PackageGroup<'_>],
    look: impl Fn(&KeptGroup) -> std::io::Result<Vec<FoundDependencies>> + Sync,
) -> Result<Vec<(usize, FoundDependencies)>, PublishError> {
    let found = published.par_iter().enumerate().map(|(number, group)| {
        let found = look(&*groups.get(folder, group, &[])?)?;
        Ok(found.into_iter().map(|found| (number, found)).collect::<Vec<_>>())
    });
    Ok(found.collect::<Result<Vec<_>, PublishError>>()?.into_iter().flatten().collect())
}

fn join_by_package(
    requires: Vec<(usize, FoundDependencies)>,
    provides: Vec<(usize, FoundDependencies)>,
) -> Vec<Change> {
    let mut needs: BTreeMap<(usize, usize), (String, Needs)> = BTreeMap::new();
    let empty = |nevra: String| Needs { nevra, provides: Vec::new(), requires: Vec::new() };
    for (number, FoundDependencies { index, package, nevra, dependencies }) in requires {
        needs.insert((number, index), (package, Needs { requires: dependencies, ..empty(nevra) }));
    }
    for (number, FoundDependencies { index, package, nevra, dependencies }) in provides {
        let (_, needs) = needs.entry((number, index)).or_insert_with(|| (package, empty(nevra)));
        needs.provides = dependencies;
    }
    let mut by_package: BTreeMap<String, Vec<Needs>> = BTreeMap::new();
    for (package, needs) in needs.into_values() {
        by_package.entry(package).or_default().push(needs);
    }
    let change = |(package, needs): (String, Vec<Needs>)| Change {
        package,
        before: needs.clone(),
        after: needs,
        is_update: false,
    };
    by_package.into_iter().map(change).collect()
}
