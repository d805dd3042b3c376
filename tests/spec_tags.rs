//! Lines of preambles, beside what the rpmspec of this machine says to them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::process::Command;

use miette::Diagnostic;
use rpmforge::spec::Field;

/// Tags that rpm knew before forge's oldest reference did, and still does.
const TAGS: &[&str] = &[
    "Name",
    "Version",
    "Release",
    "Epoch",
    "Summary",
    "License",
    "Distribution",
    "DistTag",
    "Vendor",
    "Group",
    "Packager",
    "URL",
    "VCS",
    "Source",
    "Patch",
    "Source1",
    "Patch7",
    "ExcludeArch",
    "ExclusiveArch",
    "ExcludeOS",
    "ExclusiveOS",
    "Provides",
    "Requires",
    "Recommends",
    "Suggests",
    "Supplements",
    "Enhances",
    "Conflicts",
    "BuildRequires",
    "BuildConflicts",
    "AutoReqProv",
    "AutoReq",
    "AutoProv",
    "BugURL",
    "OrderWithRequires",
    "RemovePathPostfixes",
    "ModularityLabel",
    "NoSuch",
    "Sourcex",
    "Patch1x",
    "BuildRoot",
    "Prefixes",
];

/// Those of them that are weak dependencies.
const WEAK: &[&str] = &["Recommends", "Suggests", "Supplements", "Enhances"];

/// What follows them.
const RESTS: &[&str] = &[
    ": x",
    ": x y",
    ":",
    " : x",
    "\t:\tx",
    "(de): x",
    "(post): x",
    "(post,preun): x",
    "( post ): x",
    "(post preun): x",
    "(post,): x",
    "(POST): x",
    "(): x",
    "(de: x",
    "(post)x: y",
    " x",
    "",
    ":x",
    " (post): x",
];

/// What is checked of a line's form; all else that rpm says is about the value.
const FORM: &[&str] = &[
    "Unknown tag",
    "Malformed tag",
    "Empty tag",
    "Tag takes single token only",
    "Bad source number",
    "Bad patch number",
    "qualifiers",
];

#[test]
fn lines_are_read_or_refused_as_rpmspec_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    let version = String::from_utf8(Command::new("rpm").arg("--version").output().unwrap().stdout).unwrap();
    let is_older = version.contains("version 4.");
    for tag in TAGS {
        for rest in RESTS {
            // Before rpm 6 weak dependencies took no qualifiers.
            if WEAK.contains(tag) && rest.contains('(') && is_older {
                continue;
            }
            let line = format!("{tag}{rest}");
            let path = folder.path().join("a.spec");
            let others = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n%description\n";
            std::fs::write(&path, format!("{line}\n{others}")).unwrap();
            let run = Command::new("rpmspec").arg("--parse").arg(&path).output().unwrap();
            let told = String::from_utf8_lossy(&run.stderr).into_owned();
            let is_of_form = |told: &&str| FORM.iter().any(|words| told.contains(words));
            let theirs = told.lines().find(is_of_form).map(|told| told.trim_end().to_owned());
            let shown = line.trim_end();
            let ours = Field::read(line.as_bytes())
                .err()
                .map(|problem| format!("error: line 1: {problem}: {shown}"));
            if theirs != ours {
                wrong.push(format!("{line:?}\n  rpmspec: {theirs:?}\n  forge:   {ours:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn mistakes_have_codes() {
    for (line, code) in [
        ("NoSuch: x", "forge::spec::unknown_tag"),
        ("URL:", "forge::spec::empty_tag"),
        ("Source x", "forge::spec::malformed_tag"),
        ("Name: a b", "forge::spec::single_token"),
        ("Requires(x): a", "forge::spec::qualifier"),
        ("Sourcex: a", "forge::spec::number"),
    ] {
        let problem = Field::read(line.as_bytes()).unwrap_err();
        assert_eq!(problem.code().unwrap().to_string(), code);
        assert!(problem.help().is_some());
    }
}
