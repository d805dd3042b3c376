//! What published packages require, an earlier package of the project provided, and none provides now.
//!
//! What no package of the project ever provided is for the distribution that a repository stands beside: nothing is said of that.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;

use super::PublishError;
use super::repositories::Repositories;
use crate::digest::Key;
use crate::event::State;
use crate::execute::ResultRecord;
use crate::package::Dependency;
use crate::store::{BuildRow, History, PackageSummary, StepResult};

/// How many earlier results are looked at for each chroot, the newest first.
const MOST_EARLIER: usize = 2000;

/// A requirement of a published package that nothing in its repository meets any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct BrokenRequirement {
    /// The chroot.
    pub chroot: String,
    /// The package that has it: `name-[epoch:]version-release.arch`.
    pub package: String,
    /// The requirement.
    pub requires: String,
    /// The earlier package that met it.
    pub provided_by: String,
    /// The packages of that name that are published now.
    pub now: Vec<String>,
}

impl fmt::Display for BrokenRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chroot, package, requires, provided_by, now } = self;
        write!(f, "{package} in the repository of {chroot} needs {requires}, which ")?;
        match now.as_slice() {
            [] => write!(f, "{provided_by} provided, and nothing there does now"),
            now => write!(f, "{provided_by} provided and {} does not", now.join(", ")),
        }
    }
}

/// What the packages of one repository provide.
struct Provided<'a> {
    by_name: HashMap<&'a str, Vec<&'a Dependency>>,
    files: HashSet<&'a str>,
}

impl<'a> Provided<'a> {
    fn new(packages: &[&'a PackageSummary]) -> Self {
        let mut by_name: HashMap<&str, Vec<&Dependency>> = HashMap::new();
        let mut files = HashSet::new();
        for package in packages {
            for provided in &package.provides {
                by_name.entry(&provided.name).or_default().push(provided);
            }
            files.extend(package.files.iter().chain(&package.other_files).map(String::as_str));
        }
        Self { by_name, files }
    }

    fn meets(&self, wanted: &Dependency) -> bool {
        let mut provided = self.by_name.get(wanted.name.as_str()).into_iter().flatten();
        provided.any(|provided| wanted.is_met_by(provided)) || self.files.contains(wanted.name.as_str())
    }
}

impl Repositories {
    /// The requirements of published packages that earlier packages of this project met, and none that is published does. Rich
    /// dependencies are not looked at.
    ///
    /// # Errors
    /// As [`Repositories::leaving`].
    pub fn broken_requirements(&self, history: &History) -> Result<Vec<BrokenRequirement>, PublishError> {
        let keys = self.published_keys_by_chroot()?;
        let mut broken = Vec::new();
        for (chroot, keys) in keys {
            let results: Vec<StepResult> = keys.iter().filter_map(|key| self.store.result(key)).collect();
            let packages: Vec<&PackageSummary> = binary_packages(&results).collect();
            let unmet = find_unmet(&packages);
            if unmet.is_empty() {
                continue;
            }
            for earlier in self.earlier_results(history, &chroot, &keys) {
                for provider in earlier.files.iter().map(|file| &file.package).filter(|it| !it.is_source()) {
                    let met = find_met(&unmet, provider);
                    let now = || packages.iter().filter(|it| it.name == provider.name);
                    broken.extend(met.map(|(package, wanted)| BrokenRequirement {
                        chroot: chroot.clone(),
                        package: package.nevra.clone(),
                        requires: wanted.to_string(),
                        provided_by: provider.nevra.clone(),
                        now: now().map(|package| package.nevra.clone()).collect(),
                    }));
                }
            }
        }
        // The newest that provided it is the one that is named.
        let mut known = HashSet::new();
        broken.retain(|it| known.insert((it.chroot.clone(), it.package.clone(), it.requires.clone())));
        broken.sort();
        Ok(broken)
    }

    /// The results of earlier good builds in a chroot, as far as the store has them, the newest first.
    fn earlier_results(&self, history: &History, chroot: &str, published: &HashSet<Key>) -> Vec<StepResult> {
        let is_good = |row: &BuildRow| {
            matches!(row.state, State::Succeeded | State::Cached) && row.build.chroot == chroot
        };
        let mut known: HashSet<Key> = published.clone();
        let rows = history.builds(None, usize::MAX).unwrap_or_default();
        let keys = rows.iter().filter(|row| is_good(row)).filter_map(|row| self.key_of(row));
        let earlier = keys.filter(|key| known.insert(*key)).take(MOST_EARLIER);
        earlier.filter_map(|key| self.store.result(&key)).collect()
    }

    fn key_of(&self, row: &BuildRow) -> Option<Key> {
        let path = Path::new(row.results.as_deref()?).join("result.json");
        let record: ResultRecord = serde_json::from_slice(&self.state.read(path).ok()?).ok()?;
        Some(record.key)
    }
}

fn binary_packages(results: &[StepResult]) -> impl Iterator<Item = &PackageSummary> {
    let packages = results.iter().flat_map(|result| result.files.iter().map(|file| &file.package));
    packages.filter(|package| !package.is_source())
}

/// What packages require and none of them provides, by the name of it.
type Unmet<'a> = HashMap<&'a str, Vec<(&'a PackageSummary, &'a Dependency)>>;

fn find_unmet<'a>(packages: &[&'a PackageSummary]) -> Unmet<'a> {
    let provided = Provided::new(packages);
    let mut unmet: Unmet<'_> = HashMap::new();
    for package in packages {
        let wanted = package.requires.iter().filter(|it| !it.is_rpmlib() && !it.is_rich());
        for wanted in wanted.filter(|wanted| !provided.meets(wanted)) {
            unmet.entry(&wanted.name).or_default().push((package, wanted));
        }
    }
    unmet
}

/// What a package would meet of that.
fn find_met<'a>(
    unmet: &'a Unmet<'a>,
    provider: &'a PackageSummary,
) -> impl Iterator<Item = (&'a PackageSummary, &'a Dependency)> {
    let named = provider.provides.iter().flat_map(|provided| {
        let wanted = unmet.get(provided.name.as_str()).into_iter().flatten();
        wanted.filter(|(_, wanted)| wanted.is_met_by(provided)).copied()
    });
    let files = provider.files.iter().chain(&provider.other_files);
    named.chain(files.filter_map(|file| unmet.get(file.as_str())).flatten().copied())
}
