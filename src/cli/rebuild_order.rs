//! What is planned where an earlier build is made again.

use std::sync::Arc;

use crate::chroot::making::GivenRoot;
use crate::manifest::Manifest;
use crate::plan::{Decision, Decisions, Reason, Rebuild};

/// What is planned where an earlier build is made again.
#[derive(Clone, Debug)]
pub struct RebuildOrder {
    /// A manifest of that build alone.
    pub manifest: Arc<Manifest>,
    /// The build.
    pub rebuild: Arc<Rebuild>,
    /// The packages of its root, where that was made of packages and is made again.
    pub root: Option<GivenRoot>,
    /// Why it is made.
    pub reason: Reason,
}

impl RebuildOrder {
    /// Says why the build is made: not for what has changed since another one.
    pub fn say_why(&self, decisions: &mut Decisions) {
        for decision in &mut decisions.all {
            if let Decision::Build { reasons } = decision {
                *reasons = vec![self.reason.clone()];
            }
        }
    }
}
