//! What a request asks for of a file: all of it, a part, or only whether it has changed.
//!
//! The order in which conditions count is that of RFC 9110, section 13.2.2.

use hyper::header::{
    HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use hyper::{HeaderMap, Method};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// What is said of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileVersion {
    pub size: u64,
    /// In quotes.
    pub etag: String,
    /// When it was written, to the second.
    pub modified: Timestamp,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AskedPart {
    Whole,
    /// From this byte, so many.
    Part(u64, u64),
    /// The client has it.
    Nothing,
    /// It has no such part.
    OutOfRange,
    /// It is not the file that the client means.
    Changed,
}

/// What a request wants of a file.
pub(super) fn wanted(method: &Method, headers: &HeaderMap, version: &FileVersion) -> AskedPart {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let date = |name: HeaderName| text(name).and_then(read_date);
    let is_meant = match text(IF_MATCH) {
        // A weak tag matches nothing here.
        Some(meant) => tags(meant).any(|tag| tag == "*" || tag == version.etag),
        None => date(IF_UNMODIFIED_SINCE).is_none_or(|since| version.modified <= since),
    };
    if !is_meant {
        return AskedPart::Changed;
    }
    let is_known = match text(IF_NONE_MATCH) {
        Some(known) => {
            tags(known).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == version.etag)
        }
        None => date(IF_MODIFIED_SINCE).is_some_and(|since| version.modified <= since),
    };
    if is_known {
        return AskedPart::Nothing;
    }
    let is_the_same = text(IF_RANGE).is_none_or(|known| {
        known == version.etag || read_date(known).is_some_and(|date| date == version.modified)
    });
    // No other method has parts (section 14.2).
    let range = text(RANGE).filter(|_| method == Method::GET && is_the_same);
    match range.and_then(read_range) {
        None => AskedPart::Whole,
        Some(range) => part(range, version.size),
    }
}

fn tags(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

/// One range: its first and last byte; without the first, how many from the end.
type ByteRange = (Option<u64>, Option<u64>);

/// Reads a `Range`. Several at once are answered with the whole file, which is always right.
fn read_range(text: &str) -> Option<ByteRange> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        // No file is as large as what is too large for the number.
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(Some(digits.parse().unwrap_or(u64::MAX)))
        }
        _ => None,
    };
    let range = (number(first)?, number(last)?);
    (range != (None, None)).then_some(range)
}

fn part(range: ByteRange, size: u64) -> AskedPart {
    let (first, end) = match range {
        (Some(first), Some(last)) if last < first => return AskedPart::Whole,
        (Some(first), last) => (first, last.map_or(size, |last| last.saturating_add(1).min(size))),
        (None, count) => (size.saturating_sub(count.unwrap_or_default()), size),
    };
    match end.checked_sub(first).filter(|length| *length > 0) {
        Some(length) => AskedPart::Part(first, length),
        None => AskedPart::OutOfRange,
    }
}

fn read_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn ask(headers: &[(HeaderName, &'static str)]) -> AskedPart {
        ask_by(Method::GET, headers)
    }

    fn ask_by(method: Method, headers: &[(HeaderName, &'static str)]) -> AskedPart {
        let version = FileVersion {
            size: 10,
            etag: "\"one\"".to_owned(),
            modified: Timestamp::from_second(784_111_777).unwrap(),
        };
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        wanted(&method, &headers.collect(), &version)
    }

    #[test]
    fn ranges_are_those_of_the_standard() {
        let range = |value| ask(&[(RANGE, value)]);
        assert_eq!(range("bytes=0-4"), AskedPart::Part(0, 5));
        assert_eq!(range("bytes=5-"), AskedPart::Part(5, 5));
        assert_eq!(range("bytes=-3"), AskedPart::Part(7, 3));
        assert_eq!(range("bytes=-30"), AskedPart::Part(0, 10));
        assert_eq!(range("bytes=8-99"), AskedPart::Part(8, 2));
        assert_eq!(range("bytes=10-"), AskedPart::OutOfRange);
        assert_eq!(range("bytes=-0"), AskedPart::OutOfRange);
        assert_eq!(range("bytes=18446744073709551615-18446744073709551615"), AskedPart::OutOfRange);
        let huge = "bytes=99999999999999999999999-";
        assert_eq!(range(huge), AskedPart::OutOfRange);
        assert_eq!(range("bytes=99999999999999999999998-99999999999999999999999"), AskedPart::OutOfRange);
        assert_eq!(range("bytes=5-99999999999999999999999"), AskedPart::Part(5, 5));
        assert_eq!(range("bytes=-99999999999999999999999"), AskedPart::Part(0, 10));
        for only_of_get in [huge, "bytes=0-4"] {
            assert_eq!(ask_by(Method::HEAD, &[(RANGE, only_of_get)]), AskedPart::Whole);
        }
        for whole in ["bytes=4-2", "bytes=-", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes=+1-2"] {
            assert_eq!(range(whole), AskedPart::Whole, "{whole}");
        }
    }

    #[test]
    fn what_a_client_has_is_not_sent_again() {
        assert_eq!(ask(&[(IF_NONE_MATCH, "\"zero\", W/\"one\"")]), AskedPart::Nothing);
        assert_eq!(ask(&[(IF_NONE_MATCH, "\"zero\"")]), AskedPart::Whole);
        assert_eq!(ask(&[(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT")]), AskedPart::Nothing);
        assert_eq!(ask(&[(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT")]), AskedPart::Whole);
        // The tag counts where there are both.
        let both = [(IF_NONE_MATCH, "\"zero\""), (IF_MODIFIED_SINCE, "Sun, 06 Nov 1995 08:49:37 GMT")];
        assert_eq!(ask(&both), AskedPart::Whole);
    }

    #[test]
    fn a_client_that_means_another_file_gets_nothing() {
        assert_eq!(ask(&[(IF_MATCH, "\"zero\"")]), AskedPart::Changed);
        assert_eq!(ask(&[(IF_MATCH, "W/\"one\"")]), AskedPart::Changed);
        for meant in ["*", "\"one\"", "\"zero\", \"one\""] {
            assert_eq!(ask(&[(IF_MATCH, meant)]), AskedPart::Whole, "{meant}");
        }
        assert_eq!(ask(&[(IF_MATCH, "\"zero\""), (IF_NONE_MATCH, "\"one\"")]), AskedPart::Changed);
        let before = "Sun, 06 Nov 1994 08:49:36 GMT";
        assert_eq!(ask(&[(IF_UNMODIFIED_SINCE, before)]), AskedPart::Changed);
        assert_eq!(ask(&[(IF_UNMODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT")]), AskedPart::Whole);
        assert_eq!(ask(&[(IF_MATCH, "\"one\""), (IF_UNMODIFIED_SINCE, before)]), AskedPart::Whole);
    }

    #[test]
    fn what_is_missing_comes_only_of_the_file_that_the_client_has_begun_with() {
        assert_eq!(ask(&[(RANGE, "bytes=5-"), (IF_RANGE, "\"one\"")]), AskedPart::Part(5, 5));
        assert_eq!(ask(&[(RANGE, "bytes=5-"), (IF_RANGE, "\"two\"")]), AskedPart::Whole);
        assert_eq!(
            ask(&[(RANGE, "bytes=5-"), (IF_RANGE, "Sun, 06 Nov 1994 08:49:37 GMT")]),
            AskedPart::Part(5, 5)
        );
        assert_eq!(
            ask(&[(RANGE, "bytes=5-"), (IF_RANGE, "Sun, 06 Nov 1994 08:49:38 GMT")]),
            AskedPart::Whole
        );
    }
}
