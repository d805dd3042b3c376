//! Dependencies that programs of the macros find, in one call for all files (`%__find_provides`, `%__find_requires`): what
//! rpm did before its own generators, and does still where `%_use_internal_dependency_generator` is off.

use bstr::ByteSlice;

use super::super::command_line::split_words;
use super::super::generator_problem::GeneratorProblem;
use super::super::problem::BuildProblem;
use super::super::world::World;
use super::classified_files::{ClassifiedFiles, DependencySearch};
use super::generators::{FIND_PROVIDES, FIND_REQUIRES, read_generated, run_with_names};
use super::listing::LISTED_KINDS;
use crate::macros::Stop;
use crate::package::{Format, Header};
use crate::spec::{DependencyKind, add_dependencies};

/// Asks all programs, and adds what they say to the package.
pub(crate) fn ask_external_programs(
    world: World<'_>,
    header: &mut Header,
    search: DependencySearch,
    classified: &ClassifiedFiles<'_>,
    format: Format,
) -> Result<(), Stop> {
    if format == Format::V6 {
        return Err(world.fail(GeneratorProblem::External { is_error: true }.into()));
    }
    world.tell(GeneratorProblem::External { is_error: false }.into());
    let root = classified.root;
    let lines =
        classified.files.iter().flat_map(|file| [root.program_path(&file.on_disk), b"\n".to_vec()].concat());
    let files: Vec<u8> = lines.collect();
    let names = header.clone();
    run_with_names(world, root, &names, || {
        LISTED_KINDS
            .iter()
            .try_for_each(|(word, kind, _)| ask_program(world, header, search, (word, *kind), &files))
    })
}

/// Asks the program of one kind. rpm lists the requirements of scripts here as well, for which there never is one.
fn ask_program(
    world: World<'_>,
    header: &mut Header,
    search: DependencySearch,
    (word, kind): (&'static str, DependencyKind),
    files: &[u8],
) -> Result<(), Stop> {
    let is_provides = kind == DependencyKind::Provides;
    if !(if is_provides { search.for_provides } else { search.for_requires }) {
        return Ok(());
    }
    let command = match word.contains('(') {
        true => Vec::new(),
        false => world.expand(format!("%{{?__find_{}}}", word.to_ascii_lowercase()))?,
    };
    world.notice([format!("Finding  {word}: ").as_bytes(), &command].concat());
    let words = split_words(&command);
    let Some(program) = words.first() else {
        return Ok(());
    };
    let failed = || world.fail(GeneratorProblem::NotFound { what: word }.into());
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
    let rows = read_generated(world, kind, bit, &output.into()).map_err(|Stop| failed())?;
    add_dependencies(header, kind, rows);
    Ok(())
}
