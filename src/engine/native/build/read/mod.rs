//! What a build reads before anything is packaged: its input where that is no spec, what the root has of what it needs, and
//! the parts of the spec that the build itself writes.

mod database;
mod input;
mod installed;
mod parts;
mod requirements;

pub use input::{extract_spec, install_source_package};
pub(super) use parts::read_parts;
pub(super) use requirements::{add_generated, find_missing};

pub(crate) use installed::find_installed;
