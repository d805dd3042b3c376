//! Which engine it is, as keys hold it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The digest of forge's sources that decide what packages come to, made when forge was built (`src/build.rs`).
pub const FORGE_SOURCES: &str = env!("FORGE_ENGINE_DIGEST");

/// An engine's name and version, and the sources of forge that packages depend on: another engine, version or forge may read
/// specs otherwise, or build other packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineIdentity {
    /// Name and version: `native 0.1.0`.
    pub name: String,
    /// [`FORGE_SOURCES`]. It counts for `engine rpmbuild` as well: forge says how rpmbuild is called, and what it finds
    /// around it.
    pub sources: String,
}

impl EngineIdentity {
    /// The engine `name` of this forge.
    pub fn of_this_forge(name: String) -> Self {
        Self { name, sources: FORGE_SOURCES.to_owned() }
    }
}

impl fmt::Display for EngineIdentity {
    /// For people: eight digits of the digest tell two forges apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:.8})", self.name, self.sources)
    }
}
