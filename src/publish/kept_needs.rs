//! What packages give and need, as it is kept beside what metadata say of them: of ten thousand packages, an update concerns a few, and
//! the texts of the others are passed over where they lie.

use std::borrow::Cow;
use std::io;

use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use super::closure::{Needs, required_names};
use super::name_hashes::NameHashes;
use crate::package::{Comparison, Dependency};

/// One dependency: name, comparison (0 where there is none) and version.
#[derive(Serialize, Deserialize)]
struct KeptDependency<'a>(#[serde(borrow)] Cow<'a, str>, u32, #[serde(borrow)] Cow<'a, str>);

/// One list of a binary package.
#[derive(Serialize, Deserialize)]
struct KeptList<'a> {
    /// The manifest's name of the package that it was built with.
    #[serde(borrow)]
    package: Cow<'a, str>,
    #[serde(borrow)]
    nevra: Cow<'a, str>,
    #[serde(borrow)]
    list: Vec<KeptDependency<'a>>,
}

/// Dependencies of a binary package that were asked for.
#[derive(Debug, PartialEq)]
pub(super) struct FoundDependencies {
    /// Which of the binary packages that are kept together.
    pub index: usize,
    /// The manifest's name of the package that it was built with.
    pub package: String,
    pub nevra: String,
    pub dependencies: Vec<Dependency>,
}

/// Which dependencies are asked for.
pub(super) struct DependencyQuery<'a> {
    /// Whether those of a package of the manifest are, by its name.
    pub is_package: &'a (dyn Fn(&str) -> bool + Sync),
    /// Whether one with this name is.
    pub is_name: &'a (dyn Fn(&str) -> bool + Sync),
    /// The names of which one has to be in it.
    pub names: NameHashes,
}

impl<'a> KeptDependency<'a> {
    fn new(Dependency { name, version }: &'a Dependency) -> Self {
        let (sense, version) = match version {
            Some((comparison, version)) => (u32::from(*comparison), version.as_str()),
            None => (0, ""),
        };
        Self(Cow::Borrowed(name), sense, Cow::Borrowed(version))
    }

    fn into_dependency(self) -> Dependency {
        let Self(name, sense, version) = self;
        let version = (sense != 0).then(|| (Comparison::from(sense), version.into_owned()));
        Dependency { name: name.into_owned(), version }
    }
}

/// What is kept of the binary packages of a package of the manifest: requirements, and what they provide. Both are items of a JSON list,
/// with commas between them.
pub(super) fn encode_needs(package: &str, needs: &[Needs]) -> io::Result<[Vec<u8>; 2]> {
    let requires = needs.iter().map(|needs| kept_list(package, needs, &needs.requires));
    let provides = needs.iter().map(|needs| kept_list(package, needs, &needs.provides));
    let encode = |lists: Vec<KeptList<'_>>| -> io::Result<Vec<u8>> {
        let items = lists.iter().map(serde_json::to_vec).collect::<serde_json::Result<Vec<_>>>();
        Ok(items.map_err(io::Error::other)?.join(&b','))
    };
    Ok([encode(requires.collect())?, encode(provides.collect())?])
}

/// The names that binary packages require and provide; of a rich requirement those in it.
pub(super) fn name_needs(needs: &[Needs]) -> [NameHashes; 2] {
    let requires = needs.iter().flat_map(|needs| &needs.requires);
    let required: HashSet<String> = requires.flat_map(required_names).collect();
    let provides = needs.iter().flat_map(|needs| &needs.provides);
    [required.iter().map(String::as_str).collect(), provides.map(|it| it.name.as_str()).collect()]
}

fn kept_list<'a>(package: &'a str, needs: &'a Needs, list: &'a [Dependency]) -> KeptList<'a> {
    let list = list.iter().map(KeptDependency::new).collect();
    KeptList { package: Cow::Borrowed(package), nevra: Cow::Borrowed(&needs.nevra), list }
}

/// The dependencies in a list of one of the two that are asked for; packages that have none of them are left out.
///
/// # Errors
/// `InvalidData` where it is not what was kept.
pub(super) fn find_dependencies(
    kept: &[u8],
    asked: &DependencyQuery<'_>,
) -> io::Result<Vec<FoundDependencies>> {
    let lists: Vec<KeptList<'_>> = serde_json::from_slice(kept)?;
    let mut found = Vec::new();
    for (index, KeptList { package, nevra, list }) in lists.into_iter().enumerate() {
        if !(asked.is_package)(&package) {
            continue;
        }
        let named = list.into_iter().filter(|dependency| (asked.is_name)(&dependency.0));
        let dependencies: Vec<Dependency> = named.map(KeptDependency::into_dependency).collect();
        if !dependencies.is_empty() {
            let (package, nevra) = (package.into_owned(), nevra.into_owned());
            found.push(FoundDependencies { index, package, nevra, dependencies });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_found_as_it_was() {
        let dependency = |name: &str| Dependency::from_fields(name, 8, "1:2-3");
        let needs = |nevra: &str, requires: Vec<Dependency>| Needs {
            nevra: nevra.to_owned(),
            provides: vec![dependency(nevra)],
            requires,
        };
        let quoted = Dependency::any("/usr/share/\"a\\b\"\n");
        let one = [needs("a", vec![dependency("x"), quoted.clone()]), needs("b", vec![dependency("y")])];
        let one = encode_needs("one", &one).unwrap();
        let two = encode_needs("two", &[needs("c", vec![dependency("x")])]).unwrap();
        let list = |one: &[u8], two: &[u8]| [b"[", one, b",", two, b"]"].concat();
        let [requires, provides] = [0, 1].map(|which| list(&one[which], &two[which]));
        let asked = DependencyQuery {
            is_package: &|package| package == "one",
            is_name: &|name| name != "y" && name != "b",
            names: NameHashes::default(),
        };
        let found = |index: usize, dependencies: Vec<Dependency>| FoundDependencies {
            index,
            package: "one".to_owned(),
            nevra: "a".to_owned(),
            dependencies,
        };
        assert_eq!(find_dependencies(&requires, &asked).unwrap(), [found(0, vec![dependency("x"), quoted])]);
        assert_eq!(find_dependencies(&provides, &asked).unwrap(), [found(0, vec![dependency("a")])]);
        assert!(find_dependencies(b"[{}]", &asked).is_err());
        let rich = [needs("a", vec![Dependency::any("(x and (y or z))"), dependency("w")])];
        assert_eq!(
            name_needs(&rich),
            [["w", "x", "y", "z"].into_iter().collect(), ["a"].into_iter().collect()]
        );
    }
}
