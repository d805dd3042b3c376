//! The headers that the packages of a spec have before they are built.

use std::fmt;

use bstr::BString;

use super::dependency::Dependency;
use super::package::{Declared, DependencyKind, Package, Scriptlet, SourceFile, Spec};
use super::section::SectionKind;
use crate::macros::Stop;
use crate::package::{Comparison, Header, Tag, Value};

/// A dependency as headers hold it. They stand in the order of these fields, each of them once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DependencyRow {
    /// The name, or a whole rich dependency.
    pub name: BString,
    /// The version; empty where none is meant.
    pub version: BString,
    /// How versions are compared, and when it counts, in rpm's bits (`RPMSENSE_*`).
    pub flags: u32,
}

/// The tags of a script: its text, its program, its flags.
type ScriptTags = (Tag, Tag, Tag);

/// What a source package says besides what the main package says.
const SHARED: [Tag; 20] = [
    Tag::NAME,
    Tag::VERSION,
    Tag::RELEASE,
    Tag::EPOCH,
    Tag::SUMMARY,
    Tag::DESCRIPTION,
    Tag::DISTRIBUTION,
    Tag::VENDOR,
    Tag::LICENSE,
    Tag::PACKAGER,
    Tag::GROUP,
    Tag::URL,
    Tag::DIST_TAG,
    Tag::DIST_URL,
    Tag::BUG_URL,
    Tag::VCS,
    Tag::TRANSLATION_URL,
    Tag::UPSTREAM_RELEASES,
    Tag::MODULARITY_LABEL,
    Tag::I18N_TABLE,
];

impl Spec {
    /// The header of the source package.
    pub fn source_header(&self) -> Header {
        let mut header = Header::default();
        let Some(main) = self.main() else {
            return header;
        };
        for tag in SHARED {
            let is_late = self.lacks_fields && tag == Tag::GROUP && main.has_default_group;
            if let Some(value) = main.header.get(tag).filter(|_| !is_late) {
                header.set(tag, value.clone());
            }
        }
        if let Some(license) = &self.source_license {
            header.set_text(Tag::LICENSE, license.clone());
        }
        self.set_target(&mut header);
        if !self.lacks_fields {
            // It is not begun before the packages are whole.
            header.set_number(Tag::SOURCE_PACKAGE, 1);
        }
        let mut sources: Vec<&SourceFile> = self.sources.iter().collect();
        if self.names_sources_backwards {
            sources.reverse();
        }
        for source in sources {
            let (tag, left_out) =
                if source.is_patch { (Tag::PATCH, Tag::NO_PATCH) } else { (Tag::SOURCE, Tag::NO_SOURCE) };
            header.add_texts(tag, [source.file_name.clone()]);
            if source.is_left_out {
                header.add_number(left_out, source.number.into());
            }
        }
        let limits = &self.limits;
        for (tag, list) in [
            (Tag::EXCLUSIVE_ARCH, &limits.exclusive_arch),
            (Tag::EXCLUDE_ARCH, &limits.exclude_arch),
            (Tag::EXCLUSIVE_OS, &limits.exclusive_os),
            (Tag::EXCLUDE_OS, &limits.exclude_os),
            (Tag::BUILD_ARCHS, &self.build_archs),
        ] {
            header.add_texts(tag, list.iter().cloned());
        }
        if self.lacks_fields {
            return header;
        }
        let built = self.packages.iter().filter(|package| package.is_built());
        let provides =
            built.map(|package| DependencyRow::equal(package.name.clone(), package.header.evr())).collect();
        // They stand in the order of the spec.
        put_rows(&mut header, DependencyKind::Provides, provides);
        for kind in [DependencyKind::BuildRequires, DependencyKind::BuildConflicts] {
            set_rows(&mut header, kind, declared_rows(&self.build_dependencies, kind));
        }
        self.set_changes(&mut header);
        header
    }

    /// The header of a package that is built.
    pub fn binary_header(&self, package: &Package) -> Header {
        let mut header = package.header.clone();
        self.set_target(&mut header);
        header.set_text(Tag::PLATFORM, self.target.platform.clone());
        header.set_text(Tag::OPT_FLAGS, self.target.compiler_flags.clone());
        if let Some(main) = self.main() {
            let kind = if self.leaves_sources_out() { "nosrc" } else { "src" };
            let name = &main.name;
            let version = main.header.version_release();
            header.set_text(Tag::SOURCE_RPM, format!("{name}-{version}.{kind}.rpm"));
            header.set_text(Tag::SOURCE_NEVR, format!("{name}-{}", main.header.evr()));
        }
        let mut provides = declared_rows(&package.dependencies, DependencyKind::Provides);
        let evr = header.evr();
        if header.text(Tag::ARCH).is_some_and(|arch| arch != "noarch") && !self.target.isa.is_empty() {
            let name = [package.name.as_slice(), &self.target.isa].concat();
            provides.push(DependencyRow::equal(name.into(), evr.clone()));
        }
        provides.push(DependencyRow::equal(package.name.clone(), evr));
        set_rows(&mut header, DependencyKind::Provides, provides);
        for kind in DependencyKind::ALL {
            let is_of_build = matches!(kind, DependencyKind::BuildRequires | DependencyKind::BuildConflicts);
            if kind != DependencyKind::Provides && !is_of_build {
                set_rows(&mut header, kind, declared_rows(&package.dependencies, kind));
            }
        }
        package.scriptlets.iter().for_each(|script| set_script(&mut header, script));
        set_triggers(&mut header, &package.scriptlets);
        self.set_changes(&mut header);
        header
    }

    fn set_target(&self, header: &mut Header) {
        header.set_text(Tag::OS, self.target.os.clone());
        if !header.has(Tag::ARCH) {
            header.set_text(Tag::ARCH, self.target.arch.clone());
        }
    }

    fn set_changes(&self, header: &mut Header) {
        for change in &self.changes {
            header.add_number(Tag::CHANGELOG_TIME, u64::try_from(change.time).unwrap_or(0));
            header.add_texts(Tag::CHANGELOG_NAME, [change.name.clone()]);
            header.add_texts(Tag::CHANGELOG_TEXT, [change.text.clone()]);
        }
    }
}

impl DependencyRow {
    /// A dependency; `flags` say when it counts.
    pub fn from_dependency(dependency: &Dependency, flags: u32) -> Self {
        let (name, version) = match dependency {
            Dependency::Plain(capability) => (capability.name.clone(), capability.version.clone()),
            Dependency::Rich(rich) => (rich.to_string().into(), None),
        };
        match version {
            Some((comparison, version)) => Self { name, version, flags: flags | u32::from(comparison) },
            None => Self { name, version: BString::default(), flags },
        }
    }

    /// Whether it asks for certain versions.
    pub fn has_version(&self) -> bool {
        Comparison::from_flags(self.flags).is_some()
    }

    /// Exactly this version.
    pub fn equal(name: BString, version: BString) -> Self {
        Self { name, version, flags: u32::from(Comparison::EQUAL) }
    }

    /// The dependencies of a kind that a header has.
    pub fn read_header(header: &Header, kind: DependencyKind) -> Vec<Self> {
        let (names, versions, flags) = kind.header_tags();
        let rows = header.texts(names).iter().zip(header.texts(versions)).zip(header.numbers(flags));
        rows.map(|((name, version), flags)| Self {
            name: name.clone(),
            version: version.clone(),
            flags: u32::try_from(*flags).unwrap_or_default(),
        })
        .collect()
    }
}

impl fmt::Display for DependencyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Comparison::from_flags(self.flags) {
            Some(comparison) => write!(f, "{} {comparison} {}", self.name, self.version),
            None => self.name.fmt(f),
        }
    }
}

/// Adds dependencies to those that a header has.
pub fn add_dependencies(
    header: &mut Header,
    kind: DependencyKind,
    rows: impl IntoIterator<Item = DependencyRow>,
) {
    let mut all = DependencyRow::read_header(header, kind);
    all.extend(rows);
    set_rows(header, kind, all);
}

fn declared_rows(declared: &[Declared], kind: DependencyKind) -> Vec<DependencyRow> {
    let of_kind = declared.iter().filter(|declared| declared.kind == kind);
    of_kind.map(|declared| DependencyRow::from_dependency(&declared.dependency, declared.events)).collect()
}

fn set_rows(header: &mut Header, kind: DependencyKind, mut rows: Vec<DependencyRow>) {
    rows.sort();
    rows.dedup();
    put_rows(header, kind, rows);
}

fn put_rows(header: &mut Header, kind: DependencyKind, rows: Vec<DependencyRow>) {
    if rows.is_empty() {
        return;
    }
    let (name, version, flags) = kind.header_tags();
    header.set(flags, Value::Numbers(rows.iter().map(|row| row.flags.into()).collect()));
    let (names, versions) = rows.into_iter().map(|row| (row.name, row.version)).unzip();
    header.set(name, Value::Texts(names));
    header.set(version, Value::Texts(versions));
}

/// What a script of a package is, once its file has been read.
pub type ScriptText<'s> = &'s dyn Fn(&Scriptlet, Tag) -> Result<BString, Stop>;

/// Sets what only a package that is built says of scripts: the text of their files, and all of its triggers.
///
/// # Errors
/// A file can't be read: what `text` said.
pub fn set_script_texts(
    header: &mut Header,
    scripts: &[Scriptlet],
    text: ScriptText<'_>,
) -> Result<(), Stop> {
    for script in scripts.iter().filter(|script| script.file.is_some()) {
        if let Some((body, ..)) = script_tags(script.kind) {
            header.set_text(body, text(script, body)?);
        }
    }
    for list in TRIGGER_LISTS {
        let listed: Vec<&Scriptlet> = scripts.iter().filter(|script| (list.holds)(script.kind)).collect();
        if listed.is_empty() {
            continue;
        }
        let texts: Result<Vec<BString>, Stop> =
            listed.iter().map(|script| text(script, list.scripts)).collect();
        header.set(list.scripts, Value::Texts(texts?));
        let programs = listed.iter().map(|script| script.program.first().cloned().unwrap_or_default());
        header.set(list.programs, Value::Texts(programs.collect()));
        let flags: Vec<u64> = listed.iter().map(|script| script_flags(script)).collect();
        if flags.iter().any(|flags| *flags != 0) {
            header.set(list.script_flags, Value::Numbers(flags));
        }
        if let Some(tag) = list.priorities {
            let priorities = listed.iter().map(|script| script.priority.into());
            header.set(tag, Value::Numbers(priorities.collect()));
        }
    }
    Ok(())
}

/// rpm's bits of a script: macros in it are expanded, it is a query format.
fn script_flags(script: &Scriptlet) -> u64 {
    u64::from(script.expands) | u64::from(script.formats) << 1
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other sections are no scripts of packages")]
fn script_tags(kind: SectionKind) -> Option<ScriptTags> {
    match kind {
        SectionKind::Pre => Some((Tag::PREIN, Tag::PREINPROG, Tag::PREINFLAGS)),
        SectionKind::Post => Some((Tag::POSTIN, Tag::POSTINPROG, Tag::POSTINFLAGS)),
        SectionKind::PreUn => Some((Tag::PREUN, Tag::PREUNPROG, Tag::PREUNFLAGS)),
        SectionKind::PostUn => Some((Tag::POSTUN, Tag::POSTUNPROG, Tag::POSTUNFLAGS)),
        SectionKind::PreTrans => Some((Tag::PRETRANS, Tag::PRETRANSPROG, Tag::PRETRANSFLAGS)),
        SectionKind::PostTrans => Some((Tag::POSTTRANS, Tag::POSTTRANSPROG, Tag::POSTTRANSFLAGS)),
        SectionKind::PreUnTrans => Some((Tag::PREUNTRANS, Tag::PREUNTRANSPROG, Tag::PREUNTRANSFLAGS)),
        SectionKind::PostUnTrans => Some((Tag::POSTUNTRANS, Tag::POSTUNTRANSPROG, Tag::POSTUNTRANSFLAGS)),
        SectionKind::VerifyScript => Some((Tag::VERIFYSCRIPT, Tag::VERIFYSCRIPTPROG, Tag::VERIFYSCRIPTFLAGS)),
        _ => None,
    }
}

fn set_script(header: &mut Header, script: &Scriptlet) {
    let Some((body, program, flags)) = script_tags(script.kind) else {
        return;
    };
    if !script.body.is_empty() {
        header.set_text(body, script.body.clone());
    }
    header.set(program, Value::Texts(script.program.clone()));
    let bits = script_flags(script);
    if bits != 0 {
        header.set_number(flags, bits);
    }
}

/// The bit of a trigger (`RPMSENSE_TRIGGERIN` and its like).
#[expect(clippy::wildcard_enum_match_arm, reason = "what is no trigger has none")]
fn trigger_bit(kind: SectionKind) -> u32 {
    match kind {
        SectionKind::TriggerPreIn => 1 << 25,
        SectionKind::TriggerUn | SectionKind::FileTriggerUn | SectionKind::TransFileTriggerUn => 1 << 17,
        SectionKind::TriggerPostUn | SectionKind::FileTriggerPostUn | SectionKind::TransFileTriggerPostUn => {
            1 << 18
        }
        _ => 1 << 16,
    }
}

/// A list of triggers, with the tags that hold it.
struct TriggerList {
    /// Which triggers it holds.
    holds: fn(SectionKind) -> bool,
    scripts: Tag,
    programs: Tag,
    script_flags: Tag,
    priorities: Option<Tag>,
    names: Tag,
    versions: Tag,
    flags: Tag,
    /// The number of each condition's script.
    indexes: Tag,
}

const TRIGGER_LISTS: [TriggerList; 3] = [
    TriggerList {
        holds: |kind| kind.is_trigger() && !kind.is_file_trigger(),
        scripts: Tag::TRIGGERSCRIPTS,
        programs: Tag::TRIGGERSCRIPTPROG,
        script_flags: Tag::TRIGGERSCRIPTFLAGS,
        priorities: None,
        names: Tag::TRIGGERNAME,
        versions: Tag::TRIGGERVERSION,
        flags: Tag::TRIGGERFLAGS,
        indexes: Tag::TRIGGERINDEX,
    },
    TriggerList {
        holds: |kind| kind.is_file_trigger() && !kind.is_transaction_file_trigger(),
        scripts: Tag::FILETRIGGERSCRIPTS,
        programs: Tag::FILETRIGGERSCRIPTPROG,
        script_flags: Tag::FILETRIGGERSCRIPTFLAGS,
        priorities: Some(Tag::FILETRIGGERPRIORITIES),
        names: Tag::FILETRIGGERNAME,
        versions: Tag::FILETRIGGERVERSION,
        flags: Tag::FILETRIGGERFLAGS,
        indexes: Tag::FILETRIGGERINDEX,
    },
    TriggerList {
        holds: SectionKind::is_transaction_file_trigger,
        scripts: Tag::TRANSFILETRIGGERSCRIPTS,
        programs: Tag::TRANSFILETRIGGERSCRIPTPROG,
        script_flags: Tag::TRANSFILETRIGGERSCRIPTFLAGS,
        priorities: Some(Tag::TRANSFILETRIGGERPRIORITIES),
        names: Tag::TRANSFILETRIGGERNAME,
        versions: Tag::TRANSFILETRIGGERVERSION,
        flags: Tag::TRANSFILETRIGGERFLAGS,
        indexes: Tag::TRANSFILETRIGGERINDEX,
    },
];

/// Triggers in their three lists, each with the number of its script in its own list.
fn set_triggers(header: &mut Header, scripts: &[Scriptlet]) {
    for list in TRIGGER_LISTS {
        let mut found: Vec<(DependencyRow, u64)> = Vec::new();
        for (index, script) in (0..).zip(scripts.iter().filter(|script| (list.holds)(script.kind))) {
            let bit = trigger_bit(script.kind);
            found.extend(
                script
                    .conditions
                    .iter()
                    .map(|condition| (DependencyRow::from_dependency(condition, bit), index)),
            );
        }
        if found.is_empty() {
            continue;
        }
        found.sort();
        found.dedup();
        let text = |field: fn(&DependencyRow) -> &BString| {
            Value::Texts(found.iter().map(|(row, _)| field(row).clone()).collect())
        };
        header.set(list.names, text(|row| &row.name));
        header.set(list.versions, text(|row| &row.version));
        header.set(list.flags, Value::Numbers(found.iter().map(|(row, _)| row.flags.into()).collect()));
        header.set(list.indexes, Value::Numbers(found.iter().map(|(_, index)| *index).collect()));
    }
}
