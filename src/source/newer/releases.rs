//! Pages of releases: a listing of files, a page of downloads, an answer in JSON.

use regex::Regex;

use super::tags::{compare_versions, is_prerelease, is_version};

/// A pattern of `upstream`.
pub struct ReleasePattern(Regex);

impl ReleasePattern {
    /// Reads a pattern. The manifest has been checked: where it is none, nothing matches.
    pub fn new(pattern: &str) -> Option<Self> {
        Regex::new(pattern).ok().filter(|regex| regex.captures_len() > 1).map(Self)
    }

    /// The newest version that a page names: the newest release, or where there is none what comes before one.
    pub fn newest(&self, page: &str) -> Option<String> {
        let versions = || self.versions(page);
        let newest = |one: &&str, other: &&str| compare_versions(one, other);
        let released = versions().filter(|version| !is_prerelease(version)).max_by(newest);
        released.or_else(|| versions().max_by(newest)).map(str::to_owned)
    }

    /// The version that a text names.
    pub fn version_in(&self, text: &str) -> Option<String> {
        self.versions(text).next().map(str::to_owned)
    }

    /// What the group stands for in each name and link: those end where markup, a quote or a blank stands. Where the pattern has
    /// no `/`, the parts of a path are names by themselves.
    fn versions<'t>(&'t self, page: &'t str) -> impl Iterator<Item = &'t str> {
        let by_parts = !self.0.as_str().contains('/');
        let ends =
            move |c: char| c.is_whitespace() || "\"'<>`".contains(c) || (by_parts && "/?#=&".contains(c));
        let found = page.split(ends).filter(|name| name.len() <= LONGEST_NAME);
        found
            .filter_map(|name| self.0.captures(name)?.get(1).map(|group| group.as_str()))
            .filter(|text| is_version(text))
    }
}

/// How long a name or link may be, in bytes: data that a page holds within itself is longer.
const LONGEST_NAME: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "<a href=\"foo-1.9.tar.gz\">foo-1.9.tar.gz</a> 2024-01-01\n<a href='/r/foo-1.10/foo-1.10.tar.gz?raw=1'>\
        foo-1.10.tar.gz</a>\n<a href=\"foo-2.0rc1.tar.gz\">x</a><a href=\"foo-bar-3.0.tar.gz\">x</a> foo-latest.tar.gz";

    #[test]
    fn the_newest_release_of_a_listing_is_found() {
        let newest = |pattern: &str, page: &str| ReleasePattern::new(pattern).unwrap().newest(page);
        assert_eq!(newest("foo-(.*).tar.gz", LISTING), Some("1.10".to_owned()));
        assert_eq!(newest("/foo-(.*)/foo", LISTING), Some("1.10".to_owned()));
        assert_eq!(newest("^v(.*)$", "{\"name\":\"v1.2\",\"tag\":\"v1.10\"}"), Some("1.10".to_owned()));
        assert_eq!(newest("foo-(.*).tar.gz", "foo-2.0rc1.tar.gz"), Some("2.0rc1".to_owned()));
        assert_eq!(newest("foo-(.*).zip", LISTING), None);
    }

    #[test]
    fn the_version_of_an_address_is_found_by_the_same_pattern() {
        let pattern = ReleasePattern::new("foo-(.*).tar.gz").unwrap();
        assert_eq!(pattern.version_in("https://example.org/foo-1.2/foo-1.2.tar.gz"), Some("1.2".to_owned()));
        assert_eq!(pattern.version_in("https://example.org/bar.tar.gz"), None);
    }
}
