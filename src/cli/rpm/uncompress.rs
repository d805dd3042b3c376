//! `forge rpmuncompress`: what `%setup` and `%patch` unpack with, where the root has no rpm (rpmuncompress(1)).

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use bstr::ByteSlice;

use super::super::context::Context;
use super::options::{CommandLine, CommandWord, Row};
use super::session::{Session, complain, exit_code};
use crate::files::{Folder, HostPath};
use crate::macros::{Macros, Streams};
use crate::package::{Compression, decompressed};
use crate::process::shell_quoted;

/// What an option means.
#[derive(Clone, Copy)]
enum UncompressOption {
    Extract,
    Path,
    DryRun,
    Verbose,
}

const OPTIONS: &[Row<UncompressOption>] = &[
    Row::bare("extract", Some('x'), UncompressOption::Extract),
    Row::valued("path", Some('C'), UncompressOption::Path),
    Row::bare("dry-run", Some('n'), UncompressOption::DryRun),
    Row::bare("verbose", Some('v'), UncompressOption::Verbose),
];

/// What the command line came to.
#[derive(Default)]
struct UncompressRequest {
    extracts: bool,
    into: Option<Vec<u8>>,
    is_dry: bool,
    is_verbose: bool,
    files: Vec<Vec<u8>>,
}

/// What a file is, by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Compressed in a way whose program is named by a macro, and perhaps known here as well.
    Compressed(&'static str, Option<Compression>),
    Zip,
    SevenZip,
    Gem,
    Plain,
}

const MAGIC: [(&[u8], Kind); 10] = [
    (b"\x1f\x8b", Kind::Compressed("gzip", Some(Compression::Gzip))),
    (b"BZh", Kind::Compressed("bzip2", Some(Compression::Bzip2))),
    (b"\xfd7zXZ\0", Kind::Compressed("xz", Some(Compression::Xz))),
    (b"\x28\xb5\x2f\xfd", Kind::Compressed("zstd", Some(Compression::Zstd))),
    (b"\x5d\0\0", Kind::Compressed("xz", Some(Compression::Lzma))),
    (b"LZIP", Kind::Compressed("lzip", None)),
    (b"LRZI", Kind::Compressed("lrzip", None)),
    (b"PK\x03\x04", Kind::Zip),
    (b"PK00PK", Kind::Zip),
    (b"7z\xbc\xaf\x27\x1c", Kind::SevenZip),
];

/// Runs with rpmuncompress's own arguments; gives the exit code.
pub fn run(arguments: Vec<OsString>, context: &Context) -> u8 {
    exit_code(uncompress(arguments, context))
}

fn uncompress(arguments: Vec<OsString>, context: &Context) -> Result<u8, Vec<u8>> {
    let request = read(arguments)?;
    let mut session = Session::new(&context.variables).map_err(|error| program_failure("session", &error))?;
    let macros = session.macros()?;
    for file in &request.files {
        let command = command(&macros, &request, file)?;
        if request.is_dry || request.is_verbose && request.extracts {
            complain(&[command.as_slice(), b"\n"].concat());
        }
        if request.is_dry {
            continue;
        }
        let words = [b"/bin/sh".to_vec(), b"-ec".to_vec(), command];
        match macros.run(&words, &Streams::default()) {
            Ok(0) => {}
            Ok(code) => return Ok(u8::try_from(code).unwrap_or(1)),
            Err(error) => return Err(program_failure("/bin/sh", &error)),
        }
    }
    Ok(0)
}

fn read(arguments: Vec<OsString>) -> Result<UncompressRequest, Vec<u8>> {
    const LINE: CommandLine<UncompressOption> = CommandLine { program: "rpmuncompress", options: &[OPTIONS] };
    let mut request = UncompressRequest::default();
    let mut arguments = arguments.into_iter().map(OsString::into_vec);
    while let Some(argument) = arguments.next() {
        for said in LINE.read(argument, &mut arguments)? {
            match said {
                CommandWord::Word(word) => request.files.push(word),
                CommandWord::Option { wanted: UncompressOption::Extract, .. } => request.extracts = true,
                CommandWord::Option { wanted: UncompressOption::Path, value, .. } => {
                    request.into = Some(value)
                }
                CommandWord::Option { wanted: UncompressOption::DryRun, .. } => request.is_dry = true,
                CommandWord::Option { wanted: UncompressOption::Verbose, .. } => request.is_verbose = true,
            }
        }
    }
    if request.files.is_empty() {
        return Err(b"Usage: forge rpmuncompress [-v] [-n] [-x [-C FOLDER]] FILE...\n".to_vec());
    }
    Ok(request)
}

fn program_failure(what: &str, error: &io::Error) -> Vec<u8> {
    format!("error: {what}: {}\n", crate::files::reason(error)).into_bytes()
}

/// The command of the shell that unpacks a file.
fn command(macros: &Macros, request: &UncompressRequest, file: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
    let shown = file.to_str_lossy();
    let start = macros.read_start(file, 13).map_err(|error| program_failure(&shown, &error))?;
    let kind = match MAGIC.iter().find(|(magic, _)| start.starts_with(magic)) {
        _ if file.ends_with(b".gem") => Kind::Gem,
        Some((_, kind)) => *kind,
        None => Kind::Plain,
    };
    let tool = |name: &str| {
        let tool = macros.expand(format!("%{{?__{name}}}").as_bytes()).unwrap_or_default();
        if tool.is_empty() { name.as_bytes().to_vec() } else { tool }
    };
    let path = shell_quoted(file);
    let plain = match kind {
        Kind::Compressed(name, _) => [tool(name).as_slice(), b" -dc ", &path].concat(),
        Kind::Zip => [tool("unzip").as_slice(), b" -p ", &path].concat(),
        Kind::SevenZip => [tool("7zip").as_slice(), b" x -so ", &path].concat(),
        Kind::Plain | Kind::Gem => [tool("cat").as_slice(), b" ", &path].concat(),
    };
    if !request.extracts {
        return Ok(plain);
    }
    let mut command = Vec::new();
    if let Some(folder) = &request.into {
        command.extend([b"mkdir -p ".as_slice(), &shell_quoted(folder), b" ; "].concat());
    }
    let verbose: &[u8] = if request.is_verbose { b"vv" } else { b"" };
    let into = request.into.as_ref().map(|folder| shell_quoted(folder));
    match kind {
        Kind::Zip => {
            let quiet: &[u8] = if request.is_verbose { b" -u " } else { b" -u -qq " };
            command.extend([tool("unzip").as_slice(), quiet, &path].concat());
            command.extend(into.map(|into| [b" -d ".as_slice(), &into].concat()).unwrap_or_default());
        }
        Kind::SevenZip => {
            command.extend([tool("7zip").as_slice(), b" x -y ", &path].concat());
            command.extend(into.map(|into| [b" -o".as_slice(), &into].concat()).unwrap_or_default());
        }
        Kind::Gem => command.extend([b"gem unpack ".as_slice(), &path].concat()),
        Kind::Compressed(..) | Kind::Plain => {
            let tar = tool("tar");
            command.extend([plain.as_slice(), b" | ", &tar, b" -x", verbose, b"of -"].concat());
            if let Some(into) = into {
                command.extend([b" -C ".as_slice(), &into].concat());
                if has_one_folder(file, kind) {
                    command.extend_from_slice(b" --strip-components=1");
                }
            }
        }
    }
    Ok(command)
}

/// Whether all that is in an archive lies in one folder.
fn has_one_folder(file: &[u8], kind: Kind) -> bool {
    let compression = match kind {
        Kind::Compressed(_, Some(compression)) => compression,
        Kind::Plain => Compression::None,
        Kind::Compressed(_, None) | Kind::Zip | Kind::SevenZip | Kind::Gem => return false,
    };
    tops(file, compression).is_ok_and(|tops| tops.len() == 1)
}

/// The first parts of all paths in an archive.
fn tops(file: &[u8], compression: Compression) -> io::Result<BTreeSet<Vec<u8>>> {
    let here = rustix::process::getcwd(Vec::new())?;
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(here.as_bytes())).join(file.to_path_lossy());
    let parent = path.parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    let file = Folder::open_ambient(&parent)?.open(path.file_name().unwrap_or_default())?;
    let content: Box<dyn Read> = decompressed(compression, io::BufReader::new(file.into_std()))?;
    let mut tops = BTreeSet::new();
    for entry in tar::Archive::new(content).entries()? {
        let entry = entry?;
        let path = entry.path_bytes();
        let mut parts = path.split_str("/").filter(|part| !part.is_empty() && *part != b".");
        let is_file = !entry.header().entry_type().is_dir();
        let (first, second) = (parts.next(), parts.next());
        if let Some(first) = first {
            // A file at the top is none that could be left out.
            let mark: &[u8] = if is_file && second.is_none() { b"/" } else { b"" };
            tops.insert([first, mark].concat());
            tops.extend((!mark.is_empty()).then(|| b"/".to_vec()));
        }
    }
    Ok(tops)
}
