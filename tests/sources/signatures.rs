//! Sources that are signed: with the keys that the manifest names, or those that a spec brings along.

use crate::keys::{MADE, TestKey};
use crate::remote::Files;
use crate::server::Answer;
use crate::support::{Project, Run, host, spec};

/// A project whose spec names `data-1.tar` and its signature at a server.
fn signed_project(files: &Files, keyring: &str) -> Project {
    let project = Project::new();
    project.write("Rpmforge.kdl", &manifest(keyring));
    let tags = format!("Source0: {}\nSource1: {}", files.url("data-1.tar"), files.url("data-1.tar.asc"));
    project.spec("a", &tags, "grep one %{SOURCE0}");
    project
}

fn manifest(keyring: &str) -> String {
    format!("{}package a {{ source path \"a.spec\" {{ {keyring} }} }}\n", host())
}

/// Expects that applying fails with these words, and that nothing is locked.
#[track_caller]
fn fails(project: &Project, words: &[&str]) -> Run {
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1), "{}\n{}", run.stdout, run.stderr);
    let shown = run.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(shown.contains(word), "{word}: {}", run.stderr);
    }
    let lock = project.path().join("Rpmforge.lock");
    let lock = std::fs::read_to_string(lock).unwrap_or_default();
    assert!(!lock.contains("data-1.tar"), "{lock}");
    run
}

#[test]
fn what_is_signed_with_a_declared_key_is_taken_and_nothing_else() {
    let key = TestKey::new();
    let files = Files::start(&[
        ("data-1.tar", b"one or another\n"),
        ("data-1.tar.asc", key.sign(b"one\n").as_bytes()),
    ]);
    let project = signed_project(&files, "keyring \"keys/up.asc\"");
    project.write("keys/up.asc", &key.public());
    let run = fails(
        &project,
        &["forge::source::wrong_signature", "`data-1.tar` is not what `data-1.tar.asc` signs"],
    );
    assert!(run.stderr.contains("keyring \"keys/up.asc\""), "the place of the keys is shown: {}", run.stderr);
    assert!(!run.stderr.contains("data-1.tar is locked as it came"), "{}", run.stderr);
    files.set("data-1.tar", Answer::ok("one\n"));
    let run = project.succeed(&["apply"]);
    assert!(run.stderr.contains("data-1.tar is locked as it came"), "{}", run.stderr);
    project.succeed(&["apply", "--locked", "--offline"]);
    // Another key of the manifest is asked anew, whatever was known of the other.
    project.write("keys/up.asc", &TestKey::new().public());
    let run = project.run(&["apply", "--offline"]);
    assert!(run.stderr.contains("forge::source::undeclared_key"), "{}", run.stderr);
}

#[test]
fn a_key_that_does_not_count_is_named_with_what_is_wrong_with_it() {
    let (key, short, subkey) = (TestKey::new(), TestKey::expiring_after(1000), TestKey::with_subkey());
    let day = "2024-01-01";
    assert_eq!(MADE, 1_704_067_200);
    let cases = [
        (TestKey::new().public(), key.sign(b"one\n"), "forge::source::undeclared_key", key.fingerprint()),
        (short.public(), short.sign(b"one\n"), "forge::source::expired_key", day.to_owned()),
        (key.revoked().public(), key.sign(b"one\n"), "forge::source::revoked_key", "has revoked".to_owned()),
        (
            subkey.with_revoked_subkey().public(),
            subkey.sign(b"one\n"),
            "revoked_key",
            "has revoked".to_owned(),
        ),
        (
            "no key".to_owned(),
            key.sign(b"one\n"),
            "forge::source::keyring",
            "`up.asc` holds no keys".to_owned(),
        ),
        (
            key.public(),
            "<html>".to_owned(),
            "forge::source::wrong_signature",
            "its signature is none".to_owned(),
        ),
    ];
    for (public, signature, code, words) in cases {
        let files = Files::start(&[("data-1.tar", b"one\n"), ("data-1.tar.asc", signature.as_bytes())]);
        let project = signed_project(&files, "keyring \"up.asc\"");
        project.write("up.asc", &public);
        fails(&project, &[code, &words, "Rpmforge.kdl:"]);
    }
    let files = Files::start(&[("data-1.tar", b"one\n"), ("data-1.tar.asc", b"")]);
    let project = signed_project(&files, "keyring \"up.asc\"");
    fails(&project, &["forge::source::keyring", "`up.asc` holds no keys"]);
    project.write("up.asc", &(TestKey::new().public() + &key.public()));
    fails(&project, &["forge::source::not_signed", "holds no signature"]);
    files.set("data-1.tar.asc", Answer::ok(key.sign(b"one\n")));
    std::fs::remove_dir_all(project.cache()).unwrap();
    project.succeed(&["apply"]);
}

#[test]
fn a_keyring_that_nothing_is_signed_with_is_an_error() {
    let files = Files::start(&[("data-1.tar", b"one\n")]);
    let project = Project::new();
    project.write("Rpmforge.kdl", &manifest("keyring \"up.asc\""));
    project.write("up.asc", &TestKey::new().public());
    project.spec("a", &format!("Source0: {}", files.url("data-1.tar")), "true");
    fails(&project, &["forge::source::no_signature"]);
    let registry = format!("{}package a {{ source pypi \"a\" {{ keyring \"up.asc\" }} }}\n", host());
    project.write("Rpmforge.kdl", &registry);
    let run = project.run(&["check"]);
    assert!(run.stderr.contains("forge::manifest::unknown_node"), "{}", run.stderr);
}

#[test]
fn keys_that_a_spec_brings_along_count_where_it_has_a_signature_too() {
    use std::io::Write;

    let key = TestKey::rsa();
    let mut packer = liblzma::write::XzEncoder::new(Vec::new(), 1);
    packer.write_all(b"one\n").unwrap();
    let packed = packer.finish().unwrap();
    // As kernel.org does: the signature is one of the archive before it was packed.
    let files =
        Files::start(&[("data-1.tar.xz", &packed), ("data-1.tar.sign", key.sign(b"one\n").as_bytes())]);
    let project = Project::with("package a { source path \"pkg/a.spec\" }\n");
    let tags = |keyring: &str| {
        let (data, sign) = (files.url("data-1.tar.xz"), files.url("data-1.tar.sign"));
        spec("a", &format!("Source0: {data}\nSource1: {sign}\n{keyring}"), "xz -dc %{SOURCE0} | grep one")
    };
    project.write("pkg/a.spec", &tags("Source2: up.keyring"));
    project.write("pkg/up.keyring", &TestKey::new().public());
    fails(&project, &["forge::source::undeclared_key", "not in `up.keyring`"]);
    project.write("pkg/up.keyring", &key.public());
    project.succeed(&["apply"]);
    // What lies beside the spec is looked at as well.
    let mut packer = liblzma::write::XzEncoder::new(Vec::new(), 1);
    packer.write_all(b"one more\n").unwrap();
    std::fs::write(project.path().join("pkg/data-1.tar.xz"), packer.finish().unwrap()).unwrap();
    let run = project.run(&["apply"]);
    assert!(run.stderr.contains("forge::source::wrong_signature"), "{}", run.stderr);
    // A signature alone says nothing: nobody has said whose it should be.
    project.write("pkg/a.spec", &tags(""));
    project.succeed(&["apply"]);
}
