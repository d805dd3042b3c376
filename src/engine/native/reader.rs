//! Specs read in this process: that of a worker, or that of a front end which the user has told to run the spec.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;
use std::sync::Mutex;

use bstr::ByteSlice;

use super::observations::{placeholders, remove_configuration};
use super::own_rpm::read_own_version;
use super::spec_reading::SpecReading;
use super::{build, facts, settings};
use crate::engine::environment::environment;
use crate::engine::limits::COMMAND_TIME;
use crate::engine::masked_read::mask_read;
use crate::engine::{
    EngineError, FactsRequest, InstalledOrder, MacroInRoot, Read, Reading, RootAnswer, RootMacros, Settings,
    SpecAnswer, SpecOrder,
};
use crate::files::{HostPath, RootPath, reason};
use crate::macros::{
    Commands, Configuration, Host, Limits, Macros, Observation, ObservingHost, Placeholders, RpmRc,
    RpmVersion, SystemHost, Table,
};
use crate::spec::{Finding, Mistakes, PackageChecks, Spec, SpecFile, UnreadSpec, Weight};

/// Reads specs in this process. Macro files are read once for each target, and a command that many specs run, runs once.
#[derive(Debug)]
pub struct NativeReader {
    commands: Commands,
    /// Where relative paths of specs begin, and their commands run.
    folder: Option<HostPath>,
    loaded: Mutex<HashMap<Loading, Loaded>>,
    own_rpm: RpmVersion,
}

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

/// What was found so far.
type Findings = Rc<RefCell<Vec<Finding>>>;

impl Default for NativeReader {
    fn default() -> Self {
        let host = SystemHost::new(BTreeMap::new(), |_| {});
        let own_rpm = host.map_or(RpmVersion::NEWEST, |host| read_own_version(&host));
        Self { commands: Commands::default(), folder: None, loaded: Mutex::default(), own_rpm }
    }
}

impl NativeReader {
    /// A reader of specs whose relative paths begin in a folder, wherever forge runs; commands run there as well.
    pub fn in_folder(folder: &HostPath) -> Self {
        Self { folder: Some(folder.clone()), ..Self::default() }
    }

    /// What is asked of a spec: that an earlier reading is still valid, or what the spec says.
    pub fn answer(&self, order: &SpecOrder) -> SpecAnswer {
        let SpecOrder { request, earlier } = order;
        if earlier.as_ref().is_some_and(|seen| self.is_still_valid(request, seen)) {
            return SpecAnswer::StillValid;
        }
        SpecAnswer::Read(Box::new(self.read_facts(request).unwrap_or_else(|error| {
            let error = std::io::Error::other(error.to_string());
            let reading = Reading::Broken(vec![report_unreadable(&request.spec, &error)]);
            Read { reading, observations: Vec::new(), expanded: None }
        })))
    }

    /// What a spec says of itself.
    ///
    /// # Errors
    /// The machine's files are out of reach.
    pub fn read_facts(&self, request: &FactsRequest) -> Result<Read, EngineError> {
        let read = facts::from_reading(self.read(request)?, &placeholders(request));
        Ok(mask_read(read, &request.settings))
    }

    /// Whether all that was seen would be the same now. Commands that this reader has run are not run once more.
    pub fn is_still_valid(&self, request: &FactsRequest, observations: &[Observation]) -> bool {
        let host = self.make_host(environment(&request.settings), |_| {});
        let host = host.map(|host| confine_host(host, request));
        let placeholders = placeholders(request);
        host.is_ok_and(|host| observations.iter().all(|seen| seen.still_holds(&host, &placeholders)))
    }

    /// The packages of the root that have what is asked for, the language that it speaks, and what its files define.
    pub fn ask_root(&self, order: &InstalledOrder) -> RootAnswer {
        let InstalledOrder { settings, names, macros: asked } = order;
        let macros = self.load_root_macros(settings);
        match macros.and_then(|macros| Ok((macros, build::RootFiles::open()?))) {
            Ok((macros, files)) => {
                let rpm = macros.spoken_version().ok();
                let packages = build::find_installed(&macros, &files, names);
                RootAnswer { packages, rpm, macros: self.find_macros(settings, asked) }
            }
            Err(error) => RootAnswer::unknown(error.to_string()),
        }
    }

    /// Those of the macros that the root's files define.
    fn find_macros(&self, settings: &Settings, names: &BTreeSet<String>) -> RootMacros {
        let Ok(loaded) = self.load_macros(settings.target.clone(), &environment(settings)) else {
            return RootMacros::new();
        };
        let found = names.iter().filter_map(|name| {
            let definition = loaded.table.get(name.as_bytes())?;
            let body = definition.body.to_str_lossy().into_owned();
            Some((name.clone(), MacroInRoot { body, origin: definition.origin.to_string() }))
        });
        found.collect()
    }

    /// The rpm whose language is spoken where no manifest says another.
    pub fn own_rpm(&self) -> RpmVersion {
        self.own_rpm
    }

    /// Loads the root's macros, with those of a build.
    fn load_root_macros(&self, settings: &Settings) -> Result<Macros, EngineError> {
        let environment = environment(settings);
        let loaded = self.load_macros(settings.target.clone(), &environment)?;
        let host = self.make_host(environment, |_| {})?;
        let macros = Macros::new(loaded.table, Rc::new(host), Limits::default());
        settings::define_dialect(&macros, settings, self.own_rpm);
        settings::define_macros(&macros, settings);
        Ok(macros)
    }

    /// Reads a spec.
    ///
    /// # Errors
    /// The machine's files are out of reach. What is wrong with the spec is a finding.
    pub fn read(&self, request: &FactsRequest) -> Result<SpecReading, EngineError> {
        let environment = environment(&request.settings);
        let loaded = self.load_macros(request.settings.target.clone(), &environment)?;
        let findings = Findings::default();
        let listener = Rc::clone(&findings);
        let host = self.make_host(environment, move |finding| listener.borrow_mut().push(finding))?;
        let host = Rc::new(ObservingHost::new(confine_host(host, request), placeholders(request)));
        let world: Rc<dyn Host> = Rc::<ObservingHost<SystemHost>>::clone(&host);
        let macros = Macros::new(loaded.table, world, Limits::default());
        findings.borrow_mut().extend(loaded.findings);
        settings::define_dialect(&macros, &request.settings, self.own_rpm);
        settings::define_request(&macros, request);
        let expand = |text: &str| {
            let text = macros.expand(text.as_bytes()).unwrap_or_default();
            String::from_utf8_lossy(&text).into_owned()
        };
        let target = expand("%{_target_cpu}");
        let file = request.spec.to_string();
        let told = Rc::clone(&findings);
        let spec_file = SpecFile {
            path: file.as_bytes(),
            rc: &loaded.rc,
            build_root: None,
            mistakes: Mistakes::All,
            checks: PackageChecks::AtOnce,
            listener: Rc::new(move |report| told.borrow_mut().push(Finding::from(report))),
        };
        let spec = match macros.may_look_at("reading the spec", file.as_bytes()) {
            true => spec_file.read(&macros),
            false => Err(UnreadSpec::Refused),
        };
        if let Err(UnreadSpec::Unopened(error)) = &spec {
            findings.borrow_mut().push(report_unreadable(&request.spec, error));
        }
        let spec = spec.ok();
        let wrong_lines = spec.iter().flat_map(Spec::wrong_file_lines);
        findings.borrow_mut().extend(wrong_lines.map(|report| Finding::from(&report)));
        let mut observations = host.observations();
        observations.extend(loaded.observations);
        Ok(SpecReading { spec, findings: findings.take(), observations, target })
    }

    fn make_host(
        &self,
        environment: BTreeMap<OsString, OsString>,
        tell: impl Fn(Finding) + 'static,
    ) -> Result<SystemHost, EngineError> {
        let host = SystemHost::new(environment, move |report| tell(Finding::from(&report)))?;
        let host = host.silent(COMMAND_TIME).with_commands(self.commands.clone());
        Ok(match &self.folder {
            Some(folder) => host.with_folder(folder),
            None => host,
        })
    }

    /// Loads the macros of this machine for a target, once.
    fn load_macros(
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
        let host = self.make_host(environment.clone(), move |finding| listener.borrow_mut().push(finding))?;
        let host = Rc::new(ObservingHost::new(host, Placeholders::default()));
        let world: Rc<dyn Host> = Rc::<ObservingHost<SystemHost>>::clone(&host);
        let macros = Macros::new(Table::new(), world, Limits::default());
        let configuration = Configuration { target: loading.0.clone(), ..Configuration::default() };
        // What is wrong with macro files is told with every spec; what is right in them is defined.
        let rc = macros.configure(&configuration).unwrap_or_default();
        let observations = remove_configuration(host.observations());
        let loaded = Loaded { table: macros.table(), rc, findings: findings.take(), observations };
        if let Ok(mut known) = self.loaded.lock() {
            known.insert(loading, loaded.clone());
        }
        Ok(loaded)
    }
}

/// Confines the host of a spec that may run nothing to what the spec needs: nobody may have looked at it.
fn confine_host(host: SystemHost, request: &FactsRequest) -> SystemHost {
    if request.may_run {
        return host;
    }
    let own = request.spec.as_path().parent().map(Path::to_owned);
    let given = request.readable.iter().chain([&request.sources]).map(|folder| folder.as_path().to_owned());
    host.confine_to(own.into_iter().chain(given))
}

fn report_unreadable(file: &RootPath, error: &std::io::Error) -> Finding {
    let file = file.to_string();
    Finding {
        weight: Weight::Error,
        code: "forge::engine::unreadable_spec".to_owned(),
        title: format!("Unable to open {file}: {}", reason(error)),
        help: Some("does it exist, and may forge read it?".to_owned()),
        file,
        line: 0,
        through: None,
    }
}
