//! Sound repositories, as createrepo_c makes them.

use std::fs;

use rpmforge::chroot::{Connection, FileLists, Membership, RepositorySource};
use rpmforge::package::Dependency;

use crate::server::{Answer, Server};
use crate::site::{Site, User, at, entry, from, locked, made, primary};

const COMPS: &str = r#"<?xml version="1.0"?><!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group><id>buildsys-build</id><name>Buildsystem</name><name xml:lang="de">Bausystem</name>
    <packagelist>
      <packagereq type="mandatory">alpha</packagereq><packagereq type="default">beta</packagereq>
      <packagereq type="conditional" requires="gamma">delta</packagereq><packagereq type="optional">eta</packagereq>
    </packagelist></group>
  <environment><id>all</id><name>All</name><grouplist><groupid>buildsys-build</groupid></grouplist></environment>
</comps>"#;

#[test]
fn every_way_of_packing_metadata_is_read() {
    for compression in ["xz", "gz", "bz2"] {
        let site = Site::new();
        site.add("alpha", "1.0", None);
        site.add("beta", "2.0", None);
        site.index(&["--general-compress-type", compression]);
        let server = Server::with_files(site.files());
        let user = User::new();
        let packages = user.packages(&at(server.url(""))).unwrap();
        let nevras: Vec<String> = packages.iter().map(|package| locked(package).nevra()).collect();
        assert_eq!(nevras, ["alpha-1.0-1.noarch", "beta-2.0-1.noarch"], "{compression}");
        let alpha = &packages[0];
        assert_eq!(alpha.files, ["/usr/bin/alpha", "/usr/share/alpha/readme"]);
        assert_eq!((alpha.vendor.as_str(), alpha.href.as_str()), ("Acme", "Packages/alpha-1.0-1.noarch.rpm"));
        let requires: Vec<String> =
            alpha.relations.requires.iter().map(|requirement| requirement.dependency.to_string()).collect();
        assert_eq!(requires, ["/bin/sh", "gamma >= 1:3.0"]);
        assert!(alpha.relations.provides.contains(&Dependency::from_fields("alpha", 8, "1.0-1")));
        user.assert_sound();
    }
}

#[test]
fn metadata_that_are_packed_with_zstd_or_not_at_all_are_read() {
    let plain = primary(&[entry("alpha", "alpha.rpm")]);
    for content in [plain.clone().into_bytes(), zstd::encode_all(plain.as_bytes(), 3).unwrap()] {
        let server = Server::with_files(made(&[("primary", &content)]));
        let user = User::new();
        let packages = user.packages(&at(server.url(""))).unwrap();
        assert_eq!(
            packages.iter().map(|package| locked(package).nevra()).collect::<Vec<_>>(),
            ["alpha-1-1.noarch"]
        );
        user.assert_sound();
    }
}

#[test]
fn a_folder_with_and_without_metadata_says_the_same() {
    let site = Site::with_packages();
    let user = User::new();
    let request = from(RepositorySource::Folder(site.host_path()));
    let mut with_metadata = user.packages(&request).unwrap();
    fs::remove_dir_all(site.path().join("repodata")).unwrap();
    let mut without = user.packages(&request).unwrap();
    for package in with_metadata.iter_mut().chain(&mut without) {
        package.files.sort();
        package.relations.provides.sort();
        package.relations.requires.sort_by(|a, b| a.dependency.cmp(&b.dependency));
    }
    assert_eq!(with_metadata, without);
    let blobs = user.fetch(&without.iter().map(locked).collect::<Vec<_>>(), &request).unwrap();
    assert!(blobs.iter().all(|blob| user.store.has_sound(blob)));
    user.assert_sound();
}

#[test]
fn files_outside_of_programs_and_configuration_come_only_where_all_are_asked_for() {
    let site = Site::with_packages();
    let server = Server::with_files(site.files());
    let user = User::new();
    let repository = user.load(&at(server.url(""))).unwrap();
    let mut files = Vec::new();
    let read = repository
        .read_packages(&user.access(), FileLists::OnlyPrimary, |package| files.extend(package.files));
    read.unwrap();
    assert_eq!(files, ["/usr/bin/alpha", "/usr/bin/beta"]);
    assert!(!server.paths().iter().any(|path| path.contains("filelists")));
}

#[test]
fn groups_are_read() {
    let site = Site::with_packages();
    let comps = site.path().join("comps.xml");
    fs::write(&comps, COMPS).unwrap();
    site.index(&["-g", comps.to_str().unwrap()]);
    let user = User::new();
    let repository = user.load(&from(RepositorySource::Folder(site.host_path()))).unwrap();
    let groups = repository.read_groups(&user.access()).unwrap();
    for name in ["buildsys-build", "Buildsystem", "all", "All"] {
        let members: Vec<_> = groups.named(name)[0].members.iter().map(|member| &member.membership).collect();
        let conditional = Membership::Conditional("gamma".to_owned());
        assert_eq!(
            members,
            [&Membership::Mandatory, &Membership::Default, &conditional, &Membership::Optional]
        );
    }
    assert!(groups.named("Bausystem").is_empty());
}

#[test]
fn what_has_not_changed_is_not_fetched_again_and_is_there_offline() {
    let site = Site::with_packages();
    let files = site.files();
    let server = Server::start(move |request| {
        let Some(content) = files.get(request.path.trim_start_matches('/')) else {
            return Answer::status(404);
        };
        match request.headers.get("if-none-match").map(String::as_str) {
            Some("\"1\"") => Answer::status(304),
            _ => Answer::ok(content.clone()).header("ETag", "\"1\""),
        }
    });
    let mut user = User::new();
    let request = at(server.url(""));
    let first = user.packages(&request).unwrap();
    let asked = server.paths().len();
    assert_eq!(user.packages(&request).unwrap(), first);
    assert_eq!(server.paths()[asked..], ["/repodata/repomd.xml"]);
    user.connection = Connection::Offline;
    assert_eq!(user.packages(&request).unwrap(), first);
    assert_eq!(server.paths().len(), asked + 1);
    let missing: Vec<_> = first.iter().map(locked).collect();
    user.refused(user.fetch(&missing, &request), "forge::chroot::not_stored");
    user.refused(user.load(&at(server.url("other"))), "forge::chroot::not_stored");
}

#[test]
fn variables_of_addresses_get_their_values() {
    let site = Site::with_packages();
    let files = site.files().into_iter().map(|(path, content)| (format!("42/noarch/{path}"), content));
    let server = Server::with_files(files.collect());
    let user = User::new();
    let mut request = at(server.url("$releasever/${basearch}/"));
    let shown = user.refused(user.load(&request), "forge::chroot::repository_variable");
    assert!(shown.contains("`releasever`"), "{shown}");
    request.variables = [("releasever", "42"), ("basearch", "noarch")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let repository = user.load(&request).unwrap();
    assert_eq!(repository.state.url, server.url("42/noarch/"));
}

#[test]
fn patterns_say_which_packages_count() {
    let user = User::new();
    let mut request = at("http://mirror.example/".to_owned());
    request.exclude = vec!["alpha*".to_owned()];
    let filter = request.filter().unwrap();
    assert!(!filter.takes("alpha", "1.0-1", "noarch") && filter.takes("beta", "1.0-1", "noarch"));
    request.exclude = vec!["[".to_owned()];
    user.refused(request.filter(), "forge::chroot::package_pattern");
}

#[test]
fn packages_are_fetched_once_and_by_their_checksums() {
    let site = Site::with_packages();
    let server = Server::with_files(site.files());
    let user = User::new();
    let request = at(server.url(""));
    let packages: Vec<_> = user.packages(&request).unwrap().iter().map(locked).collect();
    let blobs = user.fetch(&packages, &request).unwrap();
    let sizes: Vec<u64> = blobs.iter().map(|blob| blob.size).collect();
    assert_eq!(sizes, [packages[0].size, packages[1].size]);
    let asked = server.paths().len();
    assert_eq!(user.fetch(&packages, &request).unwrap(), blobs);
    assert_eq!(server.paths().len(), asked);
    user.assert_sound();
    // One that is lost is fetched again, and only that one.
    let name = blobs[1].digest.to_string();
    user.store.folder().remove_file(format!("blobs/{}/{name}", &name[..2])).unwrap();
    assert_eq!(user.fetch(&packages, &request).unwrap(), blobs);
    assert_eq!(server.paths()[asked..], ["/Packages/beta-2.0-1.noarch.rpm"]);
}

#[test]
fn several_at_once_fetch_the_same_without_taking_it_from_each_other() {
    let site = Site::with_packages();
    let server = Server::with_files(site.files());
    let user = User::new();
    let request = at(server.url(""));
    let packages: Vec<_> = user.packages(&request).unwrap().iter().map(locked).collect();
    let twice = [packages.clone(), packages].concat();
    let (user, request, twice) = (&user, &request, &twice);
    let all: Vec<_> = std::thread::scope(|scope| {
        let fetches: Vec<_> =
            (0..4).map(|_| scope.spawn(move || user.fetch(twice, request).unwrap())).collect();
        fetches.into_iter().map(|fetch| fetch.join().unwrap()).collect()
    });
    assert!(all.iter().all(|blobs| *blobs == all[0]));
    user.assert_sound();
}
