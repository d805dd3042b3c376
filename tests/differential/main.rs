//! Expressions are put to the rpm of this machine and to forge: what they write and how they end must be the same, but for
//! what newer versions of rpm do differently on purpose (`differences.rs`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test may"
)]

mod differences;
mod generated;
mod handwritten;
mod versions;

use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use differences::Difference;
use rpm_version::Evr;
use rpmforge::macros::{Configuration, Limits, Macros, SystemHost, Table};

/// How many expressions of each kind are made up.
const GENERATED: u32 = 400;

fn run(mut program: Command, expression: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    program
        .args(["--eval", expression])
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn rpm(expression: &str) -> Output {
    run(Command::new("rpm"), expression)
}

fn forge(expression: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_forge"));
    program.args(["eval", "--rpm"]);
    run(program, expression)
}

/// The version of the rpm of this machine: `4.18.0`.
fn version() -> String {
    let told = Command::new("rpm").arg("--version").output().expect("rpm must be installed: see .ci/test");
    String::from_utf8(told.stdout).unwrap().trim().rsplit(' ').next().unwrap().to_owned()
}

/// How the two differ; nothing where they don't.
fn difference(expression: &str) -> Option<String> {
    let (mut theirs, ours) = (rpm(expression), forge(expression));
    // What makes rpm crash has no meaning to compare.
    theirs.status.code()?;
    // Before 6.1 rpm wrote an empty line for nothing.
    let is_empty_line = ours.stdout.is_empty() || ours.stdout.ends_with(b"\n");
    if is_empty_line && theirs.stdout == [ours.stdout.as_slice(), b"\n"].concat() {
        theirs.stdout.pop();
    }
    if theirs.stdout == ours.stdout && theirs.status.code() == ours.status.code() {
        return None;
    }
    let shown = |output: &Output| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        format!("{:?}, exit {:?}, {:?}", text(&output.stdout), output.status.code(), text(&output.stderr))
    };
    Some(format!("{expression:?}\n  rpm:   {}\n  forge: {}", shown(&theirs), shown(&ours)))
}

/// The reasons why expressions may have another meaning in the rpm of this machine.
fn known(version: &str) -> Vec<&'static Difference> {
    let is_newer = |known: &&Difference| Evr::parse(version) < Evr::parse(known.since);
    differences::ALL.iter().filter(is_newer).collect()
}

fn unexplained(
    expression: &str,
    known: &[&Difference],
    seen: &Mutex<HashSet<&'static str>>,
) -> Option<String> {
    let told = difference(expression)?;
    let mut is_known = false;
    for reason in known.iter().filter(|reason| (reason.concerns)(expression)) {
        is_known = true;
        seen.lock().unwrap().insert(reason.what);
    }
    (!is_known).then_some(told)
}

#[test]
fn handwritten_expressions_mean_what_they_mean_to_rpm() {
    let expressions = handwritten::all();
    let how_many = expressions.iter().collect::<HashSet<_>>().len();
    assert!(how_many + 2 * GENERATED as usize >= 2_000, "only {how_many} expressions");
    let (version, next) = (version(), AtomicUsize::new(0));
    let known = known(&version);
    let (seen, wrong) = (Mutex::default(), Mutex::new(Vec::new()));
    let explained = AtomicUsize::new(0);
    let work = || {
        while let Some(expression) = expressions.get(next.fetch_add(1, Ordering::Relaxed)) {
            if known.iter().any(|reason| (reason.concerns)(expression)) {
                explained.fetch_add(1, Ordering::Relaxed);
            }
            if let Some(told) = unexplained(expression, &known, &seen) {
                wrong.lock().unwrap().push(told);
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    let wrong = wrong.into_inner().unwrap();
    let few: Vec<&str> = wrong.iter().take(10).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {how_many} differ from rpm {version}:\n{}", wrong.len(), few.join("\n"));
    let seen = seen.into_inner().unwrap();
    let stale: Vec<&str> = known.iter().map(|known| known.what).filter(|what| !seen.contains(what)).collect();
    assert!(stale.is_empty(), "listed as different from rpm {version}, and never seen to be: {stale:?}");
    let explained = explained.into_inner();
    // What newer versions do differently must not be most of what is compared.
    let alike = how_many - explained + 2 * GENERATED as usize;
    assert!(alike >= 2_000, "{explained} of {how_many} may differ from rpm {version}");
    eprintln!(
        "{how_many} handwritten expressions compared with rpm {version}, {explained} of which may differ"
    );
}

fn compare_generated(strategy: impl Strategy<Value = String>) {
    let config = Config { cases: GENERATED, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let known = known(&version());
    let seen = Mutex::default();
    let compared = TestRunner::new_with_rng(config, rng).run(&strategy, |expression| {
        match unexplained(&expression, &known, &seen) {
            Some(told) => Err(TestCaseError::fail(told)),
            None => Ok(()),
        }
    });
    if let Err(failure) = compared {
        panic!("{failure}");
    }
}

#[test]
fn generated_expressions_mean_what_they_mean_to_rpm() {
    compare_generated(generated::expression());
}

#[test]
fn generated_macros_mean_what_they_mean_to_rpm() {
    compare_generated(generated::macros());
}

#[test]
fn all_macro_files_of_this_machine_load_without_a_word() {
    assert!(Path::new("/usr/lib/rpm/macros").exists());
    let theirs = rpm("%{_libdir} %{_target_platform} %{optflags} %{?_rpmformat}");
    let ours = forge("%{_libdir} %{_target_platform} %{optflags} %{?_rpmformat}");
    assert_eq!(String::from_utf8_lossy(&ours.stderr), String::from_utf8_lossy(&theirs.stderr));
    assert_eq!(String::from_utf8_lossy(&ours.stdout), String::from_utf8_lossy(&theirs.stdout));
    for target in ["noarch", "i686", "x86_64-redhat-linux-gnu", "nosuch"] {
        let program = |name: &str, arguments: &[&str]| {
            let mut program = Command::new(name);
            program.args(arguments).args(["--target", target]);
            String::from_utf8(run(program, "%_target %_target_cpu %_target_os %optflags").stdout).unwrap()
        };
        assert_eq!(program(env!("CARGO_BIN_EXE_forge"), &["eval", "--rpm"]), program("rpm", &[]));
    }
}

#[test]
fn the_table_of_this_machine_takes_little_memory() {
    let host = SystemHost::new(std::env::vars_os(), |_| {}).unwrap();
    let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
    macros.configure(&Configuration::default()).unwrap();
    let (names, bytes) = macros.with_table(|table| (table.len(), table.size_bytes()));
    assert!(names > 300, "only {names} macros");
    assert!(bytes < 5 << 20, "{bytes} bytes");
}
