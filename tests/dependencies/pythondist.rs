//! `pythondistdeps.py`, asked about metadata of Python projects, and what is found here.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rpmforge::engine::{
    PythondistQuestion, PythondistRules, UnusualPythondist, read_pythondist_dependencies,
};

use super::made_python_metadata::{make_metadata, pick};
use super::numbers::Numbers;

const SCRIPT: &str = "/usr/lib/rpm/pythondistdeps.py";

/// What runs it.
const PYTHON: &str = "/usr/bin/python3";

/// Where the machine's projects are.
const PROJECTS: &str = "/usr/lib/python3/dist-packages";

/// Where projects lie in a buildroot.
const SITE: &str = "usr/lib/python3.11/site-packages";

/// Runs the script once for each line of a file, which has its options and a path. What it writes goes to a file, with a dot after
/// each answer, and a mark before that if it has failed.
const DRIVER: &str = r#"
import contextlib, io, sys
script, questions, answers = sys.argv[1:]
code = compile(open(script, "rb").read(), script, "exec")
with open(questions) as lines, open(answers, "w") as all:
    for line in lines:
        options, path = line.rstrip("\n").split("\t")
        sys.argv, sys.stdin = [script] + options.split(), io.StringIO(path + "\n")
        said, failed = io.StringIO(), ""
        with contextlib.redirect_stdout(said):
            try:
                exec(code, {"__name__": "__main__"})
            except (Exception, SystemExit):
                failed = "failed\n"
        all.write(said.getvalue() + failed + ".\n")
"#;

/// Ways to call it.
const OPTIONS: [&str; 7] = [
    "--provides --majorver-provides",
    "--requires",
    "--provides --normalized-names-format pep503 --package-name python3-x --majorver-provides-versions 3.11",
    "--requires --normalized-names-format pep503 --package-name python3-x --require-extras-subpackages \
     --console-scripts-nodep-setuptools-since 3.10",
    "-P -M --normalized-names-provide-both",
    "-R -n legacy-dots --require-extras-subpackages --console-scripts-nodep-setuptools-since=3.12",
    "-P --majorver-provides-versions=3.9,3.11 --majorver-provides-versions 2.7 -n pep503",
];

/// Those that only later versions have.
const LATER_OPTIONS: [&str; 3] =
    ["--provides --fail-if-zero -M", "--provides --namespace flatpak", "--requires --namespace x -n pep503"];

/// A script, and a Python that runs it.
struct Script {
    python: PathBuf,
    path: PathBuf,
    rules: PythondistRules,
}

/// A question about metadata.
struct Question {
    options: &'static str,
    path: PathBuf,
}

/// The machine's script with the machine's Python, and each of those that `FORGE_TEST_PYTHONDISTDEPS` names, with each of those
/// that `FORGE_TEST_PYTHON` names, separated by colons.
fn scripts() -> Vec<Script> {
    let others = |name: &str| {
        let others = std::env::var_os(name).unwrap_or_default();
        std::env::split_paths(&others).filter(|path| path.is_absolute()).collect::<Vec<_>>()
    };
    let pythons: Vec<PathBuf> = std::iter::once(PYTHON.into()).chain(others("FORGE_TEST_PYTHON")).collect();
    let paths = std::iter::once(SCRIPT.into()).chain(others("FORGE_TEST_PYTHONDISTDEPS"));
    paths
        .flat_map(|path: PathBuf| {
            pythons.iter().map(move |python| Script::new(python, &path)).collect::<Vec<_>>()
        })
        .collect()
}

impl Script {
    fn new(python: &Path, path: &Path) -> Self {
        let is_late = String::from_utf8_lossy(&fs::read(path).unwrap()).contains("--fail-if-zero");
        let rules = if is_late { PythondistRules::Late } else { PythondistRules::Early };
        Self { python: python.to_owned(), path: path.to_owned(), rules }
    }

    /// What it says to each question.
    fn ask_all(&self, questions: &[&Question]) -> Vec<String> {
        let temp = tempfile::tempdir().unwrap();
        let (asked, said) = (temp.path().join("questions"), temp.path().join("answers"));
        let line = |question: &&Question| format!("{}\t{}\n", question.options, question.path.display());
        fs::write(&asked, questions.iter().map(line).collect::<String>()).unwrap();
        let mut command = Command::new(&self.python);
        command.args(["-c", DRIVER]).arg(&self.path).arg(asked).arg(&said).stderr(Stdio::null());
        assert!(
            command.status().unwrap().success(),
            "{} with {}",
            self.path.display(),
            self.python.display()
        );
        split_answers(&fs::read_to_string(said).unwrap())
    }
}

/// Takes answers apart that end with dots.
fn split_answers(text: &str) -> Vec<String> {
    let mut answers = vec![String::new()];
    for line in text.lines() {
        match answers.last_mut() {
            Some(answer) if line != "." => *answer += &format!("{line}\n"),
            _ => answers.push(String::new()),
        }
    }
    answers.pop();
    answers
}

fn read_natively(rules: PythondistRules, question: &Question) -> Result<String, UnusualPythondist> {
    let options: Vec<&str> = question.options.split_whitespace().collect();
    let read = PythondistQuestion::read(rules, &options).unwrap();
    let open = |name: &str| {
        let path = if name.is_empty() { question.path.clone() } else { question.path.join(name) };
        match fs::File::open(&path) {
            Ok(file) if file.metadata().unwrap().is_file() => Ok(Some(file)),
            Ok(_) if name.is_empty() => Ok(None),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            _ => Err(UnusualPythondist),
        }
    };
    let lines = read_pythondist_dependencies(&read, question.path.as_os_str().as_encoded_bytes(), open)?;
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}

/// Compares all answers that are given here with those of all scripts; how many those are for the first one.
#[track_caller]
fn compare_answers(scripts: &[Script], questions: &[Question]) -> usize {
    let mut given = 0;
    for (place, script) in scripts.iter().enumerate() {
        let answered: Vec<(&Question, String)> = questions
            .iter()
            .filter(|question| {
                script.rules == PythondistRules::Late || !LATER_OPTIONS.contains(&question.options)
            })
            .filter_map(|question| Some((question, read_natively(script.rules, question).ok()?)))
            .collect();
        let asked: Vec<&Question> = answered.iter().map(|(question, _)| *question).collect();
        let said = script.ask_all(&asked);
        assert_eq!(said.len(), asked.len());
        for ((question, own), said) in answered.iter().zip(&said) {
            let (script, python) = (script.path.display(), script.python.display());
            assert_eq!(
                own,
                said,
                "{script} with {python} {} {}:\n{}",
                question.options,
                question.path.display(),
                show_metadata(&question.path)
            );
        }
        given = if place == 0 { answered.len() } else { given };
        eprintln!(
            "{} of {} answers: {} {}",
            answered.len(),
            questions.len(),
            script.path.display(),
            script.python.display()
        );
    }
    given
}

/// All options for one path.
fn ask_everything(path: &Path) -> impl Iterator<Item = Question> {
    let options = OPTIONS.into_iter().chain(LATER_OPTIONS);
    options.map(|options| Question { options, path: path.to_owned() })
}

/// The files that are read of a folder with metadata.
const FILES: [&str; 4] = ["METADATA", "PKG-INFO", "requires.txt", "entry_points.txt"];

fn show_metadata(path: &Path) -> String {
    let show = |path: PathBuf| {
        let bytes = fs::read(&path).ok()?;
        Some(format!("== {}\n{}\n", path.display(), String::from_utf8_lossy(&bytes)))
    };
    let names = FILES.into_iter().map(|name| path.join(name)).chain([path.to_owned()]);
    names.filter_map(show).collect()
}

/// Copies the metadata of the machine's projects, and of those in the folders that `FORGE_TEST_PYTHON_PROJECTS` names.
fn copy_projects(site: &Path) -> Vec<PathBuf> {
    let others = std::env::var_os("FORGE_TEST_PYTHON_PROJECTS").unwrap_or_default();
    let folders = std::iter::once(PROJECTS.into()).chain(std::env::split_paths(&others));
    let mut found: Vec<PathBuf> = folders
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|end| end == "dist-info" || end == "egg-info"))
        .collect();
    found.sort();
    let copy = |(place, path): (usize, &PathBuf)| {
        let copied = site.join(place.to_string()).join(path.file_name().unwrap());
        fs::create_dir_all(copied.parent().unwrap()).unwrap();
        if path.is_file() {
            fs::copy(path, &copied).unwrap();
        } else {
            fs::create_dir_all(&copied).unwrap();
            for name in FILES.into_iter().filter(|name| path.join(name).is_file()) {
                fs::copy(path.join(name), copied.join(name)).unwrap();
            }
        }
        copied
    };
    found.iter().enumerate().map(copy).collect()
}

fn rounds(usually: usize) -> usize {
    std::env::var("FORGE_TEST_ROUNDS").map_or(usually, |rounds| rounds.parse().unwrap())
}

#[test]
fn projects_of_the_machine_depend_on_what_the_script_says() {
    let temp = tempfile::Builder::new().prefix("py").tempdir().unwrap();
    let projects = copy_projects(&temp.path().join(SITE));
    assert!(projects.len() > 3, "{} projects are too few", projects.len());
    let questions: Vec<Question> = projects.iter().flat_map(|path| ask_everything(path)).collect();
    for path in &projects {
        let question = Question { options: OPTIONS[1], path: path.clone() };
        if read_natively(PythondistRules::Early, &question).is_err() {
            eprintln!("unusual: {}", path.display());
        }
    }
    let given = compare_answers(&scripts(), &questions);
    let all = projects.len() * OPTIONS.len();
    assert!(given * 10 >= all * 7, "{given} of {all} answers are given");
}

/// A question about a path, with any options.
fn make_question(numbers: &mut Numbers, path: PathBuf) -> Question {
    let all: Vec<&'static str> = OPTIONS.into_iter().chain(LATER_OPTIONS).collect();
    Question { options: pick(numbers, &all), path }
}

/// Whatever stands in metadata, what is found is what the script finds, or nothing is said of it.
#[test]
fn made_projects_depend_on_what_the_script_says_or_are_unusual() {
    let temp = tempfile::Builder::new().prefix("py").tempdir().unwrap();
    let (rounds, mut numbers) = (rounds(600), Numbers(3));
    let questions: Vec<Question> = (0..rounds)
        .map(|round| {
            let python =
                pick(&mut numbers, &["python3.11", "python3.6", "python2.7", "python3.12", "python3"]);
            let site = temp.path().join(round.to_string()).join(python).join("site-packages");
            let path = make_metadata(&mut numbers, &site);
            make_question(&mut numbers, path)
        })
        .collect();
    let given = compare_answers(&scripts(), &questions);
    assert!(given * 6 > rounds, "{given} of {rounds} questions are answered");
}

/// Real metadata with a few bytes changed.
#[test]
fn damaged_projects_depend_on_what_the_script_says_or_are_unusual() {
    let temp = tempfile::Builder::new().prefix("py").tempdir().unwrap();
    let (rounds, mut numbers) = (rounds(250), Numbers(4));
    let projects = copy_projects(&temp.path().join(SITE));
    let questions: Vec<Question> = (0..rounds)
        .map(|round| {
            let project = &projects[numbers.below(projects.len())];
            let path = temp.path().join(format!("{round}/{SITE}")).join(project.file_name().unwrap());
            copy_damaged(&mut numbers, project, &path);
            make_question(&mut numbers, path)
        })
        .collect();
    let given = compare_answers(&scripts(), &questions);
    assert!(given * 3 > rounds, "{given} of {rounds} questions are answered");
}

fn copy_damaged(numbers: &mut Numbers, project: &Path, path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if project.is_file() {
        fs::write(path, damage(numbers, fs::read(project).unwrap())).unwrap();
        return;
    }
    fs::create_dir_all(path).unwrap();
    let names: Vec<&str> = FILES.into_iter().filter(|name| project.join(name).is_file()).collect();
    let chosen = numbers.below(names.len().max(1));
    for (place, name) in names.iter().enumerate() {
        let bytes = fs::read(project.join(name)).unwrap();
        fs::write(path.join(name), if place == chosen { damage(numbers, bytes) } else { bytes }).unwrap();
    }
}

/// Changes some bytes near the beginning, where what counts is.
fn damage(numbers: &mut Numbers, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(bytes.len().clamp(1, 1500));
        let wrong = b" \n\t,:;=#[]()<>\"'.\r\xffaR1-_+!~";
        match numbers.below(3) {
            _ if at >= bytes.len() => {}
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, wrong[numbers.below(wrong.len())]),
            _ => bytes[at] = wrong[numbers.below(wrong.len())],
        }
    }
    bytes
}
