//! From what an engine says of a build to events.

use super::recorder::RecorderHandle;
use crate::engine::StageListener;
use crate::event::{BuildName, What};

/// Tells the stages of a build.
pub(super) struct BuildListener {
    recorder: RecorderHandle,
    build: BuildName,
}

impl BuildListener {
    pub fn new(recorder: &RecorderHandle, build: &BuildName) -> Self {
        Self { recorder: recorder.clone(), build: build.clone() }
    }
}

impl StageListener for BuildListener {
    fn stage(&self, name: &str) {
        self.recorder.happened(What::StageStarted { build: self.build.clone(), stage: name.to_owned() });
    }
}
