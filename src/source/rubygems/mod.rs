//! Packages of Ruby's: gems, from RubyGems or an index like it.
//!
//! The index lists the versions of a gem with the checksums of their files (the compact index, `info/NAME`). A gem is a tar archive of
//! `metadata.gz`, its specification as YAML, and `data.tar.gz`, its files. The spec is as Fedora's guidelines and gem2rpm have it.

mod gather;
mod index;
mod metadata;
mod package;
mod spec;
mod yaml;

pub use gather::{find_gem, gather, make_spec};
pub use index::{GemVersion, choose, compare};
pub use metadata::Gem;
pub use package::read_gem;
pub use spec::write_spec;
pub use yaml::{Yaml, read_yaml};
