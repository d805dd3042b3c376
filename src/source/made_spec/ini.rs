//! Files of sections with keys: `pip.conf`, `setup.cfg`, `entry_points.txt`, `.npmrc`.

/// A key of a section; what stands before the first section has the section ``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IniValue {
    /// The section.
    pub section: String,
    /// The key, in small letters and with `-` for `_`, as `setup.cfg` takes both.
    pub key: String,
    /// Its value, with the lines that go on after a blank.
    pub value: String,
}

/// All keys, in their order. What is none is passed over.
pub fn read_ini(text: &str) -> Vec<IniValue> {
    let mut values: Vec<IniValue> = Vec::new();
    let mut section = String::new();
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some(last) = values.last_mut().filter(|last| last.section == section)
        {
            last.value.push('\n');
            last.value.push_str(content);
            continue;
        }
        if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim().to_owned();
            continue;
        }
        if let Some((key, value)) = content.split_once(['=', ':']) {
            let key = key.trim().to_lowercase().replace('_', "-");
            values.push(IniValue { section: section.clone(), key, value: value.trim().to_owned() });
        }
    }
    values
}

/// The value of a key.
pub fn ini_value<'a>(values: &'a [IniValue], section: &str, key: &str) -> Option<&'a str> {
    let found = values.iter().rev().find(|value| value.section == section && value.key == key);
    found.map(|found| found.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_with_all_their_lines() {
        let values =
            read_ini("registry=https://a.example/\n# no\n[options]\npackages =\n  a\n  b\nzip_safe: x\n");
        assert_eq!(ini_value(&values, "", "registry"), Some("https://a.example/"));
        assert_eq!(ini_value(&values, "options", "packages"), Some("\na\nb"));
        assert_eq!(ini_value(&values, "options", "zip-safe"), Some("x"));
    }
}
