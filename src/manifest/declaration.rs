//! Declarations as they are written: one type each, with the places that said them.

use std::time::Duration;

use super::manifest_path::ManifestPath;
use crate::engine::{Condition, Value};
use crate::macros::RpmVersion;
use crate::text::{Place, Spanned};

/// Who builds a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineChoice {
    /// forge's own engine.
    Native,
    /// The root's `rpmbuild`.
    Rpmbuild,
}

/// How a build is kept apart from the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// In namespaces of its own.
    Namespaces,
    /// Not at all: the specs are trusted.
    None,
}

/// Whether builds may reach the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// They may.
    Allowed,
    /// They may not.
    Denied,
}

/// What waits for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// As soon as it can be.
    Normal,
    /// When no normal build could run.
    Background,
}

/// What a failure does to builds that do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing.
    Continue,
    /// No further build is begun.
    Stop,
}

/// How the first packages get into an empty root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bootstrap {
    /// As it fits the root.
    Auto,
    /// Unpacked by forge.
    Native,
    /// From an image.
    Image,
}

/// A choice among words, as `rules` lists them.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every word and what it means.
    const WORDS: &'static [(&'static str, Self)];

    /// The choice that `word` stands for.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, choice)| *choice)
    }

    /// The word that stands for it.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, choice)| *choice == self).map_or("", |(word, _)| word)
    }
}

impl Choice for EngineChoice {
    const WORDS: &'static [(&'static str, Self)] = &[("native", Self::Native), ("rpmbuild", Self::Rpmbuild)];
}

impl Choice for Isolation {
    const WORDS: &'static [(&'static str, Self)] = &[("namespaces", Self::Namespaces), ("none", Self::None)];
}

impl Choice for Priority {
    const WORDS: &'static [(&'static str, Self)] =
        &[("normal", Self::Normal), ("background", Self::Background)];
}

impl Choice for OnFailure {
    const WORDS: &'static [(&'static str, Self)] = &[("continue", Self::Continue), ("stop", Self::Stop)];
}

impl Choice for Bootstrap {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("native", Self::Native), ("image", Self::Image)];
}

/// One macro, as written.
#[derive(Clone, Debug)]
pub struct MacroDecl {
    /// Its name and, in parentheses, its options.
    pub name: Spanned<String>,
    /// Its body; `None` undefines it.
    pub body: Option<Value>,
}

/// One environment variable, as written.
#[derive(Clone, Debug)]
pub struct VariableDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value.
    pub value: Value,
}

/// Chroots, selected by patterns.
#[derive(Clone, Debug, Default)]
pub struct ChrootSelection {
    /// Patterns of those to take.
    pub take: Vec<Spanned<String>>,
    /// Patterns of those to leave out.
    pub exclude: Vec<Spanned<String>>,
}

/// What packages, groups of packages and the defaults can all say.
#[derive(Clone, Debug, Default)]
pub struct OptionsDecl {
    /// Where to build.
    pub chroots: Option<ChrootSelection>,
    /// Build conditions.
    pub conditions: Vec<Condition>,
    /// Environment variables.
    pub environment: Vec<VariableDecl>,
    /// Macros.
    pub macros: Vec<MacroDecl>,
    /// Packages that come before.
    pub after: Vec<Spanned<String>>,
    /// Who builds.
    pub engine: Option<Spanned<EngineChoice>>,
    /// How it is kept apart.
    pub isolation: Option<Spanned<Isolation>>,
    /// Whether it may reach the network.
    pub network: Option<Spanned<Network>>,
    /// How long it may take.
    pub timeout: Option<Spanned<Duration>>,
    /// How often it is tried again.
    pub retries: Option<Spanned<u32>>,
    /// What it waits for.
    pub priority: Option<Spanned<Priority>>,
    /// What its failure does.
    pub on_failure: Option<Spanned<OnFailure>>,
    /// How its root begins.
    pub bootstrap: Option<Spanned<Bootstrap>>,
}

impl OptionsDecl {
    /// What this says and, where that says something else, what `nearer` says.
    pub fn overridden_by(mut self, nearer: Self) -> Self {
        let Self {
            chroots,
            conditions,
            environment,
            macros,
            after,
            engine,
            isolation,
            network,
            timeout,
            retries,
            priority,
            on_failure,
            bootstrap,
        } = nearer;
        // Of what has names, the last one counts.
        self.conditions.extend(conditions);
        self.environment.extend(environment);
        self.macros.extend(macros);
        self.after.extend(after);
        Self {
            chroots: chroots.or(self.chroots),
            engine: engine.or(self.engine),
            isolation: isolation.or(self.isolation),
            network: network.or(self.network),
            timeout: timeout.or(self.timeout),
            retries: retries.or(self.retries),
            priority: priority.or(self.priority),
            on_failure: on_failure.or(self.on_failure),
            bootstrap: bootstrap.or(self.bootstrap),
            ..self
        }
    }
}

/// `project`.
#[derive(Clone, Debug)]
pub struct ProjectDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// What it is.
    pub description: Option<Spanned<String>>,
}

/// `package`.
#[derive(Clone, Debug)]
pub struct PackageDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// Where it comes from.
    pub source: Option<SourceDecl>,
    /// Whether it says where it comes from, soundly or not. One that doesn't amends the package that a pattern finds.
    pub names_source: bool,
    /// The rest.
    pub options: OptionsDecl,
}

/// `packages`: one for each spec that matches.
#[derive(Clone, Debug)]
pub struct PackagesDecl {
    /// Patterns, with the folder that they are relative to.
    pub patterns: Vec<Spanned<String>>,
    /// Patterns of specs to leave out after all.
    pub exclude: Vec<Spanned<String>>,
    /// The folder of the file that says them, relative to the repository.
    pub folder: std::path::PathBuf,
    /// What holds for each.
    pub options: OptionsDecl,
}

/// Where a package comes from.
#[derive(Clone, Debug)]
pub struct SourceDecl {
    /// The kind and what belongs to it.
    pub kind: SourceKind,
    /// Files that do not lie beside the spec.
    pub files: Vec<FileDecl>,
    /// Where it is written.
    pub place: Place,
}

/// `file` in a source.
#[derive(Clone, Debug)]
pub struct FileDecl {
    /// The file, or a pattern of files.
    pub path: Spanned<ManifestPath>,
    /// The checksum that it must have.
    pub sha256: Option<Spanned<String>>,
}

/// A kind of source, with what it takes.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// A spec, a folder with one, or a .src.rpm.
    Path(Spanned<ManifestPath>),
    /// A spec or .src.rpm to download.
    Url {
        /// Where.
        url: String,
        /// Its checksum.
        sha256: Option<String>,
    },
    /// A repository of git or Subversion.
    Repository {
        /// `git` or `svn`.
        system: &'static str,
        /// Where.
        url: String,
        /// The commit, tag, branch or revision.
        revision: Option<String>,
        /// The folder in it.
        folder: Option<String>,
        /// The spec in that folder.
        spec: Option<String>,
        /// How it makes its source package.
        method: Option<String>,
    },
    /// A distribution's package repository.
    Distgit {
        /// The package there.
        package: String,
        /// `fedora`, `centos-stream` or a URL pattern.
        from: Option<String>,
        /// The branch or commit.
        revision: Option<String>,
    },
    /// A project of a language's registry.
    Registry {
        /// `pypi` or `rubygems`.
        registry: &'static str,
        /// The project.
        project: String,
        /// The release.
        version: Option<String>,
    },
    /// A script.
    Custom {
        /// The script.
        script: Option<Spanned<ManifestPath>>,
        /// The chroot that it runs in.
        chroot: Option<Spanned<String>>,
        /// Packages that it needs.
        needs: Vec<String>,
    },
    /// A source that is declared under a name.
    Named(Spanned<String>),
}

impl SourceKind {
    /// The word that begins it.
    pub fn word(&self) -> &str {
        match self {
            Self::Path(_) => "path",
            Self::Url { .. } => "url",
            Self::Repository { system, .. } => system,
            Self::Distgit { .. } => "distgit",
            Self::Registry { registry, .. } => registry,
            Self::Custom { .. } => "custom",
            Self::Named(name) => name,
        }
    }
}

/// `source` under a name.
#[derive(Clone, Debug)]
pub struct NamedSourceDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// The source.
    pub source: Option<SourceDecl>,
}

/// `chroot`.
#[derive(Clone, Debug)]
pub struct ChrootDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// Its architecture.
    pub arch: Option<String>,
    /// The rpm whose language its specs are in.
    pub rpm: Option<RpmVersion>,
    /// Whether it names repositories, sound or not.
    pub names_repositories: bool,
    /// Its repositories.
    pub repositories: Vec<RepositoryDecl>,
    /// What is in its minimal root.
    pub install: Vec<String>,
    /// Environment variables.
    pub environment: Vec<VariableDecl>,
    /// Macros.
    pub macros: Vec<MacroDecl>,
    /// The chroot that it starts from.
    pub extends: Option<Spanned<String>>,
    /// A root that exists.
    pub root: Option<Spanned<ManifestPath>>,
    /// A root that somebody else made.
    pub image: Option<Spanned<String>>,
}

/// `repo` in a chroot.
#[derive(Clone, Debug)]
pub struct RepositoryDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// Where it is.
    pub location: RepositoryLocation,
    /// The key that signs it.
    pub gpgkey: Option<Spanned<ManifestPath>>,
    /// Lower comes first.
    pub priority: u32,
    /// Packages to leave out.
    pub exclude: Option<String>,
}

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepositoryLocation {
    /// At a URL.
    BaseUrl(String),
    /// At one of the URLs of a metalink.
    Metalink(String),
    /// At one of the URLs of a list.
    Mirrorlist(String),
}

/// `batch`.
#[derive(Clone, Debug)]
pub struct BatchDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// Patterns of its packages.
    pub members: Vec<Spanned<String>>,
    /// The batches before it.
    pub after: Vec<BatchAfter>,
    /// The priority of its packages.
    pub priority: Option<Priority>,
    /// Macros of its packages.
    pub macros: Vec<MacroDecl>,
}

/// That a batch comes after another.
#[derive(Clone, Debug)]
pub struct BatchAfter {
    /// The other.
    pub batch: Spanned<String>,
    /// Whether it starts even if builds of the other have failed.
    pub even_if_failed: bool,
}

/// `publish`.
#[derive(Clone, Debug)]
pub struct PublishDecl {
    /// The folder; `{chroot}` stands for the chroot's name.
    pub folder: Spanned<ManifestPath>,
    /// How it is signed.
    pub sign: Option<Spanned<SignDecl>>,
    /// What is kept.
    pub keep: Option<Spanned<KeepDecl>>,
    /// Whether debuginfo packages get a repository of their own.
    pub separate_debuginfo: Option<Spanned<bool>>,
    /// Whether a folder that is another project's, or nobody's on record, is taken over.
    pub adopts: bool,
    /// Whether packages are hard links to the store's files.
    pub links: bool,
}

/// `sign` in `publish`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignDecl {
    /// With the key in a file.
    KeyFile(ManifestPath),
    /// With the key in an environment variable, which is read when something is signed.
    Variable(String),
    /// By a command.
    Command(String),
}

/// `keep` in `publish`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepDecl {
    /// Good builds of a package.
    pub builds: Option<u32>,
    /// How long failed ones stay.
    pub failed: Option<Duration>,
}

/// `cache`.
#[derive(Clone, Debug)]
pub struct CacheDecl {
    /// Where.
    pub url: Spanned<String>,
    /// Who may write: `always`, `ci`, `never`.
    pub write: Option<String>,
}

/// `remote`.
#[derive(Clone, Debug)]
pub struct RemoteDecl {
    /// Where.
    pub url: Spanned<String>,
    /// The instance.
    pub instance: Option<String>,
    /// What a worker must be.
    pub platform: Vec<VariableDecl>,
}

/// `mass-rebuild`.
#[derive(Clone, Debug)]
pub struct RebuildDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// Where it is built.
    pub chroots: Option<ChrootSelection>,
    /// Packages that are new.
    pub change: Vec<Spanned<String>>,
    /// What is rebuilt.
    pub select: Vec<SelectDecl>,
    /// How many of them, and the seed that decides which.
    pub sample: Option<(u32, Option<u32>)>,
    /// Whether it is built without the change too.
    pub baseline: bool,
}

/// `select` in `mass-rebuild`.
#[derive(Clone, Debug)]
pub struct SelectDecl {
    /// What the packages require.
    pub whatrequires: Spanned<String>,
    /// How many steps are followed.
    pub depth: u32,
    /// Where they come from.
    pub from: Option<String>,
}

/// All declarations of all files.
#[derive(Debug, Default)]
pub struct Declarations {
    /// `project`, with what others say.
    pub projects: Vec<ProjectDecl>,
    /// Macros of the project.
    pub macros: Vec<MacroDecl>,
    /// `defaults`.
    pub defaults: Vec<OptionsDecl>,
    /// Chroots.
    pub chroots: Vec<ChrootDecl>,
    /// Named sources.
    pub sources: Vec<NamedSourceDecl>,
    /// Packages.
    pub packages: Vec<PackageDecl>,
    /// Packages by pattern.
    pub patterns: Vec<PackagesDecl>,
    /// Batches.
    pub batches: Vec<BatchDecl>,
    /// Where it is published.
    pub publish: Vec<PublishDecl>,
    /// Shared results.
    pub caches: Vec<CacheDecl>,
    /// Remote workers.
    pub remotes: Vec<RemoteDecl>,
    /// Mass rebuilds.
    pub rebuilds: Vec<RebuildDecl>,
}
