//! Specs, source packages and tarballs that are named on the command line: packages of the manifest, or, where there is none, all
//! that is built.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::context::{CliError, Context, Failure};
use super::project::Project;
use super::selection_arguments::Selection;
use crate::manifest::declaration::SourceKind;
use crate::manifest::{Manifest, ManifestPath, is_source_file, tarball_stem};
use crate::text::quote_kdl;

/// The project that a command works on. Files among what is selected become the packages that are made of them; where there
/// is no manifest, one is made up that builds just these, in this machine's root.
pub fn find_project(selection: &mut Selection, context: &Context) -> Result<Project, Failure> {
    let (files, names): (Vec<String>, Vec<String>) =
        selection.packages.iter().cloned().partition(|name| is_source_file(name));
    if files.is_empty() {
        return Project::find(context);
    }
    match Project::find_if_there(context)? {
        Some(project) => {
            let manifest = project.manifest(&selection.profile, context)?;
            selection.packages = names;
            for file in &files {
                selection.packages.extend(packages_of(&manifest, &project, file, context)?);
            }
            Ok(project)
        }
        None if names.is_empty() => {
            selection.packages.clear();
            Project::unwritten(made_up_manifest(&files, context)?, context)
        }
        None => Project::find(context),
    }
}

/// The packages of a manifest whose source is a file.
fn packages_of(
    manifest: &Manifest,
    project: &Project,
    file: &str,
    context: &Context,
) -> Result<Vec<String>, Failure> {
    let path = context.working_folder()?.join(file);
    let path = path.as_path();
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let is_source = |source: &SourceKind| match source {
        SourceKind::Path(source) => {
            let source = match &source.value {
                ManifestPath::Absolute(path) => path.clone(),
                ManifestPath::Repository(path) => project.repository.path().join(path),
            };
            let source = source.as_path();
            let is_in = |folder: &Path| real.parent() == Some(folder);
            let found = source.canonicalize().unwrap_or_else(|_| source.to_owned());
            found == real || is_in(&found)
        }
        SourceKind::Url { .. }
        | SourceKind::Repository { .. }
        | SourceKind::Distgit { .. }
        | SourceKind::Registry { .. }
        | SourceKind::Custom { .. }
        | SourceKind::Published { .. }
        | SourceKind::Build(_)
        | SourceKind::Named(_) => false,
    };
    let packages = manifest.packages.iter().filter(|package| is_source(&package.source.kind));
    let names: Vec<String> = packages.map(|package| package.name.value.clone()).collect();
    match names.is_empty() {
        true => Err(CliError::NotOfManifest { file: file.to_owned() }.into()),
        false => Ok(names),
    }
}

/// A manifest that builds files in this machine's root.
fn made_up_manifest(files: &[String], context: &Context) -> Result<String, Failure> {
    let folder = context.working_folder()?;
    let mut text = "rpmforge version=1\nchroot host { root \"/\" }\n".to_owned();
    let mut known = BTreeSet::new();
    for file in files {
        let path = folder.join(file).without_climbing().map_err(CliError::Io)?;
        let package = package_name(file);
        let mut name = package.clone();
        let mut number = 2;
        while !known.insert(name.clone()) {
            name = format!("{package}-{number}");
            number += 1;
        }
        let path = quote_kdl(&path.to_string());
        let _ = writeln!(text, "package {} {{ source path {path} }}", quote_kdl(&name));
    }
    Ok(text)
}

/// What a package is called that is made of a file: as the file, without version and release.
fn package_name(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    let name = match (name.strip_suffix(".src.rpm"), name.strip_suffix(".spec")) {
        (Some(nevr), _) => nevr.rsplitn(3, '-').nth(2).unwrap_or(nevr),
        (None, Some(name)) => name,
        (None, None) => tarball_stem(name).map_or(name, without_version),
    };
    let is_of_name = |c: char| c.is_alphanumeric() || "._+-".contains(c);
    let name: String = name.chars().map(|c| if is_of_name(c) { c } else { '-' }).collect();
    let name = name.trim_start_matches(|c: char| !c.is_alphanumeric()).to_owned();
    if name.is_empty() { "package".to_owned() } else { name }
}

/// The name of a release of some software without its version: `hello-1.0` is `hello`.
fn without_version(stem: &str) -> &str {
    match stem.rsplit_once('-') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => name,
        Some(_) | None => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::package_name;

    #[test]
    fn a_package_is_called_as_its_file_without_the_version() {
        let names = [
            ("a/hello.spec", "hello"),
            ("zlib-ng-2.1.6-1.fc42.src.rpm", "zlib-ng"),
            ("odd.src.rpm", "odd"),
            ("two words.spec", "two-words"),
            ("~.spec", "package"),
            ("dl/two-words-1.0~rc1.tar.gz", "two-words"),
            ("two-words.tgz", "two-words"),
        ];
        for (file, name) in names {
            assert_eq!(package_name(file), name);
        }
    }
}
