//! KDL text → nodes, with what the kdl crate leaves to do: the depth is checked first (the crate recurses), and a
//! message that spans a whole block is narrowed to its place.

use std::io;
use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;
use std::thread;

use kdl::{KdlDiagnostic, KdlDocument, KdlError};

use super::limits;
use super::nesting::{self, Excess, Nested, Parsable};
use super::pieces::parse_with_stack;
use super::problem::{ManifestError, ManifestProblem};
use crate::files::reason;
use crate::text::{Located, Place, SourceText};

/// What became of a file.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// What could be read.
    pub document: Option<KdlDocument>,
    /// Every mistake.
    pub errors: Vec<ManifestError>,
    /// What could not be read.
    pub lost: Vec<LostNode>,
}

/// A node at the top that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostNode {
    /// What it is: `package`, `chroot`.
    pub word: String,
    /// Its name, as far as it has one.
    pub name: String,
}

/// Parses a file; gives what could be read and every mistake. A node at the top that has a mistake is left out, and the
/// others are read all the same.
pub(super) fn parse(source: &Arc<SourceText>) -> Parsed {
    let mut parsable = match nesting::check(source.text()) {
        Ok(parsable) if parsable.braces > limits::MOST_BRACES => return failed(too_many_braces(source)),
        Ok(parsable) => parsable,
        Err(excess) => return failed(too_deep(source, excess)),
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut parsed = Parsed::default();
    let mut errors: Vec<(usize, ManifestError)> = Vec::new();
    // A large text is not parsed again and again.
    let most_rounds = (limits::LARGEST_FILE as usize / source.text().len().max(1)).clamp(2, MOST_ROUNDS);
    for round in 1.. {
        let error = match parse_with_stack(&parsable, threads) {
            Ok(Ok(document)) => {
                parsed.document = Some(document);
                break;
            }
            Ok(Err(error)) => error,
            Err(error) => return failed(not_parsed(source, &error)),
        };
        let found = locate_errors(source, &error);
        let mut damaged: Vec<Range<usize>> =
            found.iter().map(|(at, _)| node_around(&parsable, *at)).collect();
        damaged.sort_by_key(|range| range.start);
        damaged.dedup();
        if round < most_rounds {
            damaged.truncate(1);
        }
        let is_damaged = |at: usize| damaged.iter().any(|range| range.contains(&at) || range.end == at);
        let found = found.into_iter().filter(|(at, _)| round >= most_rounds || is_damaged(*at));
        errors.extend(without_consequences(source, &damaged, found.collect()));
        let is_blank = damaged
            .iter()
            .all(|range| parsable.text.get(range.clone()).unwrap_or_default().trim().is_empty());
        if is_blank || round > most_rounds {
            break;
        }
        for range in damaged {
            parsed.lost.extend(lost_node(parsable.text.get(range.clone()).unwrap_or_default()));
            blank_out(&mut parsable, range);
        }
    }
    parsed.errors = mistakes(source, errors);
    parsed
}

/// Parses a file that has to be sound.
pub(super) fn parse_whole(source: &Arc<SourceText>) -> Result<KdlDocument, Vec<ManifestError>> {
    let Parsed { document, errors, .. } = parse(source);
    document.filter(|_| errors.is_empty()).ok_or(errors)
}

/// How often a text is parsed at most to find what of it can be read.
const MOST_ROUNDS: usize = 20;

fn failed(error: ManifestError) -> Parsed {
    Parsed { errors: vec![error], ..Parsed::default() }
}

fn not_parsed(source: &Arc<SourceText>, error: &io::Error) -> ManifestError {
    let problem = ManifestProblem::Unreadable { path: source.name().to_owned(), reason: reason(error) };
    Located::new(problem, "this file", Place::new(source, 0..0))
}

/// The node at the top that a byte belongs to.
fn node_around(parsable: &Parsable<'_>, at: usize) -> Range<usize> {
    let next = parsable.starts.partition_point(|start| *start <= at);
    let begin = next.checked_sub(1).and_then(|last| parsable.starts.get(last)).copied().unwrap_or(0);
    begin..parsable.starts.get(next).copied().unwrap_or(parsable.text.len())
}

/// What is wrong with nodes, without what only follows from it: the parser loses count of braces behind a mistake.
fn without_consequences(
    source: &Arc<SourceText>,
    damaged: &[Range<usize>],
    mut errors: Vec<(usize, ManifestError)>,
) -> Vec<(usize, ManifestError)> {
    let is_balanced = |range: &Range<usize>| {
        let node = source.text().get(range.clone()).unwrap_or_default();
        nesting::check(node).is_ok_and(|node| node.is_balanced)
    };
    let is_of_braces = |error: &ManifestError| matches!(error.error(), ManifestProblem::Syntax { message, .. } if message.contains(['{', '}']));
    if damaged.iter().all(is_balanced) && !errors.iter().all(|(_, error)| is_of_braces(error)) {
        errors.retain(|(_, error)| !is_of_braces(error));
    }
    errors
}

/// Takes a node out of a text, so that all others stay where they are.
fn blank_out(parsable: &mut Parsable<'_>, range: Range<usize>) {
    let node = parsable.text.get(range.clone()).unwrap_or_default();
    let blanks: String = node.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    parsable.text.to_mut().replace_range(range, &blanks);
    // Its begin and end may be no seams any more.
    parsable.seams.clear();
}

/// What a node that could not be read would have been.
fn lost_node(text: &str) -> Option<LostNode> {
    let is_end = |c: char| c.is_whitespace() || "{};=\"".contains(c);
    let mut words = text.split(is_end).filter(|word| !word.is_empty());
    Some(LostNode { word: words.next()?.to_owned(), name: words.next().unwrap_or_default().to_owned() })
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

fn locate_errors(source: &Arc<SourceText>, error: &KdlError) -> Vec<(usize, ManifestError)> {
    let said = error.diagnostics.iter().take(10 * limits::MOST_MISTAKES);
    said.map(|said| locate_error(source, said)).map(|error| (error.place().span().start, error)).collect()
}

fn mistakes(source: &Arc<SourceText>, mut errors: Vec<(usize, ManifestError)>) -> Vec<ManifestError> {
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
    if let Some(error) = foreign_syntax(source, span.start) {
        return error;
    }
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
        "{" => ("this `{` is never closed".to_owned(), "close it with `}`".to_owned()),
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

/// What is written otherwise in other languages, where an error lies in its line.
fn foreign_syntax(source: &Arc<SourceText>, at: usize) -> Option<ManifestError> {
    let text = source.text();
    let begin = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(begin..)?.lines().next()?;
    let (span, message, help) = find_comment(line, at - begin).or_else(|| find_assignment(line))?;
    let place = Place::new(source, begin + span.start..begin + span.end);
    Some(Located::new(ManifestProblem::Syntax { message, help }, "here", place))
}

type Explained = (Range<usize>, String, String);

/// `# comment`
fn find_comment(line: &str, at: usize) -> Option<Explained> {
    let first = line.len() - line.trim_start().len();
    let is_comment = |at: usize| {
        let mut rest = line.get(at..).unwrap_or_default().chars();
        rest.next() == Some('#')
            && rest.next().is_none_or(|next| next.is_whitespace() || at == first && next != '"')
    };
    let at = [first, at].into_iter().find(|at| is_comment(*at))?;
    Some((at..line.trim_end().len(), "`#` begins no comment".to_owned(), "say `//`".to_owned()))
}

/// `name = value` where a node stands.
fn find_assignment(line: &str) -> Option<Explained> {
    let (before, value) = line.split_once('=')?;
    let name = before.trim_end();
    let word = name.rfind(|c: char| c.is_whitespace() || "{;".contains(c)).map_or(0, |at| at + 1);
    let is_first = name.get(..word)?.trim_end().chars().last().is_none_or(|c| c == '{' || c == ';');
    let name = name.get(word..).filter(|name| !name.is_empty() && is_first)?;
    let value = value.trim_start();
    let value = match value.strip_prefix('"').and_then(|rest| rest.find('"')) {
        Some(end) => value.get(..end + 2)?,
        None => value.split([' ', ';', '}']).next().unwrap_or_default(),
    };
    let end = line.find(value).map_or(line.len(), |at| at + value.len());
    let help = format!("write `{name} {value}`");
    Some((word..end.max(word + name.len()), "`=` isn't used here".to_owned(), help))
}

/// The place within a span of several lines that is most likely meant: a property without its value, else the first
/// line.
fn narrow_span(text: &str, start: usize, end: usize) -> Range<usize> {
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
        parse(&SourceText::new("Rpmforge.kdl", text)).errors
    }

    #[test]
    fn a_thousand_blocks_are_refused_before_the_parser_sees_them() {
        assert!(matches!(mistakes(&"a {".repeat(5000))[0].error(), ManifestProblem::TooDeep { .. }));
    }

    #[test]
    fn a_comment_of_many_stars_and_slashes_is_a_comment() {
        let text = format!("/*{}\n{} */ a 1\n", "*".repeat(20_000), "/".repeat(20_000));
        assert_eq!(parse(&SourceText::new("Rpmforge.kdl", text)).document.unwrap().nodes().len(), 1);
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
