//! MD5 checksums: what old files `sources` have.

use md5::{Digest as _, Md5};

use super::error::RemoteError;
use crate::source::SourceError;
use crate::source::tools::SourceTools;
use crate::store::Blob;

/// Compares the MD5 of a file with what a file `sources` says.
///
/// # Errors
/// It is another one.
pub(in crate::source) fn check_md5(
    package: &str,
    (file, wanted): (&str, &str),
    blob: &Blob,
    tools: &SourceTools<'_>,
) -> Result<(), SourceError> {
    let mut hasher = Md5::new();
    std::io::copy(&mut tools.store.folder().open(blob.path())?, &mut hasher)?;
    let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    match found == wanted {
        true => Ok(()),
        false => {
            let (package, file, wanted) = (package.to_owned(), file.to_owned(), wanted.to_owned());
            Err(RemoteError::WrongMd5 { package, file, wanted, found }.into())
        }
    }
}
