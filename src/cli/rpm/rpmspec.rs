//! `forge rpmspec`: rpmspec with its own command line, its own words and its own exit codes (rpmspec(1)).

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::rc::Rc;

use super::super::context::Context;
use super::options::{CommandLine, CommandWord, Row};
use super::session::{COMMON, Common, OF_SPECS, Session, complain, exit_code, output_failure, print};
use super::shell;
use crate::macros::{Macros, Stop};
use crate::package::{Header, Kind, QueryFormat, Surroundings, Tag};
use crate::spec::{PackageChecks, Report, Spec};

/// What an option means.
#[derive(Clone, Copy)]
enum RpmspecOption {
    Common(Common),
    Mode(Mode),
    Packages(PackageSelection),
    QueryFormat,
    /// An option that stands for a query format, and for [`PackageSelection`].
    Alias(&'static str, Option<PackageSelection>),
    QueryTags,
    Version,
    Help,
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Query,
    Parse,
    Shell,
}

/// Which packages are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PackageSelection {
    All,
    Built,
    Source,
}

macro_rules! list {
    ($what:literal) => {
        concat!("[%|VERBOSE?{%{", $what, "FLAGS:deptype}: }:{}|%{", $what, "NEVRS}\\n]")
    };
}

const OPTIONS: &[Row<RpmspecOption>] = &[
    Row::bare("parse", Some('P'), RpmspecOption::Mode(Mode::Parse)),
    Row::bare("query", Some('q'), RpmspecOption::Mode(Mode::Query)),
    Row::bare("shell", None, RpmspecOption::Mode(Mode::Shell)),
    Row::bare("rpms", None, RpmspecOption::Packages(PackageSelection::All)),
    Row::bare("builtrpms", None, RpmspecOption::Packages(PackageSelection::Built)),
    Row::bare("srpm", None, RpmspecOption::Packages(PackageSelection::Source)),
    Row::valued("queryformat", None, RpmspecOption::QueryFormat),
    Row::valued("qf", None, RpmspecOption::QueryFormat),
    Row::bare("conflicts", None, RpmspecOption::Alias(list!("CONFLICT"), None)),
    Row::bare("obsoletes", None, RpmspecOption::Alias(list!("OBSOLETE"), None)),
    Row::bare("provides", None, RpmspecOption::Alias(list!("PROVIDE"), None)),
    Row::bare("requires", None, RpmspecOption::Alias(list!("REQUIRE"), None)),
    Row::bare("recommends", None, RpmspecOption::Alias(list!("RECOMMEND"), None)),
    Row::bare("suggests", None, RpmspecOption::Alias(list!("SUGGEST"), None)),
    Row::bare("supplements", None, RpmspecOption::Alias(list!("SUPPLEMENT"), None)),
    Row::bare("enhances", None, RpmspecOption::Alias(list!("ENHANCE"), None)),
    Row::bare(
        "buildconflicts",
        None,
        RpmspecOption::Alias(list!("CONFLICT"), Some(PackageSelection::Source)),
    ),
    Row::bare("buildrequires", None, RpmspecOption::Alias(list!("REQUIRE"), Some(PackageSelection::Source))),
    Row::bare("xml", None, RpmspecOption::Alias("[%{*:xml}\\n]", None)),
    Row::bare("json", None, RpmspecOption::Alias("[%{*:json}]", None)),
    Row::bare("querytags", None, RpmspecOption::QueryTags),
    Row::bare("version", None, RpmspecOption::Version),
    Row::bare("help", Some('?'), RpmspecOption::Help),
    Row::bare("usage", None, RpmspecOption::Help),
];

const HELP: &str = "Usage: forge rpmspec [OPTION...] SPEC...

What to do:
  -q, --query                     tell of the packages of specs
  -P, --parse                     show specs as they are when macros are expanded
      --shell                     expand what is typed, with a spec's macros if one is named

Which packages:
      --rpms                      all that the spec declares (the default)
      --builtrpms                 those that would be built
      --srpm                      the source package

What of them:
      --qf, --queryformat=FORMAT  this, as rpm-queryformat(7) describes it
      --requires --provides --conflicts --obsoletes --recommends --suggests
      --supplements --enhances    what they depend on
      --buildrequires             what they are built with
      --buildconflicts            what they can't be built with
      --xml, --json               everything

Macros:
  -D, --define='MACRO EXPR'       define a macro
      --undefine=MACRO            take one away
  -E, --eval='EXPR'               show what an expression expands to
      --with=NAME --without=NAME  switch a condition of the build on or off
      --load=FILE                 load a macro file
      --macros=FILE:...           read these macro files instead of the usual ones
      --rcfile=FILE:...           read these rpmrc files instead of the usual ones
      --target=CPU-VENDOR-OS      the platform that it is for
      --nodebuginfo, --scm=NAME, --buildpolicy=NAME, --trace, --showrc, --querytags

  -v, --verbose                   tell more; --quiet tells less
";

/// What the command line came to.
struct RpmspecRequest {
    mode: Option<Mode>,
    packages: PackageSelection,
    format: Option<Vec<u8>>,
    files: Vec<Vec<u8>>,
}

/// Runs with rpmspec's own arguments; gives the exit code.
pub fn run(arguments: Vec<OsString>, context: &Context) -> u8 {
    exit_code(read_specs(arguments, context))
}

fn read_specs(arguments: Vec<OsString>, context: &Context) -> Result<u8, Vec<u8>> {
    let failed = |error: io::Error| format!("error: {}\n", crate::files::reason(&error)).into_bytes();
    let mut session = Session::new(&context.variables).map_err(failed)?;
    let mut request =
        RpmspecRequest { mode: None, packages: PackageSelection::All, format: None, files: Vec::new() };
    let is_asked = !arguments.is_empty();
    if let Some(code) = read(arguments, &mut session, &mut request)? {
        return Ok(code);
    }
    let mut output = io::BufWriter::new(io::stdout().lock());
    let code = match request.mode {
        Some(Mode::Query) if request.files.is_empty() => return Err(no_arguments("query")),
        Some(Mode::Parse) if request.files.is_empty() => return Err(no_arguments("parse")),
        Some(Mode::Query) => query(&mut session, &request, context, &mut output)?,
        Some(Mode::Parse) => print_expanded(&mut session, &request, &mut output)?,
        Some(Mode::Shell) => {
            drop(output);
            return run_shell(&mut session, &request);
        }
        None if is_asked && request.files.is_empty() => 0,
        None => {
            complain(HELP.as_bytes());
            1
        }
    };
    match output.flush() {
        Ok(()) => session.end().map(|()| code),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(141),
        Err(error) => Err(output_failure(error)),
    }
}

fn no_arguments(what: &str) -> Vec<u8> {
    format!("rpmspec: no arguments given for {what}\n").into_bytes()
}

/// Reads the command line; gives the exit code if that was all.
fn read(
    arguments: Vec<OsString>,
    session: &mut Session,
    request: &mut RpmspecRequest,
) -> Result<Option<u8>, Vec<u8>> {
    const LINE: CommandLine<RpmspecOption> = CommandLine { program: "rpmspec", options: &[OPTIONS] };
    const COMMON_LINE: CommandLine<Common> = CommandLine { program: "rpmspec", options: &[COMMON, OF_SPECS] };
    let mut arguments = arguments.into_iter().map(OsString::into_vec).peekable();
    while let Some(argument) = arguments.next() {
        let other = (&COMMON_LINE, COMMON_LINE.knows(&argument));
        for said in LINE.read_either(other, RpmspecOption::Common, argument, &mut arguments)? {
            let (wanted, value) = match said {
                CommandWord::Word(word) => {
                    request.files.push(word);
                    continue;
                }
                CommandWord::Option { wanted, value, .. } => (wanted, value),
            };
            match wanted {
                RpmspecOption::Common(wanted) => session.apply(wanted, value)?,
                RpmspecOption::Mode(Mode::Query) if request.mode.is_some() => {}
                RpmspecOption::Mode(mode) => request.mode = Some(mode),
                RpmspecOption::Packages(packages) => request.packages = packages,
                RpmspecOption::QueryFormat => request.format = Some(value),
                RpmspecOption::Alias(format, packages) => {
                    request.format = Some(format.as_bytes().to_vec());
                    request.packages = packages.unwrap_or(request.packages);
                }
                RpmspecOption::QueryTags => {
                    print_tags(session.is_verbose)?;
                    return Ok(Some(0));
                }
                RpmspecOption::Version => {
                    session.print_version()?;
                    return Ok(Some(0));
                }
                RpmspecOption::Help => {
                    print(HELP.as_bytes())?;
                    return Ok(Some(0));
                }
            }
        }
    }
    Ok(None)
}

fn print_tags(is_verbose: bool) -> Result<(), Vec<u8>> {
    let mut lines = Vec::new();
    for (name, tag, kind) in Tag::all() {
        let kind = match kind {
            Kind::Text => "string",
            Kind::Texts => "argv",
            Kind::Localized => "i18nstring",
            Kind::Int8 => "char",
            Kind::Int16 => "int16",
            Kind::Int32 => "int32",
            Kind::Int64 => "int64",
            Kind::Bytes => "blob",
        };
        let line = if is_verbose { format!("{name:<20} {:>6} {kind}\n", tag.0) } else { format!("{name}\n") };
        lines.push(line);
    }
    lines.sort();
    print(lines.concat().as_bytes())
}

/// Reads a spec with a session's macros, which are afterwards as they were before unless they are kept.
fn read_spec(session: &mut Session, file: &[u8], keeps_macros: bool) -> Result<Spec, Vec<u8>> {
    let macros = session.macros()?;
    let before = macros.table();
    let tell = |report: &Report| complain(format!("{}\n", report.as_rpm()).as_bytes());
    let spec = session.read_spec(file, PackageChecks::AtOnce, Rc::new(tell));
    if !keeps_macros {
        macros.set_table(before);
    }
    spec?.map_err(|Stop| Vec::new())
}

fn query(
    session: &mut Session,
    request: &RpmspecRequest,
    context: &Context,
    output: &mut impl Write,
) -> Result<u8, Vec<u8>> {
    let format = request.format.as_deref().unwrap_or(b"%{nvr}%{archsuffix}\\n");
    let format = QueryFormat::read(format);
    let languages = context.languages();
    let mut failed = 0_u8;
    for file in &request.files {
        let spec = match read_spec(session, file, false) {
            Ok(spec) => spec,
            Err(message) => {
                failed = failed.saturating_add(1);
                let _ = output.flush();
                complain(&message);
                complain(
                    &[b"error: query of specfile ", file.as_slice(), b" failed, can't parse\n"].concat(),
                );
                continue;
            }
        };
        if session.is_quiet {
            continue;
        }
        let macros = session.macros()?;
        let surroundings = Surroundings {
            expand: &|text| macros.expand(text).ok(),
            languages: &languages,
            is_verbose: session.is_verbose,
        };
        for header in headers(&spec, request.packages) {
            let shown = format.as_ref().map_err(Clone::clone);
            match shown.and_then(|format| format.show(&header, &surroundings)) {
                Ok(text) => output.write_all(&text).map_err(output_failure)?,
                Err(problem) => {
                    let _ = output.flush();
                    complain(format!("error: {problem}\n").as_bytes());
                }
            }
        }
    }
    Ok(failed)
}

fn headers(spec: &Spec, packages: PackageSelection) -> Vec<Header> {
    match packages {
        PackageSelection::Source => vec![spec.source_header()],
        PackageSelection::All => spec.packages.iter().map(|package| spec.binary_header(package)).collect(),
        PackageSelection::Built => {
            let built = spec.packages.iter().filter(|package| package.is_built());
            built.map(|package| spec.binary_header(package)).collect()
        }
    }
}

fn print_expanded(
    session: &mut Session,
    request: &RpmspecRequest,
    output: &mut impl Write,
) -> Result<u8, Vec<u8>> {
    let mut code = 0;
    for file in &request.files {
        match read_spec(session, file, false) {
            Ok(spec) => output.write_all(&spec.text).map_err(output_failure)?,
            Err(message) => {
                let _ = output.flush();
                complain(&message);
                code = 1;
            }
        }
    }
    Ok(code)
}

fn run_shell(session: &mut Session, request: &RpmspecRequest) -> Result<u8, Vec<u8>> {
    for file in &request.files {
        read_spec(session, file, true)?;
    }
    let macros: Macros = session.macros()?;
    shell::run(&macros)
}
