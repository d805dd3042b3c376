//! What packages need must be there: the distribution is closed.

use std::collections::{BTreeMap, BTreeSet};

use rpmforge::package::{Comparison, Dependency};

use super::package::{Package, Row};

/// What all packages give.
struct Given {
    capabilities: BTreeMap<String, Vec<Dependency>>,
    /// The packages of files.
    files: BTreeMap<String, usize>,
}

/// Completes what packages need and give, and makes sure that there is nothing of it that no package has.
pub fn close_relations(packages: &mut [Package]) {
    for package in packages.iter_mut() {
        package.provides.extend(package.own_provides());
        package.provides.append(&mut package.generated.provides);
        if package.has_configuration() {
            let version = Some((Comparison::EQUAL, package.evr.to_string()));
            package.provides.insert(Dependency { name: format!("config({})", package.name), version });
        }
    }
    let mut given = Given::new(packages);
    for index in 0..packages.len() {
        let rows = scriptlet_rows(&packages[index]);
        packages[index].requires.extend(rows);
        let generated = std::mem::take(&mut packages[index].generated.requires);
        packages[index].requires.extend(generated.into_iter().map(|needed| (needed, FOUND)));
        let mut missing: Vec<Row> = packages[index].requires.iter().cloned().collect();
        missing.retain(|(needed, _)| !given.has(packages, needed));
        assert!(missing.is_empty(), "{}: nothing gives {missing:?}", packages[index].name);
    }
    let unversioned = unversioned_names(packages);
    for package in packages.iter_mut() {
        // In Debian, what packages provide without a version has none; in RPM, it has all.
        package
            .conflicts
            .retain(|conflict| conflict.version.is_none() || !unversioned.contains(&conflict.name));
        let own: BTreeSet<String> = package.provides.iter().map(|provided| provided.name.clone()).collect();
        package.requires.retain(|(needed, sense)| *sense & FOUND == 0 || !own.contains(&needed.name));
    }
}

/// rpm's bit of a dependency that a generator found (`RPMSENSE_FIND_REQUIRES`).
pub const FOUND: u64 = 1 << 14;

/// The programs that scriptlets are run by, and what else they need.
fn scriptlet_rows(package: &Package) -> Vec<Row> {
    const INTERPRETER: u64 = 1 << 8;
    let mut rows = Vec::new();
    for scriptlet in &package.scriptlets {
        let sense = scriptlet.moment.sense();
        if scriptlet.program.starts_with('/') {
            rows.push((Dependency::any(scriptlet.program), sense | INTERPRETER));
        }
        rows.extend(scriptlet.needs.iter().map(|name| (Dependency::any(*name), sense)));
    }
    rows
}

/// Names that are no package's, and that packages provide without a version.
fn unversioned_names(packages: &[Package]) -> BTreeSet<String> {
    let provided = packages.iter().flat_map(|package| &package.provides);
    provided.filter(|provided| provided.version.is_none()).map(|provided| provided.name.clone()).collect()
}

impl Given {
    fn new(packages: &[Package]) -> Self {
        let mut given = Self { capabilities: BTreeMap::new(), files: BTreeMap::new() };
        for (index, package) in packages.iter().enumerate() {
            for provided in &package.provides {
                given.capabilities.entry(provided.name.clone()).or_default().push(provided.clone());
            }
            given.files.extend(package.files.iter().map(|file| (file.path.clone(), index)));
        }
        given
    }

    /// Whether something gives what is needed. A path from before /usr was merged becomes one that its package provides.
    fn has(&mut self, packages: &mut [Package], needed: &Dependency) -> bool {
        if needed.is_rich() {
            let words = needed.name.trim_matches(['(', ')']).split(" or ");
            return words
                .map(|word| Dependency::any(word.split(' ').next().unwrap_or_default()))
                .any(|one| self.has(packages, &one));
        }
        let provided = self.capabilities.get(&needed.name);
        if provided.is_some_and(|all| all.iter().any(|provided| needed.is_met_by(provided)))
            || self.files.contains_key(&needed.name)
        {
            return true;
        }
        let Some(index) = self.files.get(&format!("/usr{}", needed.name)) else {
            return false;
        };
        packages[*index].provides.insert(needed.clone());
        self.capabilities.entry(needed.name.clone()).or_default().push(needed.clone());
        true
    }
}
