//! `like=`: packages that begin with another's settings.

use super::circle::take_circles;
use super::declaration::{OptionsDecl, PackageDecl};
use super::problem::ManifestProblem;
use super::resolver::{Reference, Resolver};

/// Gives each package that is like another one the settings of that one, below its own. What others come before, and where a
/// package comes from, is its own.
pub(super) fn resolve_likes(resolver: &mut Resolver<'_>, decls: &mut [PackageDecl]) {
    if decls.iter().all(|decl| decl.like.is_none()) {
        return;
    }
    let mut below = find_models(resolver, decls);
    take_circles(&mut below).iter().for_each(|circle| report_circle(resolver, decls, circle));
    let own: Vec<OptionsDecl> = decls.iter().map(|decl| decl.options.clone()).collect();
    for (index, decl) in decls.iter_mut().enumerate() {
        let mut above = index;
        while let Some(model) = below[above].first() {
            let model_options = OptionsDecl { after: Vec::new(), ..own[*model].clone() };
            decl.options = model_options.overridden_by(std::mem::take(&mut decl.options));
            above = *model;
        }
    }
}

/// For each package, the one that it is like.
fn find_models(resolver: &mut Resolver<'_>, decls: &[PackageDecl]) -> Vec<Vec<usize>> {
    let find = |decl: &PackageDecl| {
        let name = decl.like.as_ref()?;
        let who = format!("package `{}`", decl.name.value);
        let reference = Reference { who: &who, relation: "is like", kind: "package", name };
        resolver.find_package(&reference).map(|id| id.0)
    };
    decls.iter().map(find).map(|model| model.into_iter().collect()).collect()
}

fn report_circle(resolver: &mut Resolver<'_>, decls: &[PackageDecl], circle: &[usize]) {
    let steps = circle.iter().filter_map(|index| {
        let like = decls[*index].like.as_ref()?;
        Some((format!("`{}` is like `{}`", decls[*index].name.value, like.value), like.place.clone()))
    });
    let names: Vec<&str> =
        circle.iter().chain(circle.first()).map(|index| decls[*index].name.value.as_str()).collect();
    let problem = ManifestProblem::Cycle { kind: "packages", path: names.join(" → ") };
    resolver.mistakes.report_circle(problem, steps.collect());
}
