//! Dependencies that files have: what the root's generators say (rpm-dependency-generators(7)).

use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;

use bstr::{BString, ByteSlice};
use rayon::prelude::*;

use super::attributes::{self, FileAttribute};
use super::classify::Class;
use super::files::PackagedFile;
use super::problem::BuildProblem;
use super::regular_expression::RegularExpression;
use super::scriptlet::words;
use super::workspace::Workspace;
use super::world::World;
use crate::macros::{Definition, Expansion, Level, Origin, Stop};
use crate::package::{Header, Tag};
use crate::spec::{Allows, DependencyKind, DependencyRow, read_dependencies};

/// Fewer files are not worth another thread.
const MANY: usize = 1000;

/// A kind of dependency that generators give.
struct Type {
    word: &'static str,
    kind: DependencyKind,
    /// rpm's bit: a generator has found it.
    bit: u32,
}

/// rpm's bits of what was found in files.
pub(super) const FIND_REQUIRES: u32 = 1 << 14;
pub(super) const FIND_PROVIDES: u32 = 1 << 15;

const TYPES: [Type; 9] = [
    Type { word: "provides", kind: DependencyKind::Provides, bit: FIND_PROVIDES },
    Type { word: "requires", kind: DependencyKind::Requires, bit: FIND_REQUIRES },
    Type { word: "recommends", kind: DependencyKind::Recommends, bit: FIND_REQUIRES },
    Type { word: "suggests", kind: DependencyKind::Suggests, bit: FIND_REQUIRES },
    Type { word: "supplements", kind: DependencyKind::Supplements, bit: FIND_REQUIRES },
    Type { word: "enhances", kind: DependencyKind::Enhances, bit: FIND_REQUIRES },
    Type { word: "conflicts", kind: DependencyKind::Conflicts, bit: FIND_REQUIRES },
    Type { word: "obsoletes", kind: DependencyKind::Obsoletes, bit: FIND_REQUIRES },
    Type { word: "orderwithrequires", kind: DependencyKind::OrderWithRequires, bit: FIND_REQUIRES },
];

/// A dependency that a file has.
pub(super) struct Generated {
    pub(super) file: usize,
    pub(super) kind: DependencyKind,
    pub(super) row: DependencyRow,
}

/// What dependencies are kept out.
struct Filter {
    dependencies: Option<RegularExpression>,
    files: Vec<RegularExpression>,
}

/// Something that a generator wrote.
struct GeneratedLine {
    /// When the generator was called, among all of them.
    call: usize,
    type_index: usize,
    file: usize,
    text: BString,
    /// What its names are put into.
    namespace: String,
}

/// One run of a generator.
struct Run<'r> {
    /// When it was called, among all of them.
    call: usize,
    type_index: usize,
    namespace: String,
    words: Vec<Vec<u8>>,
    files: Vec<(usize, &'r PackagedFile)>,
}

/// What a package says of looking for its dependencies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looks {
    pub(super) for_provides: bool,
    pub(super) for_requires: bool,
}

/// What is known of the files of a package.
pub(super) struct ClassifiedFiles<'f> {
    pub(super) entries: &'f [PackagedFile],
    pub(super) classes: &'f [Class],
    pub(super) attributes: &'f [FileAttribute],
}

/// Runs all generators for the files of a package.
pub(super) fn generate(
    world: World<'_>,
    workspace: &Workspace,
    header: &Header,
    looks: Looks,
    found: &ClassifiedFiles<'_>,
    threads: usize,
) -> Result<Vec<Generated>, Stop> {
    let (filters, mut lines) =
        with_names(world, workspace, header, || written(world, workspace, looks, found, threads));
    // They stay in the order in which they were found, file by file.
    lines.sort_by_key(|line| (line.file, line.call));
    let mut all = Vec::new();
    let mut outcome = Ok(());
    for line in &lines {
        let (Some(kind), Some(filter)) = (TYPES.get(line.type_index), filters.get(line.type_index)) else {
            continue;
        };
        match parsed(world, kind.kind, kind.bit, &line.text) {
            Ok(rows) => {
                let rows = rows.into_iter().map(|row| in_namespace(row, &line.namespace));
                let kept = rows.filter(|row| !filter.has_dependency(row));
                all.extend(kept.map(|row| Generated { file: line.file, kind: kind.kind, row }));
            }
            Err(Stop) => outcome = Err(Stop),
        }
    }
    filters.iter().for_each(|filter| filter.tell_given_up(world));
    outcome.map(|()| without_weaker(all, found.classes))
}

/// Drops what is asked for in any version where a file of the same color asks for a version of it.
fn without_weaker(mut all: Vec<Generated>, classes: &[Class]) -> Vec<Generated> {
    let color = |found: &Generated| classes.get(found.file).map_or(0, |class| class.color);
    let key = |found: &Generated| (color(found), found.kind, found.row.name.clone());
    let versioned: HashSet<_> = all.iter().filter(|found| found.row.has_version()).map(key).collect();
    all.retain(|found| {
        use DependencyKind::{Recommends, Requires, Suggests};
        let can_go = matches!(found.kind, Requires | Recommends | Suggests) && !found.row.has_version();
        !(can_go && versioned.contains(&key(found)))
    });
    all
}

/// Does something while the macros of names, and the environment, are those of a package.
pub(super) fn with_names<T>(
    world: World<'_>,
    workspace: &Workspace,
    header: &Header,
    run: impl FnOnce() -> T,
) -> T {
    let names = exported(header);
    for (name, value) in &names {
        world.macros.push(definition(name, value));
    }
    world.macros.set_variable(b"RPM_BUILD_ROOT", Some(workspace.root.as_os_str().as_bytes()));
    let result = run();
    for (name, _) in &names {
        world.macros.pop(name.as_bytes());
    }
    result
}

/// Runs all generators; gives what is kept out, and the lines that they wrote.
fn written(
    world: World<'_>,
    workspace: &Workspace,
    looks: Looks,
    found: &ClassifiedFiles<'_>,
    threads: usize,
) -> (Vec<Filter>, Vec<GeneratedLine>) {
    let filters: Vec<Filter> = TYPES.iter().map(|kind| Filter::of(world, kind.word)).collect();
    let (mut lines, mut runs) = (Vec::new(), Vec::new());
    for attribute in found.attributes {
        let files = files_of(attribute, found);
        for (type_index, (kind, filter)) in TYPES.iter().zip(&filters).enumerate() {
            let is_looked_for = match kind.kind {
                DependencyKind::Provides => looks.for_provides,
                _ => looks.for_requires,
            };
            let files: Vec<_> =
                files.iter().copied().filter(|(_, entry)| is_looked_for && !filter.has_file(entry)).collect();
            if !files.is_empty() {
                call(world, workspace, attribute, type_index, files, &mut runs, &mut lines);
            }
        }
    }
    lines.extend(run_all(world, workspace, &runs, threads));
    (filters, lines)
}

/// The files that have an attribute, with their places.
fn files_of<'f>(attribute: &FileAttribute, found: &ClassifiedFiles<'f>) -> Vec<(usize, &'f PackagedFile)> {
    let files = found.entries.par_iter().zip(found.classes).enumerate().with_min_len(MANY);
    files
        .filter(|(_, (entry, class))| attribute.matches(entry, class))
        .map(|(index, (entry, _))| (index, entry))
        .collect()
}

/// Runs generators that are programs; gives the lines that they wrote.
fn run_all(world: World<'_>, workspace: &Workspace, runs: &[Run<'_>], threads: usize) -> Vec<GeneratedLine> {
    let jobs: Vec<_> = runs.iter().map(|run| (run.words.clone(), input(workspace, run))).collect();
    let mut lines = Vec::new();
    for (run, result) in runs.iter().zip(world.macros.filter_all(&jobs, threads)) {
        match result {
            Ok((_, output)) => {
                lines.extend(answers(workspace, run, &output).into_iter().map(|(file, text)| {
                    let Run { call, type_index, ref namespace, .. } = *run;
                    GeneratedLine { call, type_index, file, text, namespace: namespace.clone() }
                }))
            }
            Err(error) => {
                let program = run.words.first().map(|word| word.to_str_lossy().into_owned());
                let (program, reason) = (program.unwrap_or_default(), crate::files::reason(&error));
                world.tell(BuildProblem::NotRun { program, reason });
            }
        }
    }
    lines
}

/// What generators know of the package: its names in macros.
fn exported(header: &Header) -> Vec<(&'static str, BString)> {
    let text = |tag| BString::from(header.text(tag).unwrap_or_default());
    let epoch = header.numbers(Tag::EPOCH).first().map(u64::to_string).unwrap_or_default();
    vec![
        ("name", text(Tag::NAME)),
        ("version", text(Tag::VERSION)),
        ("release", text(Tag::RELEASE)),
        ("epoch", epoch.into()),
    ]
}

fn definition(name: &str, value: &BString) -> Definition {
    Definition {
        name: name.as_bytes().into(),
        options: None,
        body: value.as_slice().into(),
        expansion: Expansion::Never,
        level: Level::SPEC,
        origin: Origin::named("<spec>"),
    }
}

/// Plans the runs of a generator; one that is a macro answers at once.
fn call<'r>(
    world: World<'_>,
    workspace: &Workspace,
    attribute: &FileAttribute,
    type_index: usize,
    files: Vec<(usize, &'r PackagedFile)>,
    runs: &mut Vec<Run<'r>>,
    found: &mut Vec<GeneratedLine>,
) {
    let call = runs.len() + found.len();
    let Some(kind) = TYPES.get(type_index) else {
        return;
    };
    let (name, word) = (&attribute.name, kind.word);
    let generator = format!("__{name}_{word}");
    let known =
        world.macros.with_table(|table| table.get(generator.as_bytes()).map(|known| known.options.is_some()));
    let Some(is_macro) = known else {
        return;
    };
    let namespace = world.setting(&format!("__{name}_namespace"));
    if is_macro {
        for (index, entry) in files {
            let whole =
                [b"%{".as_slice(), generator.as_bytes(), b" ", &full(workspace, entry), b"}"].concat();
            let answer = world.expand(whole).unwrap_or_default();
            let text = |line: &[u8]| BString::from(line.trim_ascii());
            found.extend(answer.lines().map(|line| GeneratedLine {
                call,
                type_index,
                file: index,
                text: text(line),
                namespace: namespace.clone(),
            }));
        }
        return;
    }
    let command = world.expand(format!("%{{{generator}}} %{{?{generator}_opts}}")).unwrap_or_default();
    let words = words(&command);
    if words.is_empty() {
        return;
    }
    if world.setting(&format!("__{name}_protocol")) == "multifile" {
        runs.push(Run { call, type_index, namespace, words, files });
    } else {
        runs.extend(files.into_iter().map(|file| {
            let (words, namespace) = (words.clone(), namespace.clone());
            Run { call, type_index, namespace, words, files: vec![file] }
        }));
    }
}

/// Where a file lies on the disk.
pub(super) fn full(workspace: &Workspace, entry: &PackagedFile) -> Vec<u8> {
    [workspace.root.as_os_str().as_bytes(), b"/", entry.on_disk.as_os_str().as_bytes()].concat()
}

fn input(workspace: &Workspace, run: &Run<'_>) -> Vec<u8> {
    run.files.iter().flat_map(|(_, entry)| [full(workspace, entry), b"\n".to_vec()].concat()).collect()
}

/// The lines of an answer with the files that they are about.
fn answers(workspace: &Workspace, run: &Run<'_>, output: &[u8]) -> Vec<(usize, BString)> {
    let by_path: HashMap<Vec<u8>, usize> =
        run.files.iter().map(|(index, entry)| (full(workspace, entry), *index)).collect();
    let mut current = run.files.first().map(|(index, _)| *index);
    let mut all = Vec::new();
    for line in output.lines().map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
        match (line.strip_prefix(b";"), current) {
            (Some(path), _) => current = by_path.get(path).copied().or(current),
            (None, Some(file)) => all.push((file, line.into())),
            (None, None) => {}
        }
    }
    all
}

fn in_namespace(mut row: DependencyRow, namespace: &str) -> DependencyRow {
    if !namespace.is_empty() {
        row.name = format!("{namespace}({})", row.name).into();
    }
    row
}

/// The dependencies of a text that a program wrote; what is wrong with it is told.
pub(super) fn parsed(
    world: World<'_>,
    kind: DependencyKind,
    bit: u32,
    text: &BString,
) -> Result<Vec<DependencyRow>, Stop> {
    let allows = match kind {
        DependencyKind::Provides | DependencyKind::OrderWithRequires => Allows::Plain,
        _ => Allows::Everything,
    };
    match read_dependencies(text, allows) {
        Ok(read) => Ok(read.iter().map(|dependency| DependencyRow::of(dependency, bit)).collect()),
        Err(problems) => {
            for problem in problems {
                world.tell(BuildProblem::GeneratedDependency { problem, dependency: text.clone() });
            }
            Err(Stop)
        }
    }
}

impl Filter {
    fn of(world: World<'_>, word: &str) -> Self {
        let names = [format!("__{word}_exclude_from"), format!("__global_{word}_exclude_from")];
        Self {
            dependencies: attributes::regex(world, &format!("__{word}_exclude")),
            files: names.iter().filter_map(|name| attributes::regex(world, name)).collect(),
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
