//! The dependencies of packages.

use bstr::{BStr, ByteSlice};

use super::super::dependency::{Dependency, read_dependencies, read_with_doubts};
use super::super::dependency_reader::Allows;
use super::super::package::{Declared, DependencyKind};
use super::super::package_problem::PackageProblem;
use super::super::place::Place;
use super::super::problem::SpecProblem;
use super::super::tag::SpecTag;
use super::preamble::TagLine;
use super::state::{EarlyEnd, Parser};
use crate::package::{Capability, Comparison, Rich};

impl Parser<'_> {
    /// A tag that declares dependencies; `events` are those that it means of itself.
    pub(super) fn take_dependencies(
        &mut self,
        line: &TagLine<'_>,
        kind: DependencyKind,
        events: u32,
    ) -> Result<(), EarlyEnd> {
        let TagLine { package, field, text, place } = line;
        let (text, events) = (*text, events | field.events);
        const DEPRECATED: [(SpecTag, &str); 2] =
            [(SpecTag::PreReq, "prereq"), (SpecTag::BuildPreReq, "buildprereq")];
        let deprecated = DEPRECATED.iter().find(|row| row.0 == field.tag).map(|row| row.1);
        if let Some(tag) = deprecated {
            self.report(PackageProblem::Deprecated { tag, text: text.into() });
        }
        let allows = match kind {
            DependencyKind::Provides | DependencyKind::OrderWithRequires => Allows::Plain,
            DependencyKind::Obsoletes => Allows::PackageNames,
            DependencyKind::Conflicts | DependencyKind::BuildConflicts => Allows::Conflicts,
            DependencyKind::Requires
            | DependencyKind::Recommends
            | DependencyKind::Suggests
            | DependencyKind::Supplements
            | DependencyKind::Enhances
            | DependencyKind::BuildRequires => Allows::Everything,
        };
        let read = read_with_doubts(&field.value, allows);
        let (found, doubts) = read.map_err(|problems| self.fail_with_dependency(problems, text))?;
        let is_error = self.number("_wrong_version_format_terminate_build") != 0;
        // rpm ends with the first of them, or tells of the last.
        let mut doubts = doubts.into_iter();
        if let Some(problem) = if is_error { doubts.next() } else { doubts.next_back() } {
            let problem = SpecProblem::Dependency { problem, text: text.into(), is_error };
            if is_error {
                return Err(self.fail(problem));
            }
            self.report(problem);
        }
        if kind == DependencyKind::Obsoletes && found.iter().any(is_unversioned) {
            self.report(PackageProblem::UnversionedObsoletes { text: text.into() });
        }
        for dependency in found {
            self.warn_of_macros_left(kind, &dependency, text);
            let declared = Declared { kind, dependency, events, place: place.clone() };
            self.add_dependency(*package, declared);
        }
        Ok(())
    }

    /// Dependencies of the build belong to the source package, whichever preamble they stand in.
    pub(super) fn add_dependency(&mut self, package: usize, declared: Declared) {
        if matches!(declared.kind, DependencyKind::BuildRequires | DependencyKind::BuildConflicts) {
            self.spec.build_dependencies.push(declared);
        } else if let Some(package) = self.package(package) {
            package.dependencies.push(declared);
        }
    }

    /// What is allowed, and yet hardly meant.
    fn warn_of_macros_left(&mut self, kind: DependencyKind, dependency: &Dependency, text: &BStr) {
        if kind == DependencyKind::Obsoletes
            && let Dependency::Plain(Capability { name, .. }) = dependency
            && name.contains(&b'%')
        {
            self.report(PackageProblem::Unexpanded { text: text.into() });
        }
        for _ in 0..unexpanded_versions(dependency) {
            self.report(PackageProblem::Unexpanded { text: text.into() });
        }
    }
}

fn is_unversioned(dependency: &Dependency) -> bool {
    matches!(dependency, Dependency::Plain(Capability { version: None, .. }))
}

/// How many versions have a macro in them that nobody expanded.
fn unexpanded_versions(dependency: &Dependency) -> usize {
    fn of(rich: &Rich) -> usize {
        match rich {
            Rich::Capability(capability) => in_version(capability),
            Rich::Group(first, further) => {
                of(first) + further.iter().map(|(_, part)| of(part)).sum::<usize>()
            }
        }
    }
    fn in_version(capability: &Capability) -> usize {
        let version = capability.version.as_ref();
        usize::from(version.is_some_and(|(_, version)| version.contains(&b'%')))
    }
    match dependency {
        Dependency::Plain(capability) => in_version(capability),
        Dependency::Rich(rich) => of(rich),
    }
}

/// A dependency on a version of rpm's own abilities.
pub(super) fn rpmlib_dependency(ability: &str, version: &str, place: Place) -> Declared {
    let version = Comparison::read(b"<=").map(|comparison| (comparison, version.into()));
    Declared {
        kind: DependencyKind::Requires,
        dependency: Dependency::Plain(Capability { name: format!("rpmlib({ability})").into(), version }),
        events: 1 << 24,
        place,
    }
}

/// Conditions of triggers, read as dependencies are.
pub(super) fn read_conditions(text: &[u8]) -> Result<Vec<Dependency>, String> {
    read_dependencies(text.as_bstr(), Allows::Plain)
        .map_err(|problems| problems.first().map(ToString::to_string).unwrap_or_default())
}
