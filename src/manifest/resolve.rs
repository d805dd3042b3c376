//! Declarations → [`Manifest`]: names, patterns and levels applied.
//!
//! First what needs no names: what files say together of the project. Then all names, those of packages that patterns find
//! included. Then each kind of declarations, against the names.

use std::sync::Arc;

use super::declaration::{
    BatchDecl, Bootstrap, ChrootDecl, Declarations, NamedSourceDecl, OnFailure, PackageDecl, ProfileDecl,
    RebuildDecl,
};
use super::mistakes::Mistakes;
use super::names::{DeclaredNames, Names, PackageNames};
use super::problem::ManifestError;
use super::resolve_batch::resolve_batches;
use super::resolve_like::resolve_likes;
use super::resolve_package::resolve_packages;
use super::resolve_pattern::expand_patterns;
use super::resolve_profile::resolve_profiles;
use super::resolve_root::resolve_chroots;
use super::resolved::Manifest;
use super::resolver::Resolver;
use crate::engine::MacroLevel;
use crate::files::Folder;
use crate::text::SourceText;

/// Resolves all declarations; every mistake goes to `errors`, and what is given then is of no use.
pub(super) fn resolve(
    declarations: Declarations,
    repository: &Folder,
    files: &[Arc<SourceText>],
    errors: &mut Vec<ManifestError>,
) -> Manifest {
    let Declarations {
        projects,
        macros,
        defaults,
        chroots,
        sources,
        packages,
        patterns,
        batches,
        publish,
        mirrors,
        caches,
        remotes,
        rebuilds,
        profiles,
        not_yet,
    } = declarations;
    let mut mistakes = Mistakes { errors };
    mistakes.check_only_one("publish", publish.iter().map(|decl| &decl.folder.place));
    mistakes.check_only_one("cache", caches.iter().map(|decl| &decl.url.place));
    mistakes.check_only_one("remote", remotes.iter().map(|decl| &decl.url.place));
    mistakes.check_project_names(&projects.iter().map(|project| &project.name).collect::<Vec<_>>());
    let defaults = mistakes.resolve_defaults(defaults);
    let macros = mistakes.resolve_project_macros(macros);

    let mut packages = expand_patterns(&mut mistakes, repository, packages, patterns);
    let named = NamedDeclarations {
        chroots: &chroots,
        sources: &sources,
        packages: &packages,
        batches: &batches,
        rebuilds: &rebuilds,
        profiles: &profiles,
    };
    let names = named.names(&mut mistakes, repository);

    let mut resolver = Resolver { repository, names: &names, mistakes };
    let chroots = resolve_chroots(&mut resolver, chroots);
    resolve_likes(&mut resolver, &mut packages);
    let mut packages = resolve_packages(&mut resolver, packages, &sources, &defaults);
    let batches = resolve_batches(&mut resolver, &batches, &mut packages, &defaults);
    let profiles = resolve_profiles(&mut resolver, profiles);
    let default_layer = resolver.resolve_layer(defaults.layer.clone(), MacroLevel::Defaults, "`defaults`");
    resolver.check_rebuilds(&rebuilds);
    if let Some(publish) = publish.first() {
        resolver.check_publish_folder(&publish.folder);
        if let Some(multilib) = &publish.multilib {
            resolver.check_multilib(multilib);
        }
        publish.places.iter().for_each(|place| resolver.check_place(place));
    }

    let first = projects.into_iter().next();
    Manifest {
        description: first.as_ref().and_then(|project| project.description.clone()).map(|text| text.value),
        name: first.map(|project| project.name.value),
        files: files.iter().map(|file| file.name().to_owned()).collect(),
        not_yet,
        project: macros,
        defaults: default_layer,
        profiles,
        chosen_profiles: Vec::new(),
        packages: packages.into_iter().map(|package| package.resolved).collect(),
        chroots,
        batches,
        on_failure: defaults.on_failure.as_ref().map_or(OnFailure::Continue, |choice| choice.value),
        bootstrap: defaults.bootstrap.as_ref().map_or(Bootstrap::Auto, |choice| choice.value),
        publish: publish.into_iter().next(),
        mirrors,
        cache: caches.into_iter().next(),
        remote: remotes.into_iter().next(),
        rebuilds,
    }
}

/// What has a name.
struct NamedDeclarations<'a> {
    chroots: &'a [ChrootDecl],
    sources: &'a [NamedSourceDecl],
    packages: &'a [PackageDecl],
    batches: &'a [BatchDecl],
    rebuilds: &'a [RebuildDecl],
    profiles: &'a [ProfileDecl],
}

impl NamedDeclarations<'_> {
    /// All names; those that are declared twice are reported.
    fn names<'r>(&self, mistakes: &mut Mistakes<'_>, repository: &'r Folder) -> Names<'r> {
        let chroots = || self.chroots.iter().map(|decl| &decl.name);
        let packages = || self.packages.iter().map(|decl| &decl.name);
        let batches = || self.batches.iter().map(|decl| &decl.name);
        mistakes.report_duplicates("chroot", chroots());
        mistakes.report_duplicates("source", self.sources.iter().map(|decl| &decl.name));
        mistakes.report_duplicates("package", packages());
        mistakes.report_duplicates("batch", batches());
        mistakes.report_duplicates("profile", self.profiles.iter().map(|decl| &decl.name));
        mistakes.report_duplicates("mass-rebuild", self.rebuilds.iter().map(|decl| &decl.name));
        Names {
            chroots: DeclaredNames::new(chroots()),
            packages: PackageNames::new(self.packages, repository),
            batches: DeclaredNames::new(batches()),
        }
    }
}
