//! The lines of a spec as the parser sees them.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use bstr::{BString, ByteSlice};

use super::condition::Conditions;
use super::dialect::{OldForm, accepts};
use super::directive::{Asks, Directive};
use super::limits::{DEEPEST_INCLUDE, LONGEST_LINE, MOST_INCLUDES};
use super::place::Place;
use super::problem::{PlaceInMessage, SpecProblem};
use super::section::Reading;
use super::source::{OpenBrackets, Source};
use crate::macros::{Macros, Origin, Stop};

/// One line, its macros expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The text, with its end.
    pub text: Vec<u8>,
    /// The file that it comes from.
    pub file: Arc<str>,
    /// Its number in the file, counted from 1; of a line that was written in several, the last one's.
    pub number: u32,
}

impl Line {
    /// Where it is.
    pub fn place(&self) -> Place {
        Place { file: Arc::clone(&self.file), line: self.number }
    }
}

/// Something that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What.
    pub problem: SpecProblem,
    /// The file.
    pub file: Arc<str>,
    /// The line's number.
    pub line: u32,
}

impl Report {
    /// What rpm writes, without a line feed.
    pub fn as_rpm(&self) -> String {
        let kind = if self.problem.is_error() { "error" } else { "warning" };
        match self.problem.place_in_message() {
            PlaceInMessage::FileAndLine => {
                format!("{kind}: {}: line {}: {}", self.file, self.line, self.problem)
            }
            PlaceInMessage::Line => format!("{kind}: line {}: {}", self.line, self.problem),
            PlaceInMessage::Nowhere => format!("{kind}: {}", self.problem),
        }
    }
}

/// Reads a spec. See the [module](super).
pub struct LineReader {
    macros: Macros,
    /// The file that is read, and those that include it, the outermost first.
    sources: Vec<Source>,
    conditions: Conditions,
    /// What the last line expanded to, where that is several lines.
    pending: VecDeque<Line>,
    /// Where the last line was.
    file: Arc<str>,
    number: u32,
    reports: Vec<Report>,
    listener: Option<ReportListener>,
    /// How many files have been included.
    includes: usize,
}

/// Who hears of a problem as soon as it is found.
pub type ReportListener = Rc<dyn Fn(&Report)>;

impl LineReader {
    /// A reader of a spec's text.
    pub fn new(macros: Macros, name: &str, text: Vec<u8>) -> Self {
        macros.begin();
        let source = Source::new(name, text);
        let file = Arc::clone(&source.name);
        Self {
            macros,
            sources: vec![source],
            conditions: Conditions::default(),
            pending: VecDeque::new(),
            file,
            number: 0,
            reports: Vec::new(),
            listener: None,
            includes: 0,
        }
    }

    /// With somebody who hears of problems at once.
    pub fn with_listener(mut self, listener: ReportListener) -> Self {
        self.listener = Some(listener);
        self
    }

    /// Reads this text before it goes on with its own.
    pub(super) fn insert(&mut self, name: &str, text: Vec<u8>) {
        self.sources.push(Source::new(name, text));
    }

    /// What was wrong so far; what is wrong with macros goes to their own host.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// The next line. Directives, and lines that do not count, are empty lines in text, and elsewhere nothing at all.
    ///
    /// # Errors
    /// The spec can't be read any further; it has been reported why.
    pub fn next(&mut self, reading: Reading) -> Result<Option<Line>, Stop> {
        if let Some(line) = self.pending.pop_front() {
            return self.join_and_decide(line, reading).map(Some);
        }
        let Some(written) = self.read_written_line()? else {
            return self.end();
        };
        let is_active = self.conditions.are_active();
        self.check_lengths(&written)?;
        let text = if is_active { self.expand_line(&written, reading)? } else { written };
        self.check_lengths(&text)?;
        let line =
            |text: &[u8]| Line { text: text.to_vec(), file: Arc::clone(&self.file), number: self.number };
        let mut lines: VecDeque<Line> = text.lines_with_terminator().map(line).collect();
        let first = lines.pop_front().unwrap_or_else(|| line(b""));
        self.pending = lines;
        self.join_and_decide(first, reading).map(Some)
    }

    fn check_lengths(&mut self, text: &[u8]) -> Result<(), Stop> {
        if text.len() > LONGEST_LINE && text.lines_with_terminator().any(|line| line.len() > LONGEST_LINE) {
            return Err(self.fail(SpecProblem::LongLine { limit: LONGEST_LINE }));
        }
        Ok(())
    }

    /// A line, with those that its condition goes on in.
    fn join_and_decide(&mut self, mut line: Line, reading: Reading) -> Result<Line, Stop> {
        while Directive::goes_on(&line.text) {
            let Some(next) = self.pending.pop_front() else {
                break;
            };
            line.text.truncate(line.text.len() - 2);
            line.text.extend(next.text);
        }
        self.decide(line, reading)
    }

    fn end(&mut self) -> Result<Option<Line>, Stop> {
        if let Some(open) = self.conditions.innermost() {
            self.number = open.line;
            return Err(self.fail(SpecProblem::UnclosedIf));
        }
        Ok(None)
    }

    /// Takes note of a problem where the reader is.
    pub(super) fn report(&mut self, problem: SpecProblem) {
        self.report_at(problem, Arc::clone(&self.file), self.number);
    }

    /// Takes note of a problem somewhere else.
    pub(super) fn report_at(&mut self, problem: SpecProblem, file: Arc<str>, line: u32) {
        let report = Report { problem, file, line };
        if let Some(listener) = &self.listener {
            listener(&report);
        }
        self.reports.push(report);
    }

    pub(super) fn fail(&mut self, problem: SpecProblem) -> Stop {
        self.report(problem);
        Stop
    }

    /// A line as it was written, with those that belong to it.
    fn read_written_line(&mut self) -> Result<Option<Vec<u8>>, Stop> {
        let is_active = self.conditions.are_active();
        while let Some(source) = self.sources.last_mut() {
            let Some(first) = source.next() else {
                self.sources.pop();
                continue;
            };
            let mut written = first.to_vec();
            let mut open = OpenBrackets::default();
            open.read(&written);
            self.file = Arc::clone(&source.name);
            self.number = source.line;
            while open.any() {
                let Some(next) = source.next() else {
                    if is_active {
                        return Err(self.fail(SpecProblem::UnclosedMacro));
                    }
                    // What is left belongs to a macro that nobody expands.
                    self.sources.clear();
                    return Ok(None);
                };
                open.read(next);
                written.extend_from_slice(next);
            }
            // Messages about a line name the first of those that it was written in; what follows it, the last.
            self.number = source.line;
            return Ok(Some(written));
        }
        Ok(None)
    }

    fn expand_line(&mut self, written: &[u8], reading: Reading) -> Result<Vec<u8>, Stop> {
        if !written.contains(&b'%') {
            return Ok(written.to_vec());
        }
        self.macros.set_place(Origin { name: Arc::clone(&self.file), line: self.number });
        let is_comment = written.trim_ascii_start().starts_with(b"#");
        let expanded = self.macros.expand_piece(written)?;
        // A macro in a comment that stands for anything is hardly meant.
        if is_comment
            && reading != Reading::Script
            && let Some(comment) = text_that_expands(written, &expanded)
        {
            let comment = BString::from(comment);
            self.report(SpecProblem::MacroInComment { line: self.number, comment });
        }
        Ok(expanded)
    }

    /// Decides what a line is, and carries out directives.
    fn decide(&mut self, line: Line, reading: Reading) -> Result<Line, Stop> {
        // In text the end of a line does not belong to a condition; elsewhere rpm's messages show it.
        let text = if reading == Reading::Text { line.text.trim_ascii_end() } else { &line.text };
        let Some(directive) = Directive::read(text) else {
            let is_comment = line.text.trim_ascii_start().starts_with(b"#");
            return Ok(match (self.conditions.are_active(), is_comment, reading) {
                (false, ..) => blank_line(line, reading),
                (true, true, Reading::Text | Reading::List) => without_comment(line, reading),
                (true, _, Reading::Text) => trimmed(line),
                (true, ..) => line,
            });
        };
        match directive {
            Directive::If { asks, is_negated, condition } => {
                let holds =
                    self.conditions.are_active() && self.evaluate(asks, "%if", condition)? != is_negated;
                self.conditions.begin(holds, self.number);
            }
            Directive::ElseIf { asks, condition } => self.turn_to_else_if(asks, condition)?,
            Directive::Else { rest } => self.turn_to_else(rest, &line.text)?,
            Directive::End { rest } => self.end_if(rest, &line.text)?,
            Directive::Include { path } if self.conditions.are_active() => {
                self.include(path)?;
                return Ok(Line { text: Vec::new(), ..line.clone() });
            }
            Directive::Include { .. } => {}
        }
        Ok(blank_line(line, reading))
    }

    fn turn_to_else_if(&mut self, asks: Asks, condition: &[u8]) -> Result<(), Stop> {
        let directive = "%elif";
        let Some(innermost) = self.conditions.innermost().copied() else {
            return Err(self.fail(SpecProblem::NoIf { directive }));
        };
        if innermost.is_last {
            return Err(self.fail(SpecProblem::AfterElse { directive }));
        }
        let holds = !innermost.is_settled && self.expand_and_evaluate(asks, directive, condition)?;
        if let Some(innermost) = self.conditions.innermost() {
            innermost.turn(holds);
        }
        Ok(())
    }

    fn turn_to_else(&mut self, rest: &[u8], text: &[u8]) -> Result<(), Stop> {
        let directive = "%else";
        self.check_end(directive, rest, text)?;
        let takes_second = accepts(&self.macros, OldForm::SecondElse);
        match self.conditions.innermost() {
            None => Err(self.fail(SpecProblem::NoIf { directive })),
            Some(innermost) if innermost.is_last && !takes_second => {
                Err(self.fail(SpecProblem::AfterElse { directive }))
            }
            Some(innermost) if innermost.is_last => {
                self.conditions.turn_around();
                Ok(())
            }
            Some(innermost) => {
                innermost.turn(true);
                innermost.is_last = true;
                Ok(())
            }
        }
    }

    fn end_if(&mut self, rest: &[u8], text: &[u8]) -> Result<(), Stop> {
        let directive = "%endif";
        self.check_end(directive, rest, text)?;
        if self.conditions.end() { Ok(()) } else { Err(self.fail(SpecProblem::NoIf { directive })) }
    }

    fn check_end(&mut self, directive: &'static str, rest: &[u8], text: &[u8]) -> Result<(), Stop> {
        if rest.is_empty() {
            return Ok(());
        }
        let is_error = !accepts(&self.macros, OldForm::TextAfterDirective);
        let text = BString::from(text);
        self.report(SpecProblem::ExtraTokens { directive, line: self.number, text, is_error });
        if is_error { Err(Stop) } else { Ok(()) }
    }

    /// As [`LineReader::evaluate`], for a line that was read where lines did not count, and so was not expanded.
    fn expand_and_evaluate(
        &mut self,
        asks: Asks,
        directive: &'static str,
        condition: &[u8],
    ) -> Result<bool, Stop> {
        self.macros.set_place(Origin { name: Arc::clone(&self.file), line: self.number });
        let condition = self.macros.expand_piece(condition)?;
        self.evaluate(asks, directive, &condition)
    }

    fn evaluate(&mut self, asks: Asks, directive: &'static str, condition: &[u8]) -> Result<bool, Stop> {
        let target = match asks {
            Asks::Expression => return self.is_true(directive, condition),
            Asks::Architecture => self.macros.expand_piece(b"%{_target_cpu}")?,
            Asks::System => self.macros.expand_piece(b"%{_target_os}")?,
        };
        let mut words = condition.split(u8::is_ascii_whitespace);
        Ok(words.any(|word| word == target))
    }

    fn is_true(&mut self, directive: &'static str, condition: &[u8]) -> Result<bool, Stop> {
        self.macros.evaluate_expanded(condition).map(|value| value.is_true()).map_err(|Stop| {
            self.fail(SpecProblem::BadCondition {
                file: BString::from(self.file.as_bytes()),
                line: self.number,
                directive,
                condition: BString::from(condition),
            })
        })
    }

    fn include(&mut self, path: &[u8]) -> Result<(), Stop> {
        if self.sources.len() >= DEEPEST_INCLUDE {
            let problem = SpecProblem::IncludeDepth { path: BString::from(path), limit: DEEPEST_INCLUDE };
            return Err(self.fail(problem));
        }
        self.includes += 1;
        if self.includes > MOST_INCLUDES {
            return Err(self.fail(SpecProblem::ManyIncludes { limit: MOST_INCLUDES }));
        }
        if !self.macros.may_look_at("%include", path) {
            return Err(Stop);
        }
        match self.macros.read_file(path) {
            Ok(text) => {
                self.sources.push(Source::new(&path.to_str_lossy(), text));
                Ok(())
            }
            Err(error) => {
                let reason = crate::files::reason(&error);
                Err(self.fail(SpecProblem::NoInclude { path: BString::from(path), reason }))
            }
        }
    }
}

/// The text from where its expansion is another; a doubled percent sign stands for a single one.
fn text_that_expands<'t>(text: &'t [u8], expanded: &[u8]) -> Option<&'t [u8]> {
    let (mut left, mut right) = (text, expanded);
    while let (Some((a, rest)), Some((b, after))) = (left.split_first(), right.split_first()) {
        if a != b {
            return Some(left);
        }
        left = if *a == b'%' { rest.strip_prefix(b"%").unwrap_or(rest) } else { rest };
        right = after;
    }
    (!left.is_empty()).then_some(left)
}

/// What stands in the place of a line that does not count: in text an empty line, elsewhere nothing.
fn blank_line(line: Line, reading: Reading) -> Line {
    let text = if reading == Reading::Text { b"\n".to_vec() } else { Vec::new() };
    Line { text, ..line }
}

/// A whole line without the blanks at its end.
fn trimmed(mut line: Line) -> Line {
    line.text.truncate(line.text.trim_ascii_end().len());
    line.text.push(b'\n');
    line
}

/// The line without its comment: what stands before the `#`. In lists the end of the line is gone as well.
fn without_comment(mut line: Line, reading: Reading) -> Line {
    let indent = line.text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    line.text.truncate(indent);
    if reading == Reading::Text {
        line.text.push(b'\n');
    }
    line
}

impl std::fmt::Debug for LineReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LineReader")
            .field("file", &self.file)
            .field("line", &self.number)
            .finish_non_exhaustive()
    }
}
