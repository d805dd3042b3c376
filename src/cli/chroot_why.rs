//! `forge chroot why`: why a package is in the roots of a chroot.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::context::{CliError, Context, Failure};
use super::planning::{Planned, plan, runtime};
use super::project::Project;
use super::selection_arguments::Selection;
use crate::chroot::making::PackageChooser;
use crate::chroot::solve::{Solution, SolvedPackage, Why};
use crate::chroot::{Lock, LockedChroot};
use crate::manifest::ChrootId;
use crate::plan::{Fate, PlanError, refuse_root};
use crate::process::Cancel;
use crate::text::suggestion;

/// Who asks for a package, by name or as `name-version-release.arch`, and what requires what down to it: in the minimal root, or
/// in the builds whose roots have it.
pub fn why(
    (chroot, name): (&str, &str),
    lock: &Lock,
    project: &Project,
    context: &Context,
) -> Result<String, Failure> {
    let nothing = LockedChroot::default();
    let locked = lock.chroots.get(chroot).unwrap_or(&nothing);
    let is_meant =
        |nevra: &str| nevra == name || locked.packages.get(nevra).is_some_and(|package| package.name == name);
    if !locked.packages.keys().any(|nevra| is_meant(nevra)) {
        let known: BTreeSet<&str> = locked.packages.values().map(|package| package.name.as_str()).collect();
        return Err(CliError::NotInRoots {
            name: name.to_owned(),
            help: suggestion(name, "packages", known),
        }
        .into());
    }
    let planned = runtime()?.block_on(plan(project, &Selection::default(), &Cancel::default(), context))?;
    let text = explain(&planned, chroot, &is_meant, context)?;
    planned.leave();
    Ok(text)
}

fn explain(
    planned: &Planned,
    chroot: &str,
    is_meant: &dyn Fn(&str) -> bool,
    context: &Context,
) -> Result<String, Failure> {
    let mut text = String::new();
    let place = planned.manifest.chroots.iter().position(|declared| declared.name.value == chroot);
    let Some(id) = place.map(ChrootId) else { return Ok(text) };
    let root = planned.roots.of(id);
    let Some(packages) = root.and_then(|root| root.packages.as_ref()) else {
        planned.roots.refused.get(&id).into_iter().for_each(|error| context.show(error.as_ref()));
        return Err(CliError::NotLocked { chroot: chroot.to_owned() }.into());
    };
    let chooser: &PackageChooser = &packages.chooser;
    let refused = |error| -> PlanError { refuse_root(chroot, error) };
    let minimal = chooser.explain_minimal().map_err(refused)?;
    tell("in the minimal root", &minimal, is_meant, &mut text);
    for build in planned.plan.builds.iter().filter(|build| build.chroot == id) {
        let Fate::Buildable(inputs) = &build.fate else { continue };
        let Some(wish) = &inputs.wish else { continue };
        let solution = chooser.explain_build(&wish.from_repositories).map_err(refused)?;
        tell(&format!("for `{}`", build.name.package), &solution, is_meant, &mut text);
    }
    Ok(text)
}

/// Tells of the packages that are meant, but for those that were there before.
fn tell(of: &str, solution: &Solution, is_meant: &dyn Fn(&str) -> bool, text: &mut String) {
    for (place, solved) in solution.packages.iter().enumerate() {
        if solved.why == Why::Base || !is_meant(&solved.package.nevra()) {
            continue;
        }
        let _ = writeln!(text, "{} {of}", solved.package.nevra());
        let chain = solution.chain(place);
        for solved in chain.iter().rev() {
            let _ = writeln!(text, "  {}", reason(solved, solution));
        }
    }
}

fn reason(SolvedPackage { package, why, .. }: &SolvedPackage, solution: &Solution) -> String {
    let nevra = package.nevra();
    let other =
        |place: &usize| solution.packages.get(*place).map(|other| other.package.nevra()).unwrap_or_default();
    match why {
        Why::Base => format!("{nevra}: in the minimal root"),
        Why::Requested { by, what } => format!("{nevra}: {by} asks for {what}"),
        Why::Required { by, what } => format!("{nevra}: {} requires {what}", other(by)),
        Why::Recommended { by, what } => format!("{nevra}: {} recommends {what}", other(by)),
        Why::Condition => format!("{nevra}: a condition of several packages asks for it"),
    }
}
