//! Chroots that are made from images, as far as they can be seen without building in them; `tests/distro` builds.

use std::fs;
use std::path::Path;

use tar::{Builder, Header};

use crate::support::Project;

/// A project with a chroot of these words, and a tarball of these files.
fn project(chroot: &str, files: &[(&str, &str)]) -> Project {
    let project = Project::new();
    project.write(
        "Rpmforge.kdl",
        &format!("rpmforge version=1\nchroot f {{ {chroot} }}\npackages \"*.spec\"\n"),
    );
    project.spec("a", "", "true");
    write_tarball(&project.path().join("golden.tar"), files);
    project
}

fn write_tarball(path: &Path, files: &[(&str, &str)]) {
    let mut tar = Builder::new(fs::File::create(path).unwrap());
    for (name, content) in files {
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    tar.finish().unwrap();
}

const FILES: &[(&str, &str)] = &[("etc/os-release", "ID=golden\n"), ("usr/include/a.h", "1\n")];

fn sha256(path: &Path) -> String {
    let output = std::process::Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

/// What a screen says, its lines joined.
fn words(screen: &str) -> String {
    let words = screen.split_whitespace().filter(|word| *word != "│");
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn an_image_is_locked_and_another_one_is_refused_where_the_lock_must_not_change() {
    let project = project("image \"golden.tar\"", FILES);
    project.succeed(&["update"]);
    let lock = project.read("Rpmforge.lock");
    assert!(lock.contains("chroot \"f\" {\n    image \""), "{lock}");
    project.succeed(&["plan", "--locked"]);
    let list = project.succeed(&["chroot", "list"]).stdout;
    assert!(list.contains("f       the image golden.tar  the image"), "{list}");
    write_tarball(&project.path().join("golden.tar"), &[FILES[0], ("usr/include/a.h", "2\n")]);
    let refused = project.run(&["plan", "--locked"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("forge::chroot::locked"), "{}", refused.stderr);
    assert!(refused.stderr.contains("the image `golden.tar` in chroot `f`"), "{}", refused.stderr);
    assert_eq!(project.succeed(&["update"]).stdout, "f\n  image changed\n");
    project.succeed(&["plan", "--locked"]);
}

#[test]
fn an_image_has_the_digest_that_the_manifest_says() {
    let project = project("image \"golden.tar\" digest=\"sha256:DIGEST\"", FILES);
    let digest = sha256(&project.path().join("golden.tar"));
    project.edit("Rpmforge.kdl", "DIGEST", &digest);
    project.succeed(&["plan"]);
    write_tarball(&project.path().join("golden.tar"), &[FILES[0]]);
    let refused = project.run(&["plan"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("forge::store::broken_image"), "{}", refused.stderr);
    assert!(
        words(&refused.stderr).contains(&format!("it is not sha256:{digest}, but sha256:")),
        "{}",
        refused.stderr
    );
}

#[test]
fn an_image_of_several_is_chosen_by_its_digest() {
    let project = project("image \"oci:layout\" digest=\"sha256:DIGEST\"", FILES);
    let layout = project.path().join("layout");
    let blob = |content: &[u8]| {
        fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
        fs::write(layout.join("new"), content).unwrap();
        let digest = sha256(&layout.join("new"));
        fs::rename(layout.join("new"), layout.join("blobs/sha256").join(&digest)).unwrap();
        format!("\"digest\":\"sha256:{digest}\",\"size\":{}", content.len())
    };
    let image = |files: &[(&str, &str)]| {
        write_tarball(&layout.join("layer.tar"), files);
        let layer = blob(&fs::read(layout.join("layer.tar")).unwrap());
        blob(format!("{{\"layers\":[{{{layer}}}]}}").as_bytes())
    };
    fs::create_dir_all(&layout).unwrap();
    let (one, other) = (image(FILES), image(&FILES[..1]));
    fs::write(layout.join("index.json"), format!("{{\"manifests\":[{{{one}}},{{{other}}}]}}")).unwrap();
    let digest = |image: &str| image.split("sha256:").nth(1).unwrap()[..64].to_owned();
    project.edit("Rpmforge.kdl", "DIGEST", &digest(&one));
    project.succeed(&["update"]);
    let lock = project.read("Rpmforge.lock");
    project.edit("Rpmforge.kdl", &digest(&one), &digest(&other));
    project.succeed(&["update"]);
    assert_ne!(project.read("Rpmforge.lock"), lock);
    project.edit("Rpmforge.kdl", &digest(&other), &"0".repeat(64));
    let refused = words(&project.run(&["plan"]).stderr);
    assert!(refused.contains("forge::store::broken_image") && refused.contains(", but sha256:"), "{refused}");
}

#[test]
fn a_folder_has_no_digest_to_be_checked_by() {
    let project = project(&format!("image \"folder\" digest=\"sha256:{}\"", "0".repeat(64)), FILES);
    project.write("folder/etc/os-release", "ID=golden\n");
    let refused = project.run(&["plan"]).stderr;
    assert!(refused.contains("a folder has no digest"), "{refused}");
    project.edit("Rpmforge.kdl", &format!(" digest=\"sha256:{}\"", "0".repeat(64)), "");
    project.succeed(&["plan"]);
}

#[test]
fn what_is_no_image_is_named_with_what_images_are() {
    let project = project("image \"golden.tar\"", FILES);
    project.write("golden.tar", "no archive at all, but long enough to be one".repeat(40).as_str());
    let refused = project.run(&["plan"]).stderr;
    assert!(refused.contains("forge::store::broken_image") && refused.contains("golden.tar"), "{refused}");
}
