//! Repositories that are broken, or mean harm: each is refused with its code, and nothing wrong is in the store.

use std::collections::BTreeMap;
use std::io::Write;

use rpmforge::chroot::{OlderMetadata, RepositorySource};

use crate::server::{Answer, Manner, Server};
use crate::site::{Site, User, at, entry, from, locked, made, package, primary, sha256};

type Files = BTreeMap<String, Vec<u8>>;

/// What is said of a repository with these files, all of its metadata being read.
#[track_caller]
fn refused(files: Files, code: &str) -> String {
    let server = Server::with_files(files);
    let user = User::new();
    user.refused(user.packages(&at(server.url(""))), code)
}

#[track_caller]
fn refused_primary(content: impl AsRef<[u8]>, code: &str) -> String {
    refused(made(&[("primary", content.as_ref())]), code)
}

/// The files of a sound repository, changed.
fn changed(change: impl Fn(&str, &mut Vec<u8>)) -> Files {
    let mut files = Site::with_packages().files();
    files.iter_mut().for_each(|(path, content)| change(path, content));
    files
}

fn is_primary(path: &str) -> bool {
    path.contains("primary.xml")
}

#[test]
fn metadata_with_a_wrong_checksum_are_refused() {
    let files = changed(|path, content| {
        if is_primary(path) {
            *content.last_mut().unwrap() ^= 1;
        }
    });
    let shown = refused(files, "forge::chroot::not_fetched");
    assert!(shown.starts_with("repository `updates`: repodata/"), "{shown}");
}

#[test]
fn truncated_metadata_are_refused() {
    let files = changed(|path, content| {
        if is_primary(path) {
            content.truncate(content.len() / 2);
        }
    });
    refused(files, "forge::chroot::not_fetched");
    // Truncated where it was made: checksums and sizes are right.
    let whole = primary(&[entry("alpha", "alpha.rpm"), entry("beta", "beta.rpm")]);
    for cut in [0, 1, 20, 150, 400, whole.len() - 5] {
        refused_primary(&whole[..cut], "forge::chroot::metadata");
    }
    let gzip = {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(whole.as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    refused_primary(&gzip[..gzip.len() / 2], "forge::chroot::metadata");
}

#[test]
fn a_zip_bomb_is_stopped() {
    let begin = primary(&[]).replace("</metadata>", "");
    let mut zstd = zstd::Encoder::new(Vec::new(), 3).unwrap();
    zstd.write_all(begin.as_bytes()).unwrap();
    for _ in 0..64 {
        zstd.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = zstd.finish().unwrap();
    assert!(bomb.len() < 100_000);
    // It says itself how large it is, or not: then a text without end is stopped.
    let mut files = made(&[("primary", &bomb)]);
    refused(files.clone(), "forge::chroot::metadata_too_large");
    let repomd = String::from_utf8(files["repodata/repomd.xml"].clone()).unwrap();
    let says_size = repomd.replace("</size>", "</size><open-size>1000</open-size>");
    files.insert("repodata/repomd.xml".to_owned(), says_size.into_bytes());
    let shown = refused(files.clone(), "forge::chroot::metadata_too_large");
    assert!(shown.contains("1000"), "{shown}");
    let boasts = repomd.replace("</size>", "</size><open-size>99999999999</open-size>");
    files.insert("repodata/repomd.xml".to_owned(), boasts.into_bytes());
    refused(files, "forge::chroot::metadata_too_large");
}

#[test]
fn xml_without_end_is_stopped() {
    let deep = "<a>".repeat(10_000);
    refused_primary(primary(&[deep]), "forge::chroot::metadata_too_large");
    let long_tag = format!("<package {}", "a=\"b\" ".repeat(1 << 20));
    refused_primary(primary(&[long_tag]), "forge::chroot::metadata_too_large");
    let long_attribute = format!("<package type=\"{}\"/>", "a".repeat(100_000));
    refused_primary(primary(&[long_attribute]), "forge::chroot::metadata_too_large");
    let comment = format!("<!--{}-->", "a".repeat(5 << 20));
    refused_primary(primary(&[comment]), "forge::chroot::metadata_too_large");
    let endless = Server::start(|request| match request.path.as_str() {
        "/repodata/repomd.xml" => {
            Answer::ok("<repomd>  ".repeat(100)).says_length(None).manner(Manner::Endless)
        }
        _ => Answer::status(404),
    });
    let user = User::new();
    let shown = user.refused(user.load(&at(endless.url(""))), "forge::chroot::not_fetched");
    assert!(shown.contains("repodata/repomd.xml"), "{shown}");
}

#[test]
fn entity_bombs_do_not_go_off() {
    let mut bomb = "<!DOCTYPE metadata [<!ENTITY a0 \"boom\">".to_owned();
    for level in 1..30 {
        let before = format!("&a{};", level - 1);
        bomb += &format!("<!ENTITY a{level} \"{before}{before}\">");
    }
    bomb += "]>";
    refused_primary(bomb.clone() + &primary(&[]), "forge::chroot::metadata_entities");
    let uses = entry("alpha", "alpha.rpm").replace("<name>alpha", "<name>&a29;");
    let shown = refused_primary(primary(&[uses]), "forge::chroot::metadata_entities");
    assert!(shown.contains("`a29`"), "{shown}");
    let in_attribute = entry("alpha", "alpha.rpm").replace("ver=\"1\"", "ver=\"&a29;\"");
    refused_primary(primary(&[in_attribute]), "forge::chroot::metadata_entities");
    let file = "<!DOCTYPE metadata [<!ENTITY file SYSTEM \"file:///etc/passwd\">]>".to_owned();
    refused_primary(file + &primary(&[]), "forge::chroot::metadata_entities");
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in ["../../etc/passwd", "a/b", "..", "a&#10;b", "a&#27;[2Jb", ""] {
        refused_primary(primary(&[entry(name, "alpha.rpm")]), "forge::chroot::dangerous_name");
    }
    for href in ["../../../etc/passwd", "/etc/passwd", "a/../../b.rpm", "a&#10;.rpm"] {
        let shown = refused_primary(primary(&[entry("alpha", href)]), "forge::chroot::dangerous_name");
        assert!(!shown.contains('\n'), "{shown}");
    }
    for file in ["etc/passwd", "/usr/../../etc/passwd", "/a&#10;b"] {
        let package = entry("alpha", "a.rpm").replace("<rpm:vendor/>", &format!("<file>{file}</file>"));
        refused_primary(primary(&[package]), "forge::chroot::dangerous_name");
    }
    let elsewhere = entry("alpha", "passwd").replace("<location ", "<location xml:base=\"file:///etc\" ");
    refused_primary(primary(&[elsewhere]), "forge::chroot::dangerous_name");
    let repomd = String::from_utf8(made(&[("primary", b"")])["repodata/repomd.xml"].clone()).unwrap();
    for href in ["../../../etc/passwd", "/etc/passwd"] {
        let wrong = repomd.replace("repodata/primary.xml", href);
        refused(
            [("repodata/repomd.xml".to_owned(), wrong.into_bytes())].into(),
            "forge::chroot::dangerous_name",
        );
    }
    let list = "<filelists><package pkgid=\"a\" name=\"alpha\"><file>/../etc</file></package></filelists>";
    let sound = primary(&[entry("alpha", "alpha.rpm")]);
    let files = made(&[("primary", sound.as_bytes()), ("filelists", list.as_bytes())]);
    refused(files, "forge::chroot::dangerous_name");
}

#[test]
fn two_files_for_one_package_are_refused() {
    let twice = primary(&[entry("alpha", "alpha.rpm"), entry("alpha", "other.rpm")]);
    let shown = refused_primary(twice, "forge::chroot::package_twice");
    assert!(shown.contains("alpha-1-1.noarch"), "{shown}");
    // The same file at two places is one package.
    let copy = entry("alpha", "copy.rpm").replace(sha256(b"copy.rpm").hex(), sha256(b"alpha.rpm").hex());
    let server =
        Server::with_files(made(&[("primary", primary(&[entry("alpha", "alpha.rpm"), copy]).as_bytes())]));
    assert_eq!(User::new().packages(&at(server.url(""))).unwrap().len(), 1);
    let site = Site::new();
    site.add("alpha", "1.0", None);
    std::fs::write(
        site.path().join("other.rpm"),
        package("alpha", "1.0", Some(&crate::keys::TestKey::new())),
    )
    .unwrap();
    let user = User::new();
    user.refused(
        user.load(&from(RepositorySource::Folder(site.host_path()))),
        "forge::chroot::package_twice",
    );
}

#[test]
fn weak_checksums_are_refused_by_name() {
    for algorithm in ["md5", "sha", "sha1"] {
        let package = entry("alpha", "alpha.rpm")
            .replace("checksum type=\"sha256\"", &format!("checksum type=\"{algorithm}\""));
        let shown = refused_primary(primary(&[package]), "forge::chroot::weak_checksum");
        assert!(shown.contains(&format!("{algorithm}:")), "{shown}");
    }
    let site = Site::new();
    site.add("alpha", "1.0", None);
    site.index(&["--repomd-checksum", "sha1"]);
    refused(site.files(), "forge::chroot::weak_checksum");
}

#[test]
fn what_is_no_metadata_is_refused() {
    for content in [
        "",
        "<html><body>Log in to the network</body></html>",
        "<repomd></repomd>",
        "<repomd><data/></repomd>",
    ] {
        let files = [("repodata/repomd.xml".to_owned(), content.as_bytes().to_vec())].into();
        refused(files, "forge::chroot::metadata");
    }
    for content in [
        "<metadata/><metadata/>",
        "<metadata><package><name>a</name></package></metadata>",
        "\0ZCK1 zchunk",
        "<metadata>&#0;</metadata>",
    ] {
        let server = Server::with_files(made(&[("primary", content.as_bytes())]));
        let user = User::new();
        assert!(user.packages(&at(server.url(""))).is_err(), "{content}");
        user.assert_sound();
    }
    refused(BTreeMap::new(), "forge::chroot::not_fetched");
}

#[test]
fn older_metadata_than_those_seen_or_locked_are_refused_unless_that_is_allowed() {
    let site = Site::new();
    site.add("alpha", "1.0", None);
    site.index(&["--revision", "1000", "--set-timestamp-to-revision"]);
    let old = site.files();
    site.add("alpha", "2.0", None);
    site.index(&["--revision", "2000", "--set-timestamp-to-revision"]);
    let (old, new) = (Server::with_files(old), Server::with_files(site.files()));
    let mirrors = Server::start({
        let lists = [
            format!("{}\n", new.url("")),
            format!("{}\n", old.url("")),
            format!("{}\n{}\n", old.url(""), new.url("")),
        ];
        move |request| Answer::ok(lists[request.earlier.min(2)].clone())
    });
    let mut request = from(RepositorySource::MirrorList(mirrors.url("list")));
    let user = User::new();
    let seen = user.load(&request).unwrap();
    let shown = user.refused(user.load(&request), "forge::chroot::older_metadata");
    assert!(shown.contains("1970-01-01T00:16:40Z") && shown.contains("1970-01-01T00:33:20Z"), "{shown}");
    // A mirror that is behind is left for one that isn't.
    assert_eq!(user.load(&request).unwrap().state, seen.state);
    // Who has seen nothing knows it from the lock.
    let other = User::new();
    request = at(old.url(""));
    request.locked = Some(seen.state.clone());
    other.refused(other.load(&request), "forge::chroot::older_metadata");
    request.older_metadata = OlderMetadata::Allowed;
    assert_eq!(other.load(&request).unwrap().state.revision, "1000");
}

#[test]
fn a_package_that_is_not_what_metadata_say_is_refused() {
    let site = Site::with_packages();
    let user = User::new();
    let request = from(RepositorySource::Folder(site.host_path()));
    let packages = user.packages(&request).unwrap();
    let blobs = user.blobs();
    // Another version under its name, in metadata that were made for it.
    let mut other = locked(&packages[0]);
    other.evr = "9.0-1".to_owned();
    let shown = user.refused(user.fetch(&[other], &request), "forge::chroot::other_package");
    assert!(shown.contains("is alpha-1.0-1.noarch, and should be alpha-9.0-1.noarch"), "{shown}");
    // Another content, as long as the one that was meant.
    let path = site.path().join(&packages[0].href);
    let mut content = std::fs::read(&path).unwrap();
    *content.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &content).unwrap();
    user.refused(user.fetch(&[locked(&packages[0])], &request), "forge::chroot::not_fetched");
    // No package at all.
    std::fs::write(&path, "no package").unwrap();
    let mut none = locked(&packages[0]);
    (none.checksum, none.size) = (sha256(b"no package"), 10);
    user.refused(user.fetch(&[none], &request), "forge::chroot::broken_package");
    let mut elsewhere = locked(&packages[0]);
    elsewhere.repository = "gone".to_owned();
    user.refused(user.fetch(&[elsewhere], &request), "forge::chroot::unknown_repository");
    assert_eq!(user.blobs(), blobs, "nothing of it is in the store");
}

#[test]
fn a_package_from_mirrors_that_fail_comes_from_the_one_that_works() {
    let site = Site::with_packages();
    let sound = Server::with_files(site.files());
    let is_package = |path: &str| path.ends_with(".rpm");
    let with = |manner: Manner| {
        let files = site.files();
        Server::start(move |request| match files.get(request.path.trim_start_matches('/')) {
            Some(content) if is_package(&request.path) => Answer::ok(content.clone()).manner(manner),
            Some(content) => Answer::ok(content.clone()),
            None => Answer::status(404),
        })
    };
    let bad = [with(Manner::StallAfter(50)), with(Manner::CutAfter(50)), with(Manner::Slow)];
    let urls: Vec<String> = bad.iter().chain([&sound]).map(|server| server.url("")).collect();
    let user = User::new();
    let request = from(RepositorySource::BaseUrls(urls.clone()));
    let packages: Vec<_> = user.packages(&request).unwrap().iter().map(locked).collect();
    user.fetch(&packages, &request).unwrap();
    user.assert_sound();
    let other = User::new();
    let hopeless = from(RepositorySource::BaseUrls(urls[..3].to_vec()));
    other.refused(other.fetch(&packages, &hopeless), "forge::chroot::not_fetched");
    assert_eq!(other.blobs(), 0);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let user = User::new();
    let missing = rpmforge::files::HostPath::new("/nonexistent/repository").unwrap();
    let shown =
        user.refused(user.load(&from(RepositorySource::Folder(missing))), "forge::chroot::repository_folder");
    assert!(shown.contains("/nonexistent/repository"), "{shown}");
    let site = Site::new();
    std::fs::write(site.path().join("broken.rpm"), "no package").unwrap();
    user.refused(
        user.load(&from(RepositorySource::Folder(site.host_path()))),
        "forge::chroot::broken_package",
    );
}
