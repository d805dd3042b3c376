//! Which packages are in the root of each build, where roots are made of packages.

use std::sync::Arc;

use miette::Diagnostic as _;

use super::inspector::{Inspector, OpenRoot};
use super::providers::Providers;
use super::{Build, BuildId, Fate, Inputs, PlanError};
use crate::chroot::making::{BuildWish, ChosenSet, PackageRoots, RootError};
use crate::chroot::solve::{SolveError, SolveProblem, Unsolvable};
use crate::chroot::{LockedSet, RootIdentity};
use crate::digest::{Digest, Encoder};
use crate::manifest::ChrootId;
use crate::package::Dependency;
use crate::source::wish_name;
use crate::text::Located;

/// Chooses them for all builds; what can't be had is the fate of the build that needs it.
///
/// # Errors
/// A repository can't be used.
pub(super) fn choose_root_packages(inspector: &Inspector<'_>, builds: &mut [Build]) -> Result<(), PlanError> {
    for index in 0..inspector.manifest.chroots.len() {
        let chroot = ChrootId(index);
        let Some(root) = inspector.roots.of(chroot) else { continue };
        if let Some(packages) = &root.packages {
            choose_in_chroot(inspector, root, packages, (builds, chroot))?;
        }
    }
    Ok(())
}

fn choose_in_chroot(
    inspector: &Inspector<'_>,
    root: &OpenRoot,
    packages: &PackageRoots,
    (builds, chroot): (&mut [Build], ChrootId),
) -> Result<(), PlanError> {
    let wishes = list_wishes(builds, chroot);
    let asked: Vec<BuildWish> = wishes.iter().map(|wish| wish.from_repositories.clone()).collect();
    let names = builds.iter().filter(|build| build.chroot == chroot).map(|build| build.name.package.clone());
    let made_here = inspector.manifest.packages.iter().filter(|it| it.source_chroot() == Some(chroot));
    let sources = made_here.map(|package| wish_name(&package.name.value));
    packages.chooser.forget_other_builds(&names.chain(sources).collect());
    let (chosen, failed) = choose_or_find_locked(packages, &asked)?;
    let place = inspector.manifest.chroot(chroot).name.place.clone();
    let failed = failed.map(|error| Arc::new(Located::new(PlanError::from(error), "this chroot", place)));
    let states = packages.chooser.states_digest();
    for (Wish { build, needs_own, all, from_repositories }, chosen) in wishes.into_iter().zip(chosen) {
        let Some(build) = builds.get_mut(build) else { continue };
        match chosen {
            Some(Ok(chosen)) => {
                let repositories = needs_own.then_some(states);
                let wish = RootWish { all, from_repositories, minimal: root.identity, repositories };
                if let Fate::Buildable(inputs) = &mut build.fate
                    && let Some(inputs) = Arc::get_mut(inputs)
                {
                    inputs.root = wish.identify(&chosen);
                    inputs.wish = Some(wish);
                }
            }
            Some(Err(error)) => {
                let place = inspector.manifest.package(build.package).name.place.clone();
                let error = Located::new(refuse(build, &error), "this package", place);
                build.refuse(vec![Arc::new(error)]);
            }
            None => build.refuse(failed.iter().cloned().collect()),
        }
    }
    Ok(())
}

/// What is chosen for each build, where that could be asked.
type Choices = Vec<Option<Result<ChosenSet, RootError>>>;

/// Chooses for builds; where the repositories can't be asked, those go on whose packages are locked.
fn choose_or_find_locked(
    packages: &PackageRoots,
    asked: &[BuildWish],
) -> Result<(Choices, Option<RootError>), RootError> {
    let chooser = &packages.chooser;
    match chooser.choose_for_builds(asked) {
        Ok(chosen) => Ok((chosen.into_iter().map(Some).collect(), None)),
        Err(error) if error.is_of_chroot() && !chooser.tools().cancel.is_canceled() => {
            Ok((asked.iter().map(|wish| chooser.find_locked_set(wish).map(Ok)).collect(), Some(error)))
        }
        Err(error) => Err(error),
    }
}

/// What the author of a spec can do where the solver has no better idea.
const HELP: &str = "add a `repo` that has it, let this manifest build it, or change the BuildRequires";

fn refuse(build: &Build, error: &RootError) -> PlanError {
    let (package, chroot) = (build.name.package.clone(), build.name.chroot.clone());
    let (reason, help) = if let RootError::Solve(SolveError::Unsolvable(unsolvable)) = error {
        words_of_all(unsolvable)
    } else {
        (error.to_string(), error.help().map(|help| help.to_string()).unwrap_or_default())
    };
    let help = if help.is_empty() { HELP.to_owned() } else { help };
    PlanError::RootPackages { package, chroot, reason, help }
}

/// Why there is no root of a chroot, of whichever packages that is no build's.
pub fn refuse_root(chroot: &str, error: RootError) -> PlanError {
    let RootError::Solve(SolveError::Unsolvable(unsolvable)) = error else {
        return error.into();
    };
    let (reason, help) = words_of_all(&unsolvable);
    let help = if help.is_empty() { HELP_WITH_ROOT.to_owned() } else { help };
    PlanError::ChrootPackages { chroot: chroot.to_owned(), reason, help }
}

/// What the author of a manifest can do where the solver has no better idea.
const HELP_WITH_ROOT: &str = "add a `repo` that has it, or ask for something else";

/// What stands in the way, and what may help.
fn words_of_all(Unsolvable { problems }: &Unsolvable) -> (String, String) {
    let reasons: Vec<String> = problems.iter().map(words_of).collect();
    let help: Vec<&str> = problems.iter().filter_map(|problem| problem.help.as_deref()).collect();
    (reasons.join("\n"), help.join("\n"))
}

/// Who asks for what, and below what is the matter with it.
fn words_of(problem: &SolveProblem) -> String {
    let reasons = problem.reasons.iter().map(|reason| format!("\n  {reason}"));
    std::iter::once(problem.asked.join("; ")).chain(reasons).collect()
}

/// What a build needs of its root, and what that was identified with.
#[derive(Clone, Debug)]
pub struct RootWish {
    /// All that it needs.
    pub all: BuildWish,
    /// What this manifest doesn't build of it.
    pub from_repositories: BuildWish,
    /// The minimal root.
    minimal: RootIdentity,
    /// The states of the repositories, where they count.
    repositories: Option<Digest>,
}

impl RootWish {
    /// The same with what the build has named while it ran, none of which this manifest builds.
    pub fn extended(&self, named: &[Dependency]) -> Self {
        let mut extended = self.clone();
        for wish in [&mut extended.all, &mut extended.from_repositories] {
            wish.extend(named.iter().filter(|dependency| !dependency.is_rpmlib()).cloned());
        }
        extended
    }

    /// What identifies the root that was chosen for it.
    ///
    /// Which further packages are there for the sake of what this manifest builds first is not known until then: they follow from
    /// the states of the repositories, and from what is built.
    pub fn identify(&self, chosen: &ChosenSet) -> RootIdentity {
        let mut encoder = Encoder::new("rpmforge root of a build v1");
        encoder.digest_field("packages", &LockedSet::digest_of(&chosen.packages()));
        if let Some(states) = &self.repositories {
            encoder.digest_field("repositories", states);
        }
        RootIdentity { packages: encoder.digest(), ..self.minimal }
    }
}

/// What a build needs.
struct Wish {
    build: usize,
    /// All of it.
    all: BuildWish,
    /// What this manifest doesn't build.
    from_repositories: BuildWish,
    /// Whether it builds some of it.
    needs_own: bool,
}

fn list_wishes(builds: &[Build], chroot: ChrootId) -> Vec<Wish> {
    let in_chroot = builds.iter().enumerate().filter(|(_, build)| build.chroot == chroot);
    let providers = Providers::from_builds(in_chroot.clone().map(|(index, build)| (BuildId(index), build)));
    let mut wishes = Vec::new();
    for (index, build) in in_chroot {
        let Fate::Buildable(inputs) = &build.fate else { continue };
        let comes_from_elsewhere = |dependency: &&Dependency| {
            let mut found = providers.find_providers(dependency);
            found.remove(&BuildId(index));
            found.is_empty() && !inputs.brings(dependency)
        };
        let all = wish(&build.name.package, inputs, |_| true);
        let from_repositories = wish(&build.name.package, inputs, comes_from_elsewhere);
        let needs_own = from_repositories.requires.len() < all.requires.len();
        wishes.push(Wish { build: index, from_repositories, all, needs_own });
    }
    wishes
}

/// What a build asks for, of all that it needs.
fn wish(package: &str, inputs: &Inputs, is_asked: impl Fn(&&Dependency) -> bool) -> BuildWish {
    let is_asked = |dependency: &&Dependency| !dependency.is_rpmlib() && is_asked(dependency);
    let mut wish = BuildWish {
        package: package.to_owned(),
        requires: inputs.stated_requires().filter(is_asked).cloned().collect(),
        before: Vec::new(),
        asked_with: None,
        conflicts: inputs.facts.build_conflicts.clone(),
    };
    inputs.generated.iter().for_each(|named| wish.extend(named.iter().filter(is_asked).cloned()));
    wish
}
