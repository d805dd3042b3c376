//! What `forge diff` is given that is no package.

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::Project;

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let project = Project::new();
    let pipe = project.path().join("pipe.rpm");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(project.path().join("socket.rpm")).unwrap();
    let cases = [("pipe.rpm", "a pipe"), (".", "a folder"), ("/dev/zero", "a device")];
    for (path, what) in cases {
        let run = project.run(&["diff", path, path]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains("forge::cli::io"), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("it is {what}, not a regular file")), "{}", run.stderr);
    }
    assert_eq!(project.run(&["diff", "socket.rpm", "socket.rpm"]).code, Some(2));
}

#[test]
fn the_newest_good_build_is_compared_with_the_one_before() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    let sub = |name: &str| format!("%package {name}\nSummary: s\n%description {name}\n%files {name}\n");
    project.spec("a", &format!("%description\nA test.\n{}", sub("old")), "true");
    project.edit("a.spec", "\n%description\nA test.\n\n%build", "\n%build");
    project.succeed(&["apply"]);
    let alone = project.run(&["diff", "a"]);
    assert!(alone.code == Some(2) && alone.stderr.contains("forge::cli::nothing_before"), "{}", alone.stderr);

    project.edit("a.spec", "%build\ntrue", "%build\nfalse");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    project.edit("a.spec", "%build\nfalse", "%build\ntrue");
    for (from, to) in [("Version: 1.0", "Version: 2.0"), ("%package old", "%package new")] {
        project.edit("a.spec", from, to);
    }
    project.edit("a.spec", "%description old", "%description new");
    project.edit("a.spec", "%files old", "%files new");
    project.succeed(&["apply"]);
    let run = project.run(&["diff", "a"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let text = run.stdout;
    assert!(
        text.starts_with("# a in host: build #1, then #3\na-old-1.0-1.noarch.rpm is not made any more\n"),
        "{text}"
    );
    assert!(text.contains("a-new-2.0-1.noarch.rpm is new\n"), "{text}");
    assert!(text.contains("--- a-1.0-1.noarch.rpm\n+++ a-2.0-1.noarch.rpm\n"), "{text}");
    assert!(text.contains("--- a-1.0-1.src.rpm\n+++ a-2.0-1.src.rpm\n"), "{text}");

    let json: serde_json::Value =
        serde_json::from_str(&project.run(&["diff", "a", "--chroot", "host", "--json"]).stdout).unwrap();
    let json = &json["builds"][0];
    assert_eq!((&json["before"], &json["after"], &json["chroot"]), (&1.into(), &3.into(), &"host".into()));
    assert_eq!(json["packages"][0]["name"], "a");
    assert_eq!(json["added"][0], "a-new-2.0-1.noarch.rpm");
}

#[test]
fn several_packages_are_compared_by_pattern_by_batch_and_by_the_name_in_their_specs() {
    let project = Project::with(
        "package lib-file { source path \"lib.spec\" }\npackage libb { source path \"b.spec\" }\n\
         package other { source path \"other.spec\" }\nbatch base { members lib-file other }\n",
    );
    project.write("lib.spec", &crate::support::spec("liba", "", "true"));
    project.spec("b", "", "true");
    project.spec("other", "", "true");
    project.succeed(&["apply"]);
    project.edit("lib.spec", "Version: 1.0", "Version: 2.0");
    project.succeed(&["apply", "--force", "lib*"]);
    let compared = |arguments: &[&str]| {
        let run = project.run(&[&["diff"] as &[&str], arguments].concat());
        let headings = run.stdout.lines().filter_map(|line| line.strip_prefix("# ")?.split(' ').next());
        (headings.map(str::to_owned).collect::<Vec<_>>(), run.code, run.stderr)
    };
    let (names, code, _) = compared(&["lib*"]);
    assert_eq!((names, code), (vec!["lib-file".to_owned(), "libb".to_owned()], Some(1)));
    let (names, _, note) = compared(&["--batch", "base"]);
    assert_eq!(names, ["lib-file"]);
    assert_eq!(note, "note: 1 build with nothing to compare left out\n");
    assert_eq!(compared(&["liba"]).0, ["lib-file"]);
    assert_eq!(compared(&["--batch", "base", "--chroot", "h*"]).0, ["lib-file"]);
    assert_eq!(compared(&["other"]).1, Some(2));
    let log = project.succeed(&["log", "liba"]).stdout;
    assert!(log.starts_with("# lib-file in host"), "{log}");
}

#[test]
fn builds_that_made_the_same_do_not_differ() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    project.succeed(&["apply"]);
    project.succeed(&["apply", "--force", "a"]);
    let run = project.succeed(&["diff", "a"]);
    assert!(run.stdout.contains("a-1.0-1.noarch.rpm is the same\n"), "{}", run.stdout);
    let unknown = project.run(&["diff", "aa"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("did you mean `a`?"), "{}", unknown.stderr);
}

#[test]
fn what_differs_is_shown_down_to_members_of_archives_and_lines() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    let install = "mkdir d; echo WORD > d/text; echo same > d/same; printf '\\001\\002WORD' > d/bytes\n\
                   tar --sort=name --mtime=@WHEN --owner=0 --group=0 -cf - d | gzip -n > built.tar.gz; cp d/text built.txt";
    let text =
        crate::support::spec("a", "", install).replace("%files\n", "%files\n/usr/share/built*\n").replace(
            "echo a > %{buildroot}/usr/share/a",
            "echo a > %{buildroot}/usr/share/a\ncp built* %{buildroot}/usr/share",
        );
    project.write("a.spec", &text.replace("WORD", "one").replace("WHEN", "1000"));
    project.succeed(&["apply"]);
    project.write("a.spec", &text.replace("WORD", "two").replace("WHEN", "2000"));
    project.succeed(&["apply"]);
    let run = project.run(&["diff", "a"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let shown: String = run.stdout.lines().map(|line| format!("{}\n", line.trim())).collect();
    for expected in [
        "decompressed → d/bytes → bytes at 0x2:\n-       6f 6e 65\n+       74 77 6f\n",
        "decompressed → d/same → modified:\n-       1000\n+       2000\n",
        "decompressed → d/text → text:\n-       one\n+       two\n",
        "text:\n-       one\n+       two\n",
    ] {
        assert!(shown.contains(expected), "{expected}\n{}", run.stdout);
    }
    let json: serde_json::Value =
        serde_json::from_str(&project.run(&["diff", "a", "--json"]).stdout).unwrap();
    let packages = json["builds"][0]["packages"].as_array().unwrap();
    let binary = packages.iter().find(|package| package["arch"] == "noarch").unwrap();
    let files = binary["files"]["changed"].as_array().unwrap();
    let file = files.iter().find(|file| file["path"] == "/usr/share/built.txt").unwrap();
    assert_eq!(file["contents"][0]["what"], "text");
    assert_eq!(
        (&file["contents"][0]["before"], &file["contents"][0]["after"]),
        (&"one".into(), &"two".into())
    );
}

#[test]
fn a_payload_that_is_not_its_header_s_is_no_package_to_compare() {
    use std::io::{Read, Write};
    let project =
        Project::with("macros { _binary_payload w6.gzdio }\npackage a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    project.succeed(&["apply"]);
    let made = project.path().join(".forge/results/host/00000001-a/a-1.0-1.noarch.rpm");
    let bytes = std::fs::read(made).unwrap();
    std::fs::write(project.path().join("a.rpm"), &bytes).unwrap();
    // Packed again as it should be, with one letter of a file changed.
    let start = bytes.windows(3).position(|three| three == [0x1f, 0x8b, 8]).unwrap();
    let mut payload = Vec::new();
    flate2::read::GzDecoder::new(&bytes[start..]).read_to_end(&mut payload).unwrap();
    let content = payload.windows(2).rposition(|two| two == b"a\n").unwrap();
    payload[content] = b'b';
    let mut packed = flate2::write::GzEncoder::new(bytes[..start].to_vec(), flate2::Compression::default());
    packed.write_all(&payload).unwrap();
    std::fs::write(project.path().join("changed.rpm"), packed.finish().unwrap()).unwrap();
    assert_eq!(project.run(&["diff", "a.rpm", "a.rpm"]).code, Some(0));
    let run = project.run(&["diff", "a.rpm", "changed.rpm"]);
    assert_eq!(run.code, Some(2), "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("forge::package::other_payload"), "{}", run.stderr);
    let run = project.run(&["verify", "a", "--against", "changed.rpm"]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
}
