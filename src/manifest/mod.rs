//! `Rpmforge.kdl`: KDL text → [`Manifest`]. Every mistake of every file is reported in one run, at its place.
//!
//! The way: text → nodes (`syntax`), the nodes against the [grammar], nodes → [declarations](declaration) with their
//! places, declarations → [manifest](resolved) with every name and pattern applied.

mod check;
pub mod declaration;
mod environment;
mod format;
pub mod grammar;
mod limits;
mod load;
mod manifest_path;
mod nesting;
mod pieces;
mod problem;
mod read;
mod read_root;
mod resolve;
mod resolve_batch;
mod resolve_root;
mod resolve_source;
pub mod resolved;
pub mod rules;
mod schema;
mod start;
mod syntax;
mod values;

pub use environment::Environment;
pub use format::format;
pub use load::{MANIFEST_FILE, ManifestErrors, load, manifest_files};
pub use manifest_path::ManifestPath;
pub use problem::{ManifestError, Problem};
pub use resolved::{Batch, BatchId, Chroot, ChrootId, Manifest, Package, PackageId, RootBase};
pub use schema::{reference, schema};
pub use start::first_manifest;
