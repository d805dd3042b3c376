//! The line of a spec that names a dependency.

use std::ops::Range;

use crate::package::Dependency;
use crate::source::InputFile;
use crate::text::{Place, SourceText};

/// The place of a dependency in the lines of one of these tags (in lower case), found by its words: what macros expand to
/// has no place.
pub(super) fn dependency_place(spec: &InputFile, dependency: &Dependency, tags: &[&str]) -> Option<Place> {
    let text = spec.folder().ok()?.read_text(&spec.path).ok()?;
    let span = find_dependency(&text, &dependency.name, tags)?;
    let name = spec.root.join(&spec.path).to_string();
    Some(Place::new(&SourceText::new(name, text), span))
}

fn find_dependency(text: &str, name: &str, tags: &[&str]) -> Option<Range<usize>> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let tag = line.trim_start().to_ascii_lowercase();
        if tags.iter().any(|wanted| tag.starts_with(wanted)) {
            let mut words = line.match_indices(name).map(|(at, _)| at);
            if let Some(at) = words.find(|at| is_whole(line, *at, name.len())) {
                return Some(offset + at..offset + at + name.len());
            }
        }
        offset += line.len();
    }
    None
}

/// Whether a name ends and begins where it is found, and is no part of a longer one.
fn is_whole(line: &str, at: usize, length: usize) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || "-_.+:/".contains(c);
    let before = line.get(..at).and_then(|before| before.chars().next_back());
    let after = line.get(at + length..).and_then(|after| after.chars().next());
    let begins = before.is_none_or(|c| !is_of_name(c) || c == ':');
    begins && after.is_none_or(|c| !is_of_name(c) && c != '(')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whole() {
        let text = "Requires: b\nBuildRequires:b-devel, a.b b(x)\nbuildrequires: (x or b)\n";
        let span = find_dependency(text, "b", &["buildrequires"]).unwrap();
        assert_eq!(&text[span.start - 3..], "or b)\n");
        assert!(find_dependency(text, "devel", &["buildrequires"]).is_none());
        let span = find_dependency(text, "b-devel", &["buildrequires"]).unwrap();
        assert_eq!(&text[span], "b-devel");
    }
}
