//! The manifest as resolved: every name stands for something, every pattern has been applied, nothing is half filled.

use std::collections::BTreeMap;
use std::time::Duration;

use super::declaration::{
    Bootstrap, CacheDecl, EngineChoice, FileDecl, Isolation, MacroDecl, Network, OnFailure, Priority,
    PublishDecl, RebuildDecl, RemoteDecl, RepositoryDecl, SourceKind, VariableDecl,
};
use super::manifest_path::ManifestPath;
use crate::engine::{Condition, MacroLevel, MacroSetting, Settings, Value};
use crate::macros::RpmVersion;
use crate::text::{Place, Spanned};

/// A package's place in [`Manifest::packages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId(pub usize);

/// A chroot's place in [`Manifest::chroots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChrootId(pub usize);

/// A batch's place in [`Manifest::batches`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub usize);

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
    pub macros: Vec<MacroSetting>,
    /// Packages, in the order of their declaration.
    pub packages: Vec<Package>,
    /// Chroots.
    pub chroots: Vec<Chroot>,
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
    /// How long it may take.
    pub timeout: Duration,
    /// How often it is tried again.
    pub retries: u32,
    /// What it waits for.
    pub priority: Priority,
    /// Its own macros.
    pub macros: Vec<MacroSetting>,
    /// Its build conditions.
    pub conditions: Vec<Condition>,
    /// Its environment variables.
    pub environment: BTreeMap<String, Value>,
}

/// Where a package comes from.
#[derive(Debug)]
pub struct Source {
    /// The kind, never a reference to a named source.
    pub kind: SourceKind,
    /// Files that do not lie beside the spec.
    pub files: Vec<FileDecl>,
    /// Where it is written.
    pub place: Place,
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
    pub install: Vec<String>,
    /// Environment variables of its builds.
    pub environment: BTreeMap<String, Value>,
    /// Its macros.
    pub macros: Vec<MacroSetting>,
}

/// What a root is made from.
#[derive(Debug)]
pub enum RootBase {
    /// Packages of repositories.
    Repositories(Vec<RepositoryDecl>),
    /// A root that exists.
    Folder(Spanned<ManifestPath>),
    /// A root that somebody else made.
    Image(Spanned<String>),
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
    /// Macros of its packages.
    pub macros: Vec<MacroSetting>,
}

/// That a batch comes after another.
#[derive(Debug)]
pub struct AfterBatch {
    /// The other, and where that is said.
    pub batch: Spanned<BatchId>,
    /// Whether it starts even if builds of the other have failed.
    pub even_if_failed: bool,
}

impl Manifest {
    /// The package `id`.
    ///
    /// # Panics
    /// If `id` is of another manifest.
    pub fn package(&self, id: PackageId) -> &Package {
        &self.packages[id.0]
    }

    /// The chroot `id`.
    ///
    /// # Panics
    /// If `id` is of another manifest.
    pub fn chroot(&self, id: ChrootId) -> &Chroot {
        &self.chroots[id.0]
    }

    /// What a package is built with in a chroot: the levels of the manifest, the nearest last, and `over` (from
    /// the command line) above all.
    pub fn settings(&self, package: &Package, chroot: &Chroot, over: &[MacroSetting]) -> Settings {
        let batch = package.batch.map(|id| self.batches[id.0].macros.as_slice()).unwrap_or_default();
        let levels = [&self.macros, &chroot.macros, batch, &package.macros, over];
        let mut macros: BTreeMap<&str, &MacroSetting> = BTreeMap::new();
        for setting in levels.into_iter().flatten() {
            macros.insert(&setting.name, setting);
        }
        let mut conditions: BTreeMap<&str, &Condition> = BTreeMap::new();
        for condition in &package.conditions {
            conditions.insert(condition.name(), condition);
        }
        let mut environment = chroot.environment.clone();
        environment.extend(package.environment.clone());
        Settings {
            target: chroot.arch.clone(),
            rpm: chroot.rpm,
            macros: macros.into_values().cloned().collect(),
            conditions: conditions.into_values().cloned().collect(),
            environment,
        }
    }

    /// The folder that a chroot's repository is written to.
    pub fn publish_folder(&self, chroot: &Chroot) -> ManifestPath {
        match &self.publish {
            None => ManifestPath::Repository(["public", &chroot.name].iter().collect()),
            Some(publish) => publish.folder.value.with_chroot(&chroot.name),
        }
    }
}

/// Macros of one level.
pub(super) fn macro_settings(decls: &[MacroDecl], level: MacroLevel) -> Vec<MacroSetting> {
    decls.iter().map(|decl| macro_setting(&decl.name, decl.body.clone(), level)).collect()
}

/// Variables by name.
pub(super) fn variables(decls: &[VariableDecl]) -> BTreeMap<String, Value> {
    decls.iter().map(|decl| (decl.name.value.clone(), decl.value.clone())).collect()
}

/// Splits a macro's name as it is written, `configure_flag(n:)`, into name and options.
fn macro_setting(written: &str, body: Option<Value>, level: MacroLevel) -> MacroSetting {
    let (name, options) = match written.split_once('(') {
        Some((name, options)) => (name, Some(options.trim_end_matches(')').to_owned())),
        None => (written, None),
    };
    MacroSetting { name: name.to_owned(), options, body, level }
}
