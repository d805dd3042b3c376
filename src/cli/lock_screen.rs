//! What changes in a lock, as a person reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::chroot::{Lock, LockedChroot, LockedPackage};
use crate::package::Evr;

/// What is up, down, new or gone, and which repositories have changed.
pub fn describe_changes(before: &Lock, now: &Lock) -> String {
    let names: BTreeSet<&String> = before.chroots.keys().chain(now.chroots.keys()).collect();
    let nothing = LockedChroot::default();
    let mut text = String::new();
    for name in names {
        let old = before.chroots.get(name).unwrap_or(&nothing);
        let new = now.chroots.get(name).unwrap_or(&nothing);
        let changes = changes_of(old, new);
        if !changes.is_empty() {
            let _ = writeln!(text, "{name}");
            for line in &changes {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    if text.is_empty() { "nothing has changed\n".to_owned() } else { text }
}

/// What differs between the packages of two chroots.
pub fn changes_of(old: &LockedChroot, new: &LockedChroot) -> Vec<String> {
    let mut lines = Vec::new();
    match (&old.image, &new.image) {
        (Some(before), Some(after)) if before != after => lines.push("image changed".to_owned()),
        (None, Some(_)) => lines.push("image locked".to_owned()),
        (_, None) | (Some(_), Some(_)) => {}
    }
    for (name, repository) in &new.repositories {
        if let Some(before) = old.repositories.get(name)
            && before.repomd != repository.repomd
        {
            lines.push(format!("repository {name} changed"));
        }
    }
    let (old, new) = (by_name(old), by_name(new));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (before, after) = (old.get(name), new.get(name));
        lines.extend(change_of(name, before.map(Vec::as_slice), after.map(Vec::as_slice)));
    }
    lines
}

type Named<'l> = BTreeMap<(&'l str, &'l str), Vec<&'l LockedPackage>>;

fn by_name(chroot: &LockedChroot) -> Named<'_> {
    let mut named = Named::new();
    for package in chroot.packages.values() {
        named.entry((&package.name, &package.arch)).or_default().push(package);
    }
    named
}

fn change_of(
    (name, arch): &(&str, &str),
    before: Option<&[&LockedPackage]>,
    after: Option<&[&LockedPackage]>,
) -> Option<String> {
    let versions = |packages: &[&LockedPackage]| {
        packages.iter().map(|package| package.evr.as_str()).collect::<Vec<_>>().join(", ")
    };
    Some(match (before, after) {
        (None, Some(after)) => {
            let from = after.first().map(|package| package.repository.as_str()).unwrap_or_default();
            format!("new   {name}.{arch} {} ({from})", versions(after))
        }
        (Some(before), None) => format!("gone  {name}.{arch} {}", versions(before)),
        (Some(before), Some(after)) if versions(before) != versions(after) => {
            let rises = match (before, after) {
                ([one], [other]) => Evr::parse(&one.evr).compare(&Evr::parse(&other.evr)).is_lt(),
                _ => true,
            };
            let word = if rises { "up  " } else { "down" };
            format!("{word}  {name}.{arch} {} → {}", versions(before), versions(after))
        }
        (Some([one]), Some([other])) if one.repository != other.repository => {
            format!("from  {name}.{arch} {}: {} → {}", one.evr, one.repository, other.repository)
        }
        (Some([one]), Some([other])) if one.checksum != other.checksum => {
            format!("other {name}.{arch} {}: the file is another one", one.evr)
        }
        (Some(_), Some(_)) | (None, None) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chroot::Checksum;

    fn chroot(packages: &[(&str, &str, &str)]) -> LockedChroot {
        let mut chroot = LockedChroot::default();
        for (name, evr, repository) in packages {
            let package = LockedPackage {
                name: (*name).to_owned(),
                evr: (*evr).to_owned(),
                arch: "x86_64".to_owned(),
                repository: (*repository).to_owned(),
                href: String::new(),
                checksum: Checksum::new("sha256", &"0".repeat(64)).unwrap(),
                size: 1,
            };
            chroot.packages.insert(package.nevra(), package);
        }
        chroot
    }

    #[test]
    fn what_is_up_down_new_gone_or_from_elsewhere_is_told() {
        let old =
            chroot(&[("a", "1-9", "base"), ("b", "2-1", "base"), ("c", "1-1", "base"), ("d", "1-1", "base")]);
        let new = chroot(&[
            ("a", "1-10", "base"),
            ("b", "2~rc1-1", "base"),
            ("d", "1-1", "extra"),
            ("e", "1-1", "extra"),
        ]);
        let expected = [
            "up    a.x86_64 1-9 → 1-10",
            "down  b.x86_64 2-1 → 2~rc1-1",
            "gone  c.x86_64 1-1",
            "from  d.x86_64 1-1: base → extra",
            "new   e.x86_64 1-1 (extra)",
        ];
        assert_eq!(changes_of(&old, &new), expected);
        let lock = |chroot| Lock { chroots: BTreeMap::from([("el9".to_owned(), chroot)]) };
        assert_eq!(describe_changes(&lock(old.clone()), &lock(old)), "nothing has changed\n");
    }
}
