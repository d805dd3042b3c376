//! A plan → results: what is ready runs, the longest way to the end first; what fails takes along only what needs it.
//!
//! Three parts know nothing of one another: the graph says what can run and what a failure blocks, and does nothing; a
//! [`Runner`] runs steps; the recorder writes down and tells what happened, on a thread of its own. The scheduler joins
//! them.

#![warn(clippy::wildcard_enum_match_arm)]

mod abandoned;
mod blocking;
mod build_listener;
mod damage;
mod failure;
mod graph;
mod import;
mod inputs_record;
mod kept_tree;
mod local;
mod made_root;
mod open_shells;
mod prepared;
mod recorder;
mod results;
mod runner;
mod scheduler;
mod secrets;
mod source_packages;
mod staging;
mod steps;
mod task;
mod urgency;
mod work_time;

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, reason = "a test picks what it looks at")]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

pub use abandoned::clear_abandoned;
pub use damage::{drops_damaged_results, name_damage};
pub use inputs_record::{InputsRecord, KeptInput, KeptPackage, read_root_record};
pub use kept_tree::kept_job;
pub use local::{LocalRunner, find_fake_time};
pub use open_shells::{HeldFolder, remove_ended_shells};
pub use prepared::PreparedTrees;
pub use results::{RESULTS_FOLDER, ResultPackage, ResultRecord, result_folder};
pub use runner::{AskedRequires, Runner, RunningStep, StepRun};
pub use scheduler::{Applied, BuildEnd, Execution, Publisher, execute};
pub use source_packages::{KnownSourcePackages, make_source_packages, schedule_source_package};
pub use staging::{StagingPlace, unpack_packages};
pub use task::{ScheduledBuild, Task};

use crate::chroot::making::RootError;
use crate::engine::EngineError;
use crate::package::PackageError;
use crate::source::SourceError;
use crate::store::StoreError;

/// What stops a step, or the whole apply, for reasons that no build has made.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ExecuteError {
    /// The engine can't work.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(#[from] EngineError),
    /// The store or the history can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// A package that was built can't be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Package(#[from] PackageError),
    /// A source can't be taken in.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Source(#[from] SourceError),
    /// The root can't be made.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Root(Box<RootError>),
    /// A file was changed while forge was at work.
    #[error("`{file}` was changed while forge was at work")]
    #[diagnostic(
        code(forge::execute::changed),
        help("run `forge apply` again: it takes the file as it is now")
    )]
    Changed {
        /// The file.
        file: String,
    },
    /// A package is not any more what the build has written.
    #[error("{package} was changed after the build had written it: it is not kept")]
    #[diagnostic(
        code(forge::execute::package_changed),
        help(
            "a program that a script of the spec has left running can do that; end it before its section ends, and run \
             `forge apply` again"
        )
    )]
    PackageChanged {
        /// The package's file.
        package: String,
    },
    /// A package would give a secret away.
    #[error("{package} would hold the secret of {of}, in {place}: it is not kept")]
    #[diagnostic(
        code(forge::execute::holds_secret),
        help(
            "what a spec expands to is in its source package. Let a script read it from an environment variable \
             (`env {{ TOKEN (env)\"TOKEN\" }}` and `\"$TOKEN\"` in `%build`); a value that is no secret is written without \
             `(env)`, or given with `-D`"
        )
    )]
    HoldsSecret {
        /// The package's file.
        package: String,
        /// What has the secret, in words.
        of: String,
        /// The tag or file that it is in, in words.
        place: String,
    },
    /// The project's folders can't be used.
    #[error("{}", crate::files::reason(.0))]
    #[diagnostic(
        code(forge::execute::io),
        help("is there room on the disk, and may forge write to the project's folder?")
    )]
    Io(#[from] std::io::Error),
    /// A task ended without an answer, which is a bug of forge.
    #[error("a step ended without an answer: {0}")]
    #[diagnostic(
        code(forge::execute::bug),
        help("this is a bug of forge; other builds were not touched by it")
    )]
    Task(String),
}

/// Results by build, as they become known.
pub type Ends = HashMap<crate::plan::BuildId, Arc<BuildEnd>>;
