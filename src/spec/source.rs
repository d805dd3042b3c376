//! A file of a spec, line by line.

use std::sync::Arc;

use bstr::ByteSlice;

/// A file that is being read.
#[derive(Debug)]
pub(super) struct Source {
    /// As messages call it.
    pub name: Arc<str>,
    text: Vec<u8>,
    at: usize,
    /// The number of the line that was read last.
    pub line: u32,
}

impl Source {
    pub fn new(name: &str, text: Vec<u8>) -> Self {
        Self { name: name.into(), text, at: 0, line: 0 }
    }

    /// The next line, with its end.
    pub fn next(&mut self) -> Option<&[u8]> {
        let rest = self.text.get(self.at..)?;
        let line = rest.lines_with_terminator().next()?;
        self.at += line.len();
        self.line += 1;
        Some(line)
    }
}

/// What a line leaves open: brackets of macros, and a backslash at its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OpenBrackets {
    braces: usize,
    parentheses: usize,
    brackets: usize,
    is_continued: bool,
}

impl OpenBrackets {
    /// Whether the next line belongs to this one.
    pub fn any(self) -> bool {
        self.braces > 0 || self.parentheses > 0 || self.brackets > 0 || self.is_continued
    }

    /// Reads a line.
    pub fn read(&mut self, line: &[u8]) {
        let mut bytes = line.iter().copied().peekable();
        self.is_continued = false;
        while let Some(byte) = bytes.next() {
            match (byte, bytes.peek().copied()) {
                (b'\\', next) => {
                    self.is_continued = matches!(next, Some(b'\n'));
                    bytes.next();
                }
                (b'%', Some(next @ (b'{' | b'(' | b'[' | b'%'))) => {
                    bytes.next();
                    self.begin(next);
                }
                _ => self.count(byte),
            }
        }
    }

    fn begin(&mut self, bracket: u8) {
        match bracket {
            b'{' => self.braces += 1,
            b'(' => self.parentheses += 1,
            b'[' => self.brackets += 1,
            _ => {}
        }
    }

    fn count(&mut self, byte: u8) {
        match byte {
            b'{' if self.braces > 0 => self.braces += 1,
            b'(' if self.parentheses > 0 => self.parentheses += 1,
            b'[' if self.brackets > 0 => self.brackets += 1,
            b'}' => self.braces = self.braces.saturating_sub(1),
            b')' => self.parentheses = self.parentheses.saturating_sub(1),
            b']' => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_open(text: &str) -> bool {
        let mut open = OpenBrackets::default();
        open.read(text.as_bytes());
        open.any()
    }

    #[test]
    fn brackets_of_macros_and_backslashes_lead_on() {
        assert!(is_open("%{x\n"));
        assert!(is_open("a \\\n"));
        assert!(is_open("%[1 +\n"));
        assert!(is_open("%(echo {\n"));
        assert!(!is_open("%%{ { (\n"));
        assert!(!is_open("a \\\\\n"));
        assert!(!is_open("%{a{}}\n"));
    }
}
