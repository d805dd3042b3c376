//! `forge fmt`: a manifest in the usual form. Comments, order, blank lines and the spelling of values stay: only the white
//! space between tokens changes, and what comes out is parsed again and must say the same.

use std::sync::Arc;

use kdl::KdlDocument;

use super::problem::ManifestError;
use super::syntax;
use crate::text::SourceText;

const INDENT: &str = "    ";

/// The text of a manifest in the usual form: four spaces a level, one space between values, at most one blank line.
///
/// # Errors
/// Every syntax error; what can't be parsed isn't touched.
pub fn format(source: &Arc<SourceText>) -> Result<String, Vec<ManifestError>> {
    let before = syntax::parse_whole(source)?;
    let text = Formatter::default().run(source.text());
    let after = syntax::parse_whole(&SourceText::new(source.name(), text.as_str()));
    let is_same = after.is_ok_and(|after| bare(after) == bare(before));
    Ok(if is_same { text } else { source.text().to_owned() })
}

fn bare(mut document: KdlDocument) -> KdlDocument {
    document.clear_format_recursive();
    document
}

#[derive(Default)]
struct Formatter {
    output: String,
    depth: usize,
    /// The line before ended with `\`: this one goes on.
    continues: bool,
    blank: bool,
}

impl Formatter {
    fn run(mut self, text: &str) -> String {
        let mut rest = text.trim_start_matches('\u{feff}');
        while !rest.is_empty() {
            let line = logical_line(rest);
            self.line(&rest[..line]);
            rest = rest[line..].strip_prefix('\n').unwrap_or(&rest[line..]);
        }
        self.output
    }

    fn line(&mut self, line: &str) {
        if line.trim().is_empty() {
            self.blank = true;
            return;
        }
        let tokens = tokens(line);
        let closes = tokens.first().is_some_and(|token| *token == "}");
        let opened_before = self.output.trim_end().ends_with('{');
        if self.blank && !self.output.is_empty() && !closes && !opened_before {
            self.output.push('\n');
        }
        self.blank = false;
        let depth = self.depth.saturating_sub(usize::from(closes)) + usize::from(self.continues);
        self.output.push_str(&INDENT.repeat(depth));
        self.output.push_str(join_tokens(&tokens).trim_end());
        self.output.push('\n');
        let opened = tokens.iter().filter(|token| **token == "{").count();
        let closed = tokens.iter().filter(|token| **token == "}").count();
        self.depth = (self.depth + opened).saturating_sub(closed);
        self.continues = tokens.contains(&"\\");
    }
}

/// How long the first line is; line breaks within strings and block comments do not end it.
fn logical_line(text: &str) -> usize {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c == '\n' {
            return at;
        }
        at += token_length(&text[at..]).unwrap_or(c.len_utf8());
    }
    at
}

/// The tokens of a line. A space stands for white space between two; what was before a comment is kept as it was.
fn tokens(line: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut word = 0;
    while let Some(c) = line[at..].chars().next() {
        let length = token_length(&line[at..]);
        let is_single = matches!(c, '{' | '}' | ';' | '\\');
        if c.is_whitespace() || is_single || length.is_some_and(|_| line[at..].starts_with('/')) {
            tokens.extend((word < at).then(|| &line[word..at]));
            let length = match c {
                c if c.is_whitespace() => line[at..].len() - line[at..].trim_start().len(),
                _ => length.unwrap_or(c.len_utf8()),
            };
            tokens.push(&line[at..at + length]);
            at += length;
            word = at;
        } else {
            at += length.unwrap_or(c.len_utf8());
        }
    }
    tokens.extend((word < at).then(|| &line[word..at]));
    let first = tokens.iter().position(|token| !token.trim().is_empty()).unwrap_or_default();
    tokens.split_off(first)
}

/// The length of a string or comment at the beginning of `text`, if there is one.
fn token_length(text: &str) -> Option<usize> {
    if let Some(rest) = text.strip_prefix("//") {
        return Some(2 + rest.find('\n').unwrap_or(rest.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment(text));
    }
    let hashes = text.len() - text.trim_start_matches('#').len();
    let quoted = &text[hashes..];
    if !quoted.starts_with('"') {
        return None;
    }
    let quotes = if quoted.starts_with("\"\"\"") { "\"\"\"" } else { "\"" };
    let end = format!("{quotes}{}", "#".repeat(hashes));
    let mut at = hashes + quotes.len();
    while let Some(c) = text[at..].chars().next() {
        if text[at..].starts_with(&end) {
            return Some(at + end.len());
        }
        at += c.len_utf8();
        if c == '\\' && hashes == 0 {
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    Some(text.len())
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Tokens with one space between them, and around braces; no space before `;`.
fn join_tokens(tokens: &[&str]) -> String {
    let mut line = String::new();
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1).copied().unwrap_or_default();
        if token.trim().is_empty() {
            match next {
                ";" | "" => {}
                next if next.starts_with("//") => line.push_str(token),
                _ => line.push(' '),
            }
            continue;
        }
        let needs_space = !line.is_empty() && !line.ends_with(char::is_whitespace);
        let after = line.ends_with(['{', ';', '}']) && *token != ";";
        if needs_space && (matches!(*token, "{" | "}" | "\\") || after) {
            line.push(' ');
        }
        line.push_str(token);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        format(&SourceText::new("Rpmforge.kdl", text)).unwrap()
    }

    #[test]
    fn levels_are_indented_and_spaces_collapsed() {
        assert_eq!(formatted("a{\nb   1.10\n  c {d}\n}\n"), "a {\n    b 1.10\n    c { d }\n}\n");
    }

    #[test]
    fn comments_and_blank_lines_stay() {
        let text = "// head\n\na 1 // one\nb 2    // two\n\n/* block\n   comment */\nc 3\n";
        assert_eq!(formatted(text), text);
    }

    #[test]
    fn several_blank_lines_become_one_and_none_begins_a_block() {
        assert_eq!(formatted("a {\n\n\n b\n\n\n c\n\n}\n\n\n"), "a {\n    b\n\n    c\n}\n");
    }

    #[test]
    fn what_stands_in_strings_is_not_touched() {
        let text = "a \"{  }  ;  //\" #\"raw  \"  {\"#\nb \"\"\"\n    two  spaces\n    \"\"\"\n";
        assert_eq!(formatted(text), text);
    }

    #[test]
    fn a_line_that_goes_on_is_indented_once_more() {
        assert_eq!(formatted("a {\nb \\\nc\n}\n"), "a {\n    b \\\n        c\n}\n");
    }
}
