//! Policies of the buildroot: what `%__os_install_post` runs after `%install` (rpm-macros(7)).
//!
//! They are scripts of the root, and all but a few run as they are. The few look with file(1) at every file only to find
//! programs and libraries. Of such a script that is [known](known) to the byte, its work is done here: the tree is looked at
//! once for all of them, on all threads, and what begins as a program or an archive does is given to the same programs in
//! the same way: file(1), strip(1), objdump(1). Where a name could deceive the script, or anything else is unusual, the script
//! itself runs.
//!
//! The script of `%install` is [written](write_stand_ins) with `forge policies` in the place of known ones, which runs there, in
//! the root. `%_forge_native_policies 0` leaves all as it is.

mod buildroot;
mod known;
mod programs;
mod script_lines;
mod strip;

use std::ffi::{OsStr, OsString};

use crate::files::{HostPath, Tree};
use buildroot::{Buildroot, Unusual};
use known::known_policy;
use programs::{PolicyVariables, run_script};
use script_lines::{SEPARATOR, stand_in};
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
            Err(Unusual) => run_script(command, &environment),
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
    let folder = environment.get(OsStr::new("RPM_BUILD_ROOT")).map(OsString::as_os_str).unwrap_or_default();
    if folder.is_empty() || folder == "/" {
        // As all of them say: the machine itself is not to be changed.
        return Ok(0);
    }
    let found = match buildroot {
        Some(found) => found,
        None => buildroot.insert(Buildroot::look(folder)?),
    };
    Stripping { found, environment, arguments }.carry_out(policy)
}
