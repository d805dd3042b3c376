//! What has to be known of a text before the kdl crate reads it: the crate calls itself for each block, for each comment
//! within a comment, and for each `*` and `/` in one, and an overflow of the stack ends the process.

use std::borrow::Cow;

use super::grammar::NodeRule;
use super::limits;
use super::rules::DOCUMENT;

/// More of something than is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Excess {
    /// Where the first one stands that is too many.
    pub at: usize,
    /// What there is too much of.
    pub what: Nested,
}

/// What can stand in itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nested {
    /// Blocks.
    Blocks,
    /// Blocks that are taken out by `/-`.
    TakenOut,
    /// `/* … */`
    Comments,
}

/// A text that can be parsed.
#[derive(Debug)]
pub(super) struct Parsable<'t> {
    /// The text, byte for byte, but for blanks in the place of what comments say.
    pub text: Cow<'t, str>,
    /// How many braces it has, in strings as well: behind a mistake the parser may take a string for blocks.
    pub braces: usize,
    /// Where a line begins behind the closed block of a node at the top: nothing there is part of what stands before.
    pub seams: Vec<usize>,
    /// Where a line begins with a word, outside of strings, comments and blocks; and where it begins with one, within what
    /// looks like a block that is never closed.
    pub starts: Vec<usize>,
    /// Whether every block is closed, and every `}` closes one.
    pub is_balanced: bool,
}

/// Goes through a text: strings and comments are skipped, so that braces in them do not count.
pub(super) fn check(text: &str) -> Result<Parsable<'_>, Excess> {
    let mut scan = Scan { bytes: text.as_bytes(), ..Scan::default() };
    scan.run()?;
    let text = match scan.comments.as_slice() {
        [] => Cow::Borrowed(text),
        comments => Cow::Owned(blank_out(text, comments)),
    };
    let braces = text.bytes().filter(|byte| matches!(byte, b'{' | b'}')).count();
    let is_balanced = scan.blocks.is_empty() && !scan.closes_nothing;
    Ok(Parsable { text, braces, seams: scan.seams, starts: scan.starts, is_balanced })
}

/// The text with blanks in these places.
fn blank_out(text: &str, places: &[(usize, usize)]) -> String {
    let (mut blanked, mut at) = (String::with_capacity(text.len()), 0);
    for (begin, end) in places {
        blanked.push_str(text.get(at..*begin).unwrap_or_default());
        let comment = text.as_bytes().get(*begin..*end).unwrap_or_default();
        blanked.extend(comment.iter().map(|byte| if *byte == b'\n' { '\n' } else { ' ' }));
        at = *end;
    }
    blanked.push_str(text.get(at..).unwrap_or_default());
    blanked
}

#[derive(Default)]
struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    /// Of each open block, whether it is taken out by `/-`.
    blocks: Vec<bool>,
    taken_out: usize,
    /// There is a `/-` whose block is still to come.
    is_dashed: bool,
    /// Something stands behind that `/-`, so that what it takes out ends with the line.
    is_named: bool,
    /// A string on this line is never closed: the parser says so; what follows counts as blocks.
    is_line_broken: bool,
    /// A string that may have several lines is never closed: others like it are not looked for, each to the end of the text.
    is_text_broken: bool,
    /// What stands within comments.
    comments: Vec<(usize, usize)>,
    /// Where the last block at the top was closed.
    closed: Option<usize>,
    seams: Vec<usize>,
    starts: Vec<usize>,
    /// How many of the open blocks can't be meant: a node has begun since that stands in none.
    unclosed: usize,
    /// There is a `}` without a block.
    closes_nothing: bool,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), Excess> {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'{' => self.open()?,
                b'}' => self.close(),
                b';' => self.is_dashed = false,
                b'/' => self.slash()?,
                b'"' | b'#' => self.string(),
                _ if newline(self.bytes, self.at) => {
                    self.end_line();
                    self.note_seam();
                    self.note_start();
                }
                _ => self.is_named |= !byte.is_ascii_whitespace(),
            }
            self.at += 1;
        }
        Ok(())
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn open(&mut self) -> Result<(), Excess> {
        let is_taken_out = std::mem::take(&mut self.is_dashed);
        self.blocks.push(is_taken_out);
        self.taken_out += usize::from(is_taken_out);
        let excess = |what| Err(Excess { at: self.at, what });
        if self.taken_out > limits::DEEPEST_TAKEN_OUT {
            return excess(Nested::TakenOut);
        }
        if self.blocks.len() > limits::DEEPEST { excess(Nested::Blocks) } else { Ok(()) }
    }

    fn end_line(&mut self) {
        self.is_dashed &= !self.is_named;
        self.is_line_broken = false;
    }

    /// A line that ends with the end of a block at the top ends its node, whatever the next one begins with.
    fn note_seam(&mut self) {
        let is_closed = self.closed.is_some_and(|closed| closed + 1 == self.at);
        if is_closed
            && self.peek(0) == Some(b'\n')
            && self.peek(1).is_some_and(|byte| byte.is_ascii_lowercase())
        {
            self.seams.push(self.at + 1);
        }
    }

    fn note_start(&mut self) {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| byte.is_ascii_lowercase() || **byte == b'-').count();
        let word = rest.get(..length).and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default();
        if length > 0 && is_only_at_the_top(word) {
            self.unclosed = self.blocks.len();
        }
        if length > 0 && self.blocks.len() <= self.unclosed {
            self.starts.push(self.at + 1);
        }
    }

    fn close(&mut self) {
        self.is_dashed = false;
        self.closes_nothing |= self.blocks.is_empty();
        if self.blocks.len() == 1 {
            self.closed = Some(self.at);
        }
        let was_taken_out = self.blocks.pop().unwrap_or_default();
        self.unclosed = self.unclosed.min(self.blocks.len());
        self.taken_out -= usize::from(was_taken_out);
    }

    /// Goes to the last byte of a comment.
    fn slash(&mut self) -> Result<(), Excess> {
        match self.peek(1) {
            Some(b'-') => {
                (self.is_dashed, self.is_named) = (true, false);
                self.at += 1;
            }
            Some(b'/') => {
                // The line feed is still to be seen.
                while self.at + 1 < self.bytes.len() && !newline(self.bytes, self.at + 1) {
                    self.at += 1;
                }
            }
            Some(b'*') => self.comment()?,
            _ => {}
        }
        Ok(())
    }

    fn comment(&mut self) -> Result<(), Excess> {
        let begin = self.at + 2;
        let mut depth = 0_usize;
        while let Some(byte) = self.peek(0) {
            match (byte, self.peek(1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    if depth > limits::DEEPEST {
                        return Err(Excess { at: self.at, what: Nested::Comments });
                    }
                    self.at += 1;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    self.at += 1;
                    if depth == 0 {
                        self.comments.push((begin, self.at - 1));
                        return Ok(());
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        self.comments.push((begin, self.bytes.len()));
        Ok(())
    }

    /// Goes to the last byte of a string that is closed, else to that of its opening.
    fn string(&mut self) {
        self.is_named = true;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
        let quotes = rest.iter().skip(hashes).take(3).take_while(|byte| **byte == b'"').count();
        let has_lines = quotes == 3;
        let quotes = if has_lines { 3 } else { quotes.min(1) };
        let opening = hashes + quotes;
        if quotes > 0 && !self.is_line_broken && !(has_lines && self.is_text_broken) {
            let closing = [&b"\"\"\""[..quotes], &b"#".repeat(hashes)].concat();
            if let Some(length) = length(rest.get(opening..).unwrap_or_default(), &closing, has_lines) {
                self.at += opening + length - 1;
                return;
            }
            self.is_line_broken = true;
            self.is_text_broken |= has_lines;
        }
        self.at += opening - 1;
    }
}

/// Whether nodes of that name stand in no block.
fn is_only_at_the_top(word: &str) -> bool {
    let is_of_block = |rule: &NodeRule| rule.children().iter().any(|child| child.name == word);
    DOCUMENT.iter().any(|rule| rule.name == word) && !DOCUMENT.iter().any(is_of_block)
}

/// Whether a line ends at this byte, in one of KDL's ways: CR, LF, VT, FF, NEL, LS, PS.
fn newline(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    matches!(rest, [b'\n' | b'\r' | 0x0b | 0x0c, ..] | [0xc2, 0x85, ..] | [0xe2, 0x80, 0xa8 | 0xa9, ..])
}

/// How long a string is behind its opening, with its closing; a backslash hides the next character where there are no
/// hashes, and goes on to the next line where blanks follow it.
fn length(text: &[u8], closing: &[u8], has_lines: bool) -> Option<usize> {
    let is_raw = closing.ends_with(b"#");
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if !is_raw => {
                let blanks = text.iter().skip(at + 1).take_while(|byte| byte.is_ascii_whitespace()).count();
                at += blanks.max(1);
            }
            b'"' if text.get(at..).is_some_and(|rest| rest.starts_with(closing)) => {
                return Some(at + closing.len());
            }
            _ if !has_lines && newline(text, at) => return None,
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excess(text: &str) -> Option<Nested> {
        check(text).err().map(|excess| excess.what)
    }

    #[test]
    fn braces_in_strings_and_comments_do_not_nest() {
        let many = "{".repeat(500);
        for text in [
            format!("a \"{many}\" // {many}\n"),
            format!("a #\"{many}\"{many}\"# ##\"\"#{many}\"##\n"),
            format!("a \"\\\"{many}\" \"\\\n {many}\"\n"),
            format!("a \"\"\"\n    {many}\"{many}\n    \"\"\"\n"),
            format!("a #\"\"\"\n    {many}\"\"\"{many}\n    \"\"\"#\n"),
            format!("/* \" {many} */ a \"\" /* // {many} */\n"),
            "/* https://example.com */ a #true\n".repeat(200),
        ] {
            assert_eq!(excess(&text), None, "{text}");
        }
    }

    #[test]
    fn blocks_and_comments_within_each_other_are_refused_where_the_first_is_too_many() {
        let text = format!("{}{}", "a {".repeat(limits::DEEPEST), "}".repeat(limits::DEEPEST));
        assert_eq!(excess(&text), None);
        let excess = |text: &str| check(text).unwrap_err();
        assert_eq!(excess(&"a {".repeat(65)), Excess { at: 64 * 3 + 2, what: Nested::Blocks });
        assert_eq!(excess(&"/*".repeat(5000)), Excess { at: 128, what: Nested::Comments });
    }

    #[test]
    fn blocks_taken_out_within_each_other_are_refused_before_they_take_seconds() {
        let nested = |depth: usize| format!("a {}{}", "/-{ b ".repeat(depth), "}".repeat(depth));
        assert_eq!(excess(&nested(limits::DEEPEST_TAKEN_OUT)), None);
        assert_eq!(excess(&nested(40)), Some(Nested::TakenOut));
        assert_eq!(excess(&"/- a {\n}\n".repeat(40)), None);
        assert_eq!(excess(&"/-\n\na { ".repeat(40)), Some(Nested::TakenOut));
    }

    #[test]
    fn a_string_that_is_never_closed_hides_no_blocks() {
        assert_eq!(excess(&format!("a \"{}\n", "{".repeat(65))), Some(Nested::Blocks));
        assert_eq!(excess(&format!("a #\"\"\"\n{}", "{".repeat(65))), Some(Nested::Blocks));
        assert_eq!(excess(&format!("// a\r{}", "{".repeat(65))), Some(Nested::Blocks));
    }

    #[test]
    fn only_what_comments_say_is_blanked() {
        let parsable = check("a /* {ü\n/* } */ */ \"/* {\" // /*\n/*").unwrap();
        assert_eq!(parsable.text, "a /*    \n        */ \"/* {\" // /*\n/*");
        assert_eq!(parsable.braces, 1);
    }
}
