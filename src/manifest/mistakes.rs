//! The mistakes of a manifest, as they are found.

use std::collections::HashMap;

use super::problem::{ManifestError, ManifestProblem};
use crate::text::{Located, Place, Spanned};

/// Where mistakes go.
pub(super) struct Mistakes<'a> {
    /// What has been found so far, in files that can't be read as well.
    pub errors: &'a mut Vec<ManifestError>,
}

impl Mistakes<'_> {
    /// Reports a problem at a place.
    pub fn report(&mut self, problem: ManifestProblem, label: &str, place: &Place) {
        self.errors.push(Located::new(problem, label, place.clone()));
    }

    /// Reports every name that is declared more than once.
    pub fn report_duplicates<'b>(
        &mut self,
        kind: &'static str,
        names: impl Iterator<Item = &'b Spanned<String>>,
    ) {
        let mut first: HashMap<&str, &Place> = HashMap::new();
        for name in names {
            if let Some(earlier) = first.insert(&name.value, &name.place)
                && !self.is_reported(&name.place)
            {
                let problem = ManifestProblem::Duplicate { kind, name: name.value.clone() };
                let error = Located::new(problem, "declared again here", name.place.clone());
                self.errors.push(error.with_note("declared first here", earlier.clone()));
            }
        }
    }

    /// Reports that two places say different things of one.
    pub fn report_contradiction(&mut self, what: &str, one: (&str, &Place), other: (&str, &Place)) {
        let (what, one_says, other_says) = (what.to_owned(), one.0.to_owned(), other.0.to_owned());
        let problem = ManifestProblem::Contradiction { what, one: one_says, other: other_says };
        let error = Located::new(problem, "this contradicts", other.1.clone());
        self.errors.push(error.with_note("what is said here", one.1.clone()));
    }

    /// Whether a mistake has been reported at this very place.
    pub fn is_reported(&self, place: &Place) -> bool {
        self.errors
            .iter()
            .any(|error| error.place().same_source(place) && error.place().span() == place.span())
    }

    /// Reports a circle, its first step as the main place and the others as notes.
    pub fn report_circle(&mut self, problem: ManifestProblem, steps: Vec<(String, Place)>) {
        let mut steps = steps.into_iter();
        let Some((label, place)) = steps.next() else {
            return;
        };
        let error = steps
            .fold(Located::new(problem, label, place), |error, (label, place)| error.with_note(label, place));
        self.errors.push(error);
    }
}
