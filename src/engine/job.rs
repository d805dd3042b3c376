//! A job for an engine, and what comes of it.

use std::time::Duration;

use super::Settings;
use crate::event::StageTime;
use crate::files::HostPath;
use crate::package::Dependency;

/// What an engine is told to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The source package.
    SourcePackage,
    /// A source package that requires what `%generate_buildrequires` names, beside what the spec does.
    BuildRequires,
    /// The binary packages.
    Packages,
}

/// Everything that an engine needs for one build.
#[derive(Clone, Debug)]
pub struct Job {
    /// The spec.
    pub spec: HostPath,
    /// The folder that holds its sources.
    pub sources: HostPath,
    /// A folder of this job's own: whatever is built lies below it.
    pub top: HostPath,
    /// What to make.
    pub part: Part,
    /// What to build it with.
    pub settings: Settings,
    /// Folders to search before the root's own, for packages built here that the root does not have.
    pub search: Vec<(String, String)>,
    /// What each of those packages provides, files included.
    pub staged: Vec<Vec<Dependency>>,
    /// `SOURCE_DATE_EPOCH`: seconds since 1970; no time in a package is later than this.
    pub source_date_epoch: u64,
    /// How long it may take.
    pub timeout: Duration,
    /// Where all that is printed goes.
    pub log: HostPath,
}

/// Why a job stopped before it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The engine gave up.
    Failed {
        /// Why, in a sentence.
        cause: String,
    },
    /// Its time was up.
    TimedOut,
    /// It was told to end.
    Canceled,
}

/// What came of a job.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Packages: their files below the job's folder.
    Built {
        /// The package files.
        packages: Vec<HostPath>,
        /// The stages that it went through.
        stages: Vec<StageTime>,
    },
    /// Nothing.
    Stopped {
        /// Why.
        reason: StopReason,
        /// The stages that it went through; the last is the one that it stopped in.
        stages: Vec<StageTime>,
        /// The last lines of its output.
        tail: Vec<String>,
    },
}

/// Hears of the stages of a job.
pub trait StageListener: Send + Sync {
    /// A stage begins.
    fn stage(&self, name: &str);
}
