//! Which versions a package is built with, and where they lie.

use std::collections::{BTreeMap, VecDeque};

use nodejs_semver::{Range, Version};

use super::registry::{NpmRegistry, RegistryDocument, is_package_name};
use crate::source::made_spec::{MadeSpecError, is_plain_name};

/// How many packages may be built into one.
const MOST_PACKAGES: usize = 5_000;

/// A package that is built in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resolved {
    /// Its name in the registry.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A dependency that is still to be found.
struct WantedDependency {
    /// The folder of the package that needs it; empty for the package itself.
    parent: String,
    /// The name that it is needed by.
    name: String,
    /// A range, a tag, or `npm:NAME@RANGE`.
    range: String,
}

/// The version of a package that is meant.
pub fn choose(
    document: &RegistryDocument,
    name: &str,
    wanted: Option<&str>,
) -> Result<String, MadeSpecError> {
    let latest = document.tags.get("latest").cloned();
    match wanted {
        Some(version) if document.versions.contains_key(version) && is_plain_name(version) => {
            Ok(version.to_owned())
        }
        None if latest
            .as_ref()
            .is_some_and(|latest| document.versions.contains_key(latest) && is_plain_name(latest)) =>
        {
            Ok(latest.unwrap_or_default())
        }
        wanted => Err(MadeSpecError::NoVersion {
            registry: "npm",
            project: name.to_owned(),
            wanted: wanted.map_or_else(|| "version".to_owned(), |version| format!("version {version}")),
            help: format!("its newest version is {}", latest.unwrap_or_else(|| "not said".to_owned())),
        }),
    }
}

/// What a version of a package is built with: by their folders (`node_modules/a/node_modules/b`) the packages that lie there.
///
/// As npm does it: breadth first, and each as far up as nothing else of its name is in the way.
///
/// # Errors
/// There is something that no version fits, or that is not in the registry.
pub fn resolve(
    registry: &mut dyn NpmRegistry,
    name: &str,
    version: &str,
) -> Result<BTreeMap<String, Resolved>, MadeSpecError> {
    let mut placed: BTreeMap<String, Resolved> = BTreeMap::new();
    let mut open: VecDeque<WantedDependency> = VecDeque::new();
    let root = registry.document(name)?.versions.get(version).cloned().unwrap_or_default();
    let wants = |parent: &str, needs: BTreeMap<String, String>| {
        let parent = parent.to_owned();
        needs.into_iter().map(move |(name, range)| WantedDependency { parent: parent.clone(), name, range })
    };
    open.extend(wants("", root.needs()));
    while let Some(wanted) = open.pop_front() {
        let (real_name, range) = alias(&wanted);
        if !is_package_name(&wanted.name) || !is_package_name(&real_name) {
            return Err(unresolved(&wanted, name));
        }
        let document = registry.document(&real_name)?;
        let near = nearest(&placed, &wanted.parent, &wanted.name);
        let fits = |found: &Resolved| found.name == real_name && is_within(document, &range, &found.version);
        if near.as_ref().is_some_and(|(_, found)| fits(found)) {
            continue;
        }
        let chosen = best(document, &range).ok_or_else(|| unresolved(&wanted, name))?;
        let needs =
            document.versions.get(&chosen).map(super::registry::RegistryVersion::needs).unwrap_or_default();
        let folder = match near {
            // Something else of that name is in the way further up.
            Some(_) => below(&wanted.parent, &wanted.name),
            None => below("", &wanted.name),
        };
        open.extend(wants(&folder, needs));
        placed.insert(folder, Resolved { name: real_name, version: chosen });
        if placed.len() > MOST_PACKAGES {
            let most = MOST_PACKAGES as u64;
            return Err(MadeSpecError::TooMuch { file: name.to_owned(), most, unit: "packages" });
        }
    }
    Ok(placed)
}

fn below(parent: &str, name: &str) -> String {
    if parent.is_empty() { format!("node_modules/{name}") } else { format!("{parent}/node_modules/{name}") }
}

/// `npm:NAME@RANGE` is another package under this name.
fn alias(wanted: &WantedDependency) -> (String, String) {
    let Some(text) = wanted.range.strip_prefix("npm:") else {
        return (wanted.name.clone(), wanted.range.clone());
    };
    match text.rfind('@').filter(|at| *at > 0) {
        Some(at) => (text.chars().take(at).collect(), text.chars().skip(at + 1).collect()),
        None => (text.to_owned(), "*".to_owned()),
    }
}

/// What a package finds under a name: in its own folder, or in one further up.
fn nearest(placed: &BTreeMap<String, Resolved>, parent: &str, name: &str) -> Option<(String, Resolved)> {
    let mut parent = parent;
    loop {
        let folder = below(parent, name);
        if let Some(found) = placed.get(&folder) {
            return Some((folder, found.clone()));
        }
        if parent.is_empty() {
            return None;
        }
        parent = parent.rsplit_once("/node_modules/").map_or("", |(up, _)| up);
    }
}

fn is_within(document: &RegistryDocument, range: &str, version: &str) -> bool {
    if let Some(tagged) = document.tags.get(range) {
        return tagged == version;
    }
    let range = if range.trim().is_empty() {
        Range::any()
    } else {
        match Range::parse(range) {
            Ok(range) => range,
            Err(_) => return false,
        }
    };
    Version::parse(version).is_ok_and(|version| range.satisfies(&version))
}

/// The best version of a range: `latest` where it is one, or else the highest, and rather one that is not deprecated.
fn best(document: &RegistryDocument, range: &str) -> Option<String> {
    let is_good = |version: &&String| is_within(document, range, version) && is_plain_name(version);
    let latest = document.tags.get("latest").filter(|version| document.versions.contains_key(*version));
    if let Some(latest) = latest.filter(is_good) {
        return Some(latest.clone());
    }
    let fitting = document.versions.iter().filter(|(version, _)| is_good(version));
    let ranked = fitting
        .filter_map(|(text, facts)| Some(((!facts.is_deprecated(), Version::parse(text).ok()?), text)));
    ranked.max_by(|one, other| one.0.cmp(&other.0)).map(|(_, text)| text.clone())
}

fn unresolved(wanted: &WantedDependency, root: &str) -> MadeSpecError {
    let shown = |text: &str| text.chars().flat_map(char::escape_debug).take(200).collect::<String>();
    let by = wanted.parent.rsplit_once("node_modules/").map_or(root, |(_, name)| name);
    MadeSpecError::Unresolved {
        project: shown(&wanted.name),
        range: shown(&wanted.range),
        needed_by: by.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Made(BTreeMap<String, RegistryDocument>);

    impl NpmRegistry for Made {
        fn document(&mut self, name: &str) -> Result<&RegistryDocument, MadeSpecError> {
            let missing = || MadeSpecError::NoProject { registry: "npm", project: name.to_owned() };
            self.0.get(name).ok_or_else(missing)
        }
    }

    /// `a 1.0.0: b ^1, c *`
    fn registry(lines: &[&str]) -> Made {
        let mut documents: BTreeMap<String, RegistryDocument> = BTreeMap::new();
        for line in lines {
            let (head, needs) = line.split_once(':').unwrap();
            let (name, version) = head.split_once(' ').unwrap();
            let needs = needs.split(',').filter_map(|need| need.trim().split_once(' '));
            let dependencies = needs.map(|(name, range)| (name.to_owned(), range.to_owned())).collect();
            let document = documents.entry(name.to_owned()).or_default();
            document.tags.insert("latest".to_owned(), version.to_owned());
            document.versions.insert(
                version.to_owned(),
                super::super::RegistryVersion { dependencies, ..Default::default() },
            );
        }
        Made(documents)
    }

    fn resolved(lines: &[&str]) -> Vec<String> {
        let placed = resolve(&mut registry(lines), "root", "1.0.0").unwrap();
        placed
            .into_iter()
            .map(|(folder, found)| format!("{folder} {}@{}", found.name, found.version))
            .collect()
    }

    #[test]
    fn each_lies_as_far_up_as_it_can() {
        let lines = [
            "root 1.0.0: a ^1, b ^1",
            "a 1.0.0: c ^1",
            "b 1.0.0: c ^2, d *",
            "c 1.5.0:",
            "c 2.0.0:",
            "d 1.0.0: c ^2",
        ];
        assert_eq!(
            resolved(&lines),
            [
                "node_modules/a a@1.0.0",
                "node_modules/b b@1.0.0",
                "node_modules/b/node_modules/c c@2.0.0",
                "node_modules/c c@1.5.0",
                "node_modules/d d@1.0.0",
                "node_modules/d/node_modules/c c@2.0.0"
            ]
        );
    }

    #[test]
    fn circles_tags_and_other_names_are_resolved() {
        let lines = ["root 1.0.0: a latest, z npm:@s/y@^1", "a 1.0.0: b *", "b 1.0.0: a ^1", "@s/y 1.1.0:"];
        assert_eq!(
            resolved(&lines),
            ["node_modules/a a@1.0.0", "node_modules/b b@1.0.0", "node_modules/z @s/y@1.1.0"]
        );
    }

    #[test]
    fn what_no_version_fits_is_named() {
        for range in ["^9", "git+https://a.example/x", "../x"] {
            let line = format!("root 1.0.0: a {range}");
            let error = resolve(&mut registry(&[&line, "a 1.0.0:"]), "root", "1.0.0").unwrap_err();
            assert!(
                matches!(&error, MadeSpecError::Unresolved { needed_by, .. } if needed_by == "root"),
                "{error}"
            );
        }
    }
}
