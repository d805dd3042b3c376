//! What published files say of themselves.

use std::io::{self, BufReader};

use super::PublishError;
use super::inspect::{FileOnDisk, Verification, inspect_file};
use super::record::PublishedFile;
use crate::files::{Folder, about};
use crate::package::{PackageRecord, read_headers_of};
use crate::store::{RecordKind, Store};

/// What a published file says of itself: that was remembered when it was built; the file is opened only where it is gone. Whatever else
/// lies in its place says nothing of it: that may still be there while it is put right.
///
/// # Errors
/// [`PublishError::Package`] where it is no package.
pub(super) fn record_of(
    repository: &Folder,
    store: &Store,
    file: &PublishedFile,
) -> Result<PackageRecord, PublishError> {
    if let Some(record) = store.record(RecordKind::Package, &file.blob().record_key()) {
        return Ok(record);
    }
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    let headers = match inspect_file(repository, file, Verification::TimesFirst) {
        FileOnDisk::Right(_) => read_headers_of(name, &mut BufReader::new(repository.open(&file.path)?))?,
        FileOnDisk::Missing | FileOnDisk::Other if store.has(&file.blob()) => store
            .read_blob(&file.blob(), |content| {
                Ok::<_, PublishError>(read_headers_of(name, &mut BufReader::new(content))?)
            })?,
        found @ (FileOnDisk::Missing | FileOnDisk::Other) => {
            let what =
                if found == FileOnDisk::Missing { "it is gone" } else { "it is not what was published" };
            let lost = io::Error::other(format!("{what}, and the store has it no more"));
            return Err(about(repository.path().join(&file.path))(lost).into());
        }
    };
    Ok(PackageRecord::read(name, &headers)?)
}
