//! The repository as a folder of files.

use std::fs;
use std::time::SystemTime;

use rpmforge::package::{Headers, Tag, read_headers};

use super::make;

fn packages() -> Vec<Headers> {
    let folder = make::repository().join("Packages");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| read_headers(&mut fs::File::open(path).unwrap()).unwrap()).collect()
}

#[test]
fn a_second_run_makes_nothing() {
    let changed = || -> SystemTime {
        let metadata = fs::metadata(make::repository().join("repodata/repomd.xml")).unwrap();
        metadata.modified().unwrap()
    };
    assert_eq!(changed(), changed());
}

#[test]
fn it_has_what_real_distributions_have() {
    let packages = packages();
    assert!((280..=450).contains(&packages.len()), "{} packages", packages.len());
    let having = |tag: Tag, holds: &dyn Fn(&str) -> bool| {
        let texts = packages
            .iter()
            .filter(|package| package.header.texts(tag).iter().any(|text| holds(&text.to_string())));
        texts.count()
    };
    let at_least = [
        (having(Tag::REQUIRENAME, &|name| name.starts_with('(')), 5, "rich dependencies"),
        (having(Tag::REQUIRENAME, &|name| name.starts_with("libc.so.6(GLIBC_")), 100, "versions of symbols"),
        (having(Tag::PROVIDENAME, &|name| name.starts_with("pkgconfig(")), 15, "pkg-config files"),
        (having(Tag::PROVIDENAME, &|name| name.starts_with("perl(")), 3, "modules of Perl"),
        (having(Tag::PROVIDENAME, &|name| name.starts_with("python3dist(")), 3, "packages of Python"),
        (having(Tag::PROVIDENAME, &|name| name == "awk"), 2, "names that several packages provide"),
        (having(Tag::REQUIRENAME, &|name| name == "/bin/sh" || name == "/usr/bin/perl"), 15, "needed files"),
        (having(Tag::CONFLICTNAME, &|_| true), 30, "conflicts"),
        (having(Tag::OBSOLETENAME, &|_| true), 10, "obsoletes"),
        (having(Tag::RECOMMENDNAME, &|_| true), 20, "recommendations"),
        (having(Tag::SUGGESTNAME, &|_| true), 20, "suggestions"),
        (having(Tag::PREIN, &|_| true), 2, "users and groups"),
        (having(Tag::POSTINPROG, &|program| program == "/sbin/ldconfig"), 4, "calls of ldconfig"),
        (having(Tag::PRETRANSPROG, &|program| program == "<lua>"), 1, "scripts in Lua"),
        (having(Tag::TRANSFILETRIGGERNAME, &|folder| folder == "/usr/lib"), 1, "file triggers"),
        (having(Tag::FILECAPS, &|_| true), 1, "capabilities"),
        (having(Tag::FILEGROUPNAME, &|group| group != "root"), 4, "files of others than root"),
        (having(Tag::VERSION, &|version| version.contains(['~', '+'])), 10, "versions with ~ and +"),
    ];
    for (found, least, what) in at_least {
        assert!(found >= least, "{found} packages with {what}, not {least}");
    }
    let with_epoch = packages.iter().filter(|package| package.header.has(Tag::EPOCH)).count();
    assert!(with_epoch >= 20, "{with_epoch} packages with an epoch");
}
