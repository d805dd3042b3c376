//! `engine native` as a reader of specs: what it says, and what that depends on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::path::Path;

use miette::Diagnostic;
use rpmforge::engine::{EngineError, FactsRequest, Native, Reading, Settings, SpecReader};
use rpmforge::files::HostPath;
use rpmforge::macros::Observation;
use rpmforge::process::Cancel;

const HEAD: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n";

fn request(folder: &Path, text: &str) -> FactsRequest {
    std::fs::write(folder.join("a.spec"), text).unwrap();
    let folder = HostPath::new(folder).unwrap();
    FactsRequest {
        spec: folder.join("a.spec"),
        sources: folder,
        settings: Settings::default(),
        may_run: true,
        readable: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_facts_of_a_spec_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "{HEAD}Source0: https://example.org/a-%{{version}}.tar.gz\nBuildRequires: gcc >= 4\nExclusiveArch: %{{_target_cpu}}\n\
         %description\n%package devel\nSummary: d\nRequires: %{{name}} = %{{version}}\n%description devel\n\
         %files\n/usr/bin/a\n%files devel\n%attr(644,root,root) /usr/lib64/pkgconfig/a.pc\n"
    );
    let native = Native::default();
    let read = native.facts(&request(folder.path(), &text), &Cancel::default()).await.unwrap();
    let Reading::Facts(facts) = read.reading else { panic!("{:?}", read.reading) };
    assert_eq!((facts.name.as_str(), facts.evr.as_str()), ("a", "1-1"));
    assert_eq!(facts.sources[0].file_name, "a-1.tar.gz");
    assert_eq!(facts.sources[0].reference, "https://example.org/a-1.tar.gz");
    assert_eq!(facts.build_requires[0].to_string(), "gcc >= 4");
    let devel = &facts.subpackages[1];
    assert_eq!(devel.name, "a-devel");
    assert_eq!(devel.requires[0].to_string(), "a = 1");
    assert!(devel.provides.iter().any(|provided| provided.name == "pkgconfig(a)"));
    assert_eq!(devel.files, ["/usr/lib64/pkgconfig/a.pc"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spec_for_another_architecture_is_ruled_out() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{HEAD}ExclusiveArch: nosuch\n%description\n");
    let read = Native::default().facts(&request(folder.path(), &text), &Cancel::default()).await.unwrap();
    let Reading::RuledOut(words) = read.reading else { panic!("{:?}", read.reading) };
    assert!(words.starts_with("Architecture is not included: "), "{words}");
}

#[test]
fn what_a_spec_learns_is_remembered_and_looked_at_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("included"), "URL: http://x/\n").unwrap();
    std::fs::write(path("version"), "2\n").unwrap();
    let text = format!(
        "{HEAD}%include {}\nEpoch: %(cat {})\nGroup: %{{exists:{}}}%{{getenv:NOSUCH}}\n%description\n",
        path("included").display(),
        path("version").display(),
        path("nosuch").display()
    );
    let request = request(folder.path(), &text);
    let read = Native::default().read(&request).unwrap();
    assert!(read.is_sound(), "{:?}", read.findings);
    assert!(read.observations.contains(&Observation::Variable(b"NOSUCH".to_vec(), None)));
    // The folder of the sources has another path in every checkout.
    let nosuch = b"%{_sourcedir}/nosuch".to_vec();
    assert!(read.observations.contains(&Observation::Exists(nosuch, false)));
    // Commands are remembered as long as a reader lives: each look is a new one.
    let holds = || Native::default().would_learn_again(&request, &read.observations);
    assert!(holds());
    std::fs::write(path("included"), "URL: http://y/\n").unwrap();
    assert!(!holds());
    std::fs::write(path("included"), "URL: http://x/\n").unwrap();
    assert!(holds());
    std::fs::write(path("version"), "3\n").unwrap();
    assert!(!holds());
    std::fs::write(path("version"), "2\n").unwrap();
    std::fs::write(path("nosuch"), "").unwrap();
    assert!(!holds());
}

#[test]
fn the_same_command_runs_once_for_all_specs() {
    let folder = tempfile::tempdir().unwrap();
    let counted = folder.path().join("counted");
    let text = format!(
        "{HEAD}Group: %(echo x >> {0}; echo g)%(echo x >> {0}; echo g)\n%description\n",
        counted.display()
    );
    let request = request(folder.path(), &text);
    let native = Native::default();
    for _ in 0..3 {
        assert!(native.read(&request).unwrap().is_sound());
    }
    assert_eq!(std::fs::read_to_string(counted).unwrap(), "x\n");
}

#[test]
fn where_nothing_may_run_it_is_said_what_wanted_to() {
    let folder = tempfile::tempdir().unwrap();
    let ran = folder.path().join("ran");
    let mut request =
        request(folder.path(), &format!("{HEAD}Group: g%(touch {})\n%description\n", ran.display()));
    request.may_run = false;
    let read = Native::default().read(&request).unwrap();
    assert!(
        read.findings.iter().any(|finding| finding.code == "forge::macros::closed"),
        "{:?}",
        read.findings
    );
    assert!(!ran.exists());
}

#[test]
fn what_specs_print_does_not_reach_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("a.spec"),
        format!("{HEAD}%{{echo:loud}}%(echo louder >&2)\n%description\n"),
    )
    .unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_forge"));
    let told = command.args(["spec", "--json", "a.spec"]).current_dir(folder.path()).output().unwrap();
    assert!(!String::from_utf8_lossy(&told.stdout).contains("loud"));
    assert_eq!(String::from_utf8_lossy(&told.stderr), "");
}

#[test]
fn a_spec_that_is_not_there_is_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(folder.path(), HEAD);
    request.spec = HostPath::new(folder.path()).unwrap().join("nosuch.spec");
    let read = Native::default().read(&request).unwrap();
    assert_eq!(read.findings[0].code, "forge::engine::unreadable_spec");
    assert!(read.spec.is_none());
}

#[test]
fn an_engine_that_only_reads_says_so() {
    let error = EngineError::ReadsOnly;
    assert_eq!(error.code().unwrap().to_string(), "forge::engine::reads_only");
}

#[test]
fn relative_paths_begin_in_the_folder_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("more"), "Group: g\n").unwrap();
    std::fs::write(folder.path().join("epoch"), "7\n").unwrap();
    let text =
        format!("{HEAD}%include more\nEpoch: %(cat epoch)%{{lua:io.open('epoch'):close()}}\n%description\n");
    let request = request(folder.path(), &text);
    let here = HostPath::new(folder.path()).unwrap();
    let read = Native::working_in(&here).read(&request).unwrap();
    assert!(read.is_sound(), "{:?}", read.findings);
    assert!(!Native::default().read(&request).unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_spec_says_without_its_programs_is_not_taken_for_its_word() {
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(folder.path(), &format!("{HEAD}Epoch: %(echo 7)\n%description\n"));
    request.may_run = false;
    let read = Native::default().facts(&request, &Cancel::default()).await.unwrap();
    assert_eq!(read.reading, Reading::Withheld(Vec::new()));
    request.may_run = true;
    let read = Native::default().facts(&request, &Cancel::default()).await.unwrap();
    assert!(matches!(read.reading, Reading::Facts(_)));
}
