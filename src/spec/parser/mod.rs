//! Spec text → [`Spec`].

mod build_system;
mod define;
mod dependencies;
mod finish;
mod macros;
mod pieces;
mod preamble;
mod prep;
mod scripts;
mod sections;
mod state;

use std::rc::Rc;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use self::define::{expand_text, push};
pub use self::state::Mistakes;
use self::state::{EarlyEnd, OpenSection, Parser, Pass};
use super::dialect;
use super::limits::MOST_MISTAKES;
use super::line_reader::{Line, LineReader, Report, ReportListener};
use super::package::{Package, Spec};
use super::package_problem::PackageProblem;
use super::place::Place;
use super::section::{self, Reading, SectionKind};
use crate::macros::{Macros, Stop};

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
    /// How many of its mistakes are reported.
    pub mistakes: Mistakes,
    /// Receives what is wrong.
    pub listener: ReportListener,
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
    let Parsing { file, text, can_build, build_root, mistakes, listener } = parsing;
    if let Err(problem) = dialect::choose_dialect(macros) {
        LineReader::new(macros.clone(), file, Vec::new()).with_listener(listener).report(problem.into());
        return Err(Stop);
    }
    let text: Rc<[u8]> = text.into();
    let run = |pass| {
        let reader = LineReader::new(macros.clone(), file, text.to_vec()).with_listener(Rc::clone(&listener));
        Parser { build_root, defers_checks, mistakes, ..Parser::new(macros, file, reader, pass) }.run()
    };
    match run(Pass::First) {
        Ok(spec) => Ok(with_target(macros, spec)),
        Err(EarlyEnd::Stopped) => Err(Stop),
        Err(EarlyEnd::Variants(archs, place)) => {
            let mut variants = Vec::new();
            for arch in archs.iter().filter(|arch| can_build(arch.as_bstr())) {
                push(macros, b"_target_cpu", arch);
                let spec = run(Pass::Variant);
                macros.pop(b"_target_cpu");
                variants.push(with_target(macros, spec.map_err(|_| Stop)?));
            }
            if variants.is_empty() {
                let mut reader = LineReader::new(macros.clone(), file, Vec::new()).with_listener(listener);
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
    let reader = LineReader::new(macros.clone(), parsing.file, parsing.text).with_listener(parsing.listener);
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
fn with_target(macros: &Macros, mut spec: Spec) -> Spec {
    spec.target.build_arch = expand_text(macros, "%{_build_cpu}");
    spec.target.os = expand_text(macros, "%{_target_os}");
    spec.target.platform = expand_text(macros, "%{_target_platform}");
    spec.target.compiler_flags = expand_text(macros, "%{?optflags}");
    spec
}

impl Parser<'_> {
    fn run(mut self) -> Result<Spec, EarlyEnd> {
        self.begin_macros();
        let read = self.read();
        let finished = match read {
            // What packages lack may only be missing because of what was wrong.
            Ok(()) if self.passed_over > 0 => {
                self.report_wrong_file_lines();
                Err(EarlyEnd::Stopped)
            }
            Ok(()) => self.finish(),
            Err(end) => Err(end),
        };
        self.end_macros();
        finished.map(|()| self.spec)
    }

    /// Reads all sections.
    fn read(&mut self) -> Result<(), EarlyEnd> {
        if self.pass != Pass::Part {
            let place = Place { file: Arc::clone(&self.spec.file), line: 1 };
            self.spec.packages.push(Package::new(BString::default(), place));
        }
        let mut open = OpenSection::new(SectionKind::Preamble);
        let mut reading = Reading::Text;
        loop {
            let Some(line) = self.next_line(reading)? else {
                self.is_at_end = true;
                let closed = self.close_section(open);
                self.pass_over(closed)?;
                let Some(added) = self.write_build_system_scripts()?.filter(|_| self.passed_over == 0) else {
                    return Ok(());
                };
                self.is_at_end = false;
                self.reader.insert("buildsystem", added);
                open = OpenSection::new(SectionKind::End);
                reading = Reading::Text;
                continue;
            };
            if let Some((kind, next, _)) = section::read_section_line(&line.text) {
                let closed = self.close_section(open);
                self.pass_over(closed)?;
                reading = next;
                let opened = self.open_section(kind, line);
                open = self.pass_over(opened)?.unwrap_or_else(|| OpenSection::skipped(kind));
                continue;
            }
            let taken = self.take_line(&mut open, line);
            self.pass_over(taken)?;
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "all other sections keep their lines as they are")]
    fn take_line(&mut self, open: &mut OpenSection, line: Line) -> Result<(), EarlyEnd> {
        match open.kind {
            _ if open.is_skipped => {}
            SectionKind::Preamble | SectionKind::Package => self.read_tag_line(open.package, &line)?,
            SectionKind::End if line.text.trim_ascii().is_empty() => {}
            SectionKind::End => {
                open.is_skipped = true;
                let text = line.text.trim_ascii_end().into();
                return Err(self.fail(PackageProblem::Outside { number: line.number, text }));
            }
            SectionKind::Prep => {
                let line = self.read_prep_line(line)?;
                open.text.push(line);
            }
            _ => open.text.push(line),
        }
        Ok(())
    }

    /// Goes on after a mistake, which has been reported, where all of them are.
    pub(super) fn pass_over<T>(&mut self, outcome: Result<T, EarlyEnd>) -> Result<Option<T>, EarlyEnd> {
        match outcome {
            Err(EarlyEnd::Stopped) if self.mistakes == Mistakes::All => {
                self.passed_over += 1;
                if self.passed_over >= MOST_MISTAKES {
                    return Err(EarlyEnd::Stopped);
                }
                Ok(None)
            }
            outcome => outcome.map(Some),
        }
    }

    fn report_wrong_file_lines(&mut self) {
        for Report { problem, file, line } in self.spec.wrong_file_lines() {
            self.reader.report_at(problem, file, line);
        }
    }

    /// The next line, kept as part of the text.
    fn next_line(&mut self, reading: Reading) -> Result<Option<Line>, Stop> {
        let line = self.reader.next(reading)?;
        if let Some(line) = &line {
            self.spec.text.extend_from_slice(&line.text);
        }
        Ok(line)
    }
}
