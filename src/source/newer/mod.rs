//! Which sources have something newer than what is locked or asked for: tags and branches of git, what registries have, and pages
//! of releases.
//!
//! Nothing is changed, and nothing but small documents is fetched. What a page said is [remembered](KnownPages) with what its
//! server says to know it again, so that who looks again and again asks "still the same?".

mod error;
mod finder;
mod pages;
mod registry;
mod releases;
mod tags;

pub use error::UpstreamError;
pub use finder::{NewsFinder, NewsScope};
pub use pages::{KnownPage, KnownPages};

use super::SourceError;

/// What was found out about a package's source.
#[derive(Debug)]
pub struct SourceNews {
    /// The package.
    pub package: String,
    /// The kind of its source: `git`.
    pub kind: String,
    /// What is built from now: a version, a tag, or a commit.
    pub current: Option<String>,
    /// The newest that there is.
    pub newest: Option<String>,
    /// What follows.
    pub verdict: NewsVerdict,
}

/// What follows from what there is.
#[derive(Debug)]
pub enum NewsVerdict {
    /// There is nothing newer.
    Current,
    /// There is something newer.
    Newer(NewsMover),
    /// What is built from now is not known: nothing is locked.
    NotLocked,
    /// It was not looked for, and why.
    NotLooked(&'static str),
    /// It could not be found out.
    Failed(Box<SourceError>),
}

/// What takes the newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewsMover {
    /// `forge update`.
    Update,
    /// A change of what the manifest or the spec says.
    Edit,
}
