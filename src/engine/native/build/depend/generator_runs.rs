//! Runs of generators: programs, macros, and what is done here in the place of known programs; and what they write, by their
//! protocols (rpm-dependency-generators(7), "Protocols").

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};
use rayon::prelude::*;

use super::super::build_root::BuildRoot;
use super::super::command_line::split_words;
use super::super::files::PackagedFile;
use super::super::generator_problem::GeneratorProblem;
use super::super::problem::BuildProblem;
use super::super::world::World;
use super::attributes::FileAttribute;
use super::known_programs::{KnownProgram, KnownPrograms};
use super::not_known::NotKnown;
use crate::macros::RpmVersion;

/// Fewer files are not worth another thread.
const FEW: usize = 16;

/// The macro by which a generator that fails ends the build, which it does not for rpm.
const FAILURES_COUNT: &str = "_forge_failed_generators_terminate_build";

/// Something that a generator wrote.
pub(crate) struct GeneratedLine {
    /// When the generator was called, among all of them.
    pub(crate) call: usize,
    pub(crate) kind_index: usize,
    pub(crate) file: usize,
    pub(crate) text: BString,
    /// What its names are put into.
    pub(crate) namespace: String,
}

/// What all generators wrote.
#[derive(Default)]
pub(crate) struct GeneratorAnswers {
    pub(crate) lines: Vec<GeneratedLine>,
    /// Whether the build can't go on; that has been told.
    pub(crate) has_failed: bool,
}

/// How a generator is asked, and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    /// About each file by itself.
    SingleFile,
    /// About all at once: paths stand before what their files have.
    MultiFile,
}

/// One run of a generator.
#[derive(Clone)]
struct GeneratorRun<'r> {
    /// When it was called, among all of them.
    call: usize,
    kind_index: usize,
    namespace: String,
    protocol: Protocol,
    /// The program and its options.
    words: Vec<Vec<u8>>,
    files: Vec<(usize, &'r PackagedFile)>,
}

/// The runs of generators that are programs, and what those wrote that are macros.
pub(crate) struct RunPlan<'r> {
    world: World<'r>,
    root: &'r BuildRoot,
    known: &'r KnownPrograms,
    /// How many generators were called.
    calls: usize,
    runs: Vec<GeneratorRun<'r>>,
    /// Those that are done here.
    native: Vec<(KnownProgram, GeneratorRun<'r>)>,
    answers: GeneratorAnswers,
}

impl<'r> RunPlan<'r> {
    pub(crate) fn new(world: World<'r>, root: &'r BuildRoot, known: &'r KnownPrograms) -> Self {
        let answers = GeneratorAnswers::default();
        Self { world, root, known, calls: 0, runs: Vec::new(), native: Vec::new(), answers }
    }

    /// What the build works with.
    pub(crate) fn world(&self) -> World<'r> {
        self.world
    }

    /// Adds the runs of a generator for some files; one that is a macro answers at once. Its kind is given by its place among the
    /// kinds and by its word.
    pub(crate) fn add(
        &mut self,
        attribute: &FileAttribute,
        (kind_index, word): (usize, &str),
        files: Vec<(usize, &'r PackagedFile)>,
    ) {
        let (world, name) = (self.world, &attribute.name);
        let generator = format!("__{name}_{word}");
        let known = world
            .macros
            .with_table(|table| table.get(generator.as_bytes()).map(|known| known.options.is_some()));
        let Some(is_macro) = known else {
            return;
        };
        let Some(protocol) = self.read_protocol(name) else {
            return;
        };
        let namespace = world.setting(&format!("__{name}_namespace"));
        let run =
            GeneratorRun { call: self.calls, kind_index, namespace, protocol, words: Vec::new(), files };
        self.calls += 1;
        if is_macro {
            self.call_macro(&generator, &run);
        } else {
            self.add_program(&generator, run);
        }
    }

    /// Reads the protocol of an attribute. What is none was that of single files before rpm 6.1.
    fn read_protocol(&mut self, name: &str) -> Option<Protocol> {
        let version = self.world.macros.spoken_version().unwrap_or(RpmVersion::NEWEST);
        match self.world.setting(&format!("__{name}_protocol")).as_str() {
            "" | "singlefile" => Some(Protocol::SingleFile),
            "multifile" if version >= RpmVersion::new(4, 20) => Some(Protocol::MultiFile),
            _ if version < RpmVersion::new(6, 1) => Some(Protocol::SingleFile),
            protocol => {
                let protocol = protocol.to_owned();
                self.world.tell(GeneratorProblem::Protocol { protocol }.into());
                self.answers.has_failed = true;
                None
            }
        }
    }

    fn add_program(&mut self, generator: &str, mut run: GeneratorRun<'r>) {
        let command = format!("%{{{generator}}} %{{?{generator}_opts}}");
        run.words = split_words(&self.world.expand(command).unwrap_or_default());
        if run.words.is_empty() {
            return;
        }
        let is_multifile = run.protocol == Protocol::MultiFile;
        match self.known.find(self.world, &run.words, is_multifile) {
            Some(program) => self.native.push((program, run)),
            None if is_multifile => self.runs.push(run),
            None => self.runs.extend(run.single_files()),
        }
    }

    /// Calls a generator that is a macro, with its options and the paths of files.
    fn call_macro(&mut self, generator: &str, run: &GeneratorRun<'r>) {
        let options = self.world.expand(format!("%{{?{generator}_opts}}")).unwrap_or_default();
        let calls = match run.protocol {
            Protocol::SingleFile => run.single_files().collect(),
            Protocol::MultiFile => vec![run.clone()],
        };
        for call in calls {
            let options = Some(options.clone()).filter(|options| !options.is_empty());
            let paths = call.files.iter().map(|(_, file)| self.root.program_path(&file.on_disk));
            let words = options.into_iter().chain(paths).collect();
            // What went wrong has been told; it does not end the build.
            let answer = self.world.call(generator, words).unwrap_or_default();
            self.take_output(&call, &answer);
        }
    }

    /// Runs the generators that are programs; gives what all wrote.
    pub(crate) fn run(mut self, threads: usize) -> GeneratorAnswers {
        self.answer_native();
        let runs = std::mem::take(&mut self.runs);
        let jobs: Vec<_> = runs.iter().map(|run| (run.words.clone(), run.list_files(self.root))).collect();
        let failures_count = self.world.is_on(FAILURES_COUNT);
        let mut failed: BTreeMap<&[u8], (i32, BString, usize)> = BTreeMap::new();
        for (run, result) in runs.iter().zip(self.world.macros.filter_all(&jobs, threads)) {
            let program = run.words.first().map(Vec::as_slice).unwrap_or_default();
            match result {
                Ok((code, output)) => {
                    self.take_output(run, &output);
                    // That programs fail in their own words is nothing to rpm, and elfdeps does so for each file that is cut off.
                    if code < 0 || code != 0 && failures_count {
                        let file = run.files.first().map(|(_, file)| file.path.clone()).unwrap_or_default();
                        failed.entry(program).or_insert((code, file, 0)).2 += run.files.len();
                    }
                }
                Err(error) => {
                    let program = program.to_str_lossy().into_owned();
                    let reason = crate::files::reason(&error);
                    self.world.tell(BuildProblem::NotRun { program, reason });
                }
            }
        }
        self.tell_failed(failed, failures_count);
        self.answers
    }

    /// Tells which programs failed, each once.
    fn tell_failed(&mut self, failed: BTreeMap<&[u8], (i32, BString, usize)>, is_error: bool) {
        for (program, (code, file, files)) in failed {
            let (program, others) = (program.into(), files.saturating_sub(1));
            self.world.tell(GeneratorProblem::Failed { program, code, file, others, is_error }.into());
            self.answers.has_failed |= is_error;
        }
    }

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
                    Ok(output) => self.take_output(&single, &output),
                    Err(NotKnown) => self.runs.push(single),
                }
            }
        }
    }

    /// Takes what a generator wrote: dependencies, one a line, of the file that `;path` names before them. Files without any may
    /// be passed over.
    fn take_output(&mut self, run: &GeneratorRun<'_>, output: &[u8]) {
        let lines = output.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty());
        let mut current = None;
        for line in lines {
            if let (Protocol::MultiFile, Some(path)) = (run.protocol, line.strip_prefix(b";")) {
                let next = current.map_or(0, |current: usize| current + 1);
                let is_it =
                    |(_, file): &(usize, &PackagedFile)| self.root.program_path(&file.on_disk) == path;
                let Some(distance) = run.files.iter().skip(next).position(is_it) else {
                    self.world.tell(GeneratorProblem::Path { line: line.into() }.into());
                    self.answers.has_failed = true;
                    return;
                };
                current = Some(next + distance);
            } else if let Some((file, _)) = run.files.get(current.unwrap_or(0)) {
                self.answers.lines.push(GeneratedLine {
                    call: run.call,
                    kind_index: run.kind_index,
                    file: *file,
                    text: line.trim_ascii().into(),
                    namespace: run.namespace.clone(),
                });
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
}
