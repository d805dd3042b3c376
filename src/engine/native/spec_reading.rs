//! A spec that was read, and what was learned on the way.

use crate::macros::Observation;
use crate::spec::{Finding, Spec};

/// A spec that was read.
#[derive(Clone, Debug)]
pub struct SpecReading {
    /// The spec, if it can be used.
    pub spec: Option<Spec>,
    /// What is wrong with it, or may not be meant.
    pub findings: Vec<Finding>,
    /// What was learned from the world on the way.
    pub observations: Vec<Observation>,
    /// The architecture that was asked for, before any `BuildArch`.
    pub target: String,
}

impl SpecReading {
    /// Whether it can be used, and nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.spec.is_some() && !self.findings.iter().any(Finding::is_error)
    }
}
