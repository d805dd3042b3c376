//! The trees of builds that were asked what they need, as `%prep` has left them: a build goes on there when its root was extended,
//! and when it was planned again because of what it named.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::task::Task;
use crate::digest::Key;
use crate::event::BuildName;

/// The trees that one apply has prepared. Those of an earlier one are not believed: people may have been in them.
#[derive(Debug, Default)]
pub struct PreparedTrees {
    trees: Mutex<HashMap<BuildName, Key>>,
}

impl PreparedTrees {
    /// The tree of a build is as `%prep` has left it.
    pub(super) fn keep(&self, task: &Task) {
        let key = task.build.ingredients.generated_key();
        self.lock().insert(task.build.name.clone(), key);
    }

    /// Whether the tree of a build is there for what it is made of now. Whoever asks changes it: it is not there any more until
    /// it is kept again.
    pub(super) fn take(&self, task: &Task) -> bool {
        self.lock().remove(&task.build.name) == Some(task.build.ingredients.generated_key())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<BuildName, Key>> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
