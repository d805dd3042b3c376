//! `entry_points.txt`: lines `name = module:attribute` in sections, of which two are of scripts.

use std::collections::HashSet;

use super::unusual::UnusualPythondist;

/// The sections of scripts.
const SCRIPTS: [&str; 2] = ["console_scripts", "gui_scripts"];

/// Whether there are any scripts.
pub(super) fn has_scripts(text: &str) -> Result<bool, UnusualPythondist> {
    let (mut sections, mut names) = (HashSet::new(), HashSet::new());
    let (mut section, mut has_scripts) = (None, false);
    for line in text.split('\n').filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let new = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        // Old versions of Python take none that comes again.
        let is_usual = match (new, section) {
            (Some(new), _) => {
                section = Some(new);
                names.clear();
                is_section(new) && sections.insert(new)
            }
            (None, Some(section)) => {
                has_scripts |= SCRIPTS.contains(&section);
                read_entry(line).is_some_and(|name| names.insert(name))
            }
            (None, None) => false,
        };
        if !is_usual {
            return Err(UnusualPythondist);
        }
    }
    Ok(has_scripts)
}

fn is_section(section: &str) -> bool {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "._:-".contains(sign);
    !section.is_empty() && !section.eq_ignore_ascii_case("default") && section.chars().all(is_plain)
}

/// The name in a line that is as usual.
fn read_entry(line: &str) -> Option<&str> {
    let (name, value) = line.split_once('=')?;
    let (name, value) = (name.trim_end_matches(' '), value.trim_start_matches(' '));
    let is_in_name = |sign: char| sign.is_ascii_alphanumeric() || "._-".contains(sign);
    let is_in_object = |sign: char| sign.is_ascii_alphanumeric() || "._".contains(sign);
    let is_object = |text: &str| !text.is_empty() && text.chars().all(is_in_object);
    let (module, attribute) = value.split_once(':').unwrap_or((value, "x"));
    let has_name = !name.is_empty() && name.chars().all(is_in_name);
    (has_name && is_object(module) && is_object(attribute)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_found() {
        assert_eq!(has_scripts("# x\n[console_scripts]\na = b.c:d\n\n[x.y]\nz=b\n"), Ok(true));
        assert_eq!(has_scripts("[gui_scripts]\na=b:c"), Ok(true));
        assert_eq!(has_scripts("[console_scripts]\n[x]\na = b\n"), Ok(false));
        assert_eq!(has_scripts(""), Ok(false));
    }

    #[test]
    fn other_lines_are_unusual() {
        for text in [
            "a = b",
            "[x]\na",
            "[x]\na = b\na = c",
            "[x]\na = b\n[x]\n",
            "[x]\na = b [y]",
            "[x]\na = b:c:d",
            "[x]\n a = b",
            "[x] \na = b",
            "[x]\na = b\r\n",
            "[x]\na = %(b)s",
            "[DEFAULT]\na = b",
        ] {
            assert!(has_scripts(text).is_err(), "{text}");
        }
    }
}
