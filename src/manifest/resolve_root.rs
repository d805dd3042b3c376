//! Chroots: what they extend, and what they are made from.

use std::collections::HashSet;

use super::circle::take_circles;
use super::declaration::{ChrootDecl, ImageDecl};
use super::layer::BuildSettings;
use super::manifest_path::ManifestPath;
use super::problem::ManifestProblem;
use super::resolved::{Chroot, RootBase};
use super::resolver::{Reference, Resolver};
use crate::engine::MacroLevel;
use crate::files::Folder;
use crate::text::Spanned;

/// Resolves chroots; one that extends another begins with what that one says.
pub(super) fn resolve_chroots(resolver: &mut Resolver<'_>, decls: Vec<ChrootDecl>) -> Vec<Chroot> {
    let names = &resolver.names.chroots;
    let mut below = vec![Vec::new(); decls.len()];
    for (index, decl) in decls.iter().enumerate() {
        let Some(extends) = &decl.extends else { continue };
        match names.index(&extends.value) {
            Some(base) => below[index].push(base),
            None => {
                let who = format!("chroot `{}`", decl.name.value);
                let reference = Reference { who: &who, relation: "extends", kind: "chroot", name: extends };
                resolver.report_undeclared(&reference, names.iter());
            }
        }
    }
    let circles = take_circles(&mut below);
    for circle in &circles {
        report_circle_of_chroots(resolver, &decls, circle);
    }
    let in_circles: HashSet<usize> = circles.into_iter().flatten().collect();
    let begins_in_circle = |index: usize| {
        let layers = std::iter::successors(Some(index), |top| below[*top].first().copied());
        layers.last().is_some_and(|lowest| in_circles.contains(&lowest))
    };
    (0..decls.len())
        .map(|index| {
            let bases = if begins_in_circle(index) { Bases::Reported } else { Bases::Expected };
            resolve_chroot(resolver, &decls, &below, index, bases)
        })
        .collect()
}

fn report_circle_of_chroots(resolver: &mut Resolver<'_>, decls: &[ChrootDecl], circle: &[usize]) {
    let steps = circle.iter().filter_map(|index| {
        let extends = decls[*index].extends.as_ref()?;
        let label = format!("`{}` extends `{}`", decls[*index].name.value, extends.value);
        Some((label, extends.place.clone()))
    });
    let names: Vec<&str> =
        circle.iter().chain(circle.first()).map(|index| decls[*index].name.value.as_str()).collect();
    let problem = ManifestProblem::Cycle { kind: "chroots", path: names.join(" → ") };
    resolver.mistakes.report_circle(problem, steps.collect());
}

/// Whether a chroot that is made from nothing is a mistake of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bases {
    /// It is.
    Expected,
    /// The mistake that it follows from has been reported.
    Reported,
}

fn resolve_chroot(
    resolver: &mut Resolver<'_>,
    decls: &[ChrootDecl],
    below: &[Vec<usize>],
    index: usize,
    bases: Bases,
) -> Chroot {
    // From the lowest declaration up to this one, so that what is nearer wins.
    let mut layers = vec![index];
    while let Some(base) = layers.last().and_then(|top| below[*top].first()) {
        layers.push(*base);
    }
    let layers: Vec<&ChrootDecl> = layers.iter().rev().map(|layer| &decls[*layer]).collect();
    let decl = &decls[index];
    let mut settings = BuildSettings::default();
    for layer in &layers {
        settings.extend(BuildSettings::new(layer.settings.clone(), MacroLevel::Chroot));
    }
    Chroot {
        name: decl.name.clone(),
        arch: layers.iter().rev().find_map(|layer| layer.arch.clone()),
        rpm: layers.iter().rev().find_map(|layer| layer.rpm),
        base: resolve_base(resolver, decl, &layers, bases),
        variables: layers.iter().flat_map(|layer| variables_of(layer)).collect(),
        weak_dependencies: layers.iter().rev().find_map(|layer| layer.weak_dependencies).unwrap_or(false),
        install: layers.iter().flat_map(|layer| layer.install.iter().cloned()).collect(),
        settings,
    }
}

/// What addresses of repositories may name.
fn variables_of(layer: &ChrootDecl) -> impl Iterator<Item = (String, String)> {
    let release = layer.releasever.iter().map(|release| ("releasever".to_owned(), release.clone()));
    layer.variables.iter().map(|(name, value)| (name.clone(), value.clone())).chain(release)
}

fn resolve_base(
    resolver: &mut Resolver<'_>,
    decl: &ChrootDecl,
    layers: &[&ChrootDecl],
    bases: Bases,
) -> RootBase {
    let root = layers.iter().rev().find_map(|layer| layer.root.clone());
    let image = layers.iter().rev().find_map(|layer| layer.image.clone());
    let repositories: Vec<_> = layers.iter().flat_map(|layer| layer.repositories.iter().cloned()).collect();
    resolver
        .mistakes
        .report_duplicates("repository", decl.repositories.iter().map(|repository| &repository.name));
    let said = [
        ("`root`", root.is_some()),
        ("`image`", layers.iter().any(|layer| layer.names_image)),
        ("`repo`", layers.iter().any(|layer| layer.names_repositories)),
    ];
    let said: Vec<&str> = said.iter().filter(|(_, is_said)| *is_said).map(|(word, _)| *word).collect();
    check_install(resolver, &decl.name.value, layers);
    let who = format!("chroot `{}`", decl.name.value);
    match said.as_slice() {
        [] if bases == Bases::Reported => {}
        [] => {
            let what = "something to be made from: `root`, `image` or `repo`".to_owned();
            let example = "root \"/\"".to_owned();
            resolver.mistakes.report(
                ManifestProblem::Missing { node: who, what, example },
                "it has none",
                &decl.name.place,
            );
        }
        [_] => {}
        [one, other, ..] => {
            let (one, other) = ((*one).to_owned(), (*other).to_owned());
            resolver.mistakes.report(
                ManifestProblem::Exclusive { who, one, other },
                "this chroot",
                &decl.name.place,
            );
        }
    }
    if let Some(root) = &root {
        let is_there = match &root.value {
            ManifestPath::Repository(path) => resolver.repository.is_folder(path),
            ManifestPath::Absolute(path) => Folder::open_ambient(path).is_ok(),
        };
        if !is_there {
            let help = "`root \"/\"` is this machine's own root".to_owned();
            let problem =
                ManifestProblem::NothingThere { what: "folder", path: root.value.to_string(), help };
            resolver.mistakes.report(problem, "this path", &root.place);
        }
        return RootBase::Folder(root.clone());
    }
    match image {
        Some(image) => {
            check_image(resolver, &image);
            RootBase::Image(image)
        }
        None => RootBase::Repositories(repositories),
    }
}

fn check_image(resolver: &mut Resolver<'_>, image: &Spanned<ImageDecl>) {
    let is_there = match &image.path {
        ManifestPath::Repository(path) => resolver.repository.exists(path),
        ManifestPath::Absolute(path) => path.as_path().exists(),
    };
    if !is_there {
        let help = "an image is a folder or an archive in OCI's layout (`oci:PLACE`), a tarball or a folder; `skopeo copy \
                    docker://NAME oci:PLACE` fetches one"
            .to_owned();
        let problem = ManifestProblem::NothingThere { what: "image", path: image.path.to_string(), help };
        resolver.mistakes.report(problem, "this image", &image.place);
    }
}

/// A root that is there has what it has: only one that is made of packages can have more of them.
fn check_install(resolver: &mut Resolver<'_>, chroot: &str, layers: &[&ChrootDecl]) {
    let says = |says: fn(&ChrootDecl) -> bool| layers.iter().any(|layer| says(layer));
    let made = match (says(|layer| layer.root.is_some()), says(|layer| layer.names_image)) {
        (true, _) => "`root`",
        (false, true) => "`image`",
        (false, false) => return,
    };
    if let Some(first) = layers.iter().flat_map(|layer| &layer.install).next() {
        let problem = ManifestProblem::InstallInMade { chroot: chroot.to_owned(), made };
        resolver.mistakes.report(problem, "this package", &first.place);
    }
}
