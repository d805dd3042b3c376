//! What was asked of roots once.

use super::{RecordKind, Store};
use crate::digest::Key;
use crate::engine::{RootMemory, RootState};

impl RootMemory for Store {
    fn recall_root(&self, key: &Key) -> Option<RootState> {
        self.record(RecordKind::Root, key)
    }

    fn remember_root(&self, key: &Key, state: &RootState) {
        // What can't be written is asked again.
        let _ = self.remember(RecordKind::Root, key, state);
    }
}
