//! The lines of a log that say why a build failed, however long it is.

use std::collections::VecDeque;

use super::complaints::{Weight, is_boilerplate, is_ignored, is_trace, quote, weigh};
use crate::process::Tail;

/// How many of the last lines are kept.
const TAIL: usize = 40;

/// How many of the last lines are shown, where none says what is wrong.
const MOST_SHOWN: usize = 20;

/// How many lines are shown where all that there is is the trace of a shell.
const TRACE_SHOWN: usize = 5;

/// How many lines before the first error are shown, and how many after it.
const BEFORE: usize = 4;
const AFTER: usize = 10;

/// How many lines are kept of the begin of a traceback, where one's own code stands.
const BEGIN_OF_TRACEBACK: usize = 6;

/// Reads a log as it is written: keeps its last lines, and those around the first error of the newest stage, which many
/// jobs of a parallel make may have pushed far up.
#[derive(Debug)]
pub(super) struct LogReader {
    tail: Tail,
    errors: FirstError,
}

/// What is kept of a log.
#[derive(Clone, Debug, Default)]
pub(super) struct LogExcerpt {
    /// What the first error says.
    pub error: Option<String>,
    /// The lines around it.
    around: Vec<String>,
    /// How many lines the newest stage has printed.
    printed: usize,
    /// The last lines.
    pub tail: Vec<String>,
}

impl LogReader {
    pub fn new() -> Self {
        Self { tail: Tail::new(TAIL), errors: FirstError::default() }
    }

    /// Takes more of the log; `each` is called for every line that it completes.
    pub fn push(&mut self, chunk: &[u8], mut each: impl FnMut(&str)) {
        let Self { tail, errors } = self;
        tail.push(chunk, |line| {
            errors.take(line);
            each(line);
        });
    }

    pub fn finish(self) -> LogExcerpt {
        let printed = self.errors.printed;
        let (error, around) = self.errors.finish();
        LogExcerpt { error, around, printed, tail: self.tail.into_lines() }
    }
}

impl LogExcerpt {
    /// The lines that say why a script failed: those around the first error, or the last ones.
    pub fn around_error(&self) -> Vec<String> {
        if !self.around.is_empty() {
            return without_blank_ends(self.around.clone());
        }
        let mut lines = self.last_lines();
        if self.printed > MOST_SHOWN && lines.len() == MOST_SHOWN {
            // Who reads them must not look for what is not among them.
            let words =
                format!("(the last {MOST_SHOWN} of {} lines: none looks like an error)", self.printed);
            lines.insert(0, words);
        }
        lines
    }

    /// The last lines, without the trace of the shell and what rpm prints for every failure.
    pub fn last_lines(&self) -> Vec<String> {
        // rpm ends with a list of the errors that it has told before.
        let end = self.tail.iter().rposition(|line| line.starts_with("RPM build errors:"));
        let told = self.tail.get(..end.unwrap_or(self.tail.len())).unwrap_or_default();
        let told = told.iter().filter(|line| !is_boilerplate(line));
        let said: Vec<String> = told.clone().filter(|line| !is_trace(line)).cloned().collect();
        // Of a script that said nothing, its commands are all that there is.
        if said.iter().all(|line| line.trim().is_empty()) {
            return last(told.cloned().collect(), TRACE_SHOWN);
        }
        last(said, MOST_SHOWN)
    }
}

fn last(lines: Vec<String>, most: usize) -> Vec<String> {
    let mut lines = without_blank_ends(lines);
    lines.split_off(lines.len().saturating_sub(most))
}

fn without_blank_ends(mut lines: Vec<String>) -> Vec<String> {
    let is_blank = |line: &String| line.trim().is_empty();
    lines.truncate(lines.iter().rposition(|line| !is_blank(line)).map_or(0, |last| last + 1));
    let first = lines.iter().position(|line| !is_blank(line)).unwrap_or_default();
    lines.split_off(first)
}

/// Looks for the first error of a stage.
#[derive(Debug, Default)]
struct FirstError {
    /// The last lines.
    before: VecDeque<String>,
    found: Option<FoundError>,
    /// How many lines were printed, without traces of shells.
    printed: usize,
    traceback: Traceback,
    /// The first lines of the traceback that the log is in, and how many lines it has.
    begin: (Vec<String>, usize),
}

#[derive(Debug)]
struct FoundError {
    weight: Weight,
    /// The line with the error is this one of `lines`.
    at: usize,
    lines: Vec<String>,
}

/// Where in the traceback of a Python program the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Traceback {
    #[default]
    Outside,
    Inside,
    /// After the words that another one follows, which says more.
    BetweenTwo,
}

impl FirstError {
    fn take(&mut self, line: &str) {
        if starts_stage(line) || is_ignored(line) {
            *self = Self::default();
        }
        if is_trace(line) || is_boilerplate(line) {
            return;
        }
        self.printed += 1;
        let weight = weigh(line).max(self.end_of_traceback(line));
        match (&mut self.found, weight) {
            (Some(found), weight) if weight.is_none_or(|weight| weight <= found.weight) => {
                if found.lines.len() <= found.at + AFTER {
                    found.lines.push(line.to_owned());
                }
            }
            (_, Some(weight)) => {
                let mut lines =
                    if weight == Weight::Traceback { self.shortened_traceback() } else { Vec::new() };
                lines.extend(self.before.drain(..).chain([line.to_owned()]));
                self.found = Some(FoundError { weight, at: lines.len() - 1, lines });
            }
            (_, None) => {}
        }
        if self.before.len() == BEFORE {
            self.before.pop_front();
        }
        self.before.push_back(line.to_owned());
    }

    /// Follows tracebacks; the first line behind one that is not indented is its last, and says what was raised.
    fn end_of_traceback(&mut self, line: &str) -> Option<Weight> {
        let says_that_another_follows = line.starts_with("During handling of the above exception")
            || line.starts_with("The above exception was the direct cause");
        match self.traceback {
            _ if line.starts_with("Traceback (most recent call last)") => {
                let replaces = self.traceback == Traceback::BetweenTwo;
                if replaces && self.found.as_ref().is_some_and(|found| found.weight == Weight::Traceback) {
                    self.found = None;
                }
                self.traceback = Traceback::Inside;
                self.begin = (vec![line.to_owned()], 1);
                None
            }
            Traceback::Inside if line.starts_with(' ') || line.is_empty() => {
                if self.begin.0.len() < BEGIN_OF_TRACEBACK {
                    self.begin.0.push(line.to_owned());
                }
                self.begin.1 += 1;
                None
            }
            Traceback::Inside => {
                self.traceback = Traceback::Outside;
                Some(Weight::Traceback)
            }
            Traceback::Outside | Traceback::BetweenTwo => {
                if says_that_another_follows {
                    self.traceback = Traceback::BetweenTwo;
                }
                None
            }
        }
    }

    /// The first lines of the traceback that has just ended, up to those that are kept as the last ones.
    fn shortened_traceback(&mut self) -> Vec<String> {
        let (mut begin, length) = std::mem::take(&mut self.begin);
        let missing = length.saturating_sub(self.before.len());
        if missing > begin.len() {
            begin.push("  …".to_owned());
        } else {
            begin.truncate(missing);
        }
        begin
    }

    /// What the error says, and the lines around it.
    fn finish(self) -> (Option<String>, Vec<String>) {
        let Some(FoundError { at, lines, .. }) = self.found else {
            return (None, Vec::new());
        };
        let line = lines.get(at).map_or("", |line| line.trim());
        let next = lines.iter().skip(at + 1).map(|line| line.trim()).find(|line| !line.is_empty());
        // CMake and Rust's panics say what it is in the line below.
        let error = match next.filter(|_| line.ends_with(':')) {
            Some(next) => quote(&format!("{line} {next}")),
            None => quote(line),
        };
        (Some(error), lines)
    }
}

/// Whether a line begins a stage: what was wrong in those before did not end the build.
fn starts_stage(line: &str) -> bool {
    line.starts_with("Executing(") || line.starts_with("Processing files:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(log: &str) -> LogExcerpt {
        let mut reader = LogReader::new();
        reader.push(log.as_bytes(), |_| {});
        reader.finish()
    }

    #[test]
    fn the_first_error_of_a_long_parallel_make_is_kept_with_the_lines_around_it() {
        let many = "gcc -c another.c\n".repeat(10_000);
        let log = format!(
            "Executing(%build): /bin/sh -e x\n+ make -j8\n{many}main.c: In function 'main':\n\
             main.c:3:5: error: 'x' undeclared\n    3 | x = 5;\n{many}make: *** [Makefile:2: main.o] Error 1\n\
             error: Bad exit status from /var/tmp/rpm-tmp.x (%build)\n"
        );
        let excerpt = read(&log);
        assert_eq!(excerpt.error.as_deref(), Some("main.c:3:5: error: 'x' undeclared"));
        let shown = excerpt.around_error();
        assert!(shown.len() == BEFORE + 1 + AFTER, "{shown:?}");
        assert_eq!(
            shown[BEFORE - 1..BEFORE + 2],
            ["main.c: In function 'main':", "main.c:3:5: error: 'x' undeclared", "    3 | x = 5;"]
        );
    }

    #[test]
    fn the_cause_is_named_and_not_what_follows_of_it() {
        let log = "/usr/bin/ld: /tmp/cc1.o: in function `main':\nx.c:(.text+0xa): undefined reference to `oldfoo'\n\
                   collect2: error: ld returned 1 exit status\nmake: *** [Makefile:2: x] Error 1\n";
        assert_eq!(read(log).error.as_deref(), Some("undefined reference to `oldfoo'"));
    }

    #[test]
    fn a_failed_test_says_more_than_the_errors_that_tests_print() {
        let log = "ok 1 - a\nx.c:1: error: as expected\nok 2 - b\nnot ok 3 - reads a name\nnot ok 4 - c\n";
        assert_eq!(read(log).error.as_deref(), Some("not ok 3 - reads a name"));
    }

    #[test]
    fn of_a_traceback_the_last_line_says_why() {
        let raised = |what: &str| {
            format!(
                "Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\n    f()\n{what}\n"
            )
        };
        let one = raised("KeyError: 'a'");
        assert_eq!(read(&one).error.as_deref(), Some("KeyError: 'a'"));
        let words = "\nDuring handling of the above exception, another exception occurred:\n\n";
        let two = format!("{one}{words}{}", raised("ValueError: no name"));
        assert_eq!(read(&two).error.as_deref(), Some("ValueError: no name"));
    }

    #[test]
    fn of_a_long_traceback_both_ends_are_shown() {
        let frames: String = (0..50).map(|n| format!("  File \"{n}.py\", line 1, in f\n    f()\n")).collect();
        let shown = |frames: &str| {
            let log = format!("before\nTraceback (most recent call last):\n{frames}KeyError: 'a'\n");
            read(&log).around_error()
        };
        let long = shown(&frames);
        assert_eq!(long[..2], ["Traceback (most recent call last):", "  File \"0.py\", line 1, in f"]);
        assert_eq!(
            (long.len(), long[BEGIN_OF_TRACEBACK].as_str()),
            (BEGIN_OF_TRACEBACK + 1 + BEFORE + 1, "  …")
        );
        let short = shown("  File \"0.py\", line 1, in f\n    f()\n");
        assert_eq!(short.len(), 5, "{short:?}");
        assert_eq!(short[..2], ["before", "Traceback (most recent call last):"]);
    }

    #[test]
    fn an_error_that_make_ignores_or_of_an_earlier_stage_is_no_cause() {
        let log = "a.c:1: error: x\nmake: [Makefile:2: a] Error 1 (ignored)\n";
        assert_eq!(read(log).error, None);
        let log = "a.c:1: error: x\nExecuting(%check): /bin/sh\nnothing\n";
        assert_eq!(read(log).error, None);
    }

    #[test]
    fn what_cmake_says_stands_below_the_place() {
        let log = "CMake Error at CMakeLists.txt:5 (find_package):\n\n  Could not find Foo\n";
        let error = "CMake Error at CMakeLists.txt:5 (find_package): Could not find Foo";
        assert_eq!(read(log).error.as_deref(), Some(error));
    }

    #[test]
    fn where_no_line_looks_like_an_error_it_is_said_how_many_there_are() {
        let passed: String = (1..=300).map(|number| format!("test {number} ... passed\n")).collect();
        let log =
            format!("Executing(%check): /bin/sh -e x\n+ ./run\n{passed}300 tests, 1 not as it should be\n");
        let shown = read(&log).around_error();
        assert_eq!(shown[0], "(the last 20 of 301 lines: none looks like an error)");
        assert_eq!((shown.len(), &*shown[20]), (21, "300 tests, 1 not as it should be"));
    }

    #[test]
    fn what_pytest_says_at_its_end_is_shown_and_not_the_name_alone() {
        let log = "Executing(%check): x\na.py::test_a FAILED  [ 50%]\na.py::test_b PASSED [100%]\n\
                   E       assert 1 == 2\nFAILED a.py::test_a - assert 1 == 2\n1 failed, 1 passed\n";
        assert_eq!(read(log).error.as_deref(), Some("FAILED a.py::test_a - assert 1 == 2"));
        let without_summary =
            "Executing(%check): x\na.py::test_a FAILED  [ 50%]\na.py::test_b PASSED [100%]\n";
        assert_eq!(read(without_summary).error.as_deref(), Some("a.py::test_a FAILED  [ 50%]"));
    }

    #[test]
    fn neither_trace_nor_rpms_own_lines_are_shown_unless_there_is_nothing_else() {
        let begin = "Building target platforms: noarch\nBuilding for target noarch\n";
        let end = "error: Bad exit status from /var/tmp/rpm-tmp.x (%check)\n\nRPM build errors:\n    Bad exit status from \
                   /var/tmp/rpm-tmp.x (%check)\n";
        let log = format!("{begin}Executing(%check): /bin/sh\n+ cd x\nsomething odd\n+ test 1 = 2\n{end}");
        assert_eq!(read(&log).around_error()[0], "something odd");
        let silent = format!("{begin}Executing(%check): /bin/sh\n+ cd x\n+ test 1 = 2\n{end}");
        assert_eq!(read(&silent).around_error(), ["+ cd x", "+ test 1 = 2"]);
    }
}
