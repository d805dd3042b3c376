//! Specs of one behaviour each (`tests/builds`), built by `forge rpmbuild` and by the rpmbuild of this machine in turn: the
//! packages are the same, and so is what is said to be wrong.
//!
//! A case begins with `=== its_name`; `@base` stands for the head of a spec, `@noarch` for that of one without architecture.
//! Lines that begin with `$ ` are options. What an rpm before 6.0 does otherwise is marked `since 6.0`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::rc::Rc;

use miette::Diagnostic;
use rpmforge::engine::{BuildListener, BuildProblem, BuildRequest, Goal, Order, RootFiles, build};
use rpmforge::files::HostPath;
use rpmforge::macros::{Configuration, Level, Limits, Macros, Origin, SystemHost, Table};
use rpmforge::package::{Compared, Difference, difference};
use rpmforge::spec::{Mistakes, Parsing, parse};
use rpmforge::ui::diff_screen;

const HEAD: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n";

/// A change of the source `text`.
const CHANGE: &str = "--- a/text\n+++ b/text\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n";

/// What makes a change a mail that `git am` takes.
const MAIL: &str = "From: A <a@b.c>\nDate: Thu, 1 Jan 2026 00:00:00 +0000\nSubject: [PATCH] Write 2\n\n---\n";

/// What both builds are told, so that they can come out the same.
const SETTINGS: [&str; 5] = [
    "_buildhost builder",
    "use_source_date_epoch_as_buildtime 1",
    "clamp_mtime_to_source_date_epoch 1",
    "debug_package %{nil}",
    "_smp_ncpus_max 1",
];

struct Case {
    name: String,
    is_new: bool,
    options: Vec<String>,
    text: String,
}

fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/builds").join(file);
    let text = fs::read_to_string(path).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            cases.push(Case {
                name: name.trim_end_matches(" since 6.0").to_owned(),
                is_new: name.ends_with(" since 6.0"),
                options: Vec::new(),
                text: String::new(),
            });
            continue;
        }
        let case = cases.last_mut().unwrap();
        match line {
            "@base" => write!(case.text, "{HEAD}%description\ntext\n").unwrap(),
            "@noarch" => write!(case.text, "{HEAD}BuildArch: noarch\n%description\ntext\n").unwrap(),
            line if line.starts_with("$ ") => case.options.push(line[2..].to_owned()),
            line => writeln!(case.text, "{line}").unwrap(),
        }
    }
    cases
}

/// A folder to build in, with sources for those who want them.
struct Bench {
    temp: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { temp: tempfile::tempdir().unwrap() };
        for folder in ["SOURCES", "tmp", "db"] {
            fs::create_dir(bench.path().join(folder)).unwrap();
        }
        let sources = bench.path().join("SOURCES");
        fs::write(sources.join("text"), "one\ntwo\nthree\n").unwrap();
        fs::write(sources.join("second"), "2\n").unwrap();
        fs::write(bench.path().join("db/rpmdb.sqlite"), "no database").unwrap();
        fs::write(sources.join("change.patch"), CHANGE).unwrap();
        fs::write(sources.join("mail.patch"), format!("{MAIL}{CHANGE}")).unwrap();
        fs::write(
            sources.join("more.patch"),
            "--- a/text\n+++ b/text\n@@ -1,3 +1,4 @@\n one\n 2\n three\n+four\n",
        )
        .unwrap();
        let archive = "mkdir a-1 && cp text a-1 && tar czf with-text.tar.gz a-1 && rm -r a-1";
        let status = Command::new("/bin/sh").args(["-ec", archive]).current_dir(&sources).status().unwrap();
        assert!(status.success());
        bench
    }

    fn path(&self) -> &Path {
        self.temp.path()
    }

    fn build(&self, program: &[&str], case: &Case) -> Output {
        for folder in ["BUILD", "BUILDROOT", "RPMS", "SRPMS"] {
            let _ = fs::remove_dir_all(self.path().join(folder));
        }
        fs::write(self.path().join("case.spec"), &case.text).unwrap();
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).current_dir(self.path()).env_clear();
        command
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env("HOME", "/nonexistent")
            .env("LC_ALL", "C.UTF-8");
        command.env("SOURCE_DATE_EPOCH", "1700000000").env("TZ", "UTC");
        if !case.options.iter().any(|option| option.starts_with("-b")) {
            command.arg("-ba");
        }
        if !case.name.starts_with("requires") {
            command.arg("--nodeps");
        }
        let top = format!("_topdir {}", self.path().display());
        let temporary = format!("_tmppath {}/tmp", self.path().display());
        for setting in SETTINGS.iter().copied().chain([top.as_str(), temporary.as_str()]) {
            command.args(["-D", setting]);
        }
        for option in &case.options {
            match option.split_once(' ') {
                Some((first, rest)) if first == "-D" => command.args([first, rest]),
                _ => command.args(option.split(' ')),
            };
        }
        command.arg("case.spec").output().unwrap()
    }

    /// The packages that are there, by their names.
    fn packages(&self) -> BTreeMap<String, Compared> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.path().join("RPMS"), self.path().join("SRPMS")];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path: PathBuf = entry.path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    let reader = BufReader::new(fs::File::open(&path).unwrap());
                    found.insert(name.clone(), Compared::read(&name, reader).unwrap());
                }
            }
        }
        found
    }
}

const OURS: [&str; 2] = [env!("CARGO_BIN_EXE_forge"), "rpmbuild"];

fn version_of_rpm() -> (u32, u32) {
    let version =
        String::from_utf8(Command::new("rpmbuild").arg("--version").output().unwrap().stdout).unwrap();
    let number = version.trim().rsplit(' ').next().unwrap().to_owned();
    let mut parts = number.split('.').map(|part| part.parse().unwrap());
    (parts.next().unwrap(), parts.next().unwrap())
}

/// What rpm before 6.0 says of the same package otherwise, with the reason.
fn forgive(difference: &mut Difference) {
    // The spec as it was read: how %setup and %patch are written in it changes with every rpm.
    difference.tags.retain(|change| change.tag != "spec");
    // Older rpms list sources and patches the other way round.
    let sorted = |value: &Option<Vec<String>>| {
        let mut value = value.clone();
        value.iter_mut().for_each(|value| value.sort());
        value
    };
    difference.tags.retain(|change| {
        !["source", "patch", "nosource", "nopatch"].contains(&change.tag.as_str())
            || sorted(&change.before) != sorted(&change.after)
    });
    for file in &mut difference.files.changed {
        // rpm 6.1 goes by the ends of these names.
        let by_name = [".html", ".png", ".svg"].iter().any(|end| file.path.ends_with(end));
        file.attributes.retain(|change| !(by_name && change.attribute == "class"));
        // rpm 6.1's list of a file's dependencies names others than the file's where features of the package come between.
        file.attributes.retain(|change| change.attribute != "depends");
    }
    difference.files.changed.retain(|file| !file.attributes.is_empty());
}

#[test]
fn packages_are_those_that_rpmbuild_writes() {
    let is_old = version_of_rpm() < (6, 0);
    let bench = Bench::new();
    let (mut compared, mut wrong) = (0, String::new());
    for case in cases("packages.builds").into_iter().filter(|case| !(case.is_new && is_old)) {
        let theirs_said = bench.build(&["rpmbuild"], &case);
        let theirs = bench.packages();
        let said = bench.build(&OURS, &case);
        let ours = bench.packages();
        if !theirs_said.status.success() || !said.status.success() {
            let errors =
                [&theirs_said, &said].map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
            writeln!(wrong, "{}: {errors:#?}", case.name).unwrap();
            continue;
        }
        let names = |packages: &BTreeMap<String, Compared>| packages.keys().cloned().collect::<Vec<_>>();
        if names(&theirs) != names(&ours) {
            writeln!(wrong, "{}: {:?} and {:?}", case.name, names(&theirs), names(&ours)).unwrap();
        }
        for ((name, theirs), ours) in theirs.iter().zip(ours.values()) {
            compared += 1;
            let mut found = difference(theirs, ours);
            forgive(&mut found);
            if !found.is_volatile() || found.payload.is_some() {
                writeln!(wrong, "{}: {}", case.name, diff_screen(&found, name, name, false)).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(compared >= 120, "{compared} packages");
}

/// The lines that say what is wrong.
fn complaints(output: &Output, folder: &Path, is_old: bool) -> String {
    let text = String::from_utf8_lossy(&output.stderr).replace(&folder.display().to_string(), "TOP");
    // Where macros say what the buildroot is called, older rpms do not read them again for noarch.
    let text = text.replace("/a-1-1.x86_64/", "/a-1-1.ARCH/").replace("/a-1-1.noarch/", "/a-1-1.ARCH/");
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let is_first = line.starts_with("error: ") || line.starts_with("warning: ");
        let is_next = line.starts_with("   /") && lines.last().is_some();
        // Names of hosts are their own matter, and the macro that the older rpms need is deprecated.
        let is_noise = line.contains("canonicalize") || line.contains("is deprecated");
        // Why is whatever the last call of the system came to, as in "Bad file descriptor".
        let made = "failed to create package build directory";
        let line = if line.contains(made) { line.rsplit_once(": ").unwrap().0 } else { line };
        if (is_first || is_next) && !is_noise {
            let name = line.find("rpm-tmp.").map(|at| at + "rpm-tmp.".len());
            let line = name.map_or(line.to_owned(), |at| format!("{}X{}", &line[..at], &line[at + 6..]));
            // Since rpm 4.20 a noarch spec is read twice, and what is wrong with it is told twice.
            if !(is_old && lines.contains(&line)) {
                lines.push(line);
            }
        }
    }
    lines.join("\n")
}

#[test]
fn what_is_wrong_is_what_rpmbuild_says() {
    let is_old = version_of_rpm() < (6, 0);
    let bench = Bench::new();
    let (mut compared, mut wrong) = (0, String::new());
    let is_own = |case: &Case| {
        // rpm 6.1 goes on without a database that it can't read. Nobody is served by a build whose needs were not looked at.
        case.name == "requires_against_a_database_that_is_none"
            // It knows nothing of this macro.
            || case.name == "a_generator_that_nobody_knows"
    };
    for case in cases("wrong.builds").into_iter().filter(|case| !(case.is_new && is_old || is_own(case))) {
        let theirs = bench.build(&["rpmbuild"], &case);
        let ours = bench.build(&OURS, &case);
        compared += 1;
        let (theirs, ours) = [&theirs, &ours]
            .map(|output| format!("{:?}\n{}", output.status.code(), complaints(output, bench.path(), is_old)))
            .into();
        if theirs != ours {
            writeln!(wrong, "=== {}\n{theirs}\n---\n{ours}", case.name).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(compared >= 16, "{compared} cases");
}

/// Keeps what a build says of problems, with their codes and what is to be done.
#[derive(Default)]
struct Kept {
    lines: RefCell<Vec<String>>,
}

impl BuildListener for Kept {
    fn detail(&self, _text: &[u8]) {}

    fn notice(&self, _text: &[u8]) {}

    fn stage(&self, _name: &str) {}

    fn wrote(&self, _path: &HostPath) {}

    fn problem(&self, problem: &BuildProblem) {
        let code = problem.code().map(|code| code.to_string()).unwrap_or_default();
        let kind = if problem.is_error() { "error" } else { "warning" };
        let help = problem.help().map(|help| help.to_string()).unwrap_or_default();
        self.lines.borrow_mut().push(format!("{kind} {code}\n  {problem}\n  {help}"));
    }

    fn is_quiet(&self) -> bool {
        true
    }
}

#[test]
fn what_is_wrong_has_its_code_and_says_what_to_do() {
    let bench = Bench::new();
    let mut said = String::new();
    for case in cases("wrong.builds") {
        fs::create_dir_all(bench.path().join("BUILDROOT")).unwrap();
        let text = in_process(&bench, &case).replace(&bench.path().display().to_string(), "TOP");
        let text = text.lines().map(|line| match line.find("rpm-tmp.") {
            Some(at) => format!("{}rpm-tmp.X{}", &line[..at], &line[at + 14..]),
            None => line.to_owned(),
        });
        writeln!(said, "=== {}\n{}", case.name, text.collect::<Vec<_>>().join("\n")).unwrap();
    }
    insta::assert_snapshot!("wrong_builds", said);
}

fn in_process(bench: &Bench, case: &Case) -> String {
    for folder in ["BUILD", "BUILDROOT", "RPMS", "SRPMS"] {
        let _ = fs::remove_dir_all(bench.path().join(folder));
    }
    let environment =
        [("PATH", "/usr/bin:/bin"), ("HOME", "/nonexistent"), ("SOURCE_DATE_EPOCH", "1700000000")];
    let environment = environment.map(|(name, value)| (name.into(), value.into()));
    let told = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&told);
    let host = SystemHost::new(environment, move |report| {
        kept.borrow_mut().push(String::from_utf8_lossy(&report.as_rpm()).trim_end().to_owned());
    });
    let macros = Macros::new(
        Table::new(),
        Rc::new(host.unwrap().with_folder(&HostPath::new(bench.path()).unwrap())),
        Limits::default(),
    );
    macros.configure(&Configuration::default()).unwrap();
    let own =
        [format!("_topdir {}", bench.path().display()), format!("_tmppath {}/tmp", bench.path().display())];
    let options = case.options.iter().filter_map(|option| option.strip_prefix("-D "));
    // In this rpm's eyes the way of the older ones is deprecated.
    let settings = SETTINGS.into_iter().filter(|setting| !setting.starts_with("clamp_"));
    for definition in settings.chain(own.iter().map(String::as_str)).chain(options) {
        macros.define(definition.as_bytes(), Level::COMMAND_LINE, Origin::named("test")).unwrap();
    }
    let file = bench.path().join("case.spec").display().to_string();
    fs::write(&file, &case.text).unwrap();
    let kept = Rc::clone(&told);
    let listener = Rc::new(move |report: &rpmforge::spec::Report| {
        let code = report.problem.code().map(|code| code.to_string()).unwrap_or_default();
        kept.borrow_mut().push(format!("{code} {}", report.as_rpm()));
    });
    let parsing = Parsing {
        file: &file,
        text: case.text.clone().into_bytes(),
        can_build: &|_| true,
        build_root: None,
        mistakes: Mistakes::First,
        listener: Rc::clone(&listener) as _,
    };
    let problems = Kept::default();
    if let Ok(spec) = parse(&macros, parsing) {
        let letter = case.options.iter().find_map(|option| option.strip_prefix("-b")?.bytes().next());
        let order = Order {
            goal: Goal::read(letter.unwrap_or(b'a')),
            no_dependencies: !case.name.contains("requires"),
            ..Order::default()
        };
        let request = BuildRequest {
            macros: &macros,
            files: &RootFiles::open().unwrap(),
            spec,
            order: &order,
            listener: &problems,
            spec_listener: listener,
            folder: HostPath::new(bench.path()).unwrap(),
        };
        let _ = build(request);
    }
    let told = told.take();
    told.into_iter().chain(problems.lines.take()).collect::<Vec<_>>().join("\n")
}
