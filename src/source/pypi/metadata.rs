//! What a source distribution says of itself.

use std::collections::BTreeSet;

use super::entry_points::{installs_other_files, scripts};
use super::modules::top_modules;
use super::native::{NativeCode, find_native_code};
use super::sdist_files::{SdistFiles, text_at};
use super::version::{RpmVersion, normalized_name, rpm_version};
use crate::source::made_spec::{
    ArchiveContent, MadeSpecError, UNKNOWN_LICENSE, is_plain_name, is_plain_path, is_plain_url,
    license_from_classifiers, license_from_text,
};

/// A project of Python's, as a spec needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonProject {
    /// Its name, as indexes compare it.
    pub name: String,
    /// Its version, as Python has it.
    pub version: String,
    /// Its version, as RPM has it.
    pub rpm_version: RpmVersion,
    /// What it is, in its own words.
    pub summary: String,
    /// Its license, in SPDX's words.
    pub license: String,
    /// Its page.
    pub url: Option<String>,
    /// The folder that it is packed in.
    pub top: String,
    /// The programs that it installs.
    pub scripts: BTreeSet<String>,
    /// Whether it may install more than modules and those.
    pub installs_other_files: bool,
    /// Its topmost modules, where they are known.
    pub modules: BTreeSet<String>,
    /// What may be asked for beyond it.
    pub extras: BTreeSet<String>,
    /// What there is to compile.
    pub native: NativeCode,
    /// The files of its license.
    pub license_files: Vec<String>,
    /// What people read first.
    pub documents: Vec<String>,
    /// Its `Cargo.lock`, with its path, where it is built with Rust.
    pub cargo_lock: Option<(String, String)>,
}

/// The core metadata: fields that may stand several times.
struct CoreMetadata(Vec<(String, String)>);

impl CoreMetadata {
    fn read(text: &str) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.lines().take_while(|line| !line.trim().is_empty()) {
            match (line.starts_with([' ', '\t']), fields.last_mut(), line.split_once(':')) {
                (true, Some((_, value)), _) => value.extend(["\n", line.trim()]),
                (false, _, Some((name, value))) => {
                    fields.push((name.to_lowercase(), value.trim().to_owned()))
                }
                _ => {}
            }
        }
        Self(fields)
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, value)| known == name && !value.is_empty() && value != "UNKNOWN")
            .map(|(_, value)| value.as_str())
    }
}

impl PythonProject {
    /// Reads what was found in a source distribution called `file`.
    ///
    /// # Errors
    /// It is none, or has a name or a version that no package can have.
    pub fn read(file: &str, content: ArchiveContent) -> Result<Self, MadeSpecError> {
        let top = content
            .top()
            .ok_or_else(|| MadeSpecError::unreadable(file, "its files are not in one folder"))?;
        if !is_plain_name(top) {
            return Err(odd_name("folder", top));
        }
        let top = top.to_owned();
        let content = content.below(&top);
        let files = SdistFiles(&content);
        let metadata =
            files.text("PKG-INFO").ok_or_else(|| MadeSpecError::unreadable(file, "it has no PKG-INFO"))?;
        let metadata = CoreMetadata::read(&metadata);
        let pyproject = match files.text("pyproject.toml") {
            Some(text) => text.parse::<toml::Table>().map_err(|error| {
                MadeSpecError::unreadable(file, format_args!("pyproject.toml: {}", error.message()))
            })?,
            None => toml::Table::new(),
        };
        let field = |name| {
            metadata
                .first(name)
                .ok_or_else(|| MadeSpecError::unreadable(file, format_args!("PKG-INFO has no {name}")))
        };
        let (name, version) = (field("name")?, field("version")?);
        if !is_plain_name(name) {
            return Err(odd_name("name", name));
        }
        let rpm_version = rpm_version(version).ok_or_else(|| odd_name("version", version))?;
        let native = find_native_code(&files, &pyproject);
        Ok(Self {
            name: normalized_name(name),
            version: version.to_owned(),
            rpm_version,
            summary: metadata.first("summary").unwrap_or_default().to_owned(),
            license: license(&metadata, &pyproject),
            url: page(&metadata),
            scripts: scripts(&files, &pyproject),
            installs_other_files: installs_other_files(&files, &pyproject),
            modules: top_modules(&files, &pyproject, name),
            extras: metadata
                .all("provides-extra")
                .map(normalized_name)
                .filter(|extra| is_plain_name(extra))
                .collect(),
            native,
            license_files: license_files(&files, &metadata),
            documents: documents(&files),
            cargo_lock: if native.has_rust { cargo_lock(&files) } else { None },
            top,
        })
    }
}

fn odd_name(part: &'static str, name: &str) -> MadeSpecError {
    MadeSpecError::OddName { part, name: name.chars().flat_map(char::escape_debug).take(200).collect() }
}

fn license(metadata: &CoreMetadata, pyproject: &toml::Table) -> String {
    let of_project = || text_at(pyproject, &["project", "license"]).and_then(license_from_text);
    let of_table = || text_at(pyproject, &["project", "license", "text"]).and_then(license_from_text);
    let named = metadata.first("license-expression").and_then(license_from_text);
    let stated = || metadata.first("license").and_then(license_from_text);
    let classified = || license_from_classifiers(metadata.all("classifier"));
    // `BSD` says less than it seems to: a classifier is no better, what is an expression by itself is.
    named
        .or_else(of_project)
        .or_else(stated)
        .or_else(of_table)
        .or_else(classified)
        .unwrap_or_else(|| UNKNOWN_LICENSE.to_owned())
}

/// The page of a project: the one that is called so, or any.
fn page(metadata: &CoreMetadata) -> Option<String> {
    let pairs: Vec<(String, &str)> = metadata
        .all("project-url")
        .filter_map(|text| text.split_once(','))
        .map(|(label, url)| (label.trim().to_lowercase(), url.trim()))
        .collect();
    let labels =
        ["homepage", "home", "home page", "repository", "source", "source code", "github", "documentation"];
    let labelled =
        labels.iter().filter_map(|label| pairs.iter().find(|(known, _)| known == label)).map(|(_, url)| *url);
    let all =
        metadata.first("home-page").into_iter().chain(labelled).chain(pairs.iter().map(|(_, url)| *url));
    all.into_iter().find(|url| is_plain_url(url)).map(str::to_owned)
}

const LICENSE_NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS"];

/// The files that are named as such, or else those that are called so.
fn license_files(files: &SdistFiles<'_>, metadata: &CoreMetadata) -> Vec<String> {
    let named: Vec<String> = metadata
        .all("license-file")
        .filter(|path| is_plain_path(path) && files.has(path))
        .map(str::to_owned)
        .collect();
    if !named.is_empty() {
        return named;
    }
    let is_license = |path: &&str| {
        let upper = path.to_uppercase();
        !path.contains('/')
            && !path.ends_with(".py")
            && LICENSE_NAMES.iter().any(|name| upper.starts_with(name))
    };
    files.paths().filter(is_license).filter(|path| is_plain_path(path)).map(str::to_owned).collect()
}

fn documents(files: &SdistFiles<'_>) -> Vec<String> {
    let is_document = |path: &&str| {
        let upper = path.to_uppercase();
        !path.contains('/')
            && ["README", "CHANGES", "CHANGELOG", "HISTORY", "NEWS"]
                .iter()
                .any(|name| upper.starts_with(name))
    };
    files.paths().filter(is_document).filter(|path| is_plain_path(path)).map(str::to_owned).collect()
}

/// The topmost `Cargo.lock`.
fn cargo_lock(files: &SdistFiles<'_>) -> Option<(String, String)> {
    let locks = files.paths().filter(|path| *path == "Cargo.lock" || path.ends_with("/Cargo.lock"));
    let path = locks.min_by_key(|path| (path.matches('/').count(), path.len()))?;
    Some((path.to_owned(), files.text(path)?))
}
