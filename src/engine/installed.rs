//! What is installed in a root.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::macros::RpmVersion;
use crate::package::Dependency;

/// The packages of a root that have something that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Installed {
    /// What each of them provides, the files among them that were asked for.
    Packages(Vec<Vec<Dependency>>),
    /// The root has no package of rpm: its packages are of another kind.
    NoPackages,
    /// Nobody can tell, and why.
    Unknown(String),
}

/// What macros say of a root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootAnswer {
    /// The packages that were asked for.
    pub packages: Installed,
    /// The rpm whose language is spoken, if macros say one.
    pub rpm: Option<RpmVersion>,
    /// Of the macros that were asked for those that the root's files define.
    pub macros: RootMacros,
}

/// Macros that a root's files define, by their names.
pub type RootMacros = BTreeMap<String, MacroInRoot>;

/// A macro that a root's files define.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MacroInRoot {
    /// Its body, as it was written.
    pub body: String,
    /// Where it is defined.
    pub origin: String,
}

impl RootAnswer {
    /// One that could not be had.
    pub(super) fn unknown(why: String) -> Self {
        Self { packages: Installed::Unknown(why), rpm: None, macros: RootMacros::new() }
    }
}

impl Installed {
    /// Whether there is any package of rpm.
    pub(super) fn has_packages(&self) -> bool {
        match self {
            Self::Packages(_) => true,
            Self::NoPackages | Self::Unknown(_) => false,
        }
    }
}
