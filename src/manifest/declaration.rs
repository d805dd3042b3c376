//! Declarations as they are written: one type each, with the places that said them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

pub use super::build_limits::LimitsDecl;
pub use super::choices::{
    Across, Bootstrap, Choice, EngineChoice, Isolation, MetadataPacking, Network, OnBroken, OnFailure,
    Priority, RepositoryLayout,
};
use super::keep::KeepDecl;
use super::manifest_path::ManifestPath;
pub use super::options::{
    ChrootSelection, LayerDecl, MacroDecl, OnDecl, OptionsDecl, SettingsDecl, VariableDecl,
};
use super::place_address::PlaceDecl;
use crate::digest::Checksum;
use crate::engine::Condition;
use crate::fetch::BearerToken;
use crate::macros::RpmVersion;
use crate::package::Dependency;
use crate::text::{Place, Spanned};

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
    /// The package whose settings it begins with.
    pub like: Option<Spanned<String>>,
    /// The build conditions that it names itself, which its spec must have.
    pub own_conditions: Vec<Spanned<Condition>>,
    /// Where its new versions come up.
    pub upstream: Option<UpstreamDecl>,
    /// The rest.
    pub options: OptionsDecl,
}

/// `upstream` of a package: a page that names what its authors have released.
#[derive(Clone, Debug)]
pub struct UpstreamDecl {
    /// The address of the page.
    pub page: Spanned<String>,
    /// A regular expression (the syntax of the `regex` crate) whose first group is a version.
    pub pattern: Spanned<String>,
}

/// `mirror`.
#[derive(Clone, Debug)]
pub struct MirrorDecl {
    /// How addresses begin.
    pub from: Spanned<String>,
    /// What is tried in its place.
    pub to: Spanned<String>,
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
    /// Files of the keys that its signatures are made with.
    pub keyrings: Vec<Spanned<ManifestPath>>,
    /// Tokens that its servers are shown.
    pub tokens: Vec<BearerToken>,
    /// What a program that makes it is run with.
    pub making: MakingDecl,
    /// Where it is written.
    pub place: Place,
}

/// What a program that makes a source is run with.
#[derive(Clone, Debug, Default)]
pub struct MakingDecl {
    /// The chroot that it runs in.
    pub chroot: Option<Spanned<String>>,
    /// What the root has for it.
    pub needs: Vec<Dependency>,
    /// Whether it may reach the network.
    pub network: Option<Network>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Variables of its environment.
    pub environment: Vec<VariableDecl>,
}

/// `file` in a source.
#[derive(Clone, Debug)]
pub struct FileDecl {
    /// Where it is.
    pub place: FilePlace,
    /// The checksum that it must have.
    pub sha256: Option<Spanned<String>>,
}

/// Where a file of a source is.
#[derive(Clone, Debug)]
pub enum FilePlace {
    /// A file of the project, or a pattern of files.
    Path(Spanned<ManifestPath>),
    /// Somewhere else: its name is the end of the path, or what a fragment `#/NAME` says.
    Url(Spanned<String>),
}

/// The method of `source git` that runs `.copr/Makefile`.
pub const MAKE_SRPM: &str = "make-srpm";

/// A kind of source, with what it takes.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// A spec, a folder with one, or a .src.rpm.
    Path(Spanned<ManifestPath>),
    /// A spec or .src.rpm to download, and files beside it.
    Url {
        /// Where they are.
        urls: Vec<String>,
        /// The checksum of the first.
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
        /// Whether the files of submodules come too.
        submodules: bool,
        /// Whether large files (git-lfs) take the place of their pointers.
        large_files: bool,
    },
    /// A distribution's package repository.
    Distgit {
        /// The package there.
        package: String,
        /// `fedora`, `centos-stream` or a URL pattern.
        from: Option<String>,
        /// The pattern of addresses in its lookaside cache.
        lookaside: Option<String>,
        /// The branch or commit.
        revision: Option<String>,
    },
    /// A project of a language's registry.
    Registry {
        /// Which registry.
        registry: Registry,
        /// The project.
        project: String,
        /// The release.
        version: Option<String>,
        /// The index, if not the one that the machine is set up with.
        index: Option<String>,
        /// Extras of Python's that become packages.
        extras: Vec<String>,
        /// A `Cargo.lock` for a crate without one.
        lock: Option<Spanned<ManifestPath>>,
    },
    /// A script.
    Custom {
        /// The script.
        script: Option<Spanned<ManifestPath>>,
        /// What it is called with.
        arguments: Vec<String>,
        /// The folder that it leaves the sources in, from the one that it begins in.
        results: Option<String>,
        /// The spec among them.
        spec: Option<String>,
        /// After how long it is run anew.
        refresh: Option<Duration>,
    },
    /// A source package that a repository of a chroot ships.
    Published {
        /// The repository.
        repository: String,
        /// The source package there, if it has another name than the package.
        name: Option<String>,
        /// Its version.
        version: Option<String>,
    },
    /// The sources of the build of a number.
    Build(u64),
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
            Self::Registry { registry, .. } => registry.word(),
            Self::Custom { .. } => "custom",
            Self::Published { .. } => "repo",
            Self::Build(_) => "build",
            Self::Named(name) => name,
        }
    }
}

/// A registry of a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registry {
    /// PyPI.
    Pypi,
    /// RubyGems.
    Rubygems,
    /// crates.io.
    Crates,
    /// npm.
    Npm,
}

impl Registry {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pypi, Self::Rubygems, Self::Crates, Self::Npm];

    /// As the manifest names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pypi => "pypi",
            Self::Rubygems => "rubygems",
            Self::Crates => "crates",
            Self::Npm => "npm",
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
    pub install: Vec<Spanned<String>>,
    /// Whether packages bring what they recommend.
    pub weak_dependencies: Option<bool>,
    /// `$releasever` of its repositories.
    pub releasever: Option<String>,
    /// Variables of its repositories.
    pub variables: BTreeMap<String, String>,
    /// What is built with in it.
    pub settings: SettingsDecl,
    /// The chroot that it starts from.
    pub extends: Option<Spanned<String>>,
    /// A root that exists.
    pub root: Option<Spanned<ManifestPath>>,
    /// Whether it names an image, sound or not.
    pub names_image: bool,
    /// A root that somebody else made.
    pub image: Option<Spanned<ImageDecl>>,
}

/// `image` in a chroot.
#[derive(Clone, Debug)]
pub struct ImageDecl {
    /// What it is.
    pub kind: ImageKind,
    /// Where it is.
    pub path: ManifestPath,
    /// What it must be.
    pub digest: Option<Checksum>,
}

/// What an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageKind {
    /// An image in OCI's layout: a folder, or an archive of one.
    Oci,
    /// A folder with a root in it, or a tarball of one.
    Plain,
}

impl fmt::Display for ImageDecl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, path, digest: _ } = self;
        match kind {
            ImageKind::Oci => write!(f, "oci:{path}"),
            ImageKind::Plain => path.fmt(f),
        }
    }
}

/// `repo` in a chroot.
#[derive(Clone, Debug)]
pub struct RepositoryDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// Where it is.
    pub location: RepositoryLocation,
    /// The keys that sign it.
    pub keys: Vec<Spanned<KeyDecl>>,
    /// The fingerprints that the keys must have.
    pub fingerprints: Vec<String>,
    /// Whether packages have to be signed.
    pub packages_signed: bool,
    /// Whether metadata have to be signed.
    pub metadata_signed: bool,
    /// Lower comes first.
    pub priority: u32,
    /// Lower comes first among those that have the same package.
    pub cost: u32,
    /// Patterns of packages to leave out.
    pub exclude: Vec<String>,
    /// Patterns of the only packages that are taken; all are, where there are none.
    pub include: Vec<String>,
    /// Tokens that its servers are shown.
    pub tokens: Vec<BearerToken>,
}

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepositoryLocation {
    /// At these places, all of which have the same.
    Base(Vec<RepositoryPlace>),
    /// At one of the URLs of a metalink.
    Metalink(String),
    /// At one of the URLs of a list.
    Mirrorlist(String),
}

/// One of the places of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepositoryPlace {
    /// A URL, with variables.
    Url(String),
    /// A folder.
    Folder(ManifestPath),
}

/// `gpgkey` of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyDecl {
    /// A file.
    File(ManifestPath),
    /// At a URL.
    Url(String),
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
    /// What its packages are built with.
    pub layer: LayerDecl,
}

/// `profile`: what holds where it is asked for by name.
#[derive(Clone, Debug)]
pub struct ProfileDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// What it says.
    pub options: OptionsDecl,
}

/// That a batch comes after another.
#[derive(Clone, Debug)]
pub struct BatchAfter {
    /// The other.
    pub batch: Spanned<String>,
    /// Whether it starts even if builds of the other have failed.
    pub even_if_failed: bool,
    /// Whether it waits for the other in all chroots.
    pub across: Across,
}

/// `publish`.
#[derive(Clone, Debug)]
pub struct PublishDecl {
    /// The folder; `{chroot}` stands for the chroot's name.
    pub folder: Spanned<ManifestPath>,
    /// What signs it.
    pub sign: Vec<Spanned<SignDecl>>,
    /// Where clients find the folder; `{chroot}` stands for the chroot's name.
    pub url: Option<String>,
    /// What is kept.
    pub keep: Option<Spanned<KeepDecl>>,
    /// Whether debuginfo packages get a repository of their own.
    pub separate_debuginfo: Option<Spanned<bool>>,
    /// Whether clients are told of the repository of the narrower architecture as well.
    pub multilib: Option<Spanned<bool>>,
    /// Whether a folder that is another project's, or nobody's on record, is taken over.
    pub adopts: bool,
    /// Whether packages are hard links to the store's files.
    pub links: bool,
    /// What becomes of updates that would leave published packages without what they need.
    pub broken: OnBroken,
    /// How metadata are packed.
    pub packing: MetadataPacking,
    /// Where packages lie.
    pub layout: RepositoryLayout,
    /// The file of package groups that repositories offer.
    pub comps: Option<Spanned<ManifestPath>>,
    /// The file of advisories that repositories offer.
    pub updateinfo: Option<Spanned<ManifestPath>>,
    /// The places that repositories are sent to.
    pub places: Vec<PlaceDecl>,
}

impl PublishDecl {
    /// Whether clients are told of the repository of the narrower architecture as well.
    pub fn is_multilib(&self) -> bool {
        self.multilib.as_ref().is_some_and(|multilib| multilib.value)
    }
}

/// `sign` in `publish`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignDecl {
    /// Where the key is.
    pub key: SignKey,
    /// What it signs.
    pub what: SignedPart,
}

/// Where a key that signs is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignKey {
    /// Among those of `forge keys`, by its name.
    Kept(String),
    /// In a file.
    File(ManifestPath),
    /// In an environment variable, which is read when something is signed.
    Variable(String),
    /// With gpg, by its fingerprint or another id.
    Gpg(String),
    /// Behind a command.
    Command {
        /// The shell's command, which reads what is to be signed and writes a detached signature.
        command: String,
        /// The file of its public key.
        public: ManifestPath,
    },
}

/// What a key signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignedPart {
    /// Packages and metadata.
    #[default]
    Everything,
    /// Metadata alone.
    Metadata,
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
    /// What has no effect yet, with the places that say it.
    pub not_yet: Vec<Spanned<String>>,
    /// Batches.
    pub batches: Vec<BatchDecl>,
    /// Profiles.
    pub profiles: Vec<ProfileDecl>,
    /// Where it is published.
    pub publish: Vec<PublishDecl>,
    /// Other places for files.
    pub mirrors: Vec<MirrorDecl>,
    /// Shared results.
    pub caches: Vec<CacheDecl>,
    /// Remote workers.
    pub remotes: Vec<RemoteDecl>,
    /// Mass rebuilds.
    pub rebuilds: Vec<RebuildDecl>,
}
