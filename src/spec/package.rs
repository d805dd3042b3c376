//! What a spec says of a package that it builds.

use std::sync::Arc;

use bstr::BString;

use super::changelog::Change;
use super::dependency::Dependency;
use super::file_line::read_file_line;
use super::line_reader::Report;
use super::package_problem::PackageProblem;
use super::place::Place;
use super::section::SectionKind;
use crate::package::{Header, Tag};

/// How one package depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependencyKind {
    /// `Requires`, and `PreReq` of before.
    Requires,
    /// `Provides`
    Provides,
    /// `Conflicts`
    Conflicts,
    /// `Obsoletes`
    Obsoletes,
    /// `Recommends`
    Recommends,
    /// `Suggests`
    Suggests,
    /// `Supplements`
    Supplements,
    /// `Enhances`
    Enhances,
    /// `OrderWithRequires`
    OrderWithRequires,
    /// `BuildRequires`
    BuildRequires,
    /// `BuildConflicts`
    BuildConflicts,
}

impl DependencyKind {
    /// All kinds, in the order that they are shown in.
    pub const ALL: [Self; 11] = [
        Self::Requires,
        Self::Provides,
        Self::Conflicts,
        Self::Obsoletes,
        Self::Recommends,
        Self::Suggests,
        Self::Supplements,
        Self::Enhances,
        Self::OrderWithRequires,
        Self::BuildRequires,
        Self::BuildConflicts,
    ];

    /// The tag, as it is written in a spec.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Requires => "Requires",
            Self::Provides => "Provides",
            Self::Conflicts => "Conflicts",
            Self::Obsoletes => "Obsoletes",
            Self::Recommends => "Recommends",
            Self::Suggests => "Suggests",
            Self::Supplements => "Supplements",
            Self::Enhances => "Enhances",
            Self::OrderWithRequires => "OrderWithRequires",
            Self::BuildRequires => "BuildRequires",
            Self::BuildConflicts => "BuildConflicts",
        }
    }

    /// The tags of a header that hold names, versions and flags. A source package requires what it is built with.
    pub fn header_tags(self) -> (Tag, Tag, Tag) {
        match self {
            Self::Requires | Self::BuildRequires => {
                (Tag::REQUIRENAME, Tag::REQUIREVERSION, Tag::REQUIREFLAGS)
            }
            Self::Provides => (Tag::PROVIDENAME, Tag::PROVIDEVERSION, Tag::PROVIDEFLAGS),
            Self::Conflicts | Self::BuildConflicts => {
                (Tag::CONFLICTNAME, Tag::CONFLICTVERSION, Tag::CONFLICTFLAGS)
            }
            Self::Obsoletes => (Tag::OBSOLETENAME, Tag::OBSOLETEVERSION, Tag::OBSOLETEFLAGS),
            Self::Recommends => (Tag::RECOMMENDNAME, Tag::RECOMMENDVERSION, Tag::RECOMMENDFLAGS),
            Self::Suggests => (Tag::SUGGESTNAME, Tag::SUGGESTVERSION, Tag::SUGGESTFLAGS),
            Self::Supplements => (Tag::SUPPLEMENTNAME, Tag::SUPPLEMENTVERSION, Tag::SUPPLEMENTFLAGS),
            Self::Enhances => (Tag::ENHANCENAME, Tag::ENHANCEVERSION, Tag::ENHANCEFLAGS),
            Self::OrderWithRequires => (Tag::ORDERNAME, Tag::ORDERVERSION, Tag::ORDERFLAGS),
        }
    }
}

/// A dependency with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// How it depends.
    pub kind: DependencyKind,
    /// On what.
    pub dependency: Dependency,
    /// When it counts, in rpm's bits (`RPMSENSE_PRE` and its like).
    pub events: u32,
    /// Where it stands.
    pub place: Place,
}

/// A source or a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Whether it is a patch.
    pub is_patch: bool,
    /// Its number.
    pub number: u32,
    /// What the spec says, often a URL.
    pub reference: BString,
    /// The name that it has among the sources.
    pub file_name: BString,
    /// `NoSource`, `NoPatch`: it does not go into the source package.
    pub is_left_out: bool,
    /// Where it stands.
    pub place: Place,
}

/// A script that is run when a package comes or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scriptlet {
    /// When.
    pub kind: SectionKind,
    /// The program that runs it, with its options: `/bin/sh` where none is named.
    pub program: Vec<BString>,
    /// The script.
    pub body: BString,
    /// `-f`: the file that holds the script.
    pub file: Option<BString>,
    /// `-e`: macros in it are expanded when the package is installed.
    pub expands: bool,
    /// `-q`: it is a query format.
    pub formats: bool,
    /// Of a trigger, what fires it: packages, or the beginnings of paths.
    pub conditions: Vec<Dependency>,
    /// Of a file trigger, when it is run among others; the larger the earlier.
    pub priority: u32,
    /// Where it begins.
    pub place: Place,
}

/// A line of `%files`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLine {
    /// The line, without what surrounds it.
    pub text: BString,
    /// Where it stands.
    pub place: Place,
}

/// `%files` of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileList {
    /// `-f`: files that list more files.
    pub lists: Vec<BString>,
    /// What is listed.
    pub lines: Vec<FileLine>,
}

/// What the main package says for sub-packages that do not say it themselves.
pub(super) const INHERITED: [Tag; 16] = [
    Tag::VERSION,
    Tag::RELEASE,
    Tag::EPOCH,
    Tag::LICENSE,
    Tag::GROUP,
    Tag::DISTRIBUTION,
    Tag::VENDOR,
    Tag::PACKAGER,
    Tag::URL,
    Tag::PREFIXES,
    Tag::DIST_TAG,
    Tag::BUG_URL,
    Tag::VCS,
    Tag::TRANSLATION_URL,
    Tag::UPSTREAM_RELEASES,
    Tag::MODULARITY_LABEL,
];

/// A package that is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its whole name.
    pub name: BString,
    /// Where it begins.
    pub place: Place,
    /// What its preamble says, dependencies aside.
    pub header: Header,
    /// Its dependencies, those of scripts included, in the order of the spec.
    pub dependencies: Vec<Declared>,
    /// Its scripts, triggers included.
    pub scriptlets: Vec<Scriptlet>,
    /// Its files; without any `%files` no package is built.
    pub files: Option<FileList>,
    /// `AutoReq`: dependencies are looked for in its files.
    pub finds_requires: bool,
    /// `AutoProv`: what it provides is looked for in its files.
    pub finds_provides: bool,
    /// `RemovePathPostfixes`
    pub removed_postfixes: Vec<BString>,
    /// `%sepolicy`
    pub policies: Vec<FileLine>,
    /// Whether nobody named a group.
    pub has_default_group: bool,
}

impl Package {
    pub(super) fn new(name: BString, place: Place) -> Self {
        Self {
            name,
            place,
            header: Header::default(),
            dependencies: Vec::new(),
            scriptlets: Vec::new(),
            files: None,
            finds_requires: true,
            finds_provides: true,
            removed_postfixes: Vec::new(),
            policies: Vec::new(),
            has_default_group: false,
        }
    }

    /// Says what sub-packages have of another package as that one does, its group aside.
    pub fn inherit(&mut self, other: &Package) {
        for tag in INHERITED.into_iter().filter(|tag| *tag != Tag::GROUP) {
            match other.header.get(tag) {
                Some(value) => self.header.set(tag, value.clone()),
                None => self.header.remove(tag),
            }
        }
    }

    /// Whether a package is built of it.
    pub fn is_built(&self) -> bool {
        self.files.is_some()
    }
}

/// A script of the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildScript {
    /// Which one.
    pub kind: SectionKind,
    /// The script, with what is prepended and appended.
    pub body: BString,
    /// Where its first part begins.
    pub place: Place,
}

/// Where a spec can be built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `ExclusiveArch`: only there.
    pub exclusive_arch: Vec<BString>,
    /// `ExcludeArch`: not there.
    pub exclude_arch: Vec<BString>,
    /// `ExclusiveOS`: only there.
    pub exclusive_os: Vec<BString>,
    /// `ExcludeOS`: not there.
    pub exclude_os: Vec<BString>,
}

/// What packages are built for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The architecture: `x86_64`, `noarch`.
    pub arch: BString,
    /// The architecture of the machine that builds, `%{_build_cpu}`: what counts where packages have none.
    pub build_arch: BString,
    /// The operating system: `linux`.
    pub os: BString,
    /// `%{_target_platform}`
    pub platform: BString,
    /// `%{?_isa}`: what stands after a package's name where the architecture matters, `(x86-64)`.
    pub isa: BString,
    /// `%{optflags}`
    pub compiler_flags: BString,
}

/// A spec, read for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The file.
    pub file: Arc<str>,
    /// What it was read for.
    pub target: Target,
    /// The packages, the main one first.
    pub packages: Vec<Package>,
    /// What its source package needs, and what must not be there, to build it; those of sub-packages included.
    pub build_dependencies: Vec<Declared>,
    /// Sources and patches, in the order of the spec.
    pub sources: Vec<SourceFile>,
    /// `SourceLicense`
    pub source_license: Option<BString>,
    /// Where it can be built.
    pub limits: Limits,
    /// `BuildArch`
    pub build_archs: Vec<BString>,
    /// The scripts of the build.
    pub scripts: Vec<BuildScript>,
    /// The changes, the newest first.
    pub changes: Vec<Change>,
    /// The languages that texts are in, the first one being the one of no language: `C`.
    pub languages: Vec<BString>,
    /// The whole text, its macros expanded: what `rpmspec --parse` shows.
    pub text: Vec<u8>,
    /// Whether some package lacks what no package can be built without.
    pub lacks_fields: bool,
    /// Whether the source package names sources and patches from the last one on.
    pub names_sources_backwards: bool,
    /// What is wrong with whole packages, where it is told only once the build may have mended it.
    pub unfinished: Vec<(PackageProblem, Place)>,
    /// The same spec for its other `BuildArch`s.
    pub variants: Vec<Spec>,
}

impl Spec {
    /// What is wrong with the lines of `%files`. rpm reads them when it packages files, and tells it then.
    pub fn wrong_file_lines(&self) -> Vec<Report> {
        let lists = self.packages.iter().filter_map(|package| package.files.as_ref());
        let lines = lists.flat_map(|list| &list.lines);
        lines
            .filter_map(|line| {
                let problem = read_file_line(&line.text).err()?;
                let Place { file, line } = line.place.clone();
                Some(Report { problem: problem.into(), file, line })
            })
            .collect()
    }

    /// Why it can't be built for its target, in rpm's words; nothing where it can.
    pub fn ruled_out(&self) -> Option<String> {
        let (target, limits) = (&self.target, &self.limits);
        let misses = |list: &[BString], name: &BString| !list.is_empty() && !list.contains(name);
        let arch = if target.arch == "noarch" { &target.build_arch } else { &target.arch };
        if limits.exclude_arch.contains(arch) {
            Some(format!("Architecture is excluded: {arch}"))
        } else if misses(&limits.exclusive_arch, arch) {
            Some(format!("Architecture is not included: {arch}"))
        } else if limits.exclude_os.contains(&target.os) {
            Some(format!("OS is excluded: {}", target.os))
        } else if misses(&limits.exclusive_os, &target.os) {
            Some(format!("OS is not included: {}", target.os))
        } else {
            None
        }
    }

    /// Calls a file by another name in all places.
    pub fn rename(&mut self, from: &str, to: &Arc<str>) {
        let rename = |place: &mut Place| {
            if &*place.file == from {
                place.file = Arc::clone(to);
            }
        };
        self.build_dependencies.iter_mut().for_each(|declared| rename(&mut declared.place));
        self.sources.iter_mut().for_each(|source| rename(&mut source.place));
        self.scripts.iter_mut().for_each(|script| rename(&mut script.place));
        for package in &mut self.packages {
            rename(&mut package.place);
            package.dependencies.iter_mut().for_each(|declared| rename(&mut declared.place));
            package.scriptlets.iter_mut().for_each(|script| rename(&mut script.place));
        }
        if &*self.file == from {
            self.file = Arc::clone(to);
        }
    }

    /// The package that its source package is named after.
    pub fn main(&self) -> Option<&Package> {
        self.packages.first()
    }

    /// The script of a stage.
    pub fn script(&self, kind: SectionKind) -> Option<&BuildScript> {
        self.scripts.iter().find(|script| script.kind == kind)
    }

    /// Whether some source stays out of the source package, which then is a `nosrc` one.
    pub fn leaves_sources_out(&self) -> bool {
        self.sources.iter().any(|source| source.is_left_out)
    }
}
