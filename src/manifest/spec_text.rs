//! What the text of a spec tells without being read by an engine: its `Name`, and its build conditions.
//!
//! A manifest is resolved before any spec is read, and the same on every machine. So that a package can be called by the name
//! in its spec, the line is looked for; what it takes more than plain definitions to know is known to the plan only, and
//! to the command line by it.

use std::collections::{BTreeSet, HashMap};

/// How many lines with definitions and tags are looked at.
const MOST_LINES: usize = 2000;

/// The `Name` of a spec, where it is written out or made of macros that the spec defines in plain words before.
pub(super) fn find_name(text: &str) -> Option<String> {
    let mut defined: HashMap<&str, String> = HashMap::new();
    for line in text.lines().take(MOST_LINES).map(str::trim) {
        if let Some((name, body)) = read_definition(line) {
            match expand(body, &defined) {
                Some(body) => defined.insert(name, body),
                None => defined.remove(name),
            };
        } else if let Some(value) = read_name_tag(line) {
            return expand(value, &defined).filter(|name| !name.is_empty() && !name.contains(' '));
        } else if is_section(line) {
            return None;
        }
    }
    None
}

/// `%global NAME BODY` or `%define NAME BODY`, without options and on one line.
fn read_definition(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("%global").or_else(|| line.strip_prefix("%define"))?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let (name, body) = rest.split_once([' ', '\t'])?;
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !body.ends_with('\\');
    is_plain.then(|| (name, body.trim()))
}

fn read_name_tag(line: &str) -> Option<&str> {
    let (tag, value) = line.split_once(':')?;
    tag.trim_end().eq_ignore_ascii_case("name").then(|| value.trim())
}

/// Whether the preamble ends here: what follows has no `Name` of the source package.
fn is_section(line: &str) -> bool {
    ["%description", "%package", "%prep", "%build", "%install", "%files", "%changelog"].iter().any(
        |section| line == *section || line.strip_prefix(section).is_some_and(|rest| rest.starts_with(' ')),
    )
}

/// The text with `%NAME` and `%{NAME}` replaced; nothing where something else begins with `%`.
fn expand(text: &str, defined: &HashMap<&str, String>) -> Option<String> {
    let mut pieces = text.split('%');
    let mut expanded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = match piece.strip_prefix('{') {
            Some(braced) => braced.split_once('}')?,
            None => {
                let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                piece.split_at(piece.find(|c| !is_of_name(c)).unwrap_or(piece.len()))
            }
        };
        expanded += defined.get(name)?;
        expanded += rest;
    }
    Some(expanded)
}

/// The build conditions that a spec names in any way; nothing where it may have others as well: it takes in other files, or makes
/// their names of macros.
pub(super) fn find_conditions(text: &str) -> Option<BTreeSet<&str>> {
    // A spec that is empty stands for one whose text is not known.
    if text.trim().is_empty()
        || ["%include", "%{load", "%load", "%{lua"].iter().any(|word| text.contains(word))
    {
        return None;
    }
    let mut found = BTreeSet::new();
    let is_of_name = |c: char| c.is_alphanumeric() || "_+.-%".contains(c);
    let mut expects_name = false;
    for piece in text.split_inclusive(|c: char| !is_of_name(c)) {
        let word = piece.trim_end_matches(|c: char| !is_of_name(c));
        if expects_name && !word.is_empty() {
            if word.contains('%') {
                return None;
            }
            found.insert(word);
        }
        let name = word.trim_start_matches('%');
        let is_keyword = matches!(name, "bcond" | "bcond_with" | "bcond_without" | "with" | "without");
        let goes_on = piece.ends_with([' ', '\t']) && (is_keyword || (expects_name && word.is_empty()));
        // `%{name}` after a keyword: the brace ends the piece.
        if expects_name && piece == "%{" {
            return None;
        }
        expects_name = goes_on;
        let rest = name.trim_start_matches('_');
        let rest = rest.strip_prefix("without_").or_else(|| rest.strip_prefix("with_"));
        found.extend(rest.map(|rest| rest.trim_end_matches('.')));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        find_name(text)
    }

    #[test]
    fn a_name_is_found_where_it_is_written_out_or_made_of_plain_definitions() {
        assert_eq!(name("# a\nVersion: 1\nname :  bash\n").as_deref(), Some("bash"));
        let text = "%global src requests\n%define full python-%{src}\nName: %full\n";
        assert_eq!(name(text).as_deref(), Some("python-requests"));
    }

    #[test]
    fn build_conditions_are_found_in_all_their_forms() {
        let text = "%bcond a 1\n%bcond_with b\n%{bcond_without c}\n%if %{with d} && %{without e}\n\
                    %{?with_f:x}%{!?_without_g:y}\n%{?_with_h}\n%{defined with_i}\n%{?bcond_with:%bcond_with j}\n";
        let found = find_conditions(text).unwrap();
        for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
            assert!(found.contains(name), "{name}: {found:?}");
        }
        assert_eq!(find_conditions("%include more\n"), None);
        assert_eq!(find_conditions("%bcond_with %{x}\n"), None);
    }

    #[test]
    fn a_name_that_takes_more_to_know_is_not_guessed() {
        for text in [
            "Name: %{?prefix}bash\n",
            "%global a %(date)\nName: x%{a}\n",
            "%global a() 1\nName: %a\n",
            "%description\nName: no\n",
            "Name: a%{\n",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
    }
}
