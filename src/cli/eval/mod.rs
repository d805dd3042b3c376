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
use super::context::{CliError, Context, Failure};
use super::named_package::{NamedPackage, Wanted};
use super::project::Project;
use super::spec_arguments::Eval;
use crate::engine::{Mask, Settings, define_settings, environment, read_own_version};
use crate::event::BuildName;
use crate::files::HostPath;
use crate::macros::{Configuration, Level, Limits, Macros, Origin, Report, Severity, SystemHost, Table};
use crate::ui::Verbosity;
use show::{Evaluated, MacroDiagnostic, ReportDocument, Used};

/// What has been reported and not been told yet.
type Reports = Rc<RefCell<Vec<Report>>>;

/// Expands expressions with a root's macros, and those of packages where some are named.
pub fn run(arguments: &Eval, context: &Context) -> Result<Exit, Failure> {
    let subjects = subjects(arguments, context)?;
    let (mut is_sound, mut evaluated) = (true, Vec::new());
    for subject in &subjects {
        is_sound &= subject.evaluate(subjects.len() > 1, &mut evaluated)?;
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&evaluated).map_err(|error| CliError::Io(error.into()))?;
        let text = subjects.iter().fold(text, |text, subject| subject.mask.text(&text).into_owned());
        context.print(&format!("{text}\n"))?;
    }
    Ok(if is_sound { Exit::Success } else { Exit::Failure })
}

/// The packages that are named; the machine alone where none is.
fn subjects<'a>(arguments: &'a Eval, context: &'a Context) -> Result<Vec<Subject<'a>>, Failure> {
    let subject = |package: Option<NamedPackage>| Subject {
        arguments,
        is_restricted: arguments.restricted || package.as_ref().is_some_and(|package| !package.is_trusted()),
        mask: package.as_ref().map_or_else(|| Mask::new([]), NamedPackage::mask),
        build: package.as_ref().map(|package| package.build.clone()),
        settings: package.map(|package| package.settings),
        reports: Reports::default(),
        context,
    };
    if arguments.package.is_empty() && arguments.choice.batch.is_empty() {
        return Ok(vec![subject(None)]);
    }
    let wanted = Wanted { names: &arguments.package, choice: &arguments.choice, over: &[] };
    let packages = NamedPackage::find(&Project::find(context)?, wanted, context)?;
    if arguments.root.is_none() {
        packages.iter().for_each(|package| package.tell_of_own_macros("forge eval", context));
    }
    Ok(packages.into_iter().map(|package| subject(Some(package))).collect())
}

/// What is expanded, and with what.
struct Subject<'a> {
    arguments: &'a Eval,
    /// Whether the expressions may run nothing.
    is_restricted: bool,
    /// The package that is named.
    build: Option<BuildName>,
    /// What the manifest says for it.
    settings: Option<Settings>,
    /// What takes secrets out of all that is shown.
    mask: Mask,
    reports: Reports,
    context: &'a Context,
}

impl Subject<'_> {
    /// Expands all expressions: into `evaluated` for programs, and on lines of their own for people, which begin with the
    /// package where there are several. Gives whether all went well.
    fn evaluate(&self, is_one_of_several: bool, evaluated: &mut Vec<Evaluated>) -> Result<bool, Failure> {
        let Self { arguments, reports, mask, build, .. } = self;
        let macros = self.macros()?;
        let mut is_sound = self.tell();
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
                    build: build.clone(),
                    expression: text.to_str_lossy().into_owned(),
                    value: value.ok().map(|value| value.to_str_lossy().into_owned()),
                    macros: used.iter().map(|definition| Used::from(&**definition)).collect(),
                    diagnostics: diagnostics.iter().map(ReportDocument::from).collect(),
                });
                continue;
            }
            is_sound &= self.tell();
            if let Ok(value) = value {
                let name = build.as_ref().filter(|_| is_one_of_several).map(|build| format!("{build}: "));
                let name = name.unwrap_or_default();
                let line = [name.as_bytes(), mask.bytes(&value).as_slice(), b"\n"].concat();
                let mut output = std::io::stdout().lock();
                let written = output.write_all(&line).and_then(|()| output.flush());
                written.map_err(Failure::from_output)?;
            }
        }
        Ok(is_sound)
    }

    /// The macros of the machine or of a root, with all that the command line adds.
    fn macros(&self) -> Result<Macros, Failure> {
        let arguments = self.arguments;
        let own = self.settings.as_ref();
        let variables = match own {
            Some(settings) => environment(settings).into_iter().collect(),
            None => self.context.variables.clone(),
        };
        let host = self.open_host(variables)?;
        let own_with_rpm = own.map(|settings| (settings, read_own_version(&host)));
        let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
        let configuration = Configuration {
            target: arguments.target.clone().or_else(|| own?.target.clone()),
            macro_path: arguments.macros.as_ref().map(|path| path.as_bytes().to_vec()),
            rc_path: None,
        };
        // What can't be done has been reported, and all is reported at once.
        let _ = macros.configure(&configuration);
        for file in &arguments.load {
            let _ = macros.load(file.as_os_str().as_bytes(), Level::MACRO_FILES);
        }
        if let Some((settings, own_rpm)) = own_with_rpm {
            define_settings(&macros, settings, own_rpm);
        }
        for definition in &arguments.define {
            macros.set_place(Origin::named("--define"));
            let _ = macros.define(definition.as_bytes(), Level::COMMAND_LINE, Origin::named("--define"));
        }
        for name in &arguments.undefine {
            macros.set_place(Origin::named("--undefine"));
            let _ = macros.undefine(name.as_bytes());
        }
        if !self.is_restricted && arguments.root.is_none() {
            return Ok(macros);
        }
        // The files are the user's choice, with the user's environment. What they and the expressions say may be anybody's.
        let none = Settings::default();
        let variables = environment(own.unwrap_or(&none));
        let host = self.host_of_expressions(self.open_host(variables)?)?;
        Ok(Macros::new(macros.table(), Rc::new(host), Limits::default()))
    }

    /// The machine, or a root on it.
    fn open_host(
        &self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<SystemHost, Failure> {
        let listener = Rc::clone(&self.reports);
        let host = SystemHost::new(variables, move |report| listener.borrow_mut().push(report))
            .map_err(CliError::Io)?
            .verbose(self.context.verbosity == Verbosity::Verbose);
        let Some(root) = &self.arguments.root else {
            return Ok(if self.is_restricted { host.read_only() } else { host });
        };
        let root: HostPath = self.context.named(root)?;
        host.in_root(&root).map_err(|error| CliError::Io(error).into())
    }

    /// With `--restricted` only the folder where forge works and the macro files can be read; of a root, only these.
    fn host_of_expressions(&self, host: SystemHost) -> Result<SystemHost, Failure> {
        if !self.is_restricted {
            return Ok(host);
        }
        let folder = match self.arguments.root {
            None => Some(self.context.named(Path::new("."))?.as_path().to_owned()),
            Some(_) => None,
        };
        Ok(host.confine_to(folder))
    }

    /// Tells what has been reported; gives whether all of it is harmless.
    fn tell(&self) -> bool {
        let reports = self.reports.take();
        for report in &reports {
            if self.arguments.json || self.context.verbosity > Verbosity::Quiet || !is_harmless(report) {
                self.context.show(&MacroDiagnostic::from(report).masked(&self.mask));
            }
        }
        reports.iter().all(is_harmless)
    }
}

fn is_harmless(report: &Report) -> bool {
    report.problem.severity() == Severity::Warning
}
