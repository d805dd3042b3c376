//! Packages of Node's, from npm or a registry like it.
//!
//! What a package needs in production is built in: versions are resolved as npm does it, each dependency lies as far up as it can
//! ([`Resolved`]), and all are locked by their integrity. Development dependencies, optional ones (which are mostly programs for one kind of
//! machine) and scripts of installation are none of it.

mod bundle;
mod gather;
mod package;
mod registry;
mod resolve;
mod spec;

pub use bundle::PlacedPackage;
pub use gather::{ResolvedPackage, gather, make_spec, resolve_package};
pub use package::NpmPackage;
pub use registry::{NpmRegistry, RegistryDocument, RegistryVersion, is_package_name};
pub use resolve::{Resolved, choose, resolve};
pub use spec::{NpmSpecSettings, write_spec};
