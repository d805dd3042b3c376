//! A spec as programs read it.

use bstr::ByteSlice;
use serde::Serialize;

use crate::engine::SpecReading;
use crate::package::{Header, Tag};
use crate::spec::{Declared, DependencyKind, Finding, Package, Place, Scriptlet, SourceFile, Spec};

/// A spec that was read, or why it could not be.
#[derive(Debug, Serialize)]
pub struct SpecDocument {
    /// The file.
    pub file: String,
    /// What it says; nothing where it can't be used.
    pub spec: Option<SpecContents>,
    /// What is wrong with it, or may not be meant.
    pub findings: Vec<Finding>,
}

/// What a spec says.
#[derive(Debug, Serialize)]
pub struct SpecContents {
    /// The source package's name.
    pub name: String,
    /// `[epoch:]version-release`
    pub evr: String,
    /// The architecture that it was read for.
    pub target: String,
    /// `BuildArch`
    pub build_archs: Vec<String>,
    /// Where it can be built: `ExclusiveArch`, `ExcludeArch`, `ExclusiveOS`, `ExcludeOS`.
    pub exclusive_arch: Vec<String>,
    /// Where it can't.
    pub exclude_arch: Vec<String>,
    /// On which systems it can be built.
    pub exclusive_os: Vec<String>,
    /// On which it can't.
    pub exclude_os: Vec<String>,
    /// The licence of the source package.
    pub license: String,
    /// Its sources.
    pub sources: Vec<SourceLine>,
    /// Its patches.
    pub patches: Vec<SourceLine>,
    /// `BuildRequires`
    pub build_requires: Vec<DependencyLine>,
    /// `BuildConflicts`
    pub build_conflicts: Vec<DependencyLine>,
    /// The scripts of the build.
    pub scripts: Vec<ScriptLine>,
    /// The packages, the main one first.
    pub packages: Vec<PackageContents>,
    /// The changes, the newest first.
    pub changes: Vec<ChangeLine>,
}

/// A source or a patch.
#[derive(Debug, Serialize)]
pub struct SourceLine {
    /// Its number.
    pub number: u32,
    /// What the spec says, often a URL.
    pub reference: String,
    /// The name that it has among the sources.
    pub file_name: String,
    /// Whether it stays out of the source package.
    pub is_left_out: bool,
    /// Where it stands.
    #[serde(flatten)]
    pub place: FileAndLine,
}

/// A line of a file.
#[derive(Debug, Serialize)]
pub struct FileAndLine {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

/// A dependency.
#[derive(Debug, Serialize)]
pub struct DependencyLine {
    /// The tag: `Requires`.
    pub tag: &'static str,
    /// `name >= 1.0`
    pub dependency: String,
    /// When it counts, in rpm's bits.
    pub events: u32,
    /// Where it stands.
    #[serde(flatten)]
    pub place: FileAndLine,
}

/// A script.
#[derive(Debug, Serialize)]
pub struct ScriptLine {
    /// Its section, without `%`.
    pub kind: &'static str,
    /// The program that runs it, with its options.
    pub program: Vec<String>,
    /// What fires it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// The script.
    pub body: String,
    /// Where it begins.
    #[serde(flatten)]
    pub place: FileAndLine,
}

/// A package.
#[derive(Debug, Serialize)]
pub struct PackageContents {
    /// Its name.
    pub name: String,
    /// `[epoch:]version-release`
    pub evr: String,
    /// Its architecture.
    pub arch: String,
    /// Whether a package is built of it: it has `%files`.
    pub is_built: bool,
    /// Its summary.
    pub summary: String,
    /// Its description.
    pub description: String,
    /// Its licence.
    pub license: String,
    /// Its web page.
    pub url: Option<String>,
    /// What it depends on, and what it provides beyond its own name.
    pub dependencies: Vec<DependencyLine>,
    /// Its scripts.
    pub scripts: Vec<ScriptLine>,
    /// The lists of files that `%files -f` names.
    pub file_lists: Vec<String>,
    /// The lines of `%files`.
    pub files: Vec<String>,
    /// Where it begins.
    #[serde(flatten)]
    pub place: FileAndLine,
}

/// A change.
#[derive(Debug, Serialize)]
pub struct ChangeLine {
    /// When, in seconds since 1970.
    pub time: i64,
    /// Who.
    pub name: String,
    /// What.
    pub text: String,
}

impl SpecDocument {
    /// What a reading came to.
    pub fn new(file: &str, reading: &SpecReading) -> Self {
        Self {
            file: file.to_owned(),
            spec: reading.spec.as_ref().map(SpecContents::from),
            findings: reading.findings.clone(),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    bytes.to_str_lossy().into_owned()
}

fn texts<T: AsRef<[u8]>>(all: &[T]) -> Vec<String> {
    all.iter().map(|bytes| text(bytes.as_ref())).collect()
}

fn tag(header: &Header, tag: Tag) -> Option<String> {
    header.text(tag).map(|value| text(value))
}

impl From<&Place> for FileAndLine {
    fn from(place: &Place) -> Self {
        Self { file: place.file.to_string(), line: place.line }
    }
}

impl From<&Spec> for SpecContents {
    fn from(spec: &Spec) -> Self {
        let source = spec.source_header();
        let limits = &spec.limits;
        let of = |is_patch: bool| {
            let files = spec.sources.iter().filter(move |source| source.is_patch == is_patch);
            files.map(SourceLine::from).collect()
        };
        Self {
            name: tag(&source, Tag::NAME).unwrap_or_default(),
            evr: text(&source.evr()),
            target: text(&spec.target.arch),
            build_archs: texts(&spec.build_archs),
            exclusive_arch: texts(&limits.exclusive_arch),
            exclude_arch: texts(&limits.exclude_arch),
            exclusive_os: texts(&limits.exclusive_os),
            exclude_os: texts(&limits.exclude_os),
            license: tag(&source, Tag::LICENSE).unwrap_or_default(),
            sources: of(false),
            patches: of(true),
            build_requires: lines(&spec.build_dependencies, DependencyKind::BuildRequires),
            build_conflicts: lines(&spec.build_dependencies, DependencyKind::BuildConflicts),
            scripts: spec.scripts.iter().map(build_script).collect(),
            packages: spec.packages.iter().map(|package| contents(spec, package)).collect(),
            changes: spec
                .changes
                .iter()
                .map(|change| ChangeLine {
                    time: change.time,
                    name: text(&change.name),
                    text: text(&change.text),
                })
                .collect(),
        }
    }
}

impl From<&SourceFile> for SourceLine {
    fn from(source: &SourceFile) -> Self {
        Self {
            number: source.number,
            reference: text(&source.reference),
            file_name: text(&source.file_name),
            is_left_out: source.is_left_out,
            place: (&source.place).into(),
        }
    }
}

fn lines(declared: &[Declared], kind: DependencyKind) -> Vec<DependencyLine> {
    let of_kind = declared.iter().filter(|declared| declared.kind == kind);
    let line = |declared: &Declared| DependencyLine {
        tag: declared.kind.tag(),
        dependency: declared.dependency.to_string(),
        events: declared.events,
        place: (&declared.place).into(),
    };
    of_kind.map(line).collect()
}

fn build_script(script: &crate::spec::BuildScript) -> ScriptLine {
    ScriptLine {
        kind: script.kind.word(),
        program: Vec::new(),
        conditions: Vec::new(),
        body: text(&script.body),
        place: (&script.place).into(),
    }
}

fn script(script: &Scriptlet) -> ScriptLine {
    ScriptLine {
        kind: script.kind.word(),
        program: texts(&script.program),
        conditions: script.conditions.iter().map(ToString::to_string).collect(),
        body: text(&script.body),
        place: (&script.place).into(),
    }
}

fn contents(spec: &Spec, package: &Package) -> PackageContents {
    let header = spec.binary_header(package);
    let files = package.files.as_ref();
    PackageContents {
        name: text(&package.name),
        evr: text(&header.evr()),
        arch: tag(&header, Tag::ARCH).unwrap_or_default(),
        is_built: package.is_built(),
        summary: tag(&header, Tag::SUMMARY).unwrap_or_default(),
        description: tag(&header, Tag::DESCRIPTION).unwrap_or_default(),
        license: tag(&header, Tag::LICENSE).unwrap_or_default(),
        url: tag(&header, Tag::URL),
        dependencies: DependencyKind::ALL
            .iter()
            .flat_map(|kind| lines(&package.dependencies, *kind))
            .collect(),
        scripts: package.scriptlets.iter().map(script).collect(),
        file_lists: files.map(|files| texts(&files.lists)).unwrap_or_default(),
        files: files
            .map(|files| files.lines.iter().map(|line| text(&line.text)).collect())
            .unwrap_or_default(),
        place: (&package.place).into(),
    }
}
