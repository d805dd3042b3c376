//! Signatures of packages that are made as they are built (`%_openpgp_autosign_id`, rpmsign(1)).

use bstr::ByteSlice;

use super::super::command_line::split_words;
use super::super::problem::BuildProblem;
use super::super::world::World;
use crate::files::{HostPath, reason};
use crate::macros::{Definition, Expansion, Level, Origin, Stop, Streams};
use crate::package::read_headers;
use crate::package::signing::add_signature;

/// Signs a package, if macros ask for it: with the command that they name, which is given the header and writes a signature.
pub(crate) fn sign_package(world: World<'_>, path: &HostPath) -> Result<(), Stop> {
    let id = world.setting("_openpgp_autosign_id");
    if id.is_empty() {
        return Ok(());
    }
    let failed = |reason: String| fail_unsigned(world, format!("failed to sign package {path}: {reason}"));
    let (folder, name) = world.files.folder_of(path).map_err(|error| failed(reason(&error)))?;
    let mut file = folder.open(name).map_err(|error| failed(reason(&error)))?;
    let headers = read_headers(&mut file).map_err(|error| failed(error.to_string()))?;
    drop(file);
    let plain = world.write_temporary(&headers.header_bytes)?;
    let signed = world.write_temporary(b"")?;
    // It must not be there: some programs refuse to write over a file.
    world.files.remove_file(&signed);
    let result = run_sign_command(world, &id, &plain, &signed);
    world.files.remove_file(&plain);
    let signature = world.macros.read_file(signed.to_string().as_bytes());
    world.files.remove_file(&signed);
    match (result?, signature) {
        ((_, Ok(0)), Ok(signature)) if !signature.is_empty() => {
            add_signature(&folder, name.as_ref(), &headers, &signature)
                .map_err(|error| failed(reason(&error)))
        }
        ((_, Ok(0)), _) => Err(failed("the command wrote no signature".to_owned())),
        ((program, Ok(code)), _) => Err(fail_unsigned(world, format!("{program} exec failed ({code:x})"))),
        ((_, Err(error)), _) => Err(failed(reason(&error))),
    }
}

fn fail_unsigned(world: World<'_>, what: String) -> Stop {
    world.fail(BuildProblem::NotSigned { what })
}

/// Runs the command; gives its name and its exit code. Newer macros take the names of the files as arguments, older ones know them by macros.
fn run_sign_command(
    world: World<'_>,
    id: &str,
    plain: &HostPath,
    signed: &HostPath,
) -> Result<(String, std::io::Result<i32>), Stop> {
    let (plain, signed) = (plain.to_string(), signed.to_string());
    let own = [
        ("_openpgp_sign_id", id),
        ("_gpg_name", id),
        ("__plaintext_filename", plain.as_str()),
        ("__signature_filename", signed.as_str()),
    ];
    for (name, body) in own {
        world.macros.push(Definition {
            name: name.as_bytes().into(),
            options: None,
            body: body.as_bytes().into(),
            expansion: Expansion::Never,
            level: Level::COMMAND_LINE,
            origin: Origin::named("_openpgp_autosign_id"),
        });
    }
    let program = world.setting("_openpgp_sign");
    let program = if program.is_empty() { "gpg" } else { &program };
    let name = format!("__{program}_sign_cmd");
    let is_newer = world
        .macros
        .with_table(|table| table.get(name.as_bytes()).is_some_and(|known| known.options.is_some()));
    let call = if is_newer { format!("%{{{name} {plain} {signed}}}") } else { format!("%{{{name}}}") };
    let command = world.expand(call);
    own.iter().for_each(|(name, _)| world.macros.pop(name.as_bytes()));
    let command = command?;
    let mut words = split_words(&command.replace("\n", " "));
    if words.len() < 2 {
        return Err(fail_unsigned(world, format!("Invalid sign command: {}", command.to_str_lossy())));
    }
    if !is_newer {
        // The second word is what the program is told that it is called.
        words.remove(1);
    }
    let program = words.first().map(|word| word.to_str_lossy().into_owned()).unwrap_or_default();
    Ok((program, world.macros.run(&words, &Streams::default())))
}
