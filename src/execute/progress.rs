//! From an engine's stages to events.

use std::sync::Arc;

use crate::engine::StageListener;
use crate::event::{BuildName, EventSink, What};

/// Tells everything that happens, with its time.
#[derive(Clone)]
pub(super) struct Teller(pub EventSink);

impl Teller {
    /// Tells that something happened now.
    pub fn tell(&self, what: What) {
        self.0.send(what);
    }

    /// What hears the stages of a build.
    pub fn stages(&self, build: &BuildName) -> Arc<dyn StageListener> {
        Arc::new(Stages { teller: self.clone(), build: build.clone() })
    }
}

struct Stages {
    teller: Teller,
    build: BuildName,
}

impl StageListener for Stages {
    fn stage(&self, name: &str) {
        self.teller.tell(What::StageStarted { build: self.build.clone(), stage: name.to_owned() });
    }
}
