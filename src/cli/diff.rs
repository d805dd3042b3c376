//! `forge diff`

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;

use serde::Serialize;

use super::Exit;
use super::arguments::Diff;
use super::context::{CliError, Context, Failure};
use super::project::Project;
use super::results::not_built;
use crate::event::{BuildName, State};
use crate::execute::{ResultPackage, ResultRecord};
use crate::files::{Folder, HostPath};
use crate::package::{Compared, Difference, difference};
use crate::store::{BuildRow, History};
use crate::ui::{diff_screen, plain_text};

/// Shows what differs between two packages, or between the newest good builds of one. As with diff(1), 1 says that something
/// does, and 2 that it could not be known.
pub fn run(arguments: &Diff, context: &Context) -> Result<Exit, Failure> {
    let compared = match &arguments.after {
        Some(after) => compare_files(&arguments.before, after, arguments, context),
        None => compare_builds(&arguments.before.to_string_lossy(), arguments, context),
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

/// Compares two package files; gives whether they are the same.
fn compare_files(before: &Path, after: &Path, arguments: &Diff, context: &Context) -> Result<bool, Failure> {
    let difference = difference(&read_file(before, context)?, &read_file(after, context)?);
    if arguments.json {
        print_json(&difference, context)?;
    } else {
        let (before, after) = (before.to_string_lossy(), after.to_string_lossy());
        context.print(&diff_screen(&difference, &before, &after, arguments.all))?;
    }
    Ok(is_same(&difference, arguments.all))
}

fn is_same(difference: &Difference, all: bool) -> bool {
    if all { difference.is_empty() } else { difference.is_volatile() }
}

fn read_file(path: &Path, context: &Context) -> Result<Compared, Failure> {
    let full = context.named(path)?;
    let parent = full.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    let folder = Folder::open_ambient(&parent).map_err(CliError::Io)?;
    read(&folder, Path::new(full.as_path().file_name().unwrap_or_default()), &path.to_string_lossy())
}

fn read(folder: &Folder, path: &Path, shown: &str) -> Result<Compared, Failure> {
    let file = folder.open_regular(path).map_err(CliError::Io)?;
    let reader = BufReader::with_capacity(256 * 1024, file.into_std());
    Ok(Compared::read(shown, reader)?)
}

fn print_json(document: &impl Serialize, context: &Context) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document).map_err(|error| CliError::Io(error.into()))?;
    context.print(&format!("{text}\n"))
}

/// What differs between two builds of a package.
#[derive(Debug, Serialize)]
struct BuildDifference {
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
#[derive(Debug, Serialize)]
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

/// Compares the newest good build of a package with the one before; gives whether they have made the same.
fn compare_builds(package: &str, arguments: &Diff, context: &Context) -> Result<bool, Failure> {
    let project = Project::find(context)?;
    let history = project.history()?;
    let [before, after] = newest_good(&history, package, arguments.chroot.as_deref())?;
    let state = project.state()?;
    let open = |row: &BuildRow| -> Result<(Folder, Packages), Failure> {
        let folder = state.folder(row.results.as_deref().unwrap_or_default()).map_err(CliError::Io)?;
        let packages = packages(&folder)?;
        Ok((folder, packages))
    };
    let ((old_folder, old), (new_folder, new)) = (open(&before)?, open(&after)?);
    let mut compared = Vec::new();
    for (key, old_file) in &old {
        let Some(new_file) = new.get(key) else { continue };
        let (name, arch) = key.clone();
        let old_package = read(&old_folder, Path::new(old_file), old_file)?;
        let new_package = read(&new_folder, Path::new(new_file), new_file)?;
        let difference = difference(&old_package, &new_package);
        let (before, after) = (old_file.clone(), new_file.clone());
        compared.push(PackageDifference { name, arch, before, after, difference });
    }
    let found = BuildDifference {
        build: after.build.clone(),
        before: before.number,
        after: after.number,
        packages: compared,
        removed: only_in(&old, &new),
        added: only_in(&new, &old),
    };
    if arguments.json {
        print_json(&found, context)?;
    } else {
        context.print(&found.screen(arguments.all))?;
    }
    Ok(found.is_same(arguments.all))
}

/// The two newest good builds of a package whose results are there, in one chroot; the earlier first.
fn newest_good(history: &History, package: &str, chroot: Option<&str>) -> Result<[BuildRow; 2], Failure> {
    let rows = history.builds(Some(package), usize::MAX)?;
    let is_good = |row: &&BuildRow| row.state == State::Succeeded && row.results.is_some();
    let mut good =
        rows.iter().filter(is_good).filter(|row| chroot.is_none_or(|name| row.build.chroot == name));
    let Some(after) = good.next() else {
        return Err(not_built(history, package));
    };
    match good.find(|row| row.build.chroot == after.build.chroot) {
        Some(before) => Ok([before.clone(), after.clone()]),
        None => Err(CliError::NothingBefore { build: after.build.to_string() }.into()),
    }
}

/// What a build has made, as its `result.json` says.
fn packages(folder: &Folder) -> Result<Packages, Failure> {
    let text = folder.read("result.json").map_err(CliError::Io)?;
    let record: ResultRecord = serde_json::from_slice(&text).map_err(|error| CliError::Io(error.into()))?;
    let named = |package: ResultPackage| Some((name_and_arch(&package.file)?, package.file));
    Ok(record.packages.into_iter().filter_map(named).collect())
}

/// The name and the architecture of a package file: `name-version-release.arch.rpm`.
fn name_and_arch(file: &str) -> Option<(String, String)> {
    let (nvr, arch) = file.strip_suffix(".rpm")?.rsplit_once('.')?;
    let name = nvr.rsplitn(3, '-').nth(2)?;
    Some((name.to_owned(), arch.to_owned()))
}

fn only_in(packages: &Packages, others: &Packages) -> Vec<String> {
    let only = packages.iter().filter(|(key, _)| !others.contains_key(*key));
    only.map(|(_, file)| file.clone()).collect()
}

impl BuildDifference {
    fn is_same(&self, all: bool) -> bool {
        let mut packages = self.packages.iter();
        self.removed.is_empty()
            && self.added.is_empty()
            && packages.all(|package| is_same(&package.difference, all))
    }

    fn screen(&self, all: bool) -> String {
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
