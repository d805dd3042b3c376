//! What repository metadata say of a package: the entries in `primary`, `filelists` and `other` that dnf,
//! zypper and createrepo_c's readers share (<http://linux.duke.edu/metadata>, as createrepo_c writes them).

mod forbidden;
mod read;
mod write;

pub use forbidden::ForbiddenCharacter;

use serde::{Deserialize, Serialize};

use super::Dependency;

/// Which of the three metadata files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepositoryKind {
    /// What a depsolver needs.
    Primary,
    /// Every file of every package.
    Filelists,
    /// Changelogs.
    Other,
}

impl RepositoryKind {
    /// All three, in the order that createrepo_c lists them.
    pub const ALL: [Self; 3] = [Self::Primary, Self::Filelists, Self::Other];

    /// The name that `repomd.xml` knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Filelists => "filelists",
            Self::Other => "other",
        }
    }
}

/// What a dependency says of two packages, in the order that createrepo_c lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// What it gives.
    Provides,
    /// What it needs.
    Requires,
    /// What must not be there with it.
    Conflicts,
    /// What it takes the place of.
    Obsoletes,
    /// What it may have.
    Suggests,
    /// What it may be installed with.
    Enhances,
    /// What it should have.
    Recommends,
    /// What it should be installed with.
    Supplements,
}

impl Relation {
    /// As metadata name it.
    fn name(self) -> &'static str {
        match self {
            Self::Provides => "provides",
            Self::Requires => "requires",
            Self::Conflicts => "conflicts",
            Self::Obsoletes => "obsoletes",
            Self::Suggests => "suggests",
            Self::Enhances => "enhances",
            Self::Recommends => "recommends",
            Self::Supplements => "supplements",
        }
    }
}

/// One dependency as metadata hold it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct RecordDependency {
    #[serde(flatten)]
    dependency: Dependency,
    /// Whether a scriptlet needs it before the package is there.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    before: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileKind {
    File,
    Folder,
    Ghost,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RecordFile {
    path: String,
    kind: FileKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ChangelogEntry {
    author: String,
    /// Seconds since 1970.
    date: u64,
    text: String,
}

/// What a package says of itself, ready to be written into metadata or into a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageRecord {
    /// `%{name}`.
    pub name: String,
    /// The architecture; `src` for a source package.
    pub arch: String,
    /// `%{epoch}`, 0 where there is none.
    pub epoch: u32,
    /// `%{version}`.
    pub version: String,
    /// `%{release}`.
    pub release: String,
    summary: String,
    description: String,
    url: String,
    packager: String,
    license: String,
    vendor: String,
    group: String,
    build_host: String,
    source_package: String,
    /// When it was built: seconds since 1970.
    pub build_time: u64,
    installed_size: u64,
    archive_size: u64,
    header_range: (u64, u64),
    dependencies: Vec<(Relation, Vec<RecordDependency>)>,
    files: Vec<RecordFile>,
    changelog: Vec<ChangelogEntry>,
}

/// Where a package file is and what it weighs: what a record needs beside the package itself.
#[derive(Clone, Copy, Debug)]
pub struct Location<'a> {
    /// The path relative to the repository.
    pub href: &'a str,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: &'a str,
    /// Its size in bytes.
    pub size: u64,
}

impl PackageRecord {
    /// `name-[epoch:]version-release.arch`.
    pub fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name, self.evr(), self.arch)
    }

    /// What it provides.
    pub fn provides(&self) -> impl Iterator<Item = &Dependency> {
        self.related_by(Relation::Provides)
    }

    /// What it requires, without rpm's own features.
    pub fn requires(&self) -> impl Iterator<Item = &Dependency> {
        self.related_by(Relation::Requires)
    }

    /// The files that metadata list with the dependencies, because packages depend on them by path: all in
    /// `bin` folders and below `/etc`, and sendmail.
    pub fn primary_files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.path.as_str()).filter(|path| is_primary(path))
    }

    /// All files that are not among [those](Self::primary_files).
    pub fn other_files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.path.as_str()).filter(|path| !is_primary(path))
    }

    /// All its dependencies: each with what it is to the package, and whether a scriptlet needs it before the package is there.
    pub fn relations(&self) -> impl Iterator<Item = (Relation, &Dependency, bool)> {
        let lists = self.dependencies.iter();
        lists.flat_map(|(relation, list)| {
            list.iter().map(|entry| (*relation, &entry.dependency, entry.before))
        })
    }

    /// What its files take when they are unpacked, in bytes.
    pub fn installed_size(&self) -> u64 {
        self.installed_size
    }

    /// `%{vendor}`.
    pub fn vendor(&self) -> &str {
        &self.vendor
    }

    /// `[epoch:]version-release`.
    pub fn evr(&self) -> String {
        let epoch = if self.epoch == 0 { String::new() } else { format!("{}:", self.epoch) };
        format!("{epoch}{}-{}", self.version, self.release)
    }

    /// `%{license}`.
    pub fn license(&self) -> &str {
        &self.license
    }

    /// `%{summary}`.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// `%{url}`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The source package that it was built from.
    pub fn source_package(&self) -> &str {
        &self.source_package
    }

    fn related_by(&self, relation: Relation) -> impl Iterator<Item = &Dependency> {
        let lists = self.dependencies.iter().filter(move |(other, _)| *other == relation);
        lists.flat_map(|(_, list)| list.iter().map(|entry| &entry.dependency))
    }
}

fn is_primary(path: &str) -> bool {
    path.starts_with("/etc/") || path.contains("bin/") || path == "/usr/lib/sendmail"
}
