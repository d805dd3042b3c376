//! Batches: their members, and what they come after.

use std::collections::HashSet;

use super::circle::take_circles;
use super::declaration::{BatchDecl, OptionsDecl};
use super::names::is_pattern;
use super::problem::ManifestProblem;
use super::resolve_package::PackageDraft;
use super::resolved::{AfterBatch, Batch, BatchId, PackageId};
use super::resolver::{Reference, Resolver};
use crate::engine::MacroLevel;
use crate::text::{Located, Spanned, suggestion};

/// Resolves batches in the order of their declaration: what an earlier one took is not taken again.
pub(super) fn resolve_batches(
    resolver: &mut Resolver<'_>,
    decls: &[BatchDecl],
    packages: &mut [PackageDraft],
    defaults: &OptionsDecl,
) -> Vec<Batch> {
    let mut batches = Vec::with_capacity(decls.len());
    for (index, decl) in decls.iter().enumerate() {
        let members = batch_members(resolver, decl, decls, packages);
        for member in &members {
            let package = &mut packages[member.0];
            package.resolved.batch = Some(BatchId(index));
            let default = defaults.priority.as_ref().map(|choice| choice.value);
            let priority = package.own_priority.or(decl.priority).or(default);
            package.resolved.priority = priority.unwrap_or(package.resolved.priority);
        }
        batches.push(Batch {
            name: decl.name.clone(),
            members,
            after: batches_before(resolver, decl),
            layer: resolver.resolve_layer(
                decl.layer.clone(),
                MacroLevel::Batch,
                &format!("batch `{}`", decl.name.value),
            ),
        });
    }
    report_cycles(resolver, &batches);
    batches
}

fn batch_members(
    resolver: &mut Resolver<'_>,
    decl: &BatchDecl,
    decls: &[BatchDecl],
    packages: &[PackageDraft],
) -> Vec<PackageId> {
    let mut members = Vec::new();
    let mut known = HashSet::new();
    for pattern in &decl.members {
        for index in find_members(resolver, decl, pattern) {
            match packages[index].resolved.batch {
                None if known.insert(index) => members.push(PackageId(index)),
                None => {}
                Some(earlier) if !is_pattern(pattern) => {
                    report_taken(resolver, pattern, &decls[earlier.0], decl)
                }
                Some(_) => {}
            }
        }
    }
    members
}

/// The packages that a pattern or a name of a batch stands for.
fn find_members(resolver: &mut Resolver<'_>, decl: &BatchDecl, pattern: &Spanned<String>) -> Vec<usize> {
    if !is_pattern(pattern) {
        let who = format!("batch `{}`", decl.name.value);
        let reference = Reference { who: &who, relation: "has", kind: "package", name: pattern };
        return resolver.find_package(&reference).iter().map(|id| id.0).collect();
    }
    let names = &resolver.names.packages;
    let matched = names.matching(pattern);
    if matched.is_empty() {
        let help = suggestion(pattern, "declared packages", names.iter());
        let problem = ManifestProblem::NoMatch { kind: "package", pattern: pattern.value.clone(), help };
        resolver.mistakes.report(problem, "this pattern", &pattern.place);
    }
    matched
}

/// A package that two batches name outright.
fn report_taken(resolver: &mut Resolver<'_>, name: &Spanned<String>, earlier: &BatchDecl, decl: &BatchDecl) {
    let problem = ManifestProblem::Exclusive {
        who: format!("package `{}`", name.value),
        one: format!("batch `{}`", earlier.name.value),
        other: format!("batch `{}`", decl.name.value),
    };
    let error = Located::new(problem, "named again here", name.place.clone());
    resolver.mistakes.errors.push(error.with_note("taken by this batch", earlier.name.place.clone()));
}

/// The batches that a batch comes after.
fn batches_before(resolver: &mut Resolver<'_>, decl: &BatchDecl) -> Vec<AfterBatch> {
    let mut found = Vec::new();
    for after in &decl.after {
        match resolver.names.batches.index(&after.batch.value) {
            Some(index) => {
                let batch = Spanned::new(BatchId(index), after.batch.place.clone());
                let (even_if_failed, across) = (after.even_if_failed, after.across);
                found.push(AfterBatch { batch, even_if_failed, across });
            }
            None => {
                let who = format!("batch `{}`", decl.name.value);
                let name = &after.batch;
                let reference = Reference { who: &who, relation: "comes after", kind: "batch", name };
                resolver.report_undeclared(&reference, resolver.names.batches.iter());
            }
        }
    }
    found
}

/// Reports circles of batches with the place of each of their steps.
fn report_cycles(resolver: &mut Resolver<'_>, batches: &[Batch]) {
    let mut edges: Vec<Vec<usize>> =
        batches.iter().map(|batch| batch.after.iter().map(|after| after.batch.value.0).collect()).collect();
    take_circles(&mut edges).iter().for_each(|circle| report_cycle(resolver, batches, circle));
}

fn report_cycle(resolver: &mut Resolver<'_>, batches: &[Batch], circle: &[usize]) {
    let steps: Vec<_> = circle
        .iter()
        .zip(circle.iter().cycle().skip(1))
        .filter_map(|(from, to)| {
            let after = batches[*from].after.iter().find(|after| after.batch.value.0 == *to)?;
            let label = format!("`{}` comes after `{}`", batches[*from].name.value, batches[*to].name.value);
            Some((label, after.batch.place.clone()))
        })
        .collect();
    let names: Vec<&str> =
        circle.iter().chain(circle.first()).map(|index| batches[*index].name.value.as_str()).collect();
    let problem = ManifestProblem::Cycle { kind: "batches", path: names.join(" → ") };
    resolver.mistakes.report_circle(problem, steps);
}
