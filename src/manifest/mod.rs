//! `Rpmforge.kdl`: KDL text → [`Manifest`]. Every mistake of every file is reported in one run, at its place.
//!
//! The way: text → nodes (`syntax`), the nodes against the [grammar], nodes → [declarations](declaration) with their
//! places, declarations → [manifest](resolved) with every name and pattern applied: `resolve` collects the names and calls
//! `resolve_…` once for each kind.

#![warn(clippy::wildcard_enum_match_arm)]

mod build_limits;
mod check;
mod choices;
mod circle;
pub mod declaration;
mod environment;
pub mod examples;
mod format;
pub mod grammar;
mod ids;
mod keep;
mod layer;
mod limits;
mod load;
mod manifest_path;
mod mistakes;
pub mod multilib;
mod names;
mod nesting;
mod not_yet;
mod options;
mod pieces;
mod place_address;
mod problem;
mod profile;
mod read;
mod read_making;
mod read_options;
mod read_place;
mod read_repository;
mod read_root;
mod read_token;
mod read_upstream;
mod reference;
mod resolve;
mod resolve_batch;
mod resolve_defaults;
mod resolve_like;
mod resolve_package;
mod resolve_pattern;
mod resolve_profile;
mod resolve_project;
mod resolve_publish;
mod resolve_rebuild;
mod resolve_root;
mod resolve_source;
pub mod resolved;
mod resolver;
pub mod rules;
mod schema;
mod size;
mod source_files;
mod source_rules;
mod spec_text;
mod start;
mod syntax;
mod values;
mod without_sandbox;

pub use build_limits::BuildLimits;
pub use environment::Environment;
pub use format::format;
pub use keep::{Age, KeepDecl};
pub use layer::{BuildSettings, Layer, OnChroots, PlacedMacro};
pub use load::{MANIFEST_FILE, ManifestErrors, load, load_text, manifest_files};
pub use manifest_path::ManifestPath;
pub use names::find_spec_name;
pub use not_yet::{NotYetSupported, not_yet, warnings as not_yet_warnings};
pub use place_address::{PlaceAddress, PlaceDecl};
pub(crate) use place_address::{is_oci_name, is_oci_tag};
pub use problem::{ManifestError, ManifestProblem};
pub use profile::Profile;
pub use reference::reference;
pub use resolved::{Batch, BatchId, Chroot, ChrootId, Manifest, Package, PackageId, RootBase};
pub use schema::schema;
pub use source_files::{is_source_file, tarball_stem};
pub use start::{first_manifest, missing_ignores};
pub use without_sandbox::NeedsSandbox;
