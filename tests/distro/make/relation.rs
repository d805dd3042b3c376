//! Relations of Debian's packages (deb-control(5)), and what they are in RPM's words.

use rpmforge::package::{Comparison, Dependency};

use super::version::translate_version;

/// One of them is enough.
pub type Alternatives = Vec<Relation>;

/// A package or what packages provide, and which versions of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The name.
    pub name: String,
    /// An operator, `<< <= = >= >>`, and Debian's version.
    pub version: Option<(String, String)>,
}

/// Reads a field: relations between commas, alternatives between bars.
pub fn read_relations(field: &str) -> Vec<Alternatives> {
    let groups = field.split(',').map(str::trim).filter(|group| !group.is_empty());
    groups.map(|group| group.split('|').map(|word| Relation::read(word.trim())).collect()).collect()
}

impl Relation {
    /// Reads `name:any (>= 1.0)`.
    fn read(text: &str) -> Self {
        let (name, rest) = text.split_once('(').unwrap_or((text, ""));
        let name = name.trim().split(':').next().unwrap_or_default().to_owned();
        let version = rest.trim_end_matches(')').trim();
        let digits_at = version.find(|letter: char| !"<>= ".contains(letter));
        let version = digits_at.map(|at| version.split_at(at));
        Self { name, version: version.map(|(sign, version)| (sign.trim().to_owned(), version.to_owned())) }
    }

    /// The same for RPM. A version always has a release: without one, RPM would leave releases out of the comparison, where Debian
    /// takes them for 0.
    pub fn translate(&self) -> Dependency {
        let version = self.version.as_ref().map(|(sign, version)| {
            let comparison = match sign.as_str() {
                "<<" => Comparison::read(b"<"),
                ">>" => Comparison::read(b">"),
                sign => Comparison::read(sign.as_bytes()),
            };
            let comparison = comparison.unwrap_or_else(|| panic!("{self:?}: no such operator"));
            (comparison, translate_version(version).to_string())
        });
        Dependency { name: translate_name(&self.name).to_owned(), version }
    }
}

/// Alternatives for RPM: a plain dependency, or a rich one.
pub fn translate_alternatives(alternatives: &[Relation]) -> Dependency {
    let translated: Vec<Dependency> = alternatives.iter().map(Relation::translate).collect();
    match translated.as_slice() {
        [one] => one.clone(),
        several => {
            let words: Vec<String> = several.iter().map(ToString::to_string).collect();
            Dependency::any(format!("({})", words.join(" or ")))
        }
    }
}

/// The name that a package has here. Debian's are kept, but for what RPM distributions have under another name everywhere.
pub fn translate_name(name: &str) -> &str {
    match name {
        "base-passwd" => "setup",
        name => name,
    }
}
