//! What other builds put into a root: the packages that meet a build's `BuildRequires`, and what those require.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{BuildId, Fate, Plan};
use crate::package::Dependency;
use crate::spec::rich_capabilities;
use crate::store::{ResultFile, StepResult};

/// Results of builds that are known.
pub type Results = HashMap<BuildId, Arc<StepResult>>;

/// The package files of other builds that belong into the root of `build`, by NEVRA; `None` while the result of a build
/// that it needs is not known.
///
/// Only builds that the plan puts before this one are looked at, so that what is found does not depend on what
/// happens to have been built already.
pub fn dependency_files<'a>(
    plan: &'a Plan,
    build: BuildId,
    results: &'a Results,
) -> Option<BTreeMap<&'a str, &'a ResultFile>> {
    let mut found = BTreeMap::new();
    if let Fate::Buildable(inputs) = &plan.build(build).fate
        && let Some(rebuild) = &inputs.rebuild
    {
        found.extend(rebuild.dependencies.iter().map(|file| (file.package.nevra.as_str(), file)));
        return Some(found);
    }
    if plan.needs(build).is_empty() {
        return Some(found);
    }
    let Fate::Buildable(inputs) = &plan.build(build).fate else {
        return Some(found);
    };
    let mut candidates = Vec::new();
    for id in find_builds_below(plan, build) {
        let result = results.get(&id)?;
        candidates.extend(result.files.iter().filter(|file| !file.package.is_source()));
    }
    let providers = Providers::new(candidates);
    let mut open: Vec<&Dependency> = inputs.build_requires().collect();
    while let Some(dependency) = open.pop() {
        for file in providers.find_providers(dependency) {
            if found.insert(file.package.nevra.as_str(), file).is_none() {
                open.extend(&file.package.requires);
            }
        }
    }
    Some(found)
}

/// The builds that a build needs, and those that they need.
fn find_builds_below(plan: &Plan, build: BuildId) -> BTreeSet<BuildId> {
    let mut known = BTreeSet::new();
    let mut open = plan.needs(build).to_vec();
    while let Some(id) = open.pop() {
        if known.insert(id) {
            open.extend(plan.needs(id));
        }
    }
    known
}

struct Providers<'a> {
    by_name: HashMap<&'a str, Vec<(&'a ResultFile, Option<&'a Dependency>)>>,
    files: Vec<&'a ResultFile>,
}

impl<'a> Providers<'a> {
    fn new(files: Vec<&'a ResultFile>) -> Self {
        let mut by_name: HashMap<&str, Vec<_>> = HashMap::new();
        for file in &files {
            for provide in &file.package.provides {
                by_name.entry(provide.name.as_str()).or_default().push((*file, Some(provide)));
            }
            for path in &file.package.files {
                by_name.entry(path.as_str()).or_default().push((*file, None));
            }
        }
        Self { by_name, files }
    }

    fn find_providers(&self, dependency: &Dependency) -> Vec<&'a ResultFile> {
        if dependency.is_rich() {
            return rich_capabilities(&dependency.name)
                .iter()
                .flat_map(|part| self.find_providers(part))
                .collect();
        }
        let found = self.by_name.get(dependency.name.as_str()).into_iter().flatten();
        let met = found.filter(|(_, provide)| provide.is_none_or(|provide| dependency.is_met_by(provide)));
        let met: Vec<&ResultFile> = met.map(|(file, _)| *file).collect();
        if met.is_empty() && dependency.name.starts_with('/') {
            return self.find_other_file(&dependency.name);
        }
        met
    }

    /// The packages with a file that is not in the index: there are many such files, and few are asked for.
    fn find_other_file(&self, path: &str) -> Vec<&'a ResultFile> {
        let has = |file: &&&ResultFile| file.package.other_files.iter().any(|other| other == path);
        self.files.iter().filter(has).copied().collect()
    }
}
