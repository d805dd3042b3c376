//! What published files say of themselves.

use std::io::BufReader;

use super::PublishError;
use super::record::PublishedFile;
use crate::files::Folder;
use crate::package::{PackageRecord, read_headers_of};
use crate::store::{RecordKind, Store};

/// What a published file says of itself: that was remembered when it was built; the file is opened only where it is gone.
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
    let headers = match repository.open(&file.path) {
        Ok(opened) => read_headers_of(name, &mut BufReader::new(opened))?,
        // It is still to come.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && store.has(&file.blob()) => store
            .read_blob(&file.blob(), |content| {
                Ok::<_, PublishError>(read_headers_of(name, &mut BufReader::new(content))?)
            })?,
        Err(error) => return Err(error.into()),
    };
    Ok(PackageRecord::read(name, &headers)?)
}
