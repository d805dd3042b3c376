//! Packages to install, and the machine's rpm in a root of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rpmforge::package::{Headers, read_headers};

/// The head of a spec of a package without architecture.
pub const HEAD: &str =
    "Version: 1\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\n%description\nd\n";

pub fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env("HOME", folder).env("LC_ALL", "C.UTF-8");
    command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

pub fn succeed(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = run(folder, program, arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?}: {out}{err}");
    out.into_owned()
}

/// Builds specs, each with what stands after its name; gives the package files in the order of their names.
pub fn build(folder: &Path, specs: &[(&str, &str)], options: &[&str]) -> Vec<PathBuf> {
    let top = format!("_topdir {}/top", folder.display());
    for (name, text) in specs {
        fs::write(folder.join(format!("{name}.spec")), format!("Name: {name}\n{text}")).unwrap();
        let mut arguments = vec!["rpmbuild", "-bb", "--nodeps", "-D", &top, "-D", "debug_package %{nil}"];
        options.iter().for_each(|option| arguments.extend(["-D", option]));
        let file = format!("{name}.spec");
        arguments.push(&file);
        succeed(folder, env!("CARGO_BIN_EXE_forge"), &arguments);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.join("top/RPMS")).unwrap() {
        found.extend(fs::read_dir(entry.unwrap().path()).unwrap().map(|entry| entry.unwrap().path()));
    }
    found.sort();
    found
}

pub fn headers(packages: &[PathBuf]) -> Vec<Headers> {
    packages.iter().map(|package| read_headers(&mut fs::File::open(package).unwrap()).unwrap()).collect()
}

/// A root that the machine's rpm works in.
pub struct RpmRoot {
    pub path: PathBuf,
}

impl RpmRoot {
    pub fn new(path: PathBuf) -> Self {
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    pub fn database(&self) -> PathBuf {
        self.path.join("var/lib/rpm/rpmdb.sqlite")
    }

    fn arguments<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        let common = [
            "--root",
            self.path.to_str().unwrap(),
            "--dbpath",
            "/var/lib/rpm",
            "--define",
            "_db_backend sqlite",
        ];
        [common.as_slice(), arguments].concat()
    }

    pub fn rpm(&self, arguments: &[&str]) -> String {
        succeed(&self.path, "rpm", &self.arguments(arguments))
    }

    pub fn try_rpm(&self, program: &str, arguments: &[&str]) -> (bool, String) {
        let output = run(&self.path, program, &self.arguments(arguments));
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    pub fn install(&self, options: &[&str], packages: &[PathBuf]) {
        let packages = packages.iter().map(|package| package.to_str().unwrap());
        let all: Vec<&str> = ["-i", "--nodeps", "--nosignature"]
            .into_iter()
            .chain(options.iter().copied())
            .chain(packages)
            .collect();
        self.rpm(&all);
    }

    /// Puts a database in the place of its own.
    pub fn set_database(&self, bytes: &[u8]) {
        let folder = self.path.join("var/lib/rpm");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("rpmdb.sqlite"), bytes).unwrap();
    }
}
