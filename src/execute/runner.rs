//! Who runs the steps of builds: this machine, or others.

use std::sync::Arc;

use super::ExecuteError;
use super::task::{ScheduledBuild, Task};
use crate::engine::{Promise, StageListener};
use crate::event::{Failure, StageTime};
use crate::package::Dependency;
use crate::plan::Inputs;
use crate::store::StepResult;

/// How a step ended that was run. That a build failed is no error of who ran it.
#[derive(Debug)]
pub enum StepRun<T> {
    /// It ended well, with what it made.
    Done(T),
    /// The build failed.
    Failed {
        /// Why.
        failure: Failure,
        /// The stages that it went through.
        stages: Vec<StageTime>,
    },
    /// It was ended before it was done.
    Canceled,
}

/// What came of asking a `%generate_buildrequires`. The work folder is left as it was then: the sources are prepared.
#[derive(Clone, Debug, Default)]
pub struct AskedRequires {
    /// What it named beside what the spec says.
    pub named: Vec<Dependency>,
    /// The stages that it took.
    pub stages: Vec<StageTime>,
}

/// A step as it runs.
pub type RunningStep<'a, T> = Promise<'a, Result<StepRun<T>, ExecuteError>>;

/// Runs the steps of builds. It keeps to a build's timeout, and ends what runs when the apply is canceled.
pub trait Runner: Send + Sync {
    /// Takes a build's spec and sources to where its other steps find them.
    fn fetch<'a>(&'a self, inputs: &'a Arc<Inputs>) -> RunningStep<'a, ()>;

    /// Makes the source package.
    fn make_source_package<'a>(
        &'a self,
        task: &'a Task,
        listener: &'a dyn StageListener,
    ) -> RunningStep<'a, Arc<StepResult>>;

    /// Asks the `%generate_buildrequires` of a spec what the build needs, and remembers it for the next plan. `%prep` is not run
    /// again where the tree is there that it was asked in before.
    fn ask_build_requires<'a>(
        &'a self,
        task: &'a Task,
        listener: &'a dyn StageListener,
    ) -> RunningStep<'a, AskedRequires>;

    /// Chooses the packages of a root with what its build has `named` while it ran; gives the build as it is in that root.
    fn extend_root<'a>(
        &'a self,
        task: &'a Task,
        named: Vec<Dependency>,
    ) -> Promise<'a, Result<ScheduledBuild, ExecuteError>>;

    /// Builds the packages. `source` is the source package, which becomes part of the result. What was `asked` in the same
    /// work folder just before has run `%prep`, which is not run again, as mock does it.
    fn build_packages<'a>(
        &'a self,
        task: &'a Task,
        source: &'a StepResult,
        asked: Option<AskedRequires>,
        listener: &'a dyn StageListener,
    ) -> RunningStep<'a, Arc<StepResult>>;
}
