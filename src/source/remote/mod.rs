//! Files from elsewhere, brought into the store: sources that specs name by URL, and specs and source packages themselves.
//!
//! A file is known by a checksum: from the manifest, from a file of checksums beside the spec, or from `Rpmforge.lock`. Where
//! nobody has said one, what comes the first time is taken, and locked: from then on it must be the same.

mod beside;
mod error;
mod md5_check;
mod signature_error;
mod signatures;
mod signed_names;
mod store_file;
mod wanted;

pub use error::RemoteError;
pub(super) use md5_check::check_md5;
pub use signature_error::SourceSignatureError;
pub use store_file::{RemoteFile, StoredFile};
pub use wanted::{FetchedSource, NamedSources, RemoteSource, fetch_remote_sources};
pub(super) use wanted::{KnownFrom, file_name_of, find_checksum};
