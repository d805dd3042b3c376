//! Why a git repository is of no use.

use std::io;

use crate::fetch::FetchError;

/// Why a git repository is of no use.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum GitError {
    /// An address that is none of a git repository.
    #[error("`{address}` is no address of a git repository: {reason}")]
    #[diagnostic(
        code(forge::source::git_address),
        help(
            "`https://HOST/PATH`, `ssh://USER@HOST/PATH`, `USER@HOST:PATH`, `git://HOST/PATH` or `file:///PATH`"
        )
    )]
    Address {
        /// The address, without its login.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that can't be one of a branch or tag.
    #[error("`{revision}` is no name of a branch, a tag or a commit: {reason}")]
    #[diagnostic(
        code(forge::source::git_revision),
        help("git-check-ref-format(1) says which names there can be")
    )]
    Revision {
        /// The name.
        revision: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No such branch, tag or commit.
    #[error("{repository} has no branch, tag or commit `{revision}`")]
    #[diagnostic(
        code(forge::source::git_not_found),
        help(
            "`git ls-remote {repository}` lists its branches and tags; commits are named by their whole 40 digits"
        )
    )]
    NotFound {
        /// The repository.
        repository: String,
        /// What was asked for.
        revision: String,
    },
    /// The server doesn't do what is needed of it.
    #[error("{repository}: {reason}")]
    #[diagnostic(
        code(forge::source::git_server),
        help(
            "is that the address of a repository, and may you read it? `git ls-remote {repository}` asks as forge does"
        )
    )]
    Server {
        /// The repository.
        repository: String,
        /// What it said, or what is wrong with it.
        reason: String,
    },
    /// There is no answer over HTTP.
    #[error("{repository} can't be reached")]
    #[diagnostic(code(forge::source::git_not_reached), help("what went wrong stands below"))]
    NotReached {
        /// The repository.
        repository: String,
        /// What went wrong.
        #[source]
        #[diagnostic_source]
        source: FetchError,
    },
    /// `ssh` or `git-upload-pack` could not be run.
    #[error("{repository}: `{program}` can't be run: {reason}")]
    #[diagnostic(
        code(forge::source::git_program),
        help("install it (packages openssh-clients, git-core), or use https")
    )]
    Program {
        /// The repository.
        repository: String,
        /// The program.
        program: String,
        /// Why.
        reason: String,
    },
    /// A tag that stands for another commit now.
    #[error("{repository}: the tag `{tag}` was moved: Rpmforge.lock has {locked}, and now it is {now}")]
    #[diagnostic(
        code(forge::source::git_moved_tag),
        help(
            "a release doesn't change: ask its makers why, before you believe it. `rev \"{now}\"` in the manifest takes what is \
             there now"
        )
    )]
    MovedTag {
        /// The repository.
        repository: String,
        /// The tag.
        tag: String,
        /// The commit in the lock.
        locked: String,
        /// The commit that it stands for now.
        now: String,
    },
    /// A commit that the server doesn't have any more.
    #[error("{repository} doesn't have the locked commit {locked} any more; `{reference}` is {now} now")]
    #[diagnostic(
        code(forge::source::git_rewritten),
        help(
            "its history was rewritten (`git push --force`): look at what is there now, and take it with `forge update`"
        )
    )]
    Rewritten {
        /// The repository.
        repository: String,
        /// The commit in the lock.
        locked: String,
        /// What was asked for.
        reference: String,
        /// The commit that it stands for now; "nothing".
        now: String,
    },
    /// Not locked, and the lock may not be changed.
    #[error("`{revision}` of {repository} is not in Rpmforge.lock, which may not be changed")]
    #[diagnostic(
        code(forge::source::git_not_locked),
        help("run forge without `--locked`, look at what it locks, and commit Rpmforge.lock")
    )]
    NotLocked {
        /// The repository.
        repository: String,
        /// What was asked for.
        revision: String,
    },
    /// Not there, and nothing may be fetched.
    #[error("`{revision}` of {repository} was not fetched before, and forge is offline")]
    #[diagnostic(code(forge::source::git_offline), help("run `forge fetch` while the network is there"))]
    Offline {
        /// The repository.
        repository: String,
        /// What was asked for.
        revision: String,
    },
    /// A name in the repository that could do harm.
    #[error("{repository} holds `{path}`, which is not written: {reason}")]
    #[diagnostic(
        code(forge::source::git_unsafe_name),
        help("git itself refuses such a repository: was it made to do harm?")
    )]
    UnsafeName {
        /// The repository.
        repository: String,
        /// The path, with odd characters escaped.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A link that leads out of the repository.
    #[error("{repository} holds the link `{path}`, which leads out of it, to `{target}`")]
    #[diagnostic(
        code(forge::source::git_link_out),
        help("what is built must not depend on the machine's own files: remove the link")
    )]
    LinkOut {
        /// The repository.
        repository: String,
        /// The link.
        path: String,
        /// Where it leads.
        target: String,
    },
    /// Two names that are one where case doesn't count.
    #[error("{repository} holds both `{one}` and `{other}`")]
    #[diagnostic(
        code(forge::source::git_case_clash),
        help("they would be one file where upper and lower case don't count; rename one of them")
    )]
    CaseClash {
        /// The repository.
        repository: String,
        /// One.
        one: String,
        /// The other.
        other: String,
    },
    /// More than forge takes.
    #[error("{repository} is too large: {what}")]
    #[diagnostic(
        code(forge::source::git_too_large),
        help("nothing of it was kept: is this the right repository?")
    )]
    TooLarge {
        /// The repository.
        repository: String,
        /// What there is too much of.
        what: String,
    },
    /// A folder or file that isn't there.
    #[error("{repository} has no {what} `{path}` at {commit}")]
    #[diagnostic(
        code(forge::source::git_no_path),
        help("`subdir` and `spec` are relative to the root of the repository")
    )]
    NoPath {
        /// The repository.
        repository: String,
        /// A folder or a file.
        what: &'static str,
        /// The path.
        path: String,
        /// The commit.
        commit: String,
    },
    /// A submodule that can't be taken.
    #[error("{repository}: submodule `{path}`: {reason}")]
    #[diagnostic(
        code(forge::source::git_submodule),
        help("without `submodules=#true` its folder stays empty, as with `git clone`")
    )]
    Submodule {
        /// The repository.
        repository: String,
        /// Its path or name.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The beginning of an id that can't be completed.
    #[error("{repository}: `{revision}` can't be completed to a commit: {reason}")]
    #[diagnostic(
        code(forge::source::git_abbreviated),
        help(
            "if it is the beginning of a commit's id, write all 40 digits: in a clone, `git rev-parse {revision}` prints them"
        )
    )]
    Abbreviated {
        /// The repository.
        repository: String,
        /// What is asked for.
        revision: String,
        /// Why it can't.
        reason: &'static str,
    },
    /// A large file that can't be had.
    #[error("{repository}: the large file `{path}` can't be had: {reason}")]
    #[diagnostic(
        code(forge::source::git_lfs),
        help("without `lfs=#true` the pointer to it is the file, as with a git that has no git-lfs")
    )]
    LargeFile {
        /// The repository.
        repository: String,
        /// Its path.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// What was fetched before is damaged.
    #[error("what was fetched of {repository} is damaged: {reason}")]
    #[diagnostic(code(forge::source::git_damaged), help("remove `{folder}`; it is fetched anew"))]
    Damaged {
        /// The repository.
        repository: String,
        /// Where it is kept.
        folder: String,
        /// What is wrong.
        reason: String,
    },
    /// It was called off.
    #[error("fetching {repository} was canceled")]
    #[diagnostic(code(forge::source::git_canceled), help("run it again"))]
    Canceled {
        /// The repository.
        repository: String,
    },
    /// Files can't be read or written.
    #[error("a git repository can't be kept: {}", crate::files::reason(.0))]
    #[diagnostic(
        code(forge::source::git_io),
        help("is there room on the disk, and may forge write to its cache folder?")
    )]
    Io(#[from] io::Error),
}
