//! Dependencies that programs of the macros find, in one call for all files (`%__find_provides`, `%__find_requires`): what
//! rpm did before its own generators, and does still where `%_use_internal_dependency_generator` is off.

use bstr::ByteSlice;

use super::binary_package::TOLD;
use super::files::PackagedFile;
use super::generators::{FIND_PROVIDES, FIND_REQUIRES, Looks, full, parsed, with_names};
use super::problem::BuildProblem;
use super::scriptlet::words;
use super::workspace::Workspace;
use super::world::World;
use crate::macros::Stop;
use crate::package::{Format, Header};
use crate::spec::{DependencyKind, add_dependencies};

/// Asks all programs, and adds what they say to the package.
pub(super) fn find(
    world: World<'_>,
    workspace: &Workspace,
    header: &mut Header,
    looks: Looks,
    (entries, format): (&[PackagedFile], Format),
) -> Result<(), Stop> {
    if format == Format::V6 {
        return Err(world.fail(BuildProblem::ExternalGenerator { is_error: true }));
    }
    world.tell(BuildProblem::ExternalGenerator { is_error: false });
    let lines = entries.iter().flat_map(|entry| [full(workspace, entry), b"\n".to_vec()].concat());
    let files: Vec<u8> = lines.collect();
    let names = header.clone();
    with_names(world, workspace, &names, || {
        TOLD.iter().try_for_each(|(word, kind, _)| find_kind(world, header, looks, (word, *kind), &files))
    })
}

/// Asks the program of one kind. rpm lists the requirements of scripts here as well, for which there never is one.
fn find_kind(
    world: World<'_>,
    header: &mut Header,
    looks: Looks,
    (word, kind): (&'static str, DependencyKind),
    files: &[u8],
) -> Result<(), Stop> {
    let is_provides = kind == DependencyKind::Provides;
    if !(if is_provides { looks.for_provides } else { looks.for_requires }) {
        return Ok(());
    }
    let command = match word.contains('(') {
        true => Vec::new(),
        false => world.expand(format!("%{{?__find_{}}}", word.to_ascii_lowercase()))?,
    };
    world.notice([format!("Finding  {word}: ").as_bytes(), &command].concat());
    let words = words(&command);
    let Some(program) = words.first() else {
        return Ok(());
    };
    let failed = || world.fail(BuildProblem::NotFound { what: word });
    let output = match world.macros.filter(&words, files) {
        Ok((code, _)) if code != 0 && is_provides => return Err(failed()),
        Ok((_, output)) => output,
        Err(error) => {
            let (program, reason) = (program.to_str_lossy().into_owned(), crate::files::reason(&error));
            world.tell(BuildProblem::NotRun { program, reason });
            return if is_provides { Err(failed()) } else { Ok(()) };
        }
    };
    let bit = if is_provides { FIND_PROVIDES } else { FIND_REQUIRES };
    let rows = parsed(world, kind, bit, &output.into()).map_err(|Stop| failed())?;
    add_dependencies(header, kind, rows);
    Ok(())
}
