//! The .rpm file: what it says of itself, its dependencies, its content's digest, and the records of it that
//! repository metadata hold.

#![warn(clippy::wildcard_enum_match_arm)]
#![deny(clippy::indexing_slicing)]

mod check;
mod compress;
mod content;
mod cpio;
mod cpio_reader;
mod decode;
mod dependency;
mod difference;
mod encode;
mod evr;
mod files;
mod header;
mod installed;
mod lead;
mod limits;
mod payload;
mod query;
mod record;
mod rich;
mod search;
pub mod signing;
mod tag;
mod unpack;
mod write;

use std::io::Read;

pub use check::{HeaderError, check};
pub use compress::{Compression, Compressor, PayloadFlags, decompressed};
pub use content::content_digest;
pub use cpio::{ArchiveEntry, ArchiveWriter};
pub use cpio_reader::{ArchiveHead, ArchiveReader};
pub use decode::{Headers, decode_header, read_headers};
pub use dependency::{Comparison, Dependency};
pub use difference::{
    AttributeChange, Compared, ContentChange, DependencyChange, Difference, DifferenceError, FileChange,
    FileChanges, PayloadChange, ScriptChange, TagChange, add_contents, difference,
};
pub use evr::Evr;
pub use files::{PackageFile, package_files};
pub use header::{Header, Item, Value};
pub use payload::{ArchivedFile, PayloadError, PayloadReader};
pub use query::{QueryFormat, QueryProblem, Surroundings};
pub use record::{ForbiddenCharacter, Location, PackageRecord, Relation, RepositoryKind};
pub use rich::{Capability, Operator, Rich};
pub use search::{SearchScope, search_package};
pub use tag::{Kind, Tag};
pub use unpack::{unpack, unpack_at_most};
pub use write::{
    Archive, Format, PackedPayload, Payload, PayloadContent, PayloadFile, Unwritten, hex, write_package,
};

/// Why a package can't be read or used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PackageError {
    /// Its headers break rpm's own limits.
    #[error("{file}: {source}")]
    #[diagnostic(
        code(forge::package::header),
        help("the file is damaged or not an RPM package; build or fetch it again")
    )]
    Header {
        /// The package file.
        file: String,
        /// What is wrong.
        source: HeaderError,
    },
    /// What its headers or its payload say makes no sense.
    #[error("{file}: {reason}")]
    #[diagnostic(
        code(forge::package::content),
        help("the file is damaged or not an RPM package; build or fetch it again")
    )]
    Content {
        /// The package file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// Its payload goes on where it should have ended.
    #[error("{file}: its files have more than the {bytes} bytes that its header speaks of")]
    #[diagnostic(
        code(forge::package::too_much),
        help(
            "its header and its payload contradict each other: nothing of it was kept; fetch it again from a place that you trust"
        )
    )]
    TooMuch {
        /// The package file.
        file: String,
        /// How many there may be.
        bytes: u64,
    },
    /// It can't be read, or what is in it can't be written.
    #[error("{file}: {}", crate::files::reason(source))]
    #[diagnostic(
        code(forge::package::io),
        help("is there room on the disk, and may forge read and write there?")
    )]
    Io {
        /// The package file.
        file: String,
        /// What went wrong.
        source: std::io::Error,
    },
}

/// Reads a package's headers after [checking](check) them; `reader` stands at the payload afterwards. `file` names it in errors.
///
/// # Errors
/// [`PackageError::Header`]
pub fn read_headers_of(file: &str, reader: &mut impl Read) -> Result<Headers, PackageError> {
    read_headers(reader).map_err(|source| PackageError::Header { file: file.to_owned(), source })
}

/// `[epoch:]version-release` of `name-[epoch:]version-release.arch`.
pub fn version_of_nevra(nevra: &str) -> Option<String> {
    let (rest, _) = nevra.rsplit_once('.')?;
    let mut parts = rest.rsplitn(3, '-');
    let (release, version) = (parts.next()?, parts.next()?);
    parts.next().map(|_| format!("{version}-{release}"))
}

fn content_error(file: &str, error: &rpm::Error) -> PackageError {
    PackageError::Content { file: file.to_owned(), reason: error.to_string() }
}
