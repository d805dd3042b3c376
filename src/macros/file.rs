//! Macro files (rpm-macrofile(5)): one definition a line, which may go on.

use std::rc::Rc;
use std::sync::Arc;

use bstr::ByteSlice;

use super::Stop;
use super::call::slice;
use super::define::{self, Extent};
use super::host::Access;
use super::language::Language;
use super::problem::MacroProblem;
use super::table::{Level, Origin};

/// A definition's lines.
struct DefinitionLines<'t> {
    /// What stands after the `%`, without the last line's end.
    text: &'t [u8],
    /// The number of the first.
    first: u32,
    /// The number of the last.
    last: u32,
}

impl Language {
    /// Loads a macro file.
    pub fn load(self: &Rc<Self>, path: &[u8], level: Level) -> Result<(), Stop> {
        let not_loaded = || MacroProblem::NotLoaded { path: path.into() };
        if !self.may_look_at("%{load:…}", path) {
            return Err(Stop);
        }
        let Ok(text) = self.host.read_file(path) else {
            return Err(self.fail(not_loaded()));
        };
        self.load_text(&text, path, level).map_err(|Stop| self.fail(not_loaded()))
    }

    /// Defines all that a macro file's text defines.
    pub fn load_text(self: &Rc<Self>, text: &[u8], name: &[u8], level: Level) -> Result<(), Stop> {
        let file: Arc<str> = String::from_utf8_lossy(name).into();
        let mut result = Ok(());
        for lines in split_definitions(text) {
            let origin = Origin { name: Arc::clone(&file), line: lines.first };
            match define::read(lines.text, Extent::Line, "%define", |name| self.has_built_in(name)).1 {
                Ok(written) if !written.lacks_space => {
                    result = result.and(self.add(written, level, origin));
                }
                read => {
                    let defined = self.with_file_place(name, lines.last, &origin, || match read {
                        Ok(written) => self.add(written, level, origin.clone()),
                        Err(problem) => Err(self.fail(problem)),
                    });
                    result = result.and(defined);
                }
            }
        }
        result
    }

    /// Does something with the place known: rpm names the file and the line where it had read to.
    fn with_file_place<T>(&self, name: &[u8], line: u32, origin: &Origin, part: impl FnOnce() -> T) -> T {
        let outer = self.place.replace(origin.clone());
        self.push_place(b"__file_name", name);
        self.push_place(b"__file_lineno", line.to_string().as_bytes());
        let result = part();
        self.table.borrow_mut().pop(b"__file_lineno");
        self.table.borrow_mut().pop(b"__file_name");
        *self.place.borrow_mut() = outer;
        result
    }

    fn push_place(&self, name: &[u8], value: &[u8]) {
        self.table.borrow_mut().push(super::Definition {
            name: name.into(),
            options: None,
            body: value.into(),
            expansion: super::Expansion::Never,
            level: Level::BUILTIN,
            origin: Origin::named("<place>"),
        });
    }

    /// Whether macros may look at a file; says what wanted to where they may not.
    pub fn may_look_at(&self, what: &str, path: &[u8]) -> bool {
        if !self.host.is_out_of_reach(path) {
            return true;
        }
        self.report(MacroProblem::Confined { what: what.into(), path: path.into() });
        false
    }

    /// As [`Language::may_look_at`], of a pattern of glob(7): where it begins to be one decides.
    pub fn may_look_for(&self, what: &str, pattern: &[u8]) -> bool {
        let special = pattern.find_byteset(b"*?[{\\").unwrap_or(pattern.len());
        let plain = match slice(pattern, 0, special).rfind_byte(b'/') {
            _ if special == pattern.len() => pattern,
            Some(end) => slice(pattern, 0, end + 1),
            None => b".",
        };
        if !self.host.is_out_of_reach(plain) {
            return true;
        }
        self.report(MacroProblem::Confined { what: what.into(), path: pattern.into() });
        false
    }

    /// Whether macros may change the machine; says what wanted to where they may not.
    pub fn may_change(&self, what: &'static str, text: &[u8]) -> bool {
        match self.host.access() {
            Access::Open => true,
            Access::Closed => {
                self.report(MacroProblem::Closed { what, text: text.into() });
                false
            }
        }
    }
}

/// The definitions of a file; what does not begin with `%` is passed over.
fn split_definitions(text: &[u8]) -> impl Iterator<Item = DefinitionLines<'_>> {
    let mut lines = text.lines_with_terminator();
    let mut at = 0;
    let mut number = 0;
    std::iter::from_fn(move || {
        loop {
            let mut line = lines.next()?;
            let begin = at;
            at += line.len();
            number += 1;
            if !line.trim_ascii_start().starts_with(b"%") {
                continue;
            }
            let first = number;
            let mut brackets = Brackets::default();
            brackets.read(line);
            while brackets.is_open() || line.trim_end_with(|character| character == '\n').ends_with(b"\\") {
                let Some(next) = lines.next() else {
                    break;
                };
                line = next;
                at += line.len();
                number += 1;
                brackets.read(line);
            }
            let written = slice(text, begin, at).trim_ascii_start();
            let written = slice(written, 1, written.len());
            return Some(DefinitionLines {
                text: written.strip_suffix(b"\n").unwrap_or(written),
                first,
                last: number,
            });
        }
    })
}

/// The brackets of calls that are open.
#[derive(Default)]
struct Brackets {
    braces: usize,
    parentheses: usize,
}

impl Brackets {
    fn is_open(&self) -> bool {
        self.braces > 0 || self.parentheses > 0
    }

    fn read(&mut self, text: &[u8]) {
        let mut bytes = text.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            match (byte, bytes.peek()) {
                (b'\\', _) => drop(bytes.next()),
                (b'%', Some(b'{')) => self.braces += usize::from(bytes.next().is_some()),
                (b'%', Some(b'(')) => self.parentheses += usize::from(bytes.next().is_some()),
                (b'%', Some(b'%')) => drop(bytes.next()),
                (b'{', _) if self.braces > 0 => self.braces += 1,
                (b'}', _) => self.braces = self.braces.saturating_sub(1),
                (b'(', _) if self.parentheses > 0 => self.parentheses += 1,
                (b')', _) => self.parentheses = self.parentheses.saturating_sub(1),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, u32, u32)> {
        let lines = split_definitions(text.as_bytes());
        lines.map(|lines| (lines.text.to_str_lossy().into_owned(), lines.first, lines.last)).collect()
    }

    #[test]
    fn definitions_go_on_after_backslashes_and_in_brackets() {
        let text = "# %no \\\n%a 1\n  %b %{x\n}\n%c \\\n 2\n\n%d {\n";
        let expected = [("a 1", 2, 2), ("b %{x\n}", 3, 4), ("c \\\n 2", 5, 6), ("d {", 8, 8)];
        assert_eq!(read(text), expected.map(|(text, first, last)| (text.to_owned(), first, last)));
    }

    fn is_complete(text: &[u8]) -> bool {
        let mut brackets = Brackets::default();
        brackets.read(text);
        !brackets.is_open()
    }

    #[test]
    fn only_brackets_of_calls_count() {
        assert!(is_complete(b"a { ("));
        assert!(is_complete(br"%{a\}}"));
        assert!(!is_complete(b"%{a{}"));
        assert!(!is_complete(b"%(echo %{x}"));
        assert!(is_complete(b"%%{"));
    }
}
