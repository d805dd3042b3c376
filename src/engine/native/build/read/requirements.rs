//! What a build needs: static and generated BuildRequires, against what the root has.

use bstr::ByteSlice;

use super::super::problem::BuildProblem;
use super::super::world::World;
use super::database::Database;
use crate::engine::Unmet;
use crate::macros::Stop;
use crate::package::{Capability, Dependency as Met, Rich};
use crate::spec::{Allows, Declared, Dependency, DependencyKind, Place, Spec, read_dependencies};

/// What rpm itself can do, as far as a build may ask for it.
const RPMLIB_PREFIX: &[u8] = b"rpmlib(";

/// Finds what is missing of what a spec needs, or is there and should not be.
///
/// `staged` is what packages provide that are there beside those of the root.
pub(crate) fn find_missing(world: &World<'_>, spec: &Spec, staged: &[Vec<Met>]) -> Result<Vec<Unmet>, Stop> {
    if spec.build_dependencies.is_empty() {
        return Ok(Vec::new());
    }
    let database = Database::open(world)?;
    let package = full_name(spec);
    let mut missing = Vec::new();
    for kind in [DependencyKind::BuildRequires, DependencyKind::BuildConflicts] {
        let is_conflict = kind == DependencyKind::BuildConflicts;
        let mut lines: Vec<Unmet> = Vec::new();
        for declared in spec.build_dependencies.iter().filter(|declared| declared.kind == kind) {
            if is_met(world, &database, staged, &declared.dependency)? == is_conflict {
                let (dependency, package) = (declared.dependency.to_string(), package.clone());
                lines.push(Unmet { dependency, is_conflict, package });
            }
        }
        lines.sort();
        lines.dedup();
        missing.extend(lines);
    }
    Ok(missing)
}

/// `name-version-release.arch`, as messages have it.
fn full_name(spec: &Spec) -> String {
    let main = spec.main();
    let name = main.map(|main| main.name.to_string()).unwrap_or_default();
    let version = main.map(|main| main.header.evr().to_string()).unwrap_or_default();
    format!("{name}-{version}.{}", spec.target.arch)
}

fn is_met(
    world: &World<'_>,
    database: &Database,
    staged: &[Vec<Met>],
    dependency: &Dependency,
) -> Result<bool, Stop> {
    let providers = |wanted: &[&Capability]| -> Result<Vec<Vec<Met>>, Stop> {
        Ok([database.find_providers(world, wanted)?.as_slice(), staged].concat())
    };
    Ok(match dependency {
        Dependency::Plain(capability) if capability.name.starts_with(RPMLIB_PREFIX) => true,
        Dependency::Plain(capability) => {
            is_met_by(&Rich::Capability(capability.clone()), &providers(&[capability])?)
        }
        Dependency::Rich(rich) => {
            let capabilities: Vec<&Capability> = rich.capabilities();
            is_met_by(rich, &providers(&capabilities)?)
        }
    })
}

fn is_met_by(rich: &Rich, packages: &[Vec<Met>]) -> bool {
    let packages: Vec<&[Met]> = packages.iter().map(Vec::as_slice).collect();
    rich.is_met_by(&packages)
}

/// Reads what `%generate_buildrequires` wrote: one dependency a line.
pub(crate) fn add_generated(world: &World<'_>, output: &[u8], spec: &mut Spec) {
    let place = Place { file: spec.file.clone(), line: 0 };
    for line in output.lines().map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
        // rpm tells of a line that is none, and goes on without it.
        let dependencies = read_dependencies(line, Allows::Everything).unwrap_or_else(|problems| {
            for problem in problems {
                world.tell(BuildProblem::GeneratedRequires { problem, line: line.into() });
            }
            Vec::new()
        });
        spec.build_dependencies.extend(dependencies.into_iter().map(|dependency| Declared {
            kind: DependencyKind::BuildRequires,
            dependency,
            // A generator has found it.
            events: 1 << 14,
            place: place.clone(),
        }));
    }
}
