//! Roots that somebody else made: tarballs, folders, OCI images.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use rpmforge::chroot::compose::{ComposeError, Farm, compose_image};
use rpmforge::files::HostPath;
use rpmforge::package::{PayloadFlags, hex};
use rpmforge::store::{ImageChoice, ImageSource};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use super::scratch::{Scratch, layer};

/// Something in a tarball: its name, its kind, and what it holds or points to.
type Made<'m> = (&'m str, EntryType, &'m str);

fn tarball(entries: &[Made<'_>]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (name, kind, content) in entries {
        let mut header = Header::new_gnu();
        // As hostile programs write it, whatever it is.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(if *kind == EntryType::Directory { 0o755 } else { 0o4755 });
        header.set_mtime(1_700_000_000);
        header.set_uid(0);
        header.set_gid(42);
        let is_link = [EntryType::Symlink, EntryType::Link].contains(kind);
        if is_link {
            header.as_gnu_mut().unwrap().linkname[..content.len()].copy_from_slice(content.as_bytes());
        }
        let data = if is_link { "" } else { content };
        header.set_size(data.len() as u64);
        header.set_cksum();
        tar.append(&header, data.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn source(path: &Path, kind: fn(HostPath) -> ImageSource) -> ImageSource {
    kind(HostPath::new(path).unwrap())
}

fn compose_for(scratch: &Scratch, source: &ImageSource, arch: Option<&str>) -> Result<Farm, ComposeError> {
    compose_image(&scratch.store, source, &ImageChoice { digest: None, arch }, &|_| ())
}

fn compose(scratch: &Scratch, source: &ImageSource) -> Result<Farm, ComposeError> {
    compose_for(scratch, source, None)
}

fn compose_tarball(scratch: &Scratch, bytes: &[u8]) -> Result<Farm, ComposeError> {
    let path = scratch.temp.path().join("root.tar");
    fs::write(&path, bytes).unwrap();
    compose(scratch, &source(&path, ImageSource::Tarball))
}

const PLAIN: [Made<'_>; 6] = [
    ("./", EntryType::Directory, ""),
    ("./usr/", EntryType::Directory, ""),
    ("./usr/tool", EntryType::Regular, "a tool"),
    ("./usr/again", EntryType::Link, "./usr/tool"),
    ("./bin", EntryType::Symlink, "usr/bin"),
    ("./dev/null", EntryType::Char, ""),
];

#[test]
fn a_tarball_is_a_root_however_it_is_compressed() {
    let plain = tarball(&PLAIN);
    for flags in ["w.ufdio", "w1.gzdio", "w1.bzdio", "w1.xzdio", "w1.zstdio"] {
        let scratch = Scratch::new();
        let flags = PayloadFlags::read(flags).unwrap();
        let mut packed = flags.compressor(Vec::new(), 1, plain.len() as u64).unwrap();
        packed.write_all(&plain).unwrap();
        let root = layer(&compose_tarball(&scratch, &packed.finish().unwrap()).unwrap());
        assert_eq!(
            (root["usr/tool"].mode, root["usr/tool"].content.as_slice()),
            (0o4755, b"a tool".as_slice())
        );
        assert_eq!(
            (root["usr/again"].same_as.as_str(), root["bin"].content.as_slice()),
            ("usr/again", b"usr/bin".as_slice())
        );
        assert_eq!(root["usr/tool"].same_as, "usr/again");
        assert!(!root.contains_key("dev/null"));
    }
}

#[test]
fn users_of_an_image_are_known_by_their_numbers() {
    let scratch = Scratch::new();
    let farm = compose_tarball(&scratch, &tarball(&PLAIN)).unwrap();
    let files = farm.files().unwrap();
    let ownership = &files.get("/usr/tool").unwrap().entry.ownership;
    assert_eq!(
        (ownership.owner.to_string(), ownership.group.to_string()),
        ("root".to_owned(), "42".to_owned())
    );
}

#[test]
fn a_tarball_that_nobody_should_trust_is_refused() {
    let refused = |entries: &[Made<'_>]| {
        let scratch = Scratch::new();
        let error = compose_tarball(&scratch, &tarball(entries)).unwrap_err();
        assert_eq!(error.code().unwrap().to_string(), "forge::store::refused_file", "{error}");
        let path = format!("{}: ", scratch.temp.path().join("root.tar").display());
        error.to_string().replace(&path, "")
    };
    let file = EntryType::Regular;
    assert_eq!(refused(&[("/etc/passwd", file, "x")]), "`/etc/passwd` has `` in its path");
    assert_eq!(refused(&[("a/../../etc/passwd", file, "x")]), "`a/../../etc/passwd` has `..` in its path");
    assert_eq!(refused(&[("a\nb", file, "x")]), "`a\\nb` has a control character in its name");
    assert_eq!(refused(&[("sda", EntryType::Block, "")]), "`sda` is a device");
    assert_eq!(refused(&[("a", file, "x"), ("a", file, "y")]), "`a` is there twice");
    let below = refused(&[("a", EntryType::Symlink, "/etc"), ("a/passwd", file, "x")]);
    assert_eq!(below, "`a/passwd` lies below `/a`, a link that comes with it");
    let linked = refused(&[("a", EntryType::Link, "etc/passwd")]);
    assert_eq!(linked, "`a` is a hard link to `etc/passwd`, which is no file that came before it");
    let outside = refused(&[("a", EntryType::Link, "../../etc/passwd")]);
    assert_eq!(outside, "`../../etc/passwd` has `..` in its path");
}

#[test]
fn what_is_no_image_is_told() {
    let scratch = Scratch::new();
    let error = compose_tarball(&scratch, &[7; 2000]).unwrap_err();
    assert_eq!(error.code().unwrap().to_string(), "forge::store::broken_image");
    for kind in [ImageSource::Tarball, ImageSource::Folder, ImageSource::Oci] {
        let missing = scratch.temp.path().join("missing");
        let error = compose(&scratch, &source(&missing, kind)).unwrap_err();
        assert!(error.to_string().ends_with("missing: No such file or directory"), "{error}");
        assert_eq!(error.code().unwrap().to_string(), "forge::store::broken_image");
    }
}

#[test]
fn a_folder_is_copied_and_no_link_is_followed() {
    let scratch = Scratch::new();
    let folder = scratch.temp.path().join("root");
    fs::create_dir_all(folder.join("usr/bin")).unwrap();
    fs::write(folder.join("usr/bin/tool"), "a tool").unwrap();
    fs::set_permissions(folder.join("usr/bin/tool"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::hard_link(folder.join("usr/bin/tool"), folder.join("usr/bin/again")).unwrap();
    symlink("/etc/passwd", folder.join("link")).unwrap();
    let farm = compose(&scratch, &source(&folder, ImageSource::Folder)).unwrap();
    fs::write(folder.join("usr/bin/tool"), "changed").unwrap();
    let root = layer(&farm);
    assert_eq!(
        (root["usr/bin/tool"].mode, root["usr/bin/tool"].content.as_slice()),
        (0o750, b"a tool".as_slice())
    );
    assert_eq!(
        (root["usr/bin/tool"].same_as.as_str(), root["link"].content.as_slice()),
        ("usr/bin/again", b"/etc/passwd".as_slice())
    );
    let again = compose(&scratch, &source(&folder, ImageSource::Folder)).unwrap();
    assert!(again.key() != farm.key());
}

/// Writes an OCI layout with these layers into a folder.
fn oci_layout(folder: &Path, layers: &[Vec<u8>]) -> PathBuf {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let descriptor = |content: &[u8]| {
        let digest = hex(&Sha256::digest(content));
        fs::write(blobs.join(&digest), content).unwrap();
        serde_json::json!({"mediaType": "x", "digest": format!("sha256:{digest}"), "size": content.len()})
    };
    let layers: Vec<_> = layers.iter().map(|layer| descriptor(layer)).collect();
    let manifest = serde_json::json!({"schemaVersion": 2, "layers": layers}).to_string();
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [descriptor(manifest.as_bytes())]});
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
    folder.to_owned()
}

fn layers() -> Vec<Vec<u8>> {
    let (folder, file) = (EntryType::Directory, EntryType::Regular);
    let lower = [
        ("etc/", folder, ""),
        ("etc/kept", file, "kept"),
        ("etc/gone", file, "gone"),
        ("opt/", folder, ""),
        ("opt/old/", folder, ""),
        ("opt/old/file", file, "old"),
        ("var/", folder, ""),
        ("var/hidden", file, "hidden"),
        ("replaced/", folder, ""),
        ("replaced/file", file, "x"),
    ];
    let upper = [
        ("etc/.wh.gone", file, ""),
        ("etc/new", EntryType::Link, "etc/kept"),
        (".wh.opt", file, ""),
        ("var/", folder, ""),
        ("var/.wh..wh..opq", file, ""),
        ("var/shown", file, "shown"),
        ("replaced", file, "a file now"),
    ];
    vec![tarball(&lower), tarball(&upper)]
}

#[test]
fn layers_of_an_oci_image_lie_over_each_other() {
    let scratch = Scratch::new();
    let layout = oci_layout(&scratch.temp.path().join("oci"), &layers());
    let mut archive = Builder::new(fs::File::create(scratch.temp.path().join("oci.tar")).unwrap());
    archive.append_dir_all(".", &layout).unwrap();
    archive.finish().unwrap();
    for path in [layout, scratch.temp.path().join("oci.tar")] {
        let farm = compose(&scratch, &source(&path, ImageSource::Oci)).unwrap();
        let names: Vec<String> = layer(&farm).into_keys().filter(|name| !name.is_empty()).collect();
        assert_eq!(names, ["etc", "etc/kept", "etc/new", "replaced", "var", "var/shown"]);
    }
    assert_eq!(scratch.names("trees/incoming").len(), 0);
}

#[test]
fn an_oci_image_that_is_not_what_its_digests_say_is_refused() {
    let scratch = Scratch::new();
    let layout = oci_layout(&scratch.temp.path().join("oci"), &layers());
    for blob in fs::read_dir(layout.join("blobs/sha256")).unwrap() {
        let path = blob.unwrap().path();
        let sound = fs::read(&path).unwrap();
        let mut changed = sound.clone();
        *changed.last_mut().unwrap() ^= 1;
        fs::write(&path, changed).unwrap();
        let error = compose(&scratch, &source(&layout, ImageSource::Oci)).unwrap_err();
        assert_eq!(error.code().unwrap().to_string(), "forge::store::broken_image");
        assert!(error.to_string().contains("is not what its digest says"), "{error}");
        fs::write(&path, sound).unwrap();
    }
    compose(&scratch, &source(&layout, ImageSource::Oci)).unwrap();
}

/// A layout of an index that names an image of one file for each of the platforms.
fn oci_index(folder: &Path, platforms: &[&str]) -> PathBuf {
    let image = |platform: &&str| {
        let layer = tarball(&[(&platform.replace('/', "-"), EntryType::Regular, "x")]);
        let layout = oci_layout(folder, &[layer]);
        let index: serde_json::Value =
            serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
        let mut descriptor = index["manifests"][0].clone();
        let parts: Vec<&str> = platform.split('/').collect();
        descriptor["platform"] = match parts[..] {
            [os, architecture] => serde_json::json!({"os": os, "architecture": architecture}),
            [os, architecture, variant, ..] => {
                serde_json::json!({"os": os, "architecture": architecture, "variant": variant})
            }
            _ => panic!("{platform}"),
        };
        descriptor
    };
    let manifests: Vec<serde_json::Value> = platforms.iter().map(image).collect();
    let inner = serde_json::json!({"schemaVersion": 2, "manifests": manifests}).to_string();
    let digest = hex(&Sha256::digest(&inner));
    fs::write(folder.join("blobs/sha256").join(&digest), &inner).unwrap();
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "digest": format!("sha256:{digest}"),
        "size": inner.len(),
    }]});
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
    folder.to_owned()
}

#[test]
fn of_an_index_of_several_platforms_that_of_the_architecture_is_taken() {
    let scratch = Scratch::new();
    let platforms = ["linux/arm64/v8", "linux/amd64", "linux/amd64/v3", "linux/arm/v6", "unknown/unknown"];
    let layout = oci_index(&scratch.temp.path().join("oci"), &platforms);
    let archive_path = scratch.temp.path().join("oci.tar");
    let mut archive = Builder::new(fs::File::create(&archive_path).unwrap());
    archive.append_dir_all(".", &layout).unwrap();
    archive.finish().unwrap();
    for path in [layout, archive_path] {
        let source = source(&path, ImageSource::Oci);
        let names = |arch: Option<&str>| -> Vec<String> {
            let farm = compose_for(&scratch, &source, arch).unwrap();
            layer(&farm).into_keys().filter(|name| !name.is_empty()).collect()
        };
        assert_eq!(names(Some("x86_64")), ["linux-amd64"]);
        assert_eq!(names(Some("aarch64")), ["linux-arm64-v8"]);
        assert_eq!(names(Some("x86_64_v4")), ["linux-amd64-v3"]);
        assert_eq!(names(Some("armv7hl")), ["linux-arm-v6"]);
        match std::env::consts::ARCH {
            "aarch64" => assert_eq!(names(None), ["linux-arm64-v8"]),
            "x86_64" => assert_eq!(names(None), ["linux-amd64"]),
            _ => {}
        }
        let error = compose_for(&scratch, &source, Some("i686")).unwrap_err();
        assert_eq!(error.code().unwrap().to_string(), "forge::store::no_platform");
        let words =
            " has no image for linux/386, but linux/arm64/v8, linux/amd64, linux/amd64/v3, linux/arm/v6";
        assert!(error.to_string().ends_with(words), "{error}");
    }
}

#[test]
fn a_digest_that_is_a_path_leads_nowhere() {
    let scratch = Scratch::new();
    let layout = oci_layout(&scratch.temp.path().join("oci"), &layers());
    let index = fs::read_to_string(layout.join("index.json")).unwrap();
    let at = index.find("sha256:").unwrap();
    let index = format!("{}sha256:../../../../etc/passwd{}", &index[..at], &index[at + 71..]);
    fs::write(layout.join("index.json"), index).unwrap();
    let error = compose(&scratch, &source(&layout, ImageSource::Oci)).unwrap_err();
    assert!(error.to_string().ends_with("`sha256:../../../../etc/passwd` is no SHA-256 digest"), "{error}");
}
