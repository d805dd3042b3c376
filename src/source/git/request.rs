//! What a manifest asks of a git repository.

use super::checkout::CheckoutOptions;

/// What the manifest says.
pub(in crate::source) struct GitRequest<'a> {
    /// The kind of source, as the manifest has it.
    pub kind: &'static str,
    /// Where.
    pub url: &'a str,
    /// The commit, tag or branch.
    pub revision: &'a Option<String>,
    /// The folder in it.
    pub folder: &'a Option<String>,
    /// The spec in that folder.
    pub spec: &'a Option<String>,
    /// How it makes its source package.
    pub method: &'a Option<String>,
    /// What comes beside its own files.
    pub options: CheckoutOptions,
}
