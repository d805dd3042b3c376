//! KDL text → nodes, with what the kdl crate leaves to do: the depth is checked first (the crate recurses), and a
//! message that spans a whole block is narrowed to its place.

use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use kdl::{KdlDiagnostic, KdlDocument, KdlError};

use super::limits;
use super::nesting::{self, Excess, Nested};
use super::pieces::parse_with_stack;
use super::problem::{ManifestError, ManifestProblem};
use crate::files::reason;
use crate::text::{Located, Place, SourceText};

/// Parses a file; gives what could be read and every mistake.
pub(super) fn parse(source: &Arc<SourceText>) -> Result<KdlDocument, Vec<ManifestError>> {
    let parsable = nesting::check(source.text()).map_err(|excess| vec![too_deep(source, excess)])?;
    if parsable.braces > limits::MOST_BRACES {
        return Err(vec![too_many_braces(source)]);
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    match parse_with_stack(&parsable, threads) {
        Ok(parsed) => parsed.map_err(|error| mistakes(source, &error)),
        Err(error) => {
            let problem =
                ManifestProblem::Unreadable { path: source.name().to_owned(), reason: reason(&error) };
            Err(vec![Located::new(problem, "this file", Place::new(source, 0..0))])
        }
    }
}

fn too_deep(source: &Arc<SourceText>, excess: Excess) -> ManifestError {
    let Excess { at, what } = excess;
    let (what, limit, help) = match what {
        Nested::Blocks => {
            ("blocks", limits::DEEPEST, "the deepest block of the language is 4 deep: is a `}` missing?")
        }
        Nested::TakenOut => (
            "blocks taken out by `/-`",
            limits::DEEPEST_TAKEN_OUT,
            "the outermost `/-` takes out all that is in its block: take the others away",
        ),
        Nested::Comments => (
            "comments",
            limits::DEEPEST,
            "each `/*` within a comment needs a `*/` of its own: is one missing?",
        ),
    };
    Located::new(ManifestProblem::TooDeep { what, limit, help }, "this one", Place::new(source, at..at + 1))
}

fn too_many_braces(source: &Arc<SourceText>) -> ManifestError {
    let mut braces = source.text().match_indices(['{', '}']);
    let at = braces.nth(limits::MOST_BRACES).map_or(0, |(at, _)| at);
    let problem = ManifestProblem::TooMuchText { what: format!("{} braces", limits::MOST_BRACES) };
    Located::new(problem, "this one", Place::new(source, at..at + 1))
}

fn mistakes(source: &Arc<SourceText>, error: &KdlError) -> Vec<ManifestError> {
    let mut errors: Vec<_> = error
        .diagnostics
        .iter()
        .take(10 * limits::MOST_MISTAKES)
        .map(|said| {
            let error = locate_error(source, said);
            (error.place().span().start, error)
        })
        .collect();
    let lines: Vec<usize> = source.text().match_indices('\n').map(|(at, _)| at).collect();
    let line_of = |start: usize| lines.partition_point(|end| *end < start);
    // What is wrong with a string comes before what follows from it.
    errors.sort_by_cached_key(|(start, error)| {
        (line_of(*start), !error.to_string().contains("string"), *start)
    });
    // What follows from a mistake on the same line is the same mistake.
    errors.dedup_by_key(|(start, _)| line_of(*start));
    only_the_first(errors.into_iter().map(|(_, error)| error).collect())
}

/// The first mistakes, and where the next one is.
pub(super) fn only_the_first(mut errors: Vec<ManifestError>) -> Vec<ManifestError> {
    let limit = limits::MOST_MISTAKES;
    if errors.len() > limit + 1 {
        let next = errors[limit].place().clone();
        errors.truncate(limit);
        errors.push(Located::new(ManifestProblem::ManyMistakes { limit }, "the next one", next));
    }
    errors
}

fn locate_error(source: &Arc<SourceText>, said: &KdlDiagnostic) -> ManifestError {
    let start = said.span.offset().min(source.text().len());
    let end = (start + said.span.len()).min(source.text().len());
    let span = narrow_span(source.text(), start, end);
    let message = said.message.clone().unwrap_or_else(|| "this is not KDL".to_owned());
    let is_comment = message.contains("multi-line comment");
    let comment = if is_comment { source.text().rfind("/*") } else { None };
    let span = comment.map_or(span, |at| at..at + 2);
    let written = source.text().get(span.clone()).unwrap_or_default();
    let (message, help) = explain_syntax_error(written.trim(), message, said.help.clone());
    Located::new(ManifestProblem::Syntax { message, help }, "here", Place::new(source, span))
}

/// The message and the help of a syntax error; the most frequent ones in terms of what was written.
fn explain_syntax_error(written: &str, message: String, help: Option<String>) -> (String, String) {
    match written {
        "true" | "false" | "null" => {
            (format!("`{written}` is neither a name nor a value"), format!("KDL 2 writes `#{written}`"))
        }
        "}" => {
            ("this `}` closes nothing".to_owned(), "take it away, or is a `{` missing before it?".to_owned())
        }
        "/*" => ("this comment is not closed".to_owned(), "close it with `*/`".to_owned()),
        number if number.starts_with(|c: char| c.is_ascii_digit()) && message.starts_with("Expected") => {
            let help = format!("what begins with a digit and is no number is quoted: \"{number}\"");
            (format!("`{number}` is not a number"), help)
        }
        property if property.ends_with('=') => {
            (format!("`{property}` has no value"), format!("write it right behind the `=`: {property}\"…\""))
        }
        _ => (message, help.unwrap_or_else(|| "see https://kdl.dev for the form of KDL 2".to_owned())),
    }
}

/// The place within a span of several lines that is most likely meant: a property without its value, else the first
/// line.
fn narrow_span(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let whole = text.get(start..end).unwrap_or_default();
    if !whole.contains('\n') {
        return start..end.max(start + usize::from(end < text.len()));
    }
    let mut offset = start;
    for line in whole.split_inclusive('\n') {
        let bare = line.trim_end();
        if let Some(property) = bare.strip_suffix('=') {
            let word = property.rfind(|c: char| c.is_whitespace()).map_or(0, |at| at + 1);
            return offset + word..offset + bare.len();
        }
        offset += line.len();
    }
    let first = whole.lines().next().unwrap_or_default();
    start..start + first.trim_end().len().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<ManifestError> {
        parse(&SourceText::new("Rpmforge.kdl", text)).unwrap_err()
    }

    #[test]
    fn a_thousand_blocks_are_refused_before_the_parser_sees_them() {
        assert!(matches!(mistakes(&"a {".repeat(5000))[0].error(), ManifestProblem::TooDeep { .. }));
    }

    #[test]
    fn a_comment_of_many_stars_and_slashes_is_a_comment() {
        let text = format!("/*{}\n{} */ a 1\n", "*".repeat(20_000), "/".repeat(20_000));
        assert_eq!(parse(&SourceText::new("Rpmforge.kdl", text)).unwrap().nodes().len(), 1);
    }

    #[test]
    fn strings_that_the_parser_takes_for_blocks_behind_a_mistake_do_not_overflow_the_stack() {
        for line in ["a b\"x { y\"\n", "a \"\\q { y\"\n", "a 1\"{ x\"\n", "a #\"\"#\"{\"\n"] {
            let mistakes = mistakes(&line.repeat(2000));
            assert!(mistakes.iter().all(|mistake| matches!(
                mistake.error(),
                ManifestProblem::Syntax { .. } | ManifestProblem::ManyMistakes { .. }
            )));
        }
    }

    #[test]
    fn of_many_mistakes_the_first_are_told() {
        let mistakes = mistakes(&"a true\n".repeat(1000));
        assert_eq!(mistakes.len(), limits::MOST_MISTAKES + 1);
        let last = mistakes.last().unwrap();
        assert!(matches!(last.error(), ManifestProblem::ManyMistakes { limit: limits::MOST_MISTAKES }));
        assert_eq!(last.place().span().start, limits::MOST_MISTAKES * "a true\n".len() + 2);
    }

    #[test]
    fn more_braces_than_there_is_stack_for_are_refused() {
        let text = "a {}\n".repeat(limits::MOST_BRACES / 2 + 1);
        let mistakes = mistakes(&text);
        assert!(matches!(mistakes[0].error(), ManifestProblem::TooMuchText { .. }));
        assert_eq!(mistakes[0].place().span().start, limits::MOST_BRACES / 2 * "a {}\n".len() + 2);
    }
}
