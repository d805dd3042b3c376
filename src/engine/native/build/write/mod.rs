//! Packages are written: what their headers say of their files, their payloads, their names, their signatures.

mod header;
mod packages;
mod packing;
mod payload;
mod script_texts;
mod sign;

pub(super) use header::{set_classes, set_file_dependencies, set_files};
pub(super) use packages::{BuildMarks, read_signature_digest, write_binaries, write_source};
pub(super) use packing::{Packing, start_packing};
pub(super) use script_texts::set_scripts;
