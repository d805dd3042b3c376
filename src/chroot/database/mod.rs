//! The package database of a root, written without running anything in it: `rpmdb.sqlite`, as rpm 4.16 and later have it.
//!
//! It is a database of SQLite with a table `Packages` (`hnum`, the package's number, and `blob`, its
//! [header](crate::package::Headers::encode_installed)) and a table for each of 18 tags, in which packages are looked up:
//! `key` (a text or, of numbers and bytes, a blob), `hnum`, and `idx`, the place among the tag's values. Packages have their
//! numbers in the order in which they were installed. The same packages give the same bytes: the time of installation is
//! given, and rows come before indices. It is left in the state that rpm calls parked, without a write-ahead log beside
//! it, so that it can be read where nobody can write.
//!
//! Roots whose rpm has another kind of database get a [list of headers](write_header_list), which their own rpm
//! [reads](plan_import).

mod header_list;
mod index;
mod installed;
mod kind;
mod read;
mod rich_names;
mod states;
mod write;

pub use header_list::{plan_import, write_header_list};
pub use installed::{InstallTransaction, InstalledPackage};
pub use kind::{DatabaseFormat, DatabaseKind, MACRO_FILES};
pub use read::read_database;
pub(crate) use rich_names::read_rich;
pub use states::{FileState, file_states};
pub use write::write_database;

/// Why a package database can't be made.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum DatabaseError {
    /// A package is of a kind that no database takes as it is.
    #[error("{package} has no immutable header: rpm's database can't hold it as it is")]
    #[diagnostic(
        code(forge::chroot::database_header),
        help("it was built by an rpm older than 4.0: rebuild it, or leave it out of the root")
    )]
    Header {
        /// The package: `name-version-release`.
        package: String,
    },
    /// SQLite refuses.
    #[error("the root's package database can't be written: {0}")]
    #[diagnostic(
        code(forge::chroot::database_write),
        help("is there memory enough? a database that was begun by another program may be damaged")
    )]
    Write(#[from] rusqlite::Error),
}
