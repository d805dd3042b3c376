//! `forge diff`

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::Exit;
use super::arguments::Diff;
use super::context::{CliError, Context, Failure};
use super::document::print_document;
use super::past_builds::{PastBuilds, build_by_number, split_numbers};
use super::project::Project;
use crate::event::{BuildName, State};
use crate::execute::{ResultPackage, ResultRecord};
use crate::files::{Folder, HostPath};
use crate::package::{Compared, Difference, PackageRecord, add_contents, difference, read_headers_of};
use crate::store::BuildRow;
use crate::ui::{count, diff_screen, plain_text};

/// Shows what differs between two packages, or between the newest good builds of packages and the ones before. As with
/// diff(1), 1 says that something does, and 2 that it could not be known.
pub fn run(arguments: &Diff, context: &Context) -> Result<Exit, Failure> {
    let compared = match (&arguments.before, &arguments.after) {
        (Some(before), Some(after)) => match (number(before), number(after)) {
            (Some(_), Some(_)) => compare_builds(arguments, context),
            (_, None) | (None, _) => compare_files(before, after, arguments, context),
        },
        (_, None) | (None, _) => compare_builds(arguments, context),
    };
    match compared {
        Err(Failure::ClosedPipe) => Err(Failure::ClosedPipe),
        Err(failure) => {
            context.show_failure(&failure);
            Ok(Exit::Trouble)
        }
        Ok(true) => Ok(Exit::Success),
        Ok(false) => Ok(Exit::Different),
    }
}

/// What `forge diff --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum DiffDocument {
    /// Of two package files.
    Files {
        /// The form of this document: 1. Later forms of this number only add fields.
        version: u32,
        /// What differs.
        #[serde(flatten)]
        difference: Difference,
    },
    /// Of packages of the manifest.
    Builds {
        /// The form of this document: 1. Later forms of this number only add fields.
        version: u32,
        /// The builds that were compared.
        builds: Vec<BuildDifference>,
    },
}

/// Compares two package files; gives whether they are the same.
fn compare_files(before: &Path, after: &Path, arguments: &Diff, context: &Context) -> Result<bool, Failure> {
    let (old, new) = (PlacedPackage::of_file(before, context)?, PlacedPackage::of_file(after, context)?);
    let difference = old.compare(&new)?;
    let is_same = is_same(&difference, arguments.all);
    if arguments.json {
        print_document(&DiffDocument::Files { version: 1, difference }, context)?;
    } else {
        let (before, after) = (before.to_string_lossy(), after.to_string_lossy());
        context.print(&diff_screen(&difference, &before, &after, arguments.all))?;
    }
    Ok(is_same)
}

fn is_same(difference: &Difference, all: bool) -> bool {
    if all { difference.is_empty() } else { difference.is_volatile() }
}

/// A package file that is compared.
pub struct PlacedPackage {
    folder: Folder,
    name: PathBuf,
    /// As messages name it.
    shown: String,
}

impl PlacedPackage {
    /// A file that a person has named.
    pub fn of_file(path: &Path, context: &Context) -> Result<Self, Failure> {
        let full = context.named(path)?;
        let parent = full.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
        let folder = Folder::open_ambient(&parent).map_err(CliError::Io)?;
        let name = PathBuf::from(full.as_path().file_name().unwrap_or_default());
        Ok(Self { folder, name, shown: path.to_string_lossy().into_owned() })
    }

    /// A file of a result folder.
    pub fn of_result(folder: &Folder, file: &str) -> Result<Self, Failure> {
        let folder = folder.again().map_err(CliError::Io)?;
        Ok(Self { folder, name: PathBuf::from(file), shown: file.to_owned() })
    }

    /// The same, called otherwise in messages.
    pub fn shown_as(self, shown: String) -> Self {
        Self { shown, ..self }
    }

    /// Its name and architecture, as its header says them.
    pub fn name_and_arch(&self) -> Result<(String, String), Failure> {
        let headers = read_headers_of(&self.shown, &mut self.open()?)?;
        let record = PackageRecord::read(&self.shown, &headers)?;
        Ok((record.name, record.arch))
    }

    fn open(&self) -> Result<impl BufRead, Failure> {
        let file = self.folder.open_regular(&self.name).map_err(CliError::Io)?;
        Ok(BufReader::with_capacity(256 * 1024, file.into_std()))
    }

    /// What differs between it and another: their headers, and what is within their files.
    pub fn compare(&self, other: &Self) -> Result<Difference, Failure> {
        let old = Compared::read(&self.shown, self.open()?)?;
        let new = Compared::read(&other.shown, other.open()?)?;
        let mut difference = difference(&old, &new);
        let compared = add_contents(&mut difference, self.open()?, other.open()?);
        compared.map_err(|reason| CliError::Io(std::io::Error::other(reason)))?;
        Ok(difference)
    }
}

/// What differs between two builds of a package.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BuildDifference {
    #[serde(flatten)]
    build: BuildName,
    /// The number of the earlier build.
    before: u64,
    /// The number of the later one.
    after: u64,
    /// The packages that both have made.
    packages: Vec<PackageDifference>,
    /// The files of packages that only the earlier one has made.
    removed: Vec<String>,
    /// The files of packages that only the later one has made.
    added: Vec<String>,
}

/// What differs between two packages of one name and architecture.
#[derive(Debug, Serialize, JsonSchema)]
struct PackageDifference {
    name: String,
    arch: String,
    /// The file of the earlier build.
    before: String,
    /// The file of the later build.
    after: String,
    #[serde(flatten)]
    difference: Difference,
}

/// A build's package files, by name and architecture.
type Packages = BTreeMap<(String, String), String>;

/// Compares the newest good builds of packages with the ones before; gives whether all have made the same.
fn compare_builds(arguments: &Diff, context: &Context) -> Result<bool, Failure> {
    let project = Project::find(context)?;
    let history = project.history()?;
    let builds = PastBuilds { project: &project, history: &history, context };
    let state = project.state()?;
    let mut found = Vec::new();
    for [before, after] in pairs(&builds, arguments)? {
        found.push(BuildDifference::compare(&state, &before, &after)?);
    }
    let is_same = found.iter().all(|build| build.is_same(arguments.all));
    if arguments.json {
        print_document(&DiffDocument::Builds { version: 1, builds: found }, context)?;
    } else {
        found.iter().try_for_each(|build| context.print(&build.screen(arguments.all)))?;
    }
    Ok(is_same)
}

/// The builds that are to be compared: the earlier first.
fn pairs(builds: &PastBuilds<'_>, arguments: &Diff) -> Result<Vec<[BuildRow; 2]>, Failure> {
    let numbered = |path: &Option<PathBuf>| path.as_deref().and_then(number);
    let Some(first) = numbered(&arguments.before) else {
        return newest_good(builds, arguments);
    };
    let first = with_results(build_by_number(builds.history, first)?)?;
    if let Some(second) = numbered(&arguments.after) {
        return Ok(vec![[first, with_results(build_by_number(builds.history, second)?)?]]);
    }
    let rows = builds.history.builds(Some(&first.build.package), usize::MAX)?;
    let is_before = |row: &BuildRow| row.build == first.build && row.number < first.number && is_good(row);
    match rows.into_iter().find(is_before) {
        Some(before) => Ok(vec![[before, first]]),
        None => Err(CliError::NothingBefore { build: format!("{} (#{})", first.build, first.number) }.into()),
    }
}

/// The number of a build: `#12`.
fn number(path: &Path) -> Option<u64> {
    let (numbers, _) = split_numbers(&[path.to_string_lossy().into_owned()]);
    numbers.first().copied()
}

fn with_results(row: BuildRow) -> Result<BuildRow, Failure> {
    match row.results {
        Some(_) => Ok(row),
        None => Err(CliError::ResultsRemoved { number: row.number, build: row.build.to_string() }.into()),
    }
}

/// Whether a build has a result that is there. After an undo that is the earlier one again, found in the store.
fn is_good(row: &BuildRow) -> bool {
    matches!(row.state, State::Succeeded | State::Cached) && row.results.is_some()
}

/// The two newest good builds, whose results are there, of each package that is asked for: the earlier first. In one chroot, or
/// in each that is named.
fn newest_good(builds: &PastBuilds<'_>, arguments: &Diff) -> Result<Vec<[BuildRow; 2]>, Failure> {
    let names: Vec<String> =
        arguments.before.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let mut rows = builds.history.builds(None, usize::MAX)?;
    rows.retain(is_good);
    builds.retain(&mut rows, &names, &arguments.chroot)?;
    builds.retain_batches(&mut rows, &arguments.batch)?;
    let mut by_build: BTreeMap<BuildName, Vec<BuildRow>> = BTreeMap::new();
    for row in rows {
        by_build.entry(row.build.clone()).or_default().push(row);
    }
    if arguments.chroot.is_empty() {
        let newest = newest_builds(&by_build);
        by_build.retain(|build, _| newest.contains(build));
    }
    let mut pairs = Vec::new();
    let mut without = Vec::new();
    for (build, rows) in by_build {
        match rows.as_slice() {
            [after, before, ..] => pairs.push([before.clone(), after.clone()]),
            _ => without.push(build),
        }
    }
    match (pairs.is_empty(), without.first()) {
        (true, Some(build)) => Err(CliError::NothingBefore { build: build.to_string() }.into()),
        (true, None) => {
            let wanted = names.into_iter().chain(arguments.batch.iter().cloned());
            Err(builds.not_built(&wanted.collect::<Vec<_>>().join(", ")))
        }
        (false, _) => {
            if !without.is_empty() {
                let builds_without = count(without.len(), "build");
                builds.context.tell(&format!("note: {builds_without} with nothing to compare left out\n"));
            }
            Ok(pairs)
        }
    }
}

/// The build of each package that has the newest number.
fn newest_builds(by_build: &BTreeMap<BuildName, Vec<BuildRow>>) -> BTreeSet<BuildName> {
    let mut newest: BTreeMap<&str, (u64, &BuildName)> = BTreeMap::new();
    for (build, rows) in by_build {
        let number = rows.iter().map(|row| row.number).max().unwrap_or_default();
        let known = newest.entry(&build.package).or_insert((number, build));
        if known.0 < number {
            *known = (number, build);
        }
    }
    newest.into_values().map(|(_, build)| build.clone()).collect()
}

/// The result folder of a build, and the packages in it.
fn open_results(state: &Folder, row: &BuildRow) -> Result<(Folder, Packages), Failure> {
    let folder = state.folder(row.results.as_deref().unwrap_or_default()).map_err(CliError::Io)?;
    let packages = packages(&folder)?;
    Ok((folder, packages))
}

/// The result folder of a build, and the package files in it.
///
/// # Errors
/// They are not there, or can't be read.
pub fn result_packages(state: &Folder, row: &BuildRow) -> Result<(Folder, Vec<String>), Failure> {
    let (folder, packages) = open_results(state, row)?;
    Ok((folder, packages.into_values().collect()))
}

/// What a build has made, as its `result.json` says.
fn packages(folder: &Folder) -> Result<Packages, Failure> {
    let text = folder.read("result.json").map_err(CliError::Io)?;
    let record: ResultRecord = serde_json::from_slice(&text).map_err(|error| CliError::Io(error.into()))?;
    let named = |package: ResultPackage| Some((name_and_arch(&package.file)?, package.file));
    Ok(record.packages.into_iter().filter_map(named).collect())
}

/// The name and the architecture of a package file: `name-version-release.arch.rpm`.
pub fn name_and_arch(file: &str) -> Option<(String, String)> {
    let (nvr, arch) = file.strip_suffix(".rpm")?.rsplit_once('.')?;
    let name = nvr.rsplitn(3, '-').nth(2)?;
    Some((name.to_owned(), arch.to_owned()))
}

fn only_in(packages: &Packages, others: &Packages) -> Vec<String> {
    let only = packages.iter().filter(|(key, _)| !others.contains_key(*key));
    only.map(|(_, file)| file.clone()).collect()
}

impl BuildDifference {
    /// Compares the packages of two builds.
    ///
    /// # Errors
    /// Their results are not there or can't be read.
    pub fn compare(state: &Folder, before: &BuildRow, after: &BuildRow) -> Result<Self, Failure> {
        let (old_folder, old) = open_results(state, before)?;
        let (new_folder, new) = open_results(state, after)?;
        let mut packages = Vec::new();
        for (key, old_file) in &old {
            let Some(new_file) = new.get(key) else { continue };
            let (name, arch) = key.clone();
            let old_package = PlacedPackage::of_result(&old_folder, old_file)?;
            let difference = old_package.compare(&PlacedPackage::of_result(&new_folder, new_file)?)?;
            let (before, after) = (old_file.clone(), new_file.clone());
            packages.push(PackageDifference { name, arch, before, after, difference });
        }
        Ok(Self {
            build: after.build.clone(),
            before: before.number,
            after: after.number,
            packages,
            removed: only_in(&old, &new),
            added: only_in(&new, &old),
        })
    }

    /// Whether both have made the same.
    pub fn is_same(&self, all: bool) -> bool {
        let mut packages = self.packages.iter();
        self.removed.is_empty()
            && self.added.is_empty()
            && packages.all(|package| is_same(&package.difference, all))
    }

    /// The files of packages that differ, of the earlier build and of the later one, in the result folders of these.
    pub fn differing_files(&self, all: bool) -> impl Iterator<Item = (&str, &str)> {
        let differing = self.packages.iter().filter(move |package| !is_same(&package.difference, all));
        differing.map(|package| (package.before.as_str(), package.after.as_str()))
    }

    /// The difference, to be read.
    pub fn screen(&self, all: bool) -> String {
        let Self { build, before, after, packages, removed, added } = self;
        let mut text = plain_text(&format!("# {build}: build #{before}, then #{after}\n"));
        for (files, what) in [(removed, "is not made any more"), (added, "is new")] {
            files.iter().for_each(|file| text.push_str(&plain_text(&format!("{file} {what}\n"))));
        }
        for package in packages {
            let PackageDifference { before, after, difference, .. } = package;
            match is_same(difference, all) {
                true => text.push_str(&plain_text(&format!("{after} is the same\n"))),
                false => text.push_str(&diff_screen(difference, before, after, all)),
            }
        }
        text
    }
}
