//! Specs that are made from what registries of languages have: PyPI, RubyGems, crates.io, npm.
//!
//! A registry's file is named by its version and checksum in the lock, fetched into the store ([`RegistryAccess`]), and read within
//! limits ([`read_archive`]). What its metadata say becomes a [`MadeSpec`]: the spec, and what lies beside it. Metadata are
//! strangers' texts: whatever gets into a spec goes through [`text`], so that nothing of it is a macro or a line of its own.

mod access;
mod archive;
mod archive_content;
mod bundled;
mod cargo_vendor;
mod error;
mod files;
mod indexes;
mod ini;
mod license;
mod lock;
mod spec_writer;
mod text;
mod zip_archive;

pub use access::{NewerDocument, RegistryAccess, RegistryFile};
pub use archive::{ArchiveFile, read_archive, regular_files};
pub use archive_content::ArchiveContent;
pub use bundled::{BundledPackage, license_list_name, write_bundled_provides, write_license_list};
pub use cargo_vendor::{
    CargoPackage, fetch_crate, find_crate_file, index_folder, license_in_manifest, make_vendor,
    read_cargo_lock, vendor_name, write_cargo_config,
};
pub use error::{MadeSpecError, check_identity};
pub use indexes::{Indexes, MachineSettings, NPM, RUBYGEMS};
pub use ini::{ini_value, read_ini};
pub use license::{UNKNOWN_LICENSE, join_licenses, license_from_classifiers, license_from_text};
pub use lock::{LockedRegistryFile, MadeLock};
pub use spec_writer::SpecWriter;
pub use text::{is_plain_name, is_plain_path, is_plain_url, one_line, paragraphs};

use crate::store::Blob;

/// A spec, and what lies beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeSpec {
    /// The name of the package, which the spec's file has too.
    pub name: String,
    /// The text of the spec.
    pub text: String,
    /// The files that it names as its sources.
    pub sources: Vec<MadeSource>,
}

/// A source of a made spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeSource {
    /// The name of its file.
    pub file: String,
    /// What it has.
    pub blob: Blob,
}

/// What is asked of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRequest {
    /// The name there.
    pub project: String,
    /// The version; without one, the newest that is no prerelease.
    pub version: Option<String>,
    /// The index, if not the one that the machine is set up with.
    pub index: Option<String>,
}
