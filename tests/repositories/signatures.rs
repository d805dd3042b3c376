//! Metadata and packages that are signed: by whom, and whether that counts.

use std::fs;

use pgp::crypto::hash::HashAlgorithm;
use rpmforge::chroot::{
    Connection, DeclaredKey, KeyPlace, RepositoryRequest, RepositorySource, SignatureRule,
};
use rpmforge::files::HostPath;

use crate::keys::TestKey;
use crate::server::{Answer, Server};
use crate::site::{Site, User, at, from, locked};

/// A repository whose metadata are signed, and that asks for it with `declared`.
fn signed_with(signer: &TestKey, declared: &TestKey) -> (Site, RepositoryRequest) {
    let site = Site::with_packages();
    site.sign(signer);
    let request = requiring(&site, &[declared]);
    (site, request)
}

/// A request for the repository in a folder whose metadata are signed with one of these keys.
fn requiring(site: &Site, declared: &[&TestKey]) -> RepositoryRequest {
    let mut request = from(RepositorySource::Folder(site.host_path()));
    request.metadata_signature = SignatureRule::Required;
    request.keys = vec![key_file(site, declared)];
    request
}

fn key_file(site: &Site, keys: &[&TestKey]) -> DeclaredKey {
    let path = site.path().join("keys.asc");
    fs::write(&path, keys.iter().map(|key| key.public()).collect::<String>()).unwrap();
    DeclaredKey { place: KeyPlace::File(HostPath::new(path).unwrap()), fingerprints: Vec::new() }
}

#[test]
fn metadata_that_a_declared_key_has_signed_are_taken() {
    for key in [TestKey::new(), TestKey::with_subkey(), TestKey::expiring_after(1000)] {
        let (site, mut request) = signed_with(&key, &key);
        User::new().load(&request).unwrap();
        // Of several keys in a file, too, and by its fingerprint.
        request.keys = vec![key_file(&site, &[&TestKey::new(), &key])];
        request.keys[0].fingerprints = vec![key.fingerprint().to_lowercase()];
        User::new().load(&request).unwrap();
    }
}

#[test]
fn metadata_without_signature_are_refused_where_one_is_asked_for() {
    let key = TestKey::new();
    let (site, request) = signed_with(&key, &key);
    fs::remove_file(site.path().join("repodata/repomd.xml.asc")).unwrap();
    let user = User::new();
    user.refused(user.load(&request), "forge::chroot::not_signed");
    let server = Server::with_files(site.files());
    let request = RepositoryRequest { source: RepositorySource::BaseUrls(vec![server.url("")]), ..request };
    user.refused(user.load(&request), "forge::chroot::not_signed");
    fs::write(site.path().join("repodata/repomd.xml.asc"), "no signature").unwrap();
    let request = requiring(&site, &[&key]);
    user.refused(user.load(&request), "forge::chroot::wrong_signature");
    assert_eq!(user.blobs(), 0);
}

#[test]
fn metadata_that_were_changed_after_they_were_signed_are_refused() {
    let key = TestKey::new();
    let (site, request) = signed_with(&key, &key);
    let repomd = site.path().join("repodata/repomd.xml");
    let text = fs::read_to_string(&repomd).unwrap();
    fs::write(&repomd, text.replace("<revision>", "<revision>9")).unwrap();
    let user = User::new();
    user.refused(user.load(&request), "forge::chroot::wrong_signature");
    assert_eq!(user.blobs(), 0);
}

#[test]
fn the_wrong_key_is_refused_by_its_fingerprint() {
    let (key, other) = (TestKey::new(), TestKey::new());
    let (_site, request) = signed_with(&other, &key);
    let user = User::new();
    let shown = user.refused(user.load(&request), "forge::chroot::undeclared_key");
    assert!(shown.contains(&other.fingerprint()), "{shown}");
    assert_eq!(user.blobs(), 0);
}

#[test]
fn an_expired_key_is_refused() {
    let key = TestKey::expiring_after(1000);
    let (_site, request) = signed_with(&key, &key);
    let mut user = User::new();
    user.time = 999;
    user.load(&request).unwrap();
    user.time = 1000;
    let shown = user.refused(user.load(&request), "forge::chroot::expired_key");
    assert!(shown.contains(&key.fingerprint()) && shown.contains("2024-01-01T00:16:40Z"), "{shown}");
}

#[test]
fn a_revoked_key_is_refused() {
    let key = TestKey::new();
    let (_site, request) = signed_with(&key, &key.revoked());
    let user = User::new();
    let shown = user.refused(user.load(&request), "forge::chroot::revoked_key");
    assert!(shown.contains(&key.fingerprint()), "{shown}");
    let with_subkey = TestKey::with_subkey();
    for revoked in [with_subkey.revoked(), with_subkey.with_revoked_subkey()] {
        let (_site, request) = signed_with(&with_subkey, &revoked);
        user.refused(user.load(&request), "forge::chroot::revoked_key");
    }
}

#[test]
fn a_signature_that_can_be_forged_is_refused() {
    let key = TestKey::rsa();
    let (site, request) = signed_with(&key, &key);
    let repomd = fs::read(site.path().join("repodata/repomd.xml")).unwrap();
    let signature = key.sign_with(&repomd, HashAlgorithm::Sha1);
    fs::write(site.path().join("repodata/repomd.xml.asc"), signature).unwrap();
    let user = User::new();
    let shown = user.refused(user.load(&request), "forge::chroot::wrong_signature");
    assert!(shown.contains("SHA1"), "{shown}");
}

#[test]
fn a_key_from_the_network_needs_its_fingerprint_and_is_there_offline() {
    let key = TestKey::new();
    let (site, mut request) = signed_with(&key, &key);
    let public = key.public();
    let server = Server::start(move |_| Answer::ok(public.clone()));
    let fetched = |fingerprints| DeclaredKey { place: KeyPlace::Url(server.url("key.asc")), fingerprints };
    let mut user = User::new();
    request.keys = vec![fetched(Vec::new())];
    user.refused(user.load(&request), "forge::chroot::key_file");
    assert!(server.paths().is_empty());
    request.keys = vec![fetched(vec![TestKey::new().fingerprint()])];
    user.refused(user.load(&request), "forge::chroot::key_file");
    request.keys = vec![fetched(vec![key.fingerprint()])];
    user.load(&request).unwrap();
    user.connection = Connection::Offline;
    let asked = server.paths().len();
    user.load(&request).unwrap();
    assert_eq!(server.paths().len(), asked);
    drop(site);
}

#[test]
fn what_is_no_key_is_refused() {
    let key = TestKey::new();
    let (site, mut request) = signed_with(&key, &key);
    let user = User::new();
    let path = site.path().join("keys.asc");
    for content in
        ["", "no key", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"]
    {
        fs::write(&path, content).unwrap();
        user.refused(user.load(&request), "forge::chroot::key_file");
    }
    fs::write(&path, key.public()).unwrap();
    request.keys[0].fingerprints = vec!["ABCD1234".to_owned()];
    user.refused(user.load(&request), "forge::chroot::key_file");
    fs::remove_file(&path).unwrap();
    user.refused(user.load(&request), "forge::chroot::key_file");
}

#[test]
fn other_keys_that_are_declared_later_count_for_what_was_seen_before() {
    let key = TestKey::new();
    let (site, request) = signed_with(&key, &key);
    let user = User::new();
    user.load(&request).unwrap();
    let mut later = requiring(&site, &[&TestKey::new()]);
    user.refused(user.load(&later), "forge::chroot::undeclared_key");
    later.metadata_signature = SignatureRule::NotAsked;
    user.load(&later).unwrap();
}

/// A repository with one package, which is signed or not.
fn with_package(signer: Option<&TestKey>) -> Site {
    let site = Site::new();
    site.add("alpha", "1.0", signer);
    site.index(&[]);
    site
}

fn requiring_packages(site: &Site, declared: &TestKey) -> RepositoryRequest {
    let mut request = from(RepositorySource::Folder(site.host_path()));
    request.package_signatures = SignatureRule::Required;
    request.keys = vec![key_file(site, &[declared])];
    request
}

#[test]
fn a_package_that_a_declared_key_has_signed_is_taken() {
    for key in [TestKey::new(), TestKey::with_subkey(), TestKey::rsa()] {
        let site = with_package(Some(&key));
        let request = requiring_packages(&site, &key);
        let user = User::new();
        let packages: Vec<_> = user.packages(&request).unwrap().iter().map(locked).collect();
        let blobs = user.fetch(&packages, &request).unwrap();
        assert_eq!(user.fetch(&packages, &request).unwrap(), blobs);
        user.assert_sound();
    }
}

#[test]
fn a_package_that_is_not_signed_or_by_the_wrong_key_is_refused_and_not_kept() {
    let (key, other) = (TestKey::new(), TestKey::new());
    for (signer, declared, code) in [
        (None, &key, "forge::chroot::not_signed"),
        (Some(&other), &key, "forge::chroot::undeclared_key"),
        (Some(&key), &key.revoked(), "forge::chroot::revoked_key"),
    ] {
        let site = with_package(signer);
        let request = requiring_packages(&site, declared);
        let user = User::new();
        let packages: Vec<_> = user.packages(&request).unwrap().iter().map(locked).collect();
        let blobs = user.blobs();
        user.refused(user.fetch(&packages, &request), code);
        assert_eq!(user.blobs(), blobs);
    }
}

#[test]
fn a_package_whose_files_were_changed_is_refused_though_its_metadata_agree() {
    let key = TestKey::new();
    let site = with_package(Some(&key));
    let path = site.path().join("Packages/alpha-1.0-1.noarch.rpm");
    let mut content = fs::read(&path).unwrap();
    *content.last_mut().unwrap() ^= 1;
    fs::write(&path, content).unwrap();
    fs::remove_dir_all(site.path().join("repodata")).unwrap();
    let request = requiring_packages(&site, &key);
    let user = User::new();
    let packages: Vec<_> = user.packages(&request).unwrap().iter().map(locked).collect();
    let shown = user.refused(user.fetch(&packages, &request), "forge::chroot::wrong_signature");
    assert!(shown.contains("its files are not those that were signed"), "{shown}");
    assert_eq!(user.blobs(), 0);
}

#[test]
fn a_package_in_the_store_is_looked_at_again_where_more_is_asked_of_it_now() {
    let (key, other) = (TestKey::new(), TestKey::new());
    let site = with_package(Some(&key));
    let user = User::new();
    let unasked = from(RepositorySource::Folder(site.host_path()));
    let packages: Vec<_> = user.packages(&unasked).unwrap().iter().map(locked).collect();
    let blobs = user.fetch(&packages, &unasked).unwrap();
    let asked = requiring_packages(&site, &other);
    user.refused(user.fetch(&packages, &asked), "forge::chroot::undeclared_key");
    let asked = requiring_packages(&site, &key);
    assert_eq!(user.fetch(&packages, &asked).unwrap(), blobs);
    let asked = requiring_packages(&site, &key.revoked());
    user.refused(user.fetch(&packages, &asked), "forge::chroot::revoked_key");
}

#[test]
fn a_metalink_says_what_repomd_must_be_and_who_has_it() {
    let (old, new) = (Site::with_packages(), Site::new());
    new.add("gamma", "3.0", None);
    new.index(&[]);
    let (behind, right) = (Server::with_files(old.files()), Server::with_files(new.files()));
    let repomd = &new.files()["repodata/repomd.xml"];
    let hash = |content: &[u8]| crate::site::sha256(content).hex().to_owned();
    let metalink = |hashes: &str| {
        let (behind, right) = (behind.url("repodata/repomd.xml"), right.url("repodata/repomd.xml"));
        format!(
            "<metalink version=\"3.0\" xmlns=\"http://www.metalinker.org/\"><files><file name=\"repomd.xml\">\
             <verification>{hashes}</verification><resources maxconnections=\"1\">\
             <url protocol=\"rsync\" preference=\"100\">rsync://mirror.example/repodata/repomd.xml</url>\
             <url protocol=\"http\" preference=\"90\">{right}</url>\
             <url protocol=\"http\" preference=\"95\">{behind}</url></resources></file></files></metalink>"
        )
    };
    let sha256 =
        format!("<hash type=\"md5\">{}</hash><hash type=\"sha256\">{}</hash>", "0".repeat(32), hash(repomd));
    let texts = [
        metalink(&sha256),
        metalink(&format!("<hash type=\"sha256\">{}</hash>", hash(b"other"))),
        metalink(&format!("<hash type=\"md5\">{}</hash>", "0".repeat(32))),
        "<metalink/>".to_owned(),
    ];
    let links = Server::start(move |request| {
        Answer::ok(texts[request.path.trim_start_matches('/').parse::<usize>().unwrap()].clone())
    });
    let request = |index: usize| from(RepositorySource::Metalink(links.url(&index.to_string())));
    let user = User::new();
    let packages = user.packages(&request(0)).unwrap();
    assert_eq!(locked(&packages[0]).nevra(), "gamma-3.0-1.noarch");
    assert_eq!(behind.paths()[0], "/repodata/repomd.xml", "the one to prefer is asked first");
    user.fetch(&[locked(&packages[0])], &request(0)).unwrap();
    // As the metalink says that nothing has changed, no mirror is asked.
    let asked = (behind.paths().len(), right.paths().len());
    user.load(&request(0)).unwrap();
    assert_eq!((behind.paths().len(), right.paths().len()), asked);
    for (index, code) in [
        (1, "forge::chroot::not_fetched"),
        (2, "forge::chroot::weak_checksum"),
        (3, "forge::chroot::metadata"),
    ] {
        user.refused(user.load(&request(index)), code);
    }
}

#[test]
fn a_list_without_mirrors_is_refused() {
    let lists = Server::start(|_| Answer::ok("# nothing\nrsync://mirror.example/\n"));
    let user = User::new();
    user.refused(
        user.load(&from(RepositorySource::MirrorList(lists.url("list")))),
        "forge::chroot::metadata",
    );
    user.refused(user.load(&at("ftp://mirror.example/".to_owned())), "forge::chroot::not_fetched");
}
