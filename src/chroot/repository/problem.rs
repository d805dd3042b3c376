//! What is wrong with a file of metadata, before it is known which file that is.

use super::error::RepositoryError;
use crate::digest::ChecksumError;
use crate::signature::SignatureProblem;

/// What is wrong with a file of metadata.
#[derive(Debug)]
pub(super) enum MetadataProblem {
    /// It is not what it should be.
    Malformed(String),
    /// There is too much of something.
    TooLarge { what: String, most: u64 },
    /// It defines something.
    Entities(String),
    /// A checksum that proves nothing.
    WeakChecksum(String),
    /// A name that could lead elsewhere.
    Name { what: &'static str, text: String },
    /// Two files for one package.
    Twice(String),
}

/// Which file of which repository.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileOf<'a> {
    pub repository: &'a str,
    pub file: &'a str,
}

impl MetadataProblem {
    pub fn malformed(reason: impl Into<String>) -> Self {
        Self::Malformed(reason.into())
    }

    /// The error that it is in a file.
    pub fn of(self, place: FileOf<'_>) -> RepositoryError {
        let (repository, file) = (place.repository.to_owned(), place.file.to_owned());
        match self {
            Self::Malformed(reason) => RepositoryError::Metadata { repository, file, reason },
            Self::TooLarge { what, most } => RepositoryError::TooLarge { repository, file, what, most },
            Self::Entities(what) => RepositoryError::Entities { repository, file, what },
            Self::WeakChecksum(checksum) => RepositoryError::WeakChecksum { repository, file, checksum },
            Self::Name { what, text } => {
                let text = text.escape_debug().to_string();
                RepositoryError::Name { repository, file, what: what.to_owned(), text }
            }
            Self::Twice(nevra) => RepositoryError::Twice { repository, nevra },
        }
    }
}

impl From<ChecksumError> for MetadataProblem {
    fn from(error: ChecksumError) -> Self {
        Self::WeakChecksum(error.text.escape_debug().to_string())
    }
}

/// The error that what is wrong with a signature is with a file.
pub(super) fn signature_error(problem: SignatureProblem, place: FileOf<'_>) -> RepositoryError {
    let (repository, file) = (place.repository.to_owned(), place.file.to_owned());
    match problem {
        SignatureProblem::Missing => RepositoryError::NotSigned { repository, file },
        SignatureProblem::Wrong(reason) => RepositoryError::WrongSignature { repository, file, reason },
        SignatureProblem::Undeclared(key) => RepositoryError::UndeclaredKey { repository, file, key },
        SignatureProblem::Expired { key, on } => RepositoryError::ExpiredKey { repository, file, key, on },
        SignatureProblem::Revoked(key) => RepositoryError::RevokedKey { repository, file, key },
    }
}
