//! Which image of those in a place is wanted.

use crate::digest::Checksum;

/// Which image is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImageChoice<'a> {
    /// The digest that it has to have: of the tarball, or of the image's manifest (or of an index of images).
    pub digest: Option<&'a Checksum>,
    /// The architecture of packages that an image is chosen for where there are several; the machine's, if nothing is said.
    pub arch: Option<&'a str>,
}
