//! Requirements of Python projects (PEP 508): a name, extra parts, versions, and a condition.

use super::marker::Marker;
use super::text_cursor::TextCursor;
use super::unusual::UnusualPythondist;
use super::version_specifier::{VersionComparison, VersionSpecifier};

/// Longer lines are for the script, in bytes.
const LONGEST_LINE: usize = 4000;

/// Longer names as well, in bytes.
const LONGEST_NAME: usize = 200;

/// More versions in one requirement as well.
const MOST_SPECIFIERS: usize = 50;

/// What a project requires.
#[derive(Debug)]
pub(super) struct PythonRequirement {
    pub(super) name: String,
    pub(super) extras: Vec<String>,
    pub(super) specifiers: Vec<VersionSpecifier>,
    pub(super) marker: Option<Marker>,
}

impl PythonRequirement {
    /// A project in any version.
    pub(super) fn any(name: &str) -> Self {
        Self { name: name.to_owned(), extras: Vec::new(), specifiers: Vec::new(), marker: None }
    }

    /// Reads one.
    pub(super) fn read(text: &str) -> Result<Self, UnusualPythondist> {
        if text.len() > LONGEST_LINE {
            return Err(UnusualPythondist);
        }
        let mut cursor = TextCursor::new(text);
        cursor.skip_blanks();
        let name = take_name(&mut cursor)?.to_owned();
        cursor.skip_blanks();
        let extras = read_extras(&mut cursor)?;
        cursor.skip_blanks();
        let is_enclosed = cursor.take("(");
        cursor.skip_blanks();
        let specifiers = read_specifiers(&mut cursor)?;
        if is_enclosed && (specifiers.is_empty() || !cursor.take(")")) {
            return Err(UnusualPythondist);
        }
        cursor.skip_blanks();
        let marker = if cursor.take(";") { Some(Marker::read(&mut cursor)?) } else { None };
        cursor.skip_blanks();
        if cursor.is_at_end() {
            Ok(Self { name, extras, specifiers, marker })
        } else {
            Err(UnusualPythondist)
        }
    }
}

fn take_name<'t>(cursor: &mut TextCursor<'t>) -> Result<&'t str, UnusualPythondist> {
    let name = cursor.take_while(is_in_name);
    let is_end = |sign: char| sign.is_ascii_alphanumeric();
    let is_usual = name.starts_with(is_end) && name.ends_with(is_end) && name.len() <= LONGEST_NAME;
    is_usual.then_some(name).ok_or(UnusualPythondist)
}

fn read_extras(cursor: &mut TextCursor<'_>) -> Result<Vec<String>, UnusualPythondist> {
    let mut extras = Vec::new();
    if !cursor.take("[") {
        return Ok(extras);
    }
    loop {
        cursor.skip_blanks();
        extras.push(take_name(cursor)?.to_owned());
        cursor.skip_blanks();
        if cursor.take("]") {
            return Ok(extras);
        } else if !cursor.take(",") {
            return Err(UnusualPythondist);
        }
    }
}

/// Reads comparisons with commas between, and blanks after the last one.
fn read_specifiers(cursor: &mut TextCursor<'_>) -> Result<Vec<VersionSpecifier>, UnusualPythondist> {
    let mut all: Vec<VersionSpecifier> = Vec::new();
    loop {
        let Some(comparison) = VersionComparison::take(cursor) else {
            return if all.is_empty() { Ok(all) } else { Err(UnusualPythondist) };
        };
        cursor.skip_blanks();
        let text = cursor.take_while(|sign| sign.is_ascii_alphanumeric() || ".*".contains(sign));
        let specifier = VersionSpecifier::read(comparison, text).ok_or(UnusualPythondist)?;
        let is_doubtful = all.iter().any(|other| other.is_doubtful_beside(&specifier));
        all.push(specifier);
        if is_doubtful || all.len() > MOST_SPECIFIERS {
            return Err(UnusualPythondist);
        }
        cursor.skip_blanks();
        if !cursor.take(",") {
            return Ok(all);
        }
        cursor.skip_blanks();
    }
}

/// Whether names may hold a character.
pub(super) fn is_in_name(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || "._-".contains(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_requirements_are_read() {
        for (text, specifiers, extras) in [
            ("a", 0, 0),
            ("a.b-c_D", 0, 0),
            ("a>=1,<2", 2, 0),
            ("a (>= 1.0, !=1.1.*)", 2, 0),
            ("a[x, y_z]~=1.0 ; python_version<'3'", 1, 2),
            ("a; extra == 'x'", 0, 0),
        ] {
            let read = PythonRequirement::read(text).unwrap();
            assert_eq!((read.specifiers.len(), read.extras.len()), (specifiers, extras), "{text}");
        }
    }

    #[test]
    fn other_requirements_are_unusual() {
        for text in [
            "",
            "-a",
            "a-",
            "a @ https://x",
            "a ()",
            "a (>=1",
            "a >=1)",
            "a 1",
            "a >=1,",
            "a >=1 <2",
            "a[]",
            "a[x",
            "a;",
            "a; ",
            "a; os_name",
            "a === 1",
            "a >= 1.0-1",
            "a >=1, >=1.0",
            "a # x",
            "\u{e9}",
            "a; os_name == 'x'; x",
        ] {
            assert!(PythonRequirement::read(text).is_err(), "{text}");
        }
    }
}
