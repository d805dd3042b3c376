//! `requires.txt`, which setuptools writes: a requirement a line, in sections `[extra:condition]`.

use std::collections::HashSet;

use super::unusual::UnusualPythondist;

/// Longer sections' names are for the script, in bytes.
const LONGEST_SECTION: usize = 500;

/// The requirements as [`PythonRequirement`](super::requirement::PythonRequirement) reads them, each with the condition of its section.
pub(super) fn read_requires_text(text: &str) -> Result<Vec<String>, UnusualPythondist> {
    let mut requirements = Vec::new();
    let (mut sections, mut condition) = (HashSet::new(), String::new());
    for line in text.split('\n').filter(|line| !line.is_empty()) {
        let is_printable = line.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if !is_printable || line.trim() != line {
            return Err(UnusualPythondist);
        }
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(section) => {
                // Of one that comes again, old versions of Python forget what stood there first.
                let is_usual = section.len() <= LONGEST_SECTION && !section.contains(['[', ']']);
                if !is_usual || section.is_empty() || !sections.insert(section) {
                    return Err(UnusualPythondist);
                }
                condition = read_section(section);
            }
            None => requirements.push(format!("{line}{condition}")),
        }
    }
    Ok(requirements)
}

/// The condition that a section's name means.
fn read_section(section: &str) -> String {
    match section.split_once(':').unwrap_or((section, "")) {
        ("", "") => String::new(),
        ("", marker) => format!("; {marker}"),
        (extra, "") => format!("; extra == \"{extra}\""),
        (extra, marker) => format!("; ({marker}) and extra == \"{extra}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_conditions() {
        let text =
            "a>=1\nb\n\n[x]\nc\n\n[:os_name == 'nt']\nd\n[y:os_name == 'nt']\n[z:os_name == 'nt']\ne\n";
        let expected = [
            "a>=1",
            "b",
            "c; extra == \"x\"",
            "d; os_name == 'nt'",
            "e; (os_name == 'nt') and extra == \"z\"",
        ];
        assert_eq!(read_requires_text(text).unwrap(), expected);
    }

    #[test]
    fn other_lines_are_unusual() {
        for text in [" a", "a ", "a\r\n", "[]\na", "[x]\na\n[x]\nb", "[[x]]\na", "a\tb", "\u{e9}", "\u{b}"] {
            assert!(read_requires_text(text).is_err(), "{text}");
        }
    }
}
