//! Changelogs, beside what the rpmspec of this machine makes of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::process::Command;

use miette::Diagnostic;
use rpmforge::spec::{Trim, read_changelog};

const CHANGELOGS: &[&str] = &[
    "* Mon Nov 16 2026 Me <m@x> - 1-1\n- text\n",
    "* Tue Nov 16 2026 Me\n- t\n",
    "* Mon Nov 16 2026\n- t\n",
    "* Mon Nov 16 2026 Me\n",
    "* Mon Nov 16 2026 Me\n\n\n- a\n- b\n\n* Sun Nov 15 2026 You\n- c\n",
    "* Sun Nov 15 2026 You\n- c\n* Mon Nov 16 2026 Me\n- d\n",
    "* Mon Nov 16 2026 Me\n- c\n* Mon Nov 16 2026 You\n- d\n",
    "text\n",
    "* foo\n",
    "*Mon Nov 16 2026 Me\n- t\n",
    "* Mon Nov 16 10:20:30 UTC 2026 Me\n- t\n",
    "* Mon Nov 16 10:20 UTC 2026 Me\n- t\n",
    "* Mon Nov 16 10:20:30 2026 Me\n- t\n",
    "* Mon Foo 16 2026 Me\n- t\n",
    "* Xxx Nov 16 2026 Me\n- t\n",
    "* Mon Nov 32 2026 Me\n- t\n",
    "* Mon Nov 31 2026 Me\n- t\n",
    "* Tue Feb 29 2028 Me\n- t\n",
    "* Mon Feb 29 2027 Me\n- t\n",
    "* Thu Nov 16 1989 Me\n- t\n",
    "* mon nov 16 2026 Me\n- t\n",
    "* Monday November 16 2026 Me\n- t\n",
    "* Mon Nov  6 2026 Me\n- t\n",
    "* Mon Nov 016 2026 Me\n- t\n",
    "* Mon Nov 16 26 Me\n- t\n",
    "\n\n* Mon Nov 16 2026 Me\n- t\n",
    "* Mon Nov 16 2026 Me\n  - t\n  u\n\n",
    "* Mon Nov 16 2026 Me\n* Sun Nov 15 2026 You\n- t\n",
    "* Mon Nov 16 2026 Me\n- a\n * b\n",
    "* Mon Nov\n",
    "* Mon\n",
    "*\n",
    "* Mon Nov 16 2026Me\n- t\n",
    "* Mon Nov 16 2026 Me\n- t",
];

#[test]
fn changelogs_are_those_of_rpmspec() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.spec");
    let mut wrong = Vec::new();
    for text in CHANGELOGS {
        let head =
            "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n%description\n%files\n%changelog\n";
        std::fs::write(&path, format!("{head}{text}")).unwrap();
        let query = "[%{CHANGELOGTIME}|%{CHANGELOGNAME}|%{CHANGELOGTEXT}\n]";
        let run = Command::new("rpmspec")
            .args(["-q", "--define", "_changelog_trimage 0", "--qf", query])
            .arg(&path)
            .env("TZ", "UTC")
            .output()
            .unwrap();
        let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text_of(&run.stdout), text_of(&run.stderr));
        let told: Vec<&str> = stderr
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty() && !line.contains("query of specfile"))
            .filter_map(|line| line.split_once(": ").map(|(_, words)| words))
            .collect();
        let (changes, problems) = read_changelog(text.as_bytes(), Trim::default());
        let lines: String = changes
            .iter()
            .map(|change| format!("{}|{}|{}\n", change.time, change.name, change.text))
            .collect();
        let ours: Vec<String> =
            problems.iter().map(|problem| problem.to_string().trim_end().to_owned()).collect();
        let same_words = told == ours;
        let same_changes = !run.status.success() || stdout == lines;
        if !(same_words && same_changes) {
            wrong.push(format!("{text:?}\n  rpmspec: {stdout:?} {told:?}\n  forge:   {lines:?} {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn mistakes_have_codes() {
    for (text, code) in [
        ("text\n", "forge::spec::changelog_start"),
        ("* foo\n", "forge::spec::changelog_date"),
        ("* Tue Nov 16 2026 Me\n- t\n", "forge::spec::changelog_weekday"),
        ("* Mon Nov 16 2026\n- t\n", "forge::spec::changelog_name"),
        ("* Mon Nov 16 2026 Me\n", "forge::spec::changelog_text"),
        ("* Sun Nov 15 2026 You\n- c\n* Mon Nov 16 2026 Me\n- d\n", "forge::spec::changelog_order"),
    ] {
        let (_, problems) = read_changelog(text.as_bytes(), Trim::default());
        let codes: Vec<String> = problems.iter().map(|problem| problem.code().unwrap().to_string()).collect();
        assert_eq!(codes, [code], "{text:?}");
        assert!(problems.iter().all(|problem| problem.help().is_some()));
    }
}
