//! `forge results`

use std::collections::HashSet;

use globset::GlobMatcher;
use schemars::JsonSchema;
use serde::Serialize;

use super::Exit;
use super::arguments::Results;
use super::context::{CliError, Context, Failure};
use super::document::print_document;
use super::past_builds::{PastBuilds, split_numbers};
use super::project::{Project, STATE_FOLDER, store};
use super::published_signatures::PublishedSignatures;
use super::result_record::read_record;
use super::selection::matcher;
use crate::event::{BuildName, State};
use crate::files::Folder;
use crate::package::Dependency;
use crate::store::{BuildRow, PackageSummary, Store};
use crate::ui::plain_text;

/// Shows where the newest results of packages are, and what is in them.
pub fn run(arguments: &Results, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let history = project.history()?;
    let builds = PastBuilds { project: &project, history: &history, context };
    let query = DependencyQuery::new(arguments)?;
    let (numbers, names) = split_numbers(&arguments.packages);
    let mut rows = builds.attempts(&arguments.packages, &arguments.chroot)?;
    if numbers.is_empty() && query.asks_for_packages() {
        // What needs something is asked of packages that are there, not of attempts that failed.
        rows = newest_good(&builds)?;
        builds.retain(&mut rows, &names, &arguments.chroot)?;
    }
    builds.retain_batches(&mut rows, &arguments.batch)?;
    rows.retain(|row| !arguments.failed || row.state == State::Failed);
    if let Some(row) = rows.iter().find(|row| numbers.contains(&row.number) && row.results.is_none()) {
        return Err(CliError::ResultsRemoved { number: row.number, build: row.build.to_string() }.into());
    }
    let (state, store) = (project.state()?, store(context)?);
    let mut found: Vec<BuildResult> =
        rows.iter().filter_map(|row| BuildResult::read(row, &state, &store)).collect();
    let signatures = PublishedSignatures::read(&project, context);
    for build in &mut found {
        let row = rows.iter().find(|row| row.number == build.number);
        build.signed_by = row.map(|row| signatures.of(&state, row)).unwrap_or_default();
    }
    if query.asks_for_packages() {
        found.iter_mut().for_each(|build| build.packages.retain(|package| query.is_answered_by(package)));
        found.retain(|build| !build.packages.is_empty());
    }
    if arguments.json {
        return print_document(&ResultsDocument { version: 1, builds: found }, context);
    }
    let mut text = String::new();
    for build in found {
        match query.asks_for_packages() {
            true => text.push_str(&query.answer(&build)),
            false => text.push_str(&listing(&build, &state)?),
        }
    }
    context.print(&plain_text(&text))?;
    Ok(Exit::Success)
}

/// The newest good build of each package in each chroot.
fn newest_good(builds: &PastBuilds<'_>) -> Result<Vec<BuildRow>, Failure> {
    let folders: HashSet<String> =
        builds.history.last_good()?.into_values().filter_map(|last| last.results).collect();
    let mut rows = builds.history.builds(None, usize::MAX)?;
    rows.retain(|row| row.results.as_ref().is_some_and(|results| folders.contains(results)));
    rows.sort_by(|one, other| one.build.cmp(&other.build));
    Ok(rows)
}

/// A build's folder, and all files in it.
fn listing(build: &BuildResult, state: &Folder) -> Result<String, Failure> {
    let BuildResult { build: name, state: outcome, folder, .. } = build;
    let mut text = format!("{folder} ({}, {outcome})\n", name.chroot);
    let below = folder.strip_prefix(STATE_FOLDER).unwrap_or(folder).trim_start_matches('/');
    for entry in state.folder(below).map_err(CliError::Io)?.entries().map_err(CliError::Io)? {
        text.push_str(&format!("  {}\n", entry.name));
    }
    if !build.signed_by.is_empty() {
        text.push_str(&format!("  published, signed by {}\n", build.signed_by.join(", ")));
    }
    Ok(text)
}

/// What `forge results --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ResultsDocument {
    /// The form of this document: 1. Later forms of this number only add fields.
    version: u32,
    /// The builds that are asked for.
    builds: Vec<BuildResult>,
}

/// What a build has left.
#[derive(Debug, Serialize, JsonSchema)]
struct BuildResult {
    /// Its number in this project.
    number: u64,
    #[serde(flatten)]
    build: BuildName,
    /// How it ended.
    state: State,
    /// Its result folder, relative to the project.
    folder: String,
    /// Its packages.
    packages: Vec<BuiltPackage>,
    /// The fingerprints of the keys that they are signed with, where they are published.
    signed_by: Vec<String>,
}

/// A package file.
#[derive(Debug, Serialize, JsonSchema)]
struct BuiltPackage {
    /// The file, relative to the project.
    path: String,
    /// SHA-256 of the file.
    sha256: String,
    /// What it says of itself, as long as the store knows it.
    #[serde(flatten)]
    says: Option<PackageWords>,
}

/// What a package says of itself.
#[derive(Debug, Serialize, JsonSchema)]
struct PackageWords {
    /// `name-[epoch:]version-release.arch`.
    nevra: String,
    /// What it provides, those included that generators have found: `name`, or `name = version`.
    provides: Vec<String>,
    /// What it requires.
    requires: Vec<String>,
}

impl BuildResult {
    fn read(row: &BuildRow, state: &Folder, store: &Store) -> Option<Self> {
        let folder = format!("{STATE_FOLDER}/{}", row.results.as_ref()?);
        let record = read_record(state, row);
        let made = record.as_ref().and_then(|record| store.result(&record.key));
        let packages = record.map(|record| record.packages).unwrap_or_default().into_iter();
        let packages = packages.map(|package| {
            let known = made.as_ref().and_then(|made| made.files.iter().find(|it| it.name == package.file));
            BuiltPackage {
                path: format!("{folder}/{}", package.file),
                sha256: package.sha256,
                says: known.map(|known| PackageWords::new(&known.package)),
            }
        });
        let packages = packages.collect();
        Some(Self {
            number: row.number,
            build: row.build.clone(),
            state: row.state,
            folder,
            packages,
            signed_by: Vec::new(),
        })
    }
}

impl PackageWords {
    fn new(package: &PackageSummary) -> Self {
        let words = |dependencies: &[Dependency]| dependencies.iter().map(Dependency::to_string).collect();
        Self {
            nevra: package.nevra.clone(),
            provides: words(&package.provides),
            requires: words(&package.requires),
        }
    }
}

/// What packages are asked for by what they say.
struct DependencyQuery {
    requires: Vec<GlobMatcher>,
    provides: Vec<GlobMatcher>,
}

impl DependencyQuery {
    fn new(arguments: &Results) -> Result<Self, Failure> {
        let read = |patterns: &[String]| patterns.iter().map(|it| matcher(it)).collect::<Result<_, _>>();
        Ok(Self { requires: read(&arguments.requires)?, provides: read(&arguments.provides)? })
    }

    fn asks_for_packages(&self) -> bool {
        !self.requires.is_empty() || !self.provides.is_empty()
    }

    /// Whether a package answers all that is asked: source packages, which need things to be built, are not meant.
    fn is_answered_by(&self, package: &BuiltPackage) -> bool {
        let Some(says) = package.says.as_ref().filter(|says| !says.nevra.ends_with(".src")) else {
            return false;
        };
        let has = |patterns: &[GlobMatcher], said: &[String]| {
            patterns.is_empty() || said.iter().any(|said| is_meant(patterns, said))
        };
        has(&self.requires, &says.requires) && has(&self.provides, &says.provides)
    }

    /// The packages with what was asked for, a line each: they can be piped.
    fn answer(&self, build: &BuildResult) -> String {
        let mut text = String::new();
        for package in &build.packages {
            let Some(says) = &package.says else { continue };
            let required = says.requires.iter().filter(|said| is_meant(&self.requires, said));
            let provided = says.provides.iter().filter(|said| is_meant(&self.provides, said));
            let said: Vec<&str> = required.chain(provided).map(String::as_str).collect();
            text.push_str(&format!("{}: {}\n", package.path, said.join(", ")));
        }
        text
    }
}

/// Whether one of the patterns is of a dependency: of all of it, or of its name without a version.
fn is_meant(patterns: &[GlobMatcher], said: &str) -> bool {
    let name = said.split(' ').next().unwrap_or(said);
    patterns.iter().any(|pattern| pattern.is_match(said) || pattern.is_match(name))
}
