//! What files say of the package that they are in: what rpm's dependency generators would find.

use std::collections::BTreeSet;

use rpmforge::package::{Comparison, Dependency};

use super::elf::read_elf;
use super::file::DistroFile;

/// What a package's files need and give.
#[derive(Debug, Default)]
pub struct Generated {
    /// What they need.
    pub requires: BTreeSet<Dependency>,
    /// What they give.
    pub provides: BTreeSet<Dependency>,
    /// The paths of the ELF files.
    pub elf: BTreeSet<String>,
}

/// Where Perl looks for modules.
const PERL_FOLDERS: &[&str] = &[
    "/usr/share/perl5/",
    "/usr/lib/x86_64-linux-gnu/perl5/5.40/",
    "/usr/lib/x86_64-linux-gnu/perl-base/",
    "/usr/lib/x86_64-linux-gnu/perl/5.40.1/",
    "/usr/lib/x86_64-linux-gnu/perl/5.40/",
    "/usr/share/perl/5.40.1/",
    "/usr/share/perl/5.40/",
];

/// Where Python's packages lie.
const PYTHON_PACKAGES: &str = "/usr/lib/python3/dist-packages/";

/// Reads the files of a package; `data` is its archive.
pub fn read_files(files: &[DistroFile], data: &[u8]) -> Generated {
    let mut found = Generated::default();
    for file in files.iter().filter(|file| file.is_regular() && file.linked_to.is_none()) {
        let bytes = file.bytes(data);
        if bytes.starts_with(b"\x7fELF") {
            found.add_elf(file, bytes);
        }
        if file.is_executable() && !file.path.starts_with("/usr/share/doc/") {
            found.add_script(bytes);
        }
        if file.path.ends_with(".pc") && file.path.contains("/pkgconfig/") {
            found.add_pkgconfig(file, bytes);
        }
        found.add_module(file, bytes);
    }
    found
}

impl Generated {
    fn add_elf(&mut self, file: &DistroFile, bytes: &[u8]) {
        if let Some(relations) = read_elf(bytes) {
            self.elf.insert(file.path.clone());
            self.requires.extend(relations.needs.into_iter().map(Dependency::any));
            self.provides.extend(relations.gives.into_iter().map(Dependency::any));
        }
    }

    /// The program that a script begins with.
    fn add_script(&mut self, bytes: &[u8]) {
        let line = bytes.strip_prefix(b"#!").and_then(|rest| rest.split(|byte| *byte == b'\n').next());
        let program = line.and_then(|line| std::str::from_utf8(line).ok()?.split_whitespace().next());
        if let Some(program) = program.filter(|program| program.starts_with('/')) {
            self.requires.insert(Dependency::any(program));
        }
    }

    /// `pkgconfig(x) = 1.0`, and what the file requires for its part.
    fn add_pkgconfig(&mut self, file: &DistroFile, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let mut variables: Vec<(&str, &str)> = Vec::new();
        let (mut version, mut required) = (String::new(), String::new());
        for line in text.lines() {
            let Some(at) = line.find(['=', ':']) else { continue };
            let (name, value) = (line[..at].trim(), line[at + 1..].trim());
            if line[at..].starts_with('=') {
                variables.push((name, value));
            } else if name == "Version" {
                version = expand(value, &variables);
            } else if name == "Requires" || name == "Requires.private" {
                required.extend([" ", &expand(value, &variables)]);
            }
        }
        let name = file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".pc");
        let provided = (!version.is_empty()).then_some((Comparison::EQUAL, version));
        self.provides.insert(Dependency { name: format!("pkgconfig({name})"), version: provided });
        self.requires.insert(Dependency::any("/usr/bin/pkg-config"));
        self.requires.extend(read_modules(&required));
    }

    /// Modules of Perl and packages of Python.
    fn add_module(&mut self, file: &DistroFile, bytes: &[u8]) {
        if let Some(name) = file.path.strip_suffix(".pm") {
            let name = PERL_FOLDERS.iter().find_map(|folder| name.strip_prefix(folder));
            let name = name.map(|name| format!("perl({})", name.replace('/', "::")));
            self.provides.extend(name.map(Dependency::any));
        }
        if let Some(name) = file.path.strip_prefix(PYTHON_PACKAGES) {
            let abi = (Comparison::EQUAL, "3.13".to_owned());
            self.requires.insert(Dependency { name: "python(abi)".to_owned(), version: Some(abi) });
            // Deeper down are copies that others have of it for themselves.
            let is_own = name.matches('/').count() == 1;
            if is_own && (name.ends_with(".dist-info/METADATA") || name.ends_with(".egg-info/PKG-INFO")) {
                self.add_python_package(&String::from_utf8_lossy(bytes));
            }
        }
        if file.path == "/usr/bin/python3.13" {
            let abi = (Comparison::EQUAL, "3.13".to_owned());
            self.provides.insert(Dependency { name: "python(abi)".to_owned(), version: Some(abi) });
        }
    }

    fn add_python_package(&mut self, text: &str) {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if let (Some(name), Some(version)) = (field("Name:"), field("Version:")) {
            let name = format!("python3dist({})", name.to_lowercase().replace(['_', '.'], "-"));
            self.provides.insert(Dependency { name, version: Some((Comparison::EQUAL, version.to_owned())) });
        }
    }
}

/// Replaces `${variable}`.
fn expand(value: &str, variables: &[(&str, &str)]) -> String {
    variables
        .iter()
        .rev()
        .fold(value.to_owned(), |value, (name, body)| value.replace(&format!("${{{name}}}"), body))
}

/// Reads `glib-2.0 >= 2.80, libffi`.
fn read_modules(text: &str) -> Vec<Dependency> {
    let text = text.replace(',', " ");
    let mut words = text.split_whitespace().peekable();
    let mut modules = Vec::new();
    while let Some(name) = words.next() {
        let comparison = words.peek().and_then(|word| Comparison::read(word.as_bytes()));
        let version = comparison.and_then(|comparison| {
            words.next();
            Some((comparison, words.next()?.to_owned()))
        });
        modules.push(Dependency { name: format!("pkgconfig({name})"), version });
    }
    modules
}
