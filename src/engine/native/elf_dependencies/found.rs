//! The dependencies of a file as they are found, by the rules of `elfdeps`.

use bstr::{BString, ByteSlice};

use super::question::{ElfFile, ElfQuestion, Side};
use super::unusual::UnusualElf;

/// What the loader has to know that reads hashes of GNU's kind.
const GNU_HASH: &[u8] = b"rtld(GNU_HASH)";

/// The version of symbols that a C library has for itself.
const PRIVATE: &[u8] = b"GLIBC_PRIVATE";

/// How names of libraries begin, and of dynamic linkers.
const LIBRARY_STARTS: [&[u8]; 5] = [b"ld.", b"ld-", b"ld64.", b"ld64-", b"lib"];

/// More lines than any file has.
const MOST_LINES: usize = 100_000;

/// What a file has of the kind that is asked for, as far as it was read.
pub(super) struct FoundDependencies<'q> {
    pub(super) question: &'q ElfQuestion,
    file: ElfFile<'q>,
    /// What is said of files of 64 bits.
    pub(super) marker: &'static [u8],
    /// The dynamic linker that it names.
    pub(super) interpreter: Option<Vec<u8>>,
    /// The name that it has as a library.
    pub(super) name: Option<Vec<u8>>,
    pub(super) is_dynamic: bool,
    pub(super) has_debug: bool,
    pub(super) has_hash: bool,
    pub(super) has_gnu_hash: bool,
    lines: Vec<BString>,
}

impl<'q> FoundDependencies<'q> {
    pub(super) fn new(question: &'q ElfQuestion, file: ElfFile<'q>) -> Self {
        Self {
            question,
            file,
            marker: b"",
            interpreter: None,
            name: None,
            is_dynamic: false,
            has_debug: false,
            has_hash: false,
            has_gnu_hash: false,
            lines: Vec::new(),
        }
    }

    /// Whether what the file provides is asked for.
    pub(super) fn wants_provides(&self) -> bool {
        self.question.side == Side::Provides
    }

    /// Whether what the file requires is asked for, and counts: what a program needs that nobody may run does not.
    pub(super) fn wants_requires(&self) -> bool {
        self.question.side == Side::Requires && self.does_require()
    }

    fn does_require(&self) -> bool {
        self.file.is_executable || !self.question.rules.only_executables_require && !self.has_interpreter()
    }

    fn has_interpreter(&self) -> bool {
        let is_none = |name: &Vec<u8>| self.question.rules.empty_is_none && name.is_empty();
        self.interpreter.as_ref().is_some_and(|name| !is_none(name))
    }

    /// Adds the version of a library's symbols.
    pub(super) fn add_version(&mut self, library: &[u8], version: &[u8]) -> Result<(), UnusualElf> {
        if self.question.only_names || self.question.leaves_out_private && version == PRIVATE {
            return Ok(());
        }
        self.add(library, Some(version))
    }

    /// Adds a library: all of it, or a version of its symbols.
    pub(super) fn add(&mut self, library: &[u8], version: Option<&[u8]>) -> Result<(), UnusualElf> {
        if self.is_left_out(library) {
            return Ok(());
        }
        let version = version.filter(|version| !self.question.rules.empty_is_none || !version.is_empty());
        let line = match version {
            None if self.marker.is_empty() => library.to_vec(),
            version => [library, b"(", version.unwrap_or_default(), b")", self.marker].concat(),
        };
        self.add_line(line)
    }

    /// Whether a name is none of a library that others may depend on.
    fn is_left_out(&self, library: &[u8]) -> bool {
        let is_space = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' ');
        if library.iter().all(is_space) {
            return true;
        }
        let is_library =
            library.contains_str(".so") && LIBRARY_STARTS.iter().any(|start| library.starts_with(start));
        self.question.leaves_out_odd_names && !is_library
    }

    fn add_line(&mut self, line: Vec<u8>) -> Result<(), UnusualElf> {
        // What would not be read again as one line is for the program to write.
        if self.lines.len() >= MOST_LINES || line.starts_with(b";") || line.iter().any(u8::is_ascii_control) {
            return Err(UnusualElf);
        }
        self.lines.push(line.into());
        Ok(())
    }

    /// Adds what follows from all that was found; gives all lines.
    pub(super) fn finish(mut self) -> Result<Vec<BString>, UnusualElf> {
        if self.wants_requires() && self.has_gnu_hash && !self.has_hash && !self.question.only_names {
            self.add_line(GNU_HASH.to_vec())?;
        }
        if self.wants_provides() && self.is_dynamic && !self.has_debug {
            let is_named = self.name.as_ref().is_some_and(|name| !self.is_none(name));
            let made_up = Some(self.file.name.to_vec()).filter(|_| self.question.makes_up_names);
            if let Some(name) = if is_named { self.name.take() } else { made_up } {
                self.add(&name, None)?;
            }
        }
        if self.question.side == Side::Requires
            && self.question.requires_interpreter
            && self.has_interpreter()
        {
            let interpreter = self.interpreter.take().unwrap_or_default();
            self.add_line(interpreter)?;
        }
        Ok(self.lines)
    }

    fn is_none(&self, name: &[u8]) -> bool {
        self.question.rules.empty_is_none && name.is_empty()
    }
}
