//! `%changelog` (rpm-spec(5), "%changelog").

use bstr::{BString, ByteSlice};
use miette::Diagnostic;
use thiserror::Error;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The years that rpm takes: it is younger than the first of them.
const YEARS: std::ops::RangeInclusive<i64> = 1990..=2999;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When, in seconds since 1970. Without a time of day it is noon; rpm passes over the zone.
    pub time: i64,
    /// Who, and perhaps for which version.
    pub name: BString,
    /// What was changed.
    pub text: BString,
}

/// What can be wrong with a changelog, in rpm's words.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum ChangelogProblem {
    /// Text before the first entry.
    #[error("%changelog entries must start with *")]
    #[diagnostic(code(forge::spec::changelog_start), help("an entry is `* Mon Jan 01 2024 Name - version`"))]
    Start,
    /// A date that is none.
    #[error("bad date in %changelog: {entry}")]
    #[diagnostic(
        code(forge::spec::changelog_date),
        help("a date is `Mon Jan 01 2024`, with a time `Mon Jan 01 10:00:00 UTC 2024`")
    )]
    Date {
        /// The entry's first line.
        entry: BString,
    },
    /// A date on another day of the week.
    #[error("bogus date in %changelog: {entry}")]
    #[diagnostic(severity(Warning), code(forge::spec::changelog_weekday), help("it was a {weekday}"))]
    Weekday {
        /// The entry's first line.
        entry: BString,
        /// What day it was.
        weekday: &'static str,
    },
    /// Nobody.
    #[error("missing name in %changelog")]
    #[diagnostic(code(forge::spec::changelog_name), help("the name follows the year"))]
    Name,
    /// Nothing changed.
    #[error("no description in %changelog")]
    #[diagnostic(code(forge::spec::changelog_text), help("the changes follow in lines of their own"))]
    Text,
    /// An entry that is newer than the one above it.
    #[error("%changelog not in descending chronological order")]
    #[diagnostic(code(forge::spec::changelog_order), help("the newest entry stands first"))]
    Order,
}

impl ChangelogProblem {
    /// The first line of the entry, without its star, where it is known.
    pub fn entry(&self) -> Option<&BString> {
        match self {
            Self::Date { entry } | Self::Weekday { entry, .. } => Some(entry),
            Self::Start | Self::Name | Self::Text | Self::Order => None,
        }
    }

    /// Whether the entry does not count.
    pub fn is_error(&self) -> bool {
        !matches!(self, Self::Weekday { .. })
    }
}

/// How far back a changelog is read (rpmbuild-config(5), `_changelog_trimage` and `_changelog_trimtime`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trim {
    /// Entries that are older than the newest one by more than this do not count, in seconds; 0 for no end.
    pub age: i64,
    /// Entries before this time do not count, in seconds since 1970; an age comes before it.
    pub time: i64,
}

impl Trim {
    fn ends_at(self, newest: Option<&Change>, change: &Change) -> bool {
        let newest = newest.map_or(change.time, |newest| newest.time);
        let oldest = if self.age > 0 { newest - self.age } else { self.time };
        oldest > 0 && change.time < oldest
    }
}

/// Reads the text of a changelog: the entries before the first that is wrong or too old, and what is wrong.
pub fn read_changelog(text: &[u8], trim: Trim) -> (Vec<Change>, Vec<ChangelogProblem>) {
    let (mut changes, mut problems): (Vec<Change>, Vec<ChangelogProblem>) = (Vec::new(), Vec::new());
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let (entry, after) = match read_entry(rest) {
            Ok(read) => read,
            Err(problem) => {
                problems.push(problem);
                break;
            }
        };
        rest = after;
        let change = match entry.read_change(&mut problems) {
            Ok(change) => change,
            Err(problem) => {
                problems.push(problem);
                break;
            }
        };
        if trim.ends_at(changes.first(), &change) {
            break;
        }
        if changes.last().is_some_and(|above| above.time < change.time) {
            problems.push(ChangelogProblem::Order);
            break;
        }
        changes.push(change);
    }
    (changes, problems)
}

/// An entry as it was written.
struct ChangelogEntry<'t> {
    line: &'t [u8],
    text: &'t [u8],
}

/// The first entry, and what follows it. One goes on up to a line that begins with a star; the line after its first never
/// does that.
fn read_entry(text: &[u8]) -> Result<(ChangelogEntry<'_>, &[u8]), ChangelogProblem> {
    let text = text.strip_prefix(b"*").ok_or(ChangelogProblem::Start)?;
    let (line, rest) = text.split_once_str("\n").unwrap_or((text, b""));
    let body = rest.trim_ascii_start();
    let (text, after) = match body.find("\n*") {
        Some(end) => body.split_at_checked(end + 1).unwrap_or((body, b"")),
        None => (body, b"".as_slice()),
    };
    Ok((ChangelogEntry { line: line.trim_ascii_start(), text: text.trim_ascii_end() }, after))
}

impl ChangelogEntry<'_> {
    fn read_change(&self, problems: &mut Vec<ChangelogProblem>) -> Result<Change, ChangelogProblem> {
        let bad = || ChangelogProblem::Date { entry: self.line.into() };
        let mut words = Words(self.line);
        let (weekday, month, day) = (words.next(), words.next(), words.next());
        let weekday = DAYS.iter().position(|name| name.as_bytes() == weekday).ok_or_else(bad)?;
        let month = MONTHS.iter().position(|name| name.as_bytes() == month).ok_or_else(bad)?;
        let day = number(day).filter(|day| (1..=31).contains(day)).ok_or_else(bad)?;
        let mut year = words.next();
        let mut seconds = 12 * 3600;
        if year.contains(&b':') {
            seconds = time_of_day(year).ok_or_else(bad)?;
            words.next();
            year = words.next();
        }
        let year = number(year).filter(|year| YEARS.contains(year)).ok_or_else(bad)?;
        let days = days_since_1970(year, month, day).ok_or_else(bad)?;
        // The first of January 1970 was a Thursday.
        let actual = (days + 4).rem_euclid(7);
        // rpm takes the 29th of February in every year, as the first of March, and doubts it.
        let is_no_day = month == 1 && day == 29 && !is_leap(year);
        if is_no_day || i64::try_from(weekday) != Ok(actual) {
            let name = usize::try_from(actual).ok().and_then(|day| DAYS.get(day)).copied();
            let weekday = name.unwrap_or_default();
            problems.push(ChangelogProblem::Weekday { entry: self.line.into(), weekday });
        }
        let name = words.0.trim_ascii_start();
        if name.is_empty() {
            return Err(ChangelogProblem::Name);
        }
        if self.text.is_empty() {
            return Err(ChangelogProblem::Text);
        }
        Ok(Change { time: days * 86_400 + seconds, name: name.into(), text: self.text.into() })
    }
}

/// Words, one after the other, and what is left of the line.
struct Words<'t>(&'t [u8]);

impl<'t> Words<'t> {
    fn next(&mut self) -> &'t [u8] {
        let text = self.0.trim_ascii_start();
        let length = text.find_byteset(b" \t").unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(length).unwrap_or((text, b""));
        self.0 = rest;
        word
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    let is_plain = !digits.is_empty() && digits.len() < 10 && digits.iter().all(u8::is_ascii_digit);
    is_plain.then(|| digits.to_str().ok()?.parse().ok()).flatten()
}

/// `10:20:30` in seconds.
fn time_of_day(text: &[u8]) -> Option<i64> {
    let mut parts = text.split_str(":").map(number);
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let is_time = hours < 24 && minutes < 60 && seconds < 61 && parts.next().is_none();
    is_time.then_some(hours * 3600 + minutes * 60 + seconds)
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

/// The days from the first of January 1970 to a date of the Gregorian calendar; nothing where the month never has such a
/// day.
fn days_since_1970(year: i64, month: usize, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if day > *LENGTHS.get(month)? {
        return None;
    }
    let shorter = i64::from(month > 1 && !is_leap(year));
    let before = LENGTHS.iter().take(month).sum::<i64>() - shorter;
    let years = year - 1;
    let days = years * 365 + years / 4 - years / 100 + years / 400;
    // 719,162 days lie before 1970.
    Some(days - 719_162 + before + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_in_the_calendar() {
        assert_eq!(days_since_1970(1970, 0, 1), Some(0));
        assert_eq!(days_since_1970(2000, 1, 29), Some(11_016));
        assert_eq!(days_since_1970(2100, 1, 29), days_since_1970(2100, 2, 1));
        assert_eq!(days_since_1970(2100, 1, 30), None);
        assert_eq!(days_since_1970(2026, 10, 16), Some(20_773));
    }

    #[test]
    fn the_day_of_the_week_is_known() {
        let (_, problems) = read_changelog(b"* Tue Nov 16 2026 Me\n- t\n", Trim::default());
        assert!(matches!(problems.as_slice(), [ChangelogProblem::Weekday { weekday: "Mon", .. }]));
    }
}
