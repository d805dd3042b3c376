//! Which builds a command is about: names, patterns, chroots, batches, what failed, what has changed.

use std::collections::{BTreeSet, HashMap};

use globset::{GlobBuilder, GlobMatcher};

use super::changed::ChangedFiles;
use super::context::{CliError, Failure};
use super::selection_arguments::Selection;
use crate::event::{BuildName, State};
use crate::manifest::{Manifest, PackageId};
use crate::plan::{BuildId, Decision, Decisions, Fate, Plan, PlanError, Reason};
use crate::store::BuildRow;
use crate::text::suggestion;

/// What is known of a project when builds are chosen.
pub struct Chooser<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The plan.
    pub plan: &'a Plan,
    /// The newest attempt at each build.
    pub attempts: &'a HashMap<BuildName, BuildRow>,
    /// The files that have changed, where that is asked.
    pub changed: Option<&'a ChangedFiles>,
}

impl Chooser<'_> {
    /// Leaves out every build that is neither chosen nor needed by one that is, and has those built that are there already
    /// where that is asked.
    pub fn apply(&self, selection: &Selection, decisions: &mut Decisions) -> Result<(), Failure> {
        let Some(mut chosen) = self.choose(selection)? else {
            let all: Vec<BuildId> = self.plan.ids().collect();
            force(self.plan, selection, &all, decisions);
            return Ok(());
        };
        if selection.dependents {
            self.add_dependents(&mut chosen);
        }
        let asked: Vec<BuildId> = chosen.iter().copied().collect();
        let mut open = asked.clone();
        while let Some(id) = open.pop() {
            open.extend(self.plan.needs(id).iter().filter(|need| chosen.insert(**need)));
        }
        for id in self.plan.ids().filter(|id| !chosen.contains(id)) {
            decisions.all[id.0] = Decision::NotChosen;
        }
        force(self.plan, selection, &asked, decisions);
        Ok(())
    }

    /// The builds that all parts of the selection name; nothing where it names none, which is all of them.
    pub fn choose(&self, selection: &Selection) -> Result<Option<BTreeSet<BuildId>>, Failure> {
        if !selection.is_partial() {
            return Ok(None);
        }
        let mut chosen: BTreeSet<BuildId> = self.plan.ids().collect();
        if !selection.packages.is_empty() {
            let named = self.by_names(&selection.packages)?;
            chosen.retain(|id| named.contains(id));
        }
        if !selection.chroot.is_empty() {
            let known = self.manifest.chroots.iter().map(|chroot| chroot.name.value.as_str());
            let patterns = patterns("chroot", "chroots", &selection.chroot, known)?;
            chosen.retain(|id| is_matched(&patterns, &self.plan.build(*id).name.chroot));
        }
        if !selection.batch.is_empty() {
            let members = batch_members(self.manifest, &selection.batch)?;
            chosen.retain(|id| members.contains(&self.plan.build(*id).package));
        }
        if selection.failed {
            chosen.retain(|id| self.has_failed(*id));
        }
        if let Some(changed) = self.changed {
            chosen.retain(|id| changed.touches(self.plan.build(*id), self.manifest));
        }
        Ok(Some(chosen))
    }

    /// Whether the newest attempt at a build has failed, or it can't even be tried.
    fn has_failed(&self, id: BuildId) -> bool {
        let build = self.plan.build(id);
        let is_failed = |row: &BuildRow| matches!(row.state, State::Failed | State::Canceled);
        matches!(build.fate, Fate::Impossible(_)) || self.attempts.get(&build.name).is_some_and(is_failed)
    }

    /// The builds of packages, by the manifest's names or, where no package has that, by the `Name` of their specs.
    fn by_names(&self, names: &[String]) -> Result<BTreeSet<BuildId>, Failure> {
        let of_manifest = self.manifest.packages.iter().map(|package| package.name.value.as_str());
        let of_specs = self.plan.builds.iter().filter_map(|build| build.spec_name.as_deref());
        let mut found = BTreeSet::new();
        for name in names {
            let matcher = matcher(name)?;
            let is_of_manifest = of_manifest.clone().any(|known| matcher.is_match(known));
            if !is_of_manifest && !of_specs.clone().any(|known| matcher.is_match(known)) {
                let known: BTreeSet<&str> = of_manifest.clone().chain(of_specs).collect();
                let help = suggestion(name, "packages", known);
                return Err(PlanError::UnknownPackage { name: name.clone(), help }.into());
            }
            let is_meant = |id: &BuildId| {
                let build = self.plan.build(*id);
                match is_of_manifest {
                    true => matcher.is_match(&build.name.package),
                    false => build.spec_name.as_deref().is_some_and(|known| matcher.is_match(known)),
                }
            };
            found.extend(self.plan.ids().filter(is_meant));
        }
        Ok(found)
    }

    /// Adds what needs a chosen build, and what needs that.
    fn add_dependents(&self, chosen: &mut BTreeSet<BuildId>) {
        for id in self.plan.sequence() {
            if self.plan.needs(*id).iter().any(|need| chosen.contains(need)) {
                chosen.insert(*id);
            }
        }
    }
}

/// Has what is there already built again.
fn force(plan: &Plan, selection: &Selection, asked: &[BuildId], decisions: &mut Decisions) {
    if !selection.force {
        return;
    }
    let is_left = |id: &&BuildId| !selection.made.contains(&plan.build(**id).name);
    for id in asked.iter().filter(is_left) {
        let decision = &mut decisions.all[id.0];
        match decision {
            Decision::Cached { .. } => *decision = Decision::Build { reasons: vec![Reason::Forced] },
            Decision::Build { reasons } => reasons.push(Reason::Forced),
            Decision::Skip { .. } | Decision::NotChosen => {}
        }
    }
}

/// The packages of the batches that these patterns name.
pub fn batch_members(manifest: &Manifest, batches: &[String]) -> Result<BTreeSet<PackageId>, Failure> {
    let known = manifest.batches.iter().map(|batch| batch.name.value.as_str());
    let patterns = patterns("batch", "batches", batches, known)?;
    let meant = manifest.batches.iter().filter(|batch| is_matched(&patterns, &batch.name.value));
    Ok(meant.flat_map(|batch| batch.members.iter().copied()).collect())
}

/// Patterns, each of which has to be that of something.
pub fn patterns<'k>(
    kind: &'static str,
    plural: &'static str,
    written: &[String],
    known: impl Iterator<Item = &'k str> + Clone,
) -> Result<Vec<GlobMatcher>, Failure> {
    let check = |text: &String| {
        let matcher = matcher(text)?;
        if known.clone().any(|known| matcher.is_match(known)) {
            return Ok(matcher);
        }
        let help = suggestion(text, plural, known.clone().collect::<BTreeSet<_>>());
        Err(CliError::NothingSelected { kind, name: text.clone(), help }.into())
    };
    written.iter().map(check).collect()
}

/// A name, or a pattern of names.
pub fn matcher(text: &str) -> Result<GlobMatcher, CliError> {
    let wrong = |error: globset::Error| CliError::BadPattern {
        pattern: text.to_owned(),
        reason: error.kind().to_string(),
    };
    Ok(GlobBuilder::new(text).build().map_err(wrong)?.compile_matcher())
}

/// Whether one of the patterns is that of a name.
pub fn is_matched(patterns: &[GlobMatcher], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.is_match(name))
}
