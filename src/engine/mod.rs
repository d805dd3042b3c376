//! The package build process, and the contract of those who carry it out.
//!
//! An [`Engine`] is opened for a [`Root`]; as an [`EngineInRoot`] it is asked for [`Facts`] of specs and is given [`Job`]s: it says
//! to a [`StageListener`] where it is and gives an [`Outcome`]. That a build failed is an outcome, not an error; an [`EngineError`] means that the engine could
//! not do its work at all. Engines know nothing of manifests, plans and stores.

#![warn(clippy::wildcard_enum_match_arm)]

mod complaints;
mod environment;
mod error;
mod facts;
mod identity;
mod installed;
mod job;
mod limits;
mod listed;
mod log_excerpt;
mod log_file;
mod macro_option;
mod mask;
mod masked_read;
mod native;
mod open_engines;
mod root;
mod root_memory;
mod rpmbuild;
mod scriptlets;
mod secret;
mod secret_key;
mod settings;
mod source_program;
mod stage_times;
mod surroundings;
mod value;
mod variation;
mod work_folder;
mod worker;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use complaints::PACKAGING;
pub use environment::{SYSTEM_PATH, environment};
pub use error::EngineError;
pub use facts::{ArchLimits, Facts, FactsRequest, Read, Reading, SourceReference, SubpackageFacts};
pub use identity::{EngineIdentity, FORGE_SOURCES};
pub use installed::{Installed, MacroInRoot, RootAnswer, RootMacros};
pub use job::{
    Begin, Job, JobSpec, Outcome, Part, StageListener, StopReason, Unmet, WrittenContent, WrittenPackage,
};
pub use macro_option::MacroOption;
pub use mask::{MASK, Mask, MaskedStream, SHORTEST_MASKED};
pub use native::{
    AutosignProblem, BuildListener, BuildProblem, BuildRequest, ElfFile, ElfQuestion, GeneratorProblem, Goal,
    Native, NativeReader, Order, PkgconfigQuestion, PythondistQuestion, PythondistRules, RootFiles,
    SHELL_BEGINNING, SOURCES_FOLDER, SpecReading, Step, Unbuilt, UnusualElf, UnusualPkgconfig,
    UnusualPythondist, build, define_settings, extract_spec, find_debuginfo, install_source_package,
    read_elf_dependencies, read_own_version, read_pkgconfig_dependencies, read_pythondist_dependencies,
    read_specs, run_policies, tell_installed,
};
pub use open_engines::EnginesInRoot;
pub use root::Root;
pub use root_memory::{RootMemory, RootState};
pub use rpmbuild::Rpmbuild;
pub use scriptlets::{
    Bytes, FilesLaid, OwnedFile, PlannedScript, ScriptletEnd, ScriptletKind, ScriptletListener, ScriptletRun,
    ScriptletWeight, ScriptletWork, ScriptletWorker, ScriptletsDone, run_scriptlets,
};
pub use secret::{Secret, SecretKey};
pub use settings::{Condition, Isolation, MacroLevel, MacroSetting, Settings};
pub use source_program::{SourceProgram, SourceProgramEnd, SourcePrograms};
pub use surroundings::{of_root as surroundings_of_root, of_scriptlets as surroundings_of_scriptlets};
pub use value::Value;
pub use variation::{FAKE_TIME_LIBRARIES, Variations, Varied};
pub use worker::{
    Asked, BuildOrder, Channel, FailedScript, InstalledOrder, Message, ReadOrder, Request, RequestError,
    ScriptletOrder, ScriptletProgress, SpecAnswer, SpecOrder, WORKER, WorkerEnd,
};

use crate::macros::Observation;
use crate::process::Cancel;
use crate::spec::SectionKind;

/// A future that an engine gives, so that engines of different types can stand behind one reference.
pub type Promise<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Receives the answer to each spec, by the spec's place among those that were to be read.
pub type Hear<'a> = &'a mut (dyn FnMut(usize, SpecAnswer) + Send);

/// Whether an earlier reading of a spec is still valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validity {
    /// It is.
    Valid,
    /// Something that it has seen is not so any more.
    Changed,
    /// That depends on what these commands answer now: they have to run.
    DependsOn(Vec<Observation>),
}

/// Knows the specs of a root.
pub trait SpecReader: Send + Sync {
    /// Which engine in which root it is, as keys hold it.
    fn identity(&self) -> &EngineIdentity;

    /// Reads specs, all by one process that is not this one; `hear` gets each answer as it comes. A spec that can't be read
    /// has an answer too.
    fn read<'a>(
        &'a self,
        orders: &'a [SpecOrder],
        cancel: &'a Cancel,
        hear: Hear<'a>,
    ) -> Promise<'a, Result<(), EngineError>>;

    /// Whether what was seen for a request would be the same now, as far as that can be told without running anything.
    fn check_validity(&self, request: &FactsRequest, observations: &[Observation]) -> Validity;

    /// The packages of the root that provide one of these names, or have a file of that name.
    fn installed<'a>(
        &'a self,
        settings: &'a Settings,
        names: &'a BTreeSet<String>,
        cancel: &'a Cancel,
    ) -> Promise<'a, Result<Installed, EngineError>>;

    /// Those of the macros that the root's files define for a target, without what settings say.
    fn macros_in_root<'a>(
        &'a self,
        target: Option<&'a str>,
        names: &'a BTreeSet<String>,
        cancel: &'a Cancel,
    ) -> Promise<'a, Result<RootMacros, EngineError>>;
}

/// A kind of engine.
pub trait Engine: Send + Sync {
    /// Opens it for a root: which engine it is can depend on what the root has.
    fn in_root<'a>(&'a self, root: &'a Root) -> Promise<'a, Result<Arc<dyn EngineInRoot>, EngineError>>;
}

/// An engine that is open for one root: it reads specs and builds packages there.
pub trait EngineInRoot: SpecReader {
    /// Builds; `stages` hears of every stage as it begins.
    fn run<'a>(
        &'a self,
        job: &'a Job,
        cancel: &'a Cancel,
        stages: &'a dyn StageListener,
    ) -> Promise<'a, Result<Outcome, EngineError>>;

    /// Writes into a job's folder, at `tmp/`[`SHELL_BEGINNING`], what stands in the script of a section before its own
    /// lines. What keeps it from doing so is given in words.
    fn write_shell_beginning<'a>(
        &'a self,
        job: &'a Job,
        section: SectionKind,
        cancel: &'a Cancel,
    ) -> Promise<'a, Result<Option<String>, EngineError>>;
}
