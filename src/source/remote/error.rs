//! Why a file from elsewhere can't be had.

use crate::fetch::FetchError;

/// Why a file from elsewhere can't be had.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RemoteError {
    /// It can't be fetched.
    #[error("`{file}` can't be fetched")]
    #[diagnostic(
        code(forge::source::not_fetched),
        help(
            "what went wrong stands above; where a spec names it, a file of that name beside the spec will do as well"
        )
    )]
    NotFetched {
        /// Its name.
        file: String,
        /// What went wrong.
        #[source]
        #[diagnostic_source]
        source: FetchError,
    },
    /// It is not there, and nothing may be fetched.
    #[error("`{file}` is not in the store, and forge is offline")]
    #[diagnostic(code(forge::source::not_stored), help("run `forge fetch` while the network is there"))]
    NotStored {
        /// Its name.
        file: String,
    },
    /// Nobody has said its checksum, and the lock may not be changed.
    #[error("`{file}` is not in Rpmforge.lock, which may not be changed")]
    #[diagnostic(
        code(forge::source::not_locked),
        help("run forge without `--locked`, look at what it locks, and commit Rpmforge.lock")
    )]
    NotLocked {
        /// Its name.
        file: String,
    },
    /// It is not what the manifest says.
    #[error("`{file}` is another file than its checksum says")]
    #[diagnostic(
        code(forge::source::wrong_checksum),
        help("is the checksum right, or was the file replaced? find out which before you change it")
    )]
    WrongChecksum {
        /// Its name.
        file: String,
        /// What was found.
        #[source]
        #[diagnostic_source]
        source: FetchError,
    },
    /// It is not what a file `sources` says.
    #[error(
        "`{file}` of {package} is not the file that `sources` means: its MD5 is {found}, and should be {wanted}"
    )]
    #[diagnostic(
        code(forge::source::wrong_md5),
        help(
            "there is another file at its address, or in the lookaside cache: is that right, and is `sources` up to date?"
        )
    )]
    WrongMd5 {
        /// The package.
        package: String,
        /// The file.
        file: String,
        /// What `sources` says.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// A line of a file `sources` that makes no sense.
    #[error("{file}:{line}: this line names no file with its checksum")]
    #[diagnostic(
        code(forge::source::sources_line),
        help(
            "each line is `SHA512 (FILE) = CHECKSUM` (SHA384, SHA256 or MD5 do as well) or, in old ones, `MD5  FILE`, with the checksum in \
             hexadecimal digits; it says what the files must be that the spec names by URL"
        )
    )]
    SourcesLine {
        /// The file `sources`, from the folder that its spec is in or below.
        file: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// It is not what the lock says any more.
    #[error("`{file}` is another file than Rpmforge.lock says")]
    #[diagnostic(
        code(forge::source::changed_upstream),
        help(
            "somebody has replaced it under its address: find out why before you believe it; `forge update {package}` takes \
             what is there now"
        )
    )]
    ChangedUpstream {
        /// Its name.
        file: String,
        /// The package that it belongs to.
        package: String,
        /// What was found.
        #[source]
        #[diagnostic_source]
        source: FetchError,
    },
    /// An address that names no file.
    #[error("{address} names no file")]
    #[diagnostic(
        code(forge::source::no_file_name),
        help("builds know sources by their names: add one as a fragment, `{address}#/NAME`")
    )]
    NoFileName {
        /// The address, without its login.
        address: String,
    },
}

impl RemoteError {
    /// The name of the file, where there is one.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::NotFetched { file, .. }
            | Self::NotStored { file }
            | Self::NotLocked { file }
            | Self::WrongChecksum { file, .. }
            | Self::WrongMd5 { file, .. }
            | Self::ChangedUpstream { file, .. } => Some(file),
            Self::SourcesLine { .. } | Self::NoFileName { .. } => None,
        }
    }
}
