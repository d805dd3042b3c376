//! KDL text → nodes, with what the kdl crate leaves to do: the depth is checked first (the crate recurses), and a
//! message that spans a whole block is narrowed to its place.

use std::sync::Arc;

use kdl::{KdlDiagnostic, KdlDocument};

use super::problem::{ManifestError, Problem};
use crate::text::{Located, Place, SourceText};

/// No manifest nests deeper; the kdl crate overflows the stack at some 300.
const DEEPEST: usize = 64;

/// The kdl crate reads a block that `/-` takes out twice, so its time doubles with each such block in another: 16 take seconds.
const DEEPEST_TAKEN_OUT: usize = 8;

/// Parses a file; gives what could be read and every mistake.
pub(super) fn parse(source: &Arc<SourceText>) -> Result<KdlDocument, Vec<ManifestError>> {
    if let Some((at, what, limit)) = too_deep(source.text()) {
        let problem = Problem::TooDeep { what, limit };
        return Err(vec![Located::new(problem, "this one", Place::new(source, at..at + 1))]);
    }
    let parsed = KdlDocument::parse_v2(source.text());
    parsed.map_err(|error| {
        let mut errors: Vec<_> = error.diagnostics.iter().map(|said| located(source, said)).collect();
        // What is wrong with a string comes before what follows from it.
        errors.sort_by_key(|error| {
            let start = error.place().span().start;
            (source.line_of(start), !error.to_string().contains("string"), start)
        });
        // What follows from a mistake on the same line is the same mistake.
        errors.dedup_by_key(|error| source.line_of(error.place().span().start));
        errors
    })
}

fn located(source: &Arc<SourceText>, said: &KdlDiagnostic) -> ManifestError {
    let start = said.span.offset().min(source.text().len());
    let end = (start + said.span.len()).min(source.text().len());
    let span = narrowed(source.text(), start, end);
    let message = said.message.clone().unwrap_or_else(|| "this is not KDL".to_owned());
    let comment = source.text().rfind("/*").filter(|_| message.contains("multi-line comment"));
    let span = comment.map_or(span, |at| at..at + 2);
    let written = source.text().get(span.clone()).unwrap_or_default();
    let (message, help) = in_our_words(written.trim(), message, said.help.clone());
    Located::new(Problem::Syntax { message, help }, "here", Place::new(source, span))
}

/// What the most frequent mistakes are, said in the words of what was written.
fn in_our_words(written: &str, message: String, help: Option<String>) -> (String, String) {
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
fn narrowed(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
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

/// Where the text nests more than [`DEEPEST`] blocks or parentheses: strings and comments are skipped, so
/// that braces in them do not count.
fn too_deep(text: &str) -> Option<(usize, &'static str, usize)> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    let mut dashes = Slashdashes::default();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => {
                depth += 1;
                dashes.open();
            }
            b'}' => {
                depth = depth.saturating_sub(1);
                dashes.close();
            }
            b'\n' | b';' => dashes.pending = false,
            b'/' if bytes.get(at + 1) == Some(&b'*') => depth += 1,
            b'*' if bytes.get(at + 1) == Some(&b'/') => depth = depth.saturating_sub(1),
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = end_of_line(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'-') => dashes.pending = true,
            b'"' => at = end_of_string(bytes, at),
            _ => {}
        }
        if dashes.depth() > DEEPEST_TAKEN_OUT {
            return Some((at, "blocks taken out by `/-`", DEEPEST_TAKEN_OUT));
        }
        if depth > DEEPEST {
            return Some((at, "blocks", DEEPEST));
        }
        at += 1;
    }
    None
}

/// Which of the open blocks are taken out by `/-`.
#[derive(Default)]
struct Slashdashes {
    /// There is a `/-` on this line whose block is still to come.
    pending: bool,
    open: Vec<bool>,
}

impl Slashdashes {
    fn open(&mut self) {
        self.open.push(std::mem::take(&mut self.pending));
    }

    fn close(&mut self) {
        self.pending = false;
        self.open.pop();
    }

    fn depth(&self) -> usize {
        self.open.iter().filter(|taken_out| **taken_out).count()
    }
}

fn end_of_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    let opening = at;
    at += 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' => return at,
            // A string that is not closed on its line: the parser says so, the depth goes on behind its quote.
            b'\n' => return opening,
            _ => {}
        }
        at += 1;
    }
    opening
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_in_strings_and_comments_do_not_nest() {
        let text = format!("a \"{}\" // {}\n", "{".repeat(500), "{".repeat(500));
        assert_eq!(too_deep(&text), None);
    }

    #[test]
    fn blocks_taken_out_within_each_other_are_refused_before_they_take_seconds() {
        let nested = |depth: usize| format!("a {}{}", "/-{ b ".repeat(depth), "}".repeat(depth));
        assert_eq!(too_deep(&nested(DEEPEST_TAKEN_OUT)), None);
        assert!(too_deep(&nested(40)).is_some());
        assert_eq!(too_deep(&"/- a {\n}\n".repeat(40)), None);
    }

    #[test]
    fn a_thousand_blocks_are_refused_before_the_parser_sees_them() {
        let source = SourceText::new("Rpmforge.kdl", "a {".repeat(5000));
        let errors = parse(&source).unwrap_err();
        assert!(matches!(errors[0].error(), Problem::TooDeep { .. }));
    }
}
