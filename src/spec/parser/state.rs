//! A spec on its way: what the parser knows while it reads.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use bstr::{BStr, BString};

use super::super::dependency_problem::DependencyProblem;
use super::super::dialect::names_sources_backwards;
use super::super::line_reader::{Line, LineReader};
use super::super::package::{Package, SourceFile, Spec, Target};
use super::super::place::Place;
use super::super::problem::SpecProblem;
use super::super::section::SectionKind;
use super::super::section_header::{SectionHeader, SectionPackage};
use super::define::expand_text;
use super::pieces::ScriptPieces;
use crate::macros::{Macros, Stop};
use crate::package::Tag;

/// Which reading of a spec it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// The first one: `BuildArch` ends it.
    First,
    /// One for an architecture of `BuildArch`.
    Variant,
    /// One of a part, after the build.
    Part,
}

/// How many mistakes of a spec are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistakes {
    /// The first, as rpm does.
    First,
    /// All that do not follow from another.
    All,
}

/// Why parsing ended early.
pub(super) enum EarlyEnd {
    /// Something is wrong.
    Stopped,
    /// The spec is to be read again for each of these.
    Variants(Vec<BString>, Place),
}

impl From<Stop> for EarlyEnd {
    fn from(Stop: Stop) -> Self {
        Self::Stopped
    }
}

/// Sources and patches, which `%setup` and `%patch` know as well.
pub(super) type Sources = Rc<RefCell<Vec<SourceFile>>>;

/// A section that is being read.
pub(super) struct OpenSection {
    pub kind: SectionKind,
    /// The line that begins it; the preamble has none.
    pub line: Option<Line>,
    pub header: Option<SectionHeader>,
    /// Its package.
    pub package: usize,
    pub text: Vec<Line>,
    /// Whether its lines do not count, because its first is a mistake.
    pub is_skipped: bool,
}

impl OpenSection {
    pub fn new(kind: SectionKind) -> Self {
        Self { kind, line: None, header: None, package: 0, text: Vec::new(), is_skipped: false }
    }

    /// One whose lines do not count, because its first is a mistake.
    pub fn skipped(kind: SectionKind) -> Self {
        Self { is_skipped: true, ..Self::new(kind) }
    }
}

/// What a spec says of its build system.
#[derive(Debug, Default)]
pub(super) struct BuildSystem {
    pub name: Option<BString>,
    /// Options by the script that they are for.
    pub options: Vec<(SectionKind, BString)>,
    pub is_added: bool,
}

/// A spec on its way.
pub(super) struct Parser<'p> {
    pub macros: &'p Macros,
    pub reader: LineReader,
    pub pass: Pass,
    pub spec: Spec,
    pub sources: Sources,
    /// The packages by their names.
    pub by_name: HashMap<BString, usize>,
    /// Tags that were given twice, with their packages.
    pub duplicates: Vec<(usize, Tag)>,
    pub scripts: HashMap<SectionKind, ScriptPieces>,
    pub build_system: BuildSystem,
    /// Whether all lines have been read.
    pub is_at_end: bool,
    /// The buildroot, where somebody says it.
    pub build_root: Option<&'p [u8]>,
    /// Whether what packages lack is told later.
    pub defers_checks: bool,
    pub mistakes: Mistakes,
    /// How many mistakes reading went on after.
    pub passed_over: usize,
    /// Names of packages that are known to be unknown: each is one mistake, however often it is named.
    pub unknown_packages: HashSet<BString>,
}

impl<'p> Parser<'p> {
    pub fn new(macros: &'p Macros, file: &str, reader: LineReader, pass: Pass) -> Self {
        let file: Arc<str> = file.into();
        let target = Target { arch: expand_text(macros, "%{_target_cpu}"), ..Target::default() };
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
            names_sources_backwards: names_sources_backwards(macros),
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
            build_system: BuildSystem::default(),
            is_at_end: false,
            build_root: None,
            defers_checks: false,
            mistakes: Mistakes::First,
            passed_over: 0,
            unknown_packages: HashSet::new(),
        }
    }

    /// Tells of something wrong, and ends.
    pub fn fail(&mut self, problem: impl Into<SpecProblem>) -> EarlyEnd {
        self.reader.fail(problem.into()).into()
    }

    /// Tells of something that is wrong, or not quite right, and goes on.
    pub fn report(&mut self, problem: impl Into<SpecProblem>) {
        self.reader.report(problem.into());
    }

    /// The same at another place than where the reader is.
    pub fn report_at(&mut self, problem: impl Into<SpecProblem>, place: &Place) {
        self.reader.report_at(problem.into(), Arc::clone(&place.file), place.line);
    }

    pub fn fail_with_dependency(&mut self, problems: Vec<DependencyProblem>, text: &BStr) -> EarlyEnd {
        for problem in problems {
            self.report(SpecProblem::Dependency { problem, text: text.into(), is_error: true });
        }
        EarlyEnd::Stopped
    }

    pub fn expand(&self, text: &str) -> BString {
        expand_text(self.macros, text)
    }

    pub fn package_name(&self, package: &SectionPackage) -> BString {
        let main = self.spec.main().map(|main| main.name.clone()).unwrap_or_default();
        match package {
            SectionPackage::Main => main,
            SectionPackage::Sub(name) => [main.as_slice(), b"-", name].concat().into(),
            SectionPackage::Named(name) => name.clone(),
        }
    }

    pub fn package(&mut self, index: usize) -> Option<&mut Package> {
        self.spec.packages.get_mut(index)
    }
}
