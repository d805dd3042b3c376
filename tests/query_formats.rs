//! Query formats, beside what the rpmspec of this machine makes of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use miette::Diagnostic;
use rpmforge::package::QueryFormat;

const SPEC: &str = "\
Name: a
Version: 1
Release: 2
Epoch: 3
Summary: s<&\"'>\\ t
Summary(de): auf Deutsch
License: l
Group: g
URL: http://x/
Requires: r >= 1, (b or c)
Requires(post): p
Conflicts: k < 2
Provides: prov = 1
%description
one
two
%package x
Summary: x
BuildArch: noarch
%description x
%pre
echo \"%{name}\"
%post -p <lua>
print(1)
%files
%files x
%changelog
* Mon Nov 16 2026 Me <a@b> 1-2
- one
- two

* Mon Nov 09 2026 You <c@d> 1-1
- first
";

const FORMATS: &[&str] = &[
    "%{NAME}|",
    "%{name}-%{Version}-%{RPMTAG_RELEASE}\\n",
    "%-10{NAME}|%10{NAME}|%2{NAME}|",
    "%{SIZE}|%5{SIZE}|[%{SIZE}x]|",
    "[%{REQUIRENAME} %{REQUIREFLAGS:depflags} %{REQUIREVERSION}\\n]",
    "[%{=NAME} %{REQUIRENAME},]",
    "[%{NAME} %{REQUIRENAME}\\n]",
    "%{#REQUIRENAME}|%{REQUIRENAME:arraysize}|%{NAME:arraysize}\\n",
    "[%{REQUIRENEVRS},][%{PROVIDENEVRS},][%{CONFLICTNEVRS}]",
    "%|EPOCH?{e%{EPOCH}}:{none}|%|SIZE?{s}:{%{NAME}}|%|SIZE?{s}|\\n",
    "%|NAME?{%|SIZE?{a}:{b%{NAME}}|}|",
    "[%|EPOCH?{%{REQUIRENAME}}:{no}|,]",
    "%{EVR} %{NVR} %{NEVR} %{NEVRA} %{NVRA} %{EPOCHNUM}\\n",
    "%{EPOCH:humansi}|%{EPOCH:perms}|%{EPOCH:fflags}|%{EPOCH:date}|%{EPOCH:day}|%{EPOCH:hex}|%{EPOCH:octal}",
    "[%{REQUIREFLAGS:humaniec}|%{REQUIREFLAGS:humansi}|%{REQUIREFLAGS:perms}|%{REQUIREFLAGS:vflags},]",
    "[%|EPOCH?{%{REQUIRENAME}}|,%{PROVIDENAME}]",
    "[%|VERBOSE?{v}:{}|%{PROVIDENEVRS},]",
    "%{EPOCH:vflags}|%{EPOCH:fstate}|%{EPOCH:triggertype}|%{EPOCH:deptype}|%{EPOCH:date}",
    "%{NAME:hex}|%{NAME:base64}|%{NAME:shescape}|%{NAME:expand}|%{NAME:armor}|%{NAME:date}",
    "%{SUMMARY:xml}|%{SUMMARY:shescape}|%{EPOCH:xml}|%{EPOCH:shescape}",
    "%{NAME:tagname}|%{NAME:tagnum}|%{EPOCH:tagname}|%{EPOCH:tagnum}",
    "%{SUMMARY}|[%{SUMMARY},]|%{DESCRIPTION}",
    "\\a\\b\\f\\n\\r\\t\\v\\\\\\q\\x41\\{\\}\\[\\]",
    "100%%",
    "%{PREIN}|%{PREINPROG}|%{POSTIN}|%{POSTINPROG}",
    "[]",
    "[text]",
    "%{nosuch}",
    "%{NAME:nosuch}",
    "%{NAME",
    "%{}",
    "%{:xml}",
    "%{NAME:}",
    "%",
    "%s",
    "%}",
    "[%{NAME}",
    "]",
    "%|NAME",
    "%|NAME?",
    "%|NAME?x",
    "%|NAME?{x}",
    "%|NAME?{x}:",
    "%|NAME?{x}:y",
    "a\\",
    "text only",
    "[%{REQUIREFLAGS:deptype},]",
];

fn ask(program: &str, first: Option<&str>, format: &str, folder: &Path, language: &str) -> Output {
    let mut command = Command::new(program);
    command.args(first).args(["-q", "--qf", format, "a.spec"]).current_dir(folder);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("LANGUAGE", language);
    command.env("HOME", "/nonexistent").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command.output().unwrap()
}

#[test]
fn formats_come_out_as_rpmspec_shows_them() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.spec"), SPEC).unwrap();
    let mut wrong = String::new();
    for format in FORMATS {
        let theirs = ask("rpmspec", None, format, folder.path(), "");
        let ours = ask(env!("CARGO_BIN_EXE_forge"), Some("rpmspec"), format, folder.path(), "");
        if ours != theirs {
            writeln!(wrong, "{format}\n{theirs:?}\n{ours:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn texts_are_shown_in_the_language_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.spec"), SPEC).unwrap();
    let forge = env!("CARGO_BIN_EXE_forge");
    let told = ask(forge, Some("rpmspec"), "%{SUMMARY}\\n", folder.path(), "fr:de_AT.UTF-8");
    assert_eq!(String::from_utf8(told.stdout).unwrap(), "auf Deutsch\nx\n");
}

#[test]
fn everything_can_be_asked_for_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.spec"), SPEC).unwrap();
    let run = |option: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
        command.args(["rpmspec", "-q", "--srpm", option, "a.spec"]).current_dir(folder.path());
        command.env_clear().env("HOME", "/nonexistent").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    insta::assert_snapshot!("everything_as_xml", run("--xml"));
    let json = run("--json");
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["Providename"], serde_json::json!(["a", "a-x"]));
    insta::assert_snapshot!("everything_as_json", json);
}

#[test]
fn a_wrong_format_has_its_code() {
    let problem = QueryFormat::read(b"%{NAME").unwrap_err();
    assert_eq!(problem.code().unwrap().to_string(), "forge::package::query_format");
    assert_eq!(problem.to_string(), "incorrect format: missing } after %{");
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    assert!(QueryFormat::read(&deep).is_err());
}
