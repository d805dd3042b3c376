//! `pkgconfigdeps.sh`, asked about each file, and what is found here.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rpmforge::engine::{PkgconfigQuestion, UnusualPkgconfig, read_pkgconfig_dependencies};

use super::numbers::Numbers;

const SCRIPT: &str = "/usr/lib/rpm/pkgconfigdeps.sh";

/// Ways to call it.
const SIDES: [&str; 2] = ["--provides", "--requires"];

/// What it runs.
const PROGRAM: &str = "/usr/bin/pkg-config";

/// A script that asks one pkgconf, in a folder of its own.
struct Script {
    path: PathBuf,
    pkgconf: PathBuf,
    _temp: tempfile::TempDir,
}

/// One that asks the machine's pkgconf, and one for each of those that `FORGE_TEST_PKGCONF` names, separated by colons.
fn scripts() -> Vec<Script> {
    let others = std::env::var_os("FORGE_TEST_PKGCONF").unwrap_or_default();
    let others = std::env::split_paths(&others).filter(|path| path.is_absolute());
    std::iter::once(PROGRAM.into()).chain(others).map(Script::new).collect()
}

impl Script {
    fn new(pkgconf: PathBuf) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("deps.sh");
        let text = fs::read_to_string(SCRIPT).unwrap();
        assert!(text.contains(PROGRAM));
        let named = format!("pkgconfig={}", pkgconf.display());
        fs::write(&path, text.replacen(&format!("pkgconfig={PROGRAM}"), &named, 1)).unwrap();
        Self { path, pkgconf, _temp: temp }
    }

    /// What it says of a file.
    fn ask(&self, side: &str, path: &Path) -> String {
        let mut child = Command::new("/bin/bash")
            .arg(&self.path)
            .arg(side)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{}", path.display()).unwrap();
        let said = String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned();
        said.replace(self.pkgconf.to_str().unwrap(), PROGRAM)
    }

    #[track_caller]
    fn assert_says(&self, side: &str, path: &Path, own: &str) {
        let said = self.ask(side, path);
        let (script, content) =
            (self.pkgconf.display(), String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned());
        assert_eq!(own, said, "{script} {side} {}:\n{content}", path.display());
    }
}

fn read_natively(side: &str, path: &Path) -> Result<String, UnusualPkgconfig> {
    let question = PkgconfigQuestion::read(&[side]).unwrap();
    let content = fs::File::open(path).unwrap();
    let lines = read_pkgconfig_dependencies(question, path.as_os_str().as_encoded_bytes(), content)?;
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}

/// Compares what is said of a file; how many answers are given here.
#[track_caller]
fn compare_answers(scripts: &[Script], path: &Path) -> usize {
    let answers = SIDES.into_iter().filter_map(|side| Some((side, read_natively(side, path).ok()?)));
    answers
        .inspect(|(side, own)| scripts.iter().for_each(|script| script.assert_says(side, path, own)))
        .count()
}

/// The files of pkg-config that the machine has.
fn find_files() -> Vec<PathBuf> {
    let output =
        Command::new("find").args(["/usr", "-xdev", "-type", "f", "-name", "*.pc"]).output().unwrap();
    let mut files: Vec<PathBuf> =
        String::from_utf8(output.stdout).unwrap().lines().map(PathBuf::from).collect();
    files.sort();
    files
}

#[test]
fn files_of_the_machine_depend_on_what_the_script_says() {
    let files = find_files();
    assert!(files.len() > 20, "{} files are too few", files.len());
    let scripts = scripts();
    let mut unusual = 0;
    for path in &files {
        for side in SIDES {
            match read_natively(side, path) {
                Ok(own) => scripts.iter().for_each(|script| script.assert_says(side, path, &own)),
                Err(UnusualPkgconfig) => {
                    unusual += 1;
                    eprintln!("unusual: {} {side}", path.display());
                }
            }
        }
    }
    assert!(unusual * 10 <= files.len(), "{unusual} answers of {} files are unusual", files.len());
}

/// Parts of files: what is usual, what seldom is, and what never should be.
const PARTS: [&str; 60] = [
    "a",
    "b-2.0",
    "libx++",
    "x",
    "1",
    "1.2.3",
    "${version}",
    "${major}.4",
    "${prefix}",
    "${none}",
    "${x}",
    ", ",
    " , ",
    ",",
    " ",
    "  ",
    "\t",
    " = 1",
    " >= 1.2",
    " < ${version}",
    " != 3~rc1",
    ">= 1",
    " >=1",
    ">=1",
    " == 1",
    " =",
    " > , 2",
    " <= 1, ",
    "#",
    " # x",
    "\\",
    "\\\n",
    "\\#",
    "\r",
    "\r\n",
    "\"",
    "'",
    "$",
    "$$",
    "${",
    "}",
    "{x}",
    "@x@",
    "(",
    "*",
    "/usr/lib",
    "-I/x",
    "-lm",
    "\u{e9}",
    ":",
    "=",
    "~",
    "^1",
    "+",
    "_",
    "!",
    "<",
    ">",
    ".",
    "x.pc",
];

/// What lines begin with.
const STARTS: [&str; 24] = [
    "Name: ",
    "Description: ",
    "Version: ",
    "Version:",
    "Version : ",
    "Requires: ",
    "Requires:",
    "Requires : ",
    "Requires.private: ",
    "Requires.internal: ",
    "requires: ",
    "Provides: ",
    "Conflicts: ",
    "Libs: ",
    "Cflags: ",
    "URL: ",
    "prefix=",
    "x=",
    "x = ",
    "y=${x}",
    " Requires: ",
    "_x=",
    "9=",
    "",
];

/// A file of a few usual lines and others.
fn make_file(numbers: &mut Numbers) -> String {
    let usual = [
        "prefix=/usr",
        "major=2",
        "version=${major}.1.0",
        "Name: x",
        "Description: An x",
        "Version: ${version}",
    ];
    let mut lines: Vec<String> =
        usual.iter().filter(|_| numbers.below(30) > 0).map(|line| (*line).to_owned()).collect();
    for _ in 0..numbers.below(5) {
        let likely = if numbers.below(3) > 0 { PARTS.len() / 3 } else { PARTS.len() };
        let starts = if numbers.below(3) > 0 { &STARTS[5..13] } else { &STARTS[..] };
        let parts = (0..numbers.below(6)).map(|_| PARTS[numbers.below(likely)]).collect::<String>();
        let line = format!("{}{parts}", starts[numbers.below(starts.len())]);
        let place = if numbers.below(4) > 0 { lines.len() } else { numbers.below(lines.len() + 1) };
        lines.insert(place, line);
    }
    let end = if numbers.below(6) > 0 { "\n" } else { "" };
    lines.join("\n") + end
}

/// Whatever stands in a file, what is found is what the script finds, or nothing is said of it.
#[test]
fn made_files_depend_on_what_the_script_says_or_are_unusual() {
    let rounds = std::env::var("FORGE_TEST_ROUNDS").map_or(400, |rounds| rounds.parse().unwrap());
    let temp = tempfile::Builder::new().prefix("pc").tempdir().unwrap();
    let (scripts, mut numbers, mut read) = (scripts(), Numbers(1), 0);
    for round in 0..rounds {
        let path = temp.path().join(["x.pc", "x-1.0.pc", "libx++.pc", "x.y.pc"][round % 4]);
        fs::write(&path, make_file(&mut numbers)).unwrap();
        read += compare_answers(&scripts, &path);
    }
    eprintln!("{read} answers about {rounds} files");
    assert!(read > rounds / 2, "{read} made files are read");
}

/// Real files with a few bytes changed.
#[test]
fn damaged_files_depend_on_what_the_script_says_or_are_unusual() {
    let rounds = std::env::var("FORGE_TEST_ROUNDS").map_or(400, |rounds| rounds.parse().unwrap());
    let temp = tempfile::Builder::new().prefix("pc").tempdir().unwrap();
    let (scripts, files, mut numbers, mut read) = (scripts(), find_files(), Numbers(2), 0);
    let path = temp.path().join("damaged.pc");
    for _ in 0..rounds {
        let mut bytes = fs::read(&files[numbers.below(files.len())]).unwrap();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(bytes.len());
            let wrong = b" \n\t,:=#\\$<>{}\"'\0\r\xffaR1.";
            match numbers.below(3) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, wrong[numbers.below(wrong.len())]),
                _ => bytes[at] = wrong[numbers.below(wrong.len())],
            }
        }
        fs::write(&path, &bytes).unwrap();
        read += compare_answers(&scripts, &path);
    }
    eprintln!("{read} answers about {rounds} damaged files");
    assert!(read > rounds / 2, "{read} damaged files are read");
}
