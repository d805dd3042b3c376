//! Packages that are made of tarballs with a spec in them.

use std::io::Write;

use tar::{Builder, EntryType, Header};

use crate::support::{Project, spec};

/// A `.tar.gz` of files, and of links where a content begins with `->`.
fn tarball(files: &[(&str, &str)]) -> Vec<u8> {
    let packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = Builder::new(packer);
    for (path, content) in files {
        let mut header = Header::new_gnu();
        // What leads out of the archive is not written by the library's own ways.
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_mode(0o644);
        match content.strip_prefix("->") {
            Some(target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_link_name(target).unwrap();
                header.set_size(0);
                header.set_cksum();
                builder.append(&header, std::io::empty()).unwrap();
            }
            None => {
                header.set_size(content.len() as u64);
                header.set_cksum();
                builder.append(&header, content.as_bytes()).unwrap();
            }
        }
    }
    let mut packer = builder.into_inner().unwrap();
    packer.flush().unwrap();
    packer.finish().unwrap()
}

fn write(project: &Project, files: &[(&str, &str)]) {
    std::fs::write(project.path().join("hello-1.0.tar.gz"), tarball(files)).unwrap();
}

/// A spec that unpacks the tarball.
fn own_spec() -> String {
    let build = "tar -xzf %{SOURCE0}\ngrep one hello-1.0/data";
    spec("hello", "Source0: hello-%{version}.tar.gz", build)
}

#[test]
fn the_spec_in_a_tarball_is_built_with_the_tarball_as_its_source() {
    let project = Project::with("package hello { source path \"hello-1.0.tar.gz\" }\n");
    write(&project, &[("hello-1.0/rpm/hello.spec", &own_spec()), ("hello-1.0/data", "one\n")]);
    project.succeed(&["apply"]);
    let published = project.published();
    let has = |end: &str| published.keys().any(|path| path.to_string_lossy().ends_with(end));
    assert!(has("hello-1.0-1.noarch.rpm") && has("hello-1.0-1.src.rpm"), "{published:?}");
    assert_eq!(project.actions()["hello"], "cached");
    // It stands for its package on the command line, and stays through a collection.
    project.succeed(&["apply", "hello-1.0.tar.gz"]);
    project.succeed(&["gc"]);
    assert_eq!(project.actions()["hello"], "cached");
    write(&project, &[("hello-1.0/rpm/hello.spec", &own_spec()), ("hello-1.0/data", "one more\n")]);
    assert_eq!(project.actions()["hello"], "build");
    project.succeed(&["apply"]);
}

#[test]
fn a_tarball_is_built_without_a_manifest() {
    let project = Project::new();
    write(&project, &[("hello.spec", &own_spec()), ("hello-1.0/data", "one\n")]);
    project.succeed(&["apply", "hello-1.0.tar.gz"]);
    assert!(project.path().join("public/host").exists());
}

#[test]
fn what_is_wrong_with_a_tarball_is_told_by_name() {
    let text = own_spec();
    let (one, two) = (("a/hello.spec", text.as_str()), ("b/other.spec", text.as_str()));
    /// Files of a tarball by their names, and what is said of it.
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: [Case<'_>; 5] = [
        (&[("a/data", "one\n")], "no_spec", "`hello-1.0.tar.gz` holds no spec"),
        (&[one, two], "many_specs", "holds 2 specs: `a/hello.spec`, `b/other.spec`"),
        (
            &[("a/hello.spec", "->real.spec")],
            "unsafe_file",
            "holds `a/hello.spec`, which is not unpacked: a spec is a file",
        ),
        (&[one, ("../up", "x")], "unsafe_entry", "holds `../up`, which is not unpacked"),
        (
            &[one, ("a/out", "->../../etc/passwd")],
            "unsafe_entry",
            "it is a link that leads out of the archive",
        ),
    ];
    let project = Project::with("package hello { source path \"hello-1.0.tar.gz\" }\n");
    for (files, code, words) in cases {
        write(&project, files);
        let run = project.run(&["apply"]);
        assert_eq!(run.code, Some(1), "{words}: {}", run.stderr);
        let shown = run.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(
            shown.contains(&format!("forge::source::{code}")) && shown.contains(words),
            "{words}: {}",
            run.stderr
        );
    }
    std::fs::write(project.path().join("hello-1.0.tar.gz"), b"no tarball").unwrap();
    assert_eq!(project.run(&["apply"]).code, Some(1));
}
