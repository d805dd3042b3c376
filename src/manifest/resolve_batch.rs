//! Batches and rebuilds: their members, and what they come after.

use std::collections::HashMap;

use super::declaration::{BatchDecl, OptionsDecl, RebuildDecl};
use super::problem::Problem;
use super::resolve::{Draft, Resolver, is_pattern, macro_settings, matching};
use super::resolved::{AfterBatch, Batch, BatchId, Chroot, PackageId};
use crate::engine::MacroLevel;
use crate::text::{Located, Spanned, suggestion};

/// Resolves batches in the order of their declaration: what an earlier one took is not taken again.
pub(super) fn resolve_batches(
    resolver: &mut Resolver<'_>,
    decls: &[BatchDecl],
    packages: &mut [Draft],
    defaults: &OptionsDecl,
) -> Vec<Batch> {
    resolver.unique("batch", decls.iter().map(|decl| &decl.name));
    let ids: HashMap<&str, BatchId> =
        decls.iter().enumerate().map(|(index, decl)| (decl.name.value.as_str(), BatchId(index))).collect();
    let mut batches = Vec::with_capacity(decls.len());
    for (index, decl) in decls.iter().enumerate() {
        let members = members(resolver, decl, decls, packages);
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
            after: after(resolver, decl, &ids),
            macros: macro_settings(&decl.macros, MacroLevel::Batch),
        });
    }
    report_cycle(resolver, &batches);
    batches
}

fn members(
    resolver: &mut Resolver<'_>,
    decl: &BatchDecl,
    decls: &[BatchDecl],
    packages: &[Draft],
) -> Vec<PackageId> {
    let mut members = Vec::new();
    let names = || packages.iter().map(|package| package.resolved.name.value.as_str());
    for pattern in &decl.members {
        let matched = matching(pattern, names());
        if matched.is_empty() {
            let who = format!("batch `{}`", decl.name.value);
            if is_pattern(pattern) {
                let help = suggestion(pattern, "declared packages", names());
                let problem = Problem::NoMatch { kind: "package", pattern: pattern.value.clone(), help };
                resolver.report(problem, "this pattern", &pattern.place);
            } else {
                resolver.undeclared(who, "has", "package", pattern, names());
            }
        }
        for index in matched {
            match packages[index].resolved.batch {
                None if !members.contains(&PackageId(index)) => members.push(PackageId(index)),
                None => {}
                Some(earlier) if !is_pattern(pattern) => taken(resolver, pattern, &decls[earlier.0], decl),
                Some(_) => {}
            }
        }
    }
    members
}

/// A package that two batches name outright.
fn taken(resolver: &mut Resolver<'_>, name: &Spanned<String>, earlier: &BatchDecl, decl: &BatchDecl) {
    let problem = Problem::Exclusive {
        who: format!("package `{}`", name.value),
        one: format!("batch `{}`", earlier.name.value),
        other: format!("batch `{}`", decl.name.value),
    };
    let error = Located::new(problem, "named again here", name.place.clone());
    resolver.errors.push(error.with_note("taken by this batch", earlier.name.place.clone()));
}

fn after(resolver: &mut Resolver<'_>, decl: &BatchDecl, ids: &HashMap<&str, BatchId>) -> Vec<AfterBatch> {
    let mut found = Vec::new();
    for after in &decl.after {
        match ids.get(after.batch.value.as_str()) {
            Some(id) => {
                let batch = Spanned::new(*id, after.batch.place.clone());
                found.push(AfterBatch { batch, even_if_failed: after.even_if_failed });
            }
            None => {
                let who = format!("batch `{}`", decl.name.value);
                resolver.undeclared(who, "comes after", "batch", &after.batch, ids.keys().copied());
            }
        }
    }
    found
}

/// Reports the first circle of batches with the place of each of its steps.
fn report_cycle(resolver: &mut Resolver<'_>, batches: &[Batch]) {
    let edges: Vec<Vec<usize>> =
        batches.iter().map(|batch| batch.after.iter().map(|after| after.batch.value.0).collect()).collect();
    let Some(circle) = circle(&edges) else { return };
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
    let problem = Problem::Cycle { kind: "batches", path: names.join(" → ") };
    report_circle(resolver, problem, steps);
}

/// Reports a circle, its first step as the main place and the others as notes.
pub(super) fn report_circle(
    resolver: &mut Resolver<'_>,
    problem: Problem,
    steps: Vec<(String, crate::text::Place)>,
) {
    let mut steps = steps.into_iter();
    let Some((label, place)) = steps.next() else {
        return;
    };
    let error = steps
        .fold(Located::new(problem, label, place), |error, (label, place)| error.with_note(label, place));
    resolver.errors.push(error);
}

/// A circle in a graph given by the successors of each node, if there is one.
pub(super) fn circle(edges: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut done = vec![false; edges.len()];
    for start in 0..edges.len() {
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((node, next)) = path.last_mut() {
            if done[*node] {
                path.pop();
                continue;
            }
            let Some(successor) = edges[*node].get(*next).copied() else {
                done[*node] = true;
                path.pop();
                continue;
            };
            *next += 1;
            if let Some(at) = path.iter().position(|(node, _)| *node == successor) {
                return Some(path[at..].iter().map(|(node, _)| *node).collect());
            }
            path.push((successor, 0));
        }
    }
    None
}

impl Resolver<'_> {
    /// Checks the names in mass rebuilds.
    pub fn rebuild_names(&mut self, rebuilds: &[RebuildDecl], packages: &[Draft], chroots: &[Chroot]) {
        self.unique("rebuild", rebuilds.iter().map(|rebuild| &rebuild.name));
        for rebuild in rebuilds {
            let who = format!("rebuild `{}`", rebuild.name.value);
            if let Some(selection) = &rebuild.chroots {
                self.select(&who, selection, chroots);
            }
            let names = || packages.iter().map(|package| package.resolved.name.value.as_str());
            for change in rebuild.change.iter().filter(|change| !names().any(|name| name == change.value)) {
                self.undeclared(who.clone(), "changes", "package", change, names());
            }
        }
    }
}
