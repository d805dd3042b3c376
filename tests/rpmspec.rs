//! `forge rpmspec`: command lines, beside what the rpmspec of this machine makes of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const SPEC: &str = "\
Name: a
Version: %{?own}1
Release: 1
Summary: s
License: l
BuildRequires: br >= 2
BuildConflicts: bc
Requires: r
Requires(post): p
Recommends: rec
%bcond_with extra
%description
%package x
Summary: x
BuildArch: noarch
%description x
%if %{with extra}
%package extra
Summary: e
%description extra
%endif
%files
";

/// Each asks for something else; `a.spec` is there, `bad.spec` is wrong, `nosuch.spec` is not there.
const LINES: &[&[&str]] = &[
    &["-q", "a.spec"],
    &["--query", "a.spec"],
    &["-q", "--srpm", "--qf", "%{nvr}\\n", "a.spec"],
    &["-q", "--rpms", "a.spec"],
    &["-q", "--builtrpms", "a.spec"],
    &["-q", "--requires", "a.spec"],
    &["-q", "-v", "--requires", "a.spec"],
    &["-q", "--provides", "a.spec"],
    &["-q", "--conflicts", "a.spec"],
    &["-q", "--buildrequires", "a.spec"],
    &["-q", "--buildconflicts", "a.spec"],
    &["-q", "--queryformat=%{name} ", "a.spec"],
    &["-q", "--qf", "a", "--qf", "b", "a.spec"],
    &["-q", "--with", "extra", "a.spec"],
    &["-q", "--with=extra", "--without", "extra", "a.spec"],
    &["-q", "-D", "own 3.", "a.spec"],
    &["-q", "--define=own 3.", "a.spec"],
    &["-q", "-Down 3.", "a.spec"],
    &["-q", "-D", "own 3.", "--undefine", "own", "a.spec"],
    &["-q", "--target", "noarch", "a.spec"],
    &["-q", "a.spec", "a.spec"],
    &["-q", "a.spec", "bad.spec", "nosuch.spec", "a.spec"],
    &["-P", "a.spec"],
    &["--parse", "-D", "own 3.", "a.spec"],
    &["-P", "bad.spec"],
    &["-P", "nosuch.spec"],
    &["-q", "nosuch.spec"],
    &["-q"],
    &["-P"],
    &["-q", "--", "a.spec"],
    &["--eval", "%{name}"],
    &["--eval", "%[1 + 2]", "-q", "a.spec"],
    &["-q", "--nosuch", "a.spec"],
    &["-Z"],
    &["-q", "--qf"],
    &["-q", "-D", "wrong", "a.spec"],
];

fn ask(program: &str, first: Option<&str>, line: &[&str], folder: &Path, input: &str) -> Output {
    let mut command = Command::new(program);
    command
        .args(first)
        .args(line)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap());
    command.env("HOME", "/nonexistent").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.spec"), SPEC).unwrap();
    std::fs::write(folder.path().join("bad.spec"), "Name: b\nFoo: x\n").unwrap();
    folder
}

#[test]
fn command_lines_mean_what_they_mean_to_rpmspec() {
    let folder = folder();
    let mut wrong = String::new();
    for line in LINES {
        // Without a format, rpm 4.18 calls all packages source packages.
        let line = [&["--qf", "%{nvra}\\n"], *line].concat();
        let theirs = ask("rpmspec", None, &line, folder.path(), "");
        let ours = ask(env!("CARGO_BIN_EXE_forge"), Some("rpmspec"), &line, folder.path(), "");
        if ours != theirs {
            writeln!(wrong, "{line:?}\n{theirs:?}\n{ours:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn without_a_format_packages_have_their_architectures() {
    let folder = folder();
    let forge = env!("CARGO_BIN_EXE_forge");
    let told = ask(forge, Some("rpmspec"), &["-q", "--target", "ppc64le", "a.spec"], folder.path(), "");
    assert_eq!(String::from_utf8(told.stdout).unwrap(), "a-1-1.ppc64le\na-x-1-1.noarch\n");
    let told = ask(forge, Some("rpmspec"), &["-q", "--srpm", "a.spec"], folder.path(), "");
    assert_eq!(String::from_utf8(told.stdout).unwrap(), "a-1-1.src\n");
}

#[test]
fn the_shell_expands_what_is_typed_with_the_macros_of_a_spec() {
    let folder = folder();
    let typed = "%name-%version\n%define more %{name}x\n%more\n%{nosuch\n";
    let ours =
        ask(env!("CARGO_BIN_EXE_forge"), Some("rpmspec"), &["--shell", "a.spec"], folder.path(), typed);
    let output = String::from_utf8(ours.stdout).unwrap();
    assert_eq!(output, "> %name-%version\na-1\n> %define more %{name}x\n> %more\nax\n> %{nosuch\n> ");
    let errors = String::from_utf8(ours.stderr).unwrap();
    assert!(
        errors.starts_with("RPM version ") && errors.contains("error: Unterminated {: {nosuch"),
        "{errors}"
    );
    assert_eq!(ours.status.code(), Some(0));
}

#[test]
fn tags_can_be_listed() {
    let folder = folder();
    let ours = ask(env!("CARGO_BIN_EXE_forge"), Some("rpmspec"), &["-v", "--querytags"], folder.path(), "");
    let listed = String::from_utf8(ours.stdout).unwrap();
    assert!(listed.contains("REQUIRENAME            1049 argv\n"), "{listed}");
}

#[test]
fn odd_and_huge_specs_have_an_answer() {
    let folder = folder();
    let head = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n%description\n";
    let packages: String = (0..10_000)
        .map(|number| format!("%package p{number}\nSummary: s\n%description p{number}\n"))
        .collect();
    let specs: Vec<(&str, Vec<u8>, i32)> = vec![
        ("ten megabytes", [head.as_bytes(), &b"text text text\n".repeat(700_000)].concat(), 0),
        (
            "100,000 conditions deep",
            [head, &"%if 1\n".repeat(100_000), &"%endif\n".repeat(100_000)].concat().into(),
            0,
        ),
        ("100,000 conditions wide", [head, &"%if 1\n%endif\n".repeat(100_000)].concat().into(), 0),
        ("10,000 packages", [head, &packages].concat().into(), 0),
        ("bytes that are no text", [head.as_bytes(), b"\xff\xfe\n%files\n/\xff\n"].concat(), 1),
        ("NULs", [head.as_bytes(), b"a\0b\n\0\n"].concat(), 0),
        ("line ends of another system", head.replace('\n', "\r\n").into(), 0),
        ("no line end at the end", format!("{head}text").into(), 0),
        ("nothing", Vec::new(), 1),
        ("one line of a megabyte", [head.as_bytes(), &b"text ".repeat(200_000)].concat(), 0),
        // Above the limit of a line, which the message says.
        ("one line of ten megabytes", [head.as_bytes(), &b"text ".repeat(2_000_000)].concat(), 1),
    ];
    for (name, text, code) in specs {
        std::fs::write(folder.path().join("odd.spec"), text).unwrap();
        let told = ask(env!("CARGO_BIN_EXE_forge"), Some("rpmspec"), &["-q", "odd.spec"], folder.path(), "");
        assert_eq!(told.status.code(), Some(code), "{name}: {}", String::from_utf8_lossy(&told.stderr));
    }
}
