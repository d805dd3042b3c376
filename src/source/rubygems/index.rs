//! The versions of a gem, as the compact index lists them.

use std::cmp::Ordering;

use crate::digest::Checksum;
use crate::source::made_spec::MadeSpecError;

/// A version of a gem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GemVersion {
    /// The version.
    pub version: String,
    /// The SHA-256 of its file.
    pub checksum: Option<Checksum>,
}

/// How many versions are named where there is no such one.
const VERSIONS_NAMED: usize = 5;

/// The wanted version, or the newest that is no prerelease. Those for other platforms than Ruby itself are none.
pub fn choose(page: &str, gem: &str, version: Option<&str>) -> Result<GemVersion, MadeSpecError> {
    let mut versions: Vec<GemVersion> = page.lines().filter_map(read_version).collect();
    versions.sort_by(|one, other| compare(&one.version, &other.version));
    let is_wanted = |found: &&GemVersion| match version {
        Some(version) => found.version == version,
        None => !is_prerelease(&found.version),
    };
    if let Some(found) = versions.iter().rev().find(is_wanted) {
        return Ok(found.clone());
    }
    let newest: Vec<&str> =
        versions.iter().rev().map(|found| found.version.as_str()).take(VERSIONS_NAMED).collect();
    let help = match newest.as_slice() {
        [] => "it has no version for Ruby itself".to_owned(),
        newest => format!("its newest versions are {}", newest.join(", ")),
    };
    let wanted = version.map_or_else(|| "version".to_owned(), |version| format!("version {version}"));
    Err(MadeSpecError::NoVersion { registry: "RubyGems", project: gem.to_owned(), wanted, help })
}

/// `1.0.0 dependency:>= 1|checksum:0123,ruby:>= 2.0`
fn read_version(line: &str) -> Option<GemVersion> {
    let (version, rest) = line.split_once(' ')?;
    // One with a `-` is for another platform.
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    if !version.starts_with(|first: char| first.is_ascii_digit()) || !version.bytes().all(is_letter) {
        return None;
    }
    let (_, facts) = rest.split_once('|').unwrap_or_default();
    let hex = facts.split(',').find_map(|fact| fact.strip_prefix("checksum:"));
    let checksum = hex.and_then(|hex| Checksum::new("sha256", hex).ok());
    Some(GemVersion { version: version.to_owned(), checksum })
}

/// Whether it is one before a release: it has a letter.
pub fn is_prerelease(version: &str) -> bool {
    version.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The order of `Gem::Version`: part by part; a word comes before a number and before nothing.
pub fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (parts(one), parts(other));
    let zero = VersionPart::Number(0);
    for at in 0..one.len().max(other.len()) {
        let (left, right) = (one.get(at).unwrap_or(&zero), other.get(at).unwrap_or(&zero));
        match left.cmp(right) {
            Ordering::Equal => {}
            order => return order,
        }
    }
    Ordering::Equal
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum VersionPart {
    Word(String),
    Number(u64),
}

fn parts(version: &str) -> Vec<VersionPart> {
    let mut parts: Vec<String> = vec![String::new()];
    let mut was_digit = None;
    for letter in version.chars() {
        let is_digit = letter.is_ascii_digit();
        if letter == '.' || was_digit.is_some_and(|was| was != is_digit) {
            parts.push(String::new());
        }
        was_digit = (letter != '.').then_some(is_digit);
        if letter != '.'
            && let Some(last) = parts.last_mut()
        {
            last.push(letter);
        }
    }
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.map(|part| part.parse().map_or(VersionPart::Word(part), VersionPart::Number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "---\n1.9 |checksum:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,ruby:>= 2\n1.10 a:>= 1&< 3,b:~> 2|checksum:xx\n\
        1.11-java |checksum:yy\n2.0.rc1 |checksum:zz\n";

    #[test]
    fn the_newest_is_for_ruby_itself_and_no_prerelease() {
        assert_eq!(
            choose(PAGE, "x", None).unwrap(),
            GemVersion { version: "1.10".to_owned(), checksum: None }
        );
        assert!(choose(PAGE, "x", Some("1.9")).unwrap().checksum.is_some());
        assert_eq!(choose(PAGE, "x", Some("2.0.rc1")).unwrap().version, "2.0.rc1");
        assert!(choose("---\n1/../../evil |checksum:aa\n", "x", None).is_err());
    }

    #[test]
    fn a_version_that_is_not_there_is_told_with_those_that_are() {
        let error = choose(PAGE, "x", Some("3")).unwrap_err();
        assert!(
            matches!(&error, MadeSpecError::NoVersion { help, .. } if help.ends_with("2.0.rc1, 1.10, 1.9")),
            "{error:?}"
        );
    }

    #[test]
    fn versions_are_in_the_order_of_ruby() {
        let ordered = ["1.0.a", "1.0.b2", "1.0.b10", "1.0.rc1", "1.0", "1.0.1", "1.2", "1.10"];
        for pair in ordered.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert_eq!(compare("1", "1.0.0"), Ordering::Equal);
    }
}
