//! Debian's archive: which packages it has, what they need, and the files themselves.
//!
//! Everything goes through apt, with a configuration of its own: the mirror that the machine is set up with, another suite, and
//! signatures checked. Nothing of the machine's is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::relation::{Alternatives, read_relations};

/// The release that the distribution is made of.
const SUITE: &str = "trixie";

/// The fields of a package, as `Packages` and control files have them.
#[derive(Clone, Debug, Default)]
pub struct Record(BTreeMap<String, String>);

impl Record {
    /// Reads a paragraph: fields, with lines that go on after a blank.
    pub fn read(text: &str) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            match (line.starts_with([' ', '\t']), fields.last_mut(), line.split_once(':')) {
                (true, Some((_, value)), _) => value.extend(["\n", line]),
                (false, _, Some((name, value))) => fields.push((name.to_owned(), value.trim().to_owned())),
                _ => {}
            }
        }
        Self(fields.into_iter().collect())
    }

    /// A field; nothing where it is missing.
    pub fn field(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The relations of a field.
    pub fn relations(&self, field: &str) -> Vec<Alternatives> {
        read_relations(self.field(field))
    }

    /// What must be there for it: `Pre-Depends` and `Depends`.
    fn needs(&self) -> Vec<Alternatives> {
        [self.relations("Pre-Depends"), self.relations("Depends")].concat()
    }
}

/// Debian's archive, as apt sees it.
pub struct Archive {
    folder: PathBuf,
    records: BTreeMap<String, Record>,
    providers: BTreeMap<String, Vec<String>>,
}

impl Archive {
    /// Asks the mirror what there is; `folder` is where apt keeps its state.
    pub fn open(folder: &Path) -> Self {
        for part in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let targets = run(Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]));
        let is_main = |uri: &&str| uri.trim_end_matches('/').ends_with("/debian");
        let mirror = targets.lines().find(is_main).expect("apt has no mirror of Debian's main archive");
        let keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
        let line = format!("deb [arch=amd64 signed-by={keys}] {mirror} {SUITE} main\n");
        fs::write(folder.join("sources.list"), line).unwrap();
        let mut archive =
            Self { folder: folder.to_owned(), records: BTreeMap::new(), providers: BTreeMap::new() };
        run(archive.apt("apt-get").args(["-qq", "update"]));
        let listed = run(archive.apt("apt-cache").arg("dumpavail"));
        for record in
            listed.split("\n\n").map(Record::read).filter(|record| !record.field("Package").is_empty())
        {
            let name = record.field("Package").to_owned();
            for provided in record.relations("Provides").into_iter().flatten() {
                archive.providers.entry(provided.name).or_default().push(name.clone());
            }
            archive.records.insert(name, record);
        }
        archive
    }

    /// Whether there is a package of that name.
    pub fn has(&self, name: &str) -> bool {
        self.records.contains_key(name)
    }

    /// The names of the packages that Debian calls essential.
    pub fn essential(&self) -> Vec<String> {
        let essential = self.records.iter().filter(|(_, record)| record.field("Essential") == "yes");
        essential.map(|(name, _)| name.clone()).collect()
    }

    /// The packages, and all that they need; of alternatives one that is there already, or else the first. `left_out` says which
    /// packages are never taken.
    pub fn close(&self, wanted: &[String], left_out: &[&str]) -> BTreeSet<String> {
        let mut closed: BTreeSet<String> =
            wanted.iter().filter(|name| !left_out.contains(&name.as_str())).cloned().collect();
        let mut open: Vec<String> = closed.iter().cloned().collect();
        while let Some(name) = open.pop() {
            let record = self.records.get(&name).unwrap_or_else(|| panic!("{SUITE} has no package {name}"));
            for alternatives in record.needs() {
                let fitting: Vec<&str> =
                    alternatives.iter().flat_map(|relation| self.providers_of(&relation.name)).collect();
                if fitting.iter().any(|name| closed.contains(*name) || left_out.contains(name)) {
                    continue;
                }
                let first = fitting.first().unwrap_or_else(|| panic!("{name}: nothing is {alternatives:?}"));
                closed.insert((*first).to_owned());
                open.push((*first).to_owned());
            }
        }
        closed
    }

    /// By name, the versions that these packages have, provide, or mention in relations.
    pub fn versions(&self, names: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
        const RELATIONS: [&str; 8] = [
            "Pre-Depends",
            "Depends",
            "Provides",
            "Breaks",
            "Conflicts",
            "Recommends",
            "Suggests",
            "Enhances",
        ];
        let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for record in names.iter().map(|name| &self.records[name]) {
            let own = (record.field("Package").to_owned(), record.field("Version").to_owned());
            let all = RELATIONS.iter().flat_map(|field| record.relations(field)).flatten();
            let mentioned = all.filter_map(|relation| Some((relation.name, relation.version?.1)));
            for (name, version) in mentioned.chain([own]) {
                versions.entry(name).or_default().insert(version);
            }
        }
        versions
    }

    /// The package of a name first, then those that provide it.
    fn providers_of(&self, name: &str) -> Vec<&str> {
        let own = self.records.get(name).map(|record| record.field("Package"));
        let others = self.providers.get(name).into_iter().flatten().map(String::as_str);
        own.into_iter().chain(others).collect()
    }

    /// Brings the files of packages into a folder, and takes away what else is there. What is there already is not fetched again.
    pub fn download(&self, names: &BTreeSet<String>, folder: &Path) -> Vec<PathBuf> {
        fs::create_dir_all(folder).unwrap();
        let name_of_file = |name: &String| {
            let record = &self.records[name];
            let version = record.field("Version").replace(':', "%3a");
            format!("{name}_{version}_{}.deb", record.field("Architecture"))
        };
        let files: BTreeSet<String> = names.iter().map(name_of_file).collect();
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if !files.contains(entry.file_name().to_str().unwrap()) {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        let mut command = self.apt("apt-get");
        run(command.args(["-qq", "download"]).args(names).current_dir(folder));
        files.into_iter().map(|file| folder.join(file)).collect()
    }

    /// A program of apt, with the configuration that keeps it from the machine's own.
    fn apt(&self, program: &str) -> Command {
        let at = |name: &str| self.folder.join(name).display().to_string();
        let options = [
            format!("Dir::Etc::sourcelist={}", at("sources.list")),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            format!("Dir::State={}", at("state")),
            "Dir::State::status=/dev/null".to_owned(),
            format!("Dir::Cache={}", at("cache")),
            "APT::Sandbox::User=root".to_owned(),
            "APT::Architecture=amd64".to_owned(),
            "APT::Architectures=amd64".to_owned(),
            "Acquire::Languages=none".to_owned(),
        ];
        let mut command = Command::new(program);
        command.env("LC_ALL", "C.UTF-8").args(options.iter().flat_map(|option| ["-o", option]));
        command
    }
}

/// Runs a program that must succeed, and gives what it says.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out.into_owned()
}
