//! What becomes of a build, in words and as data.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::event::Timestamp;

/// What becomes of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// It stays.
    Stays(WhyStays),
    /// It goes.
    Goes(WhyGoes),
}

/// Why a build stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum WhyStays {
    /// It is the newest of its package.
    Newest,
    /// It is among as many of the newest as are kept.
    Builds {
        /// The how many-th it is, the newest being the first.
        place: u32,
    },
    /// It is not long enough ago that a newer one took its place.
    Superseded {
        /// Until when it stays; none: for ever.
        until: Option<Timestamp>,
    },
    /// It is pinned.
    Pinned,
    /// It is pinned, and metadata leave it out: a newer build has packages of the same versions.
    PinnedAndReplaced,
    /// A package that stays requires it.
    Required {
        /// That package: `name-[epoch:]version-release.arch`.
        by: String,
        /// What it requires of it.
        wanted: String,
    },
    /// The manifest doesn't declare it any more, and what takes it out waits: a package would be without what it needs.
    Waits,
    /// What others need of it can't be known now.
    Unknown,
}

/// Why a build goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum WhyGoes {
    /// Its package was not built for longer than `newest` says.
    Newest {
        /// Since when.
        since: Timestamp,
    },
    /// A newer build took its place long enough ago, and as many as are kept are newer.
    Superseded {
        /// Since when.
        since: Timestamp,
    },
    /// A newer build has packages of the same names, versions and architectures.
    Replaced {
        /// Since when.
        since: Timestamp,
    },
    /// The manifest doesn't declare its package for this chroot any more.
    Undeclared,
    /// It is of no use: what it needs was replaced by a build of the same version that does not have it.
    Broken {
        /// The package that needs it.
        needs: String,
        /// What it needs.
        wanted: String,
    },
}

impl Verdict {
    /// Whether it stays.
    pub fn stays(&self) -> bool {
        matches!(self, Self::Stays(_))
    }

    /// Whether it goes, and would stay where something required it.
    pub(super) fn may_be_needed(&self) -> bool {
        match self {
            Self::Goes(WhyGoes::Newest { .. } | WhyGoes::Superseded { .. } | WhyGoes::Undeclared) => true,
            Self::Goes(WhyGoes::Replaced { .. } | WhyGoes::Broken { .. }) | Self::Stays(_) => false,
        }
    }
}

impl fmt::Display for WhyStays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => write!(f, "newest build"),
            Self::Builds { place } => write!(f, "number {place} of the newest builds"),
            Self::Superseded { until: Some(until) } => write!(f, "until {until}"),
            Self::Superseded { until: None } => write!(f, "superseded builds stay for ever"),
            Self::Pinned => write!(f, "pinned"),
            Self::PinnedAndReplaced => write!(f, "pinned; a newer build of the same version is listed"),
            Self::Required { by, wanted } => write!(f, "{by} requires {wanted}"),
            Self::Waits => write!(f, "the manifest doesn't declare it, and another package needs it"),
            Self::Unknown => write!(f, "what requires it can't be known now"),
        }
    }
}

impl fmt::Display for WhyGoes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest { since } => write!(f, "not built since {since}"),
            Self::Superseded { since } => write!(f, "superseded since {since}"),
            Self::Replaced { since } => write!(f, "replaced by a build of the same version since {since}"),
            Self::Undeclared => write!(f, "the manifest no longer declares it"),
            Self::Broken { needs, wanted } => write!(f, "{needs} needs {wanted}, which was replaced"),
        }
    }
}
