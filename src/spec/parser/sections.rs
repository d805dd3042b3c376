//! Sections that belong to packages, and the texts among them.

use bstr::{BString, ByteSlice};

use super::super::changelog::{Trim, read_changelog};
use super::super::header::{Belongs, Header};
use super::super::package::{FileLine, FileList, Package};
use super::super::package_problem::PackageProblem;
use super::super::problem::Problem;
use super::super::reader::Line;
use super::super::section::SectionKind;
use super::{Ended, Open, Parser, Pass, place};
use crate::package::Tag;

impl Parser<'_> {
    /// Begins a section.
    pub(super) fn open(&mut self, kind: SectionKind, line: Line) -> Result<Open, Ended> {
        let mut open = Open { kind, line: None, header: None, package: 0, text: Vec::new() };
        let arguments = SectionKind::begun_by(&line.text).map_or(b"".as_slice(), |(_, rest)| rest).to_vec();
        let text = BString::from(line.text.trim_ascii_end());
        let is_of_build =
            kind.is_build_script() || matches!(kind, SectionKind::SourceList | SectionKind::PatchList);
        if self.pass == Pass::Part && is_of_build {
            return Err(self.wrong(PackageProblem::LateSection { section: kind.word() }));
        }
        match kind {
            SectionKind::Package => open.package = self.new_package(&arguments, &line)?,
            SectionKind::End | SectionKind::SourceList | SectionKind::PatchList | SectionKind::Preamble => {}
            SectionKind::Changelog => {
                if !self.spec.changes.is_empty() {
                    return Err(self.wrong(PackageProblem::SecondChangelog));
                }
            }
            kind if kind.is_build_script() => self.open_build_script(kind, &arguments, &line)?,
            kind => {
                let header = if kind.is_trigger() {
                    self.trigger_header(kind, &arguments, text.as_bstr())?
                } else {
                    Header::read(kind, &arguments, &text).map_err(|problem| self.wrong(problem))?
                };
                let name = self.package_name(&header.belongs);
                let found = self.by_name.get(&name).copied();
                open.package = match found {
                    Some(package) => package,
                    None => {
                        return Err(self.wrong(PackageProblem::UnknownPackage { line: text, package: name }));
                    }
                };
                self.open_text(kind, &header, open.package)?;
                open.header = Some(header);
            }
        }
        open.line = Some(line);
        Ok(open)
    }

    fn new_package(&mut self, arguments: &[u8], line: &Line) -> Result<usize, Ended> {
        let text = BString::from(line.text.trim_ascii_end());
        let header =
            Header::read(SectionKind::Package, arguments, &text).map_err(|problem| self.wrong(problem))?;
        if let Belongs::Sub(name) | Belongs::Named(name) = &header.belongs {
            self.check_name(name, text.as_bstr())?;
        }
        let name = self.package_name(&header.belongs);
        if self.by_name.contains_key(&name) {
            return Err(self.wrong(PackageProblem::PackageExists { line: text, package: name }));
        }
        let index = self.spec.packages.len();
        let mut package = Package::new(name.clone(), place(line));
        package.header.set_text(Tag::NAME, name.clone());
        self.spec.packages.push(package);
        self.by_name.insert(name, index);
        Ok(index)
    }

    fn open_text(&mut self, kind: SectionKind, header: &Header, package: usize) -> Result<(), Ended> {
        match kind {
            SectionKind::Files => {
                // Among files it is an attribute, whatever the tag has defined.
                super::macros::literal(self.macros, b"license", b"%license");
                let Some(known) = self.package(package) else {
                    return Ok(());
                };
                let (is_second, name) = (known.files.is_some(), known.name.clone());
                known.files.get_or_insert_with(FileList::default).lists.extend(header.files.iter().cloned());
                if is_second {
                    self.tell(PackageProblem::SecondFiles { package: name });
                }
            }
            SectionKind::Description | SectionKind::Sepolicy => {}
            kind => self.check_script(kind, header, package)?,
        }
        Ok(())
    }

    /// Ends a section: what its lines say.
    pub(super) fn close(&mut self, open: Open) -> Result<(), Ended> {
        let Open { kind, line, header, package, text } = open;
        match kind {
            SectionKind::Preamble if self.pass == Pass::Part => {}
            SectionKind::Preamble => self.end_preamble()?,
            SectionKind::Package | SectionKind::End => {}
            SectionKind::SourceList | SectionKind::PatchList => {
                for line in &text {
                    let reference = line.text.trim_ascii();
                    if !reference.is_empty() {
                        self.add_source(kind == SectionKind::PatchList, None, reference, place(line))?;
                    }
                }
            }
            SectionKind::Changelog => self.changelog(&text),
            SectionKind::Files => {
                self.macros.pop(b"license");
                let lines = text.iter().filter(|line| !line.text.trim_ascii().is_empty());
                let lines =
                    lines.map(|line| FileLine { text: line.text.trim_ascii().into(), place: place(line) });
                if let Some(files) = self.package(package).and_then(|package| package.files.as_mut()) {
                    files.lines.extend(lines);
                }
            }
            SectionKind::Sepolicy => {
                let lines = text.iter().filter(|line| !line.text.trim_ascii().is_empty());
                let lines =
                    lines.map(|line| FileLine { text: line.text.trim_ascii().into(), place: place(line) });
                if let Some(package) = self.package(package) {
                    package.policies.extend(lines);
                }
            }
            SectionKind::Description => {
                self.description(header.and_then(|header| header.language), package, &text)
            }
            kind if kind.is_build_script() => self.close_build_script(kind, &joined(&text)),
            kind => {
                if let (Some(header), Some(line)) = (header, line) {
                    self.scriptlet(kind, &header, package, &line, &joined(&text))?;
                }
            }
        }
        Ok(())
    }

    fn description(&mut self, language: Option<BString>, package: usize, lines: &[Line]) {
        let text = joined(lines);
        let text = text.trim_ascii_end();
        if self.set_localized(package, Tag::DESCRIPTION, language, text) {
            self.tell(PackageProblem::SecondDescription);
        }
    }

    fn changelog(&mut self, lines: &[Line]) {
        let (age, time) = (self.number("_changelog_trimage"), self.number("_changelog_trimtime"));
        let (changes, problems) = read_changelog(&joined(lines), Trim { age, time });
        for problem in problems {
            let begins = |line: &&Line| {
                let text = line.text.strip_prefix(b"*").map(<[u8]>::trim_ascii);
                text.is_some_and(|text| problem.entry().is_some_and(|entry| entry.trim_ascii() == text))
            };
            match lines.iter().find(begins).map(place) {
                Some(place) => self.tell_at(Problem::Changelog(problem), &place),
                None => self.tell(Problem::Changelog(problem)),
            }
        }
        self.spec.changes = changes;
    }
}

/// Lines as one text.
pub(super) fn joined(lines: &[Line]) -> Vec<u8> {
    let mut text = Vec::with_capacity(lines.iter().map(|line| line.text.len()).sum());
    lines.iter().for_each(|line| text.extend_from_slice(&line.text));
    text
}
