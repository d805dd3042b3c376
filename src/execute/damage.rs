//! What the store holds and can't be used: found before builds begin where that is possible, and named.

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use super::Ends;
use crate::event::{BuildName, What};
use crate::plan::{BuildId, Decision, Decisions, Fate, Plan};
use crate::store::{Blob, LastBuild, StepResult, Store};

/// Checks the results that an apply will read: what something to be built takes from builds that are there already, and
/// what this project has not had before. Gives whether one had to be dropped, so that all has to be decided again.
pub fn drops_damaged_results(
    plan: &Plan,
    decisions: &Decisions,
    store: &Store,
    known: &HashMap<BuildName, LastBuild>,
) -> bool {
    let mut read: BTreeSet<BuildId> = needed_by_work(plan, decisions);
    read.extend(plan.ids().filter(|id| match decisions.decision(*id) {
        Decision::Cached { key, .. } => {
            known.get(&plan.build(*id).name).is_none_or(|known| known.key != *key)
        }
        Decision::Build { .. } | Decision::Skip { .. } | Decision::NotChosen => false,
    }));
    let read: Vec<&StepResult> = read.into_iter().filter_map(|id| cached(decisions, id)).collect();
    let sound = read.par_iter().map(|result| store.is_sound(result));
    !sound.reduce(|| true, |one, other| one && other)
}

/// The builds that what is to be built needs, directly or through others.
fn needed_by_work(plan: &Plan, decisions: &Decisions) -> BTreeSet<BuildId> {
    let is_work = |id: &BuildId| matches!(decisions.decision(*id), Decision::Build { .. });
    let mut open: Vec<BuildId> = plan.ids().filter(is_work).collect();
    let mut needed = BTreeSet::new();
    while let Some(id) = open.pop() {
        open.extend(plan.needs(id).iter().filter(|need| needed.insert(**need)));
    }
    needed
}

fn cached(decisions: &Decisions, id: BuildId) -> Option<&StepResult> {
    match decisions.decision(id) {
        Decision::Cached { result, .. } => Some(result),
        Decision::Build { .. } | Decision::Skip { .. } | Decision::NotChosen => None,
    }
}

/// Tells of a blob that was damaged, with the file and the build that it is of, as far as the plan knows.
pub fn name_damage(blob: &Blob, plan: &Plan, decisions: &Decisions, ends: &Ends) -> What {
    let found = plan.ids().find_map(|id| {
        let result = cached(decisions, id).or_else(|| ends.get(&id)?.result.as_deref());
        let file = result.and_then(|result| file_of_result(blob, result));
        Some((id, file.or_else(|| source_of_build(blob, plan, id))?))
    });
    let (build, file) = match found {
        Some((id, file)) => (Some(plan.build(id).name.clone()), file),
        None => (None, format!("blob {}", blob.digest)),
    };
    What::DamageFound { build, file, digest: blob.digest.to_string() }
}

fn file_of_result(blob: &Blob, result: &StepResult) -> Option<String> {
    let file = result.files.iter().find(|file| file.blob == *blob).map(|file| file.name.clone());
    file.or_else(|| (result.log == *blob).then(|| "build.log".to_owned()))
}

fn source_of_build(blob: &Blob, plan: &Plan, id: BuildId) -> Option<String> {
    let Fate::Buildable(inputs) = &plan.build(id).fate else {
        return None;
    };
    inputs.files().find(|file| file.blob == *blob).map(|file| file.name.clone())
}
