//! What choosing and making roots is done with.

use std::sync::Arc;

use crate::chroot::{Connection, RepositoryAccess};
use crate::engine::ScriptletWorker;
use crate::event::Clock;
use crate::fetch::{Client, Progress};
use crate::process::Cancel;
use crate::store::Store;

/// What choosing and making roots is done with.
#[derive(Clone)]
pub struct RootTools {
    /// Where packages and roots are kept.
    pub store: Arc<Store>,
    /// What fetches.
    pub client: Arc<Client>,
    /// Whether it may.
    pub connection: Connection,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Calls it off.
    pub cancel: Cancel,
    /// Runs scriptlets.
    pub scriptlets: ScriptletWorker,
    /// Hears what is being done.
    pub progress: Arc<dyn Fn(RootProgress) + Send + Sync>,
}

/// What is being done to make a root.
#[derive(Clone, Debug)]
pub enum RootProgress {
    /// Files are fetched.
    Fetching(Progress),
    /// In a sentence.
    Said(String),
}

impl RootTools {
    /// Does something with the repositories.
    pub(super) fn with_access<T>(&self, act: impl FnOnce(&RepositoryAccess<'_>) -> T) -> T {
        let progress = |progress| (self.progress)(RootProgress::Fetching(progress));
        let now = self.clock.now();
        act(&RepositoryAccess {
            store: &self.store,
            client: &self.client,
            connection: self.connection,
            now,
            keys_at: now,
            cancel: &self.cancel,
            progress: &progress,
        })
    }

    pub(super) fn say(&self, text: String) {
        (self.progress)(RootProgress::Said(text));
    }
}
