//! What stands after `Requires:` and its like (rpm-spec(5), "Dependencies").

use std::fmt;

use super::dependency_problem::DependencyProblem;
use super::dependency_reader::{Allows, DependencyReader, WordContext};
use super::rich::read_rich;
use crate::package::{self, Capability, Rich};

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

/// Reads the dependencies of a tag: names and versions separated by blanks and commas.
///
/// # Errors
/// The first thing that is wrong. `Obsoletes` may have two things wrong with one name: both are given.
pub fn read_dependencies(text: &[u8], allows: Allows) -> Result<Vec<Dependency>, Vec<DependencyProblem>> {
    let (found, doubts) = read_with_doubts(text, allows)?;
    if doubts.is_empty() { Ok(found) } else { Err(doubts) }
}

/// Dependencies, and what may be wrong with them.
type Doubted = (Vec<Dependency>, Vec<DependencyProblem>);

/// As [`read_dependencies`], but versions that are of no known form are taken as they are, and told.
///
/// # Errors
/// The first thing that can't be taken in any way.
pub(super) fn read_with_doubts(text: &[u8], allows: Allows) -> Result<Doubted, Vec<DependencyProblem>> {
    let mut reader = DependencyReader { text, at: 0, depth: 0, doubts: Vec::new() };
    let mut found = Vec::new();
    loop {
        reader.skip_separators();
        match reader.peek() {
            None => return Ok((found, reader.doubts)),
            Some(b'(') => {
                if matches!(allows, Allows::Plain | Allows::PackageNames) {
                    return Err(vec![DependencyProblem::NoRich]);
                }
                let rich = read_rich(&mut reader, allows).map_err(|problem| vec![problem])?;
                found.push(Dependency::Rich(rich));
            }
            Some(_) => found.push(Dependency::Plain(reader.capability(allows, WordContext::Line)?)),
        }
    }
}

/// The dependencies that a rich one mentions, in order: `(foo >= 1 or (bar and baz))` gives three; none where it can't be
/// read.
pub fn rich_capabilities(rich: &str) -> Vec<package::Dependency> {
    let read = read_dependencies(rich.as_bytes(), Allows::Everything).unwrap_or_default();
    let mut found = Vec::new();
    for dependency in &read {
        match dependency {
            Dependency::Plain(capability) => found.push(capability.into()),
            Dependency::Rich(rich) => found.extend(rich.capabilities().into_iter().map(Into::into)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rich_dependency_mentions_its_names_with_their_versions() {
        let names = rich_capabilities("(pkgconfig(zlib) >= 1.2 or (foo and bar))");
        let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["pkgconfig(zlib) >= 1.2", "foo", "bar"]);
        assert!(rich_capabilities("(a nor b)").is_empty());
    }
}
