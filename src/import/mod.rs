//! What other tools say of roots and packages → KDL of a manifest.
//!
//! mock's configurations are programs in Python. They are never run: what they consist of nearly always, assignments of
//! literals to `config_opts`, `include` and templates of Jinja in the values, is read, and what is more than that is listed.
//! Nothing is left out in silence: what has no counterpart here is a [note](Imported::notes), which stands in the text too.

#![warn(clippy::wildcard_enum_match_arm)]

mod anda;
mod dnf_options;
mod error;
mod ini;
mod kdl_text;
mod mock;
mod mock_files;
mod options;
mod python;
mod python_expression;
mod python_tokens;
mod repository;
mod template;

pub use anda::import_anda;
pub use error::ImportError;
pub use mock::import_mock;
pub use repository::import_repositories;

/// What was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Nodes of a manifest.
    pub text: String,
    /// What has no counterpart, or has to be looked at, a sentence each.
    pub notes: Vec<String>,
}
