//! Policies of the buildroot: what `%__os_install_post` runs after `%install` (rpm-macros(7)).
//!
//! They are scripts of the root. Most of them have nothing to do for most packages, and start many programs to find that out: file(1)
//! for every file, only to find programs and libraries. Of a script that is [known](known) to the byte, its work is done here:
//! the tree is looked at once for all of them, on all threads, and what concerns one is given to the same programs in the same
//! way: file(1), strip(1), objdump(1), gzip(1). Where a name could deceive the script, or anything else is unusual, the script
//! itself runs.
//!
//! The script of `%install` is [written](write_stand_ins) with `forge policies` in the place of known ones, which runs there, in
//! the root. `%_forge_native_policies 0` leaves all as it is.

mod buildroot;
mod checks;
mod content;
mod known;
mod man_pages;
mod others;
mod programs;
mod removal;
mod script_lines;
mod situation;
mod strip;

use std::ffi::{OsStr, OsString};

use crate::files::{HostPath, Tree};
use buildroot::{Buildroot, Unusual};
use known::{Policy, known_policy};
use programs::{PolicyVariables, run_script};
use script_lines::{SEPARATOR, stand_in};
use situation::{Done, Situation, variable};
use strip::Stripping;

/// Writes a script so that [`run_policies`] does what known policies in it do. `own` is this program as the script calls it, `read`
/// gives what a file of the root holds.
pub(super) fn write_stand_ins(
    text: Vec<u8>,
    own: &OsStr,
    read: impl Fn(&HostPath) -> Option<Vec<u8>>,
) -> Vec<u8> {
    stand_in(text, own, |script| read(script).is_some_and(|text| known_policy(&text).is_some()))
}

/// Does what policies do to the buildroot that the environment names. Each is a command: its script, and the arguments of
/// that. Gives the exit code of the first that fails, or 0.
pub fn run_policies(words: &[OsString], environment: impl IntoIterator<Item = (OsString, OsString)>) -> i32 {
    let environment: PolicyVariables = environment.into_iter().collect();
    let mut buildroot = None;
    for command in words.split(|word| word == SEPARATOR).filter(|command| !command.is_empty()) {
        let code = match run_native(command, &environment, &mut buildroot) {
            Ok(code) => code,
            Err(Unusual) => {
                // A script may do whatever it likes.
                buildroot = None;
                run_script(command, &environment)
            }
        };
        if code != 0 {
            return code;
        }
    }
    0
}

/// Does the work of a script that is known, in a buildroot that is looked at once.
fn run_native(
    command: &[OsString],
    environment: &PolicyVariables,
    buildroot: &mut Option<Buildroot>,
) -> Result<i32, Unusual> {
    let (script, arguments) = command.split_first().ok_or(Unusual)?;
    let script = HostPath::new(script).ok_or(Unusual)?;
    let tree = Tree::open(&HostPath::root()).map_err(|_| Unusual)?;
    let policy = tree.read(script.as_path()).ok().and_then(|text| known_policy(&text)).ok_or(Unusual)?;
    let is_understood = match policy {
        Policy::Compress(_) => man_pages::understands(environment),
        Policy::CheckRunPaths => checks::understands(environment),
        Policy::Other(policy) => others::understands(policy, arguments),
        Policy::Strip(_) | Policy::ElfPermissions | Policy::RemoveLibtool(_) | Policy::CheckBuildroot => true,
    };
    if !is_understood {
        return Err(Unusual);
    }
    let folder = variable(environment, "RPM_BUILD_ROOT").unwrap_or_default();
    if folder.is_empty() || folder == "/" {
        // As all of them say: the machine itself is not to be changed.
        return Ok(0);
    }
    let found = match buildroot {
        Some(found) => found,
        None => buildroot.insert(Buildroot::look(folder)?),
    };
    let done = carry_out(policy, &Situation { found, environment, arguments })?;
    if done.has_changed {
        *buildroot = None;
    }
    Ok(done.code)
}

fn carry_out(policy: Policy, situation: &Situation<'_>) -> Result<Done, Unusual> {
    match policy {
        Policy::Strip(policy) => {
            let code = Stripping(situation).carry_out(policy)?;
            Ok(Done { code, has_changed: false })
        }
        Policy::Compress(rule) => man_pages::compress(situation, rule),
        Policy::ElfPermissions => removal::take_permissions(situation),
        Policy::RemoveLibtool(rule) => removal::remove_libtool(situation, rule),
        Policy::CheckBuildroot => checks::check_contents(situation),
        Policy::CheckRunPaths => checks::check_run_paths(situation),
        Policy::Other(policy) => others::leave_alone(situation, policy),
    }
}
