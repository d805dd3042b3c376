//! Whether what specs need to be built can be had: in the root, or from what this manifest builds for it.
//!
//! Specs don't say all that their packages will provide: generators add to it when these are made. So there are three answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::providers::Providers;
use super::spec_place::dependency_place;
use super::{Build, BuildId, Fate, Inputs, PlanError};
use crate::engine::Installed;
use crate::manifest::{ChrootId, Manifest};
use crate::package::{Dependency, Operator, Rich};
use crate::spec::{self, Allows, read_dependencies, rich_capabilities};
use crate::text::Located;

/// Whether something can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequirementState {
    Met,
    Unmet,
    Unknown,
}

impl RequirementState {
    fn not(self) -> Self {
        match self {
            Self::Met => Self::Unmet,
            Self::Unmet => Self::Met,
            Self::Unknown => Self::Unknown,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unmet, _) | (_, Self::Unmet) => Self::Unmet,
            (Self::Met, Self::Met) => Self::Met,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    /// `then` where this is met, `otherwise` where it is not.
    fn choose(self, then: Self, otherwise: Self) -> Self {
        match self {
            Self::Met => then,
            Self::Unmet => otherwise,
            Self::Unknown if then == otherwise => then,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// What was found.
#[derive(Default)]
pub(super) struct Checked {
    /// What keeps builds from being possible.
    pub errors: BTreeMap<BuildId, Vec<Located<PlanError>>>,
    /// What could not be checked, in sentences.
    pub notes: Vec<String>,
}

/// How many names a note lists.
const NAMED: usize = 5;

/// Checks the `BuildRequires` and `BuildConflicts` of all builds.
pub(super) fn check_requirements(
    manifest: &Manifest,
    builds: &[Build],
    providers: &HashMap<ChrootId, Providers<'_>>,
    installed: &HashMap<ChrootId, Installed>,
    needs_others: impl Fn(BuildId) -> bool,
) -> Checked {
    let mut checked = Checked::default();
    let mut unchecked: BTreeSet<String> = BTreeSet::new();
    let roots: HashMap<ChrootId, Root<'_>> =
        installed.iter().map(|(chroot, installed)| (*chroot, Root::new(installed))).collect();
    for (index, build) in builds.iter().enumerate() {
        let (Fate::Buildable(inputs), Some(providers)) = (&build.fate, providers.get(&build.chroot)) else {
            continue;
        };
        // Nothing is asked of a root that no build needs anything of.
        let Some(root) = roots.get(&build.chroot) else {
            continue;
        };
        let id = BuildId(index);
        let check = Check { id, build, inputs, providers, root, needs_others: needs_others(id), builds };
        let errors = check.errors(manifest, &mut unchecked);
        if !errors.is_empty() {
            checked.errors.insert(id, errors);
        }
    }
    checked.notes.extend(installed.values().find_map(|installed| note(installed, &unchecked)));
    checked
}

/// Says that a root is not known.
fn note(installed: &Installed, unchecked: &BTreeSet<String>) -> Option<String> {
    if unchecked.is_empty() {
        return None;
    }
    let why = match installed {
        Installed::Packages(_) => return None,
        Installed::NoPackages => "this machine has no packages of rpm".to_owned(),
        Installed::Unknown(why) => format!("this machine's packages can't be looked at ({why})"),
    };
    let named: Vec<&str> = unchecked.iter().take(NAMED).map(String::as_str).collect();
    let more = unchecked.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!(
        "{why}: whether it has what BuildRequires name and this manifest doesn't build was not checked ({}{more})",
        named.join(", ")
    ))
}

/// The names that have to be asked of a root.
pub(super) fn names_asked<'a>(inputs: impl Iterator<Item = &'a Inputs>) -> BTreeSet<String> {
    let asked = inputs.flat_map(|inputs| inputs.build_requires().chain(&inputs.facts.build_conflicts));
    let names = |dependency: &Dependency| match dependency.is_rich() {
        true => rich_capabilities(&dependency.name).into_iter().map(|part| part.name).collect(),
        false => vec![dependency.name.clone()],
    };
    asked.flat_map(names).collect()
}

/// What a root has, by name.
struct Root<'a> {
    installed: &'a Installed,
    by_name: HashMap<&'a str, Vec<&'a Dependency>>,
}

impl<'a> Root<'a> {
    fn new(installed: &'a Installed) -> Self {
        let mut root = Self { installed, by_name: HashMap::new() };
        for provided in root.packages().iter().flatten() {
            root.by_name.entry(provided.name.as_str()).or_default().push(provided);
        }
        root
    }

    /// Whether what is not found in it is not there.
    fn is_known(&self) -> bool {
        matches!(self.installed, Installed::Packages(_))
    }

    fn packages(&self) -> &'a [Vec<Dependency>] {
        match self.installed {
            Installed::Packages(packages) => packages,
            Installed::NoPackages | Installed::Unknown(_) => &[],
        }
    }

    fn provided(&self, name: &str) -> &[&'a Dependency] {
        self.by_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    fn has(&self, dependency: &Dependency) -> bool {
        self.provided(&dependency.name).iter().any(|provided| dependency.is_met_by(provided))
    }
}

/// The check of one build.
struct Check<'a> {
    id: BuildId,
    build: &'a Build,
    inputs: &'a Inputs,
    providers: &'a Providers<'a>,
    root: &'a Root<'a>,
    /// Whether packages of other builds will be in its root, with all that generators find in them.
    needs_others: bool,
    builds: &'a [Build],
}

impl Check<'_> {
    fn errors(&self, manifest: &Manifest, unchecked: &mut BTreeSet<String>) -> Vec<Located<PlanError>> {
        let facts = &self.inputs.facts;
        let mut errors = Vec::new();
        let mut fail = |error: PlanError, dependency: &Dependency, tag: &str, label: &str| {
            let place = dependency_place(&self.inputs.spec, dependency, &[tag]);
            let place = place.unwrap_or_else(|| manifest.package(self.build.package).name.place.clone());
            errors.push(Located::new(error, label, place));
        };
        for dependency in self.inputs.build_requires() {
            match self.check_dependency(dependency) {
                RequirementState::Met => {}
                RequirementState::Unknown => {
                    if !self.root.is_known() {
                        unchecked.insert(dependency.name.clone());
                    }
                }
                RequirementState::Unmet => {
                    let (error, label) = self.unmet_error(dependency);
                    fail(error, dependency, "buildrequires", label);
                }
            }
        }
        for dependency in &facts.build_conflicts {
            if self.check_dependency(dependency) == RequirementState::Met {
                fail(self.conflict_error(dependency), dependency, "buildconflicts", "is there");
            }
        }
        errors
    }

    fn unmet_error(&self, dependency: &Dependency) -> (PlanError, &'static str) {
        let (package, wanted) = (self.build.name.package.clone(), dependency.to_string());
        if self.providers.find_providers(dependency).contains(&self.id) && !dependency.is_rich() {
            return (PlanError::RequiresItself { package, wanted }, "it builds this itself");
        }
        let offered = self.find_other_version(dependency);
        let label = if offered.is_some() { "another version" } else { "nothing provides this" };
        let offered = offered.unwrap_or_else(|| match self.root.is_known() {
            true => "neither this manifest nor the root has it".to_owned(),
            false => "this manifest does not build it".to_owned(),
        });
        (PlanError::UnmetRequires { package, wanted, offered }, label)
    }

    /// Other versions of what is wanted, and where they are.
    fn find_other_version(&self, dependency: &Dependency) -> Option<String> {
        let built = self.providers.provided(&dependency.name).iter();
        if let Some((id, provide)) = built.into_iter().find(|(id, _)| *id != self.id) {
            return Some(format!(
                "`{}` of this manifest provides `{provide}`",
                self.builds[id.0].name.package
            ));
        }
        self.root.provided(&dependency.name).first().map(|provide| format!("the root has `{provide}`"))
    }

    fn conflict_error(&self, dependency: &Dependency) -> PlanError {
        let (package, unwanted) = (self.build.name.package.clone(), dependency.to_string());
        let other =
            self.find_other_providers(dependency).first().map(|id| self.builds[id.0].name.package.clone());
        let place = match other {
            Some(other) if !self.root.has(dependency) => {
                format!("package `{other}` builds it for the same chroot")
            }
            Some(_) | None => "the root has it".to_owned(),
        };
        PlanError::UnmetConflicts { package, unwanted, place }
    }

    fn check_dependency(&self, dependency: &Dependency) -> RequirementState {
        if !dependency.is_rich() {
            return self.check_plain(dependency);
        }
        let read = read_dependencies(dependency.name.as_bytes(), Allows::Everything).unwrap_or_default();
        let answers = read.iter().map(|part| match part {
            spec::Dependency::Plain(capability) => self.check_plain(&capability.into()),
            spec::Dependency::Rich(rich) => self.check_rich(rich),
        });
        answers.fold(RequirementState::Met, RequirementState::and)
    }

    fn check_rich(&self, rich: &Rich) -> RequirementState {
        let (first, further) = match rich {
            Rich::Capability(capability) => return self.check_plain(&capability.into()),
            Rich::Group(first, further) => (&**first, further.as_slice()),
        };
        let parts = || further.iter().map(|(_, part)| self.check_rich(part));
        match further {
            [] => self.check_rich(first),
            [(Operator::If, condition)] => self.check_rich(condition).not().or(self.check_rich(first)),
            [(Operator::If, condition), (_, other), ..] => {
                self.check_rich(condition).choose(self.check_rich(first), self.check_rich(other))
            }
            [(Operator::Unless, condition)] => self.check_rich(condition).not().and(self.check_rich(first)),
            [(Operator::Unless, condition), (_, other), ..] => {
                self.check_rich(condition).choose(self.check_rich(other), self.check_rich(first))
            }
            [(Operator::With | Operator::Without, _), ..] => self.check_one_package(rich),
            [(Operator::Or, _), ..] => parts().fold(self.check_rich(first), RequirementState::or),
            [(Operator::And | Operator::Else, _), ..] => {
                parts().fold(self.check_rich(first), RequirementState::and)
            }
        }
    }

    /// Whether there is one package that is all of it.
    fn check_one_package(&self, rich: &Rich) -> RequirementState {
        let built = self
            .builds
            .iter()
            .enumerate()
            .filter(|(index, build)| build.chroot == self.build.chroot && *index != self.id.0);
        let built = built.filter_map(|(_, build)| match &build.fate {
            Fate::Buildable(inputs) => Some(&inputs.facts.subpackages),
            Fate::RuledOut(_) | Fate::NotYet(_) | Fate::Impossible(_) => None,
        });
        let built = built.flatten().map(|package| &package.provides);
        let mut again = self.inputs.rebuild.iter().flat_map(|rebuild| rebuild.provided());
        let has_all = |provides: &[Dependency]| rich.is_met_by(&[provides]);
        if built.chain(self.root.packages()).any(|provides| has_all(provides)) || again.any(has_all) {
            return RequirementState::Met;
        }
        let parts = rich.capabilities().into_iter().map(|capability| self.check_plain(&capability.into()));
        let is_known = parts.into_iter().all(|answer| answer != RequirementState::Unknown);
        if is_known { RequirementState::Unmet } else { RequirementState::Unknown }
    }

    fn check_plain(&self, dependency: &Dependency) -> RequirementState {
        if dependency.is_rpmlib()
            || self.root.has(dependency)
            || self.inputs.brings(dependency)
            || !self.find_other_providers(dependency).is_empty()
        {
            return RequirementState::Met;
        }
        let is_of_this_manifest = !self.providers.provided(&dependency.name).is_empty()
            || !self.providers.find_providers(dependency).is_empty();
        let may_come = match self.root.is_known() {
            true => self.needs_others && may_be_generated(&dependency.name),
            false => !is_of_this_manifest,
        };
        if may_come { RequirementState::Unknown } else { RequirementState::Unmet }
    }

    /// The other builds that meet it.
    fn find_other_providers(&self, dependency: &Dependency) -> BTreeSet<BuildId> {
        let mut others = self.providers.find_providers(dependency);
        others.remove(&self.id);
        others
    }
}

/// Whether a package may provide a name though its spec does not say so: generators give such names, installed files have
/// them, and rpmbuild makes packages of debug files.
fn may_be_generated(name: &str) -> bool {
    name.starts_with('/')
        || name.contains('(')
        || ["-debuginfo", "-debugsource"].iter().any(|suffix| name.ends_with(suffix))
}
