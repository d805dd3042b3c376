//! Versions: Debian's (deb-version(7)) and what becomes of them.

use std::cmp::Ordering;

use rpmforge::package::Evr;

/// Debian's `[epoch:]upstream[-revision]` as RPM's version. What has no revision is one of Debian's own packages: release 0, which
/// Debian takes a missing revision for as well.
///
/// A revision of a mere point is after all others: so is a caret after the version, which RPM sorts before all longer versions.
pub fn translate_version(version: &str) -> Evr {
    let (epoch, upstream, revision) = split(version);
    let (after, release) = match revision {
        Some(".") => ("^", "0"),
        revision => ("", revision.unwrap_or("0")),
    };
    Evr {
        epoch: epoch.map(|epoch| epoch.parse().unwrap()),
        // A hyphen is what RPM separates with. To its order, all separators are the same.
        version: format!("{}{after}", upstream.replace('-', "_")),
        release: Some(release.to_owned()),
    }
}

fn split(version: &str) -> (Option<&str>, &str, Option<&str>) {
    let (epoch, rest) = version.split_once(':').map_or((None, version), |(epoch, rest)| (Some(epoch), rest));
    match rest.rsplit_once('-') {
        Some((upstream, revision)) => (epoch, upstream, Some(revision)),
        None => (epoch, rest, None),
    }
}

/// The order of Debian's versions.
pub fn compare_debian(a: &str, b: &str) -> Ordering {
    let (a, b) = (split(a), split(b));
    let number = |epoch: Option<&str>| epoch.map_or(0, |epoch| epoch.parse::<u64>().unwrap());
    number(a.0)
        .cmp(&number(b.0))
        .then_with(|| compare_parts(a.1, b.1))
        .then_with(|| compare_parts(a.2.unwrap_or_default(), b.2.unwrap_or_default()))
}

/// Letters, then a number, then letters …: letters sort before other signs, `~` before the end.
fn compare_parts(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (a_signs, a_rest) = split_where(a, |sign| sign.is_ascii_digit());
        let (b_signs, b_rest) = split_where(b, |sign| sign.is_ascii_digit());
        let weights = |signs: &str| signs.bytes().map(weight).chain([0]).collect::<Vec<i32>>();
        let (a_number, a_next) = split_where(a_rest, |sign| !sign.is_ascii_digit());
        let (b_number, b_next) = split_where(b_rest, |sign| !sign.is_ascii_digit());
        let value = |digits: &str| digits.trim_start_matches('0').parse::<u128>().unwrap_or(0);
        let order = weights(a_signs).cmp(&weights(b_signs)).then(value(a_number).cmp(&value(b_number)));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (a_next, b_next);
    }
    Ordering::Equal
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

fn weight(sign: u8) -> i32 {
    match sign {
        b'~' => -1,
        sign if sign.is_ascii_alphabetic() => i32::from(sign),
        sign => i32::from(sign) + 256,
    }
}
