//! What repositories have instead of something that nothing meets.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::{Catalogue, CataloguedPackage};
use super::filter::Filtered;
use super::index::{Reference, Referent, RelationKind};
use super::pattern::{PackagePattern, PatternForm};
use super::pool_ids::PackageId;
use super::request::Wanted;
use crate::package::Dependency;
use crate::spec::rich_capabilities;
use crate::text::nearest;

/// Something that nothing meets.
pub(super) struct Missing {
    name: String,
    /// The names that it mentions, if it is a rich dependency.
    parts: Vec<String>,
    /// The packages that it means as a pattern, whether they can be taken or not.
    form: Option<PatternForm>,
}

/// What is there instead.
pub(super) struct Instead {
    /// "; `fedora` has other versions: …"; empty where there is nothing.
    pub text: String,
    /// A name that may have been meant.
    pub help: Option<String>,
}

impl Missing {
    pub fn from_wanted(catalogue: &Catalogue<'_>, wanted: &Wanted) -> Self {
        match wanted {
            Wanted::Specification(text) => {
                let means_any = |form: &PatternForm| {
                    catalogue.packages().any(|(_, package)| form.matches(package.index, package.package))
                };
                let form = PackagePattern::new(text).choose(means_any);
                Self { form, ..Self::from_dependency(&Wanted::read_specification(text)) }
            }
            Wanted::Dependency(dependency) => Self::from_dependency(dependency),
        }
    }

    pub fn from_text(text: &str) -> Self {
        Self::from_dependency(&Wanted::read_specification(text))
    }

    fn from_dependency(dependency: &Dependency) -> Self {
        let parts = match dependency.is_rich() {
            true => rich_capabilities(&dependency.name).into_iter().map(|part| part.name).collect(),
            false => Vec::new(),
        };
        Self { name: dependency.name.clone(), parts, form: None }
    }

    /// As what a package has it: see [`gives`].
    fn given_by(&self, package: &CataloguedPackage<'_, '_>) -> Option<String> {
        match &self.form {
            Some(form) => form.matches(package.index, package.package).then(String::new),
            None => gives(package, &self.name),
        }
    }
}

/// How many packages are named for each reason.
const NAMED: usize = 3;

/// What the repositories have instead.
pub(super) fn find_instead(catalogue: &Catalogue<'_>, missing: &Missing) -> Instead {
    if missing.name.starts_with('(') {
        return Instead { text: missing_parts(catalogue, &missing.parts), help: None };
    }
    let mut others: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (id, package) in catalogue.packages() {
        if let Some(given) = missing.given_by(&package) {
            let (repository, why) = (&package.repository.name, why_not(catalogue, id, &package));
            let given =
                if given.is_empty() { package.nevra() } else { format!("{} ({given})", package.nevra()) };
            others.entry(format!("`{repository}` has {why}")).or_default().insert(given);
        }
    }
    if !others.is_empty() {
        let parts: Vec<String> =
            others.iter().map(|(reason, packages)| format!("{reason}{}", list(packages))).collect();
        return Instead { text: format!("; {}", parts.join("; ")), help: None };
    }
    let help = match missing.name.starts_with('/') {
        true => elsewhere(catalogue, &missing.name),
        false => similar(catalogue, &missing.name),
    };
    Instead { text: String::new(), help }
}

/// Which parts of a rich dependency nothing gives.
fn missing_parts(catalogue: &Catalogue<'_>, parts: &[String]) -> String {
    let is_missing =
        |part: &&String| !catalogue.packages().any(|(_, package)| gives(&package, part).is_some());
    let missing: Vec<String> = parts.iter().filter(is_missing).map(|part| format!("`{part}`")).collect();
    match missing.is_empty() {
        true => String::new(),
        false => format!("; of its parts, {} is in no repository", missing.join(", ")),
    }
}

/// The version in which a package gives something of a name; empty where the name is its own or has no version.
fn gives(package: &CataloguedPackage<'_, '_>, name: &str) -> Option<String> {
    let index = package.index;
    if package.name() == name {
        return Some(String::new());
    }
    if name.starts_with('/')
        && index.files.packages_with(name).iter().any(|number| *number as usize == package.number)
    {
        return Some(String::new());
    }
    let provided = |reference: &Reference| match reference.referent() {
        Referent::Name(number) => (index.names.get(number) == name).then(String::new),
        Referent::Relation(number) => {
            let relation = index.relations.get(number as usize)?;
            match (relation.kind, relation.left.referent(), relation.right.referent()) {
                (RelationKind::Version(comparison), Referent::Name(left), Referent::Name(right)) => {
                    let version = index.names.get(right);
                    (index.names.get(left) == name).then(|| format!("{name} {comparison} {version}"))
                }
                _ => None,
            }
        }
    };
    index.lists(package.number)[0].iter().find_map(provided)
}

fn why_not(catalogue: &Catalogue<'_>, id: PackageId, package: &CataloguedPackage<'_, '_>) -> &'static str {
    match catalogue.filtered(id) {
        Some(Filtered::Excluded) => "what its `exclude` forbids: ",
        Some(Filtered::NotIncluded) => "what its `includepkgs` doesn't name: ",
        None if matches!(package.arch(), "src" | "nosrc") => "sources only: ",
        None if !catalogue.architecture.takes(package.arch()) => "it for other architectures: ",
        None => "other versions: ",
    }
}

fn list(names: &BTreeSet<String>) -> String {
    let named: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    match names.len().checked_sub(NAMED) {
        Some(further) if further > 0 => format!("{} and {further} more", named.join(", ")),
        _ => named.join(", "),
    }
}

/// Where a file of the same name is.
fn elsewhere(catalogue: &Catalogue<'_>, path: &str) -> Option<String> {
    let (_, name) = path.rsplit_once('/')?;
    catalogue.repositories.iter().find_map(|repository| {
        let (found, package) = repository.index.files.named(name).next()?;
        let package = repository.index.packages.get(package as usize)?;
        Some(format!("`{}` of `{}` has `{found}`", repository.index.name(package), repository.name))
    })
}

/// A name that is written much like this one.
fn similar(catalogue: &Catalogue<'_>, name: &str) -> Option<String> {
    let names: BTreeSet<&str> =
        catalogue.packages().map(|(_, package)| package.index.names.get(package.package.name)).collect();
    let found = nearest(name, names)?;
    let (_, package) = catalogue.packages().find(|(_, package)| package.name() == found)?;
    Some(format!("did you mean `{found}`, which `{}` has?", package.repository.name))
}
