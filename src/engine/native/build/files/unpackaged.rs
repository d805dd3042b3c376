//! Files in the buildroot that no package has.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;

use bstr::{BString, ByteSlice};
use cap_std::fs::Dir;

use super::super::command_line::split_words;
use super::super::problem::BuildProblem;
use super::super::workspace::Workspace;
use super::super::world::World;
use crate::engine::PACKAGING;
use crate::macros::Stop;

/// The name of rpm's own check, which is done here.
const OWN_CHECK: &[u8] = b"/check-files";

/// Tells of all files that are installed and not packaged.
pub(crate) fn check_unpackaged(
    world: World<'_>,
    workspace: &Workspace,
    handled: &[BString],
) -> Result<(), Stop> {
    let command = world.expand("%{?__check_files}")?;
    if command.trim_ascii().is_empty() {
        return Ok(());
    }
    world.begin_stage(PACKAGING);
    world.notice([b"Checking for unpackaged file(s): ", command.as_slice()].concat());
    let words = split_words(&command);
    let is_own = words.first().is_some_and(|program| program.ends_with(OWN_CHECK));
    let files = match is_own {
        true => find_unpackaged(world, workspace, handled),
        false => ask_program(world, workspace, &words, handled)?,
    };
    if files.is_empty() {
        return Ok(());
    }
    let is_error = world.is_on("_unpackaged_files_terminate_build");
    world.tell(BuildProblem::Unpackaged { files, is_error });
    if is_error { Err(Stop) } else { Ok(()) }
}

/// Asks another program, which is given the packaged files, for those that are not.
fn ask_program(
    world: World<'_>,
    workspace: &Workspace,
    words: &[Vec<u8>],
    handled: &[BString],
) -> Result<Vec<BString>, Stop> {
    let root = workspace.root.as_bytes();
    let input: Vec<u8> = handled.iter().flat_map(|path| [root, path, b"\n"].concat()).collect();
    let program = words.first().map(|word| word.to_str_lossy().into_owned()).unwrap_or_default();
    let result = world.macros.filter(words, &input);
    let (_, output) = result.map_err(|error| {
        world.fail(BuildProblem::NotRun { program, reason: crate::files::reason(&error) })
    })?;
    Ok(output.lines().map(|line| BString::from(line.trim_ascii())).filter(|line| !line.is_empty()).collect())
}

fn find_unpackaged(world: World<'_>, workspace: &Workspace, handled: &[BString]) -> Vec<BString> {
    let handled: HashSet<&[u8]> = handled.iter().map(|path| path.as_slice()).collect();
    let mut found = Vec::new();
    if let Some(root) = workspace.root.open(world.files) {
        collect_unpackaged(root.dir(), b"", &handled, &mut found);
    }
    found.sort();
    found
}

/// Regular files and links count; folders do not.
fn collect_unpackaged(folder: &Dir, path: &[u8], handled: &HashSet<&[u8]>, found: &mut Vec<BString>) {
    for entry in folder.entries().into_iter().flatten().flatten() {
        let name = entry.file_name();
        let path = [path, b"/", name.as_bytes()].concat();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                if let Ok(folder) = folder.open_dir(&name) {
                    collect_unpackaged(&folder, &path, handled, found);
                }
            }
            Ok(kind) if (kind.is_file() || kind.is_symlink()) && !handled.contains(path.as_slice()) => {
                found.push(path.into());
            }
            _ => {}
        }
    }
}
