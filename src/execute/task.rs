//! One build on its way through its steps.

use std::sync::Arc;
use std::time::Duration;

use crate::chroot::RootIdentity;
use crate::digest::Key;
use crate::engine::{Isolation, Settings, Variations};
use crate::event::BuildName;
use crate::files::{Folder, HostPath, RootPath};
use crate::package::Dependency;
use crate::plan::{Ingredients, Inputs, Reason, RootWish};
use crate::process::SandboxLimits;
use crate::store::ResultFile;

/// The time of packages whose spec has no changelog: 1980-01-01, the earliest that zip files can hold.
const NO_CHANGELOG: u64 = 315_532_800;

/// A build whose dependencies are known as far as its next step needs them.
#[derive(Clone, Debug)]
pub struct ScheduledBuild {
    /// Its name.
    pub name: BuildName,
    /// What goes into it.
    pub inputs: Arc<Inputs>,
    /// What its key is made from.
    pub ingredients: Ingredients,
    /// Its key.
    pub key: Key,
    /// How long each of its steps may take.
    pub timeout: Duration,
    /// How much it may take, in a sandbox.
    pub limits: SandboxLimits,
    /// Packages of other builds that belong into the root.
    pub dependencies: Vec<ResultFile>,
    /// Why it is built, if it is.
    pub reasons: Vec<Reason>,
}

impl ScheduledBuild {
    /// Whether it is built where its result is there already.
    pub fn is_forced(&self) -> bool {
        self.reasons.contains(&Reason::Forced)
    }

    /// Whether it makes the packages that the manifest means now: neither an earlier build again, nor its source package alone.
    pub fn is_of_manifest(&self) -> bool {
        self.inputs.rebuild.is_none() && !self.reasons.contains(&Reason::SourcePackage)
    }

    /// The same in a root with what it has named while it ran.
    pub fn with_root(&self, named: Vec<Dependency>, wish: RootWish, root: RootIdentity) -> Self {
        let mut inputs = self.inputs.as_ref().clone();
        inputs.generated.push(named);
        (inputs.wish, inputs.root) = (Some(wish), root);
        let ingredients = Ingredients { root, ..self.ingredients.clone() };
        Self { inputs: Arc::new(inputs), key: ingredients.key(), ingredients, ..self.clone() }
    }

    /// What it is built with.
    pub fn settings(&self) -> &Settings {
        &self.ingredients.settings
    }

    /// What about it is another than usual.
    pub fn variations(&self) -> Variations {
        self.inputs.rebuild.as_ref().map(|rebuild| rebuild.variations.clone()).unwrap_or_default()
    }

    /// `SOURCE_DATE_EPOCH` of its packages.
    pub fn epoch(&self) -> u64 {
        self.inputs.facts.changelog_time.unwrap_or(NO_CHANGELOG)
    }
}

/// A build that has its number, for who runs a step of it.
#[derive(Clone, Debug)]
pub struct Task {
    /// What is built.
    pub build: Arc<ScheduledBuild>,
    /// Its result folder: logs are written there as they come.
    pub results: HostPath,
    /// Its work folder. It depends on nothing that changes from build to build, because its path gets into what
    /// compilers write.
    pub work: HostPath,
}

impl Task {
    /// The log that everything printed goes to.
    pub fn log(&self) -> HostPath {
        self.results.join("build.log")
    }

    /// The folder that it works in, on the machine: the work folder itself, or, in a sandbox, one beside what else is there
    /// for the sandbox.
    pub fn top(&self) -> HostPath {
        top_in(&self.work, self.build.settings().isolation)
    }

    /// Where builds see [`Task::top`]: in a sandbox all at the same place, whatever project they are of.
    pub fn top_in_root(&self) -> Option<RootPath> {
        top_in_root(&self.work, self.build.settings().isolation, self.build.variations().folder())
    }

    /// The same where its source package is made, which holds what the spec expands to, that path included: as usual.
    pub fn usual_top_in_root(&self) -> Option<RootPath> {
        top_in_root(&self.work, self.build.settings().isolation, None)
    }

    /// Opens its result folder.
    ///
    /// # Errors
    /// The folder can't be made or opened.
    pub fn results_folder(&self) -> std::io::Result<Folder> {
        Folder::create_ambient(&self.results)
    }
}

/// The folder that a build works in, of the work folder that it has.
pub(super) fn top_in(work: &HostPath, isolation: Isolation) -> HostPath {
    match isolation.is_sandbox() {
        true => work.join("builddir"),
        false => work.clone(),
    }
}

/// Where the build sees [`top_in`]; in a sandbox possibly elsewhere than usual.
pub(super) fn top_in_root(
    work: &HostPath,
    isolation: Isolation,
    elsewhere: Option<&str>,
) -> Option<RootPath> {
    match isolation.is_sandbox() {
        true => RootPath::new(elsewhere.unwrap_or("/builddir")),
        false => RootPath::in_own_root(work),
    }
}
