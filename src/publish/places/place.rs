//! What a place can do.

use std::collections::BTreeMap;

use super::PlaceError;
use super::place_record::PlacedFile;
use super::sending::Sending;
use super::snapshot::{Head, OutgoingFile};

/// A place that a repository is sent to. Whatever is sent gets its name there once it is whole.
pub(super) trait PublishPlace: Sync {
    /// A small file that is there.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, PlaceError>;

    /// Those of `files`, of the folder, that are not there as `known` says that forge has put them there.
    fn find_missing(
        &self,
        files: &[OutgoingFile],
        from: &Sending<'_>,
        known: &BTreeMap<String, PlacedFile>,
    ) -> Result<Vec<OutgoingFile>, PlaceError>;

    /// Sends files of the folder, in any order, and looks whether they have arrived.
    fn send(&self, files: &[OutgoingFile], from: &Sending<'_>) -> Result<(), PlaceError>;

    /// Sends small files, one after the other.
    fn send_heads(&self, heads: &[Head]) -> Result<(), PlaceError>;

    /// Removes files.
    fn remove(&self, paths: &[String]) -> Result<(), PlaceError>;
}
