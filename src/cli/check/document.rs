//! What `forge check --json` prints.

use std::fmt::Display;

use miette::{Diagnostic, Severity as Shown};
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::context::Failure;
use crate::publish::BrokenRequirement;

/// All that is found, errors first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckDocument {
    /// The form of this document: 1. Later forms of this number only add fields.
    version: u32,
    /// Whether nothing is wrong; warnings may be there.
    sound: bool,
    /// What is found.
    findings: Vec<CheckFinding>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingSeverity {
    /// Something that has to be corrected.
    Error,
    /// Something that may not be meant, or has no effect yet.
    Warning,
    /// Something to know.
    Note,
}

/// One thing that is found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckFinding {
    severity: FindingSeverity,
    /// What it can be looked up by; null for a note.
    code: Option<String>,
    /// What is wrong.
    message: String,
    /// What can be done.
    help: Option<String>,
    /// The file, relative to the project where it lies in that; null where no text says it.
    file: Option<String>,
    /// The line, counted from 1.
    line: Option<usize>,
    /// The byte of the line, counted from 1.
    column: Option<usize>,
}

/// Where a finding is.
#[derive(Default)]
struct Where {
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
}

impl Default for CheckDocument {
    fn default() -> Self {
        Self { version: 1, sound: true, findings: Vec::new() }
    }
}

impl CheckDocument {
    /// Of a check that was ended early.
    pub fn from_failure(failure: &Failure) -> Self {
        let mut document = Self::default();
        match failure {
            Failure::Manifest(errors) => errors.0.iter().for_each(|error| document.add(error)),
            Failure::Circles(circles) => circles.errors().into_iter().for_each(|error| document.add(error)),
            Failure::Report(report) => document.add(report.as_ref().as_ref()),
            Failure::ClosedPipe => {}
        }
        document.sound = false;
        document
    }

    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.sound
    }

    /// Adds a finding.
    pub fn add(&mut self, diagnostic: &dyn Diagnostic) {
        let severity = match diagnostic.severity() {
            None | Some(Shown::Error) => FindingSeverity::Error,
            Some(Shown::Warning) => FindingSeverity::Warning,
            Some(Shown::Advice) => FindingSeverity::Note,
        };
        self.sound &= severity != FindingSeverity::Error;
        let text = |text: Option<Box<dyn Display + '_>>| text.map(|text| text.to_string());
        let Where { file, line, column } = find_place(diagnostic).unwrap_or_default();
        self.findings.push(CheckFinding {
            severity,
            code: text(diagnostic.code()),
            message: diagnostic.to_string(),
            help: text(diagnostic.help()),
            file,
            line,
            column,
        });
    }

    /// Adds why builds are left out for now.
    pub fn add_unsupported(&mut self, why: &str) {
        self.add_words(FindingSeverity::Warning, Some("forge::manifest::not_yet"), why);
    }

    /// Adds what a published package needs and no longer has.
    pub fn add_broken(&mut self, broken: &BrokenRequirement) {
        let code = Some("forge::publish::broken_requirement");
        self.add_words(FindingSeverity::Warning, code, &broken.to_string());
    }

    /// Adds something to know.
    pub fn add_note(&mut self, note: &str) {
        self.add_words(FindingSeverity::Note, None, note);
    }

    fn add_words(&mut self, severity: FindingSeverity, code: Option<&str>, message: &str) {
        let (code, message) = (code.map(str::to_owned), message.to_owned());
        let (help, file, line, column) = (None, None, None, None);
        self.findings.push(CheckFinding { severity, code, message, help, file, line, column });
    }
}

/// The place of a diagnostic's first label.
fn find_place(diagnostic: &dyn Diagnostic) -> Option<Where> {
    let label = diagnostic.labels()?.next()?;
    let contents = diagnostic.source_code()?.read_span(label.inner(), 0, 0).ok()?;
    Some(Where {
        file: contents.name().map(str::to_owned),
        line: Some(contents.line() + 1),
        column: Some(contents.column() + 1),
    })
}
