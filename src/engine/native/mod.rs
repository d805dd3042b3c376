//! `engine native`: rpm's work done here.
//!
//! Whatever a spec can do happens in a worker: [`Native`] starts one for all specs that have to be read and one for each
//! build, and [`NativeReader`] is what reads there. Whether an earlier reading is still valid is told here as far as files tell
//! it, which runs nothing; what commands answered is asked again by the worker that reads, and only then is one started.

mod answer;
mod build;
mod databases;
mod debuginfo;
mod elf_dependencies;
mod facts;
mod observations;
mod own_rpm;
mod pkgconfig_dependencies;
mod policies;
mod pythondist_dependencies;
mod reader;
mod reading;
mod settings;
mod spec_reading;
mod work;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use answer::{read_specs, tell_installed};
pub use build::{
    AutosignProblem, BuildListener, BuildProblem, BuildRequest, GeneratorProblem, Goal, Order, RootFiles,
    SHELL_BEGINNING, Step, Unbuilt, build, extract_spec, install_source_package,
};
pub use debuginfo::find_debuginfo;
pub use elf_dependencies::{ElfFile, ElfQuestion, UnusualElf, read_elf_dependencies};
pub use observations::SOURCES_FOLDER;
pub(super) use observations::placeholders;
use observations::{Lasting, lasting};
pub use own_rpm::read_own_version;
pub use pkgconfig_dependencies::{PkgconfigQuestion, UnusualPkgconfig, read_pkgconfig_dependencies};
pub use policies::run_policies;
pub use pythondist_dependencies::{
    PythondistQuestion, PythondistRules, UnusualPythondist, read_pythondist_dependencies,
};
pub use reader::NativeReader;
pub use settings::define_settings;
pub use spec_reading::SpecReading;

use self::databases::{DatabaseKey, Databases, ask_installed};
use self::reading::Readings;
use super::limits::ANSWER_TIME;
use super::surroundings::of_root;
use super::worker::{WorkerPlace, Workers};
use super::{
    BuildOrder, Engine, EngineError, EngineIdentity, EngineInRoot, FactsRequest, Hear, Installed,
    InstalledOrder, Isolation, Job, Outcome, Part, Promise, Root, RootAnswer, RootMacros, RootMemory,
    RootState, Settings, SpecOrder, SpecReader, StageListener, Validity,
};
use crate::files::{HostPath, RootPath};
use crate::macros::{Observation, RpmVersion};
use crate::process::{Cancel, Personality, Sandbox, Supervisor};
use crate::spec::SectionKind;

/// The engine.
#[derive(Clone, Debug)]
pub struct Native {
    workers: Workers,
    /// Where relative paths of specs begin, and their commands run.
    folder: HostPath,
    /// What is remembered of roots.
    memory: Option<Arc<dyn RootMemory>>,
}

/// The engine in a root: it starts the workers there.
#[derive(Debug)]
pub struct NativeInRoot {
    engine: Native,
    root: Root,
    identity: EngineIdentity,
    /// Looks at files again.
    reader: NativeReader,
    databases: Databases,
}

impl Native {
    /// An engine whose workers are the binary at `forge`; what is not to run on the machine itself runs in `sandbox`.
    /// Relative paths of specs begin in `folder`.
    pub fn new(
        supervisor: &Supervisor,
        forge: &HostPath,
        folder: &HostPath,
        sandbox: Arc<dyn Sandbox>,
    ) -> Self {
        let workers = Workers::new(supervisor, forge, sandbox);
        Self { workers, folder: folder.clone(), memory: None }
    }

    /// The engine, which asks roots that never change once: what they answer is kept in `memory`.
    #[must_use]
    pub fn remembering(self, memory: Arc<dyn RootMemory>) -> Self {
        Self { memory: Some(memory), ..self }
    }

    /// What macros say of a root.
    async fn find_state(
        &self,
        root: &Root,
        settings: &Settings,
        cancel: &Cancel,
    ) -> Result<RootState, EngineError> {
        let key = root.packages().map(|packages| DatabaseKey::new(settings).in_root_of(packages));
        let memory = self.memory.as_ref().zip(key);
        if let Some(state) = memory.as_ref().and_then(|(memory, key)| memory.recall_root(key)) {
            return Ok(state);
        }
        let (names, macros) = (BTreeSet::new(), BTreeSet::new());
        let order = InstalledOrder { settings: settings.clone(), names, macros };
        let state = RootState::new(&self.ask(root, order, cancel).await?)?;
        if let Some((memory, key)) = memory {
            memory.remember_root(&key, &state);
        }
        Ok(state)
    }

    /// Asks a worker of a root.
    async fn ask(
        &self,
        root: &Root,
        order: InstalledOrder,
        cancel: &Cancel,
    ) -> Result<RootAnswer, EngineError> {
        root.check_isolation(&order.settings)?;
        let inside = of_root(&order.settings, root);
        let place = WorkerPlace { folder: &self.folder, inside: inside.as_ref(), timeout: ANSWER_TIME };
        ask_installed(&self.workers, place, order, cancel).await
    }
}

impl Engine for Native {
    fn in_root<'a>(&'a self, root: &'a Root) -> Promise<'a, Result<Arc<dyn EngineInRoot>, EngineError>> {
        Box::pin(async move {
            let reader = NativeReader::in_folder(&self.folder);
            let rpm = match root.is_own() {
                true => reader.own_rpm(),
                false => {
                    let state = self.find_state(root, &root.settings_to_ask(), &Cancel::default()).await?;
                    state.rpm.unwrap_or(RpmVersion::NEWEST)
                }
            };
            let name = format!("native {} of rpm {rpm}", env!("CARGO_PKG_VERSION"));
            let identity = EngineIdentity::of_this_forge(name);
            let (engine, root, databases) = (self.clone(), root.clone(), Databases::default());
            Ok(Arc::new(NativeInRoot { engine, root, identity, reader, databases }) as Arc<_>)
        })
    }
}

impl NativeInRoot {
    /// Asks a worker of the root.
    async fn ask(&self, order: InstalledOrder, cancel: &Cancel) -> Result<RootAnswer, EngineError> {
        self.engine.ask(&self.root, order, cancel).await
    }

    /// What macros say of the root. A worker is asked once for all jobs.
    async fn state(&self, settings: &Settings, cancel: &Cancel) -> Result<RootState, EngineError> {
        let mut known = self.databases.known.lock().await;
        let database = DatabaseKey::new(settings);
        if let Some(state) = known.get(&database) {
            return Ok(*state);
        }
        let state = self.engine.find_state(&self.root, settings, cancel).await?;
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
            let (workers, here) = (&self.engine.workers, &self.engine.folder);
            for order in orders {
                self.root.check_isolation(&order.request.settings)?;
            }
            for isolation in [Isolation::None, Isolation::Sandbox, Isolation::SandboxWithNetwork] {
                for personality in [Personality::Own, Personality::Of32Bits] {
                    let (place, root) = ((isolation, personality), &self.root);
                    let readings =
                        Readings { workers, here, folder: folder.clone(), place, root, orders, cancel };
                    readings.read_all(hear).await?;
                }
            }
            Ok(())
        })
    }

    fn check_validity(&self, request: &FactsRequest, observations: &[Observation]) -> Validity {
        // What this process would be told of the machine is something else than what programs there are told.
        let other_machine = request.settings.personality().other_machine();
        let is_machine =
            |seen: &Observation| other_machine.is_some() && matches!(seen, Observation::Architecture(_));
        let is_other = |seen: &Observation| matches!(seen, Observation::Architecture(name) if Some(name.as_str()) != other_machine);
        if observations.iter().any(|seen| is_machine(seen) && is_other(seen)) {
            return Validity::Changed;
        }
        let observations: Vec<Observation> =
            observations.iter().filter(|seen| !is_machine(seen)).cloned().collect();
        // What is in another root is seen from within, but for what can't be different there.
        let (here, there): (Vec<_>, Vec<_>) = match (self.root.is_own(), self.root.packages()) {
            (true, _) => observations.iter().cloned().partition(|seen| !seen.runs_a_command()),
            (false, None) => (Vec::new(), observations),
            (false, Some(_)) => {
                let may_change = observations.iter().filter(|seen| lasting(seen) != Lasting::AsPackages);
                may_change.cloned().partition(|seen| lasting(seen) == Lasting::AsOutside)
            }
        };
        match self.reader.is_still_valid(request, &here) {
            false => Validity::Changed,
            true if there.is_empty() => Validity::Valid,
            true => Validity::DependsOn(there),
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
            let answer = self.ask(order, cancel).await?;
            // What was not answered is asked again before anything is built.
            if let Ok(state) = RootState::new(&answer) {
                self.databases.known.lock().await.insert(DatabaseKey::new(settings), state);
            }
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
            let settings = Settings { target: target.map(str::to_owned), ..self.root.settings_to_ask() };
            let order = InstalledOrder { settings, names: BTreeSet::new(), macros: names.clone() };
            Ok(self.ask(order, cancel).await?.macros)
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
            job.root.check_isolation(&job.spec.settings)?;
            let state = self.state(&job.spec.settings, cancel).await?;
            let checks_dependencies = job.spec.part == Part::Packages && state.has_packages;
            let mut spec = job.spec.clone();
            spec.settings.rpm = state.rpm;
            let order = BuildOrder { job: spec, checks_dependencies, only_beginning_of: None };
            work::run_job(&self.engine.workers, order, job, cancel, stages).await
        })
    }

    fn write_shell_beginning<'a>(
        &'a self,
        job: &'a Job,
        section: SectionKind,
        cancel: &'a Cancel,
    ) -> Promise<'a, Result<Option<String>, EngineError>> {
        Box::pin(async move {
            let mut spec = job.spec.clone();
            spec.settings.rpm = self.state(&job.spec.settings, cancel).await?.rpm;
            let only_beginning_of = Some(section);
            let order = BuildOrder { job: spec, checks_dependencies: false, only_beginning_of };
            work::write_shell_beginning(&self.engine.workers, order, job, cancel).await
        })
    }
}
