//! Manifest → a graph of steps, each with a key that names everything its result depends on.
//!
//! [`inspect`] gathers what the manifest's packages are (the one part with effects); [`Plan::new`] makes the graph of
//! them, [`Plan::decide`] says of each build whether it is there already, and if not, why it must be made.

#![warn(clippy::wildcard_enum_match_arm)]

mod barrier;
mod build_maker;
mod build_order;
mod circle;
mod contents;
mod decide;
mod draft;
mod error;
mod gathered;
mod graph;
mod ingredients;
mod inspect;
mod inspector;
mod observed;
mod order;
mod providers;
mod questions;
mod reason;
mod rebuild;
mod requirements;
mod root_packages;
mod same_package;
mod spec_place;
mod spec_texts;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::ByteSlice;
use petgraph::graph::{DiGraph, NodeIndex};

pub use build_maker::CARRIAGE_RETURNS;
pub use contents::{Results, dependency_files};
pub use decide::{Decision, Decisions};
pub use error::PlanError;
pub use graph::Circles;
pub use ingredients::Ingredients;
pub use inspect::{Inspection, inspect};
pub use inspector::{Inspector, OpenRoot, OpenRoots};
pub use reason::{DigestChange, Reason};
pub use rebuild::Rebuild;
pub use root_packages::{RootWish, refuse_root};

use crate::chroot::RootIdentity;
use crate::digest::Digest;
use crate::engine::{EngineIdentity, Facts, FactsRequest, SOURCES_FOLDER, Settings, SpecReader, Validity};
use crate::event::BuildName;
use crate::macros::Observation;
use crate::manifest::{BatchId, ChrootId, PackageId};
use crate::package::Dependency;
use crate::source::InputFile;
use crate::store::Blob;
use crate::text::{Located, Place};

/// A build's place in [`Plan::builds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId(pub usize);

/// One package in one chroot.
#[derive(Debug)]
pub struct Build {
    /// Its name.
    pub name: BuildName,
    /// The package.
    pub package: PackageId,
    /// The chroot.
    pub chroot: ChrootId,
    /// What it is built with.
    pub settings: Settings,
    /// What can be done with it.
    pub fate: Fate,
    /// What its source package can be made of where its packages can't be built, because what they need can't be had.
    pub unbuilt: Option<Arc<Inputs>>,
    /// `Name` of its spec, where that can be read.
    pub spec_name: Option<String>,
    /// What its spec says that may not be meant.
    pub warnings: Vec<Located<PlanError>>,
}

/// What can be done with a build.
#[derive(Debug)]
pub enum Fate {
    /// It can be built.
    Buildable(Arc<Inputs>),
    /// It is not meant to be built here: in a sentence, why.
    RuledOut(String),
    /// It asks for something that this forge does not carry out yet: in a sentence, what.
    NotYet(String),
    /// It can't be built, whatever the engine does: every reason, at its place.
    Impossible(Vec<Arc<Located<PlanError>>>),
}

/// Everything that goes into a build, but for what other builds make.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// What the spec says.
    pub facts: Facts,
    /// The spec.
    pub spec: InputFile,
    /// What its `%generate_buildrequires` has named beside what the spec says: what it named at first, and what it named more
    /// each time when that was there.
    pub generated: Vec<Vec<Dependency>>,
    /// The files that it names, by name.
    pub sources: Vec<InputFile>,
    /// What the reading of the spec saw of the world, beside these files.
    pub observed: Observed,
    /// The root that it is built in.
    pub root: RootIdentity,
    /// The engine.
    pub engine: EngineIdentity,
    /// What it needs that the repositories of its root have, where that is made of packages.
    pub wish: Option<RootWish>,
    /// The earlier build that is made again, if this is such.
    pub rebuild: Option<Arc<Rebuild>>,
}

/// What the reading of a spec saw of the world beside the spec and its sources.
#[derive(Clone, Debug)]
pub struct Observed {
    /// How it was read.
    pub request: FactsRequest,
    /// What was seen.
    pub observations: Vec<Observation>,
    /// The same by name: the file or command, with the digest of what it held or answered.
    pub by_name: BTreeMap<String, Digest>,
    /// The digest of what the spec says.
    pub facts: Digest,
    /// The digest of the text that the spec expands to, where observations can't tell all that it depends on.
    pub expanded: Option<Digest>,
}

impl Observed {
    /// The files and folders that were looked at; `sources` is the folder of the spec.
    pub fn paths(&self, sources: &Path) -> impl Iterator<Item = PathBuf> {
        let path = |seen: &Observation| match seen {
            Observation::File(path, _)
            | Observation::Start(path, _, _)
            | Observation::Exists(path, _)
            | Observation::Folder(path, _)
            | Observation::Status(path, _, _)
            | Observation::Link(path, _) => Some(path.to_path_lossy().into_owned()),
            Observation::Glob(..)
            | Observation::Command(..)
            | Observation::Architecture(_)
            | Observation::Variable(..)
            | Observation::Machine(_)
            | Observation::Run => None,
        };
        self.observations.iter().filter_map(path).map(move |path| match path.strip_prefix(SOURCES_FOLDER) {
            Ok(below) => sources.join(below),
            Err(_) => path,
        })
    }

    /// The name of something that is not as it was seen any more, if there is such a thing. Commands are not run once more.
    pub fn first_change(&self, reader: &dyn SpecReader) -> Option<String> {
        let has_changed = |seen: &&Observation| {
            reader.check_validity(&self.request, std::slice::from_ref(*seen)) == Validity::Changed
        };
        self.observations.iter().find(has_changed).map(observed::name)
    }
}

impl Build {
    /// What its source package is made of, which takes nothing of what its packages need; nothing where its spec can't be read, or
    /// a source can't be had.
    pub fn source_inputs(&self) -> Option<&Arc<Inputs>> {
        match &self.fate {
            Fate::Buildable(inputs) => Some(inputs),
            Fate::Impossible(_) => self.unbuilt.as_ref(),
            Fate::RuledOut(_) | Fate::NotYet(_) => None,
        }
    }

    /// Has it that its packages can't be built.
    fn refuse(&mut self, errors: Vec<Arc<Located<PlanError>>>) {
        if let Fate::Buildable(inputs) = std::mem::replace(&mut self.fate, Fate::Impossible(errors)) {
            self.unbuilt = Some(inputs);
        }
    }
}

impl Inputs {
    /// What it needs to be built: what the spec says, what its `%generate_buildrequires` has named, and what the manifest adds.
    pub fn build_requires(&self) -> impl Iterator<Item = &Dependency> {
        self.stated_requires().chain(self.generated.iter().flatten())
    }

    /// What of it none of the earlier answers of `%generate_buildrequires` named.
    pub fn not_generated_before(&self, named: &[Dependency]) -> Vec<Dependency> {
        let is_new =
            |dependency: &&Dependency| !self.generated.iter().flatten().any(|known| known == *dependency);
        named.iter().filter(is_new).cloned().collect()
    }

    /// Whether what it is asked for is a package of an earlier build's root that is made again with it.
    pub fn brings(&self, dependency: &Dependency) -> bool {
        self.rebuild.as_ref().is_some_and(|rebuild| rebuild.brings(dependency))
    }

    /// What it needs to be built as far as the spec and the manifest say it.
    pub fn stated_requires(&self) -> impl Iterator<Item = &Dependency> {
        self.facts.build_requires.iter().chain(&self.observed.request.settings.build_requires)
    }

    /// The spec and the sources.
    pub fn files(&self) -> impl Iterator<Item = &InputFile> {
        std::iter::once(&self.spec).chain(&self.sources)
    }

    /// The sources that are executable, by name, and the spec as `SPECS/NAME` where it is: no source has such a name.
    pub fn executable_names(&self) -> BTreeSet<String> {
        let sources = self.sources.iter().filter(|file| file.is_executable).map(|file| file.name.clone());
        let spec = self.spec.is_executable.then(|| format!("SPECS/{}", self.spec.name));
        sources.chain(spec).collect()
    }

    /// The blobs of all files.
    pub fn blobs(&self) -> impl Iterator<Item = Blob> {
        self.files().map(|file| file.blob)
    }
}

/// A node of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Spec and sources are taken into the store.
    Fetch(BuildId),
    /// The source package is made.
    SourcePackage(BuildId),
    /// The packages are built.
    Build(BuildId),
    /// A batch may begin in a chroot. Its members wait for this one node, and what comes after the batch for its end, so that two
    /// batches cost as many edges as they have members, not the product of them.
    BatchStart(BatchInChroot),
    /// Every build of a batch in a chroot has ended.
    BatchEnd(BatchInChroot),
    /// A chroot's repository is brought up to date.
    Publish(ChrootId),
}

/// A batch in one chroot, where it is a barrier of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchInChroot {
    /// The batch.
    pub batch: BatchId,
    /// The chroot.
    pub chroot: ChrootId,
}

/// Why a step comes after another.
#[derive(Clone, Debug)]
pub enum Edge {
    /// It is the next one of the same build, or the publication of it.
    Next,
    /// It needs a package that the other builds: the dependency, in which way.
    Requires(Dependency),
    /// The manifest says `after`.
    After(Place),
    /// One is a build, the other the begin or the end of its batch.
    Member,
    /// Its batch comes after that batch.
    Batch {
        /// Whether it starts even if builds of the other have failed.
        even_if_failed: bool,
        /// Where that is said.
        place: Place,
    },
}

/// What the end of a step without a result means for one that comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// Nothing.
    Order,
    /// It is not built; where it is up to date, it stays so.
    Barrier,
    /// It can't be had.
    Result,
}

impl Edge {
    /// What the step asks of the one before it.
    pub fn demand(&self) -> Demand {
        match self {
            Self::Next | Self::Requires(_) => Demand::Result,
            Self::Member | Self::Batch { even_if_failed: false, .. } => Demand::Barrier,
            Self::After(_) | Self::Batch { even_if_failed: true, .. } => Demand::Order,
        }
    }
}

/// What is to be done, and in which order.
#[derive(Debug)]
pub struct Plan {
    /// The builds: packages in the order of the manifest, and for each its chroots.
    pub builds: Vec<Build>,
    /// The steps.
    pub graph: DiGraph<Step, Edge>,
    /// The node of each build's last step.
    nodes: Vec<NodeIndex>,
    /// For each build, those that it takes packages from.
    needs: Vec<Vec<BuildId>>,
    /// The steps, each after those that it comes after.
    order: Vec<NodeIndex>,
    /// The builds, in that order.
    sequence: Vec<BuildId>,
    /// What could not be checked, in sentences.
    notes: Vec<String>,
}

impl Plan {
    /// The build `id`.
    ///
    /// # Panics
    /// If `id` is of another plan.
    pub fn build(&self, id: BuildId) -> &Build {
        &self.builds[id.0]
    }

    /// The node of the step that makes a build's packages.
    ///
    /// # Panics
    /// If `id` is of another plan.
    pub fn node(&self, id: BuildId) -> NodeIndex {
        self.nodes[id.0]
    }

    /// The builds that a build takes packages from, because its spec requires them.
    ///
    /// # Panics
    /// If `id` is of another plan.
    pub fn needs(&self, id: BuildId) -> &[BuildId] {
        &self.needs[id.0]
    }

    /// What could not be checked, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// All builds.
    pub fn ids(&self) -> impl Iterator<Item = BuildId> + use<> {
        (0..self.builds.len()).map(BuildId)
    }

    /// All builds, each after those that it comes after.
    pub fn sequence(&self) -> &[BuildId] {
        &self.sequence
    }
}
