//! One build on its way through its steps.

use std::sync::Arc;
use std::time::Duration;

use crate::digest::Key;
use crate::engine::Settings;
use crate::event::BuildName;
use crate::files::{Folder, HostPath};
use crate::plan::{Ingredients, Inputs, Reason};
use crate::store::ResultFile;

/// The time of packages whose spec has no changelog: 1980-01-01, the earliest that zip files can hold.
const NO_CHANGELOG: u64 = 315_532_800;

/// A build whose dependencies are known as far as its next step needs them.
#[derive(Debug)]
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

    /// What it is built with.
    pub fn settings(&self) -> &Settings {
        &self.ingredients.settings
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

    /// Opens its result folder.
    ///
    /// # Errors
    /// The folder can't be made or opened.
    pub fn results_folder(&self) -> std::io::Result<Folder> {
        Folder::create_ambient(&self.results)
    }
}
