//! `forge rpmbuild`: rpmbuild with its own command line, its own words and its own exit codes (rpmbuild(1)).

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;

use bstr::ByteSlice;

use super::super::context::Context;
use super::build::{BuildTask, Teller, build_for_targets};
use super::options::{CommandLine, CommandWord, Row};
use super::session::{COMMON, Common, OF_SPECS, Session, complain, exit_code, print};
use crate::engine::{Goal, Order, RootFiles, extract_spec, install_source_package};
use crate::files::HostPath;
use crate::macros::Stop;

/// What an option means.
#[derive(Clone, Copy)]
enum RpmbuildOption {
    Common(Common),
    Build(Input),
    Rebuild,
    Set(fn(&mut Order)),
    InPlace,
    BuildRoot,
    Version,
    Help,
}

/// What a build begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Spec,
    SourcePackage,
    Archive,
}

const OPTIONS: &[Row<RpmbuildOption>] = &[
    Row::valued("", Some('b'), RpmbuildOption::Build(Input::Spec)),
    Row::valued("", Some('r'), RpmbuildOption::Build(Input::SourcePackage)),
    Row::valued("", Some('t'), RpmbuildOption::Build(Input::Archive)),
    Row::bare("rebuild", None, RpmbuildOption::Rebuild),
    Row::bare("recompile", None, RpmbuildOption::Rebuild),
    Row::bare("build-in-place", None, RpmbuildOption::InPlace),
    Row::bare("clean", None, RpmbuildOption::Set(|order| order.clean = true)),
    Row::bare("nobuild", None, RpmbuildOption::Set(|order| order.no_build = true)),
    Row::bare("nodeps", None, RpmbuildOption::Set(|order| order.no_dependencies = true)),
    Row::bare("nodirtokens", None, RpmbuildOption::Set(|_| ())),
    Row::bare("noclean", None, RpmbuildOption::Set(|order| order.no_clean = true)),
    Row::bare("noprep", None, RpmbuildOption::Set(|order| order.no_prep = true)),
    Row::bare("nocheck", None, RpmbuildOption::Set(|order| order.no_check = true)),
    Row::bare("rmsource", None, RpmbuildOption::Set(|order| order.remove_sources = true)),
    Row::bare("rmspec", None, RpmbuildOption::Set(|order| order.remove_spec = true)),
    Row::bare("short-circuit", None, RpmbuildOption::Set(|order| order.short_circuit = true)),
    Row::bare("rpmfcdebug", None, RpmbuildOption::Set(|order| order.shows_classes = true)),
    Row::valued("buildroot", None, RpmbuildOption::BuildRoot),
    Row::bare("version", None, RpmbuildOption::Version),
    Row::bare("help", Some('?'), RpmbuildOption::Help),
    Row::bare("usage", None, RpmbuildOption::Help),
];

const HELP: &str = "Usage: forge rpmbuild -bSTAGE|-rSTAGE|-tSTAGE [OPTION...] FILE...

What to build from:
  -bSTAGE                         a spec
  -rSTAGE                         a source package
  -tSTAGE                         an archive with a spec in it
      --rebuild, --recompile      the binary packages, from a source package

How far (STAGE):
  p                               %prep: unpack and patch
  d                               %generate_buildrequires: what the build needs
  f                               %conf: configure
  c                               %build: compile
  i, k                            %install and %check, and look at the files
  l                               look at the files only
  b                               binary packages
  s                               the source package
  r                               the source package, with what %generate_buildrequires says
  a                               source and binary packages

What to leave out:
      --noprep --nocheck --noclean --nodeps --nobuild --nodebuginfo
      --short-circuit             run the stage, and none before it
      --build-in-place            build what lies in this folder
      --clean                     remove the build tree afterwards
      --rmsource --rmspec         remove the sources, the spec afterwards

Macros:
  -D, --define='MACRO EXPR'       define a macro
      --undefine=MACRO            take one away
  -E, --eval='EXPR'               show what an expression expands to
      --with=NAME --without=NAME  switch a condition of the build on or off
      --load=FILE                 load a macro file
      --macros=FILE:...           read these macro files instead of the usual ones
      --rcfile=FILE:...           read these rpmrc files instead of the usual ones
      --target=CPU-VENDOR-OS      build for this platform; several are separated by commas
      --buildroot=FOLDER          install there
      --scm=NAME --buildpolicy=NAME --trace --showrc

  -v, --verbose                   tell more; --quiet tells less
";

/// What the command line came to.
struct RpmbuildRequest {
    from: Option<Input>,
    order: Order,
    files: Vec<Vec<u8>>,
}

/// Runs with rpmbuild's own arguments; gives the exit code.
pub fn run(arguments: Vec<OsString>, context: &Context) -> u8 {
    exit_code(build_files(arguments, context))
}

fn build_files(arguments: Vec<OsString>, context: &Context) -> Result<u8, Vec<u8>> {
    let failed = |error: io::Error| format!("error: {}\n", crate::files::reason(&error)).into_bytes();
    let mut session = Session::new(&context.variables).map_err(failed)?;
    // rpmbuild tells what it runs unless it is told not to.
    session.is_verbose = true;
    let is_asked = !arguments.is_empty();
    let mut request = RpmbuildRequest { from: None, order: Order::default(), files: Vec::new() };
    if let Some(code) = read(arguments, &mut session, &mut request)? {
        return Ok(code);
    }
    if request.from.is_none() {
        if is_asked && request.order != Order::default() || !request.files.is_empty() {
            complain(HELP.as_bytes());
            return Ok(1);
        }
        return session.end().map(|()| 0);
    }
    if let Some(root) = session.other_root("rpmbuild")? {
        let root = root.to_str_lossy();
        let said = format!("rpmbuild: --root: builds are made in this root only: run forge in {root}\n");
        return Err(said.into_bytes());
    }
    for file in std::mem::take(&mut request.files) {
        let code = build_file(&mut session, &request, &file)?;
        if code != 0 {
            return Ok(code);
        }
    }
    session.end().map(|()| 0)
}

/// Reads the command line; gives the exit code if that was all.
fn read(
    arguments: Vec<OsString>,
    session: &mut Session,
    request: &mut RpmbuildRequest,
) -> Result<Option<u8>, Vec<u8>> {
    const LINE: CommandLine<RpmbuildOption> = CommandLine { program: "rpmbuild", options: &[OPTIONS] };
    const COMMON_LINE: CommandLine<Common> =
        CommandLine { program: "rpmbuild", options: &[COMMON, OF_SPECS] };
    let mut arguments = arguments.into_iter().map(OsString::into_vec).peekable();
    while let Some(argument) = arguments.next() {
        // `-r` begins from a source package here; elsewhere it names a root.
        let is_common = COMMON_LINE.knows(&argument) && !argument.starts_with(b"-r");
        let other = (&COMMON_LINE, is_common);
        for said in LINE.read_either(other, RpmbuildOption::Common, argument, &mut arguments)? {
            let (name, wanted, value) = match said {
                CommandWord::Word(word) => {
                    request.files.push(word);
                    continue;
                }
                CommandWord::Option { name, wanted, value } => (name, wanted, value),
            };
            match wanted {
                RpmbuildOption::Common(wanted) => {
                    session.apply(wanted, value)?;
                    session.is_verbose &= !session.is_quiet;
                }
                RpmbuildOption::Build(from) => {
                    let goal = match value.as_slice() {
                        [letter] => Goal::read(*letter),
                        _ => None,
                    };
                    let name = format!("{name}{}", value.to_str_lossy());
                    let goal = goal.ok_or_else(|| LINE.complaint(&name, "unknown option"))?;
                    (request.from, request.order.goal) = (Some(from), Some(goal));
                }
                RpmbuildOption::Rebuild => {
                    request.from = Some(Input::SourcePackage);
                    request.order.goal = Some(Goal::Binary);
                }
                RpmbuildOption::Set(set) => set(&mut request.order),
                RpmbuildOption::InPlace => {
                    request.order.in_place = true;
                    session.apply(Common::Define, b"_build_in_place 1".to_vec())?;
                }
                RpmbuildOption::BuildRoot => session.build_root = Some(value),
                RpmbuildOption::Version => {
                    session.print_version()?;
                    return Ok(Some(0));
                }
                RpmbuildOption::Help => {
                    print(HELP.as_bytes())?;
                    return Ok(Some(0));
                }
            }
        }
    }
    Ok(None)
}

/// Builds from one file, for all targets.
fn build_file(session: &mut Session, request: &RpmbuildRequest, file: &[u8]) -> Result<u8, Vec<u8>> {
    let teller = Teller { told: session.told.clone(), is_quiet: session.is_quiet };
    let folder = rustix::process::getcwd(Vec::new()).unwrap_or_default();
    let folder = HostPath::new(folder.as_bytes().to_path_lossy()).unwrap_or_else(HostPath::root);
    let path = folder.join(file.to_path_lossy());
    // Without empty parts and single dots.
    let path = HostPath::new(path.as_path().components().collect::<std::path::PathBuf>()).unwrap_or(path);
    let shown = file.to_str_lossy();
    let mut order = request.order.clone();
    let files = RootFiles::open().map_err(|error| format!("error: {error}\n").into_bytes())?;
    let spec_file = match request.from {
        Some(Input::SourcePackage) => {
            let makes_packages = matches!(
                order.goal,
                Some(
                    Goal::BuildRequires | Goal::Binary | Goal::Source | Goal::SourceWithRequires | Goal::All
                )
            );
            (order.remove_sources, order.remove_spec) = (makes_packages, makes_packages);
            order.clean |= order.goal == Some(Goal::BuildRequires);
            install_source_package(&session.macros()?, &files, &teller, &path, &shown)
        }
        Some(Input::Archive) => {
            order.remove_spec = true;
            let macros = session.macros()?;
            let sources = path.as_path().parent().map(|parent| parent.display().to_string());
            let definition = format!("_sourcedir {}", sources.unwrap_or_default());
            let spec = extract_spec(&macros, &files, &teller, &path, &shown);
            session.apply(Common::Define, definition.into_bytes())?;
            spec
        }
        Some(Input::Spec) | None => check_spec(session, &path, &shown).map(|()| path.clone()),
    };
    let Ok(spec_file) = spec_file else {
        return Ok(1);
    };
    let task = BuildTask { order: &order, spec_file: &spec_file, files: &files, folder: &folder };
    build_for_targets(session, &teller, &task)
}

/// Whether a file can be a spec.
fn check_spec(session: &mut Session, path: &HostPath, shown: &str) -> Result<(), Stop> {
    let full = path.to_string();
    let macros = session.macros().map_err(|_| Stop)?;
    if !macros.exists(full.as_bytes()) {
        session.told.tell(format!("error: failed to stat {full}: No such file or directory\n").as_bytes());
        session.told.take();
        return Err(Stop);
    }
    let start = macros.read_start(full.as_bytes(), 256);
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | 32..=126 | 128..);
    let is_spec = start.is_ok_and(|start| !start.is_empty() && start.iter().all(is_text));
    if !is_spec {
        complain(format!("error: File {full} does not appear to be a specfile.\n").as_bytes());
        return Err(Stop);
    }
    let _ = shown;
    Ok(())
}
