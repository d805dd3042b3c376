//! What differs between the roots of two builds, package by package.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::chroot::LockedPackage;
use crate::chroot::making::GivenRoot;
use crate::package::Evr;

/// A package that differs between two roots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackageChange {
    /// What is so of it.
    change: ChangeKind,
    /// `%{name}`.
    name: String,
    /// The architecture.
    arch: String,
    /// `[epoch:]version-release` in the first root; several where several are installed.
    before: Option<String>,
    /// In the second.
    after: Option<String>,
}

/// How a package differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ChangeKind {
    /// The second root has a higher version.
    Up,
    /// The second root has a lower version.
    Down,
    /// Only the second root has it.
    New,
    /// Only the first root has it.
    Gone,
    /// Both have this version, in different files.
    Other,
}

impl fmt::Display for PackageChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { change, name, arch, before, after } = self;
        let (before, after) = (before.as_deref().unwrap_or_default(), after.as_deref().unwrap_or_default());
        match change {
            ChangeKind::Up => write!(f, "up    {name}.{arch} {before} → {after}"),
            ChangeKind::Down => write!(f, "down  {name}.{arch} {before} → {after}"),
            ChangeKind::New => write!(f, "new   {name}.{arch} {after}"),
            ChangeKind::Gone => write!(f, "gone  {name}.{arch} {before}"),
            ChangeKind::Other => write!(f, "other {name}.{arch} {after}: the file is another one"),
        }
    }
}

type ByName<'r> = BTreeMap<(&'r str, &'r str), Vec<&'r LockedPackage>>;

/// The packages that differ between the roots of two builds, by name.
pub fn root_changes(before: &GivenRoot, after: &GivenRoot) -> Vec<PackageChange> {
    let (old, new) = (by_name(before), by_name(after));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
    let none = Vec::new();
    let changes = names
        .into_iter()
        .filter_map(|name| change(name, old.get(&name).unwrap_or(&none), new.get(&name).unwrap_or(&none)));
    changes.collect()
}

fn by_name(root: &GivenRoot) -> ByName<'_> {
    let minimal = root.minimal.iter().filter(|package| !root.without.contains(package));
    let mut by_name = ByName::new();
    for package in minimal.chain(&root.added) {
        by_name.entry((&package.name, &package.arch)).or_default().push(package);
    }
    by_name
}

fn change(
    (name, arch): (&str, &str),
    before: &[&LockedPackage],
    after: &[&LockedPackage],
) -> Option<PackageChange> {
    let versions = |packages: &[&LockedPackage]| -> Option<String> {
        let versions: Vec<&str> = packages.iter().map(|package| package.evr.as_str()).collect();
        (!versions.is_empty()).then(|| versions.join(", "))
    };
    let checksums = |packages: &[&LockedPackage]| -> Vec<String> {
        packages.iter().map(|package| format!("{:?}", package.checksum)).collect()
    };
    let highest = |packages: &[&LockedPackage]| {
        let versions = packages.iter().map(|package| Evr::parse(&package.evr));
        versions.reduce(|one, other| if one.compare(&other).is_lt() { other } else { one })
    };
    let (old, new) = (versions(before), versions(after));
    let change = match (highest(before), highest(after)) {
        (None, None) => return None,
        (None, Some(_)) => ChangeKind::New,
        (Some(_), None) => ChangeKind::Gone,
        (Some(_), Some(_)) if old == new && checksums(before) == checksums(after) => return None,
        (Some(_), Some(_)) if old == new => ChangeKind::Other,
        (Some(one), Some(other)) if other.compare(&one).is_lt() => ChangeKind::Down,
        (Some(_), Some(_)) => ChangeKind::Up,
    };
    Some(PackageChange { change, name: name.to_owned(), arch: arch.to_owned(), before: old, after: new })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chroot::Checksum;

    fn package(name: &str, evr: &str, digit: &str) -> LockedPackage {
        LockedPackage {
            name: name.to_owned(),
            evr: evr.to_owned(),
            arch: "x86_64".to_owned(),
            repository: "base".to_owned(),
            href: String::new(),
            checksum: Checksum::new("sha256", &digit.repeat(64)).unwrap(),
            size: 1,
        }
    }

    fn root(packages: &[(&str, &str, &str)]) -> GivenRoot {
        let minimal = packages.iter().map(|(name, evr, digit)| package(name, evr, digit)).collect();
        GivenRoot { minimal, without: Vec::new(), added: Vec::new(), own: Vec::new() }
    }

    #[test]
    fn each_package_that_differs_is_told_with_its_versions() {
        let before = root(&[
            ("a", "1-9", "0"),
            ("b", "2-1", "0"),
            ("c", "1-1", "0"),
            ("d", "1-1", "0"),
            ("e", "1-1", "0"),
        ]);
        let mut after = root(&[("a", "1-10", "0"), ("b", "1-1", "0"), ("d", "1-1", "1"), ("e", "1-1", "0")]);
        after.added.push(package("f", "1-1", "0"));
        let told: Vec<String> = root_changes(&before, &after).iter().map(PackageChange::to_string).collect();
        assert_eq!(
            told,
            [
                "up    a.x86_64 1-9 → 1-10",
                "down  b.x86_64 2-1 → 1-1",
                "gone  c.x86_64 1-1",
                "other d.x86_64 1-1: the file is another one",
                "new   f.x86_64 1-1",
            ]
        );
    }
}
