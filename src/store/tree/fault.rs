//! What a file in a package or an image can be refused for.

use super::limits::{DEEPEST_PATH, LONGEST_NAME, LONGEST_PATH};

/// Why something is not let into a root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// Its path doesn't begin at the root.
    #[error("is no path that begins with `/`")]
    Relative,
    /// Its path has `..`, `.` or nothing between two `/`.
    #[error("has `{0}` in its path")]
    OddPart(String),
    /// Its path, or what it points to, has a character that moves cursors or ends lines.
    #[error("has a control character in its name")]
    ControlCharacter,
    /// What it points to has such a character, or there is nothing.
    #[error("is a link to nothing that a link can point to")]
    OddLink,
    /// Its path is longer or deeper than Linux takes.
    #[error(
        "has a path of more than {LONGEST_PATH} bytes or {DEEPEST_PATH} parts, or a name of more than {LONGEST_NAME} bytes"
    )]
    TooLong,
    /// It is there twice.
    #[error("is there twice")]
    Twice,
    /// It lies below a symbolic link that is there as well.
    #[error("lies below `/{0}`, a link that comes with it")]
    BelowLink(String),
    /// It lies below something that is no folder.
    #[error("lies below `/{0}`, which is no folder")]
    BelowFile(String),
    /// It is a device, a pipe or a socket.
    #[error("is a {0}")]
    Special(&'static str),
    /// The archive has more or less content than the header says.
    #[error("has {archived} bytes, and {listed} by the package's header")]
    Size {
        /// By the header.
        listed: u64,
        /// In the archive.
        archived: u64,
    },
    /// Its content has another digest than the header says.
    #[error("has other content than the package's header says")]
    Digest,
    /// The header's digest is of a kind that is not known.
    #[error("has a digest of a kind that forge doesn't know ({0})")]
    DigestKind(u64),
    /// It points elsewhere than the header says.
    #[error("points elsewhere than the package's header says")]
    Link,
    /// The header lists it, and the archive doesn't have it.
    #[error("is missing in the package's archive")]
    Missing,
    /// Names of one file differ in what is said of them.
    #[error("is a hard link to `{0}`, which is another file by all that is said of it")]
    HardLink(String),
    /// It is a hard link to something that is not there.
    #[error("is a hard link to `{0}`, which is no file that came before it")]
    LinkedToNothing(String),
    /// All files together are more than is unpacked.
    #[error("comes after more than {} GiB of files", .0 >> 30)]
    TooMuch(u64),
}

impl EntryFault {
    /// What to do about it.
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::Relative
            | Self::OddPart(_)
            | Self::ControlCharacter
            | Self::OddLink
            | Self::TooLong
            | Self::Twice
            | Self::BelowLink(_)
            | Self::BelowFile(_)
            | Self::HardLink(_)
            | Self::LinkedToNothing(_) => {
                "no sound package or image is like that, attacks are: nothing of it was kept; take it from a place that you trust, or \
                 leave it out with `exclude`"
            }
            Self::Special(_) => {
                "roots have the devices that forge gives them, and no others: leave the package out with `exclude`"
            }
            Self::Size { .. } | Self::Digest | Self::Link | Self::Missing | Self::TooMuch(_) => {
                "its header and its archive contradict each other: nothing of it was kept; fetch it again from a place that you trust"
            }
            Self::DigestKind(_) => "is there a newer forge?",
        }
    }
}
