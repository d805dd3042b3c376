//! Spec text → [`Spec`].

mod build_system;
mod dependencies;
mod finish;
mod macros;
mod preamble;
mod prep;
mod scripts;
mod sections;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use super::dependency::DependencyProblem;
use super::dialect;
use super::header::{Belongs, Header};
use super::package::{Package, Place, SourceFile, Spec, Target};
use super::package_problem::PackageProblem;
use super::problem::Problem;
use super::reader::{Line, Listener, Reader, Reading};
use super::section::{self, SectionKind};
use crate::macros::{Macros, Origin, Stop};
use crate::package::Tag;

/// What parsing needs besides the text.
pub struct Parsing<'p> {
    /// The file, as messages call it.
    pub file: &'p str,
    /// Its text.
    pub text: Vec<u8>,
    /// Whether packages for an architecture can be built here.
    pub can_build: &'p dyn Fn(&BStr) -> bool,
    /// The buildroot, where somebody says it: elsewhere it lies in the folder of the build.
    pub build_root: Option<&'p [u8]>,
    /// Who hears of problems.
    pub listener: Listener,
}

/// Parses a spec with the macros that are defined; what it defines, they keep.
///
/// # Errors
/// rpm would refuse the spec; the listener or the macros' host has been told why.
pub fn parse(macros: &Macros, parsing: Parsing<'_>) -> Result<Spec, Stop> {
    parse_whole(macros, parsing, false)
}

/// As [`parse`], for somebody who builds it: what packages lack is kept in [`Spec::unfinished`], for a part that the build
/// writes may say it.
///
/// # Errors
/// rpm would refuse the spec; the listener or the macros' host has been told why.
pub fn parse_for_build(macros: &Macros, parsing: Parsing<'_>) -> Result<Spec, Stop> {
    parse_whole(macros, parsing, true)
}

fn parse_whole(macros: &Macros, parsing: Parsing<'_>, defers_checks: bool) -> Result<Spec, Stop> {
    let Parsing { file, text, can_build, build_root, listener } = parsing;
    if let Err(problem) = dialect::speak(macros) {
        Reader::new(macros.clone(), file, Vec::new()).telling(listener).report(problem.into());
        return Err(Stop);
    }
    let text: Rc<[u8]> = text.into();
    let run = |pass| {
        let reader = Reader::new(macros.clone(), file, text.to_vec()).telling(Rc::clone(&listener));
        Parser { build_root, defers_checks, ..Parser::new(macros, file, reader, pass) }.run()
    };
    match run(Pass::First) {
        Ok(spec) => Ok(targeted(macros, spec)),
        Err(Ended::Stopped) => Err(Stop),
        Err(Ended::Variants(archs, place)) => {
            let mut variants = Vec::new();
            for arch in archs.iter().filter(|arch| can_build(arch.as_bstr())) {
                macros::push(macros, b"_target_cpu", arch);
                let spec = run(Pass::Variant);
                macros.pop(b"_target_cpu");
                variants.push(targeted(macros, spec.map_err(|_| Stop)?));
            }
            if variants.is_empty() {
                let mut reader = Reader::new(macros.clone(), file, Vec::new()).telling(listener);
                reader.report_at(PackageProblem::NoCompatibleArchitecture.into(), place.file, place.line);
                return Err(Stop);
            }
            let mut spec = variants.remove(0);
            spec.build_archs = archs;
            spec.variants = variants;
            Ok(spec)
        }
    }
}

/// Reads a part that the build has written (rpmbuild(1), "DYNAMIC SPEC GENERATION"): it begins with tags of the main package,
/// and can't say what should have been known before the build.
///
/// # Errors
/// rpm would refuse it; the listener or the macros' host has been told why.
pub fn parse_part(macros: &Macros, spec: Spec, parsing: Parsing<'_>) -> Result<Spec, Stop> {
    let reader = Reader::new(macros.clone(), parsing.file, parsing.text).telling(parsing.listener);
    let mut parser = Parser::new(macros, parsing.file, reader, Pass::Part);
    for (index, package) in spec.packages.iter().enumerate() {
        parser.by_name.insert(package.name.clone(), index);
    }
    parser.sources.replace(spec.sources.clone());
    let file = std::mem::replace(&mut parser.spec, spec).file;
    parser.spec.lacks_fields = false;
    parser.spec.unfinished.retain(|(problem, _)| matches!(problem, PackageProblem::Format { .. }));
    parser.defers_checks = true;
    parser.begin_file(&file);
    let read = parser.read().and_then(|()| parser.finish());
    parser.end_macros();
    read.map(|()| parser.spec).map_err(|_| Stop)
}

/// With what is said of the target. `noarch` is none: it is built on a machine, and that counts.
fn targeted(macros: &Macros, mut spec: Spec) -> Spec {
    spec.target.build_arch = expanded(macros, "%{_build_cpu}");
    spec.target.os = expanded(macros, "%{_target_os}");
    spec.target.platform = expanded(macros, "%{_target_platform}");
    spec.target.compiler_flags = expanded(macros, "%{?optflags}");
    spec
}

/// Which reading of a spec it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// The first one: `BuildArch` ends it.
    First,
    /// One for an architecture of `BuildArch`.
    Variant,
    /// One of a part, after the build.
    Part,
}

/// Why parsing ended early.
enum Ended {
    /// Something is wrong.
    Stopped,
    /// The spec is to be read again for each of these.
    Variants(Vec<BString>, Place),
}

impl From<Stop> for Ended {
    fn from(Stop: Stop) -> Self {
        Self::Stopped
    }
}

type Sources = Rc<RefCell<Vec<SourceFile>>>;

/// A section that is being read.
struct Open {
    kind: SectionKind,
    /// The line that begins it; the preamble has none.
    line: Option<Line>,
    header: Option<Header>,
    /// Its package.
    package: usize,
    text: Vec<Line>,
}

/// A spec on its way.
struct Parser<'p> {
    macros: &'p Macros,
    reader: Reader,
    pass: Pass,
    spec: Spec,
    sources: Sources,
    /// The packages by their names.
    by_name: HashMap<BString, usize>,
    /// Tags that were given twice, with their packages.
    duplicates: Vec<(usize, Tag)>,
    scripts: HashMap<SectionKind, scripts::Pieces>,
    build_system: build_system::BuildSystem,
    /// Whether all lines have been read.
    is_at_end: bool,
    /// The buildroot, where somebody says it.
    build_root: Option<&'p [u8]>,
    /// Whether what packages lack is told later.
    defers_checks: bool,
}

impl<'p> Parser<'p> {
    fn new(macros: &'p Macros, file: &str, reader: Reader, pass: Pass) -> Self {
        let file: Arc<str> = file.into();
        let target = Target { arch: expanded(macros, "%{_target_cpu}"), ..Target::default() };
        let spec = Spec {
            file,
            target,
            packages: Vec::new(),
            build_dependencies: Vec::new(),
            sources: Vec::new(),
            source_license: None,
            limits: Default::default(),
            build_archs: Vec::new(),
            scripts: Vec::new(),
            changes: Vec::new(),
            languages: vec!["C".into()],
            text: Vec::new(),
            variants: Vec::new(),
            lacks_fields: false,
            unfinished: Vec::new(),
        };
        Self {
            macros,
            reader,
            pass,
            spec,
            sources: Sources::default(),
            by_name: HashMap::new(),
            duplicates: Vec::new(),
            scripts: HashMap::new(),
            build_system: build_system::BuildSystem::default(),
            is_at_end: false,
            build_root: None,
            defers_checks: false,
        }
    }

    fn run(mut self) -> Result<Spec, Ended> {
        self.begin_macros();
        let read = self.read();
        let finished = read.and_then(|()| self.finish());
        self.end_macros();
        finished.map(|()| self.spec)
    }

    /// Reads all sections.
    fn read(&mut self) -> Result<(), Ended> {
        if self.pass != Pass::Part {
            let place = Place { file: Arc::clone(&self.spec.file), line: 1 };
            self.spec.packages.push(Package::new(BString::default(), place));
        }
        let mut open =
            Open { kind: SectionKind::Preamble, line: None, header: None, package: 0, text: Vec::new() };
        let mut reading = Reading::Text;
        loop {
            let Some(line) = self.next(reading)? else {
                self.is_at_end = true;
                self.close(open)?;
                let Some(added) = self.rest_of_build_system()? else {
                    return Ok(());
                };
                self.is_at_end = false;
                self.reader.insert("buildsystem", added);
                open =
                    Open { kind: SectionKind::End, line: None, header: None, package: 0, text: Vec::new() };
                reading = Reading::Text;
                continue;
            };
            if let Some((kind, next, _)) = section::begun(&line.text) {
                self.close(open)?;
                reading = next;
                open = self.open(kind, line)?;
                continue;
            }
            match open.kind {
                SectionKind::Preamble | SectionKind::Package => self.tag_line(open.package, &line)?,
                SectionKind::End if line.text.trim_ascii().is_empty() => {}
                SectionKind::End => {
                    let text = line.text.trim_ascii_end().into();
                    return Err(self.wrong(PackageProblem::Outside { number: line.number, text }));
                }
                SectionKind::Prep => {
                    let line = self.prep_line(line)?;
                    open.text.push(line);
                }
                _ => open.text.push(line),
            }
        }
    }

    /// The next line, kept as part of the text.
    fn next(&mut self, reading: Reading) -> Result<Option<Line>, Stop> {
        let line = self.reader.next(reading)?;
        if let Some(line) = &line {
            self.spec.text.extend_from_slice(&line.text);
        }
        Ok(line)
    }

    /// Tells of something wrong, and ends.
    fn wrong(&mut self, problem: impl Into<Problem>) -> Ended {
        self.reader.fail(problem.into()).into()
    }

    /// Tells of something that is wrong, or not quite right, and goes on.
    fn tell(&mut self, problem: impl Into<Problem>) {
        self.reader.report(problem.into());
    }

    /// The same at another place than where the reader is.
    fn tell_at(&mut self, problem: impl Into<Problem>, place: &Place) {
        self.reader.report_at(problem.into(), Arc::clone(&place.file), place.line);
    }

    fn dependency_wrong(&mut self, problems: Vec<DependencyProblem>, text: &BStr) -> Ended {
        for problem in problems {
            self.tell(Problem::Dependency { problem, text: text.into(), is_error: true });
        }
        Ended::Stopped
    }

    fn expand(&self, text: &str) -> BString {
        expanded(self.macros, text)
    }

    fn package_name(&self, belongs: &Belongs) -> BString {
        let main = self.spec.main().map(|main| main.name.clone()).unwrap_or_default();
        match belongs {
            Belongs::Main => main,
            Belongs::Sub(name) => [main.as_slice(), b"-", name].concat().into(),
            Belongs::Named(name) => name.clone(),
        }
    }

    fn package(&mut self, index: usize) -> Option<&mut Package> {
        self.spec.packages.get_mut(index)
    }
}

/// What a text expands to; nothing where it can't be expanded.
fn expanded(macros: &Macros, text: &str) -> BString {
    macros.set_place(Origin::named("<spec>"));
    macros.expand_piece(text.as_bytes()).unwrap_or_default().into()
}

fn place(line: &Line) -> Place {
    Place { file: Arc::clone(&line.file), line: line.number }
}
