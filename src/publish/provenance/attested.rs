//! A build and its packages, as something is said of them.

use super::material::{Material, materials_of};
use crate::chroot::making::GivenRoot;
use crate::execute::{InputsRecord, ResultRecord};
use crate::package::PackageRecord;
use crate::store::Store;

/// A build that ended well, with all that is known of how its packages came to be.
#[derive(Debug)]
pub struct AttestedBuild {
    /// How it ended.
    pub record: ResultRecord,
    /// What it was made of.
    pub inputs: InputsRecord,
    /// What it was made of, one by one.
    pub materials: Vec<Material>,
}

/// A package of such a build.
#[derive(Debug)]
pub struct AttestedPackage {
    /// The name of its file.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// SHA-256 of its header, which has the digest of all that follows it: the same whoever has signed the package.
    pub header_sha256: String,
    /// What it says of itself.
    pub record: PackageRecord,
}

impl AttestedBuild {
    /// What a result folder says. Sources that are in the store still are named by their SHA-256 as well.
    pub fn new(record: ResultRecord, inputs: InputsRecord, root: Option<&GivenRoot>, store: &Store) -> Self {
        let materials = materials_of(&inputs, root, store);
        Self { record, inputs, materials }
    }
}
