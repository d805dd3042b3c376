//! Where source packages are looked for.

use crate::chroot::RepositoryRequest;
use crate::digest::Checksum;
use crate::manifest::ChrootId;
use crate::store::Blob;

/// Where source packages are looked for.
#[derive(Clone, Copy)]
pub struct SourceShelves<'a> {
    /// The repositories of all chroots.
    pub repositories: &'a [ChrootRepository],
    /// What was built before.
    pub builds: &'a dyn BuiltSources,
}

/// A repository that a chroot declares.
#[derive(Clone, Debug)]
pub struct ChrootRepository {
    /// The chroot.
    pub chroot: ChrootId,
    /// The repository.
    pub request: RepositoryRequest,
}

/// Knows the source packages of earlier builds.
pub trait BuiltSources: Sync {
    /// That of the build of a number.
    ///
    /// # Errors
    /// It can't be had any more: why, in words.
    fn source_package(&self, build: u64) -> Result<BuiltSource, String>;
}

/// The source package of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltSource {
    /// The name of its file.
    pub name: String,
    /// Its content.
    pub blob: Blob,
    /// Its SHA-256.
    pub checksum: Checksum,
}
