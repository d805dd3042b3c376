//! Why a place is not brought up to date.

use miette::Diagnostic;
use thiserror::Error;

use crate::fetch::FetchError;

/// Why a place is not brought up to date.
#[derive(Debug, Error, Diagnostic)]
pub enum PlaceError {
    /// The folder's last publish was cut off.
    #[error("the repository `{folder}` is not whole: its last publish has not ended")]
    #[diagnostic(
        code(forge::publish::place_unfinished),
        help("`forge apply` brings the folder to its end, and sends it then")
    )]
    Unfinished {
        /// The folder.
        folder: String,
    },
    /// A file of the folder is not what is on record.
    #[error("`{path}` in the repository `{folder}` is not as forge has left it: nothing of it is sent")]
    #[diagnostic(
        code(forge::publish::place_changed_file),
        help("`forge apply --verify-published` puts it right, and sends it then")
    )]
    ChangedFile {
        /// The folder.
        folder: String,
        /// The file.
        path: String,
    },
    /// Another project sends there.
    #[error("the repository there belongs to {owner}")]
    #[diagnostic(
        code(forge::publish::place_foreign),
        help(
            "send to another place; or take this one over with `adopt #true` in `publish`. Several checkouts are one project \
             where `project NAME` stands in the manifest"
        )
    )]
    Foreign {
        /// Whose it is.
        owner: String,
    },
    /// There is a repository, and nothing says whose.
    #[error("there is a repository already, and no record of who sends to it")]
    #[diagnostic(
        code(forge::publish::place_unrecorded),
        help(
            "send to another place; or take this one over with `adopt #true` in `publish`: its `repomd.xml` is replaced then, and \
             none of its files is removed"
        )
    )]
    Unrecorded,
    /// There is a record that can't be believed.
    #[error("the record there of who sends to it is damaged or that of a newer forge")]
    #[diagnostic(
        code(forge::publish::place_damaged_record),
        help(
            "take the place over with `adopt #true` in `publish`: all is sent again, and none of its files is removed"
        )
    )]
    DamagedRecord,
    /// Nothing says who sends.
    #[error("there are no credentials for it{}", .profile.as_ref().map(|profile| format!(" in profile `{profile}`")).unwrap_or_default())]
    #[diagnostic(
        code(forge::publish::place_no_credentials),
        help(
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of `~/.aws/credentials` with `profile` or \
             AWS_PROFILE"
        )
    )]
    NoCredentials {
        /// The profile that was looked for.
        profile: Option<String>,
    },
    /// A setting of this machine can't be used.
    #[error("its address can't be made up: {reason}")]
    #[diagnostic(
        code(forge::publish::place_address),
        help(
            "look at `endpoint`, or at AWS_ENDPOINT_URL and `~/.aws/config`, and at the names of bucket, registry and chroot"
        )
    )]
    Address {
        /// What is wrong.
        reason: String,
    },
    /// The server does not do it.
    #[error("{doing}: the server answers {answer}")]
    #[diagnostic(code(forge::publish::place_refused), help("{help}"))]
    Refused {
        /// What it was asked to do.
        doing: String,
        /// What it said.
        answer: String,
        /// What to look at.
        help: &'static str,
    },
    /// It says what can't be understood.
    #[error("{doing}: the server's answer can't be understood: {reason}")]
    #[diagnostic(
        code(forge::publish::place_answer),
        help("is that the address of a service of buckets, or of a registry?")
    )]
    Answer {
        /// What it was asked to do.
        doing: String,
        /// What is wrong with its answer.
        reason: String,
    },
    /// What was sent is not there.
    #[error("`{path}` was sent, and is not there as it was sent")]
    #[diagnostic(
        code(forge::publish::place_not_arrived),
        help("does something else write to the place? `forge publish` sends again what is missing")
    )]
    NotArrived {
        /// The file.
        path: String,
    },
    /// rsync does not do it.
    #[error("{doing}: rsync ended with code {code}{}", if .said.is_empty() { String::new() } else { format!(": {said}") })]
    #[diagnostic(
        code(forge::publish::place_rsync),
        help(
            "is rsync installed here and there (3.2.3 or newer here), and may you write there? Try `rsync --list-only` with the place; forge \
             asks for no password: ssh needs a key, and a daemon RSYNC_PASSWORD"
        )
    )]
    Rsync {
        /// What it was asked to do.
        doing: &'static str,
        /// Its exit code.
        code: i32,
        /// What it said.
        said: String,
    },
    /// A program can't be run.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Process(#[from] crate::process::ProcessError),
    /// There is no answer.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fetch(#[from] FetchError),
    /// The folder can't be read.
    #[error("{}", crate::files::reason(.0))]
    #[diagnostic(code(forge::publish::place_io), help("may forge read the repository's folder?"))]
    Io(#[from] std::io::Error),
    /// The folder is in use.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Publish(#[from] crate::publish::PublishError),
    /// It was called off.
    #[error("it was interrupted")]
    #[diagnostic(
        code(forge::publish::place_canceled),
        help("`forge publish` goes on where this has stopped; clients see what was there before")
    )]
    Canceled,
}
