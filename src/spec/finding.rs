//! What was found to be wrong with a spec, as data: to be remembered, shown at its place, or written as JSON.

use std::fmt;

use bstr::ByteSlice;
use miette::{Diagnostic, Severity};
use serde::{Deserialize, Serialize};

use super::dialect::{self, OldForm};
use super::line_reader::Report;
use crate::macros::{self, Mistake};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// Something that may not be meant.
    Warning,
    /// Something wrong.
    Error,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub weight: Weight,
    /// The code that it can be looked up by.
    pub code: String,
    /// What it is, in rpm's words, without their beginning that names the place.
    pub title: String,
    /// What can be done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub help: Option<String>,
    /// The file.
    pub file: String,
    /// The line, counted from 1; 0 where it has none.
    pub line: u32,
    /// The macros through which one gets there, the innermost first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub through: Option<Box<Through>>,
}

/// A macro that was open, and the one around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Through {
    /// `in %name, defined at file:line`
    pub step: String,
    /// The next one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<Box<Through>>,
}

impl Through {
    /// A chain of steps.
    pub fn from_steps(steps: impl DoubleEndedIterator<Item = String>) -> Option<Box<Self>> {
        steps.rev().fold(None, |next, step| Some(Box::new(Self { step, next })))
    }
}

impl fmt::Display for Through {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.step)
    }
}

impl std::error::Error for Through {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.next.as_deref().map(|next| next as _)
    }
}

impl Finding {
    /// What another program said of a spec, taken apart as far as it can be: `error: line 3: …`.
    pub fn told(line: &str, file: &str) -> Self {
        let (weight, text) = match line.strip_prefix("warning: ") {
            Some(text) => (Weight::Warning, text),
            None => (Weight::Error, line.strip_prefix("error: ").unwrap_or(line)),
        };
        let text = text.strip_prefix(file).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(text);
        let numbered = text.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
        let numbered = numbered.and_then(|(number, title)| Some((number.parse().ok()?, title)));
        let (number, title) = numbered.unwrap_or((0, text));
        Self {
            weight,
            code: "forge::engine::told_by_rpm".to_owned(),
            title: title.to_owned(),
            help: Some("`rpmspec -P` on the spec says the same".to_owned()),
            file: file.to_owned(),
            line: number,
            through: None,
        }
    }

    /// Calls a file by another name, here and in the macros that lead here.
    pub fn rename(&mut self, from: &str, to: &str) {
        if self.file == from {
            to.clone_into(&mut self.file);
        }
        let defined = format!("defined at {from}:");
        let mut through = self.through.as_deref_mut();
        while let Some(step) = through {
            step.step = step.step.replace(&defined, &format!("defined at {to}:"));
            through = step.next.as_deref_mut();
        }
    }

    /// Whether it only says that something could not be run, or written, where nothing may be.
    pub fn is_withheld(&self) -> bool {
        self.code == "forge::macros::closed"
    }

    /// Whether it says that a file may not be looked at.
    pub fn is_confined(&self) -> bool {
        self.code == "forge::macros::confined"
    }

    /// Whether the spec can't be used with it.
    pub fn is_error(&self) -> bool {
        self.weight == Weight::Error
    }
}

impl From<&Report> for Finding {
    fn from(report: &Report) -> Self {
        let problem = &report.problem;
        Self {
            weight: if problem.prevents_a_build() { Weight::Error } else { Weight::Warning },
            code: problem.code().map(|code| code.to_string()).unwrap_or_default(),
            title: problem.to_string().trim_end().to_owned(),
            help: problem.help().map(|help| help.to_string()),
            file: report.file.to_string(),
            line: report.line,
            through: None,
        }
    }
}

/// What is to be said of a macro that an older rpm took.
fn dialect_advice(problem: &macros::MacroProblem) -> Option<String> {
    if let macros::MacroProblem::BuiltIn { name, .. } = problem {
        return dialect::later_built_in(name).map(dialect::advice);
    }
    let macros::MacroProblem::Expression(problem) = problem else { return None };
    let is_word = matches!(problem.mistake, Mistake::BareWord | Mistake::ExpandedBareWord);
    is_word.then(|| dialect::advice(OldForm::BareWord))
}

impl From<&macros::Report> for Finding {
    fn from(report: &macros::Report) -> Self {
        let problem = &report.problem;
        let steps = report.stack.iter().rev().map(|open| {
            let name = open.name().to_str_lossy();
            match open.origin() {
                Some(origin) => format!("in %{name}, defined at {origin}"),
                None => format!("in %{name}"),
            }
        });
        let mut steps: Vec<String> = steps.collect();
        // A macro that calls itself stands there once.
        steps.dedup();
        Self {
            weight: match problem.severity() {
                macros::Severity::Error => Weight::Error,
                macros::Severity::Warning => Weight::Warning,
            },
            code: problem.code().map(|code| code.to_string()).unwrap_or_default(),
            title: problem.to_string().trim_end().to_owned(),
            help: dialect_advice(problem).or_else(|| problem.help().map(|help| help.to_string())),
            file: report.place.name.to_string(),
            line: report.place.line,
            through: Through::from_steps(steps.into_iter()),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl std::error::Error for Finding {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.through.as_deref().map(|through| through as _)
    }
}

impl Diagnostic for Finding {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(if self.is_error() { Severity::Error } else { Severity::Warning })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rpm_says_has_its_place() {
        let finding = Finding::told("error: line 7: Unknown tag: Foo: x", "a.spec");
        assert_eq!((finding.line, finding.title.as_str()), (7, "Unknown tag: Foo: x"));
        let finding = Finding::told("warning: a.spec: line 3: %else with no %if", "a.spec");
        assert_eq!((finding.weight, finding.line), (Weight::Warning, 3));
        let finding = Finding::told("error: Package has no %description: a", "a.spec");
        assert_eq!((finding.weight, finding.line), (Weight::Error, 0));
    }
}
