//! The plain layout of a repository: `Packages/x/NAME.rpm`, by the first letter, as people and mirrors know it.
//!
//! A client that has read an earlier `repomd.xml` asks for packages by the paths that stand there: what lies at a path must never become
//! another file. So a package that has the name of another one which is still there (published, kept, or superseded a moment ago) lies
//! beside it, in a folder of its own: `Packages/h/hello-0123456789ab/hello-1-1.noarch.rpm`. What is published already stays where it is.

use std::collections::HashMap;

use super::paths::{plain_path, plain_path_beside};
use super::record::{PublishedPackage, RepositoryRecord};
use super::section::in_section;
use crate::digest::Digest;

/// Which paths are free.
pub(super) struct PlainLayout {
    taken: HashMap<String, Tenant>,
}

/// What lies at a path.
struct Tenant {
    /// The package that it is of; none where nothing names it any more.
    package: Option<String>,
    content: Digest,
}

impl PlainLayout {
    /// What is taken in a repository.
    pub fn new(record: &RepositoryRecord) -> Self {
        let all =
            record.files().map(|file| (file.path.clone(), Tenant { package: None, content: file.blake3 }));
        let mut taken: HashMap<String, Tenant> = all.collect();
        for package in &record.packages {
            for file in &package.files {
                let tenant = Tenant { package: Some(package.package.clone()), content: file.blake3 };
                taken.insert(file.path.clone(), tenant);
            }
        }
        Self { taken }
    }

    /// Gives the files of a package that comes in their paths.
    pub fn place(&mut self, package: &mut PublishedPackage) {
        let name = package.package.clone();
        for file in package.files.make_mut() {
            let section = file.section();
            let plain = in_section(section, &plain_path(file.name()));
            let beside = in_section(section, &plain_path_beside(&name, &file.blake3, file.name()));
            let is_there = |path: &String| {
                self.taken.get(path).is_some_and(|tenant| {
                    tenant.content == file.blake3 && tenant.package.as_ref().is_none_or(|own| *own == name)
                })
            };
            let is_free = |path: &String| !self.taken.contains_key(path);
            let known = [&plain, &beside].into_iter().find(|path| is_there(path)).cloned();
            let path = known.unwrap_or_else(|| if is_free(&plain) { plain } else { beside });
            let tenant = Tenant { package: Some(name.clone()), content: file.blake3 };
            self.taken.insert(path.clone(), tenant);
            file.path = path;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::event::Timestamp;
    use crate::publish::owner::Owner;
    use crate::publish::record::{Keeping, PublishedFile};
    use crate::publish::superseded::supersede;

    fn package(name: &str, file: &str, content: &str) -> PublishedPackage {
        let blake3 = Digest::compute(content.as_bytes());
        let path = format!("{name}-0123456789ab/{file}");
        let (sha256, nevra) = ("0".repeat(64), Some("x-1-1.noarch".to_owned()));
        let file = PublishedFile { path, size: 0, sha256, blake3, nevra, times: None };
        let (key, signed, keeping) = (None, None, Keeping::default());
        PublishedPackage { package: name.to_owned(), key, files: vec![file].into(), signed, keeping }
    }

    fn empty() -> RepositoryRecord {
        RepositoryRecord::empty(Owner::new(None, Path::new("/a"), Path::new("/b")), "host")
    }

    fn placed(record: &RepositoryRecord, mut package: PublishedPackage) -> PublishedPackage {
        PlainLayout::new(record).place(&mut package);
        package
    }

    #[test]
    fn a_package_that_would_replace_another_of_its_name_lies_beside_it_until_that_has_gone() {
        let mut record = empty();
        let first = placed(&record, package("a", "a-1-1.noarch.rpm", "one"));
        assert_eq!(first.files[0].path, "Packages/a/a-1-1.noarch.rpm");
        record.packages = vec![first.clone()].into();
        assert_eq!(placed(&record, package("a", "a-1-1.noarch.rpm", "one")), first, "it stays");
        let second = placed(&record, package("a", "a-1-1.noarch.rpm", "two"));
        let path = &second.files[0].path;
        assert!(path.starts_with("Packages/a/a-") && path.ends_with("/a-1-1.noarch.rpm"), "{path}");
        record.superseded = supersede(&record, std::slice::from_ref(&second), &[], Timestamp(0));
        record.packages = vec![second.clone()].into();
        assert_eq!(placed(&record, package("a", "a-1-1.noarch.rpm", "two")), second, "it stays");
        let third = placed(&record, package("a", "a-1-1.noarch.rpm", "three"));
        assert!(third.files[0].path.starts_with("Packages/a/a-"), "the first is still there");
        assert_eq!(placed(&record, package("a", "a-1-1.noarch.rpm", "one")), first, "it comes back");
        record.superseded.clear();
        let fourth = placed(&record, package("a", "a-1-1.noarch.rpm", "four"));
        assert_eq!(fourth.files[0].path, "Packages/a/a-1-1.noarch.rpm");
    }

    #[test]
    fn two_packages_with_files_of_one_name_have_two_paths() {
        let mut layout = PlainLayout::new(&empty());
        let mut both = [package("a", "x-1-1.noarch.rpm", "same"), package("b", "x-1-1.noarch.rpm", "same")];
        both.iter_mut().for_each(|package| layout.place(package));
        let paths = both.map(|package| package.files[0].path.clone());
        assert_eq!(paths[0], "Packages/x/x-1-1.noarch.rpm");
        assert!(paths[1].starts_with("Packages/x/b-"), "{paths:?}");
    }
}
