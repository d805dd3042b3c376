//! `forge rpmbuild`: rpmbuild with its own command line, its own words and its own exit codes (rpmbuild(1)).

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::rc::Rc;

use bstr::{BStr, ByteSlice};

use super::super::context::Context;
use super::options::{CommandLine, Row, Said};
use super::session::{COMMON, Common, OF_SPECS, Session, Told, complain, ended, print};
use crate::engine::{
    BuildListener, BuildProblem, BuildRequest, Goal, Order, Unbuilt, build, install_source_package,
    spec_of_archive,
};
use crate::files::{Folder, HostPath};
use crate::macros::{Compatibility, Stop};
use crate::package::Dependency;
use crate::spec::{Listener, Parsing, Report, Spec, parse, parse_for_build};

/// What an option means.
#[derive(Clone, Copy)]
enum Wanted {
    Common(Common),
    Build(Input),
    Rebuild,
    Set(fn(&mut Order)),
    InPlace,
    BuildRoot,
    Job,
    Staged,
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

const OPTIONS: &[Row<Wanted>] = &[
    Row::valued("", Some('b'), Wanted::Build(Input::Spec)),
    Row::valued("", Some('r'), Wanted::Build(Input::SourcePackage)),
    Row::valued("", Some('t'), Wanted::Build(Input::Archive)),
    Row::bare("rebuild", None, Wanted::Rebuild),
    Row::bare("recompile", None, Wanted::Rebuild),
    Row::bare("build-in-place", None, Wanted::InPlace),
    Row::bare("clean", None, Wanted::Set(|order| order.clean = true)),
    Row::bare("nobuild", None, Wanted::Set(|order| order.no_build = true)),
    Row::bare("nodeps", None, Wanted::Set(|order| order.no_dependencies = true)),
    Row::bare("nodirtokens", None, Wanted::Set(|_| ())),
    Row::bare("noclean", None, Wanted::Set(|order| order.no_clean = true)),
    Row::bare("noprep", None, Wanted::Set(|order| order.no_prep = true)),
    Row::bare("nocheck", None, Wanted::Set(|order| order.no_check = true)),
    Row::bare("rmsource", None, Wanted::Set(|order| order.remove_sources = true)),
    Row::bare("rmspec", None, Wanted::Set(|order| order.remove_spec = true)),
    Row::bare("short-circuit", None, Wanted::Set(|order| order.short_circuit = true)),
    Row::bare("rpmfcdebug", None, Wanted::Set(|order| order.shows_classes = true)),
    Row::valued("buildroot", None, Wanted::BuildRoot),
    // Said by forge to itself: what it wants to know beyond what rpmbuild tells.
    Row::bare("job", None, Wanted::Job),
    Row::valued("staged", None, Wanted::Staged),
    Row::bare("version", None, Wanted::Version),
    Row::bare("help", Some('?'), Wanted::Help),
    Row::bare("usage", None, Wanted::Help),
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

/// The exit code that says that something the build needs is missing.
const MISSING: u8 = 11;

/// What the command line came to.
struct Request {
    from: Option<Input>,
    order: Order,
    files: Vec<Vec<u8>>,
    /// Whether forge itself has asked for it.
    is_job: bool,
}

/// Runs with rpmbuild's own arguments; gives the exit code.
pub fn run(arguments: Vec<OsString>, context: &Context) -> u8 {
    ended(carried_out(arguments, context))
}

fn carried_out(arguments: Vec<OsString>, context: &Context) -> Result<u8, Vec<u8>> {
    let failed = |error: io::Error| format!("error: {}\n", crate::files::reason(&error)).into_bytes();
    let mut session = Session::new(context).map_err(failed)?;
    // rpmbuild tells what it runs unless it is told not to.
    session.is_verbose = true;
    let is_asked = !arguments.is_empty();
    let mut request = Request { from: None, order: Order::default(), files: Vec::new(), is_job: false };
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
    for file in std::mem::take(&mut request.files) {
        let code = built(&mut session, &request, &file)?;
        if code != 0 {
            return Ok(code);
        }
    }
    session.end().map(|()| 0)
}

/// Reads the command line; gives the exit code if that was all.
fn read(
    arguments: Vec<OsString>,
    session: &mut Session<'_>,
    request: &mut Request,
) -> Result<Option<u8>, Vec<u8>> {
    const LINE: CommandLine<Wanted> = CommandLine { program: "rpmbuild", options: &[OPTIONS] };
    const COMMON_LINE: CommandLine<Common> =
        CommandLine { program: "rpmbuild", options: &[COMMON, OF_SPECS] };
    let mut arguments = arguments.into_iter().map(OsString::into_vec).peekable();
    while let Some(argument) = arguments.next() {
        // `-r` begins from a source package here; elsewhere it names a root.
        let is_common = COMMON_LINE.knows(&argument) && !argument.starts_with(b"-r");
        let other = (&COMMON_LINE, is_common);
        for said in LINE.read_either(other, Wanted::Common, argument, &mut arguments)? {
            let (name, wanted, value) = match said {
                Said::Word(word) => {
                    request.files.push(word);
                    continue;
                }
                Said::Option { name, wanted, value } => (name, wanted, value),
            };
            match wanted {
                Wanted::Common(wanted) => {
                    session.carry_out(wanted, value)?;
                    session.is_verbose &= !session.is_quiet;
                }
                Wanted::Build(from) => {
                    let goal = match value.as_slice() {
                        [letter] => Goal::read(*letter),
                        _ => None,
                    };
                    let name = format!("{name}{}", value.to_str_lossy());
                    let goal = goal.ok_or_else(|| LINE.complaint(&name, "unknown option"))?;
                    (request.from, request.order.goal) = (Some(from), Some(goal));
                }
                Wanted::Rebuild => {
                    request.from = Some(Input::SourcePackage);
                    request.order.goal = Some(Goal::Binary);
                }
                Wanted::Set(set) => set(&mut request.order),
                Wanted::InPlace => {
                    request.order.in_place = true;
                    session.carry_out(Common::Define, b"_build_in_place 1".to_vec())?;
                }
                Wanted::Job => request.is_job = true,
                Wanted::Staged => request.order.staged = staged(&value)?,
                Wanted::BuildRoot => session.build_root = Some(value),
                Wanted::Version => {
                    session.print_version()?;
                    return Ok(Some(0));
                }
                Wanted::Help => {
                    print(HELP.as_bytes())?;
                    return Ok(Some(0));
                }
            }
        }
    }
    Ok(None)
}

/// What staged packages provide, as the file `path` lists it.
fn staged(path: &[u8]) -> Result<Vec<Vec<Dependency>>, Vec<u8>> {
    let shown = path.to_str_lossy();
    let failed = |reason: String| format!("error: Unable to read {shown}: {reason}\n").into_bytes();
    let path = path.to_path_lossy();
    let (folder, name) = path
        .parent()
        .and_then(HostPath::new)
        .zip(path.file_name())
        .ok_or_else(|| failed("not an absolute path".to_owned()))?;
    let text = Folder::open_ambient(&folder).and_then(|folder| folder.read(name));
    let text = text.map_err(|error| failed(crate::files::reason(&error)))?;
    serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
}

/// Tells what a build says, as rpmbuild does.
struct Teller {
    told: Told,
    is_quiet: bool,
    /// Whether exit codes of scripts are told, which rpmbuild keeps to itself.
    tells_codes: bool,
}

impl BuildListener for Teller {
    fn notice(&self, text: &[u8]) {
        if !self.is_quiet {
            let mut output = io::stdout().lock();
            // Nobody is left to be told, if it is gone.
            let _ =
                output.write_all(text).and_then(|()| output.write_all(b"\n")).and_then(|()| output.flush());
        }
    }

    fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    fn detail(&self, text: &[u8]) {
        complain(text);
    }

    fn problem(&self, problem: &BuildProblem) {
        let kind = if problem.is_error() { "error" } else { "warning" };
        let message = format!("{kind}: {problem}\n");
        match problem {
            BuildProblem::BadExit { name, code, .. } if self.tells_codes => {
                self.notice(format!("{name} ended with exit code {code}").as_bytes());
                self.told.tell(message.as_bytes());
            }
            // rpm does not repeat this one at the end.
            BuildProblem::BuildRequires { .. } => complain(message.as_bytes()),
            _ => self.told.tell(message.as_bytes()),
        }
    }
}

/// Builds from one file, for all targets.
fn built(session: &mut Session<'_>, request: &Request, file: &[u8]) -> Result<u8, Vec<u8>> {
    let teller =
        Teller { told: session.told.clone(), is_quiet: session.is_quiet, tells_codes: request.is_job };
    let folder = rustix::process::getcwd(Vec::new()).unwrap_or_default();
    let folder = HostPath::new(folder.as_bytes().to_path_lossy()).unwrap_or_else(HostPath::root);
    let path = folder.join(file.to_path_lossy());
    // Without empty parts and single dots.
    let path = HostPath::new(path.as_path().components().collect::<std::path::PathBuf>()).unwrap_or(path);
    let shown = file.to_str_lossy();
    let mut order = request.order.clone();
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
            install_source_package(&session.macros()?, &teller, &path, &shown)
        }
        Some(Input::Archive) => {
            order.remove_spec = true;
            let macros = session.macros()?;
            let sources = path.as_path().parent().map(|parent| parent.display().to_string());
            let definition = format!("_sourcedir {}", sources.unwrap_or_default());
            let spec = spec_of_archive(&macros, &teller, &path, &shown);
            session.carry_out(Common::Define, definition.into_bytes())?;
            spec
        }
        Some(Input::Spec) | None => check_spec(session, &path, &shown).map(|()| path.clone()),
    };
    let Ok(spec_file) = spec_file else {
        return Ok(1);
    };
    let given = session.targets();
    if given.len() > 1 || !given.is_empty() {
        announce(&given.join(","), session.is_quiet);
    }
    let targets = if given.is_empty() { vec![None] } else { given.into_iter().map(Some).collect() };
    for target in targets {
        if let Some(target) = &target {
            session.set_target(Some(target));
            announce_one(target, session.is_quiet);
        }
        let code = built_for(session, &teller, &order, &spec_file, &folder, target.is_none())?;
        if code != 0 {
            return Ok(code);
        }
    }
    Ok(0)
}

fn announce(targets: &str, is_quiet: bool) {
    if !is_quiet {
        complain(format!("Building target platforms: {targets}\n").as_bytes());
    }
}

fn announce_one(target: &str, is_quiet: bool) {
    if !is_quiet {
        complain(format!("Building for target {target}\n").as_bytes());
    }
}

/// Whether a file can be a spec.
fn check_spec(session: &mut Session<'_>, path: &HostPath, shown: &str) -> Result<(), Stop> {
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

/// Builds for one target; where the spec names others, for those.
fn built_for(
    session: &mut Session<'_>,
    teller: &Teller,
    order: &Order,
    spec_file: &HostPath,
    folder: &HostPath,
    is_open: bool,
) -> Result<u8, Vec<u8>> {
    let before = session.macros()?.table();
    let Ok(spec) = parsed(session, spec_file, order.goal)? else {
        session.macros()?.set_table(before);
        return Ok(1);
    };
    if let Some(problem) = order.ruled_out(&spec) {
        // For rpm the spec is one that can't be read: nothing is repeated at the end.
        teller.problem(&problem);
        session.told.take();
        session.macros()?.set_table(before);
        return Ok(1);
    }
    // A spec that names its architectures is read again for each of them, and what is wrong with it is told again.
    if is_open && !spec.build_archs.is_empty() {
        let archs: Vec<String> = std::iter::once(&spec)
            .chain(&spec.variants)
            .map(|variant| variant.target.arch.to_string())
            .collect();
        announce(&archs.join(","), session.is_quiet);
        for arch in archs {
            announce_one(&arch, session.is_quiet);
            session.set_target(Some(&arch));
            let code = built_for(session, teller, order, spec_file, folder, false)?;
            if code != 0 {
                return Ok(code);
            }
        }
        session.set_target(None);
        return Ok(0);
    }
    let macros = session.macros()?;
    let listener = spec_listener(&session.told);
    let request = BuildRequest {
        macros: &macros,
        spec,
        order,
        listener: teller,
        spec_listener: listener,
        folder: folder.clone(),
    };
    let built = build(request);
    macros.set_table(before);
    summary(&session.told, session.is_quiet, built);
    Ok(match built {
        Ok(()) => 0,
        Err(Unbuilt::Failed) => 1,
        Err(Unbuilt::MissingBuildRequires) => MISSING,
    })
}

fn spec_listener(told: &Told) -> Listener {
    let told = told.clone();
    Rc::new(move |report: &Report| told.tell(format!("{}\n", report.as_rpm()).as_bytes()))
}

/// Reads the spec.
fn parsed(
    session: &mut Session<'_>,
    file: &HostPath,
    goal: Option<Goal>,
) -> Result<Result<Spec, Stop>, Vec<u8>> {
    let macros = session.macros()?;
    let name = file.to_string();
    let text = macros.read_file(name.as_bytes()).map_err(|error| {
        format!("error: Unable to open {name}: {}\n", crate::files::reason(&error)).into_bytes()
    })?;
    let arch = macros.expand(b"%{_host_cpu}").map_err(|Stop| Vec::new())?;
    let arch = String::from_utf8_lossy(&arch).into_owned();
    let compatible = session.rc.compatible(Compatibility::Build, &arch);
    let can_build = |wanted: &BStr| compatible.iter().any(|arch| arch.as_bytes() == wanted.as_bytes());
    let listener = spec_listener(&session.told);
    let parsing = Parsing {
        file: &name,
        text,
        can_build: &can_build,
        build_root: session.build_root.as_deref(),
        listener,
    };
    // What is wrong with whole packages is told when their files are looked at; where that never comes, at once.
    Ok(match goal {
        Some(Goal::Source | Goal::SourceWithRequires) => parse(&macros, parsing),
        _ => parse_for_build(&macros, parsing),
    })
}

/// Repeats what was wrong, once all else has been said: warnings, and errors where they ended the build.
fn summary(told: &Told, is_quiet: bool, built: Result<(), Unbuilt>) {
    let (mut errors, warnings) = told.take();
    match built {
        Err(Unbuilt::Failed) => {}
        Err(Unbuilt::MissingBuildRequires) | Ok(()) => errors.clear(),
    }
    if is_quiet {
        return;
    }
    for (title, lines) in [("warnings", warnings), ("errors", errors)] {
        if lines.is_empty() {
            continue;
        }
        // Nobody is left to be told, if it is gone.
        let _ = print(format!("\nRPM build {title}:\n").as_bytes());
        for line in lines {
            complain(&[b"    ", line.as_slice(), b"\n"].concat());
        }
    }
}
