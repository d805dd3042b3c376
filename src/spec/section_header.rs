//! What stands after a section's name: for which package it is, and how it is meant (rpm-spec(5)).

use bstr::{BString, ByteSlice};
use miette::Diagnostic;
use thiserror::Error;

use super::section::SectionKind;

/// The package that a section belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectionPackage {
    /// The main one.
    Main,
    /// `name`: the one that is called after the main one, `main-name`.
    Sub(BString),
    /// `-n name`
    Named(BString),
}

/// The options of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionHeader {
    /// The package.
    pub package: SectionPackage,
    /// `-l`: the language of a description.
    pub language: Option<BString>,
    /// `-f`: files that hold lists of files, or a script.
    pub files: Vec<BString>,
    /// `-p`: the program that runs a script, with its options.
    pub program: Vec<BString>,
    /// `-e`: macros in the script are expanded when the package is installed.
    pub expands: bool,
    /// `-q`: the script is a query format of the package that is installed.
    pub formats: bool,
    /// `-P`: when a file trigger is run among others.
    pub priority: Option<u32>,
    /// What stands after `--`: what fires a trigger.
    pub conditions: BString,
}

/// What can be wrong with it, in rpm's words.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum SectionProblem {
    /// An option that the section does not have, or one without its value.
    #[error("Bad option {option}: {line}")]
    #[diagnostic(code(forge::spec::section_option), help("rpm-spec(5) says which options a section takes"))]
    Option {
        /// The option.
        option: BString,
        /// The whole line.
        line: BString,
    },
    /// More than one package.
    #[error("Too many names: {line}")]
    #[diagnostic(code(forge::spec::section_names), help("a section belongs to one package"))]
    Names {
        /// The whole line.
        line: BString,
    },
    /// A program that is found by luck.
    #[error("script program must begin with '/': {program}")]
    #[diagnostic(code(forge::spec::script_program), help("write the whole path, or `<lua>`"))]
    Program {
        /// The program.
        program: BString,
    },
    /// A `%package` without a name, or with too much.
    #[error("Bad package specification: {line}")]
    #[diagnostic(code(forge::spec::package_name), help("`%package name` or `%package -n name`"))]
    Package {
        /// The whole line.
        line: BString,
    },
}

/// The options that a section takes: those with a value, and those without.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other sections that belong to a package are scripts")]
fn list_options(kind: SectionKind) -> (&'static [u8], &'static [u8]) {
    match kind {
        SectionKind::Description => (b"nl", b""),
        SectionKind::Files => (b"nf", b""),
        SectionKind::Sepolicy => (b"n", b""),
        _ => (b"npfP", b"eq"),
    }
}

impl SectionHeader {
    /// Reads what stands after the name of a section that belongs to a package; `line` is the whole line.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(kind: SectionKind, arguments: &[u8], line: &[u8]) -> Result<Self, SectionProblem> {
        let words = split_shell_words(arguments);
        let line = BString::from(line.trim_ascii_end());
        if kind == SectionKind::Package {
            return read_package_line(&words, line);
        }
        let mut header = Self::new(SectionPackage::Main);
        let (mut named, mut names) = (None, Vec::new());
        let mut left = words.into_iter();
        while let Some(word) = left.next() {
            if word == "--" || !word.starts_with(b"-") || word.len() == 1 {
                names.extend((word != "--").then_some(word));
                continue;
            }
            let bad = || SectionProblem::Option { option: word.clone(), line: line.clone() };
            let (valued, bare) = list_options(kind);
            let letter = word.get(1).copied().unwrap_or_default();
            if bare.contains(&letter) && word.len() == 2 {
                header.expands |= letter == b'e';
                header.formats |= letter == b'q';
                continue;
            }
            if !valued.contains(&letter) {
                return Err(bad());
            }
            let attached = word.get(2..).filter(|attached| !attached.is_empty()).map(BString::from);
            let value = attached.or_else(|| left.next()).ok_or_else(bad)?;
            match letter {
                b'n' => named = Some(value),
                b'l' => header.language = Some(value),
                b'f' => header.files.push(value),
                b'P' => {
                    let number = value.to_str().ok().and_then(|value| value.parse().ok());
                    header.priority =
                        Some(number.ok_or(SectionProblem::Option { option: value, line: line.clone() })?);
                }
                _ => header.program = read_program(value)?,
            }
        }
        header.package = match (named, names.as_slice()) {
            (Some(name), []) => SectionPackage::Named(name),
            (None, []) => SectionPackage::Main,
            (None, [name]) => SectionPackage::Sub(name.clone()),
            _ => return Err(SectionProblem::Names { line }),
        };
        Ok(header)
    }

    fn new(package: SectionPackage) -> Self {
        Self {
            package,
            language: None,
            files: Vec::new(),
            program: Vec::new(),
            expands: false,
            formats: false,
            priority: None,
            conditions: BString::default(),
        }
    }
}

fn read_package_line(words: &[BString], line: BString) -> Result<SectionHeader, SectionProblem> {
    match words {
        [option, name] if option == "-n" => Ok(SectionHeader::new(SectionPackage::Named(name.clone()))),
        [name] if name != "-n" => Ok(SectionHeader::new(SectionPackage::Sub(name.clone()))),
        _ => Err(SectionProblem::Package { line }),
    }
}

fn read_program(value: BString) -> Result<Vec<BString>, SectionProblem> {
    if value.starts_with(b"/") || value.starts_with(b"<") {
        return Ok(split_shell_words(&value));
    }
    Err(SectionProblem::Program { program: value })
}

/// Splits as popt(3) does: at blanks, but for what quotes or a backslash hold together.
pub(super) fn split_shell_words(text: &[u8]) -> Vec<BString> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<BString>, None);
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (byte, Some(open)) if byte == open => quote = None,
            (b'\\', _) => word.get_or_insert_default().extend(bytes.next()),
            (b'"' | b'\'', None) => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (byte, None) if byte.is_ascii_whitespace() => words.extend(word.take()),
            (byte, _) => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(split_shell_words(b"-p \"/bin/sh -x\" a\\ b ''"), ["-p", "/bin/sh -x", "a b", ""]);
        let header = SectionHeader::read(SectionKind::Post, b"-n x -p '/bin/sh -x' -e", b"%post").unwrap();
        assert_eq!(header.program, ["/bin/sh", "-x"]);
        assert_eq!(header.package, SectionPackage::Named("x".into()));
        assert!(header.expands && !header.formats);
    }
}
