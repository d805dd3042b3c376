//! `forge diff`: what differs between packages, as people and programs read it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SPEC: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\nBuildArch: noarch\nRequires: b\n\
    %description\ntext\n%install\nmkdir -p %{buildroot}/x; echo one > %{buildroot}/x/file; touch %{buildroot}/x/gone\n\
    %post\necho one\necho two\n%files\n/x\n";

fn build(folder: &Path, name: &str, spec: &str, options: &[&str]) -> PathBuf {
    fs::write(folder.join("a.spec"), spec).unwrap();
    let top = format!("_topdir {}/top", folder.display());
    let file = format!("_rpmfilename {name}.rpm");
    let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
    command.args(["rpmbuild", "-bb", "-D", &top, "-D", &file, "-D", "use_source_date_epoch_as_buildtime 1"]);
    command.args(["-D", "build_mtime_policy clamp_to_source_date_epoch", "-D", "_binary_payload w6.gzdio"]);
    command.args(options).arg("a.spec").current_dir(folder).env("SOURCE_DATE_EPOCH", "1700000000");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join("top/RPMS").join(format!("{name}.rpm"))
}

fn diff(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_forge"))
        .arg("diff")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_same_package_has_no_difference() {
    let temp = tempfile::tempdir().unwrap();
    let one = build(temp.path(), "one", SPEC, &["-D", "_buildhost x"]);
    let two = build(temp.path(), "two", SPEC, &["-D", "_buildhost y"]);
    let output = diff(temp.path(), &[one.to_str().unwrap(), two.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).ends_with("they are the same but for when, where and by what they were built\n"));
    let output = diff(temp.path(), &["--all", one.to_str().unwrap(), two.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("- buildhost: x\n+ buildhost: y\n"), "{}", text(&output));
    let output = diff(temp.path(), &["--all", one.to_str().unwrap(), one.to_str().unwrap()]);
    assert!(text(&output).ends_with("they are the same\n"));
}

#[test]
fn all_that_differs_is_shown() {
    let temp = tempfile::tempdir().unwrap();
    let one = build(temp.path(), "one", SPEC, &[]);
    let other = SPEC
        .replace("Summary: s", "Summary: other")
        .replace("Requires: b", "Requires: b >= 2\nRequires(post): c")
        .replace("echo two", "echo three")
        .replace("echo one >", "echo uno >")
        .replace("touch %{buildroot}/x/gone", "touch %{buildroot}/x/new; chmod 600 %{buildroot}/x/file");
    let two = build(temp.path(), "two", &other, &[]);
    let output = diff(&temp.path().join("top/RPMS"), &["one.rpm", "two.rpm"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!("package_diff", text(&output));
    let output = diff(temp.path(), &["--json", one.to_str().unwrap(), two.to_str().unwrap()]);
    let json: serde_json::Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(json["files"]["removed"], serde_json::json!(["/x/gone"]));
    assert_eq!(json["files"]["added"], serde_json::json!(["/x/new"]));
    assert_eq!(json["dependencies"][0]["kind"], "requires");
    assert_eq!(json["scripts"][0]["script"], "postin");
}

#[test]
fn what_is_no_package_is_told_with_its_code() {
    let temp = tempfile::tempdir().unwrap();
    let one = build(temp.path(), "one", SPEC, &[]);
    fs::write(temp.path().join("text.rpm"), "no package").unwrap();
    let whole = fs::read(&one).unwrap();
    fs::write(temp.path().join("short.rpm"), &whole[..whole.len() - 20]).unwrap();
    let name = whole.windows(5).rposition(|window| window == b"gzip\0").unwrap();
    let mut odd = whole.clone();
    odd[name..name + 4].copy_from_slice(b"rotz");
    fs::write(temp.path().join("odd.rpm"), odd).unwrap();
    let mut said = String::new();
    for name in ["text.rpm", "short.rpm", "odd.rpm"] {
        let output = diff(temp.path(), &[one.to_str().unwrap(), name]);
        assert_eq!(output.status.code(), Some(2));
        said.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    insta::assert_snapshot!("package_diff_wrong", said);
    assert_eq!(diff(temp.path(), &["nosuch.rpm", "nosuch.rpm"]).status.code(), Some(2));
}
