//! A plan on the screen, and as JSON.

use serde::Serialize;

use super::table::{Column, table};
use super::terminal_text::plain_text;
use super::words::count;
use crate::digest::Key;
use crate::engine::Value;
use crate::event::BuildName;
use crate::plan::{Decision, Decisions, Plan, Reason};
use crate::publish::{DamagedRepositoryFile, Entering, Leaving};

/// A plan as programs read it.
#[derive(Debug, Serialize)]
pub struct PlanDocument {
    /// Every build.
    pub builds: Vec<PlannedBuild>,
    /// Packages that are not built, and come into their repository.
    pub entering: Vec<Entering>,
    /// Packages that leave their repository.
    pub leaving: Vec<Leaving>,
    /// Files of repositories that are not as forge has left them.
    pub damaged: Vec<DamagedRepositoryFile>,
    /// Whether an apply would do something.
    pub work: bool,
}

/// A build as programs read it.
#[derive(Debug, Serialize)]
pub struct PlannedBuild {
    /// The build.
    #[serde(flatten)]
    pub build: BuildName,
    /// `build`, `cached`, `skip` or `can't build`.
    pub action: &'static str,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Why it is skipped.
    pub skipped: Option<String>,
    /// Its key, where that is known.
    pub key: Option<Key>,
    /// The builds that it comes after because it takes packages from them.
    pub needs: Vec<BuildName>,
    /// The macros, build conditions and variables that the manifest sets for it, and who says them.
    pub settings: crate::engine::Settings,
}

/// What an apply changes in repositories beside what it builds.
#[derive(Debug, Default)]
pub struct RepositoryChanges {
    /// Packages that come into them.
    pub entering: Vec<Entering>,
    /// Packages that leave them.
    pub leaving: Vec<Leaving>,
    /// Files that are put right.
    pub damaged: Vec<DamagedRepositoryFile>,
}

/// The plan as data.
pub fn plan_document(plan: &Plan, decisions: &Decisions, repositories: RepositoryChanges) -> PlanDocument {
    let RepositoryChanges { entering, leaving, damaged } = repositories;
    let builds = plan.ids().map(|id| {
        let build = plan.build(id);
        let decision = decisions.decision(id);
        let (reasons, skipped, key) = match decision {
            Decision::Cached { key, .. } => (Vec::new(), None, Some(*key)),
            Decision::Build { reasons } => (reasons.clone(), None, None),
            Decision::Skip { why, .. } => (Vec::new(), Some(why.clone()), None),
        };
        PlannedBuild {
            build: build.name.clone(),
            action: action(decision),
            reasons,
            skipped,
            key,
            needs: plan.needs(id).iter().map(|need| plan.build(*need).name.clone()).collect(),
            settings: build.settings.clone(),
        }
    });
    let builds = builds.collect();
    let publishes = !entering.is_empty() || !leaving.is_empty() || !damaged.is_empty();
    let work = decisions.has_work() || publishes;
    PlanDocument { builds, work, entering, leaving, damaged }
}

fn action(decision: &Decision) -> &'static str {
    match decision {
        Decision::Cached { .. } => "cached",
        Decision::Build { .. } => "build",
        Decision::Skip { failed: false, .. } => "skip",
        Decision::Skip { failed: true, .. } => "can't build",
    }
}

/// What a chroot's own files make of a macro, in words: chroot and name → body and place.
pub type RootMacro<'a> = dyn Fn(&str, &str) -> Option<String> + 'a;

/// The plan for people. What is cached is only counted unless `all`; with `explained_by`, where macros come from is said
/// as well, and what they stand above.
pub fn plan_screen(document: &PlanDocument, all: bool, explained_by: Option<&RootMacro<'_>>) -> String {
    let shown: Vec<&PlannedBuild> =
        document.builds.iter().filter(|build| all || build.action != "cached").collect();
    let mut screen = String::new();
    if !shown.is_empty() {
        let columns =
            [Column::Left("package"), Column::Left("chroot"), Column::Left("action"), Column::Left("why")];
        let rows: Vec<Vec<String>> = shown.iter().map(|build| row(build)).collect();
        screen.push_str(&table(&columns, &rows));
    }
    if let Some(root_macro) = explained_by {
        shown.iter().for_each(|build| screen.push_str(&plain_text(&explain_build(build, root_macro))));
    }
    if !document.entering.is_empty() {
        screen.push_str(&plain_text(&entering_lines(&document.entering)));
    }
    for leaving in &document.leaving {
        screen.push_str(&plain_text(&format!("{leaving}\n")));
    }
    for damaged in &document.damaged {
        screen.push_str(&plain_text(&format!("{damaged}\n")));
    }
    if !screen.is_empty() {
        screen.push('\n');
    }
    screen.push_str(&counts(document));
    screen
}

/// How many packages that come into one repository are named.
const MOST_NAMED: usize = 5;

/// A line for each repository that packages come into.
fn entering_lines(entering: &[Entering]) -> String {
    let mut lines = String::new();
    for chroot in entering.chunk_by(|one, other| one.chroot == other.chroot) {
        let named: Vec<&str> = chroot.iter().take(MOST_NAMED).map(|it| it.package.as_str()).collect();
        let more = match chroot.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let comes = if chroot.len() == 1 { "comes" } else { "come" };
        let chroot = chroot.first().map_or("", |it| &it.chroot);
        let names = named.join(", ");
        lines.push_str(&format!(
            "{names}{more} {comes} into the repository of {chroot} without being built\n"
        ));
    }
    lines
}

fn row(build: &PlannedBuild) -> Vec<String> {
    let reasons: Vec<String> = build.reasons.iter().map(ToString::to_string).collect();
    let why = build.skipped.clone().unwrap_or_else(|| reasons.join("; "));
    vec![build.build.package.clone(), build.build.chroot.clone(), build.action.to_owned(), why]
}

fn explain_build(build: &PlannedBuild, root_macro: &RootMacro<'_>) -> String {
    let mut text = format!("\n{}\n", build.build);
    for setting in &build.settings.macros {
        let options = setting.options.as_ref().map(|options| format!("({options})")).unwrap_or_default();
        let body = setting.body.as_ref().map_or("undefined", Value::shown);
        let below = root_macro(&build.build.chroot, &setting.name);
        let below = below.map(|below| format!(", instead of {below}")).unwrap_or_default();
        text.push_str(&format!("  macro {}{options} = {body} ({}){below}\n", setting.name, setting.level));
    }
    for condition in &build.settings.conditions {
        text.push_str(&format!("  {condition}\n"));
    }
    for (name, value) in &build.settings.environment {
        text.push_str(&format!("  env {name} = {}\n", value.shown()));
    }
    for need in &build.needs {
        text.push_str(&format!("  takes packages from {need}\n"));
    }
    text
}

fn counts(document: &PlanDocument) -> String {
    let of = |action: &str| document.builds.iter().filter(|build| build.action == action).count();
    let counted = [
        ("build", "to build"),
        ("cached", "up to date"),
        ("skip", "skipped"),
        ("can't build", "can't be built"),
    ];
    let parts: Vec<String> = counted
        .iter()
        .map(|(action, word)| (of(action), word))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    format!(
        "{}: {}\n",
        count(document.builds.len(), "build"),
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    )
}
