//! What stands after `Requires:` and its like (rpm-spec(5), "Dependencies").

use std::fmt;

use bstr::{BStr, BString, ByteSlice};
use miette::Diagnostic;
use thiserror::Error;

use super::rich;
use crate::package::{self, Capability, Comparison, Rich};

/// One dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// `name`, `name >= 1.0`
    Plain(Capability),
    /// `(a or b)`
    Rich(Rich),
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(capability) => capability.fmt(f),
            Self::Rich(rich) => rich.fmt(f),
        }
    }
}

/// What a tag allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allows {
    /// Everything: `Requires`, `Recommends` and other forward dependencies.
    Everything,
    /// Everything, in the sense of what must not be: `Conflicts`. `unless` takes the place of `if`.
    Conflicts,
    /// No rich dependencies: `Provides`, `OrderWithRequires`.
    Plain,
    /// Names of packages only: `Obsoletes`.
    PackageNames,
}

/// What can be wrong with a dependency, in rpm's words.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum DependencyProblem {
    /// A name that begins with something else.
    #[error("Dependency tokens must begin with alpha-numeric, '_' or '/'")]
    #[diagnostic(
        code(forge::spec::dependency_start),
        help("a comparison needs a name before it and spaces around it: `name >= 1.0`")
    )]
    Start,
    /// A comparison without a version.
    #[error("Version required")]
    #[diagnostic(code(forge::spec::version_required), help("write a version after the comparison"))]
    VersionRequired,
    /// A file with a version.
    #[error("Versioned file name not permitted")]
    #[diagnostic(code(forge::spec::versioned_file), help("files have no versions: name the package"))]
    VersionedFile,
    /// A character that versions, or names of packages, can't have.
    #[error("Illegal char '{}' (0x{:x}) in", shown(*.byte), signed(*.byte))]
    #[diagnostic(
        code(forge::spec::illegal_char),
        help("letters, digits and `.`, `_`, `+` and `-` can be used; in versions `~`, `^` and `:` as well")
    )]
    IllegalCharacter {
        /// The character's last byte.
        byte: u8,
    },
    /// Something in `Obsoletes` that is no package's name.
    #[error("Only package names are allowed in Obsoletes")]
    #[diagnostic(code(forge::spec::obsoletes_name), help("what a package provides can't be obsoleted"))]
    ObsoletesName,
    /// A version with two hyphens.
    #[error("Invalid version (double separator '-'): {version}")]
    #[diagnostic(code(forge::spec::double_separator), help("a hyphen separates version and release, once"))]
    DoubleSeparator {
        /// The version.
        version: BString,
    },
    /// An epoch that is no number.
    #[error("Invalid version (epoch must be unsigned integer): {version}")]
    #[diagnostic(code(forge::spec::epoch), help("what stands before a colon is the epoch: a number"))]
    Epoch {
        /// The version.
        version: BString,
    },
    /// A rich dependency where none can be.
    #[error("No rich dependencies allowed for this type")]
    #[diagnostic(code(forge::spec::no_rich), help("only tags that ask for something can ask in parentheses"))]
    NoRich,
    /// A rich dependency that is wrong in itself.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Rich(#[from] rich::RichProblem),
}

fn shown(byte: u8) -> char {
    if byte.is_ascii_graphic() { char::from(byte) } else { '?' }
}

/// As C shows a `char` that is negative.
fn signed(byte: u8) -> u32 {
    i32::from(byte.cast_signed()).cast_unsigned()
}

/// Reads the dependencies of a tag: names and versions separated by blanks and commas.
///
/// # Errors
/// The first thing that is wrong. `Obsoletes` may have two things wrong with one name: both are given.
pub fn read(text: &[u8], allows: Allows) -> Result<Vec<Dependency>, Vec<DependencyProblem>> {
    let (found, doubts) = read_with_doubts(text, allows)?;
    if doubts.is_empty() { Ok(found) } else { Err(doubts) }
}

/// Dependencies, and what may be wrong with them.
type Doubted = (Vec<Dependency>, Vec<DependencyProblem>);

/// As [`read`], but versions that are of no known form are taken as they are, and told.
///
/// # Errors
/// The first thing that can't be taken in any way.
pub(super) fn read_with_doubts(text: &[u8], allows: Allows) -> Result<Doubted, Vec<DependencyProblem>> {
    let mut reader = Reader { text, at: 0, depth: 0, doubts: Vec::new() };
    let mut found = Vec::new();
    loop {
        reader.skip();
        match reader.peek() {
            None => return Ok((found, reader.doubts)),
            Some(b'(') => {
                if matches!(allows, Allows::Plain | Allows::PackageNames) {
                    return Err(vec![DependencyProblem::NoRich]);
                }
                let rich = rich::read(&mut reader, allows).map_err(|problem| vec![problem])?;
                found.push(Dependency::Rich(rich));
            }
            Some(_) => found.push(Dependency::Plain(reader.capability(allows, Around::Line)?)),
        }
    }
}

/// The dependencies that a rich one mentions, in order: `(foo >= 1 or (bar and baz))` gives three; none where it can't be
/// read.
pub fn mentioned(rich: &str) -> Vec<package::Dependency> {
    let read = read(rich.as_bytes(), Allows::Everything).unwrap_or_default();
    let mut found = Vec::new();
    for dependency in &read {
        match dependency {
            Dependency::Plain(capability) => found.push(capability.into()),
            Dependency::Rich(rich) => found.extend(rich.capabilities().into_iter().map(Into::into)),
        }
    }
    found
}

/// What a name and its version stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Around {
    Line,
    Parentheses,
}

/// Where a text has been read to.
pub(super) struct Reader<'t> {
    pub text: &'t [u8],
    pub at: usize,
    pub depth: usize,
    /// Versions of no known form.
    pub doubts: Vec<DependencyProblem>,
}

impl<'t> Reader<'t> {
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes over blanks and commas.
    fn skip(&mut self) {
        self.skip_while(|byte| byte.is_ascii_whitespace() || byte == b',');
    }

    pub fn skip_while(&mut self, is_passed: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&is_passed) {
            self.at += 1;
        }
    }

    /// The next word; within parentheses one that is not opened in the word itself ends it.
    pub fn word(&mut self, around: Around) -> &'t [u8] {
        let begin = self.at;
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b',' if around == Around::Line => break,
                b'(' => open += 1,
                b')' if around == Around::Parentheses && open == 0 => break,
                b')' => open = open.saturating_sub(1),
                byte if byte.is_ascii_whitespace() => break,
                _ => {}
            }
            self.at += 1;
        }
        self.text.get(begin..self.at).unwrap_or_default()
    }

    /// A name, and its versions if a comparison follows.
    pub fn capability(
        &mut self,
        allows: Allows,
        around: Around,
    ) -> Result<Capability, Vec<DependencyProblem>> {
        let first = self.peek().unwrap_or_default();
        if !(first.is_ascii_alphanumeric() || matches!(first, b'_' | b'/') || !first.is_ascii()) {
            return Err(vec![DependencyProblem::Start]);
        }
        let name = self.word(around);
        if let (Allows::PackageNames, Some(byte)) = (allows, last_illegal(name, b".-_+~%{}")) {
            return Err(vec![DependencyProblem::IllegalCharacter { byte }, DependencyProblem::ObsoletesName]);
        }
        let after_name = self.at;
        self.skip_while(|byte| byte.is_ascii_whitespace());
        let Some(comparison) = Comparison::read(self.word(around)) else {
            self.at = after_name;
            return Ok(Capability { name: name.into(), version: None });
        };
        if name.starts_with(b"/") {
            return Err(vec![DependencyProblem::VersionedFile]);
        }
        match around {
            Around::Line => self.skip(),
            Around::Parentheses => self.skip_while(|byte| byte.is_ascii_whitespace()),
        }
        let version = self.word(around);
        if let Some(byte) = last_illegal(version, b".-_+~^:%{}") {
            return Err(vec![DependencyProblem::IllegalCharacter { byte }]);
        }
        if version.is_empty() {
            return Err(vec![DependencyProblem::VersionRequired]);
        }
        self.doubts.extend(doubt(version));
        Ok(Capability { name: name.into(), version: Some((comparison, version.into())) })
    }
}

/// The last character that a word can't have.
fn last_illegal(word: &[u8], allowed: &[u8]) -> Option<u8> {
    word.iter().rev().copied().find(|byte| !(byte.is_ascii_alphanumeric() || allowed.contains(byte)))
}

/// What is wrong with the form of a version.
fn doubt(version: &[u8]) -> Option<DependencyProblem> {
    if version.iter().filter(|byte| **byte == b'-').count() > 1 {
        return Some(DependencyProblem::DoubleSeparator { version: version.into() });
    }
    let (epoch, _) = version.split_once_str(":")?;
    let is_number = epoch.iter().all(u8::is_ascii_digit);
    (!is_number).then(|| DependencyProblem::Epoch { version: BStr::new(version).into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rich_dependency_mentions_its_names_with_their_versions() {
        let names = mentioned("(pkgconfig(zlib) >= 1.2 or (foo and bar))");
        let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["pkgconfig(zlib) >= 1.2", "foo", "bar"]);
        assert!(mentioned("(a nor b)").is_empty());
    }
}
