//! The engines that are open for one root.

use std::sync::Arc;

use super::{EngineInRoot, Root};

/// The engines that are open for one root.
#[derive(Clone)]
pub struct EnginesInRoot {
    /// The root.
    pub root: Root,
    /// `engine native`.
    pub native: Arc<dyn EngineInRoot>,
    /// `engine rpmbuild`, where something is built with it.
    pub rpmbuild: Option<Arc<dyn EngineInRoot>>,
}

impl EnginesInRoot {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn EngineInRoot>> {
        std::iter::once(&self.native).chain(&self.rpmbuild)
    }
}
