//! Rich dependencies as trees, and what meets them (rpm-dependencies(7), "Boolean dependencies").

use std::fmt;

use bstr::{BString, ByteSlice};

use super::{Comparison, Dependency};

/// A name, and the versions of it that are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// The name: of a package, a file, or whatever packages provide.
    pub name: BString,
    /// The versions; all where none is said.
    pub version: Option<(Comparison, BString)>,
}

/// How the parts of a rich dependency belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// All of them.
    And,
    /// One of them.
    Or,
    /// The first, if the second is there.
    If,
    /// The first, unless the second is there.
    Unless,
    /// And otherwise that.
    Else,
    /// One package that is all of them.
    With,
    /// One package that is the first and not the second.
    Without,
}

impl Operator {
    /// The operator that a word is.
    pub fn read(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"and" => Self::And,
            b"or" => Self::Or,
            b"if" => Self::If,
            b"unless" => Self::Unless,
            b"else" => Self::Else,
            b"with" => Self::With,
            b"without" => Self::Without,
            _ => return None,
        })
    }

    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::If => "if",
            Self::Unless => "unless",
            Self::Else => "else",
            Self::With => "with",
            Self::Without => "without",
        }
    }

    /// Whether it may stand several times in one pair of parentheses.
    pub fn can_chain(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::With)
    }
}

/// A part of a rich dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rich {
    /// `name >= 1`
    Capability(Capability),
    /// Parts in parentheses: the first one, and each further one with what stands before it.
    Group(Box<Rich>, Vec<(Operator, Rich)>),
}

impl fmt::Display for Rich {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability(capability) => capability.fmt(f),
            Self::Group(first, further) => {
                write!(f, "({first}")?;
                for (operator, part) in further {
                    write!(f, " {} {part}", operator.word())?;
                }
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some((comparison, version)) => write!(f, "{} {comparison} {version}", self.name),
            None => self.name.fmt(f),
        }
    }
}

impl From<&Capability> for Dependency {
    fn from(capability: &Capability) -> Self {
        let version = capability.version.as_ref();
        Self {
            name: capability.name.to_str_lossy().into_owned(),
            version: version.map(|(comparison, version)| (*comparison, version.to_str_lossy().into_owned())),
        }
    }
}

impl Rich {
    /// The capabilities that it mentions, in order.
    pub fn capabilities(&self) -> Vec<&Capability> {
        match self {
            Self::Capability(capability) => vec![capability],
            Self::Group(first, further) => {
                let parts = std::iter::once(&**first).chain(further.iter().map(|(_, part)| part));
                parts.flat_map(Self::capabilities).collect()
            }
        }
    }

    /// Whether packages meet it that provide these things, each its own.
    pub fn is_met_by(&self, packages: &[&[Dependency]]) -> bool {
        let (first, further) = match self {
            Self::Capability(capability) => {
                let wanted = Dependency::from(capability);
                let mut provided = packages.iter().flat_map(|package| package.iter());
                return provided.any(|provided| wanted.is_met_by(provided));
            }
            Self::Group(first, further) => (&**first, further.as_slice()),
        };
        let is_met = |part: &Self| part.is_met_by(packages);
        match further {
            [] => is_met(first),
            [(Operator::If, condition)] => !is_met(condition) || is_met(first),
            [(Operator::If, condition), (_, other), ..] => {
                is_met(if is_met(condition) { first } else { other })
            }
            [(Operator::Unless, condition)] => !is_met(condition) && is_met(first),
            [(Operator::Unless, condition), (_, other), ..] => {
                is_met(if is_met(condition) { other } else { first })
            }
            [(Operator::With | Operator::Without, _), ..] => {
                packages.iter().any(|package| self.is_met_by_one(package))
            }
            [(Operator::Or, _), ..] => is_met(first) || further.iter().any(|(_, part)| is_met(part)),
            [(Operator::And | Operator::Else, _), ..] => {
                is_met(first) && further.iter().all(|(_, part)| is_met(part))
            }
        }
    }

    /// Whether one package is all that `with` and `without` ask of it.
    fn is_met_by_one(&self, package: &[Dependency]) -> bool {
        let Self::Group(first, further) = self else {
            return self.is_met_by(&[package]);
        };
        let holds = |(operator, part): &(Operator, Self)| match operator {
            Operator::Without => !part.is_met_by_one(package),
            Operator::And
            | Operator::Or
            | Operator::If
            | Operator::Unless
            | Operator::Else
            | Operator::With => part.is_met_by_one(package),
        };
        match further.first() {
            Some((Operator::Or, _)) => first.is_met_by_one(package) || further.iter().any(holds),
            _ => first.is_met_by_one(package) && further.iter().all(holds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Rich {
        Rich::Capability(Capability { name: name.into(), version: None })
    }

    fn group(first: &str, further: &[(Operator, &str)]) -> Rich {
        let further = further.iter().map(|(operator, name)| (*operator, named(name)));
        Rich::Group(Box::new(named(first)), further.collect())
    }

    fn is_met(rich: &Rich, packages: &[&[&str]]) -> bool {
        let provided: Vec<Vec<Dependency>> =
            packages.iter().map(|names| names.iter().map(|name| Dependency::any(*name)).collect()).collect();
        rich.is_met_by(&provided.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn conditions_ask_only_where_they_hold() {
        let rich = group("a", &[(Operator::If, "b")]);
        assert!(is_met(&rich, &[]));
        assert!(!is_met(&rich, &[&["b"]]));
        assert!(is_met(&rich, &[&["b"], &["a"]]));
        let rich = group("a", &[(Operator::If, "b"), (Operator::Else, "c")]);
        assert!(!is_met(&rich, &[&["a"]]));
        assert!(is_met(&rich, &[&["c"]]));
        let rich = group("a", &[(Operator::Unless, "b")]);
        assert!(is_met(&rich, &[&["a"]]));
        assert!(!is_met(&rich, &[&["a"], &["b"]]));
    }

    #[test]
    fn with_is_about_one_package() {
        let rich = group("a", &[(Operator::With, "b")]);
        assert!(is_met(&rich, &[&["a", "b"]]));
        assert!(!is_met(&rich, &[&["a"], &["b"]]));
        assert!(is_met(&group("a", &[(Operator::And, "b")]), &[&["a"], &["b"]]));
        let rich = group("a", &[(Operator::Without, "b")]);
        assert!(!is_met(&rich, &[&["a", "b"]]));
        assert!(is_met(&rich, &[&["a"], &["b"]]));
    }

    #[test]
    fn a_tree_is_written_as_it_is_read() {
        let rich =
            Rich::Group(Box::new(group("a", &[(Operator::And, "b")])), vec![(Operator::Or, named("c"))]);
        assert_eq!(rich.to_string(), "((a and b) or c)");
        assert_eq!(rich.capabilities().len(), 3);
    }
}
