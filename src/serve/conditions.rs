//! What a request asks for of a file: all of it, a part, or only whether it has changed.

use hyper::HeaderMap;
use hyper::header::{HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
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
}

/// What a request wants of a file.
pub(super) fn wanted(headers: &HeaderMap, version: &FileVersion) -> AskedPart {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let is_known = match text(IF_NONE_MATCH) {
        Some(known) => known.split(',').any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == version.etag
        }),
        None => text(IF_MODIFIED_SINCE).and_then(read_date).is_some_and(|since| version.modified <= since),
    };
    if is_known {
        return AskedPart::Nothing;
    }
    let is_the_same = text(IF_RANGE).is_none_or(|known| {
        known == version.etag || read_date(known).is_some_and(|date| date == version.modified)
    });
    match text(RANGE).filter(|_| is_the_same).and_then(read_range) {
        None => AskedPart::Whole,
        Some(range) => part(range, version.size),
    }
}

/// One range: its first and last byte; without the first, how many from the end.
type ByteRange = (Option<u64>, Option<u64>);

/// Reads a `Range`. Several at once are answered with the whole file, which is always right.
fn read_range(text: &str) -> Option<ByteRange> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok().map(Some),
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
        let version = FileVersion {
            size: 10,
            etag: "\"one\"".to_owned(),
            modified: Timestamp::from_second(784_111_777).unwrap(),
        };
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        wanted(&headers.collect(), &version)
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
