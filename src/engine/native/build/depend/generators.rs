//! Dependencies that files have: what the root's generators say (rpm-dependency-generators(7)).

use std::collections::HashSet;

use bstr::BString;
use rayon::prelude::*;

use super::super::build_root::BuildRoot;
use super::super::files::PackagedFile;
use super::super::generator_problem::GeneratorProblem;
use super::super::world::World;
use super::attributes::{self, FileAttribute};
use super::classified_files::{ClassifiedFiles, DependencySearch};
use super::generator_runs::{GeneratorAnswers, RunPlan};
use super::known_programs::KnownPrograms;
use super::regular_expression::RegularExpression;
use crate::macros::{Definition, Stop};
use crate::package::{Header, Tag};
use crate::spec::{Allows, DependencyKind, DependencyRow, read_dependencies};

/// Fewer files are not worth another thread.
const MANY: usize = 1000;

/// A kind of dependency that generators give.
struct GeneratorKind {
    word: &'static str,
    kind: DependencyKind,
    /// rpm's bit: a generator has found it.
    bit: u32,
}

/// rpm's bits of what was found in files.
pub(crate) const FIND_REQUIRES: u32 = 1 << 14;
pub(crate) const FIND_PROVIDES: u32 = 1 << 15;

const GENERATOR_KINDS: [GeneratorKind; 9] = [
    GeneratorKind { word: "provides", kind: DependencyKind::Provides, bit: FIND_PROVIDES },
    GeneratorKind { word: "requires", kind: DependencyKind::Requires, bit: FIND_REQUIRES },
    GeneratorKind { word: "recommends", kind: DependencyKind::Recommends, bit: FIND_REQUIRES },
    GeneratorKind { word: "suggests", kind: DependencyKind::Suggests, bit: FIND_REQUIRES },
    GeneratorKind { word: "supplements", kind: DependencyKind::Supplements, bit: FIND_REQUIRES },
    GeneratorKind { word: "enhances", kind: DependencyKind::Enhances, bit: FIND_REQUIRES },
    GeneratorKind { word: "conflicts", kind: DependencyKind::Conflicts, bit: FIND_REQUIRES },
    GeneratorKind { word: "obsoletes", kind: DependencyKind::Obsoletes, bit: FIND_REQUIRES },
    GeneratorKind { word: "orderwithrequires", kind: DependencyKind::OrderWithRequires, bit: FIND_REQUIRES },
];

/// A dependency that a file has.
pub(crate) struct Generated {
    pub(crate) file: usize,
    pub(crate) kind: DependencyKind,
    pub(crate) row: DependencyRow,
}

/// What dependencies are kept out.
struct DependencyFilter {
    dependencies: Option<RegularExpression>,
    files: Vec<RegularExpression>,
}

/// Runs all generators for the files of a package; gives the dependencies that they find.
pub(crate) fn generate_dependencies(
    world: World<'_>,
    header: &Header,
    search: DependencySearch,
    classified: &ClassifiedFiles<'_>,
    threads: usize,
) -> Result<Vec<Generated>, Stop> {
    let known = KnownPrograms::read(world)?;
    let (filters, mut answers) = run_with_names(world, classified.root, header, || {
        let plan = RunPlan::new(world, classified.root, &known);
        run_generators(plan, search, classified, threads)
    });
    // They stay in the order in which they were found, file by file.
    answers.lines.sort_by_key(|line| (line.file, line.call));
    let mut all = Vec::new();
    let mut outcome = if answers.has_failed { Err(Stop) } else { Ok(()) };
    for line in &answers.lines {
        let (Some(kind), Some(filter)) = (GENERATOR_KINDS.get(line.kind_index), filters.get(line.kind_index))
        else {
            continue;
        };
        match read_generated(world, kind.kind, kind.bit, &line.text) {
            Ok(rows) => {
                let rows = rows.into_iter().map(|row| put_in_namespace(row, &line.namespace));
                let kept = rows.filter(|row| !filter.has_dependency(row));
                all.extend(kept.map(|row| Generated { file: line.file, kind: kind.kind, row }));
            }
            Err(Stop) => outcome = Err(Stop),
        }
    }
    filters.iter().for_each(|filter| filter.tell_given_up(world));
    outcome.map(|()| remove_weaker(all, classified))
}

/// Drops what is asked for in any version where a file of the same color asks for a version of it.
fn remove_weaker(mut all: Vec<Generated>, classified: &ClassifiedFiles<'_>) -> Vec<Generated> {
    let color = |found: &Generated| classified.classes.get(found.file).map_or(0, |class| class.color);
    let key = |found: &Generated| (color(found), found.kind, found.row.name.clone());
    let versioned: HashSet<_> = all.iter().filter(|found| found.row.has_version()).map(key).collect();
    all.retain(|found| {
        use DependencyKind::{Recommends, Requires, Suggests};
        let can_go = matches!(found.kind, Requires | Recommends | Suggests) && !found.row.has_version();
        !(can_go && versioned.contains(&key(found)))
    });
    all
}

/// Runs something while the macros of names, and the environment, are those of a package.
pub(crate) fn run_with_names<T>(
    world: World<'_>,
    root: &BuildRoot,
    header: &Header,
    run: impl FnOnce() -> T,
) -> T {
    let names = name_macros(header);
    for (name, value) in &names {
        world.macros.push(define_name(name, value));
    }
    world.macros.set_variable(b"RPM_BUILD_ROOT", Some(root.as_bytes()));
    let result = run();
    for (name, _) in &names {
        world.macros.pop(name.as_bytes());
    }
    result
}

/// Runs all generators; gives what is kept out of each kind, and the lines that they wrote.
fn run_generators<'r>(
    mut plan: RunPlan<'r>,
    search: DependencySearch,
    classified: &ClassifiedFiles<'r>,
    threads: usize,
) -> (Vec<DependencyFilter>, GeneratorAnswers) {
    let filters: Vec<DependencyFilter> =
        GENERATOR_KINDS.iter().map(|kind| DependencyFilter::read(plan.world(), kind.word)).collect();
    for attribute in classified.attributes {
        let files = find_files(attribute, classified);
        for (kind_index, (kind, filter)) in GENERATOR_KINDS.iter().zip(&filters).enumerate() {
            let is_provide = kind.kind == DependencyKind::Provides;
            let is_looked_for = if is_provide { search.for_provides } else { search.for_requires };
            let files: Vec<_> =
                files.iter().copied().filter(|(_, file)| is_looked_for && !filter.has_file(file)).collect();
            if !files.is_empty() {
                plan.add(attribute, (kind_index, kind.word), files);
            }
        }
    }
    (filters, plan.run(threads))
}

/// Finds the files that have an attribute, with their places.
fn find_files<'f>(
    attribute: &FileAttribute,
    classified: &ClassifiedFiles<'f>,
) -> Vec<(usize, &'f PackagedFile)> {
    let files = classified.files.par_iter().zip(classified.classes).enumerate().with_min_len(MANY);
    files
        .filter(|(_, (entry, class))| attribute.matches(entry, class))
        .map(|(index, (entry, _))| (index, entry))
        .collect()
}

/// What generators know of the package: its names in macros.
fn name_macros(header: &Header) -> Vec<(&'static str, BString)> {
    let text = |tag| BString::from(header.text(tag).unwrap_or_default());
    let epoch = header.numbers(Tag::EPOCH).first().map(u64::to_string).unwrap_or_default();
    vec![
        ("name", text(Tag::NAME)),
        ("version", text(Tag::VERSION)),
        ("release", text(Tag::RELEASE)),
        ("epoch", epoch.into()),
    ]
}

fn define_name(name: &str, value: &BString) -> Definition {
    Definition::literal_of_spec(name.as_bytes(), value)
}

fn put_in_namespace(mut row: DependencyRow, namespace: &str) -> DependencyRow {
    if !namespace.is_empty() {
        row.name = format!("{namespace}({})", row.name).into();
    }
    row
}

/// Reads the dependencies of a text that a program wrote; what is wrong with it is told.
pub(crate) fn read_generated(
    world: World<'_>,
    kind: DependencyKind,
    bit: u32,
    text: &BString,
) -> Result<Vec<DependencyRow>, Stop> {
    let is_plain = matches!(kind, DependencyKind::Provides | DependencyKind::OrderWithRequires);
    let allows = if is_plain { Allows::Plain } else { Allows::Everything };
    match read_dependencies(text, allows) {
        Ok(read) => {
            Ok(read.iter().map(|dependency| DependencyRow::from_dependency(dependency, bit)).collect())
        }
        Err(problems) => {
            for problem in problems {
                world.tell(GeneratorProblem::Dependency { problem, dependency: text.clone() }.into());
            }
            Err(Stop)
        }
    }
}

impl DependencyFilter {
    fn read(world: World<'_>, word: &str) -> Self {
        let names = [format!("__{word}_exclude_from"), format!("__global_{word}_exclude_from")];
        Self {
            dependencies: attributes::read_regex(world, &format!("__{word}_exclude")),
            files: names.iter().filter_map(|name| attributes::read_regex(world, name)).collect(),
        }
    }

    fn has_file(&self, entry: &PackagedFile) -> bool {
        self.files.iter().any(|regex| regex.is_match(&entry.path))
    }

    /// Whether a dependency is kept out, as rpm writes it: `name >= version`.
    fn has_dependency(&self, row: &DependencyRow) -> bool {
        self.dependencies.as_ref().is_some_and(|regex| regex.is_match(row.to_string().as_bytes()))
    }

    fn tell_given_up(&self, world: World<'_>) {
        attributes::tell_given_up(world, self.files.iter().chain(&self.dependencies));
    }
}
