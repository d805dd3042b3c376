//! Parts of a sandbox, tried one by one: where no sandbox can be entered, this finds what the machine lacks.
//!
//! Each is tried in a process of its own, as entering namespaces takes one thread, and rights that were given up are not
//! got back.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use landlock::{ABI, AccessFs, LandlockStatus, Ruleset, RulesetAttr};
use rustix::mount::MountAttrFlags;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, WaitOptions, set_parent_process_death_signal, waitpid};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set, set_no_new_privs};
use serde::{Deserialize, Serialize};

use super::kernel::{Cloned, MountAttributes, NewNamespaces, bring_up_loopback, clone_into};
use super::messages::tell;
use super::mounts::Detached;
use super::overlay::overlay_of;
use super::owners::{Owners, write_maps};
use super::system_calls::refuse_system_calls;
use crate::files::reason;
use crate::process::InsideUser;

/// The first argument that makes forge try a part of a sandbox; no command that a user gives.
pub const TRY: &str = "__try";

/// A part of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Trial {
    /// Namespaces, and rights in them.
    UserNamespace,
    /// Mounts: opened, changed and attached by descriptors.
    Mounts,
    /// This folder's content over `/usr`.
    Overlay(PathBuf),
    /// This folder as another user's.
    Owners(PathBuf),
    /// Processes that are seen alone.
    Processes,
    /// A network of its own.
    Network,
    /// System calls that are refused.
    SystemCalls,
    /// Landlock.
    Landlock,
}

/// Tries what the argument names, and prints what is to be said of it: why it can't be, where the exit code is 1.
pub fn try_part(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let trial = arguments.into_iter().next().and_then(|text| text.into_string().ok());
    let trial = trial.and_then(|text| serde_json::from_str::<Trial>(&text).ok());
    let Some(trial) = trial else { return ExitCode::from(2) };
    match trial.carry_out() {
        Ok(said) => {
            tell(&said);
            ExitCode::SUCCESS
        }
        Err(error) => {
            tell(&reason(&error));
            ExitCode::FAILURE
        }
    }
}

impl Trial {
    fn carry_out(&self) -> io::Result<String> {
        let done = match self {
            // AppArmor may let everybody make a namespace, and give no rights in it.
            Self::UserNamespace => inside(NewNamespaces::OnlyUser, || {
                Ok(remove_capability_from_bounding_set(CapabilitySet::SYS_BOOT)?)
            }),
            Self::Mounts => inside(NewNamespaces::AllButNetwork, mount_something),
            Self::Overlay(folder) => inside(NewNamespaces::AllButNetwork, || {
                overlay_of(&[folder.join("usr")], Path::new("/usr")).map(drop)
            }),
            Self::Owners(folder) => show_as_others(folder),
            Self::Processes => inside(NewNamespaces::AllButNetwork, || {
                Detached::new("proc", &[], MountAttrFlags::MOUNT_ATTR_NOEXEC).map(drop)
            }),
            Self::Network => inside(NewNamespaces::All, bring_up_loopback),
            Self::SystemCalls => {
                set_no_new_privs(true)?;
                refuse_system_calls()
            }
            Self::Landlock => return restrict(),
        };
        done.map(|()| String::new())
    }
}

fn mount_something() -> io::Result<()> {
    let attributes = MountAttributes { read_only: true, no_devices: true, owners: None };
    drop(Detached::copy_of(Path::new("/usr"), attributes)?);
    drop(
        Detached::new("tmpfs", &[], MountAttrFlags::MOUNT_ATTR_NODEV)?
            .attach(rustix::fs::CWD, Path::new("/usr"))?,
    );
    Ok(())
}

fn show_as_others(folder: &Path) -> io::Result<()> {
    let mut namespaces = Owners::new(InsideUser::Builder);
    let owners = namespaces.namespace_for(folder)?;
    Detached::copy_of(folder, MountAttributes { read_only: false, no_devices: true, owners }).map(drop)
}

/// The version of Landlock that holds.
fn restrict() -> io::Result<String> {
    let ruleset = Ruleset::default().handle_access(AccessFs::from_write(ABI::V3)).and_then(Ruleset::create);
    let status = ruleset.and_then(|ruleset| ruleset.restrict_self()).map_err(io::Error::other)?;
    match status.landlock {
        LandlockStatus::Available { effective_abi, kernel_abi } => {
            Ok(kernel_abi.unwrap_or(effective_abi as i32).to_string())
        }
        LandlockStatus::NotEnabled => Err(io::Error::other("it is not switched on")),
        LandlockStatus::NotImplemented => Err(io::Error::other("the kernel has none")),
    }
}

/// Does something as the first process in new namespaces.
fn inside(namespaces: NewNamespaces, act: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    const DONE: &str = "done";
    let (go_on, say_go_on) = pipe_with(PipeFlags::CLOEXEC)?;
    let (hear, say) = pipe_with(PipeFlags::CLOEXEC)?;
    match clone_into(namespaces, None)? {
        Cloned::Child => {
            drop((say_go_on, hear));
            let _ = set_parent_process_death_signal(Some(Signal::KILL));
            if rustix::io::read(&go_on, &mut [0; 1]) == Ok(1) {
                let answer = act().map_or_else(|error| reason(&error), |()| DONE.to_owned());
                let _ = rustix::io::write(&say, answer.as_bytes());
            }
            std::process::exit(0);
        }
        Cloned::Parent(child) => {
            drop((go_on, say));
            let mapped = write_maps(child, InsideUser::Builder);
            if mapped.is_ok() {
                rustix::io::write(&say_go_on, b"g")?;
            }
            drop(say_go_on);
            let mut answer = String::new();
            File::from(hear).take(1 << 12).read_to_string(&mut answer)?;
            waitpid(Some(child), WaitOptions::empty())?;
            mapped?;
            match answer.as_str() {
                DONE => Ok(()),
                "" => Err(io::Error::other("it was ended")),
                why => Err(io::Error::other(why)),
            }
        }
    }
}
