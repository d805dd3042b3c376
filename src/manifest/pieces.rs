//! A large manifest is parsed in pieces, on all threads: the kdl crate takes about a second for each MiB, the better part of
//! what an apply of thousands of unchanged packages takes.
//!
//! A piece ends behind a line that ends with the `}` of a node at the top: whatever the next line begins with, it is not part of
//! that node. Where any piece can't be parsed, the text is parsed whole: what is said of mistakes does not depend on pieces.

use std::io;
use std::panic::resume_unwind;
use std::thread;

use kdl::{KdlDocument, KdlError};

use super::limits;
use super::nesting::Parsable;

/// Parses a text with as much stack as the worst one of its size takes.
///
/// # Errors
/// Where a thread can't be started.
pub(super) fn parse_with_stack(
    parsable: &Parsable<'_>,
    threads: usize,
) -> io::Result<Result<KdlDocument, KdlError>> {
    let pieces = pieces_of(parsable, threads);
    if pieces.len() > 1
        && let Some(document) = join(parse_all(&pieces, parsable)?)
    {
        return Ok(Ok(document));
    }
    let mut whole = parse_all(&[parsable.text.to_string()], parsable)?;
    Ok(whole.pop().unwrap_or_else(|| Ok(KdlDocument::new())))
}

/// The pieces of a text. Each has a comment in the place of what is before it, so that spans are those of the text.
fn pieces_of(parsable: &Parsable<'_>, threads: usize) -> Vec<String> {
    let text = &*parsable.text;
    let size = (text.len() / threads.max(1)).max(limits::SMALLEST_PIECE);
    let (mut pieces, mut begin) = (Vec::new(), 0);
    for seam in parsable.seams.iter().copied().chain([text.len()]) {
        let is_last = seam == text.len();
        if is_last || (seam - begin >= size && text.len() - seam >= limits::SMALLEST_PIECE) {
            let piece = text.get(begin..seam).unwrap_or_default();
            pieces.push(comment_of(begin) + piece);
            begin = seam;
        }
    }
    pieces
}

fn comment_of(length: usize) -> String {
    match length.checked_sub("/**/".len()) {
        Some(blanks) => ["/*", &" ".repeat(blanks), "*/"].concat(),
        None => " ".repeat(length),
    }
}

fn parse_all(pieces: &[String], parsable: &Parsable<'_>) -> io::Result<Vec<Result<KdlDocument, KdlError>>> {
    let braces = parsable.braces + limits::DEEPEST;
    let stack = braces * limits::STACK_A_BRACE + parsable.text.len() * limits::STACK_A_BYTE;
    thread::scope(|scope| {
        let mut parsers = Vec::new();
        for piece in pieces {
            let parse = || KdlDocument::parse_v2(piece);
            parsers.push(thread::Builder::new().stack_size(stack).spawn_scoped(scope, parse)?);
        }
        Ok(parsers
            .into_iter()
            .map(|parser| parser.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect())
    })
}

/// The whole document, if all pieces could be parsed.
fn join(pieces: Vec<Result<KdlDocument, KdlError>>) -> Option<KdlDocument> {
    let mut documents = pieces.into_iter();
    let mut whole = documents.next()?.ok()?;
    for document in documents {
        whole.nodes_mut().append(document.ok()?.nodes_mut());
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::nesting::check;
    use super::*;

    /// What a text says, with the place of each node and value.
    fn said(document: &KdlDocument) -> String {
        let mut said = String::new();
        for node in document.nodes() {
            write!(said, "{} {:?};", node.name().value(), node.span()).unwrap();
            for entry in node.entries() {
                write!(said, "{} {:?};", entry.value(), entry.span()).unwrap();
            }
            said += &node.children().map(self::said).unwrap_or_default();
        }
        said
    }

    fn parse(text: &str, threads: usize) -> Result<KdlDocument, KdlError> {
        parse_with_stack(&check(text).unwrap(), threads).unwrap()
    }

    fn count(text: &str, threads: usize) -> usize {
        pieces_of(&check(text).unwrap(), threads).len()
    }

    fn packages(count: usize) -> String {
        (0..count).fold(String::new(), |mut text, number| {
            writeln!(text, "package p{number} {{ source path \"ä/p{number}.spec\" }}").unwrap();
            text
        })
    }

    #[test]
    fn a_text_in_pieces_says_the_same_at_the_same_places() {
        let text = packages(3000);
        assert!(count(&text, 4) > 3);
        let (whole, pieces) = (parse(&text, 1).unwrap(), parse(&text, 4).unwrap());
        assert_eq!(pieces.nodes().len(), 3000);
        assert_eq!(said(&pieces), said(&whole));
    }

    #[test]
    fn a_small_text_is_one_piece() {
        assert_eq!(count(&packages(10), 4), 1);
        assert_eq!(count("", 4), 1);
    }

    #[test]
    fn mistakes_are_told_as_of_the_whole_text() {
        let text = packages(3000) + "package p { source }}\n" + &packages(10);
        let place = |threads| format!("{:?}", parse(&text, threads).unwrap_err().diagnostics);
        assert_eq!(place(4), place(1));
    }

    /// Nothing that looks like the end of a node, but is none, ends a piece.
    #[test]
    fn pieces_end_between_nodes_only() {
        let inner = "}\npackage x {".repeat(6000);
        let texts = [
            format!("a #\"{inner}\"#\n"),
            format!("a \"\"\"\n{inner}\n\"\"\"\n"),
            format!("/* {inner} */\na\n"),
            format!("/-a {{\n{}\n}}\nb\n", "c { d\n}\nc { d\n}\n".repeat(3000)),
            format!("a {{ b }} \\\n{}c\n", " ".repeat(40000)),
            "/- // }\na {\n}\n".repeat(4000),
        ];
        for text in texts {
            let (whole, pieces) = (parse(&text, 1), parse(&text, 4));
            let start: String = text.chars().take(20).collect();
            assert_eq!(pieces.map(|it| said(&it)).ok(), whole.map(|it| said(&it)).ok(), "{start}");
        }
    }
}
