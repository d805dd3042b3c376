//! A package of the distribution, on its way from Debian's to RPM's.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rpmforge::package::{Comparison, Dependency, Evr};

use super::archive::Record;
use super::deb::Deb;
use super::file::{DistroFile, flag};
use super::generated::{Generated, read_files};
use super::relation::{Relation, translate_alternatives, translate_name};
use super::scriptlet::{Scriptlet, scriptlets_of};
use super::version::translate_version;

/// A dependency, with rpm's bits of when it counts.
pub type Row = (Dependency, u64);

/// A package.
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub evr: Evr,
    /// Whether it has something that only this kind of machine can use.
    pub is_noarch: bool,
    /// What it is, in a line.
    pub summary: String,
    /// What it is, at length.
    pub description: String,
    /// Where it comes from.
    pub url: String,
    /// Its licenses.
    pub license: String,
    /// The file name of the source package that it was made from.
    pub source: String,
    /// When it was built: seconds since 1970.
    pub built: u64,
    /// Its files.
    pub files: Vec<DistroFile>,
    /// The file of Debian's that has what they hold.
    pub deb: Option<PathBuf>,
    /// What its files need and give.
    pub generated: Generated,
    /// What it gives.
    pub provides: BTreeSet<Dependency>,
    /// What it needs.
    pub requires: BTreeSet<Row>,
    /// What must not be there with it.
    pub conflicts: BTreeSet<Dependency>,
    /// What it takes the place of.
    pub obsoletes: BTreeSet<Dependency>,
    /// What it should have.
    pub recommends: BTreeSet<Dependency>,
    /// What it may have.
    pub suggests: BTreeSet<Dependency>,
    /// What it may be installed with.
    pub enhances: BTreeSet<Dependency>,
    /// What runs when it is installed or removed.
    pub scriptlets: Vec<Scriptlet>,
}

/// rpm's bit of what is needed before the package is there (`Requires(pre)`).
pub const BEFORE: u64 = 1 << 9;

impl Package {
    /// A package of nobody but this distribution.
    pub fn new(name: &str, version: &str, summary: &str) -> Self {
        Self {
            name: name.to_owned(),
            evr: Evr { epoch: None, version: version.to_owned(), release: Some("1".to_owned()) },
            is_noarch: true,
            summary: summary.to_owned(),
            description: summary.to_owned(),
            url: "https://www.debian.org/".to_owned(),
            license: "MIT".to_owned(),
            source: format!("{name}-{version}-1.src.rpm"),
            built: 0,
            files: Vec::new(),
            deb: None,
            generated: Generated::default(),
            provides: BTreeSet::new(),
            requires: BTreeSet::new(),
            conflicts: BTreeSet::new(),
            obsoletes: BTreeSet::new(),
            recommends: BTreeSet::new(),
            suggests: BTreeSet::new(),
            enhances: BTreeSet::new(),
            scriptlets: scriptlets_of(name),
        }
    }

    /// What a package of Debian's becomes. `is_left_out` says of what it needs that the distribution goes without; `is_gone`, that
    /// Debian no longer has a package.
    pub fn from_deb(
        deb: &Deb,
        files: Vec<DistroFile>,
        is_left_out: &dyn Fn(&[Relation]) -> bool,
        is_gone: &dyn Fn(&str) -> bool,
    ) -> Self {
        let control = &deb.control;
        let (summary, description) = describe(control.field("Description"));
        let name = translate_name(deb.name());
        let mut package = Self {
            evr: translate_version(control.field("Version")),
            is_noarch: control.field("Architecture") == "all",
            description,
            url: control.field("Homepage").to_owned(),
            license: read_license(deb),
            source: source_package(control),
            built: deb.built,
            generated: read_files(&files, &deb.data),
            files,
            ..Self::new(name, "", &summary)
        };
        let each =
            |field: &str| -> Vec<Relation> { control.relations(field).into_iter().flatten().collect() };
        let some = |field: &str| -> BTreeSet<Dependency> {
            control.relations(field).iter().map(|group| translate_alternatives(group)).collect()
        };
        for (field, sense) in [("Pre-Depends", BEFORE), ("Depends", 0)] {
            let needed = control.relations(field).into_iter().filter(|group| !is_left_out(group));
            package.requires.extend(needed.map(|group| (translate_alternatives(&group), sense)));
        }
        package.provides = each("Provides").iter().map(Relation::translate).collect();
        let (breaks, replaces) = ([each("Breaks"), each("Conflicts")].concat(), each("Replaces"));
        // What Debian replaces without its being gone is single files that moved from one package to the other.
        let is_obsolete = |relation: &&Relation| {
            is_gone(&relation.name) && replaces.iter().any(|replaced| replaced.name == relation.name)
        };
        package.obsoletes = breaks.iter().filter(is_obsolete).map(Relation::translate).collect();
        package.conflicts = breaks.iter().map(Relation::translate).collect();
        package.recommends = some("Recommends");
        package.suggests = some("Suggests");
        package.enhances = some("Enhances");
        package
    }

    /// `name = version`, as it provides itself.
    pub fn own_provides(&self) -> Vec<Dependency> {
        let version = Some((Comparison::EQUAL, self.evr.to_string()));
        let mut names = vec![self.name.clone()];
        if !self.is_noarch {
            names.push(format!("{}(x86-64)", self.name));
        }
        names.into_iter().map(|name| Dependency { name, version: version.clone() }).collect()
    }

    /// Its architecture.
    pub fn arch(&self) -> &'static str {
        if self.is_noarch { "noarch" } else { "x86_64" }
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        let release = self.evr.release.as_deref().unwrap_or_default();
        format!("{}-{}-{release}.{}.rpm", self.name, self.evr.version, self.arch())
    }

    /// Whether it has configuration files.
    pub fn has_configuration(&self) -> bool {
        self.files.iter().any(|file| file.flags & flag::CONFIGURATION != 0)
    }
}

/// The first line, and the rest without Debian's marks.
fn describe(text: &str) -> (String, String) {
    let (summary, rest) = text.split_once('\n').unwrap_or((text, ""));
    let lines = rest.lines().map(|line| match line.trim() {
        "." => "",
        _ => line.strip_prefix(' ').unwrap_or(line),
    });
    let description = lines.collect::<Vec<&str>>().join("\n");
    (summary.to_owned(), if description.is_empty() { summary.to_owned() } else { description })
}

/// `name-version-release.src.rpm`
fn source_package(control: &Record) -> String {
    let (name, version) = match control.field("Source").split_once('(') {
        Some((name, version)) => (name.trim(), version.trim_end_matches(')')),
        None => (control.field("Source"), control.field("Version")),
    };
    let name = if name.is_empty() { control.field("Package") } else { name };
    let evr = translate_version(version);
    format!("{name}-{}-{}.src.rpm", evr.version, evr.release.unwrap_or_default())
}

/// The licenses that a copyright file in Debian's form names.
fn read_license(deb: &Deb) -> String {
    let path = format!("/usr/share/doc/{}/copyright", deb.name());
    let file = deb.files.iter().find(|file| file.path == path && file.is_regular());
    let text =
        file.map(|file| String::from_utf8_lossy(file.bytes(&deb.data)).into_owned()).unwrap_or_default();
    let mut names: Vec<&str> = Vec::new();
    for name in text.lines().filter_map(|line| line.strip_prefix("License:")).map(str::trim) {
        let is_short = !name.is_empty() && name.len() < 60;
        if is_short && text.starts_with("Format:") && !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { format!("see {path}") } else { names.join(" and ") }
}
