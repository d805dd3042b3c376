//! What is known of the files of a package when its dependencies are looked for.

use super::super::build_root::BuildRoot;
use super::super::classify::Class;
use super::super::files::PackagedFile;
use super::attributes::FileAttribute;

/// The files of a package, what each of them is, and the attributes that they may have.
pub(crate) struct ClassifiedFiles<'f> {
    /// The buildroot that they lie in.
    pub(crate) root: &'f BuildRoot,
    /// The files.
    pub(crate) files: &'f [PackagedFile],
    /// What each of them is.
    pub(crate) classes: &'f [Class],
    /// All attributes of files that there are.
    pub(crate) attributes: &'f [FileAttribute],
}

/// Which dependencies of a package are looked for in its files (`AutoReq`, `AutoProv`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct DependencySearch {
    /// What it provides.
    pub(crate) for_provides: bool,
    /// All else.
    pub(crate) for_requires: bool,
}
