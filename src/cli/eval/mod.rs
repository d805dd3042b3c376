//! `forge eval`

mod show;

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

use bstr::ByteSlice;

use super::Exit;
use super::arguments::Eval;
use super::context::{CliError, Context, Failure};
use crate::engine::{Settings, environment};
use crate::files::HostPath;
use crate::macros::{Configuration, Level, Limits, Macros, Origin, Report, Severity, SystemHost, Table};
use crate::ui::Verbosity;
use show::{Evaluated, MacroDiagnostic, ReportDocument, Used};

/// What has been reported and not been told yet.
type Reports = Rc<RefCell<Vec<Report>>>;

/// Expands expressions with a root's macros.
pub fn run(arguments: &Eval, context: &Context) -> Result<Exit, Failure> {
    let reports = Reports::default();
    let macros = macros(arguments, &reports, context)?;
    let (mut is_sound, mut evaluated) = (tell(&reports, arguments, context), Vec::new());
    for expression in &arguments.expressions {
        let text = expression.as_bytes();
        macros.set_place(Origin::named(&format!("`{}`", text.to_str_lossy())));
        macros.record_uses();
        let value = macros.expand(text);
        let used = macros.take_uses();
        if arguments.json {
            let diagnostics = reports.take();
            is_sound &= diagnostics.iter().all(is_harmless);
            evaluated.push(Evaluated {
                expression: text.to_str_lossy().into_owned(),
                value: value.ok().map(|value| value.to_str_lossy().into_owned()),
                macros: used.iter().map(|definition| Used::from(&**definition)).collect(),
                diagnostics: diagnostics.iter().map(ReportDocument::from).collect(),
            });
            continue;
        }
        is_sound &= tell(&reports, arguments, context);
        if let Ok(value) = value {
            let mut output = std::io::stdout().lock();
            let written = output.write_all(&[value.as_slice(), b"\n"].concat()).and_then(|()| output.flush());
            written.map_err(Failure::from_output)?;
        }
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&evaluated).map_err(|error| CliError::Io(error.into()))?;
        context.print(&format!("{text}\n"))?;
    }
    Ok(if is_sound { Exit::Success } else { Exit::Failure })
}

/// The macros of the machine or of a root, with all that the command line adds.
fn macros(arguments: &Eval, reports: &Reports, context: &Context) -> Result<Macros, Failure> {
    let host = open_host(context.variables.clone(), arguments, reports, context)?;
    let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
    let configuration = Configuration {
        target: arguments.target.clone(),
        macro_path: arguments.macros.as_ref().map(|path| path.as_bytes().to_vec()),
        rc_path: None,
    };
    // What can't be done has been reported, and all is reported at once.
    let _ = macros.configure(&configuration);
    for file in &arguments.load {
        let _ = macros.load(file.as_os_str().as_bytes(), Level::MACRO_FILES);
    }
    for definition in &arguments.define {
        macros.set_place(Origin::named("--define"));
        let _ = macros.define(definition.as_bytes(), Level::COMMAND_LINE, Origin::named("--define"));
    }
    for name in &arguments.undefine {
        macros.set_place(Origin::named("--undefine"));
        let _ = macros.undefine(name.as_bytes());
    }
    if !arguments.restricted && arguments.root.is_none() {
        return Ok(macros);
    }
    // The files are the user's choice, with the user's environment. What they and the expressions say may be anybody's.
    let variables = environment(&Settings::default());
    let host = host_of_expressions(open_host(variables, arguments, reports, context)?, arguments, context)?;
    Ok(Macros::new(macros.table(), Rc::new(host), Limits::default()))
}

/// The machine, or a root on it.
fn open_host(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    arguments: &Eval,
    reports: &Reports,
    context: &Context,
) -> Result<SystemHost, Failure> {
    let listener = Rc::clone(reports);
    let host = SystemHost::new(variables, move |report| listener.borrow_mut().push(report))
        .map_err(CliError::Io)?
        .verbose(context.verbosity == Verbosity::Verbose);
    let Some(root) = &arguments.root else {
        return Ok(if arguments.restricted { host.read_only() } else { host });
    };
    let root: HostPath = context.named(root)?;
    host.in_root(&root).map_err(|error| CliError::Io(error).into())
}

/// With `--restricted` only the folder where forge works and the macro files can be read; of a root, only these.
fn host_of_expressions(host: SystemHost, arguments: &Eval, context: &Context) -> Result<SystemHost, Failure> {
    if !arguments.restricted {
        return Ok(host);
    }
    let folder = match arguments.root {
        None => Some(context.named(Path::new("."))?.as_path().to_owned()),
        Some(_) => None,
    };
    Ok(host.confine_to(folder))
}

fn is_harmless(report: &Report) -> bool {
    report.problem.severity() == Severity::Warning
}

/// Tells what has been reported; gives whether all of it is harmless.
fn tell(reports: &Reports, arguments: &Eval, context: &Context) -> bool {
    let reports = reports.take();
    for report in &reports {
        if arguments.json || context.verbosity > Verbosity::Quiet || !is_harmless(report) {
            context.show(&MacroDiagnostic::from(report));
        }
    }
    reports.iter().all(is_harmless)
}
