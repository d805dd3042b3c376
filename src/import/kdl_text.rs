//! KDL, written by hand: so that comments stand where they belong.

use std::fmt::Write as _;

use crate::text::{is_unseen, quote_kdl};

/// What is written so far.
#[derive(Debug, Default)]
pub(super) struct KdlText {
    text: String,
    depth: usize,
}

impl KdlText {
    /// A node of words: the first as it is, the others quoted where they have to be.
    pub fn node(&mut self, name: &str, arguments: &[&str]) {
        let line = line_of(name, arguments);
        self.line(&line);
    }

    /// A line as it is.
    pub fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{}{line}", "    ".repeat(self.depth));
    }

    /// A comment; each of its lines is one.
    pub fn comment(&mut self, text: &str) {
        for line in text.lines() {
            let shown: String = line.chars().map(|c| if is_unseen(c) { ' ' } else { c }).collect();
            self.line(&format!("// {shown}"));
        }
    }

    /// Begins the block of a node.
    pub fn open(&mut self, name: &str, arguments: &[&str]) {
        let line = line_of(name, arguments);
        self.line(&format!("{line} {{"));
        self.depth += 1;
    }

    /// Ends it.
    pub fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.line("}");
    }

    /// All of it.
    pub fn finish(self) -> String {
        self.text
    }
}

fn line_of(name: &str, arguments: &[&str]) -> String {
    let words = arguments.iter().map(|argument| word(argument));
    std::iter::once(name.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// A text as KDL has it: bare where it can be.
pub(super) fn word(text: &str) -> String {
    let is_bare = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
        && !matches!(text, "true" | "false" | "null" | "inf" | "nan");
    if is_bare { text.to_owned() } else { quote_kdl(text) }
}

/// A text with only what names of manifests have; nothing where nothing of it is left.
pub(super) fn name_of(text: &str) -> Option<String> {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "._+-".contains(c) { c } else { '-' };
    let name: String = text.trim().chars().map(kept).collect();
    let name = name.trim_matches('-').trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    (!name.is_empty()).then(|| name.to_owned())
}
