//! Builds in roots from images: a tarball and an OCI layout of a root of the distribution.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rpmforge::package::hex;
use sha2::{Digest, Sha256};

use super::make;
use super::site::{Site, published, spec};

/// Writes the root of a chroot that has `packages` as a tarball.
fn write_image(packages: &str, path: &Path) {
    let site = Site::with(&format!("install {packages}"), "");
    let tar = "tar -C / --one-file-system --exclude=./proc --exclude=./dev --exclude=./sys -c . | gzip -1";
    let mut command = site.forge(&["shell", "--chroot", "clean", "--", "sh", "-c", tar]);
    let status = command.stdin(Stdio::null()).stdout(fs::File::create(path).unwrap()).status().unwrap();
    assert!(status.success());
}

/// An OCI layout of one layer.
fn write_layout(layout: &Path, layer: &Path) {
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let blob = |content: &[u8]| {
        let digest = hex(&Sha256::digest(content));
        fs::write(blobs.join(&digest), content).unwrap();
        format!("\"digest\":\"sha256:{digest}\",\"size\":{}", content.len())
    };
    let layer = blob(&fs::read(layer).unwrap());
    let manifest = blob(format!("{{\"layers\":[{{{layer}}}]}}").as_bytes());
    let index = format!("{{\"schemaVersion\":2,\"manifests\":[{{{manifest}}}]}}");
    fs::write(layout.join("index.json"), index).unwrap();
}

const TOOLS: &str = "bash coreutils findutils grep gzip rpm sed tar tree";

#[test]
fn a_package_is_built_in_an_image_and_again_where_that_is_another_one() {
    let site = Site::new("");
    let project = &site.0;
    write_image(TOOLS, &project.path().join("golden.tar.gz"));
    write_layout(&project.path().join("golden"), &project.path().join("golden.tar.gz"));
    make::run(
        Command::new("tar").args(["-C", "golden", "-cf", "golden.oci.tar", "."]).current_dir(project.path()),
    );
    project.write(
        "Rpmforge.kdl",
        "rpmforge version=1\nchroot tarball { image \"golden.tar.gz\" }\nchroot layout { image \"oci:golden\" }\n\
         chroot archive { image \"oci:golden.oci.tar\" }\ndefaults { engine native }\npackages \"*.spec\"\n",
    );
    let look = "rpm -q tree\ntree --version > made\ncat /etc/mark >> made || :\ncat made";
    project.write("one.spec", &spec("one", "BuildArch: noarch\nBuildRequires: tree", look));
    site.succeed(&["apply"]);
    for chroot in ["tarball", "layout", "archive"] {
        let log = site.succeed(&["log", "one", "--chroot", chroot]).stdout;
        assert!(log.lines().any(|line| line == "tree-2.2.1-1.x86_64"), "{log}");
    }
    assert_eq!(published(project).keys().collect::<Vec<_>>(), ["one-1-1.noarch.rpm", "one-1-1.src.rpm"]);
    site.succeed(&["plan", "--locked", "--detailed-exitcode"]);

    // What no package has makes it another image.
    let other = project.beside("other");
    fs::create_dir_all(other.join("etc")).unwrap();
    fs::write(other.join("etc/mark"), "marked\n").unwrap();
    let unpacked = project.path().join("golden.tar");
    let image = fs::File::open(project.path().join("golden.tar.gz")).unwrap();
    let plain = fs::File::create(&unpacked).unwrap();
    assert!(Command::new("gzip").arg("-dc").stdin(image).stdout(plain).status().unwrap().success());
    let mut command = Command::new("tar");
    command
        .args(["--append", "--owner=0", "--group=0", "-C"])
        .arg(&other)
        .arg("-f")
        .arg(&unpacked)
        .arg("./etc/mark");
    make::run(&mut command);
    fs::rename(unpacked, project.path().join("golden.tar.gz")).unwrap();
    let locked = site.run(&["plan", "--locked"]);
    assert!(locked.stderr.contains("forge::chroot::locked"), "{}", locked.stderr);
    let plan = site.succeed(&["plan", "--explain"]).stdout;
    assert_eq!(plan.matches("root: image changed").count(), 1, "{plan}");
    site.succeed(&["apply"]);
    assert!(site.succeed(&["log", "one", "--chroot", "tarball"]).stdout.contains("marked"));
}

#[test]
fn what_an_image_lacks_is_named_and_a_shell_is_in_it() {
    let site = Site::new("");
    let project = &site.0;
    write_image(TOOLS, &project.path().join("golden.tar.gz"));
    project.write(
        "Rpmforge.kdl",
        "rpmforge version=1\nchroot golden { image \"golden.tar.gz\" }\ndefaults { engine native }\npackages \"*.spec\"\n",
    );
    project.write("one.spec", &spec("one", "BuildArch: noarch\nBuildRequires: zlib1g-dev", "echo > made"));
    let run = site.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    let said = run.stderr.clone() + &run.stdout;
    assert!(said.contains("zlib1g-dev"), "{said}");
    let shell = site.succeed(&["shell", "--chroot", "golden", "--", "rpm", "-q", "tree"]);
    assert_eq!(shell.stdout, "tree-2.2.1-1.x86_64\n");
    project.edit("one.spec", "BuildRequires: zlib1g-dev", "BuildRequires: tree");
    project.edit("one.spec", "echo > made", "echo here > kept; false");
    assert_eq!(site.run(&["apply"]).code, Some(1));
    // The shell of a failed build has the image around it.
    let there = site.succeed(&["shell", "one", "--", "sh", "-c", "tree --version; cat kept"]).stdout;
    assert!(there.contains("tree v2") && there.ends_with("here\n"), "{there}");
}
