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
use super::named_package::NamedPackage;
use super::project::Project;
use crate::engine::{Mask, Settings, define_settings, environment};
use crate::files::HostPath;
use crate::macros::{Configuration, Level, Limits, Macros, Origin, Report, Severity, SystemHost, Table};
use crate::ui::Verbosity;
use show::{Evaluated, MacroDiagnostic, ReportDocument, Used};

/// What has been reported and not been told yet.
type Reports = Rc<RefCell<Vec<Report>>>;

/// Expands expressions with a root's macros, and those of a package where one is named.
pub fn run(arguments: &Eval, context: &Context) -> Result<Exit, Failure> {
    let package = match &arguments.package {
        None => None,
        Some(name) => {
            let (project, chroot) = (Project::find(context)?, arguments.chroot.as_deref());
            Some(NamedPackage::find(&project, name, chroot, &[], context)?)
        }
    };
    let subject = Subject {
        arguments,
        is_restricted: arguments.restricted || package.as_ref().is_some_and(|package| !package.is_trusted()),
        mask: package.as_ref().map_or_else(|| Mask::new([]), NamedPackage::mask),
        settings: package.map(|package| package.settings),
        reports: Reports::default(),
        context,
    };
    subject.run()
}

/// What is expanded, and with what.
struct Subject<'a> {
    arguments: &'a Eval,
    /// Whether the expressions may run nothing.
    is_restricted: bool,
    /// What the manifest says for the package that is named.
    settings: Option<Settings>,
    /// What takes secrets out of all that is shown.
    mask: Mask,
    reports: Reports,
    context: &'a Context,
}

impl Subject<'_> {
    fn run(&self) -> Result<Exit, Failure> {
        let Self { arguments, reports, context, mask, .. } = self;
        let macros = self.macros()?;
        let (mut is_sound, mut evaluated) = (self.tell(), Vec::new());
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
            is_sound &= self.tell();
            if let Ok(value) = value {
                let value = mask.bytes(&value);
                let mut output = std::io::stdout().lock();
                let written =
                    output.write_all(&[value.as_slice(), b"\n"].concat()).and_then(|()| output.flush());
                written.map_err(Failure::from_output)?;
            }
        }
        if arguments.json {
            let text =
                serde_json::to_string_pretty(&evaluated).map_err(|error| CliError::Io(error.into()))?;
            context.print(&format!("{}\n", mask.text(&text)))?;
        }
        Ok(if is_sound { Exit::Success } else { Exit::Failure })
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
        let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
        let configuration = Configuration {
            target: arguments.target.clone().or_else(|| own?.target.clone()),
            macro_path: arguments.macros.as_ref().map(|path| path.as_bytes().to_vec()),
            rc_path: None,
        };
        // What can't be done has been reported, and all is reported at once.
        let _ = macros.configure(&configuration);
        if let Some(rpm) = own.and_then(|settings| settings.rpm) {
            macros.set_version(rpm);
        }
        for file in &arguments.load {
            let _ = macros.load(file.as_os_str().as_bytes(), Level::MACRO_FILES);
        }
        own.iter().for_each(|settings| define_settings(&macros, settings));
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
