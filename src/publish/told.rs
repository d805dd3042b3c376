//! What is told of a publish.

use miette::Diagnostic;

use super::PublishError;
use crate::event::What;

/// Tells that a repository is not written, or that one package does not come into it.
pub(super) fn not_published(chroot: &str, package: Option<String>, error: &PublishError) -> What {
    let (code, help) = (error.code().map(|code| code.to_string()), error.help().map(|help| help.to_string()));
    What::NotPublished { chroot: chroot.to_owned(), package, cause: error.to_string(), code, help }
}
