//! Versions in the names of tags and files, in rpm's order.

use std::cmp::Ordering;

use crate::package::Evr;

/// Words of versions that come before a release.
const BEFORE_RELEASES: [&str; 10] =
    ["alpha", "beta", "rc", "cr", "pre", "preview", "dev", "snapshot", "nightly", "test"];

/// The newest of some tags that are named as `current` is: with the same words before the version. Those before a release
/// count only where `current` is one itself.
pub fn newest_tag<'t>(current: &str, tags: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let (prefix, version) = split_tag(current)?;
    let words = words_of(version);
    let is_alike = |tag: &&str| {
        split_tag(tag).is_some_and(|(of_tag, found)| {
            let is_known = |word: &String| words.contains(word) || is_before_release(word);
            of_tag == prefix
                && (!is_prerelease(found) || is_prerelease(version))
                && words_of(found).iter().all(is_known)
        })
    };
    tags.filter(is_alike).max_by(|one, other| compare_versions(version_of_tag(one), version_of_tag(other)))
}

/// The version that a tag names; nothing where it names none.
pub fn version_of_tag(tag: &str) -> &str {
    split_tag(tag).map(|(_, version)| version).unwrap_or_default()
}

/// What stands before a version, and the version: `v` and `1.2` of `v1.2`.
pub fn split_tag(tag: &str) -> Option<(&str, &str)> {
    let at = tag.find(|c: char| c.is_ascii_digit())?;
    let (prefix, version) = tag.split_at(at);
    is_version(version).then_some((prefix, version))
}

/// Whether it begins with a digit and has nothing that no version has.
pub fn is_version(text: &str) -> bool {
    let is_of_versions = |c: char| c.is_ascii_alphanumeric() || "._+~^-".contains(c);
    text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_of_versions)
}

/// Whether it comes before a release.
pub fn is_prerelease(version: &str) -> bool {
    version.contains('~') || before_release(version).is_some()
}

/// rpm's order, in which what comes before a release comes before it whether there is a `~` or not.
pub fn compare_versions(one: &str, other: &str) -> Ordering {
    let evr = |text: &str| Evr { epoch: None, version: with_tilde(text), release: None };
    evr(one).compare(&evr(other))
}

/// Where the word begins that says that it comes before a release.
fn before_release(version: &str) -> Option<usize> {
    let mut at = 0;
    for word in version.split_inclusive(|c: char| !c.is_ascii_alphabetic()) {
        let letters = word.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
        let follows = version.get(at + letters.len()..).unwrap_or_default().chars().next();
        // `1.0a1` and `1.0b1` as Python has them; `1.1.1b` is a release of openssl.
        let is_short = matches!(letters, "a" | "b") && follows.is_some_and(|c| c.is_ascii_digit());
        if is_before_release(&letters.to_ascii_lowercase()) || is_short {
            return Some(at);
        }
        at += word.len();
    }
    None
}

fn is_before_release(word: &str) -> bool {
    BEFORE_RELEASES.contains(&word)
}

fn with_tilde(version: &str) -> String {
    match before_release(version).and_then(|at| version.split_at_checked(at)) {
        Some((release, rest)) => format!("{}~{rest}", release.trim_end_matches(['.', '-', '_', '+', '~'])),
        None => version.to_owned(),
    }
}

/// The words of a version that have more than a letter: `final` of `8.0-final`.
fn words_of(version: &str) -> Vec<String> {
    let words = version.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1);
    words.map(str::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_tag_is_named_alike_and_no_prerelease() {
        let tags = [
            "v1.2.0",
            "v1.9.0",
            "v1.10.0",
            "v2.0.0-rc1",
            "1.99",
            "docs-3.0",
            "v1.11.0-docs",
            "stable",
            "v3.0/x",
        ];
        assert_eq!(newest_tag("v1.2.0", tags.into_iter()), Some("v1.10.0"));
        assert_eq!(newest_tag("v2.0.0-beta3", tags.into_iter()), Some("v2.0.0-rc1"));
        assert_eq!(newest_tag("stable", tags.into_iter()), None);
        let openssl = ["OpenSSL_1_1_1w", "OpenSSL_1_1_1b", "OpenSSL_1_1_1-pre9"];
        assert_eq!(newest_tag("OpenSSL_1_1_1b", openssl.into_iter()), Some("OpenSSL_1_1_1w"));
        assert_eq!(newest_tag("8.0-final", ["8.1-final", "8.2"].into_iter()), Some("8.2"));
    }

    #[test]
    fn what_comes_before_a_release_is_sorted_before_it() {
        let ordered = ["1.0a1", "1.0-beta.2", "1.0rc1", "1.0", "1.0.1", "1.9", "1.10"];
        for pair in ordered.windows(2) {
            assert_eq!(compare_versions(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert!(is_prerelease("2.0-RC1") && is_prerelease("2.0~1") && is_prerelease("1.0.dev3"));
        assert!(!is_prerelease("1.1.1b") && !is_prerelease("9.8p1") && !is_prerelease("20240101"));
    }
}
