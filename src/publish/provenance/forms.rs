//! Moments, names and licenses in the forms that others read.

use crate::event::Timestamp;

/// A moment as SPDX and CycloneDX want it: RFC 3339 in UTC, to the second.
pub(super) fn to_second(moment: Timestamp) -> String {
    let text = serde_json::to_value(moment).ok().and_then(|value| Some(value.as_str()?.to_owned()));
    let text = text.unwrap_or_default();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

/// The package URL of a package of rpm (the type `rpm` of the purl specification).
pub(super) fn package_url(name: &str, evr: &str, arch: &str) -> String {
    let (epoch, version) = match evr.split_once(':') {
        Some((epoch, version)) if epoch != "0" => (Some(epoch), version),
        Some((_, version)) => (None, version),
        None => (None, evr),
    };
    let mut url = format!("pkg:rpm/{}@{}?arch={}", escape(name), escape(version), escape(arch));
    if let Some(epoch) = epoch {
        url.push_str("&epoch=");
        url.push_str(epoch);
    }
    url
}

/// A part of a package URL: everything but letters, digits and `.-_~` as `%XX`.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Whether a license is an SPDX expression, as today's distributions write them.
pub(super) fn is_spdx_expression(license: &str) -> bool {
    spdx::Expression::parse(license).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_urls_name_epochs_apart_and_escape_what_is_special() {
        assert_eq!(package_url("zlib", "1.3-1", "x86_64"), "pkg:rpm/zlib@1.3-1?arch=x86_64");
        assert_eq!(
            package_url("libstdc++", "1:4.0~rc1-1", "noarch"),
            "pkg:rpm/libstdc%2B%2B@4.0~rc1-1?arch=noarch&epoch=1"
        );
        assert_eq!(package_url("a", "0:1^git-1", "src"), "pkg:rpm/a@1%5Egit-1?arch=src");
    }

    #[test]
    fn moments_have_no_fractions() {
        assert_eq!(to_second(Timestamp(1_700_000_000_123)), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn licenses_are_taken_as_expressions_where_they_are_some() {
        assert!(is_spdx_expression("MIT AND (Apache-2.0 OR GPL-2.0-or-later)"));
        assert!(!is_spdx_expression("GPLv2+ and BSD"));
    }
}
