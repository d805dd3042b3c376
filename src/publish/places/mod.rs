//! Places that repositories are sent to, once their folders are whole: buckets, registries of OCI artifacts, and what rsync reaches.
//!
//! What is to be there is what the repository's record says of its folder; what is there says the place itself, and a
//! [record](place_record) in it says what forge has put there, so that nothing else is ever removed. The [order](send_repository) is that
//! of the folder: packages, metadata, `repomd.xml.asc` and `repomd.xml` last. A place that can't be reached has no say in
//! what is published in the folder: it is told of, and the next time what is missing is sent.

mod at_once;
mod aws_settings;
mod error;
mod oci_challenge;
mod oci_logins;
mod oci_manifest;
mod oci_place;
mod oci_registry;
mod oci_upload;
mod place;
mod place_record;
mod programs;
mod rsync_place;
mod s3_answers;
mod s3_bucket;
mod s3_place;
mod s3_upload;
mod send_repository;
mod send_to_places;
mod sending;
mod snapshot;

pub use aws_settings::{AwsFiles, AwsSettings};
pub use error::PlaceError;
pub use oci_logins::OciLogins;
pub use programs::PlacePrograms;
pub use send_to_places::{PlaceRequest, PlaceTools};
