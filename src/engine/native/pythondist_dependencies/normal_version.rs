//! Versions of Python projects (PEP 440) in their normal spelling, and what they are for rpm.

use std::cmp::Ordering;

/// Greater numbers are for the script, which has no limit.
const GREATEST_NUMBER: u64 = 1_000_000_000_000_000;

/// What pre-releases begin with.
const PRE_RELEASES: [&str; 3] = ["a", "b", "rc"];

/// A version without an epoch and a local part: `1.2rc1.post2.dev3`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NormalVersion {
    release: Vec<u64>,
    pre: Option<(&'static str, u64)>,
    post: Option<u64>,
    dev: Option<u64>,
}

impl NormalVersion {
    /// Reads one; `None` if it is spelled in another way.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (first, mut rest) = take_number(text)?;
        let mut release = vec![first];
        while let Some((number, after)) = rest.strip_prefix('.').and_then(take_number) {
            release.push(number);
            rest = after;
        }
        let mut take_part = |word: &str| {
            let (number, after) = rest.strip_prefix(word).and_then(take_number)?;
            rest = after;
            Some(number)
        };
        let pre = PRE_RELEASES.into_iter().find_map(|word| Some((word, take_part(word)?)));
        let (post, dev) = (take_part(".post"), take_part(".dev"));
        rest.is_empty().then_some(Self { release, pre, post, dev })
    }

    /// The numbers of the release.
    pub(super) fn release(&self) -> &[u64] {
        &self.release
    }

    /// Whether it is a release itself, not something before or after it.
    pub(super) fn is_final(&self) -> bool {
        !self.is_before_release() && self.post.is_none()
    }

    /// Whether it is something before a release.
    pub(super) fn is_before_release(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    /// Whether it is something after a release, or not a whole version of its own.
    pub(super) fn is_post_or_dev(&self) -> bool {
        self.post.is_some() || self.dev.is_some()
    }

    /// Whether both are the same version, whatever zeros their releases end with.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.compare_release(other) == Ordering::Equal
            && (self.pre, self.post, self.dev) == (other.pre, other.post, other.dev)
    }

    /// Compares the releases alone.
    pub(super) fn compare_release(&self, other: &Self) -> Ordering {
        trim_zeros(&self.release).cmp(trim_zeros(&other.release))
    }

    /// The release that follows when its last number counts one more.
    pub(super) fn next_release(&self) -> Self {
        let mut release = self.release.clone();
        if let Some(last) = release.last_mut() {
            *last = last.saturating_add(1);
        }
        Self { release, pre: None, post: None, dev: None }
    }

    /// The series that the release is of: all its numbers but the last one.
    pub(super) fn series(&self) -> Self {
        let release = self.release.split_last().map_or_else(Vec::new, |(_, series)| series.to_vec());
        Self { release, ..self.clone() }
    }

    /// As rpm is told it: without zeros at the end, `~rc1` for a pre-release, else `~~dev1`, else `^post1`.
    pub(super) fn to_rpm(&self) -> String {
        let kept = match trim_zeros(&self.release) {
            [] => self.release.get(..1).unwrap_or_default(),
            kept => kept,
        };
        let release = kept.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
        match (self.pre, self.dev, self.post) {
            (Some((word, number)), ..) => format!("{release}~{word}{number}"),
            (None, Some(number), _) => format!("{release}~~dev{number}"),
            (None, None, Some(number)) => format!("{release}^post{number}"),
            (None, None, None) => release,
        }
    }
}

fn trim_zeros(release: &[u64]) -> &[u64] {
    let kept = release.iter().rposition(|number| *number != 0).map_or(0, |last| last + 1);
    release.get(..kept).unwrap_or_default()
}

fn take_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let number = digits.parse().ok().filter(|number| *number <= GREATEST_NUMBER)?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_to_rpm_in_its_order() {
        let told = |text: &str| NormalVersion::read(text).unwrap().to_rpm();
        assert_eq!(told("1.20.0.0"), "1.20");
        assert_eq!(told("0.0"), "0");
        assert_eq!(told("01.02"), "1.2");
        assert_eq!(told("1.0rc2.post3.dev4"), "1~rc2");
        assert_eq!(told("1.1.post3.dev4"), "1.1~~dev4");
        assert_eq!(told("2023.7.22.post1"), "2023.7.22^post1");
    }

    #[test]
    fn other_spellings_are_unusual() {
        let others = ["", "1.", ".1", "v1", "1!2", "1+x", "1.0RC1", "1.0-1", "1.0dev1", "1.0rc", "1.0.rc1"];
        for text in others.into_iter().chain(["1.0a1b2", "1.0 ", "1.*", "9999999999999999", "\u{0661}"]) {
            assert_eq!(NormalVersion::read(text), None, "{text}");
        }
    }

    #[test]
    fn series_and_next_releases_have_no_suffix() {
        let version = NormalVersion::read("1.9.0rc1").unwrap();
        assert_eq!(version.series().next_release().to_rpm(), "1.10");
        assert_eq!(version.next_release().to_rpm(), "1.9.1");
    }
}
