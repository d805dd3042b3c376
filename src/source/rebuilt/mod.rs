//! Source packages that somebody has made before: those that a repository ships (`source repo`), and those of earlier builds of the
//! project (`source build`).

mod error;
mod past_build;
mod repository;
mod shelves;

pub use error::RebuiltError;
pub(super) use past_build::gather as gather_past_build;
pub(super) use repository::{
    PublishedRequest, find_newest, gather as gather_published, is_newer_version, locked_version,
};
pub use shelves::{BuiltSource, BuiltSources, ChrootRepository, SourceShelves};
