//! `packages`: a package for each spec that a pattern matches.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::declaration::{OptionsDecl, PackageDecl, PackagesDecl, SourceDecl, SourceKind};
use super::manifest_path::ManifestPath;
use super::mistakes::Mistakes;
use super::problem::ManifestProblem;
use crate::files::Folder;
use crate::text::Spanned;

/// The declared packages, and one for each spec that a pattern matches and no declared package has.
pub(super) fn expand_patterns(
    mistakes: &mut Mistakes<'_>,
    repository: &Folder,
    mut decls: Vec<PackageDecl>,
    patterns: Vec<PackagesDecl>,
) -> Vec<PackageDecl> {
    let path_of = |decl: &PackageDecl| match decl.source.as_ref().map(|source| &source.kind) {
        Some(SourceKind::Path(path)) => Some(path.value.clone()),
        _ => None,
    };
    let mut taken: BTreeSet<ManifestPath> = decls.iter().filter_map(path_of).collect();
    for decl in patterns {
        for pattern in &decl.patterns {
            for path in matching_specs(mistakes, repository, &decl, pattern) {
                let path = ManifestPath::Repository(path);
                if taken.insert(path.clone()) {
                    decls.push(declare_package(path, pattern, &decl.options));
                }
            }
        }
    }
    decls
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
    let source = SourceDecl { kind, files: Vec::new(), place: pattern.place.clone() };
    let name = Spanned::new(name, pattern.place.clone());
    PackageDecl { name, source: Some(source), options: options.clone() }
}
