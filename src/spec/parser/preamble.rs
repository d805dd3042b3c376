//! Tags (rpm-spec(5), "PREAMBLE").

use bstr::{BStr, BString, ByteSlice};

use super::super::dialect::{OldForm, UNNUMBERED, accepts};
use super::super::limits::MOST_SOURCES;
use super::super::line_reader::Line;
use super::super::package::{DependencyKind, SourceFile};
use super::super::package_problem::PackageProblem;
use super::super::place::Place;
use super::super::problem::SpecProblem;
use super::super::tag::{Field, SpecTag};
use super::define::redefine;
use super::state::{EarlyEnd, Mistakes, Parser, Pass};
use crate::package::{Header, Tag, Value};

/// What names can hold besides letters and digits.
const IN_NAME: &[u8] = b"-._+%{}";

/// What versions can hold besides letters and digits.
const IN_VERSION: &[u8] = b"._+%{}~^";

/// Tags that every package must have.
pub(super) const REQUIRED: [(Tag, &str); 5] = [
    (Tag::NAME, "Name"),
    (Tag::VERSION, "Version"),
    (Tag::RELEASE, "Release"),
    (Tag::SUMMARY, "Summary"),
    (Tag::LICENSE, "License"),
];

/// A line of a preamble, taken apart.
pub(super) struct TagLine<'l> {
    /// The package that it is about.
    pub package: usize,
    pub field: Field,
    /// The line as it was written.
    pub text: &'l BStr,
    pub place: Place,
}

impl Parser<'_> {
    /// A line of a preamble.
    pub(super) fn read_tag_line(&mut self, package: usize, line: &Line) -> Result<(), EarlyEnd> {
        let text = line.text.trim_ascii();
        if text.is_empty() {
            return Ok(());
        }
        let field = Field::read_with(text, accepts(self.macros, OldForm::TextAfterEvents))
            .map_err(|problem| self.fail(SpecProblem::Tag { problem, text: BString::from(text) }))?;
        let line = TagLine { package, field, text: text.as_bstr(), place: line.place() };
        self.take_tag(&line)
    }

    fn take_tag(&mut self, line: &TagLine<'_>) -> Result<(), EarlyEnd> {
        let TagLine { package, field, text, place } = line;
        let (package, value) = (*package, field.value.clone());
        if self.pass == Pass::Part && is_decided_before_build(field.tag) {
            if field.tag == SpecTag::BuildPreReq {
                self.report(PackageProblem::Deprecated { tag: "buildprereq", text: BString::from(*text) });
            }
            return Err(self.fail(PackageProblem::LateTag { text: BString::from(*text) }));
        }
        if let Some((kind, events)) = dependency_kind(field.tag) {
            return self.take_dependencies(line, kind, events);
        }
        match field.tag {
            // They are set whatever is wrong with them: what names them is not wrong as well.
            SpecTag::Name => {
                self.set_text(package, Tag::NAME, "name", &value);
                self.check_name(&value, text)?;
                if let Some(package) = self.package(package).filter(|_| package > 0) {
                    package.name = value;
                }
            }
            SpecTag::Version => {
                self.set_text(package, Tag::VERSION, "version", &value);
                self.check_characters(&value, IN_VERSION, text)?;
            }
            SpecTag::Release => {
                self.set_text(package, Tag::RELEASE, "release", &value);
                self.check_characters(&value, IN_VERSION, text)?;
            }
            SpecTag::Epoch => {
                let digits = Some(&value).filter(|value| value.iter().all(u8::is_ascii_digit));
                let number = digits.and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
                let Some(number) = number else {
                    return Err(self.fail(PackageProblem::Epoch { text: BString::from(*text) }));
                };
                self.set(package, Tag::EPOCH, Value::Numbers(vec![number.into()]));
                self.define_tag(package, "epoch", &value);
            }
            SpecTag::Summary => {
                self.define_tag(package, "summary", &value);
                if self.set_localized(package, Tag::SUMMARY, field.qualifier.clone(), &value) {
                    self.report(PackageProblem::Second { tag: Tag::SUMMARY.to_string() });
                }
            }
            SpecTag::Group => {
                self.define_tag(package, "group", &value);
                self.set_localized(package, Tag::GROUP, field.qualifier.clone(), &value);
            }
            SpecTag::License => self.set_text(package, Tag::LICENSE, "license", &value),
            SpecTag::Url => self.set_text(package, Tag::URL, "url", &value),
            SpecTag::Vcs => self.set_text(package, Tag::VCS, "vcs", &value),
            SpecTag::BugUrl => self.set_text(package, Tag::BUG_URL, "bugurl", &value),
            SpecTag::DistTag => self.set_text(package, Tag::DIST_TAG, "disttag", &value),
            SpecTag::Distribution => self.set_text(package, Tag::DISTRIBUTION, "distribution", &value),
            SpecTag::ModularityLabel => {
                self.set_text(package, Tag::MODULARITY_LABEL, "modularitylabel", &value)
            }
            SpecTag::Packager => self.set_text(package, Tag::PACKAGER, "packager", &value),
            SpecTag::TranslationUrl => self.set_text(package, Tag::TRANSLATION_URL, "translationurl", &value),
            SpecTag::UpstreamReleases => {
                self.set_text(package, Tag::UPSTREAM_RELEASES, "upstreamreleases", &value);
            }
            SpecTag::Vendor => {
                if self.has(package, Tag::VENDOR) {
                    self.report(PackageProblem::Second { tag: Tag::VENDOR.to_string() });
                }
                self.set_text(package, Tag::VENDOR, "vendor", &value);
            }
            SpecTag::DistUrl => return Err(self.fail(PackageProblem::BogusTag { number: Tag::DIST_URL.0 })),
            SpecTag::SourceLicense => {
                self.define_tag(package, "sourcelicense", &value);
                self.spec.source_license = Some(value);
            }
            SpecTag::Source | SpecTag::Patch => {
                self.add_source(field.tag == SpecTag::Patch, field.number, &value, place.clone())?;
            }
            SpecTag::NoSource => self.leave_source_out(false, &value)?,
            SpecTag::NoPatch => self.leave_source_out(true, &value)?,
            SpecTag::BuildArch => self.take_build_arch(line)?,
            SpecTag::ExclusiveArch => extend_with_words(&mut self.spec.limits.exclusive_arch, &value),
            SpecTag::ExcludeArch => extend_with_words(&mut self.spec.limits.exclude_arch, &value),
            SpecTag::ExclusiveOs => extend_with_words(&mut self.spec.limits.exclusive_os, &value),
            SpecTag::ExcludeOs => extend_with_words(&mut self.spec.limits.exclude_os, &value),
            SpecTag::Prefixes => self.set_prefixes(package, &value, text)?,
            SpecTag::DocDir => redefine(self.macros, b"_docdir", &value),
            SpecTag::BuildRoot => {}
            SpecTag::Icon => self.read_icon(package, &value)?,
            SpecTag::AutoReq => self.set_generators(package, Some(is_yes(&value)), None),
            SpecTag::AutoProv => self.set_generators(package, None, Some(is_yes(&value))),
            SpecTag::AutoReqProv => self.set_generators(package, Some(is_yes(&value)), Some(is_yes(&value))),
            SpecTag::RemovePathPostfixes => {
                self.define_tag(package, "removepathpostfixes", &value);
                if let Some(package) = self.package(package) {
                    let postfixes = value.split_str(":").filter(|postfix| !postfix.is_empty());
                    package.removed_postfixes = postfixes.map(BString::from).collect();
                }
            }
            SpecTag::BuildSystem => self.set_build_system(&value)?,
            SpecTag::BuildOption => self.add_build_option(field.qualifier.clone(), value.as_bstr())?,
            // They were added before.
            SpecTag::BuildConflicts
            | SpecTag::BuildPreReq
            | SpecTag::BuildRequires
            | SpecTag::Conflicts
            | SpecTag::Enhances
            | SpecTag::Obsoletes
            | SpecTag::OrderWithRequires
            | SpecTag::PreReq
            | SpecTag::Provides
            | SpecTag::Recommends
            | SpecTag::Requires
            | SpecTag::Suggests
            | SpecTag::Supplements => {}
        }
        Ok(())
    }

    /// A tag that is a text.
    fn set_text(&mut self, package: usize, tag: Tag, name: &str, value: &BString) {
        self.define_tag(package, name, value);
        self.set(package, tag, Value::Text(value.clone()));
    }

    pub(super) fn has(&self, package: usize, tag: Tag) -> bool {
        self.spec.packages.get(package).is_some_and(|package| package.header.has(tag))
    }

    /// Sets a tag; where it was set before, that is told in the end, and the last value counts.
    fn set(&mut self, package: usize, tag: Tag, value: Value) {
        if self.has(package, tag) {
            self.duplicates.push((package, tag));
        }
        if let Some(package) = self.package(package) {
            package.header.set(tag, value);
        }
    }

    /// Sets a text of a language; gives whether there was one.
    pub(super) fn set_localized(
        &mut self,
        package: usize,
        tag: Tag,
        language: Option<BString>,
        text: &[u8],
    ) -> bool {
        let language = language.unwrap_or_else(|| "C".into());
        let Some(package) = self.package(package) else {
            return false;
        };
        let header = &mut package.header;
        set_localized(header, tag, &language, text)
    }

    fn set_generators(&mut self, package: usize, requires: Option<bool>, provides: Option<bool>) {
        if let Some(package) = self.package(package) {
            package.finds_requires = requires.unwrap_or(package.finds_requires);
            package.finds_provides = provides.unwrap_or(package.finds_provides);
        }
    }

    /// Declares a source or a patch.
    pub(super) fn add_source(
        &mut self,
        is_patch: bool,
        number: Option<u32>,
        reference: &[u8],
        place: Place,
    ) -> Result<(), EarlyEnd> {
        if self.sources.borrow().len() >= MOST_SOURCES {
            return Err(self.fail(PackageProblem::TooManySources { most: MOST_SOURCES }));
        }
        let is_numbered = !accepts(self.macros, OldForm::NoNumbering);
        let number = number.unwrap_or_else(|| {
            if !is_numbered {
                return if is_patch { UNNUMBERED } else { 0 };
            }
            let sources = self.sources.borrow();
            let last = sources.iter().rev().find(|source| source.is_patch == is_patch);
            last.map_or(0, |last| last.number.saturating_add(1))
        });
        let is_known = |source: &SourceFile| source.is_patch == is_patch && source.number == number;
        if self.sources.borrow().iter().any(is_known) {
            let kind = if is_patch { "patch" } else { "source" };
            return Err(self.fail(PackageProblem::SourceTwice { kind, number }));
        }
        let file_name = source_file_name(reference);
        self.define_source(is_patch, number, reference, &file_name);
        self.sources.borrow_mut().push(SourceFile {
            is_patch,
            number,
            reference: reference.into(),
            file_name,
            is_left_out: false,
            place,
        });
        Ok(())
    }

    fn leave_source_out(&mut self, is_patch: bool, value: &[u8]) -> Result<(), EarlyEnd> {
        let number = value.to_str().ok().and_then(|value| value.parse::<u32>().ok());
        let Some(number) = number else {
            return Err(self.fail(PackageProblem::BadNumber { text: BString::from(value) }));
        };
        let mut sources = self.sources.borrow_mut();
        let found = sources.iter_mut().find(|source| source.is_patch == is_patch && source.number == number);
        if let Some(source) = found {
            source.is_left_out = true;
            return Ok(());
        }
        drop(sources);
        let kind = if is_patch { "patch" } else { "source" };
        Err(self.fail(PackageProblem::NoSuchSource { kind, number }))
    }

    fn take_build_arch(&mut self, line: &TagLine<'_>) -> Result<(), EarlyEnd> {
        let TagLine { package, field, text, place } = line;
        let archs: Vec<BString> = words(&field.value).collect();
        let package = *package;
        if package > 0 {
            let arch = archs.into_iter().next().unwrap_or_default();
            if arch != "noarch" && arch != self.spec.target.arch {
                return Err(self.fail(PackageProblem::SubArchitecture { text: BString::from(*text) }));
            }
            self.set(package, Tag::ARCH, Value::Text(arch));
            return Ok(());
        }
        if !self.spec.build_archs.is_empty() {
            return Err(self.fail(PackageProblem::SecondBuildArch { text: BString::from(*text) }));
        }
        // Where something is wrong already, nothing is built for any of them.
        if self.pass == Pass::First && self.passed_over == 0 {
            return Err(EarlyEnd::Variants(archs, place.clone()));
        }
        self.spec.build_archs = archs;
        Ok(())
    }

    fn set_prefixes(&mut self, package: usize, value: &BString, text: &BStr) -> Result<(), EarlyEnd> {
        let prefixes: Vec<BString> = words(value).collect();
        if prefixes.iter().any(|prefix| prefix.len() > 1 && prefix.ends_with(b"/")) {
            return Err(self.fail(PackageProblem::Prefix { text: text.into() }));
        }
        let name = text.find_byteset(b": \t").and_then(|length| text.get(..length)).unwrap_or(b"prefixes");
        self.define_tag(package, &name.to_str_lossy(), value);
        if let Some(package) = self.package(package) {
            package.header.add_texts(Tag::PREFIXES, prefixes);
        }
        Ok(())
    }

    fn read_icon(&mut self, package: usize, value: &[u8]) -> Result<(), EarlyEnd> {
        let name = value.rsplit_str("/").next().unwrap_or(value);
        let folder = self.expand("%{_sourcedir}");
        let path = [folder.as_slice(), b"/", name].concat();
        let path = BString::from(path.strip_prefix(b"./").unwrap_or(&path));
        if !self.macros.may_look_at("Icon", &path) {
            return Err(EarlyEnd::Stopped);
        }
        let bytes = match self.macros.read_file(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let reason = crate::files::reason(&error);
                return Err(self.fail(PackageProblem::Icon { path, reason }));
            }
        };
        let tag = match bytes.as_slice() {
            gif if gif.starts_with(b"GIF") => Tag::GIF,
            xpm if xpm.starts_with(b"/* XPM") => Tag::XPM,
            _ => return Err(self.fail(PackageProblem::IconType { path })),
        };
        self.set(package, tag, Value::Bytes(bytes));
        Ok(())
    }

    /// What the main preamble must have said before anything else is said.
    pub(super) fn end_preamble(&mut self) -> Result<(), EarlyEnd> {
        let name = self.spec.main().and_then(|main| main.header.text(Tag::NAME)).map(BString::from);
        let package = name.clone().unwrap_or_else(|| "(null)".into());
        let missing: Vec<&'static str> =
            REQUIRED.iter().take(3).filter(|(tag, _)| !self.has(0, *tag)).map(|(_, name)| *name).collect();
        // One that could not be read is not missing.
        for tag in missing.iter().filter(|_| self.passed_over == 0).copied().collect::<Vec<_>>() {
            self.report(PackageProblem::MissingBeforeBuild { tag, package: package.clone() });
        }
        if !missing.is_empty() && self.mistakes == Mistakes::First {
            return Err(EarlyEnd::Stopped);
        }
        if let Some(main) = self.spec.packages.first_mut() {
            main.name.clone_from(&package);
        }
        self.by_name.insert(package, 0);
        self.set_folders();
        if missing.is_empty() { Ok(()) } else { Err(EarlyEnd::Stopped) }
    }

    /// Whether a text can be the name of a package.
    pub(super) fn check_name(&mut self, name: &[u8], text: &BStr) -> Result<(), EarlyEnd> {
        let first = name.first().copied().unwrap_or_default();
        let is_usual = first.is_ascii_alphanumeric() || matches!(first, b'_' | b'%' | b'{');
        if !is_usual && !accepts(self.macros, OldForm::NameStart) {
            let (shown, byte) = shown_byte(first);
            return Err(self.fail(PackageProblem::IllegalStart { shown, byte, text: text.into() }));
        }
        self.check_characters(name, IN_NAME, text)
    }

    fn check_characters(&mut self, value: &[u8], allowed: &[u8], text: &BStr) -> Result<(), EarlyEnd> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || allowed.contains(&byte);
        if let Some(byte) = value.iter().copied().find(|byte| !is_allowed(*byte)) {
            return Err(self.report_illegal_character(byte, text));
        }
        if value.contains_str("..") {
            return Err(self.fail(PackageProblem::IllegalSequence { text: text.into() }));
        }
        if value.contains(&b'%') {
            self.report(PackageProblem::Unexpanded { text: text.into() });
        }
        Ok(())
    }

    fn report_illegal_character(&mut self, byte: u8, text: &BStr) -> EarlyEnd {
        let (shown, byte) = shown_byte(byte);
        self.fail(PackageProblem::IllegalCharacter { shown, byte, text: text.into() })
    }
}

/// A byte as rpm shows it: the character, and a C `char` that may be negative.
fn shown_byte(byte: u8) -> (char, u32) {
    let shown = if byte.is_ascii_graphic() { char::from(byte) } else { '?' };
    (shown, i32::from(byte.cast_signed()).cast_unsigned())
}

/// The dependency that a tag declares, with the events that it means of itself.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other tags are no dependencies")]
fn dependency_kind(tag: SpecTag) -> Option<(DependencyKind, u32)> {
    Some(match tag {
        SpecTag::Requires => (DependencyKind::Requires, 0),
        // `RPMSENSE_PREREQ`, pre and preun, as rpm takes it.
        SpecTag::PreReq => (DependencyKind::Requires, 2560),
        SpecTag::Provides => (DependencyKind::Provides, 0),
        SpecTag::Conflicts => (DependencyKind::Conflicts, 0),
        SpecTag::Obsoletes => (DependencyKind::Obsoletes, 0),
        SpecTag::Recommends => (DependencyKind::Recommends, 0),
        SpecTag::Suggests => (DependencyKind::Suggests, 0),
        SpecTag::Supplements => (DependencyKind::Supplements, 0),
        SpecTag::Enhances => (DependencyKind::Enhances, 0),
        SpecTag::OrderWithRequires => (DependencyKind::OrderWithRequires, 0),
        SpecTag::BuildRequires | SpecTag::BuildPreReq => (DependencyKind::BuildRequires, 0),
        SpecTag::BuildConflicts => (DependencyKind::BuildConflicts, 0),
        _ => return None,
    })
}

/// Whether a tag decides something that is decided before a build.
fn is_decided_before_build(tag: SpecTag) -> bool {
    matches!(
        tag,
        SpecTag::BuildConflicts
            | SpecTag::BuildOption
            | SpecTag::BuildPreReq
            | SpecTag::BuildRequires
            | SpecTag::BuildRoot
            | SpecTag::BuildSystem
            | SpecTag::ExcludeArch
            | SpecTag::ExcludeOs
            | SpecTag::ExclusiveArch
            | SpecTag::ExclusiveOs
            | SpecTag::NoPatch
            | SpecTag::NoSource
            | SpecTag::Patch
            | SpecTag::Source
    )
}

/// Sets a text of a language in a header; gives whether there was one.
fn set_localized(header: &mut Header, tag: Tag, language: &BString, text: &[u8]) -> bool {
    if !header.has(Tag::I18N_TABLE) {
        header.set(Tag::I18N_TABLE, Value::Texts(vec!["C".into()]));
    }
    let table = header.texts(Tag::I18N_TABLE);
    let index = match table.iter().position(|known| known == language) {
        Some(index) => index,
        None => {
            let index = table.len();
            header.add_texts(Tag::I18N_TABLE, [language.clone()]);
            index
        }
    };
    let mut texts = header.texts(tag).to_vec();
    let was_set = texts.get(index).is_some_and(|old| !old.is_empty());
    if texts.len() <= index {
        texts.resize(index + 1, BString::default());
    }
    if let Some(slot) = texts.get_mut(index) {
        *slot = text.into();
    }
    header.set(tag, Value::Localized(texts));
    was_set
}

/// The name that a file has among the sources: what stands after the last slash, and there after the last `=`, for the
/// sake of `http://host/get?file=name`.
pub(super) fn source_file_name(reference: &[u8]) -> BString {
    match reference.rsplit_once_str("/") {
        Some((_, name)) => name.rsplit_str("=").next().unwrap_or(name).into(),
        None => reference.into(),
    }
}

fn extend_with_words(list: &mut Vec<BString>, value: &[u8]) {
    list.extend(words(value));
}

/// Words between blanks.
fn words(value: &[u8]) -> impl Iterator<Item = BString> + '_ {
    let words = value.split(u8::is_ascii_whitespace);
    words.filter(|word| !word.is_empty()).map(BString::from)
}

/// Whether a value means yes: `1`, `yes`, `true`, `on`.
fn is_yes(value: &[u8]) -> bool {
    match value.to_ascii_lowercase().as_slice() {
        b"yes" | b"true" | b"on" => true,
        digits => digits.first().is_some_and(|first| first.is_ascii_digit() && *first != b'0'),
    }
}
