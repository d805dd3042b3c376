//! Dependencies that files have: what the root's generators say (rpm-dependency-generators(7)).

use std::collections::{HashMap, HashSet};

use bstr::{BString, ByteSlice};
use rayon::prelude::*;

use super::super::build_root::BuildRoot;
use super::super::command_line::split_words;
use super::super::files::PackagedFile;
use super::super::problem::BuildProblem;
use super::super::world::World;
use super::attributes::{self, FileAttribute};
use super::classified_files::{ClassifiedFiles, DependencySearch};
use super::known_programs::{KnownProgram, KnownPrograms, NotKnown};
use super::regular_expression::RegularExpression;
use crate::macros::{Definition, Expansion, Level, Origin, Stop};
use crate::package::{Header, Tag};
use crate::spec::{Allows, DependencyKind, DependencyRow, read_dependencies};

/// Fewer files are not worth another thread.
const MANY: usize = 1000;

/// As [`MANY`], where files are opened.
const FEW: usize = 16;

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

/// Something that a generator wrote.
#[derive(Clone)]
struct GeneratedLine {
    /// When the generator was called, among all of them.
    call: usize,
    kind_index: usize,
    file: usize,
    text: BString,
    /// What its names are put into.
    namespace: String,
}

/// One run of a generator.
#[derive(Clone)]
struct GeneratorRun<'r> {
    /// When it was called, among all of them.
    call: usize,
    kind_index: usize,
    namespace: String,
    words: Vec<Vec<u8>>,
    files: Vec<(usize, &'r PackagedFile)>,
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
    let (filters, mut lines) = run_with_names(world, classified.root, header, || {
        let plan = RunPlan::new(world, classified.root, &known);
        run_generators(plan, search, classified, threads)
    });
    // They stay in the order in which they were found, file by file.
    lines.sort_by_key(|line| (line.file, line.call));
    let mut all = Vec::new();
    let mut outcome = Ok(());
    for line in &lines {
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
) -> (Vec<DependencyFilter>, Vec<GeneratedLine>) {
    let filters: Vec<DependencyFilter> =
        GENERATOR_KINDS.iter().map(|kind| DependencyFilter::read(plan.world, kind.word)).collect();
    for attribute in classified.attributes {
        let files = find_files(attribute, classified);
        for (kind_index, (kind, filter)) in GENERATOR_KINDS.iter().zip(&filters).enumerate() {
            let is_provide = kind.kind == DependencyKind::Provides;
            let is_looked_for = if is_provide { search.for_provides } else { search.for_requires };
            let files: Vec<_> =
                files.iter().copied().filter(|(_, file)| is_looked_for && !filter.has_file(file)).collect();
            if !files.is_empty() {
                plan.add(attribute, kind_index, files);
            }
        }
    }
    let lines = plan.run(threads);
    (filters, lines)
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
    Definition {
        name: name.as_bytes().into(),
        options: None,
        body: value.as_slice().into(),
        expansion: Expansion::Never,
        level: Level::SPEC,
        origin: Origin::named("<spec>"),
    }
}

/// The runs of generators that are programs, and what those wrote that are macros.
struct RunPlan<'r> {
    world: World<'r>,
    root: &'r BuildRoot,
    known: &'r KnownPrograms,
    /// How many generators were called.
    calls: usize,
    runs: Vec<GeneratorRun<'r>>,
    /// Those that are done here.
    native: Vec<(KnownProgram, GeneratorRun<'r>)>,
    lines: Vec<GeneratedLine>,
}

impl<'r> RunPlan<'r> {
    fn new(world: World<'r>, root: &'r BuildRoot, known: &'r KnownPrograms) -> Self {
        Self { world, root, known, calls: 0, runs: Vec::new(), native: Vec::new(), lines: Vec::new() }
    }

    /// Adds the runs of a generator for some files; one that is a macro answers at once.
    fn add(&mut self, attribute: &FileAttribute, kind_index: usize, files: Vec<(usize, &'r PackagedFile)>) {
        let Some(kind) = GENERATOR_KINDS.get(kind_index) else {
            return;
        };
        let (world, name) = (self.world, &attribute.name);
        let generator = format!("__{name}_{}", kind.word);
        let known = world
            .macros
            .with_table(|table| table.get(generator.as_bytes()).map(|known| known.options.is_some()));
        let Some(is_macro) = known else {
            return;
        };
        let call = self.calls;
        self.calls += 1;
        let namespace = world.setting(&format!("__{name}_namespace"));
        if is_macro {
            let written = GeneratedLine { call, kind_index, file: 0, text: BString::default(), namespace };
            return self.expand_macro(&generator, &written, &files);
        }
        let command = world.expand(format!("%{{{generator}}} %{{?{generator}_opts}}")).unwrap_or_default();
        let words = split_words(&command);
        if words.is_empty() {
            return;
        }
        let is_multifile = world.setting(&format!("__{name}_protocol")) == "multifile";
        let known = self.known.find(world, &words, is_multifile);
        let run = GeneratorRun { call, kind_index, namespace, words, files };
        match known {
            Some(program) => self.native.push((program, run)),
            None if is_multifile => self.runs.push(run),
            None => self.runs.extend(run.single_files()),
        }
    }

    /// Expands a generator that is a macro once for each file; its lines are like `line` but for file and text.
    fn expand_macro(&mut self, generator: &str, line: &GeneratedLine, files: &[(usize, &PackagedFile)]) {
        for (index, file) in files {
            let path = self.root.program_path(&file.on_disk);
            let call = [b"%{".as_slice(), generator.as_bytes(), b" ", &path, b"}"].concat();
            let answer = self.world.expand(call).unwrap_or_default();
            self.lines.extend(answer.lines().map(|text| GeneratedLine {
                file: *index,
                text: text.trim_ascii().into(),
                ..line.clone()
            }));
        }
    }

    /// Runs the generators that are programs; gives the lines that all wrote.
    fn run(mut self, threads: usize) -> Vec<GeneratedLine> {
        self.answer_native();
        let Self { world, root, runs, mut lines, .. } = self;
        let jobs: Vec<_> = runs.iter().map(|run| (run.words.clone(), run.list_files(root))).collect();
        for (run, result) in runs.iter().zip(world.macros.filter_all(&jobs, threads)) {
            match result {
                Ok((_, output)) => lines.extend(run.read_output(root, &output)),
                Err(error) => {
                    let program = run.words.first().map(|word| word.to_str_lossy().into_owned());
                    let (program, reason) = (program.unwrap_or_default(), crate::files::reason(&error));
                    world.tell(BuildProblem::NotRun { program, reason });
                }
            }
        }
        lines
    }
}

impl<'r> RunPlan<'r> {
    /// Does what known generators do. Where a file is unusual the program itself will be run about it alone: paths that stand
    /// before the dependencies of each file make no difference then.
    fn answer_native(&mut self) {
        let native = std::mem::take(&mut self.native);
        let Some(folder) = self.root.open(self.world.files) else {
            self.runs.extend(native.into_iter().map(|(_, run)| run));
            return;
        };
        for (program, run) in native {
            let files = run.files.par_iter().with_min_len(FEW);
            let path = |file: &PackagedFile| self.root.program_path(&file.on_disk);
            let answers: Vec<_> = files.map(|(_, file)| program.answer(&folder, file, &path(file))).collect();
            for (single, answer) in run.single_files().zip(answers) {
                match answer {
                    Ok(output) => self.lines.extend(single.read_output(self.root, &output)),
                    Err(NotKnown) => self.runs.push(single),
                }
            }
        }
    }
}

impl<'r> GeneratorRun<'r> {
    /// A run for each of its files.
    fn single_files(&self) -> impl Iterator<Item = GeneratorRun<'r>> {
        self.files.iter().map(|file| GeneratorRun { files: vec![*file], ..self.clone() })
    }

    /// What the program reads: the paths of its files, one a line.
    fn list_files(&self, root: &BuildRoot) -> Vec<u8> {
        let path = |file: &PackagedFile| [root.program_path(&file.on_disk), b"\n".to_vec()].concat();
        self.files.iter().flat_map(|(_, file)| path(file)).collect()
    }

    /// Reads what the program wrote: dependencies, one a line, of the file that `;path` names before them.
    fn read_output(&self, root: &BuildRoot, output: &[u8]) -> Vec<GeneratedLine> {
        let by_path: HashMap<Vec<u8>, usize> =
            self.files.iter().map(|(index, file)| (root.program_path(&file.on_disk), *index)).collect();
        let mut current = self.files.first().map(|(index, _)| *index);
        let mut all = Vec::new();
        for line in output.lines().map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
            match (line.strip_prefix(b";"), current) {
                (Some(path), _) => current = by_path.get(path).copied().or(current),
                (None, Some(file)) => {
                    let (call, kind_index, namespace) = (self.call, self.kind_index, self.namespace.clone());
                    all.push(GeneratedLine { call, kind_index, file, text: line.into(), namespace });
                }
                (None, None) => {}
            }
        }
        all
    }
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
                world.tell(BuildProblem::GeneratedDependency { problem, dependency: text.clone() });
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
