//! Signatures of packages that are made as they are built (`%_openpgp_autosign_id`, rpmsign(1)).

use std::io;
use std::os::unix::ffi::OsStrExt;

use bstr::ByteSlice;

use super::super::autosign_problem::AutosignProblem;
use super::super::command_line::split_words;
use super::super::problem::BuildProblem;
use super::super::root_files::plain_reason;
use super::super::world::World;
use crate::files::{HostPath, reason};
use crate::macros::{Definition, Expansion, Level, Origin, Stop, Streams};
use crate::package::signing::{SignaturePlace, UnplacedSignature, add_signature};
use crate::package::{Headers, read_headers};

/// The macro that names the key.
const KEY: &str = "_openpgp_autosign_id";

/// The macro that names the program: of rpm 6 and later.
const PROGRAM: &str = "_openpgp_sign";

/// How many bytes of what the command writes are read: signatures have a few hundred, those that resist quantum computers some tens of thousands.
const LARGEST_SIGNATURE: u64 = 1 << 20;

/// What the command is told to read: its standard input.
const STANDARD_INPUT: &[u8] = b"-";

/// Signs a package, if macros ask for it: with the command that they name, which is given the header and writes a signature.
pub(crate) fn sign_package(world: World<'_>, path: &HostPath) -> Result<(), Stop> {
    let id = world.setting(KEY);
    if id.is_empty() {
        return Ok(());
    }
    let failed = |reason: String| {
        fail_unsigned(world, AutosignProblem::NotRewritten { path: path.to_string(), reason })
    };
    let (folder, name) = world.files.folder_of(path).map_err(|error| failed(reason(&error)))?;
    let mut file = folder.open(name).map_err(|error| failed(reason(&error)))?;
    let headers = read_headers(&mut file).map_err(|error| failed(error.to_string()))?;
    drop(file);
    let written = make_signature(world, &id, path, &headers)?;
    let signature = UnplacedSignature::read(&written)
        .ok_or_else(|| fail_unsigned(world, AutosignProblem::NotOneSignature))?;
    check_place(&signature, &headers).map_err(|problem| fail_unsigned(world, problem))?;
    add_signature(&folder, name.as_ref(), &headers, signature.packet())
        .map_err(|error| failed(reason(&error)))
}

fn fail_unsigned(world: World<'_>, problem: AutosignProblem) -> Stop {
    world.fail(BuildProblem::NotSigned { problem })
}

/// Whether the package has a place for the signature that an rpm of its format looks at.
fn check_place(signature: &UnplacedSignature, headers: &Headers) -> Result<(), AutosignProblem> {
    match signature.place_in(headers) {
        SignaturePlace::Usual => Ok(()),
        SignaturePlace::NoneForAlgorithm => {
            Err(AutosignProblem::NoPlaceForAlgorithm { algorithm: signature.algorithm() })
        }
        SignaturePlace::NoneForVersion => {
            Err(AutosignProblem::NoPlaceForVersion { version: signature.version() })
        }
    }
}

/// Has the command sign a package's header; gives what it writes.
fn make_signature(
    world: World<'_>,
    id: &str,
    package: &HostPath,
    headers: &Headers,
) -> Result<Vec<u8>, Stop> {
    let mut name = package.as_os_str().to_owned();
    name.push(".sig");
    let missing = || AutosignProblem::NoSignature { path: name.to_string_lossy().into_owned() };
    let signed = HostPath::new(&name).ok_or_else(|| fail_unsigned(world, missing()))?;
    // Some programs refuse to write over a file.
    world.files.remove_file(&signed);
    let command = read_command(world, id, name.as_bytes())?;
    let plain = world.write_temporary(&headers.header_bytes)?;
    let streams = Streams { input: Some(plain.as_os_str().as_bytes().to_vec()), ..Streams::default() };
    let result = world.macros.run(&command.words, &streams);
    world.files.remove_file(&plain);
    let signature = world.files.read_regular(&signed, LARGEST_SIGNATURE);
    world.files.remove_file(&signed);
    check_end(world, command.program, result)?;
    signature.map_err(|_| fail_unsigned(world, missing()))
}

fn check_end(world: World<'_>, program: String, result: io::Result<i32>) -> Result<(), Stop> {
    let code = result.unwrap_or_else(|error| {
        let (program, reason) = (program.clone(), plain_reason(&error));
        world.tell(BuildProblem::NotSigned { problem: AutosignProblem::NotStarted { program, reason } });
        1
    });
    match code {
        0 => Ok(()),
        code => Err(fail_unsigned(world, AutosignProblem::Failed { program, code })),
    }
}

/// The command that signs.
struct SignCommand {
    /// The program, as messages name it.
    program: String,
    /// The program and its options.
    words: Vec<Vec<u8>>,
}

/// The macro that says how a program signs.
struct SignMacro {
    name: String,
    /// Whether it is given the names of both files.
    takes_arguments: bool,
    /// Whether it is one of before rpm 6: it knows the key and both files by other macros.
    is_older: bool,
}

/// Finds the macro of the program that is to sign.
fn find_macro(world: World<'_>) -> Result<SignMacro, Stop> {
    let has_choice = world.is_defined(PROGRAM);
    let program = if has_choice { world.setting(PROGRAM) } else { "gpg".to_owned() };
    let name = format!("__{program}_sign_cmd");
    let takes_arguments = world
        .macros
        .with_table(|table| table.get(name.as_bytes()).map(|definition| definition.options.is_some()));
    match takes_arguments {
        Some(takes_arguments) => {
            Ok(SignMacro { name, takes_arguments, is_older: !takes_arguments && !has_choice })
        }
        None => Err(fail_unsigned(world, AutosignProblem::NoMacro { name })),
    }
}

impl SignMacro {
    /// What it gives for a key and the file that the signature is to be written to.
    fn expand(&self, world: World<'_>, id: &str, signed: &[u8]) -> Result<Vec<u8>, Stop> {
        let older = [
            ("_gpg_name", id.as_bytes()),
            ("__plaintext_filename", STANDARD_INPUT),
            ("__signature_filename", signed),
        ];
        let newer = [("_openpgp_sign_id", id.as_bytes())];
        let own = if self.is_older { older.as_slice() } else { &newer };
        own.iter().for_each(|(name, body)| push_macro(world, name, body));
        let text = match self.takes_arguments {
            true => world.call(&self.name, vec![STANDARD_INPUT.to_vec(), signed.to_vec()]),
            false => world.expand(format!("%{{{}}}", self.name)),
        };
        own.iter().for_each(|(name, _)| world.macros.pop(name.as_bytes()));
        text
    }
}

/// Reads which command signs with a key, and writes the signature to a file.
fn read_command(world: World<'_>, id: &str, signed: &[u8]) -> Result<SignCommand, Stop> {
    let known = find_macro(world)?;
    let text = known.expand(world, id, signed)?;
    let mut words = split_words(&text.replace("\n", " "));
    let [first, _, ..] = words.as_slice() else {
        let command = text.to_str_lossy().into_owned();
        return Err(fail_unsigned(world, AutosignProblem::InvalidCommand { command }));
    };
    let program = first.to_str_lossy().into_owned();
    if known.is_older {
        // The second word is what the program is told that it is called.
        words.remove(1);
        tell_home(world, &mut words);
    }
    Ok(SignCommand { program, words })
}

/// Tells gpg where its keys are: the macros of before rpm 6 leave that to rpm.
fn tell_home(world: World<'_>, words: &mut Vec<Vec<u8>>) {
    let home = world.setting("_gpg_path");
    if !home.is_empty() {
        let before = [b"/usr/bin/env".to_vec(), format!("GNUPGHOME={home}").into_bytes()];
        words.splice(0..0, before);
    }
}

fn push_macro(world: World<'_>, name: &str, body: &[u8]) {
    world.macros.push(Definition {
        name: name.as_bytes().into(),
        options: None,
        body: body.into(),
        expansion: Expansion::Never,
        level: Level::COMMAND_LINE,
        origin: Origin::named(KEY),
    });
}
