//! `engine native`: rpm's work done here.
//!
//! Whatever a spec can do happens in a worker: [`Native`] starts one for all specs that have to be read and one for each
//! build, and [`NativeReader`] is what reads there. Whether an earlier reading is still valid is told here as far as files tell
//! it, which runs nothing; what commands answered is asked again by the worker that reads, and only then is one started.

mod answer;
mod build;
mod databases;
mod facts;
mod observations;
mod own_rpm;
mod reader;
mod reading;
mod settings;
mod spec_reading;
mod work;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub use answer::{read_specs, tell_installed};
pub use build::{
    BuildListener, BuildProblem, BuildRequest, Goal, Order, Step, Unbuilt, build, extract_spec,
    install_source_package,
};
pub use observations::SOURCES_FOLDER;
pub(super) use observations::placeholders;
pub use reader::NativeReader;
pub use settings::define_settings;
pub use spec_reading::SpecReading;

use self::databases::{DatabaseKey, Databases, RootState, ask_installed};
use self::reading::Readings;
use super::limits::{ANSWER_TIME, READING_TIME};
use super::worker::{WorkerPlace, Workers};
use super::{
    BuildOrder, Engine, EngineError, EngineIdentity, EngineInRoot, FactsRequest, Hear, Installed,
    InstalledOrder, Job, Outcome, Part, Promise, Root, RootMacros, Settings, SpecOrder, SpecReader,
    StageListener, Validity,
};
use crate::files::{HostPath, RootPath};
use crate::macros::Observation;
use crate::process::{Cancel, Supervisor};

/// The engine.
#[derive(Clone, Debug)]
pub struct Native {
    workers: Workers,
    /// Where relative paths of specs begin, and their commands run.
    folder: HostPath,
}

/// The engine in a root: it starts the workers there.
#[derive(Debug)]
pub struct NativeInRoot {
    engine: Native,
    identity: EngineIdentity,
    /// Looks at files again.
    reader: NativeReader,
    databases: Databases,
}

impl Native {
    /// An engine whose workers are the binary at `forge`. Relative paths of specs begin in `folder`.
    pub fn new(supervisor: &Supervisor, forge: &HostPath, folder: &HostPath) -> Self {
        Self { workers: Workers::new(supervisor, forge), folder: folder.clone() }
    }
}

impl Engine for Native {
    fn in_root<'a>(&'a self, root: &'a Root) -> Promise<'a, Result<Arc<dyn EngineInRoot>, EngineError>> {
        Box::pin(async move {
            root.check_is_own()?;
            let reader = NativeReader::in_folder(&self.folder);
            let name = format!("native {} of rpm {}", env!("CARGO_PKG_VERSION"), reader.own_rpm());
            let identity = EngineIdentity::of_this_forge(name);
            let databases = Databases::default();
            Ok(Arc::new(NativeInRoot { engine: self.clone(), identity, reader, databases }) as Arc<_>)
        })
    }
}

impl NativeInRoot {
    fn place(&self, timeout: Duration) -> WorkerPlace<'_> {
        WorkerPlace { folder: &self.engine.folder, timeout }
    }

    /// What macros say of the root. A worker is asked once for all jobs.
    async fn state(&self, settings: &Settings, cancel: &Cancel) -> Result<RootState, EngineError> {
        let mut known = self.databases.known.lock().await;
        let database = DatabaseKey::new(settings);
        if let Some(state) = known.get(&database) {
            return Ok(*state);
        }
        let (names, macros) = (BTreeSet::new(), BTreeSet::new());
        let order = InstalledOrder { settings: settings.clone(), names, macros };
        let answer = ask_installed(&self.engine.workers, self.place(ANSWER_TIME), order, cancel).await?;
        let state = RootState::new(&answer);
        known.insert(database, state);
        Ok(state)
    }
}

impl SpecReader for NativeInRoot {
    fn identity(&self) -> &EngineIdentity {
        &self.identity
    }

    fn read<'a>(
        &'a self,
        orders: &'a [SpecOrder],
        cancel: &'a Cancel,
        hear: Hear<'a>,
    ) -> Promise<'a, Result<(), EngineError>> {
        Box::pin(async move {
            let folder = RootPath::in_own_root(&self.engine.folder);
            let (workers, place) = (&self.engine.workers, self.place(READING_TIME));
            Readings { workers, place, folder, orders, cancel }.read_all(hear).await
        })
    }

    fn check_validity(&self, request: &FactsRequest, observations: &[Observation]) -> Validity {
        let (commands, others): (Vec<_>, Vec<_>) =
            observations.iter().cloned().partition(Observation::runs_a_command);
        match self.reader.is_still_valid(request, &others) {
            false => Validity::Changed,
            true if commands.is_empty() => Validity::Valid,
            true => Validity::DependsOn(commands),
        }
    }

    fn installed<'a>(
        &'a self,
        settings: &'a Settings,
        names: &'a BTreeSet<String>,
        cancel: &'a Cancel,
    ) -> Promise<'a, Result<Installed, EngineError>> {
        Box::pin(async move {
            let macros = BTreeSet::new();
            let order = InstalledOrder { settings: settings.clone(), names: names.clone(), macros };
            let place = self.place(ANSWER_TIME);
            let answer = ask_installed(&self.engine.workers, place, order, cancel).await?;
            let mut known = self.databases.known.lock().await;
            known.insert(DatabaseKey::new(settings), RootState::new(&answer));
            Ok(answer.packages)
        })
    }

    fn macros_in_root<'a>(
        &'a self,
        target: Option<&'a str>,
        names: &'a BTreeSet<String>,
        cancel: &'a Cancel,
    ) -> Promise<'a, Result<RootMacros, EngineError>> {
        Box::pin(async move {
            let settings = Settings { target: target.map(str::to_owned), ..Settings::default() };
            let order = InstalledOrder { settings, names: BTreeSet::new(), macros: names.clone() };
            let answer = ask_installed(&self.engine.workers, self.place(ANSWER_TIME), order, cancel).await?;
            Ok(answer.macros)
        })
    }
}

impl EngineInRoot for NativeInRoot {
    fn run<'a>(
        &'a self,
        job: &'a Job,
        cancel: &'a Cancel,
        stages: &'a dyn StageListener,
    ) -> Promise<'a, Result<Outcome, EngineError>> {
        Box::pin(async move {
            let state = self.state(&job.spec.settings, cancel).await?;
            let checks_dependencies = job.spec.part == Part::Packages && state.has_packages;
            let mut spec = job.spec.clone();
            spec.settings.rpm = state.rpm;
            let order = BuildOrder { job: spec, checks_dependencies };
            work::run_job(&self.engine.workers, order, job, cancel, stages).await
        })
    }
}
