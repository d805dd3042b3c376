//! Profiles: what holds where somebody asks for it by name.

use std::time::Duration;

use super::choices::{Bootstrap, EngineChoice, Isolation, Network, OnFailure};
use super::layer::Layer;
use crate::text::Spanned;

/// A profile. What it says stands above all that packages say.
#[derive(Debug)]
pub struct Profile {
    /// Its name.
    pub name: Spanned<String>,
    /// What is built with.
    pub layer: Layer,
    pub(super) engine: Option<EngineChoice>,
    pub(super) isolation: Option<Isolation>,
    pub(super) network: Option<Network>,
    pub(super) timeout: Option<Duration>,
    pub(super) retries: Option<u32>,
    pub(super) on_failure: Option<OnFailure>,
    pub(super) bootstrap: Option<Bootstrap>,
}
