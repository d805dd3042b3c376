//! Specs of one behaviour each (`tests/specs`): what `forge rpmspec` says of them, beside what the rpmspec of this machine
//! says; and what that is, as snapshots, which real rpm 6.1 agrees with.
//!
//! A case begins with `=== its_name`; `@base` stands for the head of a spec. What an rpm before 6.0 says otherwise is
//! marked `since 6.0`.

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

const BASE: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n%description\ntext\n";

const PACKAGES: &str = "%{NAME}|%{EPOCHNUM}|%{VERSION}|%{RELEASE}|%{ARCH}|%{SUMMARY}|%{GROUP}|%{LICENSE}|%{URL}|%{VENDOR}\\n\
    %{DESCRIPTION}\\n\
    [R %{REQUIRENAME} %{REQUIREFLAGS:depflags} %{REQUIREFLAGS:deptype} %{REQUIREVERSION}\\n]\
    [P %{PROVIDENAME} %{PROVIDEFLAGS:depflags} %{PROVIDEVERSION}\\n]\
    [C %{CONFLICTNEVRS}\\n][O %{OBSOLETENEVRS}\\n][W %{RECOMMENDNEVRS}\\n][S %{SUGGESTNEVRS}\\n]\
    [U %{SUPPLEMENTNEVRS}\\n][E %{ENHANCENEVRS}\\n][X %{ORDERNAME}\\n][F %{PREFIXES}\\n]\
    [T %{TRIGGERNAME} %{TRIGGERFLAGS} %{TRIGGERVERSION} %{TRIGGERINDEX}\\n]\
    [I %{FILETRIGGERNAME} %{FILETRIGGERFLAGS} %{FILETRIGGERINDEX}\\n]\
    [pre %{PREINPROG} %{PREIN}\\n][post %{POSTINPROG} %{POSTIN}\\n]\
    [preun %{PREUNPROG} %{PREUN}\\n][postun %{POSTUNPROG} %{POSTUN}\\n]\
    [change %{CHANGELOGTIME} %{CHANGELOGNAME} %{CHANGELOGTEXT}\\n]";

/// Without sources and patches: older rpms list them the other way round.
const SOURCE: &str = "%{NAME}|%{VERSION}|%{LICENSE}|%{SUMMARY}\\n[R %{REQUIRENEVRS}\\n][C %{CONFLICTNEVRS}\\n]\
    [N %{NOSOURCE}\\n][Q %{NOPATCH}\\n][XA %{EXCLUSIVEARCH}\\n][NA %{EXCLUDEARCH}\\n][BA %{BUILDARCHS}\\n]";

/// The sources, for the snapshots.
const SOURCES: &str = "[S %{SOURCE}\\n][P %{PATCH}\\n]";

struct Case {
    name: String,
    is_new: bool,
    text: Vec<u8>,
}

fn cases(path: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut cases: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            cases.push((name.to_owned(), String::new()));
        } else if let Some((_, body)) = cases.last_mut() {
            body.push_str(if line == "@base" { BASE.trim_end() } else { line });
            body.push('\n');
        }
    }
    let case = |(name, body): (String, String)| Case {
        is_new: name.ends_with(" since 6.0"),
        name: name.trim_end_matches(" since 6.0").to_owned(),
        // The one byte that no text file has.
        text: format!("{}\n", body.trim_end()).replace("\\xe9", "\u{e9}").into_bytes(),
    };
    cases.into_iter().map(case).map(latin).collect()
}

/// `\xe9` stands for a byte that is no UTF-8.
fn latin(mut case: Case) -> Case {
    while let Some(at) = case.text.windows(2).position(|pair| pair == "\u{e9}".as_bytes()) {
        case.text.splice(at..at + 2, [0xe9]);
    }
    case
}

fn ask(program: &str, first: Option<&str>, question: &[&str], folder: &Path) -> Output {
    let top = format!("_topdir {}", folder.display());
    let mut command = Command::new(program);
    command.args(first).args(question).args(["--define", &top, "case.spec"]).current_dir(folder);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.env("HOME", "/nonexistent").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command.output().unwrap()
}

fn ours(question: &[&str], folder: &Path) -> Output {
    ask(env!("CARGO_BIN_EXE_forge"), Some("rpmspec"), question, folder)
}

fn files() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/specs");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn rpmspec_of_this_machine_says_the_same() {
    let version =
        String::from_utf8(Command::new("rpmspec").arg("--version").output().unwrap().stdout).unwrap();
    let number = version.trim().rsplit(' ').next().unwrap();
    let is_old = number.split('.').next().unwrap().parse::<u32>().unwrap() < 6;
    let folder = tempfile::tempdir().unwrap();
    let (mut compared, mut wrong) = (0, String::new());
    for file in files() {
        for case in cases(&file).into_iter().filter(|case| !(case.is_new && is_old)) {
            std::fs::write(folder.path().join("case.spec"), &case.text).unwrap();
            compared += 1;
            for question in [&["-q", "--qf", PACKAGES][..], &["-q", "--srpm", "--qf", SOURCE], &["-P"]] {
                let theirs = ask("rpmspec", None, question, folder.path());
                let ours = ours(question, folder.path());
                if ours != theirs {
                    writeln!(wrong, "{}: {}: {question:?}\n{theirs:?}\n{ours:?}", file.display(), case.name)
                        .unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(compared >= 150, "{compared} cases");
}

#[test]
fn what_rpmspec_says_is_known() {
    let folder = tempfile::tempdir().unwrap();
    for file in files() {
        let mut said = String::new();
        for case in cases(&file) {
            std::fs::write(folder.path().join("case.spec"), &case.text).unwrap();
            writeln!(said, "=== {}", case.name).unwrap();
            let format = format!("{SOURCE}{SOURCES}");
            // Of `%prep` it is the script that counts.
            let questions = match file.ends_with("prep.specs") {
                true => vec![vec!["-P"]],
                false => vec![vec!["-q", "--qf", PACKAGES], vec!["-q", "--srpm", "--qf", &format]],
            };
            for (index, question) in questions.iter().enumerate() {
                let told = ours(question, folder.path());
                said.push_str(&String::from_utf8_lossy(&told.stdout));
                if index == 0 {
                    said.push_str(&String::from_utf8_lossy(&told.stderr));
                    writeln!(said, "[{}]", told.status.code().unwrap()).unwrap();
                }
            }
        }
        let said = said.replace(folder.path().to_str().unwrap(), "/top");
        insta::assert_snapshot!(file.file_stem().unwrap().to_str().unwrap(), said);
    }
}

/// Every case as `forge spec` tells of it: what is wrong has its code, its line and what to do.
#[test]
fn what_is_wrong_has_its_code_and_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut said = String::new();
    for file in files() {
        for case in cases(&file) {
            std::fs::write(folder.path().join("case.spec"), &case.text).unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
            // Whatever rpm this machine has.
            command.args(["spec", "-D", "_rpm_dialect 6.1.0", "--json", "case.spec"]);
            let told = command.current_dir(folder.path()).output().unwrap();
            let documents: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
            let findings = documents[0]["findings"].as_array().unwrap();
            let has_errors = findings.iter().any(|finding| finding["weight"] == "error");
            assert_eq!(told.status.success(), !has_errors, "{}", case.name);
            for finding in findings {
                let text = |field: &str| finding[field].as_str().unwrap_or("-").to_owned();
                writeln!(said, "{} line {}: {} {}", case.name, finding["line"], text("code"), text("title"))
                    .unwrap();
                writeln!(said, "    {}", text("help")).unwrap();
            }
        }
    }
    let said = said.replace(folder.path().to_str().unwrap(), "/top");
    insta::assert_snapshot!("findings", said);
}
