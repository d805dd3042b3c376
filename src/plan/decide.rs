//! Which builds are there already, and why the others must be made.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::contents::{Results, dependency_files};
use super::{Build, BuildId, Fate, Ingredients, Inputs, Plan, Reason};
use crate::digest::{Digest, Key};
use crate::event::BuildName;
use crate::store::{LastBuild, StepResult, Store};

/// What is to be done with a build.
#[derive(Debug)]
pub enum Decision {
    /// Nothing: its result is there.
    Cached {
        /// Its key.
        key: Key,
        /// Its result.
        result: Arc<StepResult>,
    },
    /// It has to be built, or it will be known later whether it has to be.
    Build {
        /// Why.
        reasons: Vec<Reason>,
    },
    /// It is not built.
    Skip {
        /// Why not, in a sentence.
        why: String,
        /// Whether that counts as a failure: what needs it is skipped, the apply ends with an error.
        failed: bool,
    },
}

/// The decisions of a whole plan.
#[derive(Debug)]
pub struct Decisions {
    /// For each build, by its place in the plan.
    pub all: Vec<Decision>,
}

impl Decisions {
    /// The decision on a build.
    ///
    /// # Panics
    /// If `id` is of another plan.
    pub fn of(&self, id: BuildId) -> &Decision {
        &self.all[id.0]
    }

    /// Whether there is something to build.
    pub fn has_work(&self) -> bool {
        self.all.iter().any(|decision| matches!(decision, Decision::Build { .. }))
    }
}

impl Plan {
    /// What a build's key is made from; `None` while a build that it needs is not known.
    pub fn ingredients(&self, id: BuildId, inputs: &Inputs, results: &Results) -> Option<Ingredients> {
        let files = dependency_files(self, id, results)?;
        let dependencies = files.into_iter().map(|(nevra, file)| (nevra.to_owned(), file.package.content));
        Some(self.ingredients_with(id, inputs, dependencies.collect()))
    }

    /// What a build's key is made from, given the packages that other builds put into its root.
    pub fn ingredients_with(
        &self,
        id: BuildId,
        inputs: &Inputs,
        dependencies: BTreeMap<String, Digest>,
    ) -> Ingredients {
        let sources = inputs.sources.iter().map(|file| (file.name.clone(), file.blob.digest));
        Ingredients {
            engine: inputs.engine.clone(),
            spec: inputs.spec.blob.digest,
            sources: sources.collect(),
            settings: self.build(id).settings.clone(),
            root: inputs.root,
            dependencies,
        }
    }

    /// Decides on all builds. `last` holds the newest good result of each.
    pub fn decide(&self, store: &Store, last: &HashMap<BuildName, LastBuild>) -> Decisions {
        let mut results = Results::new();
        let mut all: Vec<Option<Decision>> = self.builds.iter().map(|_| None).collect();
        for id in self.sequence() {
            let build = self.build(*id);
            let decision = match &build.fate {
                Fate::RuledOut(why) => Decision::Skip { why: why.clone(), failed: false },
                Fate::NotYet(why) => Decision::Skip { why: why.clone(), failed: true },
                Fate::Impossible(errors) => {
                    let why = errors.first().map_or("it can't be built".to_owned(), ToString::to_string);
                    Decision::Skip { why, failed: true }
                }
                Fate::Buildable(inputs) => match self.culprit(*id, &all) {
                    Some(culprit) => {
                        Decision::Skip { why: format!("{} can't be built", culprit.name), failed: true }
                    }
                    None => self.decide_buildable(*id, inputs, store, last, &mut results),
                },
            };
            all[id.0] = Some(decision);
        }
        let undecided = || Decision::Build { reasons: Vec::new() };
        Decisions { all: all.into_iter().map(|decision| decision.unwrap_or_else(undecided)).collect() }
    }

    /// A build that this one needs and that can't be had.
    fn culprit(&self, id: BuildId, decided: &[Option<Decision>]) -> Option<&Build> {
        let failed = |id: &&BuildId| matches!(&decided[id.0], Some(Decision::Skip { failed: true, .. }));
        self.needs(id).iter().find(failed).map(|id| self.build(*id))
    }

    fn decide_buildable(
        &self,
        id: BuildId,
        inputs: &Inputs,
        store: &Store,
        last: &HashMap<BuildName, LastBuild>,
        results: &mut Results,
    ) -> Decision {
        let name = &self.build(id).name;
        let Some(ingredients) = self.ingredients(id, inputs, results) else {
            let open = self.needs(id).iter().find(|need| !results.contains_key(need)).copied().unwrap_or(id);
            return Decision::Build { reasons: self.reasons_without_result(id, inputs, last, open) };
        };
        let key = ingredients.key();
        if let Some(result) = store.result(&key)
            && store.result(&ingredients.source_key()).is_some()
        {
            let result = Arc::new(result);
            results.insert(id, Arc::clone(&result));
            return Decision::Cached { key, result };
        }
        let reasons = match last.get(name) {
            None => vec![Reason::NeverBuilt],
            Some(last) if last.key == key => vec![Reason::ResultGone],
            Some(last) => changes(last, &ingredients),
        };
        Decision::Build { reasons }
    }

    /// What can be said of a build whose dependencies are not known yet: what else has changed, and what it waits for.
    fn reasons_without_result(
        &self,
        id: BuildId,
        inputs: &Inputs,
        last: &HashMap<BuildName, LastBuild>,
        open: BuildId,
    ) -> Vec<Reason> {
        let Some(before) = last.get(&self.build(id).name) else {
            return vec![Reason::NeverBuilt];
        };
        let mut reasons = Vec::new();
        if let Ok(before) = serde_json::from_str::<Ingredients>(&before.ingredients) {
            let now = self.ingredients_with(id, inputs, before.dependencies.clone());
            reasons = now.changes_since(&before);
        }
        if reasons.is_empty() {
            reasons.push(Reason::Undecided { after: self.build(open).name.to_string() });
        }
        reasons
    }
}

/// What differs from the last good build.
pub fn changes(last: &LastBuild, now: &Ingredients) -> Vec<Reason> {
    let before: Option<Ingredients> = serde_json::from_str(&last.ingredients).ok();
    let changes = before.map(|before| now.changes_since(&before)).unwrap_or_default();
    if changes.is_empty() { vec![Reason::ResultGone] } else { changes }
}
