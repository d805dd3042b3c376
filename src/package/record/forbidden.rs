//! What XML has no way to write (XML 1.0, section 2.2): a package that says such a thing can be in no repository, and
//! createrepo_c leaves it out.

use std::fmt;

use super::{ChangelogEntry, PackageRecord, RecordDependency, RecordFile};

/// A character that metadata can't hold, and where a package says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForbiddenCharacter {
    /// Of what: `description`, `provides`.
    field: &'static str,
    /// The text, with the character made visible.
    text: String,
    character: char,
}

impl fmt::Display for ForbiddenCharacter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, text, character } = self;
        write!(f, "the character U+{:04X} in its {field}: `{text}`", u32::from(*character))
    }
}

/// How many characters of a text are shown.
const LONGEST_SHOWN: usize = 60;

impl PackageRecord {
    /// The first character that repository metadata can't hold. A field that is forgotten here does not compile.
    pub fn forbidden_character(&self) -> Option<ForbiddenCharacter> {
        let Self {
            name,
            arch,
            epoch: _,
            version,
            release,
            summary,
            description,
            url,
            packager,
            license,
            vendor,
            group,
            build_host,
            source_package,
            build_time: _,
            installed_size: _,
            archive_size: _,
            header_range: _,
            dependencies,
            files,
            changelog,
        } = self;
        let texts = [
            ("name", name),
            ("architecture", arch),
            ("version", version),
            ("release", release),
            ("summary", summary),
            ("description", description),
            ("URL", url),
            ("packager", packager),
            ("license", license),
            ("vendor", vendor),
            ("group", group),
            ("build host", build_host),
            ("source package", source_package),
        ];
        let texts = texts.into_iter().map(|(field, text)| (field, text.as_str()));
        let dependencies = dependencies
            .iter()
            .flat_map(|(relation, list)| list.iter().map(move |entry| (relation.name(), entry)))
            .flat_map(|(relation, entry)| dependency_texts(relation, entry));
        let files = files.iter().map(|RecordFile { path, kind: _ }| ("file names", path.as_str()));
        let changelog = changelog.iter().flat_map(|ChangelogEntry { author, date: _, text }| {
            [("changelog", author.as_str()), ("changelog", text.as_str())]
        });
        texts.chain(dependencies).chain(files).chain(changelog).find_map(|(field, text)| {
            let character = text.chars().find(|c| !is_allowed(*c))?;
            Some(ForbiddenCharacter { field, text: make_visible(text, character), character })
        })
    }
}

fn dependency_texts<'a>(
    relation: &'static str,
    entry: &'a RecordDependency,
) -> impl Iterator<Item = (&'static str, &'a str)> {
    let version = entry.dependency.version.iter().map(|(_, version)| version.as_str());
    std::iter::once(entry.dependency.name.as_str()).chain(version).map(move |text| (relation, text))
}

/// Whether XML can hold it. DEL and the controls behind it are discouraged, and allowed.
fn is_allowed(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// The text around its first forbidden character, escaped.
fn make_visible(text: &str, character: char) -> String {
    let line = text.lines().find(|line| line.contains(character)).unwrap_or(text);
    let at = line.chars().position(|c| c == character).unwrap_or_default();
    let from = at.saturating_sub(LONGEST_SHOWN / 2);
    line.chars().skip(from).take(LONGEST_SHOWN).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_can_hold_is_allowed_though_it_is_a_control_character() {
        assert!("ding\t\u{7f}\u{85}dong\n\r".chars().all(is_allowed));
        for forbidden in ['\0', '\u{7}', '\u{1b}', '\u{fffe}', '\u{ffff}'] {
            assert!(!is_allowed(forbidden), "{forbidden:?}");
        }
    }

    #[test]
    fn only_the_line_around_the_character_is_shown() {
        let text = format!("first line\n{}ding \u{7} dong\nlast", "x".repeat(100));
        let shown = make_visible(&text, '\u{7}');
        assert!(shown.ends_with("ding \\u{7} dong") && !shown.contains("line"), "{shown}");
    }
}
