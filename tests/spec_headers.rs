//! Lines that begin sections, beside what the rpmspec of this machine says to them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::process::Command;

use miette::Diagnostic;
use rpmforge::spec::{SectionHeader, SectionKind, SectionProblem};

const SECTIONS: &[&str] = &["description", "files", "pre", "postun", "verifyscript", "package"];

const OPTIONS: &[&str] = &[
    "",
    "x",
    "-n a-x",
    "-n",
    "-l de",
    "-l",
    "-f",
    "-f f",
    "-p",
    "-p /bin/true",
    "-p sh",
    "-p \"/bin/sh -x\"",
    "-e",
    "-q",
    "-z",
    "x y",
    "-n a-x y",
    "x -n a-x",
    "-n a-x -n a-x",
    "'x'",
    "\"a x\" y",
];

/// What is checked of a line's form; all else that rpm says is about packages.
const FORM: &[&str] = &["Bad option", "Too many names", "script program must", "Bad package specification"];

fn ours(line: &str) -> Result<SectionHeader, SectionProblem> {
    let (kind, arguments) = SectionKind::from_line(line.as_bytes()).unwrap();
    SectionHeader::read(kind, arguments, line.as_bytes())
}

#[test]
fn headers_are_read_or_refused_as_rpmspec_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.spec");
    let mut wrong = Vec::new();
    for section in SECTIONS {
        for options in OPTIONS {
            let line = format!("%{section} {options}");
            let head = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n%description\n%package x\nSummary: s\n%description x\n";
            std::fs::write(&path, format!("{head}{line}\n")).unwrap();
            let run = Command::new("rpmspec").arg("--parse").arg(&path).output().unwrap();
            let told = String::from_utf8_lossy(&run.stderr).into_owned();
            let words = told.lines().find(|told| FORM.iter().any(|form| told.contains(form)));
            let theirs = words.map(|told| {
                let told = told.trim_start_matches("error: ");
                told.strip_prefix("line 10: ").unwrap_or(told).trim_end().to_owned()
            });
            let ours = ours(&line).err().map(|problem| problem.to_string().trim_end().to_owned());
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
        ("%files -z", "forge::spec::section_option"),
        ("%files a b", "forge::spec::section_names"),
        ("%post -p sh", "forge::spec::script_program"),
        ("%package", "forge::spec::package_name"),
    ] {
        let problem = ours(line).unwrap_err();
        assert_eq!(problem.code().unwrap().to_string(), code);
        assert!(problem.help().is_some());
    }
}
