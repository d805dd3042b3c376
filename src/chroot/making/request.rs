//! What a chroot is to be made of.

use crate::chroot::RepositoryRequest;
use crate::chroot::solve::WeakDependencies;

/// A chroot that is made of packages.
#[derive(Clone, Debug)]
pub struct ChrootRequest {
    /// Its name.
    pub name: String,
    /// Its architecture.
    pub arch: String,
    /// Where packages come from.
    pub repositories: Vec<RepositoryRequest>,
    /// What is in its minimal root, as it is written after `dnf install`.
    pub install: Vec<String>,
    /// Whether packages bring what they recommend.
    pub weak: WeakDependencies,
}
