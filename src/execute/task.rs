//! One build on its way through its steps.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Settings;
use crate::event::BuildName;
use crate::files::{Folder, HostPath};
use crate::plan::{Ingredients, Inputs};
use crate::store::ResultFile;

/// The time of packages whose spec has no changelog: 1980-01-01, the earliest that zip files can hold.
const NO_CHANGELOG: u64 = 315_532_800;

/// Everything that a runner needs to know of a build.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub name: BuildName,
    pub inputs: Arc<Inputs>,
    pub settings: Settings,
    pub ingredients: Ingredients,
    pub timeout: Duration,
    /// Packages of other builds that belong into the root.
    pub dependencies: Vec<ResultFile>,
    /// Its result folder: logs are written there as they come.
    pub results: HostPath,
    /// Its work folder. It depends on nothing that changes from build to build, because its path gets into what
    /// compilers write.
    pub work: HostPath,
}

impl Task {
    /// `SOURCE_DATE_EPOCH` of its packages.
    pub fn epoch(&self) -> u64 {
        self.inputs.facts.changelog_time.unwrap_or(NO_CHANGELOG)
    }

    /// The log that everything printed goes to.
    pub fn log(&self) -> HostPath {
        self.results.join("build.log")
    }

    /// Opens its result folder.
    pub fn results_folder(&self) -> std::io::Result<Folder> {
        Folder::create_ambient(&self.results)
    }
}
