//! Which builds are there already, and why the others must be made.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::contents::{Results, dependency_files};
use super::{Build, BuildId, Fate, Ingredients, Inputs, Plan, Reason};
use crate::chroot::changed_files;
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
    /// Nobody has asked for it. Nothing is told of it, and what is published of it stays.
    NotChosen,
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
    pub fn decision(&self, id: BuildId) -> &Decision {
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
        Ingredients::new(inputs, &self.build(id).settings, dependencies)
    }

    /// Why a build is made whose key is known, after `last`, its newest good result.
    pub fn reasons_to_build(
        &self,
        store: &Store,
        last: Option<&LastBuild>,
        now: &Ingredients,
    ) -> Vec<Reason> {
        let past = Past { store, last: &HashMap::new(), changed_files: Mutex::default() };
        past.reasons_after(last, now)
    }

    /// Decides on all builds. `last` holds the newest good result of each.
    pub fn decide(&self, store: &Store, last: &HashMap<BuildName, LastBuild>) -> Decisions {
        let mut results = Results::new();
        let mut all: Vec<Option<Decision>> = self.builds.iter().map(|_| None).collect();
        let past = Past { store, last, changed_files: Mutex::default() };
        for wave in self.waves() {
            let decided = wave.into_par_iter().map(|id| (id, self.decide_one(id, &past, &all, &results)));
            let decided: Vec<(BuildId, Decision)> = decided.collect();
            for (id, decision) in decided {
                if let Decision::Cached { result, .. } = &decision {
                    results.insert(id, Arc::clone(result));
                }
                all[id.0] = Some(decision);
            }
        }
        let undecided = || Decision::Build { reasons: Vec::new() };
        Decisions { all: all.into_iter().map(|decision| decision.unwrap_or_else(undecided)).collect() }
    }

    /// The builds in waves, each of which needs only what is in those before it: a wave is decided on all threads.
    fn waves(&self) -> Vec<Vec<BuildId>> {
        let mut numbers = vec![0; self.builds.len()];
        let mut waves: Vec<Vec<BuildId>> = Vec::new();
        for id in self.sequence() {
            let number = self.needs(*id).iter().map(|need| numbers[need.0] + 1).max().unwrap_or_default();
            numbers[id.0] = number;
            if waves.len() <= number {
                waves.resize_with(number + 1, Vec::new);
            }
            waves[number].push(*id);
        }
        waves
    }

    fn decide_one(
        &self,
        id: BuildId,
        past: &Past<'_>,
        decided: &[Option<Decision>],
        results: &Results,
    ) -> Decision {
        match &self.build(id).fate {
            Fate::RuledOut(why) => Decision::Skip { why: why.clone(), failed: false },
            Fate::NotYet(why) => Decision::Skip { why: why.clone(), failed: true },
            Fate::Impossible(errors) => {
                let why = errors
                    .first()
                    .map_or("it can't be built".to_owned(), |error| error.error().in_one_line());
                Decision::Skip { why, failed: true }
            }
            Fate::Buildable(inputs) => match self.find_failed_need(id, decided) {
                Some(culprit) => {
                    Decision::Skip { why: format!("{} can't be built", culprit.name), failed: true }
                }
                None => self.decide_buildable(id, inputs, past, results),
            },
        }
    }

    /// A build that this one needs and that can't be had.
    fn find_failed_need(&self, id: BuildId, decided: &[Option<Decision>]) -> Option<&Build> {
        let failed = |id: &&BuildId| matches!(&decided[id.0], Some(Decision::Skip { failed: true, .. }));
        self.needs(id).iter().find(failed).map(|id| self.build(*id))
    }

    fn decide_buildable(&self, id: BuildId, inputs: &Inputs, past: &Past<'_>, results: &Results) -> Decision {
        let name = &self.build(id).name;
        let Some(ingredients) = self.ingredients(id, inputs, results) else {
            let open = self.needs(id).iter().find(|need| !results.contains_key(need)).copied().unwrap_or(id);
            return Decision::Build { reasons: self.reasons_without_result(id, inputs, past, open) };
        };
        let key = ingredients.key();
        if let Some(result) = past.store.result(&key)
            && past.store.result(&ingredients.source_key()).is_some()
        {
            return Decision::Cached { key, result: Arc::new(result) };
        }
        Decision::Build { reasons: past.reasons_after(past.last.get(name), &ingredients) }
    }

    /// What can be said of a build whose dependencies are not known yet: what else has changed, and what it waits for.
    fn reasons_without_result(
        &self,
        id: BuildId,
        inputs: &Inputs,
        past: &Past<'_>,
        open: BuildId,
    ) -> Vec<Reason> {
        let Some(before) = past.last.get(&self.build(id).name) else {
            return vec![Reason::NeverBuilt];
        };
        let mut reasons = match ingredients_of(before) {
            None => vec![Reason::OtherForge],
            Some(before) => {
                let now = self.ingredients_with(id, inputs, before.dependencies.clone());
                past.reasons(&now, &before)
            }
        };
        if reasons.is_empty() {
            reasons.push(Reason::Undecided { after: self.build(open).name.to_string() });
        }
        reasons
    }
}

/// What was built before.
struct Past<'a> {
    store: &'a Store,
    /// The newest good result of each build.
    last: &'a HashMap<BuildName, LastBuild>,
    /// The files that differ between two digests of a root's part: most builds share their root.
    changed_files: Mutex<HashMap<(Digest, Digest), Vec<String>>>,
}

impl Past<'_> {
    /// Why there is something to make after `last`.
    fn reasons_after(&self, last: Option<&LastBuild>, now: &Ingredients) -> Vec<Reason> {
        match last {
            None => vec![Reason::NeverBuilt],
            Some(last) if last.key == now.key() => vec![Reason::ResultGone],
            Some(last) => self.changes(last, now),
        }
    }

    /// What differs from a good build with another key.
    fn changes(&self, last: &LastBuild, now: &Ingredients) -> Vec<Reason> {
        let reasons = ingredients_of(last).map(|before| self.reasons(now, &before)).unwrap_or_default();
        // The same ingredients under another key: keys are made in another way now.
        if reasons.is_empty() { vec![Reason::OtherForge] } else { reasons }
    }

    /// What differs, with the names of the root's files that do.
    fn reasons(&self, now: &Ingredients, before: &Ingredients) -> Vec<Reason> {
        let mut reasons = now.changes_since(before);
        let parts = before.root.parts().into_iter().zip(now.root.parts());
        let digests: HashMap<_, _> = parts.map(|((part, was), (_, now))| (part, (was, now))).collect();
        for reason in &mut reasons {
            if let Reason::Root { part, files } = reason
                && let Some(pair) = digests.get(part)
            {
                let mut known = self.changed_files.lock().unwrap_or_else(PoisonError::into_inner);
                let look = || changed_files(self.store, pair.0, pair.1);
                files.clone_from(known.entry(*pair).or_insert_with(look));
            }
        }
        reasons
    }
}

/// The ingredients of a build, if this forge can read them.
fn ingredients_of(last: &LastBuild) -> Option<Ingredients> {
    serde_json::from_str(&last.ingredients).ok()
}
