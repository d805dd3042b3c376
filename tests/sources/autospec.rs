//! Releases and changes from histories, beside the real rpmautospec.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rpmforge::source::autospec::{HistoryQuestion, work_out};
use rpmforge::source::git::{CommitLock, CommitReach, GitHistory};
use tempfile::TempDir;

use crate::git::made_git::git_command;
use crate::git::reader::Reader;

/// How many histories are made.
const HISTORIES: u64 = 60;

/// What a branch holds.
#[derive(Clone)]
struct Files {
    version: u32,
    options: String,
    is_broken: bool,
    has_spec: bool,
    changelog: Option<String>,
    other: u32,
}

impl Files {
    fn spec(&self) -> String {
        let broken = if self.is_broken { "%if\n" } else { "" };
        let epoch = if self.version > 4 { "Epoch: 1\n" } else { "" };
        format!(
            "{broken}Name: a\n{epoch}Version: {}\nRelease: %autorelease{}\nSummary: a\nLicense: MIT\n\
             %description\na\n%prep\n%autosetup -n %{{unknown}}\n%changelog\n%autochangelog\n",
            self.version, self.options
        )
    }
}

/// A history on its way into `git fast-import`.
struct MadeHistory {
    random: StdRng,
    stream: String,
    marks: usize,
    branches: Vec<(usize, Files)>,
    earlier: Vec<Files>,
}

const SUBJECTS: [&str; 12] = [
    "Update to the new release",
    "- Begin with a dash",
    "Fix 100% of all %macros",
    "One line\nand another of the subject",
    "Subject\n\n- first item\n- second item that goes on for so long that it has to be wrapped somewhere, which is said here\n  with more\n\n- no item",
    "Subject\n\n... goes on here\nand here\n- an item",
    "Subject\n\n…goes on\n\n- and no more",
    "Subject\n\nprose that is left out\n\n- so is this",
    "A very-long-hyphenated-word-that-goes-on-and-on-and-on-without-an-end-and-is-broken-somewhere-between",
    "What--if there are dashes--and e-mail addresses like somebody@example.org in a line that is too long for one",
    "https://example.org/a/very/long/address/that/can/not/be/broken/anywhere/but/in/the/middle/of/it/0123456789",
    "Tabs\tand  spaces\u{a0}and ünïcödé in a line that is long enough to be wrapped, so that lengths are counted in letters",
];

const MAGIC: [&str; 6] =
    ["", "", "", "\n\n[skip changelog]", "\n\n[bump release: 7]", "\n\n[skip changelog, bump release: 3]"];

impl MadeHistory {
    fn new(seed: u64) -> Self {
        let files = Files {
            version: 1,
            options: String::new(),
            is_broken: false,
            has_spec: true,
            changelog: None,
            other: 0,
        };
        let random = StdRng::seed_from_u64(seed);
        let mut made =
            Self { random, stream: String::new(), marks: 0, branches: Vec::new(), earlier: Vec::new() };
        made.commit(None, None, files.clone());
        made.branches.push((made.marks, files));
        for _ in 0..made.random.gen_range(5..25) {
            made.step();
        }
        while made.branches.len() > 1 {
            made.merge();
        }
        // The last commit is often a whole one: most packages can be built.
        if made.random.gen_bool(0.8) {
            let (mark, mut files) = made.branches[0].clone();
            (files.is_broken, files.has_spec) = (false, true);
            made.commit(Some(mark), None, files);
        }
        made
    }

    fn commit(&mut self, parent: Option<usize>, merged: Option<usize>, files: Files) {
        self.marks += 1;
        let message = (*SUBJECTS.choose(&mut self.random).unwrap()).to_owned()
            + MAGIC.choose(&mut self.random).unwrap();
        let author =
            ["Ada <ada@example.org>", "Bèla Ö. <bela@example.org>"].choose(&mut self.random).unwrap();
        let (time, zone) = (
            1_700_000_000 + self.marks * 40_000,
            ["+0000", "-0730", "+1300"].choose(&mut self.random).unwrap(),
        );
        let mut text = format!(
            "commit refs/heads/main\nmark :{}\nauthor {author} {} {zone}\ncommitter C <c@example.org> {time} {zone}\ndata {}\n{message}\n",
            self.marks,
            time - 100_000,
            message.len()
        );
        for (word, mark) in [("from", parent), ("merge", merged)] {
            text += &mark.map(|mark| format!("{word} :{mark}\n")).unwrap_or_default();
        }
        text += "deleteall\n";
        let mut file = |name: &str, content: &str| {
            text += &format!("M 100644 inline {name}\ndata {}\n{content}\n", content.len());
        };
        file("other", &files.other.to_string());
        if files.has_spec {
            file("a.spec", &files.spec());
        }
        if let Some(changelog) = &files.changelog {
            file("changelog", changelog);
        }
        self.stream += &text;
        self.earlier.push(files);
    }

    fn step(&mut self) {
        let index = self.random.gen_range(0..self.branches.len());
        let (mark, mut files) = self.branches[index].clone();
        let number = self.marks as u32;
        match self.random.gen_range(0..18) {
            0..=4 => files.other = number,
            5 | 6 => files.version += 1,
            7 => files.version = files.version.saturating_sub(1).max(1),
            8 | 9 => {
                let options = ["", " -b 5", " -p", " -p -e rc1", " -s 20240101git", " -e a -s b -b 2", " -n"];
                files.options = (*options.choose(&mut self.random).unwrap()).to_owned();
            }
            10 => {
                files.changelog = Some(format!("* Mon Jan 01 2024 Old <o@example.org> - 0-{number}\n- old\n"))
            }
            11 => files.changelog = None,
            12 => files.is_broken = !files.is_broken,
            13 => files.has_spec = !files.has_spec,
            14 => files = self.earlier.choose(&mut self.random).unwrap().clone(),
            15 if self.branches.len() < 4 => return self.branches.push((mark, files)),
            _ if self.branches.len() > 1 => return self.merge(),
            _ => files.other = number + 1000,
        }
        self.commit(Some(mark), None, files.clone());
        self.branches[index] = (self.marks, files);
    }

    /// Merges a branch into another: with the files of one of the two, or of neither.
    fn merge(&mut self) {
        let other = self.random.gen_range(1..self.branches.len());
        let (other_mark, other_files) = self.branches.remove(other);
        let (mark, mut files) = self.branches[0].clone();
        if other_mark == mark {
            return;
        }
        match self.random.gen_range(0..4) {
            0 => files = other_files,
            1 => files.other = self.marks as u32 + 5000,
            2 if files.changelog.is_some() => {
                files.changelog = Some(format!("* Tue Jan 02 2024 M <m@x> - {}\n", self.marks))
            }
            _ => {}
        }
        self.commit(Some(mark), Some(other_mark), files.clone());
        self.branches[0] = (self.marks, files);
    }

    /// Writes it into a repository with a work tree.
    fn write(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        let run = |arguments: &[&str], input: &str| {
            let mut command = git_command(folder, 1_700_000_000);
            let mut child = command.args(arguments).stdin(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            assert!(child.wait().unwrap().success(), "git {arguments:?}");
        };
        run(&["init", "--quiet", "--initial-branch=main"], "");
        run(&["fast-import", "--quiet"], &self.stream);
        run(&["reset", "--quiet", "--hard"], "");
    }
}

fn ask_rpmautospec(specs: &str) -> Vec<serde_json::Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed =
        Command::new(root.join(".ci/rpmautospec")).arg(root.join("target/rpmautospec")).output().unwrap();
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let python = String::from_utf8(installed.stdout).unwrap();
    let mut child = Command::new(python.trim())
        .arg(root.join("tests/sources/ask_rpmautospec.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let specs = specs.to_owned();
    let writer = std::thread::spawn(move || input.write_all(specs.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn releases_and_changes_of_made_histories_are_those_of_rpmautospec() {
    let root = TempDir::new().unwrap();
    let folders: Vec<_> = (0..HISTORIES).map(|seed| root.path().join(seed.to_string())).collect();
    for (seed, folder) in folders.iter().enumerate() {
        MadeHistory::new(seed as u64).write(folder);
    }
    let specs: Vec<_> = folders.iter().filter(|folder| folder.join("a.spec").exists()).collect();
    let named: String = specs.iter().map(|folder| format!("{}\n", folder.join("a.spec").display())).collect();
    let said = ask_rpmautospec(&named);
    assert_eq!(said.len(), specs.len());

    let (mut compared, reader) = (0, Reader::new());
    for (folder, said) in specs.into_iter().zip(said) {
        if said.get("failed").is_some() {
            continue;
        }
        let url = format!("file://{}", folder.display());
        let head = reader.choose_reaching(&url, None, CommitLock::Open, CommitReach::History).unwrap().commit;
        let repository = reader.repository(&url);
        let history = GitHistory::new(&repository, Path::new(""), "a.spec");
        let release = work_out(&history, &head, HistoryQuestion::Release).unwrap();
        let changelog = work_out(&history, &head, HistoryQuestion::Changelog).unwrap();
        let seed = folder.file_name().unwrap().display();
        assert_eq!(release.release, said["release"], "history {seed}");
        assert_eq!(changelog.changelog_text(), said["changelog"], "history {seed}");
        compared += 1;
    }
    assert!(compared >= 50, "only {compared} were compared");
}
