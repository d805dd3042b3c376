//! Programs in Rust, from crates.io or an index like it.
//!
//! The index has a file for each crate with a line of JSON for each version (the sparse index). The crates that a program is built
//! with are those of the `Cargo.lock` in its own file: they are fetched by their checksums, and become one archive beside it.

mod gather;
mod index;
mod manifest;
mod spec;

pub use gather::{CratesRequest, find_crate, gather, make_spec};
pub use index::choose;
pub use manifest::CrateManifest;
pub use spec::write_spec;
