//! Where packages come from → verified files.
//!
//! A package's [`Origin`] is its spec and the folder that the spec lies in; its [inputs](InputFile) are the files that
//! the spec names. Sources that have to be fetched from elsewhere come later.

mod input;
mod origin;

pub use input::{InputFile, inputs};
pub use origin::{Origin, locate};

use std::io;

use crate::package::PackageError;
use crate::store::StoreError;

/// Why a package's source is of no use.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SourceError {
    /// A kind of source that this forge can't take yet.
    #[error("`source {kind}` is not carried out by this version of forge")]
    #[diagnostic(
        code(forge::source::not_yet),
        help("put spec and sources into the repository and use `source path`")
    )]
    NotYet {
        /// The kind.
        kind: String,
    },
    /// A file that the spec names is nowhere.
    #[error("the spec of package `{package}` needs `{file}`, which is not there")]
    #[diagnostic(code(forge::source::missing))]
    Missing {
        /// The package.
        package: String,
        /// The file.
        file: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// A file has another checksum than the manifest says.
    #[error("`{file}` is not the file that the manifest means: its SHA-256 is {found}")]
    #[diagnostic(
        code(forge::source::checksum),
        help("was it damaged on its way, or replaced? the manifest says {wanted}")
    )]
    Checksum {
        /// The file.
        file: String,
        /// What the manifest says.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// A `file` pattern that nothing matches.
    #[error("no file matches `{pattern}`")]
    #[diagnostic(
        code(forge::source::no_file),
        help(
            "it is relative to the file of the manifest that says it; what makes the file: a build, a download?"
        )
    )]
    NoFile {
        /// The pattern.
        pattern: String,
    },
    /// Two files of one name.
    #[error("both `{one}` and `{other}` would be the source `{name}`")]
    #[diagnostic(
        code(forge::source::ambiguous),
        help("a spec knows its sources by their file names: keep one of the two")
    )]
    Ambiguous {
        /// The name.
        name: String,
        /// One.
        one: String,
        /// The other.
        other: String,
    },
    /// A source package without a spec.
    #[error("`{file}` holds no spec")]
    #[diagnostic(
        code(forge::source::no_spec),
        help("is it a source package? `rpm -qpl FILE` lists what is in it")
    )]
    NoSpec {
        /// The file.
        file: String,
    },
    /// A package that can't be unpacked.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Package(#[from] PackageError),
    /// The store can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// A file can't be read.
    #[error("{}", crate::files::reason(.0))]
    #[diagnostic(code(forge::source::io), help("may forge read it?"))]
    Io(#[from] io::Error),
}
