//! A package that is worked out, and not written yet.

use std::sync::Mutex;

use bstr::BString;

use super::files::{Contents, PackagedFile};
use super::write::Packing;
use crate::package::Header;

/// All that a package is written from.
pub(super) struct PackageDraft {
    /// The header, but for what all packages of the build say.
    pub(super) header: Header,
    /// The files, in the order of their paths.
    pub(super) files: Vec<PackagedFile>,
    /// Whether it is a source package.
    pub(super) is_source: bool,
    /// Paths of the buildroot that it lists, those left out included.
    pub(super) handled: Vec<BString>,
    /// Paths that it lists to be left out.
    pub(super) excluded: Vec<BString>,
    /// What small files hold, where it was kept.
    pub(super) contents: Contents,
    /// Its payload on its way, where it is packed ahead; who writes the package takes it.
    pub(super) packing: Mutex<Option<Packing>>,
}
