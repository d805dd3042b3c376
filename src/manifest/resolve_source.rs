//! Where packages come from: names of sources looked up, paths checked.

use super::declaration::{ChrootSelection, MakingDecl, NamedSourceDecl, SourceDecl, SourceKind};
use super::manifest_path::ManifestPath;
use super::problem::ManifestProblem;
use super::resolved::{Making, Source};
use super::resolver::{Reference, Resolver};
use super::source_files::is_source_file;
use crate::files::Resolved;
use crate::text::Spanned;

/// The source of a package; a name is replaced by the source that has it.
pub(super) fn resolve_source(
    resolver: &mut Resolver<'_>,
    package: &Spanned<String>,
    source: SourceDecl,
    named: &[NamedSourceDecl],
) -> Option<Source> {
    let SourceDecl { kind, mut files, mut keyrings, mut tokens, mut making, place } = source;
    let kind = match kind {
        SourceKind::Named(name) => {
            let Some(found) = named.iter().find(|source| source.name.value == name.value) else {
                let known = named.iter().map(|source| source.name.value.as_str());
                let known = known.chain(super::rules::SOURCE_KINDS.iter().copied());
                let who = format!("package `{}`", package.value);
                let reference = Reference { who: &who, relation: "comes from", kind: "source", name: &name };
                resolver.report_undeclared(&reference, known);
                return None;
            };
            let found = found.source.clone()?;
            files.extend(found.files);
            keyrings.extend(found.keyrings);
            tokens.extend(found.tokens);
            making = found.making;
            found.kind
        }
        kind @ (SourceKind::Path(_)
        | SourceKind::Url { .. }
        | SourceKind::Repository { .. }
        | SourceKind::Distgit { .. }
        | SourceKind::Registry { .. }
        | SourceKind::Custom { .. }
        | SourceKind::Published { .. }
        | SourceKind::Build(_)) => kind,
    };
    if let SourceKind::Path(path) = &kind {
        resolver.check_source_path(path);
    }
    let making = resolver.resolve_making(package, making);
    Some(Source { kind, files, keyrings, tokens, making, place })
}

impl Resolver<'_> {
    fn resolve_making(&mut self, package: &Spanned<String>, decl: MakingDecl) -> Making {
        let MakingDecl { chroot, needs, network, timeout, environment } = decl;
        let chroot = chroot.and_then(|chroot| {
            let selection = ChrootSelection { take: vec![chroot], exclude: Vec::new() };
            let who = format!("the source of package `{}`", package.value);
            self.select_chroots(&who, "is made in", &selection).into_iter().next()
        });
        let environment = environment.into_iter().map(|decl| (decl.name.value, decl.value)).collect();
        Making { chroot, needs, network: network.unwrap_or_default(), timeout, environment }
    }

    /// Reports a path that no spec can be found by.
    fn check_source_path(&mut self, path: &Spanned<ManifestPath>) {
        let ManifestPath::Repository(relative) = &path.value else {
            return;
        };
        let written = path.value.to_string();
        let may_be_one = is_source_file(&written);
        // What nearly all packages are. Whoever reads the spec looks where its path leads.
        if may_be_one && self.repository.own_file_size(relative).is_some() {
            return;
        }
        let found = match self.repository.follow(relative) {
            Ok(None) => None,
            Ok(Some(Resolved::Inside(found))) => Some(found),
            // That a link can't be followed is said of the package, by name.
            Ok(Some(Resolved::Outside { .. })) | Err(_) => return,
        };
        if let Some(folder) = found.as_ref().filter(|found| self.repository.is_folder(found)) {
            let count = self.repository.search(folder, "*.spec").ok().flatten().unwrap_or_default().len();
            if count != 1 {
                let problem = ManifestProblem::NotOneSpec { path: path.value.to_string(), count };
                self.mistakes.report(problem, "this folder", &path.place);
            }
            return;
        }
        let is_there = found.is_some_and(|found| self.repository.file_size(found).is_some());
        if !is_there {
            let help = "paths are relative to the file that says them".to_owned();
            self.mistakes.report(
                ManifestProblem::NothingThere { what: "spec", path: written, help },
                "this path",
                &path.place,
            );
        } else if !may_be_one {
            let help =
                "a source is a spec, a folder with one spec, a .src.rpm, or a tarball with a spec in it"
                    .to_owned();
            self.mistakes.report(
                ManifestProblem::NothingThere { what: "spec", path: written, help },
                "this path",
                &path.place,
            );
        }
    }
}
