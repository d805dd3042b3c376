//! What a machine can do of what builds need, tried for real: what a version promises, a container may refuse.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::time::Duration;

use rustix::fs::statvfs;

use super::control_group::Delegation;
use super::enclosure::FORGE_INSIDE;
use super::machine::{NO_NAMESPACES, SHOW_PROC, find_refusal, read_file};
use super::machine_trial::{TRY, Trial};
use super::namespaces::Namespaces;
use super::owners::gives_numbers;
use crate::engine::SYSTEM_PATH;
use crate::files::{Folder, HostPath, Mount, MountAccess, RootPath};
use crate::process::{
    Cancel, Circumstances, Command, Exit, InsideUser, Personality, ProcessError, Sandbox, SandboxLimits,
    Supervisor, Surroundings,
};

/// How long one thing is tried.
const LONGEST: Duration = Duration::from_secs(60);

/// With less than this, the next builds may find no room.
const LEAST_FREE: u64 = 1 << 30;

/// Something that a machine can do or can't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ability {
    /// What it is called.
    pub name: &'static str,
    /// Whether the machine can.
    pub state: AbilityState,
    /// What that means for builds.
    pub meaning: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// Whether a machine can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbilityState {
    /// It can.
    Works,
    /// It can't, and builds can do without.
    WorkedRound,
    /// It can't, and builds need it.
    Missing,
}

/// A machine, and where builds would take place.
#[derive(Debug)]
pub struct Machine<'a> {
    /// The binary of forge.
    pub forge: HostPath,
    /// Supervises what is tried.
    pub supervisor: Supervisor,
    /// The project, if there is one.
    pub project: Option<&'a HostPath>,
    /// The store.
    pub store: &'a Folder,
}

impl Machine<'_> {
    /// Tries all that builds need, the larger parts first.
    ///
    /// # Errors
    /// There is no room for what is tried.
    pub async fn find_abilities(&self) -> io::Result<Vec<Ability>> {
        let scratch = self.store.create(self.store.unique("doctor")?)?;
        let abilities = self.find_with(&scratch).await;
        let cleared = scratch.clear();
        self.store.remove_folder(scratch.path().as_path().file_name().unwrap_or_default())?;
        cleared?;
        abilities
    }

    async fn find_with(&self, scratch: &Folder) -> io::Result<Vec<Ability>> {
        scratch.create("usr")?;
        let layer = scratch.path().as_path().to_owned();
        let users = self.user_namespaces().await;
        let parts = [
            ("mounts", Trial::Mounts, MOUNTS),
            ("overlayfs", Trial::Overlay(layer), OVERLAY),
            ("process namespace", Trial::Processes, PROCESSES),
            ("network namespace", Trial::Network, NETWORK),
        ];
        let mut tried = Vec::new();
        for (name, trial, words) in parts {
            let goes_by_hand = matches!(&trial, Trial::Overlay(_));
            let part = match users.state {
                AbilityState::Missing => {
                    Ability { advice: None, ..missing(name, NEEDS_USERS.to_owned(), "") }
                }
                AbilityState::Works | AbilityState::WorkedRound => self.part(name, trial, words).await,
            };
            let is_worked_round = goes_by_hand && users.state != AbilityState::Missing;
            tried.push(match part.state {
                AbilityState::Missing if is_worked_round => {
                    Ability { state: AbilityState::WorkedRound, ..part }
                }
                AbilityState::Missing | AbilityState::Works | AbilityState::WorkedRound => part,
            });
        }
        let mut abilities = vec![self.enter_sandbox(scratch).await?, users];
        abilities.extend(tried);
        abilities.extend([
            self.part("seccomp", Trial::SystemCalls, SYSTEM_CALLS).await,
            self.landlock().await,
            self.owners(scratch.path()).await,
            builder_outside(),
            control_groups(&Delegation::find()),
            free_space(self.store.path())?,
            kernel(),
            memory_and_processors(),
            self.rpmbuild().await,
        ]);
        Ok(abilities)
    }

    /// A sandbox as builds have it: the project read-only, a folder to work in, and forge's own binary running in it.
    async fn enter_sandbox(&self, scratch: &Folder) -> io::Result<Ability> {
        let mount = |path: &HostPath, access| {
            RootPath::in_own_root(path).map(|root| Mount { host: path.clone(), root, access })
        };
        let project = self.project.and_then(|project| mount(project, MountAccess::Read));
        let mounts = [project, mount(scratch.path(), MountAccess::Write)];
        let private = scratch.create("private")?;
        for name in ["tmp", "var-tmp", "home"] {
            private.create(name)?;
        }
        let surroundings = Surroundings {
            root: None,
            user: InsideUser::Builder,
            mounts: mounts.into_iter().flatten().collect(),
            hidden: Vec::new(),
            layers: Vec::new(),
            private: Some(private.path().clone()),
            folder: RootPath::root(),
            personality: Personality::Own,
            network: false,
            terminal: false,
            limits: SandboxLimits::default(),
            circumstances: Circumstances::default(),
        };
        let command = self.command(FORGE_INSIDE).argument("--version");
        let entered = self.run(&Namespaces::new(&self.forge).enclose(command, &surroundings)).await;
        Ok(match entered {
            Ok(_) => works("sandbox", "builds run in sandboxes: one was set up, and entered"),
            Err(why) => missing(
                "sandbox",
                format!("builds can't run in sandboxes: {why}"),
                "the rows below say what is missing; `isolation none` builds without, for specs that you trust",
            ),
        })
    }

    async fn user_namespaces(&self) -> Ability {
        let name = "user namespaces";
        let Err(why) = self.try_part(&Trial::UserNamespace).await else {
            return works(name, "this user may make them");
        };
        match find_refusal() {
            Some(refusal) => missing(name, format!("{} ({why})", refusal.means), refusal.advice),
            None => missing(
                name,
                format!("{NO_NAMESPACES} ({why})"),
                "run forge outside of the container or chroot, or start the container with `--security-opt seccomp=unconfined`",
            ),
        }
    }

    async fn part(&self, name: &'static str, trial: Trial, words: PartWords) -> Ability {
        match self.try_part(&trial).await {
            Ok(_) => works(name, words.works),
            Err(why) => missing(name, format!("{} ({why})", words.missing), words.advice),
        }
    }

    /// Whether the file systems of the project and of the store can show their files as another user's, which sandboxes of
    /// root need.
    async fn owners(&self, scratch: &HostPath) -> Ability {
        let name = "idmapped mounts";
        if !gives_numbers() {
            return works(name, "not needed: files that builds write belong to the user that forge runs as");
        }
        for folder in self.project.into_iter().chain([scratch]) {
            if let Err(why) = self.try_part(&Trial::Owners(folder.as_path().to_owned())).await {
                return worked_round(
                    name,
                    format!(
                        "{folder} can't be shown to a sandbox as its builder's ({why}): build trees are made its own instead, and specs have to be readable for all"
                    ),
                    Some(
                        "a file system that can (ext4, xfs, btrfs; tmpfs since Linux 6.3), or forge as an ordinary user",
                    ),
                );
            }
        }
        works(
            name,
            "the builder in a sandbox owns the folders of the project and of the store, nobody else's",
        )
    }

    async fn landlock(&self) -> Ability {
        let name = "landlock";
        match self.try_part(&Trial::Landlock).await.map(|version| version.parse::<u32>().unwrap_or(0)) {
            Ok(version @ 2..) => works(name, format!("version {version}: a second wall behind the mounts")),
            Ok(version) => worked_round(
                name,
                format!(
                    "version {version} can't be used; read-only mounts alone keep builds from writing elsewhere"
                ),
                Some("Linux 5.19 or newer has a second wall"),
            ),
            Err(why) => worked_round(
                name,
                format!("read-only mounts alone keep builds from writing elsewhere ({why})"),
                Some("boot with `lsm=landlock,…` and Linux 5.19 or newer for a second wall"),
            ),
        }
    }

    async fn rpmbuild(&self) -> Ability {
        let name = "rpmbuild";
        let command = self.command("rpmbuild").argument("--version");
        match self.run(&command).await {
            Ok(said) => works(name, format!("{}: `engine rpmbuild` can build", said.trim())),
            Err(_) => worked_round(
                name,
                "`engine rpmbuild` can't build; `engine native`, the default, needs none".to_owned(),
                None,
            ),
        }
    }

    async fn try_part(&self, trial: &Trial) -> Result<String, String> {
        let text = serde_json::to_string(trial).map_err(|error| error.to_string())?;
        self.run(&self.command(self.forge.as_os_str()).argument(TRY).argument(text)).await
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let environment = BTreeMap::from([("PATH".to_owned(), SYSTEM_PATH.to_owned())]);
        Command::new(program, &HostPath::root(), environment, LONGEST)
    }

    /// Runs something; gives what it prints, or why it failed.
    async fn run(&self, command: &Command) -> Result<String, String> {
        let mut printed = Vec::new();
        let exit =
            command.run(&self.supervisor, &Cancel::default(), &mut |_, chunk| printed.extend(chunk)).await;
        let said = String::from_utf8_lossy(&printed).trim().trim_start_matches("forge:").trim().to_owned();
        match exit {
            Ok(Exit::Code(0)) => Ok(said),
            Ok(Exit::Code(_)) if !said.is_empty() => Err(said),
            Ok(Exit::Code(code)) => Err(format!("it ended with {code}")),
            Ok(Exit::TimedOut) => Err("it did not end".to_owned()),
            Ok(Exit::Canceled | Exit::PassedLimit(_)) => Err("it was ended".to_owned()),
            Err(ProcessError::NotEntered { reason }) => Err(reason),
            Err(error @ ProcessError::NotRun { .. }) => Err(error.to_string()),
        }
    }
}

/// What is said of a part of a sandbox.
#[derive(Clone, Copy)]
struct PartWords {
    works: &'static str,
    missing: &'static str,
    advice: &'static str,
}

/// What is said of parts that were not tried, as they can't be there.
const NEEDS_USERS: &str = "it needs user namespaces";

const MOUNTS: PartWords = PartWords {
    works: "a sandbox sees only what it is given",
    missing: "a sandbox can't be given what it may see",
    advice: "forge needs Linux 5.12 or newer (mount_setattr), and in a container one that lets user namespaces mount",
};

const OVERLAY: PartWords = PartWords {
    works: "packages built here are laid over the root for builds that require them",
    missing: "packages built here are laid over the root file by file, which takes longer",
    advice: "`modprobe overlay`; an ordinary user needs Linux 5.11 or newer, and a store that is not on a network",
};

const PROCESSES: PartWords = PartWords {
    works: "a sandbox sees its own processes, in a /proc of its own",
    missing: "a sandbox can't have a /proc of its own",
    advice: SHOW_PROC,
};

const NETWORK: PartWords = PartWords {
    works: "a sandbox has no network unless the manifest says `network #true`",
    missing: "a sandbox can't be without the machine's network",
    advice: "let the container make network namespaces; `network #true` in the manifest does without",
};

const SYSTEM_CALLS: PartWords = PartWords {
    works: "system calls that no build needs are refused",
    missing: "no system call can be refused",
    advice: "boot a kernel with CONFIG_SECCOMP_FILTER, on x86_64, aarch64 or riscv64",
};

fn works(name: &'static str, meaning: impl Into<String>) -> Ability {
    Ability { name, state: AbilityState::Works, meaning: meaning.into(), advice: None }
}

fn worked_round(name: &'static str, meaning: String, advice: Option<&str>) -> Ability {
    Ability { name, state: AbilityState::WorkedRound, meaning, advice: advice.map(str::to_owned) }
}

fn missing(name: &'static str, meaning: String, advice: &str) -> Ability {
    Ability { name, state: AbilityState::Missing, meaning, advice: Some(advice.to_owned()) }
}

/// Who the builder is outside.
fn builder_outside() -> Ability {
    let name = "users";
    match gives_numbers() {
        true => works(name, "root gives each sandbox users of its own, that nobody else has"),
        false => works(name, "a build runs as this user, whom it knows as `builder`; it has no others"),
    }
}

fn control_groups(delegation: &Delegation) -> Ability {
    let name = "control groups";
    let watched = |why: &str| format!("forge looks ten times a second at what a build takes: {why}");
    let scope =
        Some("`systemd-run --user --scope -p Delegate=yes forge apply` gives forge a group of its own");
    match delegation {
        Delegation::Prepared(_) | Delegation::Possible(_) => {
            works(name, "the kernel limits the memory and the processes of each build as a whole")
        }
        Delegation::NoHierarchy => worked_round(
            name,
            watched("there is no hierarchy of version 2"),
            Some("boot with `systemd.unified_cgroup_hierarchy=1`"),
        ),
        Delegation::NoControllers(missing) => {
            let why = format!("the group of forge has no controllers for {}", missing.join(" and "));
            worked_round(name, watched(&why), scope)
        }
        Delegation::NotOwned => worked_round(name, watched("the group of forge is not this user's"), scope),
        Delegation::Shared => worked_round(name, watched("others are in the group of forge"), scope),
    }
}

fn free_space(store: &HostPath) -> io::Result<Ability> {
    let name = "store";
    let space = statvfs(store.as_path())?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let said = format!("{} free in {store}", gibibytes(free));
    Ok(match free < LEAST_FREE {
        false => works(name, said),
        true => {
            missing(name, said, "`forge gc` removes what is not needed; XDG_CACHE_HOME puts it elsewhere")
        }
    })
}

fn kernel() -> Ability {
    let names = rustix::system::uname();
    let [system, release] =
        [names.sysname(), names.release()].map(|name| name.to_string_lossy().into_owned());
    works("kernel", format!("{system} {release}"))
}

fn memory_and_processors() -> Ability {
    let memory = read_file("/proc/meminfo").unwrap_or_default();
    let bytes = |name: &str| {
        let line = memory.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
    };
    let size = |name| bytes(name).map_or_else(|| "?".to_owned(), gibibytes);
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (all, free) = (size("MemTotal:"), size("MemAvailable:"));
    works("memory", format!("{all}, {free} of it free; processors: {processors}"))
}

fn gibibytes(bytes: u64) -> String {
    let tenths = bytes / ((1 << 30) / 10);
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_groups_that_forge_can_not_use_are_no_reason_not_to_build() {
        let others = [
            Delegation::NoHierarchy,
            Delegation::NoControllers(vec!["memory", "pids"]),
            Delegation::NotOwned,
            Delegation::Shared,
        ];
        for delegation in others {
            let ability = control_groups(&delegation);
            assert_eq!(ability.state, AbilityState::WorkedRound);
            assert!(ability.advice.is_some(), "{ability:?}");
        }
        assert_eq!(control_groups(&Delegation::Possible("/".into())).state, AbilityState::Works);
    }

    #[test]
    fn sizes_are_told_to_a_tenth() {
        assert_eq!(gibibytes(3 << 29), "1.5 GiB");
        assert_eq!(gibibytes(0), "0.0 GiB");
    }
}
