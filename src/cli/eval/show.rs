//! What went wrong with a macro, on the screen and as JSON.

use std::error::Error;
use std::fmt;

use bstr::ByteSlice;
use miette::{Diagnostic, LabeledSpan, NamedSource, Severity as Shown, SourceCode};
use serde::Serialize;

use crate::engine::Mask;
use crate::event::BuildName;
use crate::macros::{Definition, MacroProblem, OpenMacro, Report, Severity};

/// A report as a diagnostic: the message, where it is, and through which macros one gets there.
#[derive(Debug)]
pub struct MacroDiagnostic {
    problem: MacroProblem,
    message: String,
    help: Option<String>,
    through: Option<Through>,
    expression: Option<(NamedSource<String>, LabeledSpan)>,
}

/// The macros that were open, the innermost first.
#[derive(Debug)]
struct Through {
    line: String,
    next: Option<Box<Through>>,
}

impl Through {
    fn masked(self, mask: &Mask) -> Self {
        let line = mask.text(&self.line).into_owned();
        Self { line, next: self.next.map(|next| Box::new(next.masked(mask))) }
    }
}

impl fmt::Display for Through {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl Error for Through {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.next.as_deref().map(|next| next as _)
    }
}

/// As the stack is told: repeated macros are told once, with how often.
fn lines(report: &Report) -> Vec<String> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for open in report.stack.iter().rev() {
        let line = line(open);
        match lines.last_mut() {
            Some((last, count)) if *last == line => *count += 1,
            _ => lines.push((line, 1)),
        }
    }
    lines.push((format!("in {}", report.place), 1));
    let counted = |(line, count)| if count == 1 { line } else { format!("{line}, {count} times in a row") };
    lines.into_iter().map(counted).collect()
}

fn line(open: &OpenMacro) -> String {
    let name = open.name().to_str_lossy();
    match open.origin() {
        Some(origin) => format!("in %{name}, defined at {origin}"),
        None => format!("in %{name}"),
    }
}

impl From<&Report> for MacroDiagnostic {
    fn from(report: &Report) -> Self {
        let mut through = None;
        for line in lines(report).into_iter().rev() {
            through = Some(Through { line, next: through.map(Box::new) });
        }
        let mut expression = None;
        if let MacroProblem::Expression(problem) = &report.problem {
            expression = problem.at.map(|at| {
                let text = problem.expression.to_str_lossy().into_owned();
                let offset = usize::try_from(at).unwrap_or(0).min(text.len());
                let length = usize::from(offset < text.len());
                let label = LabeledSpan::new(Some("here".to_owned()), offset, length);
                (NamedSource::new("expression", text), label)
            });
        }
        let message = match (&report.problem, &expression) {
            (MacroProblem::Expression(problem), Some(_)) => problem.words(),
            (problem, _) => problem.to_string(),
        };
        let help = report.problem.help().map(|help| help.to_string());
        Self { problem: report.problem.clone(), message, help, through, expression }
    }
}

impl MacroDiagnostic {
    /// The same without secrets. Where one stood in the expression, the place in that is not shown.
    pub fn masked(mut self, mask: &Mask) -> Self {
        self.message = mask.text(&self.message).into_owned();
        self.help = self.help.map(|help| mask.text(&help).into_owned());
        self.expression = self.expression.filter(|(source, _)| !mask.is_in(source.inner().as_bytes()));
        self.through = self.through.map(|through| through.masked(mask));
        self
    }
}

impl fmt::Display for MacroDiagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for MacroDiagnostic {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.through.as_ref().map(|through| through as _)
    }
}

impl Diagnostic for MacroDiagnostic {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn severity(&self) -> Option<Shown> {
        Some(match self.problem.severity() {
            Severity::Error => Shown::Error,
            Severity::Warning => Shown::Warning,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.expression.as_ref().map(|(source, _)| source as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, label) = self.expression.as_ref()?;
        Some(Box::new(std::iter::once(label.clone())))
    }
}

/// What `forge eval --json` tells of an expression.
#[derive(Debug, Serialize)]
pub struct Evaluated {
    /// The package of the manifest that it was expanded for, where one was named.
    #[serde(flatten)]
    pub build: Option<BuildName>,
    /// As it was given.
    pub expression: String,
    /// What it expands to; nothing where it can't be expanded.
    pub value: Option<String>,
    /// The macros that had a part in it, in the order of their names.
    pub macros: Vec<Used>,
    /// What went wrong.
    pub diagnostics: Vec<ReportDocument>,
}

/// A macro that had a part in an expansion.
#[derive(Debug, Serialize)]
pub struct Used {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<String>,
    body: String,
    level: i32,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

impl From<&Definition> for Used {
    fn from(definition: &Definition) -> Self {
        let text = |bytes: &[u8]| bytes.to_str_lossy().into_owned();
        Self {
            name: text(&definition.name),
            options: definition.options.as_deref().map(text),
            body: text(&definition.body),
            level: definition.level.0,
            file: definition.origin.name.to_string(),
            line: (definition.origin.line > 0).then_some(definition.origin.line),
        }
    }
}

/// Something that went wrong.
#[derive(Debug, Serialize)]
pub struct ReportDocument {
    severity: &'static str,
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    stack: Vec<String>,
}

impl From<&Report> for ReportDocument {
    fn from(report: &Report) -> Self {
        Self {
            severity: match report.problem.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code: report.problem.code().map(|code| code.to_string()).unwrap_or_default(),
            message: report.problem.to_string(),
            help: report.problem.help().map(|help| help.to_string()),
            stack: lines(report),
        }
    }
}
