//! `keep`: which builds stay in repositories, and for how long.

use std::time::Duration;

/// The word for what has no end.
pub(super) const FOREVER: &str = "forever";

/// How long something stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// For so long.
    Limited(Duration),
    /// For ever.
    Forever,
}

/// `keep` in `publish`: how long builds stay, of each package of the manifest in each chroot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepDecl {
    /// How long the newest build stays. A package that was not built for longer leaves the repository.
    pub newest: Age,
    /// How many builds stay in the repository, the newest among them.
    pub builds: Option<u32>,
    /// How long older builds stay in the repository, counted from when a newer one took their place.
    pub superseded: Option<Age>,
    /// How long results and logs of builds that failed stay in the project's state.
    pub failed: Option<Age>,
}

impl KeepDecl {
    /// Whether it says anything of repositories.
    pub fn is_of_repositories(&self) -> bool {
        self.builds.is_some() || self.superseded.is_some() || self.newest != Age::Forever
    }
}

impl Age {
    /// What a checked text says.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            FOREVER => Some(Self::Forever),
            text => humantime::parse_duration(text).ok().map(Self::Limited),
        }
    }

    /// Whether something of that age has stayed for as long as it may.
    pub fn is_over(self, age: Duration) -> bool {
        match self {
            Self::Limited(most) => age >= most,
            Self::Forever => false,
        }
    }
}

impl std::fmt::Display for Age {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Limited(duration) => humantime::format_duration(*duration).fmt(f),
            Self::Forever => FOREVER.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_duration_or_forever() {
        assert_eq!(Age::parse("14d"), Some(Age::Limited(Duration::from_secs(14 * 86400))));
        assert_eq!(Age::parse("forever"), Some(Age::Forever));
        assert_eq!(Age::parse("never"), None);
    }

    #[test]
    fn what_has_its_full_age_is_over_and_forever_never_is() {
        let day = Duration::from_secs(86400);
        assert!(Age::Limited(day).is_over(day) && !Age::Limited(day).is_over(day / 2));
        assert!(!Age::Forever.is_over(Duration::MAX));
        assert_eq!([Age::Limited(14 * day).to_string(), Age::Forever.to_string()], ["14days", "forever"]);
    }
}
