//! `engine rpmbuild`: the root's own `rpmspec` and `rpmbuild` (rpmspec(8), rpmbuild(8)).

pub(super) mod build;
mod cause;
mod options;
mod query;
mod sections;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;

use self::query::Rpmspec;
use super::environment::{SYSTEM_PATH, environment_at_home, no_home};
use super::limits::ANSWER_TIME;
use super::masked_read::mask_read;
use super::surroundings::of_root;
use super::{
    Engine, EngineError, EngineIdentity, EngineInRoot, FactsRequest, Hear, Installed, Job, Outcome, Promise,
    Read, Reading, Root, RootMacros, Settings, SpecAnswer, SpecOrder, SpecReader, StageListener, Validity,
};
use crate::digest::Digest;
use crate::files::{Folder, HostPath};
use crate::macros::Observation;
use crate::process::{Cancel, Command, Exit, Sandbox, Stream, Supervisor};
use crate::spec::SectionKind;

/// The engine that runs the root's own rpm.
pub struct Rpmbuild {
    supervisor: Supervisor,
    sandbox: Arc<dyn Sandbox>,
    /// Where rpm is asked what it is.
    folder: HostPath,
    /// Reads every spec as well, and tells what rpmspec does not: what the reading learns from the world.
    observer: Arc<dyn Engine>,
}

/// The engine in a root, whose rpm has said what it is.
struct RpmbuildInRoot {
    rpmspec: Rpmspec,
    identity: EngineIdentity,
    observer: Arc<dyn EngineInRoot>,
    dependencies: DependencyCheck,
}

/// Whether rpmbuild can check `BuildRequires` against the root's package database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DependencyCheck {
    /// The root's packages are RPM packages.
    ByRpm,
    /// The root's packages are of another kind: rpm's database is empty and would refuse every build.
    Impossible,
}

impl Rpmbuild {
    /// The engine. `observer` tells what specs learn while they are read.
    pub fn new(
        supervisor: &Supervisor,
        folder: &HostPath,
        observer: Arc<dyn Engine>,
        sandbox: Arc<dyn Sandbox>,
    ) -> Self {
        Self { supervisor: supervisor.clone(), sandbox, folder: folder.clone(), observer }
    }

    /// Finds rpm in a root and asks for its version.
    async fn find(&self, root: &Root) -> Result<RpmbuildInRoot, EngineError> {
        let Self { supervisor, sandbox, observer, .. } = self;
        let mut missing = None;
        for folder in root.folders_on_host() {
            missing = missing_program(&folder, SYSTEM_PATH);
            if missing.is_none() {
                break;
            }
        }
        if let Some(program) = missing {
            return Err(EngineError::NoRpm { program: program.to_owned() });
        }
        let version = self.answer(root, &["rpmbuild", "--version"]).await?;
        let Some(number) =
            version.trim().rsplit(' ').next().filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        else {
            return Err(EngineError::OddRpm {
                program: "rpmbuild".to_owned(),
                answer: version.trim().to_owned(),
            });
        };
        let any = self.answer(root, &["rpm", "-q", "--last", "rpm"]).await?;
        let has_packages = any.starts_with("rpm-");
        let dependencies = if has_packages { DependencyCheck::ByRpm } else { DependencyCheck::Impossible };
        let own_arch = self.answer(root, &["rpm", "--eval", "%{_target_cpu}"]).await?.trim().to_owned();
        Ok(RpmbuildInRoot {
            identity: EngineIdentity::of_this_forge(format!("rpmbuild {number} {own_arch}")),
            rpmspec: Rpmspec {
                supervisor: supervisor.clone(),
                sandbox: Arc::clone(sandbox),
                root: root.clone(),
                own_arch,
            },
            observer: observer.in_root(root).await?,
            dependencies,
        })
    }

    /// What a program of a root answers.
    async fn answer(&self, root: &Root, line: &[&str]) -> Result<String, EngineError> {
        let (program, arguments) = line.split_first().unwrap_or((&"true", &[]));
        let settings = root.settings_to_ask();
        let environment = environment_at_home(&settings, no_home());
        let command = Command::new(program, &self.folder, environment, ANSWER_TIME).arguments(arguments);
        let command = match of_root(&settings, root) {
            Some(surroundings) => self.sandbox.enclose(command, &surroundings),
            None => command,
        };
        let mut output = Vec::new();
        let mut keep = |_: Stream, chunk: &[u8]| output.extend_from_slice(chunk);
        match command.run(&self.supervisor, &Cancel::default(), &mut keep).await? {
            Exit::Code(_) => Ok(String::from_utf8_lossy(&output).into_owned()),
            Exit::TimedOut | Exit::Canceled | Exit::PassedLimit(_) => Err(EngineError::OddRpm {
                program: (*program).to_owned(),
                answer: "no answer in a minute".to_owned(),
            }),
        }
    }
}

impl Engine for Rpmbuild {
    fn in_root<'a>(&'a self, root: &'a Root) -> Promise<'a, Result<Arc<dyn EngineInRoot>, EngineError>> {
        Box::pin(async move { Ok(Arc::new(self.find(root).await?) as Arc<_>) })
    }
}

impl SpecReader for RpmbuildInRoot {
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
            let mut observed = Vec::new();
            let mut keep = |number: usize, answer: SpecAnswer| match answer {
                SpecAnswer::StillValid => hear(number, answer),
                SpecAnswer::Read(read) => observed.push((number, *read)),
            };
            self.observer.read(orders, cancel, &mut keep).await?;
            let mut observed = observed.into_iter();
            let mut asked: JoinSet<Result<(usize, Read), EngineError>> = JoinSet::new();
            loop {
                while asked.len() < at_a_time()
                    && let Some((number, read)) = observed.next()
                {
                    let Some(order) = orders.get(number) else { continue };
                    let (rpmspec, request, cancel) =
                        (self.rpmspec.clone(), order.request.clone(), cancel.clone());
                    asked.spawn(async move {
                        let (reading, expanded) = query::facts(&rpmspec, &request, &cancel).await?;
                        Ok((number, joined(reading, expanded, read, &request.settings)))
                    });
                }
                let Some(answered) = asked.join_next().await else { return Ok(()) };
                let (number, read) = answered.map_err(std::io::Error::other)??;
                hear(number, SpecAnswer::Read(Box::new(read)));
            }
        })
    }

    fn check_validity(&self, request: &FactsRequest, observations: &[Observation]) -> Validity {
        self.observer.check_validity(request, observations)
    }

    fn installed<'a>(
        &'a self,
        settings: &'a Settings,
        names: &'a BTreeSet<String>,
        cancel: &'a Cancel,
    ) -> Promise<'a, Result<Installed, EngineError>> {
        self.observer.installed(settings, names, cancel)
    }

    fn macros_in_root<'a>(
        &'a self,
        target: Option<&'a str>,
        names: &'a BTreeSet<String>,
        cancel: &'a Cancel,
    ) -> Promise<'a, Result<RootMacros, EngineError>> {
        self.observer.macros_in_root(target, names, cancel)
    }
}

impl EngineInRoot for RpmbuildInRoot {
    fn run<'a>(
        &'a self,
        job: &'a Job,
        cancel: &'a Cancel,
        stages: &'a dyn StageListener,
    ) -> Promise<'a, Result<Outcome, EngineError>> {
        let checks_dependencies = self.dependencies == DependencyCheck::ByRpm;
        Box::pin(build::carry_out(&self.rpmspec, checks_dependencies, job, cancel, stages))
    }

    fn write_shell_beginning<'a>(
        &'a self,
        job: &'a Job,
        section: SectionKind,
        cancel: &'a Cancel,
    ) -> Promise<'a, Result<Option<String>, EngineError>> {
        // rpmbuild has no option for it; the macros that say it are the same root's.
        self.observer.write_shell_beginning(job, section, cancel)
    }
}

/// How many specs rpmspec reads at a time.
fn at_a_time() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// What rpmspec says of a spec, with what the observer has seen while it read it.
fn joined(mut reading: Reading, expanded: Option<Digest>, observed: Read, settings: &Settings) -> Read {
    let mut observations = observed.observations;
    if let (Reading::Facts(facts), Reading::Facts(seen)) = (&mut reading, &observed.reading) {
        // rpmspec of rpm 4.18 leaves the line of the section out of what it prints.
        facts.generates_requires |= seen.generates_requires;
    }
    if matches!(observed.reading, Reading::Broken(_)) {
        // A spec that only rpmspec can read may have learned anything: it is asked anew each time.
        observations.push(Observation::Run);
    }
    mask_read(Read { reading, observations, expanded }, settings)
}

/// The first of rpm's programs that is in no folder of `path` below a root's folder.
fn missing_program(root: &HostPath, path: &str) -> Option<&'static str> {
    let Ok(root) = Folder::open_ambient(root) else { return Some("rpm") };
    let is_there = |program: &&str| {
        let mut folders = path.split(':').map(|folder| Path::new(folder.trim_start_matches('/')));
        folders.any(|folder| root.dir().symlink_metadata(folder.join(program)).is_ok())
    };
    ["rpmspec", "rpmbuild", "rpm"].into_iter().find(|program| !is_there(program))
}

#[cfg(test)]
mod tests {
    use super::*;
    use miette::Diagnostic;

    #[test]
    fn a_machine_without_rpm_is_told_what_to_install() {
        let program = missing_program(&HostPath::root(), "/nowhere").unwrap();
        let error = EngineError::NoRpm { program: program.to_owned() };
        let text =
            "`engine rpmbuild` needs the programs rpmspec and rpmbuild, and `rpmspec` is not on this machine";
        assert_eq!(error.to_string(), text);
        assert!(error.help().unwrap().to_string().contains("apt-get install rpm"));
    }
}
