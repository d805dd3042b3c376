//! The manifest as resolved: every name stands for something, every pattern has been applied, nothing is half filled.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::build_limits::BuildLimits;
use super::declaration::{
    Across, Bootstrap, CacheDecl, EngineChoice, FileDecl, ImageDecl, Isolation, MAKE_SRPM, MirrorDecl,
    Network, OnFailure, Priority, PublishDecl, RebuildDecl, RemoteDecl, RepositoryDecl, SourceKind,
    UpstreamDecl,
};
pub use super::ids::{BatchId, ChrootId, PackageId};
use super::layer::{BuildSettings, Layer};
use super::manifest_path::ManifestPath;
use super::profile::Profile;
use crate::engine::{Condition, MacroSetting, Settings, Value};
use crate::fetch::BearerToken;
use crate::macros::RpmVersion;
use crate::package::Dependency;
use crate::text::{Place, Spanned};

/// A whole manifest.
#[derive(Debug)]
pub struct Manifest {
    /// The project's name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// The files that it was read from, relative to the repository; the main one first.
    pub files: Vec<String>,
    /// Macros of the project.
    pub project: BuildSettings,
    /// What all packages are built with that say nothing else.
    pub defaults: Layer,
    /// Profiles.
    pub profiles: Vec<Profile>,
    /// Those that hold, what is nearest last.
    pub chosen_profiles: Vec<usize>,
    /// Packages, in the order of their declaration.
    pub packages: Vec<Package>,
    /// Chroots.
    pub chroots: Vec<Chroot>,
    /// What has no effect yet, with the places that say it.
    pub not_yet: Vec<Spanned<String>>,
    /// Batches.
    pub batches: Vec<Batch>,
    /// What a failure does to builds that do not depend on it.
    pub on_failure: OnFailure,
    /// How empty roots begin.
    pub bootstrap: Bootstrap,
    /// Where repositories are written, if the manifest says so.
    pub publish: Option<PublishDecl>,
    /// Shared results.
    pub cache: Option<CacheDecl>,
    /// Other places for files of sources.
    pub mirrors: Vec<MirrorDecl>,
    /// Remote workers.
    pub remote: Option<RemoteDecl>,
    /// Mass rebuilds.
    pub rebuilds: Vec<RebuildDecl>,
}

/// A package to build.
#[derive(Debug)]
pub struct Package {
    /// Its name, and where it is declared.
    pub name: Spanned<String>,
    /// Where it comes from.
    pub source: Source,
    /// Where its new versions come up.
    pub upstream: Option<UpstreamDecl>,
    /// Where it is built.
    pub chroots: Vec<ChrootId>,
    /// Packages that come before it, with where that is said.
    pub after: Vec<Spanned<PackageId>>,
    /// The batch that it belongs to.
    pub batch: Option<BatchId>,
    /// Who builds it.
    pub engine: EngineChoice,
    /// How it is kept apart.
    pub isolation: Isolation,
    /// Whether it may reach the network.
    pub network: Network,
    /// Whether it is said that it may not, as it may not where nothing is said.
    pub is_denied_network: bool,
    /// How long it may take.
    pub timeout: Duration,
    /// How often it is tried again.
    pub retries: u32,
    /// What it waits for.
    pub priority: Priority,
    /// What it is built with.
    pub layer: Layer,
}

/// Where a package comes from.
#[derive(Debug)]
pub struct Source {
    /// The kind, never a reference to a named source.
    pub kind: SourceKind,
    /// Files that do not lie beside the spec.
    pub files: Vec<FileDecl>,
    /// Files of the keys that its signatures have to be made with, where any are named.
    pub keyrings: Vec<Spanned<ManifestPath>>,
    /// Tokens that its servers are shown.
    pub tokens: Vec<BearerToken>,
    /// What a program that makes it is run with.
    pub making: Making,
    /// Where it is written.
    pub place: Place,
}

/// What a program that makes a source is run with.
#[derive(Debug, Default)]
pub struct Making {
    /// The chroot that it runs in, where one is named.
    pub chroot: Option<ChrootId>,
    /// What the root has for it.
    pub needs: Vec<Dependency>,
    /// Whether it may reach the network.
    pub network: Network,
    /// How long it may take, where that is said.
    pub timeout: Option<Duration>,
    /// Variables of its environment.
    pub environment: BTreeMap<String, Value>,
}

/// A root to build in.
#[derive(Debug)]
pub struct Chroot {
    /// Its name.
    pub name: Spanned<String>,
    /// Its architecture, if it is not the machine's.
    pub arch: Option<String>,
    /// The rpm whose language its specs are in, if it is not that of the root.
    pub rpm: Option<RpmVersion>,
    /// What it is made from.
    pub base: RootBase,
    /// What is in its minimal root.
    pub install: Vec<Spanned<String>>,
    /// Whether packages bring what they recommend.
    pub weak_dependencies: bool,
    /// Variables of its repositories' addresses.
    pub variables: BTreeMap<String, String>,
    /// What is built with in it.
    pub settings: BuildSettings,
}

/// What a root is made from.
#[derive(Debug)]
pub enum RootBase {
    /// Packages of repositories.
    Repositories(Vec<RepositoryDecl>),
    /// A root that exists.
    Folder(Spanned<ManifestPath>),
    /// A root that somebody else made.
    Image(Spanned<ImageDecl>),
}

/// Packages that are built together.
#[derive(Debug)]
pub struct Batch {
    /// Its name.
    pub name: Spanned<String>,
    /// Its packages.
    pub members: Vec<PackageId>,
    /// The batches before it.
    pub after: Vec<AfterBatch>,
    /// What its packages are built with.
    pub layer: Layer,
}

/// That a batch comes after another.
#[derive(Debug)]
pub struct AfterBatch {
    /// The other, and where that is said.
    pub batch: Spanned<BatchId>,
    /// Whether it starts even if builds of the other have failed.
    pub even_if_failed: bool,
    /// Whether it waits for the other in all chroots.
    pub across: Across,
}

impl Package {
    /// The chroot whose root its source is made in, where a program makes it.
    pub fn source_chroot(&self) -> Option<ChrootId> {
        let is_made = match &self.source.kind {
            SourceKind::Custom { .. } => true,
            SourceKind::Repository { method, .. } => method.as_deref() == Some(MAKE_SRPM),
            SourceKind::Path(_)
            | SourceKind::Url { .. }
            | SourceKind::Distgit { .. }
            | SourceKind::Registry { .. }
            | SourceKind::Published { .. }
            | SourceKind::Build(_)
            | SourceKind::Named(_) => false,
        };
        self.source.making.chroot.or_else(|| self.chroots.first().copied()).filter(|_| is_made)
    }
}

impl Manifest {
    /// The package `id`.
    ///
    /// # Panics
    /// If `id` is of another manifest.
    pub fn package(&self, id: PackageId) -> &Package {
        &self.packages[id.0]
    }

    /// All tokens that servers are shown.
    pub fn tokens(&self) -> Vec<BearerToken> {
        let of_roots = self.chroots.iter().flat_map(|chroot| match &chroot.base {
            RootBase::Repositories(repositories) => repositories.as_slice(),
            RootBase::Folder(_) | RootBase::Image(_) => &[],
        });
        let of_roots = of_roots.flat_map(|repository| &repository.tokens);
        self.packages.iter().flat_map(|package| &package.source.tokens).chain(of_roots).cloned().collect()
    }

    /// The chroot `id`.
    ///
    /// # Panics
    /// If `id` is of another manifest.
    pub fn chroot(&self, id: ChrootId) -> &Chroot {
        &self.chroots[id.0]
    }

    /// What is said of a package in a chroot: the levels of the manifest, the nearest last.
    fn said(
        &self,
        package: PackageId,
        chroot: ChrootId,
    ) -> impl Iterator<Item = (&BuildSettings, Option<&str>)> {
        let batch = self.package(package).batch.map(|id| &self.batches[id.0].layer);
        let profiles = self.chosen_profiles.iter().filter_map(|index| self.profiles.get(*index));
        let above = batch.into_iter().chain([&self.package(package).layer]);
        let above = above.chain(profiles.map(|profile| &profile.layer));
        let all = |settings| (settings, None);
        std::iter::once(all(&self.project))
            .chain(self.defaults.of_chroot(chroot))
            .chain(std::iter::once(all(&self.chroot(chroot).settings)))
            .chain(above.flat_map(move |layer| layer.of_chroot(chroot)))
    }

    /// What a package is built with in a chroot: the levels of the manifest, the nearest last, and `over` (from
    /// the command line) above all.
    pub fn settings(&self, package: PackageId, chroot: ChrootId, over: &[MacroSetting]) -> Settings {
        let mut macros: BTreeMap<&str, &MacroSetting> = BTreeMap::new();
        let mut conditions: BTreeMap<&str, &Condition> = BTreeMap::new();
        let mut environment = BTreeMap::new();
        let mut build_requires = BTreeSet::new();
        for (said, _) in self.said(package, chroot) {
            macros.extend(said.macros.iter().map(|placed| (placed.setting.name.as_str(), &placed.setting)));
            conditions.extend(said.conditions.iter().map(|condition| (condition.name(), condition)));
            environment.extend(said.environment.clone());
            build_requires.extend(said.build_requires.iter().cloned());
        }
        macros.extend(over.iter().map(|setting| (setting.name.as_str(), setting)));
        let chroot = self.chroot(chroot);
        Settings {
            target: chroot.arch.clone(),
            rpm: chroot.rpm,
            macros: macros.into_values().cloned().collect(),
            conditions: conditions.into_values().cloned().collect(),
            environment,
            isolation: match (self.package(package).isolation, self.package(package).network) {
                (Isolation::None, _) => crate::engine::Isolation::None,
                (Isolation::Namespaces, Network::Denied) => crate::engine::Isolation::Sandbox,
                (Isolation::Namespaces, Network::Allowed) => crate::engine::Isolation::SandboxWithNetwork,
            },
            build_requires: build_requires.into_iter().collect(),
        }
    }

    /// How much the build of a package in a chroot may take.
    pub fn limits(&self, package: PackageId, chroot: ChrootId) -> BuildLimits {
        let said = self.said(package, chroot).map(|(said, _)| said.limits);
        said.fold(BuildLimits::default(), BuildLimits::overridden_by)
    }

    /// Where the value is said that a macro of the manifest has for a package in a chroot: `on "el9*"`, if it is said of
    /// some chroots only, and the place.
    pub fn macro_place(
        &self,
        package: PackageId,
        chroot: ChrootId,
        name: &str,
    ) -> Option<(Option<&str>, &Place)> {
        let said =
            self.said(package, chroot).flat_map(|(said, on)| said.macros.iter().map(move |it| (it, on)));
        let nearest = said.filter(|(placed, _)| placed.setting.name == name).last();
        nearest.map(|(placed, on)| (on, &placed.place))
    }

    /// The folder that a chroot's repository is written to.
    pub fn publish_folder(&self, chroot: &Chroot) -> ManifestPath {
        match &self.publish {
            None => ManifestPath::Repository(["public", &chroot.name].iter().collect()),
            Some(publish) => publish.folder.value.with_chroot(&chroot.name),
        }
    }
}
