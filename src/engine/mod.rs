//! The package build process, and the contract of those who carry it out.
//!
//! An [`Engine`] is asked for a spec's [`Facts`] and is given [`Job`]s: it says to a [`StageListener`] where it is and gives an
//! [`Outcome`]. That a build failed is an outcome, not an error; an [`EngineError`] means that the engine could
//! not do its work at all. Engines know nothing of manifests, plans and stores.

mod complaints;
mod facts;
mod identity;
mod installed;
mod job;
mod limits;
mod listed;
mod mask;
mod masked_read;
mod native;
mod rpmbuild;
mod secret;
mod secret_key;
mod settings;
mod stage_times;
mod value;
mod work_folder;
mod worker;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use complaints::PACKAGING;
pub use facts::{ArchLimits, Facts, FactsRequest, Read, Reading, SourceReference, SubpackageFacts};
pub use identity::EngineIdentity;
pub use installed::Installed;
pub use job::{Job, JobSpec, Outcome, Part, StageListener, StopReason, Unmet};
pub use mask::{MASK, Mask, MaskedStream, SHORTEST_MASKED};
pub use native::{
    BuildListener, BuildProblem, BuildRequest, Goal, Native, Order, SOURCES_FOLDER, SpecReading, Step,
    Unbuilt, WORKER, build, environment, install_source_package, spec_of_archive,
};
pub use rpmbuild::{Rpmbuild, SYSTEM_PATH};
pub use secret::{Secret, SecretKey};
pub use settings::{Condition, MacroLevel, MacroSetting, Settings};
pub use value::Value;
pub use worker::{Asked, BuildOrder, Channel, Ended, FailedScript, Message, Request, RequestError};

use crate::macros::Observation;
use crate::process::{Cancel, ProcessError};

/// A future that an engine gives, so that engines of different types can stand behind one reference.
pub type Promise<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One who knows specs.
pub trait SpecReader: Send + Sync {
    /// Which one it is, as keys hold it.
    fn identity(&self) -> &EngineIdentity;

    /// What a spec says of itself under given settings.
    fn facts<'a>(
        &'a self,
        request: &'a FactsRequest,
        cancel: &'a Cancel,
    ) -> Promise<'a, Result<Read, EngineError>>;

    /// Whether what was learned for a request would be the same now.
    fn would_learn_again(&self, request: &FactsRequest, observations: &[Observation]) -> bool;

    /// The packages of the root that provide one of these names, or have a file of that name.
    fn installed(&self, settings: &Settings, names: &BTreeSet<String>) -> Installed;
}

/// One who builds packages.
pub trait Engine: SpecReader {
    /// Builds; `stages` hears of every stage as it begins.
    fn run<'a>(
        &'a self,
        job: &'a Job,
        cancel: &'a Cancel,
        stages: &'a dyn StageListener,
    ) -> Promise<'a, Result<Outcome, EngineError>>;
}

/// Why an engine can't work at all.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum EngineError {
    /// rpm is not on this machine.
    #[error(
        "`engine rpmbuild` needs the programs rpmspec and rpmbuild, and `{program}` is not on this machine"
    )]
    #[diagnostic(
        code(forge::engine::no_rpm),
        help(
            "install it: `apt-get install rpm` (Debian, Ubuntu), `dnf install rpm-build` (Fedora, RHEL), `zypper install rpm-build` (SUSE)"
        )
    )]
    NoRpm {
        /// The program that is missing.
        program: String,
    },
    /// rpm is there but does not answer as rpm does.
    #[error("`{program} --version` did not answer with a version: {answer}")]
    #[diagnostic(code(forge::engine::odd_rpm), help("is it rpm's own program? run the command by hand"))]
    OddRpm {
        /// The program.
        program: String,
        /// What it said.
        answer: String,
    },
    /// An engine that was made for reading.
    #[error("this engine was made to read specs, and not to build packages")]
    #[diagnostic(code(forge::engine::reads_only), help("this is a mistake in forge: please report it"))]
    ReadsOnly,
    /// A program can't be run.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Process(#[from] ProcessError),
    /// The work folder can't be used.
    #[error("the work folder can't be used: {}", crate::files::reason(.0))]
    #[diagnostic(
        code(forge::engine::work_folder),
        help("is there room on the disk, and may forge write there?")
    )]
    Io(#[from] std::io::Error),
}
