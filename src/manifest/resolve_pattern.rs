//! `packages`: a package for each spec that a pattern matches, and what a `package` without a source adds to it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::declaration::{MakingDecl, OptionsDecl, PackageDecl, PackagesDecl, SourceDecl, SourceKind};
use super::manifest_path::ManifestPath;
use super::mistakes::Mistakes;
use super::names::{FoundPackage, PackageNames};
use super::problem::ManifestProblem;
use crate::files::Folder;
use crate::text::{Spanned, suggestion};

/// The declared packages, and one for each spec that a pattern matches and no declared package has.
pub(super) fn expand_patterns(
    mistakes: &mut Mistakes<'_>,
    repository: &Folder,
    decls: Vec<PackageDecl>,
    patterns: Vec<PackagesDecl>,
) -> Vec<PackageDecl> {
    mistakes.report_duplicates("package", decls.iter().map(|decl| &decl.name));
    let (mut decls, amendments): (Vec<_>, Vec<_>) = decls.into_iter().partition(|decl| decl.names_source);
    let path_of = |decl: &PackageDecl| match decl.source.as_ref().map(|source| &source.kind) {
        Some(SourceKind::Path(path)) => Some(path.value.clone()),
        _ => None,
    };
    let mut taken: BTreeSet<ManifestPath> = decls.iter().filter_map(path_of).collect();
    let mut found = Vec::new();
    for decl in &patterns {
        let excluded: BTreeSet<PathBuf> = decl
            .exclude
            .iter()
            .flat_map(|pattern| matching_specs(mistakes, repository, decl, pattern))
            .collect();
        for pattern in &decl.patterns {
            for path in matching_specs(mistakes, repository, decl, pattern) {
                let path = ManifestPath::Repository(path);
                if !excluded.contains(path.as_path()) && taken.insert(path.clone()) {
                    found.push(declare_package(path, pattern, &decl.options));
                }
            }
        }
    }
    amend(mistakes, repository, &mut found, amendments, !patterns.is_empty());
    decls.extend(found);
    decls
}

/// Adds what packages without a source say to those that patterns have found.
fn amend(
    mistakes: &mut Mistakes<'_>,
    repository: &Folder,
    found: &mut Vec<PackageDecl>,
    amendments: Vec<PackageDecl>,
    has_patterns: bool,
) {
    let names = PackageNames::new(found, repository);
    let mut meant = Vec::new();
    for amendment in amendments {
        let name = &amendment.name;
        match names.find(name) {
            FoundPackage::One(index) => meant.push((index, amendment)),
            FoundPackage::Several(several) => {
                let packages: Vec<_> =
                    several.iter().map(|index| format!("`{}`", names.name(*index))).collect();
                let (name, packages) = (name.value.clone(), packages.join(", "));
                let problem = ManifestProblem::Ambiguous { name, packages };
                mistakes.report(problem, "which one?", &amendment.name.place);
                meant.extend(several.first().map(|index| (*index, amendment)));
            }
            FoundPackage::Nothing => {
                report_nothing_to_amend(mistakes, &names, name, has_patterns);
                // It stays, so that its name is known.
                meant.push((usize::MAX, amendment));
            }
        }
    }
    for (index, amendment) in meant {
        match found.get_mut(index) {
            Some(package) => {
                let options = std::mem::take(&mut package.options);
                package.options = options.overridden_by(amendment.options);
                package.name.place = amendment.name.place;
                package.like = amendment.like;
                package.upstream = amendment.upstream;
                package.own_conditions.extend(amendment.own_conditions);
            }
            None => found.push(amendment),
        }
    }
}

fn report_nothing_to_amend(
    mistakes: &mut Mistakes<'_>,
    names: &PackageNames<'_>,
    name: &Spanned<String>,
    has_patterns: bool,
) {
    // Who writes a path or a pattern for the name has been told what to write.
    if mistakes.is_reported(&name.place) {
        return;
    }
    let problem = match has_patterns {
        true => {
            let help = suggestion(name, "packages that patterns find", names.iter());
            ManifestProblem::NothingToAmend { name: name.value.clone(), help }
        }
        false => ManifestProblem::Missing {
            node: "`package`".to_owned(),
            what: "a `source`".to_owned(),
            example: "source path \"specs/hello.spec\"".to_owned(),
        },
    };
    mistakes.report(problem, "it has none", &name.place);
}

fn matching_specs(
    mistakes: &mut Mistakes<'_>,
    repository: &Folder,
    decl: &PackagesDecl,
    pattern: &Spanned<String>,
) -> Vec<PathBuf> {
    if mistakes.is_reported(&pattern.place) {
        return Vec::new();
    }
    let problem = match repository.search(&decl.folder, pattern) {
        Ok(Some(found)) if !found.is_empty() => return found,
        Ok(Some(_)) => ManifestProblem::NoMatch {
            kind: "spec",
            pattern: pattern.value.clone(),
            help: "patterns are relative to the file that says them; `**` goes through folders".to_owned(),
        },
        Ok(None) => ManifestProblem::PathLeaves { path: pattern.value.clone() },
        Err(error) => {
            ManifestProblem::Unreadable { path: pattern.value.clone(), reason: crate::files::reason(&error) }
        }
    };
    mistakes.report(problem, "this pattern", &pattern.place);
    Vec::new()
}

fn declare_package(path: ManifestPath, pattern: &Spanned<String>, options: &OptionsDecl) -> PackageDecl {
    let name = path.as_path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let kind = SourceKind::Path(Spanned::new(path, pattern.place.clone()));
    let source = SourceDecl {
        kind,
        files: Vec::new(),
        keyrings: Vec::new(),
        tokens: Vec::new(),
        making: MakingDecl::default(),
        place: pattern.place.clone(),
    };
    let name = Spanned::new(name, pattern.place.clone());
    PackageDecl {
        name,
        source: Some(source),
        names_source: true,
        like: None,
        own_conditions: Vec::new(),
        upstream: None,
        options: options.clone(),
    }
}
