//! Dependencies: a name, and perhaps a version that it is compared with (rpm-spec(5), "Dependencies").

use std::cmp::Ordering;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Evr;

/// How a dependency compares a version; the numbers are rpm's sense bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(into = "u32", from = "u32")]
pub struct Comparison(u32);

const LESS: u32 = 2;
const GREATER: u32 = 4;
const EQUAL: u32 = 8;

impl Comparison {
    /// `=`.
    pub const EQUAL: Self = Self(EQUAL);

    /// The comparison in the flags of a package's header (`RPMSENSE_*`), if there is one.
    pub fn from_flags(flags: u32) -> Option<Self> {
        let sense = flags & (LESS | GREATER | EQUAL);
        (sense != 0).then_some(Self(sense))
    }

    /// Reads an operator of a spec, the older forms `=<`, `=>` and `==` as well.
    pub fn read(word: &[u8]) -> Option<Self> {
        Some(Self(match word {
            b"<" => LESS,
            b"<=" | b"=<" => LESS | EQUAL,
            b"=" | b"==" => EQUAL,
            b">=" | b"=>" => GREATER | EQUAL,
            b">" => GREATER,
            _ => return None,
        }))
    }

    /// As repository metadata write it: `LT LE EQ GE GT`.
    pub fn metadata_name(self) -> &'static str {
        match self.0 {
            LESS => "LT",
            GREATER => "GT",
            EQUAL => "EQ",
            sense if sense & LESS != 0 => "LE",
            _ => "GE",
        }
    }

    fn has(self, sense: u32) -> bool {
        self.0 & sense != 0
    }
}

impl From<u32> for Comparison {
    fn from(sense: u32) -> Self {
        Self(sense)
    }
}

impl From<Comparison> for u32 {
    fn from(comparison: Comparison) -> Self {
        comparison.0
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signs = [(LESS, "<"), (GREATER, ">"), (EQUAL, "=")];
        signs.iter().filter(|(sense, _)| self.has(*sense)).try_for_each(|(_, sign)| f.write_str(sign))
    }
}

/// A dependency that something has or meets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Dependency {
    /// A package, a file, a capability, or a rich dependency in parentheses.
    pub name: String,
    /// What the version is compared with: `[epoch:]version[-release]`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<(Comparison, String)>,
}

impl Dependency {
    /// One on any version of `name`.
    pub fn any(name: impl Into<String>) -> Self {
        Self { name: name.into(), version: None }
    }

    /// One from the fields of a header or of `rpmspec`.
    pub fn from_fields(name: &str, flags: u32, version: &str) -> Self {
        let comparison = Comparison::from_flags(flags).filter(|_| !version.is_empty());
        Self { name: name.to_owned(), version: comparison.map(|comparison| (comparison, version.to_owned())) }
    }

    /// Whether it is one of rpm's own (`rpmlib(…)`), which no package provides.
    pub fn is_rpmlib(&self) -> bool {
        self.name.starts_with("rpmlib(")
    }

    /// Whether it is a boolean expression of dependencies.
    pub fn is_rich(&self) -> bool {
        self.name.starts_with('(')
    }

    /// Whether `provided` meets this: the same name, and version ranges that overlap, as rpm's
    /// `rpmdsCompare` decides it.
    pub fn is_met_by(&self, provided: &Self) -> bool {
        if self.name != provided.name {
            return false;
        }
        match (&self.version, &provided.version) {
            (Some((wanted, wanted_evr)), Some((given, given_evr))) => {
                overlap(*given, *wanted, Evr::parse(given_evr).compare(&Evr::parse(wanted_evr)))
            }
            _ => true,
        }
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some((comparison, version)) => write!(f, "{} {comparison} {version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

fn overlap(a: Comparison, b: Comparison, order: Ordering) -> bool {
    match order {
        Ordering::Less => a.has(GREATER) || b.has(LESS),
        Ordering::Greater => a.has(LESS) || b.has(GREATER),
        Ordering::Equal => [LESS, GREATER, EQUAL].into_iter().any(|sense| a.has(sense) && b.has(sense)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &str, flags: u32, version: &str) -> Dependency {
        Dependency::from_fields(name, flags, version)
    }

    #[test]
    fn a_release_that_only_the_provide_states_does_not_count() {
        let wanted = dependency("zlib-devel", EQUAL, "1.3");
        assert!(wanted.is_met_by(&dependency("zlib-devel", EQUAL, "1.3-4.fc42")));
    }

    #[test]
    fn a_version_too_old_does_not_meet_a_minimum() {
        let wanted = dependency("zlib-devel", GREATER | EQUAL, "1.3");
        assert!(!wanted.is_met_by(&dependency("zlib-devel", EQUAL, "1.2.13-1")));
        assert!(wanted.is_met_by(&dependency("zlib-devel", EQUAL, "1:0.1-1")));
    }

    #[test]
    fn a_provide_without_version_meets_every_version() {
        assert!(dependency("mta", GREATER, "2").is_met_by(&Dependency::any("mta")));
    }
}
