//! Specs that a worker reads, and what it answers of each.

use serde::{Deserialize, Serialize};

use crate::engine::{FactsRequest, Read, Settings};
use crate::files::RootPath;
use crate::macros::Observation;

/// Specs to be read, all by one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadOrder {
    /// Where relative paths in specs begin, and their commands run; where the worker runs, if nothing is said.
    pub folder: Option<RootPath>,
    /// The specs.
    pub specs: Vec<SpecOrder>,
}

/// One spec to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecOrder {
    /// The spec, and what it is read with.
    pub request: FactsRequest,
    /// What an earlier reading has seen, if there is one: while that is so, the spec is not read again.
    pub earlier: Option<Vec<Observation>>,
}

/// What a worker answers of one spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpecAnswer {
    /// The earlier reading is still valid.
    StillValid,
    /// What the spec says.
    Read(Box<Read>),
}

impl ReadOrder {
    /// The settings of all specs, in a fixed order.
    pub(super) fn settings(&self) -> impl Iterator<Item = &Settings> {
        self.specs.iter().map(|spec| &spec.request.settings)
    }

    /// As [`ReadOrder::settings`].
    pub(super) fn settings_mut(&mut self) -> impl Iterator<Item = &mut Settings> {
        self.specs.iter_mut().map(|spec| &mut spec.request.settings)
    }
}
