//! The files of dnf: sections in brackets, with settings below them.

/// A section, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct IniSection {
    /// What stands in brackets.
    pub name: String,
    /// Its settings; of two with the same name, the later one holds.
    pub settings: Vec<(String, String)>,
}

impl IniSection {
    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.settings.iter().rev().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// Whether a setting is switched on, as dnf reads it; nothing where it isn't said.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)?.to_ascii_lowercase().as_str() {
            "1" | "yes" | "true" | "on" => Some(true),
            "0" | "no" | "false" | "off" => Some(false),
            _ => None,
        }
    }

    /// The words of a setting, which blanks, commas or line ends part.
    pub fn words(&self, name: &str) -> Vec<&str> {
        let value = self.get(name).unwrap_or_default();
        value.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()).collect()
    }
}

/// All sections; a line that begins with a blank goes on with the one before.
pub(super) fn read_ini(text: &str) -> Vec<IniSection> {
    let mut sections: Vec<IniSection> = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            sections.push(IniSection { name: name.trim().to_owned(), settings: Vec::new() });
            continue;
        }
        let Some(section) = sections.last_mut() else { continue };
        let goes_on = line.starts_with([' ', '\t']);
        match (trimmed.split_once('='), section.settings.last_mut()) {
            (_, Some((_, value))) if goes_on => {
                value.push('\n');
                value.push_str(trimmed);
            }
            (Some((name, value)), _) => {
                section.settings.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
            (None, _) => {}
        }
    }
    sections
}
