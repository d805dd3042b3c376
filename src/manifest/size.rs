//! Sizes as people write them: `500MB`, `8GiB`, `1.5 TiB`.

use std::fmt;

/// Units, and how many bytes one has: `GB` counts in 1000, `GiB` in 1024 and `G` as well, as with `dd`, `truncate` and systemd.
const UNITS: &[(&str, u64)] = &[
    ("b", 1),
    ("kb", 1000),
    ("mb", 1000 * 1000),
    ("gb", 1000 * 1000 * 1000),
    ("tb", 1000 * 1000 * 1000 * 1000),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("t", 1 << 40),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Larger is no limit but a mistake, and would overflow what adds to it.
const LARGEST_TIB: u64 = 1 << 10;

/// What keeps a text from being a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SizeMistake {
    /// It begins with no number, or with one that can't be read.
    NoNumber,
    /// The unit is missing.
    NoUnit,
    /// There is no such unit.
    UnknownUnit(String),
    /// It is less than a byte.
    Zero,
    /// It is more than a PiB.
    TooLarge,
}

impl fmt::Display for SizeMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumber => f.write_str("it does not begin with a number"),
            Self::NoUnit => f.write_str("its unit is missing"),
            Self::UnknownUnit(unit) => write!(f, "there is no unit `{unit}`"),
            Self::Zero => f.write_str("it is zero"),
            Self::TooLarge => f.write_str("it is more than 1024 TiB"),
        }
    }
}

/// The bytes that a size stands for: a number, with a fraction or without, and its unit in whatever case.
pub(super) fn parse_size(text: &str) -> Result<u64, SizeMistake> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return Err(SizeMistake::NoNumber);
    }
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    if unit.is_empty() {
        return Err(SizeMistake::NoUnit);
    }
    let lower = unit.to_ascii_lowercase();
    let Some((_, bytes_each)) = UNITS.iter().find(|(name, _)| *name == lower) else {
        return Err(SizeMistake::UnknownUnit(unit.to_owned()));
    };
    let whole: u64 = whole.parse().map_err(|_| SizeMistake::TooLarge)?;
    let bytes = whole.checked_mul(*bytes_each).ok_or(SizeMistake::TooLarge)?;
    let bytes = bytes.saturating_add(part_of(*bytes_each, fraction));
    match bytes {
        0 => Err(SizeMistake::Zero),
        bytes if bytes > LARGEST_TIB << 40 => Err(SizeMistake::TooLarge),
        bytes => Ok(bytes),
    }
}

/// The bytes of a decimal fraction of a unit, of which digits that make no whole byte say nothing.
fn part_of(bytes_each: u64, fraction: &str) -> u64 {
    // A unit has at most 13 digits, and 13 more fit into 128 bits beside it.
    let digits = fraction.get(..13).unwrap_or(fraction);
    let numerator: u128 = digits.parse().unwrap_or_default();
    let denominator = 10u128.pow(u32::try_from(digits.len()).unwrap_or_default());
    u64::try_from(u128::from(bytes_each) * numerator / denominator).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_its_unit() {
        let sizes = ["8GiB", "500MB", "1.5GiB", "64 KiB", "20g", "0.5TB", "4096B", "1tib"];
        let bytes = sizes.map(|text| parse_size(text).unwrap());
        assert_eq!(
            bytes,
            [8 << 30, 500_000_000, 3 << 29, 64 << 10, 20 << 30, 500_000_000_000, 4096, 1 << 40]
        );
    }

    #[test]
    fn a_number_alone_is_no_size() {
        assert_eq!(parse_size("8"), Err(SizeMistake::NoUnit));
        assert_eq!(parse_size("8 "), Err(SizeMistake::NoUnit));
    }

    #[test]
    fn what_is_no_size_says_why() {
        let mistake = |text| parse_size(text).unwrap_err();
        assert_eq!(mistake("8 gigs"), SizeMistake::UnknownUnit("gigs".to_owned()));
        assert_eq!(mistake("8é"), SizeMistake::UnknownUnit("é".to_owned()));
        for text in ["", "GiB", "-8GiB", ".GiB", "1.GiB", "1.2.3GiB", "+8GiB"] {
            assert_eq!(mistake(text), SizeMistake::NoNumber, "{text}");
        }
        assert_eq!(mistake("0GiB"), SizeMistake::Zero);
        assert_eq!(mistake("0.1B"), SizeMistake::Zero);
        for text in ["1025TiB", "99999999999TiB", "99999999999999999999999B"] {
            assert_eq!(mistake(text), SizeMistake::TooLarge, "{text}");
        }
    }

    #[test]
    fn digits_beyond_the_last_byte_are_no_mistake() {
        assert_eq!(parse_size(&format!("1.{}GiB", "5".repeat(10_000))), Ok(1_670_265_059));
    }
}
