//! Specs for older systems: each form of `OLD_FORMS` is taken where a version is spoken that took it, with what it meant
//! there, and refused with what to write instead where not; the rpm of this machine takes those that it should.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test may"
)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::rc::Rc;

use rpmforge::macros::{Level, Limits, Macros, Origin, RpmVersion, SystemHost, Table};
use rpmforge::package::Tag;
use rpmforge::spec::{Finding, Mistakes, OLD_FORMS, OldForm, OldFormRow, Parsing, Spec, parse};

const HEAD: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n";

/// Versions whose languages differ.
const VERSIONS: [(u16, u16); 9] =
    [(4, 14), (4, 15), (4, 16), (4, 17), (4, 18), (4, 19), (4, 20), (6, 0), (6, 1)];

/// A spec in which a form stands.
struct Sample {
    spec: String,
    /// The first version in which it has this meaning.
    since: (u16, u16),
    /// A line that its text has where the form has its old meaning, and only there.
    proof: &'static str,
    /// How it is refused elsewhere; nothing where it only means something else there.
    refusal: &'static [&'static str],
}

fn sample(form: OldForm) -> Sample {
    let of = |preamble: &str, rest: &str, proof, refusal| Sample {
        since: (4, 14),
        spec: format!("{HEAD}{preamble}%description\ntext\n{rest}"),
        proof,
        refusal,
    };
    let patches = "Patch0: zero\nPatch1: one\n";
    match form {
        OldForm::NumberedPatch => {
            of(patches, "%prep\n%patch1 -p1\n", "echo \"Patch #1 (one):\"", &["forge::spec::patch_n"])
        }
        OldForm::BarePatch => {
            let refusal = &["forge::spec::bare_patch", "forge::macros::extension"];
            let sample = of(patches, "%prep\n%patch -p1\n", "echo \"Patch #0 (zero):\"", refusal);
            Sample { since: (4, 15), ..sample }
        }
        OldForm::PatchZeroFirst => {
            let sample = of(patches, "%prep\n%patch 1\n", "echo \"Patch #0 (zero):\"", &[]);
            Sample { since: (4, 15), ..sample }
        }
        OldForm::PrepLines => of(patches, "%prep\n# see %patch 1\n", "# see %patch 1", &[]),
        OldForm::TextAfterDirective => {
            of("%if 1\nVendor: v\n%endif x\n", "", "Vendor: v", &["forge::spec::extra_tokens"])
        }
        OldForm::ScriptOptions => of("", "%prep -q\ntrue\n", "true", &["forge::spec::script_option"]),
        OldForm::LaterBuiltIns(names) => {
            let defined = names.iter().fold(String::new(), |mut text, name| {
                writeln!(text, "%define {name} v").unwrap();
                text
            });
            let used = format!("{defined}Vendor: %{{{}}}\n", names[0]);
            of(&used, "", "Vendor: v", &["forge::macros::builtin"])
        }
        OldForm::NameStart => {
            let spec = of("", "", "Name: .a", &["forge::spec::illegal_start"]);
            Sample { spec: spec.spec.replace("Name: a", "Name: .a"), ..spec }
        }
        OldForm::BareWord => {
            of("%if a_1 == a_1\nVendor: v\n%endif\n", "", "Vendor: v", &["forge::macros::expression"])
        }
        OldForm::NoNumbering => {
            let refusal = &["forge::spec::source_twice"];
            of("Patch: none\nPatch0: zero\n", "%prep\n%patch\n", "echo \"Patch (none):\"", refusal)
        }
        OldForm::SecondElse => {
            let refusal = &["forge::spec::after_else"];
            of("%if 1\n%else\n%else\nVendor: v\n%endif\n", "", "Vendor: v", refusal)
        }
        OldForm::TextAfterEvents => {
            let refusal = &["forge::spec::qualifier"];
            of("Requires(post;x): y\n", "", "Requires(post;x): y", refusal)
        }
    }
}

fn read(spec: &str, (major, minor): (u16, u16)) -> (Option<Spec>, Vec<Finding>) {
    let findings = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&findings);
    let tell = move |report| told.borrow_mut().push(Finding::from(&report));
    let host = SystemHost::new(BTreeMap::new(), tell).unwrap();
    let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
    let origin = || Origin::named("test");
    let definition = format!("{} {major}.{minor}", RpmVersion::MACRO);
    macros.define(definition.as_bytes(), Level::COMMAND_LINE, origin()).unwrap();
    macros.define(b"__patch patch", Level::MACRO_FILES, origin()).unwrap();
    let told = Rc::clone(&findings);
    let listener = Rc::new(move |report: &rpmforge::spec::Report| told.borrow_mut().push(report.into()));
    let text = spec.as_bytes().to_vec();
    let parsing = Parsing {
        file: "a.spec",
        text,
        can_build: &|_| true,
        build_root: None,
        mistakes: Mistakes::First,
        listener,
    };
    let spec = parse(&macros, parsing).ok();
    (spec, findings.take())
}

fn has_line(spec: &Option<Spec>, line: &str) -> bool {
    let text = spec.as_ref().map(|spec| String::from_utf8_lossy(&spec.text).into_owned()).unwrap_or_default();
    text.lines().any(|own| own == line)
}

fn shown(row: &OldFormRow, findings: &[Finding]) -> String {
    format!("{}: {findings:#?}", row.what)
}

#[test]
fn every_old_form_is_taken_up_to_its_last_version_with_its_old_meaning() {
    for row in OLD_FORMS {
        let sample = sample(row.form);
        let taken = VERSIONS.into_iter().filter(|version| *version <= row.last.branch());
        for version in taken.filter(|version| *version >= sample.since) {
            let (spec, findings) = read(&sample.spec, version);
            assert!(has_line(&spec, sample.proof), "{version:?}: {}", shown(row, &findings));
            assert!(findings.iter().all(|finding| !finding.is_error()), "{}", shown(row, &findings));
        }
    }
}

#[test]
fn every_old_form_is_refused_elsewhere_with_what_to_write_instead_and_where_it_is_taken() {
    for row in OLD_FORMS {
        let sample = sample(row.form);
        for version in VERSIONS.into_iter().filter(|version| *version > row.last.branch()) {
            let (spec, findings) = read(&sample.spec, version);
            assert!(
                !has_line(&spec, sample.proof) || spec.is_none(),
                "{version:?}: {}",
                shown(row, &findings)
            );
            if sample.refusal.is_empty() {
                continue;
            }
            let is_refusal =
                |finding: &&Finding| sample.refusal.contains(&finding.code.as_str()) && finding.is_error();
            let refusal = findings.iter().find(is_refusal);
            let refusal = refusal.unwrap_or_else(|| panic!("{version:?}: {}", shown(row, &findings)));
            let help = refusal.help.clone().unwrap_or_default();
            let (major, minor) = row.last.branch();
            assert!(help.contains(row.instead), "{help}");
            assert!(help.contains(&format!("rpm \"{major}.{minor}\"")), "{help}");
            assert!(refusal.line > 0 && refusal.file == "a.spec", "{}", shown(row, &findings));
        }
    }
}

const SOURCES: &str =
    "Source0: a\nSource1: b\nPatch0: c\nPatch5: d\nNoSource: 0\nNoSource: 1\n%description\ntext\n";
const NAMED: &str = "[%{SOURCE} ][%{PATCH} ][%{NOSOURCE} ]";

#[test]
fn source_packages_name_their_sources_from_the_last_one_on_up_to_4_20() {
    for version in VERSIONS {
        let (spec, _) = read(&format!("{HEAD}{SOURCES}"), version);
        let header = spec.unwrap().source_header();
        let texts = |tag| header.texts(tag).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let named = [Tag::SOURCE, Tag::PATCH].map(texts).join(" ");
        assert_eq!(named, if version <= (4, 20) { "b a d c" } else { "a b c d" }, "{version:?}");
    }
}

#[test]
fn the_rpm_of_this_machine_names_sources_in_the_order_of_its_dialect() {
    let spec = format!("{HEAD}{SOURCES}");
    let query = ["-q", "--srpm", "--qf", NAMED];
    let theirs = ask(&[&["rpmspec"], &query[..]].concat(), &spec);
    let dialect = format!("{} {}", RpmVersion::MACRO, version_of_rpm());
    let own = [env!("CARGO_BIN_EXE_forge"), "rpmspec", "--define", &dialect];
    let ours = ask(&[&own[..], &query[..]].concat(), &spec);
    assert!(theirs.status.success() && theirs.stdout.len() > 8);
    assert_eq!(String::from_utf8_lossy(&ours.stdout), String::from_utf8_lossy(&theirs.stdout));
}

#[test]
fn a_version_that_forge_does_not_speak_is_refused_by_name() {
    let (spec, findings) = read(HEAD, (4, 13));
    assert!(spec.is_none());
    assert_eq!(findings[0].code, "forge::spec::unknown_dialect");
    assert_eq!(findings[0].title, "%_rpm_dialect is `4.13.0`");
    assert!(findings[0].help.as_deref().unwrap().contains("4.14.0 on"));
}

#[test]
fn what_is_wrong_with_an_old_line_of_prep_is_told_with_its_place() {
    let (spec, findings) = read(&format!("{HEAD}%description\ntext\n%prep\n%patch9 -p1\n"), (4, 18));
    assert!(spec.is_none());
    assert_eq!((findings[0].code.as_str(), findings[0].line), ("forge::spec::prep_line", 9));
    assert_eq!(findings[0].title, "No patch number 9");
}

#[test]
fn a_line_of_an_undefined_macro_has_a_code_of_its_own() {
    let (_, findings) = read(&format!("{HEAD}%gometa -f\n"), (6, 1));
    assert_eq!(findings[0].code, "forge::spec::undefined_macro");
    assert_eq!(findings[0].title, "Unknown tag: %gometa -f");
}

#[test]
fn the_documentation_has_the_table() {
    let mut table =
        String::from("| form | up to rpm | there it means | write instead |\n| --- | --- | --- | --- |\n");
    for OldFormRow { what, last, meaning, instead, .. } in OLD_FORMS {
        let (major, minor) = last.branch();
        writeln!(table, "| {what} | {major}.{minor} | {meaning} | {instead} |").unwrap();
    }
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dialects.md")).unwrap();
    assert!(page.contains(&table), "docs/dialects.md should have:\n{table}");
}

fn ask(program: &[&str], spec: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.spec"), spec).unwrap();
    for patch in ["zero", "one", "none"] {
        std::fs::write(folder.path().join(patch), "--- a\n+++ b\n").unwrap();
    }
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).args(["--define", "_sourcedir ."]).arg("a.spec").current_dir(folder.path());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/nonexistent").env("LC_ALL", "C.UTF-8");
    command.output().unwrap()
}

fn version_of_rpm() -> RpmVersion {
    let told = Command::new("rpm").arg("--version").output().expect("rpm must be installed: see .ci/test");
    let told = String::from_utf8(told.stdout).unwrap();
    RpmVersion::read(told.trim().rsplit(' ').next().unwrap()).unwrap()
}

#[test]
fn the_rpm_of_this_machine_takes_what_forge_takes_in_its_dialect() {
    let version = version_of_rpm();
    let dialect = format!("{} {version}", RpmVersion::MACRO);
    let mut wrong = String::new();
    for row in OLD_FORMS {
        let Sample { spec, proof, .. } = sample(row.form);
        let theirs = ask(&["rpmspec", "-P"], &spec);
        let ours = ask(&[env!("CARGO_BIN_EXE_forge"), "rpmspec", "-P", "--define", &dialect], &spec);
        let has_meaning =
            |output: &Output| String::from_utf8_lossy(&output.stdout).lines().any(|line| line == proof);
        let said = |output: &Output| (output.status.success(), has_meaning(output));
        if said(&theirs) != said(&ours) {
            let text = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
            writeln!(wrong, "{}\nrpm {version}: {:?} {}", row.what, said(&theirs), text(&theirs)).unwrap();
            writeln!(wrong, "forge: {:?} {}", said(&ours), text(&ours)).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
