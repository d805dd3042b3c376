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
use rpmforge::engine::{EngineError, FactsRequest, NativeReader, Reading, Settings, SpecAnswer, SpecOrder};
use rpmforge::files::{HostPath, RootPath};
use rpmforge::macros::Observation;

const HEAD: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n";

fn request(folder: &Path, text: &str) -> FactsRequest {
    std::fs::write(folder.join("a.spec"), text).unwrap();
    let folder = RootPath::new(folder).unwrap();
    FactsRequest {
        spec: folder.join("a.spec"),
        sources: folder,
        settings: Settings::default(),
        may_run: true,
        readable: Vec::new(),
    }
}

#[test]
fn the_facts_of_a_spec_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "{HEAD}Source0: https://example.org/a-%{{version}}.tar.gz\nBuildRequires: gcc >= 4\nExclusiveArch: %{{_target_cpu}}\n\
         %description\n%package devel\nSummary: d\nRequires: %{{name}} = %{{version}}\n%description devel\n\
         %files\n/usr/bin/a\n%files devel\n%attr(644,root,root) /usr/lib64/pkgconfig/a.pc\n"
    );
    let native = NativeReader::default();
    let read = native.read_facts(&request(folder.path(), &text)).unwrap();
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

#[test]
fn a_spec_for_another_architecture_is_ruled_out() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{HEAD}ExclusiveArch: nosuch\n%description\n");
    let read = NativeReader::default().read_facts(&request(folder.path(), &text)).unwrap();
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
    let read = NativeReader::default().read(&request).unwrap();
    assert!(read.is_sound(), "{:?}", read.findings);
    assert!(read.observations.contains(&Observation::Variable(b"NOSUCH".to_vec(), None)));
    // The folder of the sources has another path in every checkout.
    let nosuch = b"%{_sourcedir}/nosuch".to_vec();
    assert!(read.observations.contains(&Observation::Exists(nosuch, false)));
    // Commands are remembered as long as a reader lives: each look is a new one.
    let holds = || NativeReader::default().is_still_valid(&request, &read.observations);
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
    let native = NativeReader::default();
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
    let read = NativeReader::default().read(&request).unwrap();
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
    request.spec = RootPath::new(folder.path()).unwrap().join("nosuch.spec");
    let read = NativeReader::default().read(&request).unwrap();
    assert_eq!(read.findings[0].code, "forge::engine::unreadable_spec");
    assert!(read.spec.is_none());
}

#[test]
fn an_engine_says_that_it_was_canceled_and_where_it_does_not_work() {
    assert_eq!(EngineError::Canceled.code().unwrap().to_string(), "forge::engine::canceled");
    let error = EngineError::OtherRoot { path: HostPath::root().join("srv/root") };
    assert_eq!(error.code().unwrap().to_string(), "forge::engine::other_root");
    assert!(error.to_string().ends_with("not in /srv/root"), "{error}");
}

#[test]
fn a_spec_is_read_again_only_where_what_it_has_seen_is_not_so_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let version = folder.path().join("version");
    std::fs::write(&version, "2\n").unwrap();
    let text = format!("{HEAD}Epoch: %(cat {})\n%description\n", version.display());
    let request = request(folder.path(), &text);
    let seen = NativeReader::default().read_facts(&request).unwrap().observations;
    let order = SpecOrder { request, earlier: Some(seen) };
    assert_eq!(NativeReader::default().answer(&order), SpecAnswer::StillValid);
    std::fs::write(&version, "3\n").unwrap();
    let SpecAnswer::Read(read) = NativeReader::default().answer(&order) else { panic!("it has changed") };
    let Reading::Facts(facts) = read.reading else { panic!("{:?}", read.reading) };
    assert_eq!(facts.evr, "3:1-1");
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
    let read = NativeReader::in_folder(&here).read(&request).unwrap();
    assert!(read.is_sound(), "{:?}", read.findings);
    assert!(!NativeReader::default().read(&request).unwrap().is_sound());
}

#[test]
fn what_a_spec_says_without_its_programs_is_not_taken_for_its_word() {
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(folder.path(), &format!("{HEAD}Epoch: %(echo 7)\n%description\n"));
    request.may_run = false;
    let read = NativeReader::default().read_facts(&request).unwrap();
    assert_eq!(read.reading, Reading::Withheld(Vec::new()));
    request.may_run = true;
    let read = NativeReader::default().read_facts(&request).unwrap();
    assert!(matches!(read.reading, Reading::Facts(_)));
}
