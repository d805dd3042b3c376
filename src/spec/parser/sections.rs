//! Sections that belong to packages, and the texts among them.

use bstr::{BString, ByteSlice};

use super::super::changelog::{Trim, read_changelog};
use super::super::line_reader::Line;
use super::super::package::{FileLine, FileList, Package};
use super::super::package_problem::PackageProblem;
use super::super::problem::SpecProblem;
use super::super::section::SectionKind;
use super::super::section_header::{SectionHeader, SectionPackage};
use super::define::define_literal;
use super::scripts::ScriptSection;
use super::state::{EarlyEnd, Mistakes, OpenSection, Parser, Pass};
use crate::package::Tag;

impl Parser<'_> {
    /// Begins a section.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the kind of section says itself whether it is a script of the build"
    )]
    pub(super) fn open_section(&mut self, kind: SectionKind, line: Line) -> Result<OpenSection, EarlyEnd> {
        let mut open = OpenSection::new(kind);
        let arguments = SectionKind::from_line(&line.text).map_or(b"".as_slice(), |(_, rest)| rest).to_vec();
        let text = BString::from(line.text.trim_ascii_end());
        let is_decided_before_build =
            kind.is_build_script() || matches!(kind, SectionKind::SourceList | SectionKind::PatchList);
        if self.pass == Pass::Part && is_decided_before_build {
            return Err(self.fail(PackageProblem::LateSection { section: kind.word() }));
        }
        match kind {
            SectionKind::Package => open.package = self.add_package(&arguments, &line)?,
            SectionKind::End | SectionKind::SourceList | SectionKind::PatchList | SectionKind::Preamble => {}
            SectionKind::Changelog => {
                if !self.spec.changes.is_empty() {
                    return Err(self.fail(PackageProblem::SecondChangelog));
                }
            }
            kind if kind.is_build_script() => self.open_build_script(kind, &arguments, &line)?,
            kind => {
                let header = if kind.is_trigger() {
                    self.read_trigger_header(kind, &arguments, text.as_bstr())?
                } else {
                    SectionHeader::read(kind, &arguments, &text).map_err(|problem| self.fail(problem))?
                };
                let name = self.package_name(&header.package);
                let found = self.by_name.get(&name).copied();
                open.package = match found {
                    Some(package) => package,
                    None if self.mistakes == Mistakes::All && !self.unknown_packages.insert(name.clone()) => {
                        return Ok(OpenSection::skipped(kind));
                    }
                    None => {
                        return Err(self.fail(PackageProblem::UnknownPackage { line: text, package: name }));
                    }
                };
                self.begin_package_section(kind, &header, open.package)?;
                open.header = Some(header);
            }
        }
        open.line = Some(line);
        Ok(open)
    }

    fn add_package(&mut self, arguments: &[u8], line: &Line) -> Result<usize, EarlyEnd> {
        let text = BString::from(line.text.trim_ascii_end());
        let header = SectionHeader::read(SectionKind::Package, arguments, &text)
            .map_err(|problem| self.fail(problem))?;
        let name = self.package_name(&header.package);
        if let SectionPackage::Sub(said) | SectionPackage::Named(said) = &header.package
            && let Err(end) = self.check_name(said, text.as_bstr())
        {
            self.unknown_packages.insert(name);
            return Err(end);
        }
        if self.by_name.contains_key(&name) {
            return Err(self.fail(PackageProblem::PackageExists { line: text, package: name }));
        }
        let index = self.spec.packages.len();
        let mut package = Package::new(name.clone(), line.place());
        package.header.set_text(Tag::NAME, name.clone());
        self.spec.packages.push(package);
        self.by_name.insert(name, index);
        Ok(index)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are scripts of packages")]
    fn begin_package_section(
        &mut self,
        kind: SectionKind,
        header: &SectionHeader,
        package: usize,
    ) -> Result<(), EarlyEnd> {
        match kind {
            SectionKind::Files => {
                // Among files it is an attribute, whatever the tag has defined.
                define_literal(self.macros, b"license", b"%license");
                let Some(known) = self.package(package) else {
                    return Ok(());
                };
                let (is_second, name) = (known.files.is_some(), known.name.clone());
                known.files.get_or_insert_with(FileList::default).lists.extend(header.files.iter().cloned());
                if is_second {
                    self.report(PackageProblem::SecondFiles { package: name });
                }
            }
            SectionKind::Description | SectionKind::Sepolicy => {}
            kind => self.check_script(kind, header, package)?,
        }
        Ok(())
    }

    /// Ends a section: what its lines say.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the kind of section says itself whether it is a script of the build"
    )]
    pub(super) fn close_section(&mut self, open: OpenSection) -> Result<(), EarlyEnd> {
        let OpenSection { kind, line, header, package, text, is_skipped } = open;
        if is_skipped {
            return Ok(());
        }
        match kind {
            SectionKind::Preamble if self.pass == Pass::Part => {}
            SectionKind::Preamble => self.end_preamble()?,
            SectionKind::Package | SectionKind::End => {}
            SectionKind::SourceList | SectionKind::PatchList => {
                for line in &text {
                    let reference = line.text.trim_ascii();
                    if !reference.is_empty() {
                        let is_patch = kind == SectionKind::PatchList;
                        let added = self.add_source(is_patch, None, reference, line.place());
                        self.pass_over(added)?;
                    }
                }
            }
            SectionKind::Changelog => self.set_changes(&text),
            SectionKind::Files => {
                self.macros.pop(b"license");
                let lines = text.iter().filter(|line| !line.text.trim_ascii().is_empty());
                let lines =
                    lines.map(|line| FileLine { text: line.text.trim_ascii().into(), place: line.place() });
                if let Some(files) = self.package(package).and_then(|package| package.files.as_mut()) {
                    files.lines.extend(lines);
                }
            }
            SectionKind::Sepolicy => {
                let lines = text.iter().filter(|line| !line.text.trim_ascii().is_empty());
                let lines =
                    lines.map(|line| FileLine { text: line.text.trim_ascii().into(), place: line.place() });
                if let Some(package) = self.package(package) {
                    package.policies.extend(lines);
                }
            }
            SectionKind::Description => {
                self.set_description(header.and_then(|header| header.language), package, &text)
            }
            kind if kind.is_build_script() => self.close_build_script(kind, &join_lines(&text)),
            kind => {
                if let (Some(header), Some(line)) = (header, line) {
                    let section = ScriptSection { kind, header: &header, package, place: line.place() };
                    self.add_scriptlet(&section, &join_lines(&text))?;
                }
            }
        }
        Ok(())
    }

    fn set_description(&mut self, language: Option<BString>, package: usize, lines: &[Line]) {
        let text = join_lines(lines);
        let text = text.trim_ascii_end();
        if self.set_localized(package, Tag::DESCRIPTION, language, text) {
            self.report(PackageProblem::SecondDescription);
        }
    }

    fn set_changes(&mut self, lines: &[Line]) {
        let (age, time) = (self.number("_changelog_trimage"), self.number("_changelog_trimtime"));
        let (changes, problems) = read_changelog(&join_lines(lines), Trim { age, time });
        for problem in problems {
            let begins = |line: &&Line| {
                let text = line.text.strip_prefix(b"*").map(<[u8]>::trim_ascii);
                text.is_some_and(|text| problem.entry().is_some_and(|entry| entry.trim_ascii() == text))
            };
            match lines.iter().find(begins).map(Line::place) {
                Some(place) => self.report_at(SpecProblem::Changelog(problem), &place),
                None => self.report(SpecProblem::Changelog(problem)),
            }
        }
        self.spec.changes = changes;
    }
}

/// Lines as one text.
pub(super) fn join_lines(lines: &[Line]) -> Vec<u8> {
    let mut text = Vec::with_capacity(lines.iter().map(|line| line.text.len()).sum());
    lines.iter().for_each(|line| text.extend_from_slice(&line.text));
    text
}
