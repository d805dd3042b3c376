//! Why something can't be unpacked into the store.

use std::io;

use super::EntryFault;
use crate::package::{PackageError, PayloadError};
use crate::store::StoreError;

/// Why there is no tree of a package or an image.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum TreeError {
    /// A file of it does not belong into a root.
    #[error("{origin}: `{path}` {fault}")]
    #[diagnostic(code(forge::store::refused_file), help("{}", fault.help()))]
    Refused {
        /// The package or image.
        origin: String,
        /// The file, as it is named there.
        path: String,
        /// What is wrong with it.
        fault: EntryFault,
    },
    /// Its headers break rpm's own limits.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Package(#[from] PackageError),
    /// Its archive can't be read.
    #[error("{origin}: {source}")]
    #[diagnostic(
        code(forge::store::broken_archive),
        help(
            "the file is damaged, or made by a program that makes other archives than rpm does; fetch or build it again"
        )
    )]
    Archive {
        /// The package or image.
        origin: String,
        /// What is wrong.
        source: PayloadError,
    },
    /// An image can't be read, or is not what it says.
    #[error("{origin}: {reason}")]
    #[diagnostic(
        code(forge::store::broken_image),
        help(
            "an image is a tarball (compressed with gzip, bzip2, xz, zstd or not at all), a folder, or an OCI layout with its index.json: is it one of these, and whole?"
        )
    )]
    Image {
        /// The image.
        origin: String,
        /// What is wrong.
        reason: String,
    },
    /// An image of several platforms has none for the one that is wanted.
    #[error("{origin} has no image for {wanted}, but {there}")]
    #[diagnostic(
        code(forge::store::no_platform),
        help(
            "`arch` of the chroot says which is wanted, in the words of packages (`aarch64` for linux/arm64, `i686` for linux/386), and is the machine's if it is left out; `digest=\"sha256:…\"` behind the image takes the one of that digest"
        )
    )]
    NoPlatform {
        /// The image.
        origin: String,
        /// The platform, as images call it.
        wanted: String,
        /// Those that it has images for.
        there: String,
    },
    /// The store can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
}

impl From<io::Error> for TreeError {
    fn from(error: io::Error) -> Self {
        Self::Store(error.into())
    }
}

impl TreeError {
    pub(super) fn refused(origin: &str, path: &[u8], fault: EntryFault) -> Self {
        let path = String::from_utf8_lossy(path).escape_debug().to_string();
        Self::Refused { origin: origin.to_owned(), path, fault }
    }
}
