//! The one HTTP client of the program: files come from mirrors into a [folder](crate::files::Folder), and are checked
//! while they come.
//!
//! A [`Download`] says where a file can be had (`https`, `http`, `file`), what is known of it beforehand (its size, its
//! checksum, how much it may be at most) and the [`Client`] tries its addresses one after the other: one that stalls, is too
//! slow, ends early, sends something else or more than was said is left for the next. A download that was cut goes on where
//! it stopped if the server can say that the file is still the same (RFC 9110, sections 13.1.5 and 14.2). What doesn't hold
//! to what was said of it never gets its name.
//!
//! Names are resolved without the C library, so that forge stays one static binary. Neither messages nor names of files
//! hold the user or the password of an address.

mod address;
mod answers;
mod attempts;
mod client;
mod content_type;
mod download;
mod equipment;
mod error;
mod exchange;
mod hosts;
mod local;
mod logins;
mod netrc;
mod partial;
mod progress;
mod proxies;
mod redirect;
mod retry_after;
mod settings;
mod signed_request;
mod speed;
mod token;
mod transfer;

pub use address::{Address, AddressScheme, without_login};
pub use client::{Client, Downloads};
pub use content_type::content_type;
pub use download::{Download, DownloadOutcome, Downloaded, Validators};
pub use error::FetchError;
pub use exchange::{Question, QuestionWeight, Reply};
pub use logins::Logins;
pub use netrc::Netrc;
pub use progress::Progress;
pub use proxies::Proxies;
pub use settings::ClientSettings;
pub use signed_request::{RequestMethod, SignedReply, SignedRequest};
pub use token::{BearerToken, TokenProblem, TokenScope};
