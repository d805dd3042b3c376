//! A folder over HTTP, for a lab: what a repository's clients need, and nothing else.
//!
//! Files are opened before anything is answered, so that what is replaced while it is sent is sent as it was. They are reached through the folder's
//! handle, which can't be left, and nothing whose name begins with a dot is there: records, locks, what is being written. Ranges and conditional requests
//! are those of RFC 9110, sections 13 and 14.

mod answer;
mod conditions;
mod connections;
mod file_body;
mod request_path;
mod server;

pub use server::{FolderServer, ServeError};
