//! Conditions that requirements of Python projects stand under (PEP 508, "environment markers").

use std::cmp::Ordering;

use super::normal_version::NormalVersion;
use super::text_cursor::TextCursor;
use super::unusual::UnusualPythondist;
use super::version_specifier::VersionComparison;

/// Parentheses are not nested deeper.
const DEEPEST_NESTING: usize = 20;

/// Variables that are known here: what they are where rpm builds packages.
const CONSTANTS: [(&str, &str); 5] = [
    ("implementation_name", "cpython"),
    ("os_name", "posix"),
    ("platform_python_implementation", "CPython"),
    ("platform_system", "Linux"),
    ("sys_platform", "linux"),
];

/// Those that the script sets to the version of the folder that the project lies in.
const VERSION_VARIABLES: [&str; 2] = ["python_full_version", "python_version"];

/// The name of an extra part, of which the script asks about none.
const EXTRA: &str = "extra";

/// Those that only the machine can tell.
const OTHER_VARIABLES: [&str; 4] =
    ["implementation_version", "platform_machine", "platform_release", "platform_version"];

/// A condition: one of several, each of which is several things at once.
#[derive(Debug)]
pub(super) struct Marker {
    alternatives: Vec<Vec<MarkerTerm>>,
}

#[derive(Debug)]
enum MarkerTerm {
    Nested(Marker),
    Comparison { variable: String, comparison: VersionComparison, text: String, is_variable_left: bool },
}

enum Operand<'t> {
    Variable(&'t str),
    Text(&'t str),
}

impl Marker {
    /// Reads one up to its end.
    pub(super) fn read(cursor: &mut TextCursor<'_>) -> Result<Self, UnusualPythondist> {
        Self::read_nested(cursor, 0)
    }

    fn read_nested(cursor: &mut TextCursor<'_>, depth: usize) -> Result<Self, UnusualPythondist> {
        if depth > DEEPEST_NESTING {
            return Err(UnusualPythondist);
        }
        let (mut alternatives, mut terms) = (Vec::new(), Vec::new());
        loop {
            terms.push(MarkerTerm::read(cursor, depth)?);
            match take_word(cursor) {
                "" => break,
                "and" => {}
                "or" => alternatives.push(std::mem::take(&mut terms)),
                _ => return Err(UnusualPythondist),
            }
        }
        alternatives.push(terms);
        Ok(Self { alternatives })
    }

    /// Whether it holds for a version of Python.
    pub(super) fn holds(&self, python: &NormalVersion) -> Result<bool, UnusualPythondist> {
        let mut holds = false;
        for terms in &self.alternatives {
            let mut all_hold = true;
            // Each is looked at, as `packaging` does: it fails if any of them does.
            for term in terms {
                all_hold &= term.holds(python)?;
            }
            holds |= all_hold;
        }
        Ok(holds)
    }
}

impl MarkerTerm {
    fn read(cursor: &mut TextCursor<'_>, depth: usize) -> Result<Self, UnusualPythondist> {
        cursor.skip_blanks();
        if cursor.take("(") {
            let nested = Marker::read_nested(cursor, depth + 1)?;
            cursor.skip_blanks();
            return if cursor.take(")") { Ok(Self::Nested(nested)) } else { Err(UnusualPythondist) };
        }
        let left = Operand::read(cursor)?;
        cursor.skip_blanks();
        let comparison = VersionComparison::take(cursor).ok_or(UnusualPythondist)?;
        cursor.skip_blanks();
        let (variable, text, is_variable_left) = match (left, Operand::read(cursor)?) {
            (Operand::Variable(variable), Operand::Text(text)) => (variable, text, true),
            (Operand::Text(text), Operand::Variable(variable)) => (variable, text, false),
            _ => return Err(UnusualPythondist),
        };
        let (variable, text) = (variable.to_owned(), text.to_owned());
        Ok(Self::Comparison { variable, comparison, text, is_variable_left })
    }

    fn holds(&self, python: &NormalVersion) -> Result<bool, UnusualPythondist> {
        let (variable, comparison, text, is_variable_left) = match self {
            Self::Nested(marker) => return marker.holds(python),
            Self::Comparison { variable, comparison, text, is_variable_left } => {
                (variable.as_str(), *comparison, text.as_str(), *is_variable_left)
            }
        };
        if VERSION_VARIABLES.contains(&variable) {
            let version = NormalVersion::read(text).filter(|version| !version.is_post_or_dev());
            let version = version.ok_or(UnusualPythondist)?;
            return if is_variable_left {
                compare_versions(python, comparison, &version)
            } else if comparison == VersionComparison::Compatible || !version.is_final() {
                Err(UnusualPythondist)
            } else {
                compare_versions(&version, comparison, python)
            };
        }
        let is_extra = variable == EXTRA;
        let value = CONSTANTS.into_iter().chain([(EXTRA, "")]).find(|(name, _)| *name == variable);
        let (_, value) = value.filter(|_| is_plain_word(text)).ok_or(UnusualPythondist)?;
        // The script compares without case where it asks for the same, and with it where it asks for another.
        let differs_in_case = !is_extra && value != text && value.eq_ignore_ascii_case(text);
        let is_asked_for = value == text;
        if comparison == VersionComparison::Equal && !differs_in_case {
            Ok(is_asked_for)
        } else if comparison == VersionComparison::NotEqual && !differs_in_case {
            Ok(!is_asked_for)
        } else {
            Err(UnusualPythondist)
        }
    }
}

impl<'t> Operand<'t> {
    fn read(cursor: &mut TextCursor<'t>) -> Result<Self, UnusualPythondist> {
        for quote in ["'", "\""] {
            if cursor.take(quote) {
                let text = cursor.take_while(is_plain_in_text);
                return if cursor.take(quote) { Ok(Self::Text(text)) } else { Err(UnusualPythondist) };
            }
        }
        let name = cursor.take_while(is_in_word);
        let mut known = CONSTANTS.into_iter().map(|(known, _)| known).chain(VERSION_VARIABLES);
        let is_known = known.any(|known| known == name) || OTHER_VARIABLES.contains(&name) || name == EXTRA;
        if is_known { Ok(Self::Variable(name)) } else { Err(UnusualPythondist) }
    }
}

/// Compares a release with another version.
fn compare_versions(
    release: &NormalVersion,
    comparison: VersionComparison,
    version: &NormalVersion,
) -> Result<bool, UnusualPythondist> {
    // What comes before a release is less than it.
    let before = if version.is_before_release() { Ordering::Greater } else { Ordering::Equal };
    let ordering = release.compare_release(version).then(before);
    Ok(match comparison {
        VersionComparison::Equal => ordering.is_eq(),
        VersionComparison::NotEqual => ordering.is_ne(),
        VersionComparison::LessOrEqual => ordering.is_le(),
        VersionComparison::GreaterOrEqual => ordering.is_ge(),
        VersionComparison::Less => ordering.is_lt(),
        VersionComparison::Greater => ordering.is_gt(),
        VersionComparison::Compatible => {
            let is_usual = version.is_final() && version.release().len() == 2;
            let has_series = version.release().first() == release.release().first();
            return if is_usual { Ok(ordering.is_ge() && has_series) } else { Err(UnusualPythondist) };
        }
    })
}

/// Goes past blanks and a word, if one stands here.
fn take_word<'t>(cursor: &mut TextCursor<'t>) -> &'t str {
    cursor.skip_blanks();
    cursor.take_while(is_in_word)
}

fn is_in_word(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || sign == '_' || sign == '.'
}

fn is_plain_in_text(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || " ._-+*".contains(sign)
}

/// Whether a text is a word that can't be taken for a version.
fn is_plain_word(text: &str) -> bool {
    let unversioned = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "._-".contains(sign);
    text.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && !unversioned.starts_with(|sign: char| sign.is_ascii_digit())
        && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(text: &str) -> Option<bool> {
        let mut cursor = TextCursor::new(text);
        let marker = Marker::read(&mut cursor).ok()?;
        assert!(cursor.is_at_end(), "{text}");
        marker.holds(&NormalVersion::read("3.11").unwrap()).ok()
    }

    #[test]
    fn versions_are_compared_number_by_number() {
        for text in [
            "python_version>='3.8'",
            "python_version < \"3.12\"",
            "python_version ~= '3.6'",
            "'3.8' <= python_version",
            "python_full_version > '3.11.0a6'",
            "python_version == '3.11.0' and python_version != '3'",
        ] {
            assert_eq!(evaluate(text), Some(true), "{text}");
        }
        for text in ["python_version<'3'", "python_version ~= '2.6'", "python_full_version < '3.11.0rc1'"] {
            assert_eq!(evaluate(text), Some(false), "{text}");
        }
    }

    #[test]
    fn conditions_bind_as_usual() {
        let (yes, no) = ("os_name == 'posix'", "extra == 'x'");
        assert_eq!(evaluate(&format!("{no} and {no} or {yes}")), Some(true));
        assert_eq!(evaluate(&format!("{no} and ({no} or {yes})")), Some(false));
        assert_eq!(evaluate("(sys_platform != 'win32')"), Some(true));
    }

    #[test]
    fn what_differs_from_machine_to_machine_is_unusual() {
        for text in [
            "platform_machine == 'x86_64'",
            "os_name in 'posix'",
            "os_name == 'POSIX'",
            "os_name > 'a'",
            "python_version == '3.*'",
            "python_version >= '3.8.dev1'",
            "'3.12a1' > python_version",
            "extra == '2'",
            "extra == 'v2'",
            "extra == ''",
            "'a' == 'b'",
            "os.name == 'posix'",
            "os_name == 'a\\b'",
            "extra == 'x' and platform_release == 'x'",
            "",
        ] {
            assert_eq!(evaluate(text), None, "{text}");
        }
        let deep = format!("{}os_name == 'nt'{}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(evaluate(&deep), None);
    }
}
