//! Names that metadata say, checked before anything is made of them.

use super::limits::LONGEST_NAME;
use super::problem::MetadataProblem;

/// The name, version or architecture of a package: it becomes part of file names.
pub(super) fn check_word(what: &'static str, text: String) -> Result<String, MetadataProblem> {
    let is_harmless = |c: char| !c.is_control() && !c.is_whitespace() && c != '/';
    let is_sound = !text.is_empty() && text.chars().all(is_harmless) && !["..", "."].contains(&text.as_str());
    checked(what, text, is_sound)
}

/// The path of a package below its repository.
pub(super) fn check_href(text: String) -> Result<String, MetadataProblem> {
    let is_sound = !text.starts_with('/')
        && !text.contains('\\')
        && is_visible(&text)
        && text.split('/').all(|part| part != ".." && !part.is_empty());
    checked("path below a repository", text, is_sound)
}

/// The path of a file that a package has. Spaces and odd characters are found in real ones.
pub(super) fn check_file(text: String) -> Result<String, MetadataProblem> {
    let climbs = text.contains("..") && text.split('/').any(|part| part == "..");
    let is_sound = text.starts_with('/') && is_visible(&text) && !climbs;
    checked("path of a file", text, is_sound)
}

/// Something that is only compared and shown: a dependency, a vendor, the name of a group.
pub(super) fn check_text(what: &'static str, text: String) -> Result<String, MetadataProblem> {
    let is_sound = is_visible(&text);
    checked(what, text, is_sound)
}

fn is_visible(text: &str) -> bool {
    // There are millions of them, and hardly any has a character that needs a closer look.
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    is_plain || !text.chars().any(char::is_control)
}

fn checked(what: &'static str, text: String, is_sound: bool) -> Result<String, MetadataProblem> {
    if text.len() > LONGEST_NAME {
        let what = format!("a {what} is longer");
        return Err(MetadataProblem::TooLarge { what, most: LONGEST_NAME as u64 });
    }
    if is_sound { Ok(text) } else { Err(MetadataProblem::Name { what, text }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for text in ["", "a/b", "..", "a\nb", "a b", "a\u{1b}[1m"] {
            assert!(check_word("name", text.to_owned()).is_err(), "{text:?}");
        }
        for text in ["/a.rpm", "../a.rpm", "a/../../b.rpm", "a\n.rpm", "a\\..\\b", "", "a//b"] {
            assert!(check_href(text.to_owned()).is_err(), "{text:?}");
        }
        for text in ["usr/bin", "/a/../b", "/a\nb", "/a/.."] {
            assert!(check_file(text.to_owned()).is_err(), "{text:?}");
        }
        assert!(check_word("name", "libstdc++-devel".to_owned()).is_ok());
        assert!(check_href("Packages/l/libstdc++-14.2-1.x86_64.rpm".to_owned()).is_ok());
        assert!(check_file("/usr/share/a b/..c".to_owned()).is_ok());
    }
}
