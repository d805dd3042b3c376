//! What can go wrong with downloads.

use std::io;

use crate::digest::Checksum;

/// Why a file could not be had.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum FetchError {
    /// It is no URL.
    #[error("`{address}` is no address to fetch from: {reason}")]
    #[diagnostic(
        code(forge::fetch::address),
        help("an address is a whole URL: `https://mirror.example/path/`")
    )]
    Address {
        /// What was written, without a login.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// Another protocol.
    #[error("{address}: forge does not fetch by `{scheme}`")]
    #[diagnostic(
        code(forge::fetch::scheme),
        help("it fetches by `https`, `http` and `file`: most servers have one of these, too")
    )]
    Scheme {
        /// The address.
        address: String,
        /// The protocol.
        scheme: String,
    },
    /// A proxy that can't be used.
    #[error("`{variable}` names no proxy that can be used: {reason}")]
    #[diagnostic(code(forge::fetch::proxy), help("set {variable} to the URL of an HTTP proxy, or unset it"))]
    Proxy {
        /// The variable of the environment.
        variable: String,
        /// What is wrong.
        reason: String,
    },
    /// The server said no.
    #[error("{address}: the server answers {status}")]
    #[diagnostic(
        code(forge::fetch::status),
        help("is the address right? Try it with `curl -I`; a server that is overloaded answers again later")
    )]
    Status {
        /// The address.
        address: String,
        /// The status code with its words.
        status: String,
    },
    /// The token that it should be asked with is not known.
    #[error("{address}: the environment variable `{variable}`, which has the token for it, is not set")]
    #[diagnostic(
        code(forge::fetch::unset_token),
        help("set it where forge is started; what is in the store already needs no token")
    )]
    UnsetToken {
        /// The address.
        address: String,
        /// The variable that the manifest names.
        variable: String,
    },
    /// The server wants to be left alone for longer than forge waits.
    #[error("{address}: the server answers {status}, and wants to be asked again in {seconds} seconds")]
    #[diagnostic(
        code(forge::fetch::retry_later),
        help("it limits how much it is asked: run forge again then; what came is kept")
    )]
    RetryLater {
        /// The address.
        address: String,
        /// The status code with its words.
        status: String,
        /// For how long, in seconds.
        seconds: u64,
    },
    /// There is no such file on this machine.
    #[error("{address}: {}", crate::files::reason(source))]
    #[diagnostic(code(forge::fetch::local), help("is the path right, and may forge read the file?"))]
    Local {
        /// The address.
        address: String,
        /// What went wrong.
        source: io::Error,
    },
    /// No connection, or one that broke.
    #[error("{address}: {reason}")]
    #[diagnostic(
        code(forge::fetch::connection),
        help(
            "is the network there, and the name of the server right? Behind a proxy, set https_proxy and http_proxy"
        )
    )]
    Connection {
        /// The address.
        address: String,
        /// What went wrong.
        reason: String,
    },
    /// Nothing comes, or too little.
    #[error("{address}: only {bytes} bytes came in {seconds} seconds")]
    #[diagnostic(
        code(forge::fetch::slow),
        help("the server stalls: try again later, or name another mirror beside it")
    )]
    Slow {
        /// The address.
        address: String,
        /// How many bytes came.
        bytes: u64,
        /// In how many seconds.
        seconds: u64,
    },
    /// It has another size than was said of it.
    #[error("{address}: it has {found} bytes, and should have {expected}")]
    #[diagnostic(
        code(forge::fetch::length),
        help("the mirror has another file, or is being updated: try again later, or name another mirror")
    )]
    Length {
        /// The address.
        address: String,
        /// How many bytes it should have.
        expected: u64,
        /// How many the server says, or sent.
        found: u64,
    },
    /// It goes on and on.
    #[error("{address}: it is larger than the {most} bytes that such a file may have")]
    #[diagnostic(code(forge::fetch::too_large), help("nothing of it was kept: is this the right address?"))]
    TooLarge {
        /// The address.
        address: String,
        /// How many there may be.
        most: u64,
    },
    /// It has another checksum than was said of it.
    #[error("{address}: its checksum is {found}, and should be {expected}")]
    #[diagnostic(
        code(forge::fetch::checksum),
        help(
            "the mirror has another file, or somebody has changed it: nothing of it was kept; name another mirror, or try again when it is in step"
        )
    )]
    WrongChecksum {
        /// The address.
        address: String,
        /// What was said.
        expected: Box<Checksum>,
        /// What came.
        found: Box<Checksum>,
    },
    /// The server leads elsewhere, and forge doesn't follow.
    #[error("{address}: the server leads elsewhere: {reason}")]
    #[diagnostic(code(forge::fetch::redirect), help("name the address that it should lead to"))]
    Redirect {
        /// The address.
        address: String,
        /// Why that is not followed.
        reason: String,
    },
    /// None of several addresses had it.
    #[error("none of its {} mirrors has it", .attempts.len())]
    #[diagnostic(code(forge::fetch::no_mirror), help("what each of them said stands below"))]
    NoMirror {
        /// What the mirrors said last.
        #[related]
        attempts: Vec<FetchError>,
    },
    /// There is no address at all.
    #[error("there is no address to fetch it from")]
    #[diagnostic(code(forge::fetch::no_address), help("name one"))]
    NoAddress,
    /// It was called off.
    #[error("the download was canceled")]
    #[diagnostic(code(forge::fetch::canceled), help("run it again: what came so far is kept"))]
    Canceled,
    /// What comes can't be written.
    #[error("what is fetched can't be written: {}", crate::files::reason(.0))]
    #[diagnostic(
        code(forge::fetch::io),
        help("is there room on the disk, and may forge write to its cache folder?")
    )]
    Io(#[from] io::Error),
    /// The client can't be set up.
    #[error("forge can't fetch anything: {reason}")]
    #[diagnostic(
        code(forge::fetch::client),
        help("are the machine's certificates in order? SSL_CERT_FILE can name others")
    )]
    Client {
        /// What went wrong.
        reason: String,
    },
}

/// What may be done after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recovery {
    /// The same address may do better a moment later.
    SameAddress,
    /// Only another address can help.
    OtherAddress,
    /// Nothing helps.
    GiveUp,
}

impl FetchError {
    /// Whether there is no such file at any of its addresses.
    pub fn is_missing_file(&self) -> bool {
        match self {
            Self::Status { status, .. } => NO_SUCH_FILE.iter().any(|code| status.starts_with(code)),
            Self::Local { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::NoMirror { attempts } => attempts.iter().all(Self::is_missing_file),
            Self::Address { .. }
            | Self::Scheme { .. }
            | Self::Proxy { .. }
            | Self::UnsetToken { .. }
            | Self::RetryLater { .. }
            | Self::Connection { .. }
            | Self::Slow { .. }
            | Self::Length { .. }
            | Self::TooLarge { .. }
            | Self::WrongChecksum { .. }
            | Self::Redirect { .. }
            | Self::NoAddress
            | Self::Canceled
            | Self::Io(_)
            | Self::Client { .. } => false,
        }
    }

    /// What may be done after it.
    pub(super) fn recovery(&self) -> Recovery {
        match self {
            Self::Connection { .. } | Self::Slow { .. } | Self::Length { .. } => Recovery::SameAddress,
            Self::Status { status, .. } if is_passing(status) => Recovery::SameAddress,
            Self::Status { .. }
            | Self::UnsetToken { .. }
            | Self::RetryLater { .. }
            | Self::Local { .. }
            | Self::TooLarge { .. }
            | Self::WrongChecksum { .. }
            | Self::Redirect { .. }
            | Self::Address { .. }
            | Self::Scheme { .. } => Recovery::OtherAddress,
            Self::Proxy { .. }
            | Self::NoMirror { .. }
            | Self::NoAddress
            | Self::Canceled
            | Self::Io(_)
            | Self::Client { .. } => Recovery::GiveUp,
        }
    }
}

/// The codes of servers that have no such file.
const NO_SUCH_FILE: [&str; 3] = ["403", "404", "410"];

/// Whether a status says that the server has trouble now, and not that there is no such file.
fn is_passing(status: &str) -> bool {
    ["408", "425", "429", "5"].iter().any(|code| status.starts_with(code))
}
