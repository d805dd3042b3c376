//! The words of dependencies: names, comparisons, versions.

use bstr::{BStr, ByteSlice};

use super::dependency_problem::DependencyProblem;
use crate::package::{Capability, Comparison};

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

/// What a name and its version stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WordContext {
    Line,
    Parentheses,
}

/// Where a text has been read to.
pub(super) struct DependencyReader<'t> {
    pub text: &'t [u8],
    pub at: usize,
    pub depth: usize,
    /// Versions of no known form.
    pub doubts: Vec<DependencyProblem>,
}

impl<'t> DependencyReader<'t> {
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes over blanks and commas.
    pub fn skip_separators(&mut self) {
        self.skip_while(|byte| byte.is_ascii_whitespace() || byte == b',');
    }

    pub fn skip_while(&mut self, is_passed: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&is_passed) {
            self.at += 1;
        }
    }

    /// The next word; within parentheses one that is not opened in the word itself ends it.
    pub fn word(&mut self, around: WordContext) -> &'t [u8] {
        let begin = self.at;
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b',' if around == WordContext::Line => break,
                b'(' => open += 1,
                b')' if around == WordContext::Parentheses && open == 0 => break,
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
        around: WordContext,
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
            WordContext::Line => self.skip_separators(),
            WordContext::Parentheses => self.skip_while(|byte| byte.is_ascii_whitespace()),
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
