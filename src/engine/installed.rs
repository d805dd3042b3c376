//! What is installed in a root.

use crate::package::Dependency;

/// The packages of a root that have something that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Installed {
    /// What each of them provides, the files among them that were asked for.
    Packages(Vec<Vec<Dependency>>),
    /// The root has no package of rpm: its packages are of another kind.
    NoPackages,
    /// Nobody can tell, and why.
    Unknown(String),
}
