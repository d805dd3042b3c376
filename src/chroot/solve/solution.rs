//! What the solver answers: packages, and why each is there.

use crate::chroot::LockedPackage;

/// The packages of a root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Solution {
    /// The packages, sorted by name, version and architecture.
    pub packages: Vec<SolvedPackage>,
    /// Packages of the root that this one begins with that could not stay as they are.
    pub replaced: Vec<LockedPackage>,
    /// What a person should know, in sentences.
    pub notes: Vec<String>,
}

/// A package of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolvedPackage {
    /// The package.
    pub package: LockedPackage,
    /// What its files take when they are unpacked, in bytes.
    pub installed_size: u64,
    /// Why it is there.
    pub why: Why,
}

/// Why a package is there: the first of its reasons, nearest to what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The root that this one begins with has it.
    Base,
    /// It is asked for.
    Requested {
        /// Who asks.
        by: String,
        /// What is asked for.
        what: String,
    },
    /// Another package requires it.
    Required {
        /// The place of that package in the answer.
        by: usize,
        /// What is required.
        what: String,
    },
    /// Another package recommends it, or it supplements that.
    Recommended {
        /// The place of that package in the answer.
        by: usize,
        /// What is recommended, or supplemented.
        what: String,
    },
    /// A condition of several packages asks for it.
    Condition,
}

impl Solution {
    /// The packages alone.
    pub fn locked(&self) -> Vec<LockedPackage> {
        self.packages.iter().map(|answered| answered.package.clone()).collect()
    }

    /// A package, the one that it is there for, and so on, up to the one that is asked for.
    pub fn chain(&self, place: usize) -> Vec<&SolvedPackage> {
        let mut chain: Vec<&SolvedPackage> = Vec::new();
        let mut next = Some(place);
        while let Some(package) = next.and_then(|place| self.packages.get(place)) {
            if chain.len() > self.packages.len() {
                break;
            }
            chain.push(package);
            next = match &package.why {
                Why::Required { by, .. } | Why::Recommended { by, .. } => Some(*by),
                Why::Base | Why::Requested { .. } | Why::Condition => None,
            };
        }
        chain
    }
}
