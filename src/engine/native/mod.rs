//! `engine native`: rpm's work done here.

mod build;
mod facts;
mod observations;
mod own_rpm;
mod settings;
mod work;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;
use std::sync::Mutex;

use bstr::{BStr, ByteSlice};

pub use build::{
    BuildListener, BuildProblem, BuildRequest, Goal, Order, Step, Unbuilt, build, install_source_package,
    spec_of_archive,
};

pub use observations::SOURCES_FOLDER;
pub(super) use observations::placeholders;
pub use work::WORKER;

use super::limits::COMMAND_TIME;
use super::masked_read::mask_read;
use super::rpmbuild::SYSTEM_PATH;
use super::{
    BuildOrder, Engine, EngineError, EngineIdentity, FactsRequest, Installed, Job, Outcome, Part, Promise,
    Read, Settings, SpecReader, StageListener,
};
use crate::files::{HostPath, reason};
use crate::macros::{
    Commands, Compatibility, Configuration, Host, Limits, Macros, Observation, Observing, Placeholders,
    RpmRc, RpmVersion, Stop, SystemHost, Table,
};
use crate::process::{Cancel, Supervisor};
use crate::spec::{Finding, Parsing, Spec, Weight, parse};

/// The engine. Macro files are read once for each target, and a command that many specs run, runs once.
#[derive(Debug)]
pub struct Native {
    identity: EngineIdentity,
    commands: Commands,
    /// The rpm whose language is spoken where no manifest says another.
    own_rpm: RpmVersion,
    /// Where relative paths of specs begin, and their commands run.
    folder: Option<HostPath>,
    loaded: Mutex<HashMap<Loading, Loaded>>,
    /// Who supervises builds, and the forge that carries them out.
    builds_with: Option<(Supervisor, HostPath)>,
}

/// The home of builds: a folder that is not there.
const NO_HOME: &str = "nonexistent";

/// What decides which macros there are before a spec is read.
type Loading = (Option<String>, BTreeMap<OsString, OsString>);

/// Macros that have been loaded.
#[derive(Clone, Debug)]
struct Loaded {
    table: Table,
    rc: RpmRc,
    findings: Vec<Finding>,
    /// What they depend on beyond the root's own configuration.
    observations: Vec<Observation>,
}

/// A spec that was read.
#[derive(Clone, Debug)]
pub struct SpecReading {
    /// The spec, if it can be used.
    pub spec: Option<Spec>,
    /// What is wrong with it, or may not be meant.
    pub findings: Vec<Finding>,
    /// What was learned from the world on the way.
    pub observations: Vec<Observation>,
    /// The architecture that was asked for, before any `BuildArch`.
    pub target: String,
}

/// What was found so far.
type Findings = Rc<RefCell<Vec<Finding>>>;

impl Default for Native {
    fn default() -> Self {
        let host = SystemHost::new(BTreeMap::new(), |_| {});
        let own_rpm = host.map_or(RpmVersion::NEWEST, |host| own_rpm::own_version(&host));
        let name = format!("native {} of rpm {own_rpm}", env!("CARGO_PKG_VERSION"));
        Self {
            identity: EngineIdentity::of_this_forge(name),
            own_rpm,
            commands: Commands::default(),
            folder: None,
            loaded: Mutex::default(),
            builds_with: None,
        }
    }
}

impl Native {
    /// With specs whose relative paths begin in a folder, wherever forge runs; commands run there as well.
    pub fn working_in(folder: &HostPath) -> Self {
        Self { folder: Some(folder.clone()), ..Self::default() }
    }

    /// With builds that the binary at `forge` carries out: what a spec runs, it runs in a process of its own.
    #[must_use]
    pub fn building_with(mut self, supervisor: &Supervisor, forge: &HostPath) -> Self {
        self.builds_with = Some((supervisor.clone(), forge.clone()));
        self
    }

    /// Whether the root has packages of rpm that BuildRequires can be checked against.
    fn has_packages(&self, settings: &Settings) -> bool {
        self.macros_of_root(settings).is_ok_and(|macros| build::has_packages(&macros))
    }

    /// The root's macros, with those of a build.
    fn macros_of_root(&self, settings: &Settings) -> Result<Macros, EngineError> {
        let environment = environment(settings);
        let loaded = self.loaded(settings.target.clone(), &environment)?;
        let host = self.host(environment, |_| {})?;
        let macros = Macros::new(loaded.table, Rc::new(host), Limits::default());
        self.define_dialect(&macros, settings);
        settings::define_macros(&macros, settings);
        Ok(macros)
    }

    /// Says which language is spoken: what the manifest says, or the root's macro files, or the root's own rpm.
    fn define_dialect(&self, macros: &Macros, settings: &Settings) {
        match settings.rpm {
            Some(rpm) => macros.set_version(rpm),
            None => macros.propose_version(self.own_rpm),
        }
    }

    /// The rpm whose language a build speaks.
    fn spoken(&self, settings: &Settings) -> Option<RpmVersion> {
        self.macros_of_root(settings).ok()?.spoken_version().ok()
    }

    /// Reads a spec.
    ///
    /// # Errors
    /// The machine's files are out of reach. What is wrong with the spec is a finding.
    pub fn read(&self, request: &FactsRequest) -> Result<SpecReading, EngineError> {
        let environment = environment(&request.settings);
        let loaded = self.loaded(request.settings.target.clone(), &environment)?;
        let findings = Findings::default();
        let listener = Rc::clone(&findings);
        let host = self.host(environment, move |finding| listener.borrow_mut().push(finding))?;
        let host = Rc::new(Observing::new(confined(host, request), placeholders(request)));
        let world: Rc<dyn Host> = Rc::<Observing<SystemHost>>::clone(&host);
        let macros = Macros::new(loaded.table, world, Limits::default());
        findings.borrow_mut().extend(loaded.findings);
        self.define_dialect(&macros, &request.settings);
        settings::define(&macros, request);
        let expand = |text: &str| {
            let text = macros.expand(text.as_bytes()).unwrap_or_default();
            String::from_utf8_lossy(&text).into_owned()
        };
        let (target, machine) = (expand("%{_target_cpu}"), expand("%{_host_cpu}"));
        let file = request.spec.to_string();
        let text = match macros.may_look_at("reading the spec", file.as_bytes()) {
            true => macros.read_file(file.as_bytes()).map_err(Some),
            false => Err(None),
        };
        let spec = match text {
            Ok(text) => {
                let compatible = loaded.rc.compatible(Compatibility::Build, &machine);
                let can_build = |wanted: &BStr| compatible.iter().any(|arch| wanted == arch.as_str());
                let told = Rc::clone(&findings);
                let listener = Rc::new(move |report: &crate::spec::Report| {
                    told.borrow_mut().push(Finding::from(report));
                });
                parse(
                    &macros,
                    Parsing { file: &file, text, can_build: &can_build, build_root: None, listener },
                )
            }
            Err(error) => {
                findings.borrow_mut().extend(error.map(|error| unreadable(&file, &error)));
                Err(Stop)
            }
        };
        let spec = spec.ok();
        let wrong_lines = spec.iter().flat_map(Spec::wrong_file_lines);
        findings.borrow_mut().extend(wrong_lines.map(|report| Finding::from(&report)));
        let mut observations = host.observations();
        observations.extend(loaded.observations);
        Ok(SpecReading { spec, findings: findings.take(), observations, target })
    }

    fn host(
        &self,
        environment: BTreeMap<OsString, OsString>,
        tell: impl Fn(Finding) + 'static,
    ) -> Result<SystemHost, EngineError> {
        let host = SystemHost::new(environment, move |report| tell(Finding::from(&report)))?;
        let host = host.silent(COMMAND_TIME).remembering(self.commands.clone());
        Ok(match &self.folder {
            Some(folder) => host.working_in(folder),
            None => host,
        })
    }

    /// The macros of this machine for a target.
    fn loaded(
        &self,
        target: Option<String>,
        environment: &BTreeMap<OsString, OsString>,
    ) -> Result<Loaded, EngineError> {
        let loading = (target, environment.clone());
        let known = self.loaded.lock().ok().and_then(|loaded| loaded.get(&loading).cloned());
        if let Some(loaded) = known {
            return Ok(loaded);
        }
        let findings = Findings::default();
        let listener = Rc::clone(&findings);
        let host = self.host(environment.clone(), move |finding| listener.borrow_mut().push(finding))?;
        let host = Rc::new(Observing::new(host, Placeholders::default()));
        let world: Rc<dyn Host> = Rc::<Observing<SystemHost>>::clone(&host);
        let macros = Macros::new(Table::new(), world, Limits::default());
        let configuration = Configuration { target: loading.0.clone(), ..Configuration::default() };
        // What is wrong with macro files is told with every spec; what is right in them is defined.
        let rc = macros.configure(&configuration).unwrap_or_default();
        let observations = observations::beyond_configuration(host.observations());
        let loaded = Loaded { table: macros.table(), rc, findings: findings.take(), observations };
        if let Ok(mut known) = self.loaded.lock() {
            known.insert(loading, loaded.clone());
        }
        Ok(loaded)
    }
}

/// The host of a spec that may run nothing sees no more than the spec needs: nobody may have looked at it.
fn confined(host: SystemHost, request: &FactsRequest) -> SystemHost {
    if request.may_run {
        return host;
    }
    let own = request.spec.as_path().parent().map(Path::to_owned);
    let given = request.readable.iter().chain([&request.sources]).map(|folder| folder.as_path().to_owned());
    host.confined_to(own.into_iter().chain(given))
}

fn unreadable(file: &str, error: &std::io::Error) -> Finding {
    Finding {
        weight: Weight::Error,
        code: "forge::engine::unreadable_spec".to_owned(),
        title: format!("Unable to open {file}: {}", reason(error)),
        help: Some("does it exist, and may forge read it?".to_owned()),
        file: file.to_owned(),
        line: 0,
        through: None,
    }
}

/// The environment that specs are read in: the same as builds have. A user's own macros (`~/.rpmmacros`,
/// `~/.config/rpm/macros`) are no part of it: what a package comes to must not depend on whose home it was built in.
pub fn environment(settings: &Settings) -> BTreeMap<OsString, OsString> {
    let home = HostPath::root().join(NO_HOME).to_string();
    let fixed = [("HOME", home.as_str()), ("LANG", "C.UTF-8"), ("PATH", SYSTEM_PATH), ("TZ", "UTC")];
    let fixed = fixed.into_iter().map(|(name, value)| (name.into(), value.into()));
    let own = settings.environment.iter().map(|(name, value)| (name.into(), value.reveal().into()));
    fixed.chain(own).collect()
}

impl SpecReader for Native {
    fn identity(&self) -> &EngineIdentity {
        &self.identity
    }

    fn facts<'a>(
        &'a self,
        request: &'a FactsRequest,
        _cancel: &'a Cancel,
    ) -> Promise<'a, Result<Read, EngineError>> {
        Box::pin(async move {
            // Others wait for their turn on other threads meanwhile.
            tokio::task::block_in_place(|| {
                let read = facts::of(self.read(request)?, &placeholders(request));
                Ok(mask_read(read, &request.settings))
            })
        })
    }

    fn would_learn_again(&self, request: &FactsRequest, observations: &[Observation]) -> bool {
        let host = self.host(environment(&request.settings), |_| {});
        let host = host.map(|host| confined(host, request));
        let placeholders = placeholders(request);
        host.is_ok_and(|host| observations.iter().all(|seen| seen.holds(&host, &placeholders)))
    }

    fn installed(&self, settings: &Settings, names: &BTreeSet<String>) -> Installed {
        match self.macros_of_root(settings) {
            Ok(macros) => build::installed(&macros, names),
            Err(error) => Installed::Unknown(error.to_string()),
        }
    }
}

impl Engine for Native {
    /// In a worker: this program once more.
    fn run<'a>(
        &'a self,
        job: &'a Job,
        cancel: &'a Cancel,
        stages: &'a dyn StageListener,
    ) -> Promise<'a, Result<Outcome, EngineError>> {
        Box::pin(async move {
            let (supervisor, forge) = self.builds_with.as_ref().ok_or(EngineError::ReadsOnly)?;
            let checks_dependencies = job.spec.part == Part::Packages
                && tokio::task::block_in_place(|| self.has_packages(&job.spec.settings));
            let mut spec = job.spec.clone();
            spec.settings.rpm = tokio::task::block_in_place(|| self.spoken(&job.spec.settings));
            let order = BuildOrder { job: spec, checks_dependencies };
            work::carry_out((supervisor, forge), order, job, cancel, stages).await
        })
    }
}

impl SpecReading {
    /// Whether something is wrong.
    pub fn is_sound(&self) -> bool {
        self.spec.is_some() && !self.findings.iter().any(Finding::is_error)
    }
}

/// Bytes as text.
fn text(bytes: &[u8]) -> String {
    bytes.to_str_lossy().into_owned()
}
