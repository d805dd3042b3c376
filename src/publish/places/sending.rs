//! Where files are on their way from.

use crate::files::Folder;

/// Where files are on their way from, and who hears how far they are.
pub(super) struct Sending<'a> {
    /// The repository's folder.
    pub folder: &'a Folder,
    /// The folder, as the manifest says it.
    pub shown: &'a str,
    /// Is told of bytes that have been sent, from several threads.
    pub count: &'a (dyn Fn(u64) + Sync),
}
