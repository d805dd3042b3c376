//! Versions: `[epoch:]version[-release]`, and their order (rpm-version(7)).

use std::cmp::Ordering;
use std::fmt;

use rpm_version::rpm_evr_compare;

/// A version with its epoch and release, as far as they are said.
#[derive(Clone, Debug)]
pub struct Evr {
    /// What stands before the colon. A version without an epoch has epoch 0.
    pub epoch: Option<u32>,
    /// The version.
    pub version: String,
    /// What stands after the last hyphen.
    pub release: Option<String>,
}

impl Evr {
    /// Takes a text apart. What stands before a colon and is no number belongs to the version.
    pub fn parse(text: &str) -> Self {
        let epoch = text.split_once(':').and_then(|(epoch, rest)| Some((epoch.parse().ok()?, rest)));
        let (epoch, rest) = epoch.map_or((None, text), |(epoch, rest)| (Some(epoch), rest));
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(release.to_owned())),
            None => (rest, None),
        };
        Self { epoch, version: version.to_owned(), release }
    }

    /// Which of the two is newer. A release that only one of them states does not count.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (&self.release, &other.release) {
            (Some(_), Some(_)) => self.cmp(other),
            _ => rpm_evr_compare(&self.without_release(), &other.without_release()),
        }
    }

    fn without_release(&self) -> String {
        format!("{}:{}", self.epoch.unwrap_or(0), self.version)
    }
}

impl fmt::Display for Evr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(epoch) = self.epoch {
            write!(f, "{epoch}:")?;
        }
        f.write_str(&self.version)?;
        self.release.as_ref().map_or(Ok(()), |release| write!(f, "-{release}"))
    }
}

impl PartialEq for Evr {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Evr {}

impl PartialOrd for Evr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Evr {
    /// The order of rpm; a version without a release comes before the same with one.
    fn cmp(&self, other: &Self) -> Ordering {
        let releases = match (&self.release, &other.release) {
            (Some(own), Some(others)) => rpm_evr_compare(own, others),
            (own, others) => own.is_some().cmp(&others.is_some()),
        };
        rpm_evr_compare(&self.without_release(), &other.without_release()).then(releases)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_in_the_order_of_rpm() {
        let ordered =
            ["1.0~rc1-1", "1.0", "1.0-1", "1.0-1.1", "1.0^git1-1", "1.0.1-1", "1.2-1", "1.10-1", "1:0.1-1"];
        for pair in ordered.windows(2) {
            assert!(Evr::parse(pair[0]) < Evr::parse(pair[1]), "{pair:?}");
        }
        assert_eq!(Evr::parse("0:1.0-1"), Evr::parse("1.0-1"));
        assert_eq!(Evr::parse("1.0-1").compare(&Evr::parse("1.0")), Ordering::Equal);
        assert_eq!(Evr::parse("1.00-1"), Evr::parse("1.0-01"));
    }

    #[test]
    fn a_version_is_written_as_it_was_read() {
        for text in ["1", "1-2", "3:1-2", "1:1", "1-2-3", "x:1"] {
            assert_eq!(Evr::parse(text).to_string(), text);
        }
        assert_eq!(Evr::parse("1-2-3").version, "1-2");
        assert_eq!(Evr::parse("x:1").version, "x:1");
    }
}
