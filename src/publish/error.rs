//! Why a repository can't be brought up to date.

use miette::Diagnostic;
use thiserror::Error;

use crate::package::PackageError;
use crate::package::signing::SigningError;
use crate::store::StoreError;
use crate::text::Located;

/// Why a repository can't be brought up to date.
#[derive(Debug, Error, Diagnostic)]
pub enum PublishError {
    /// The store can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// A package can't be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Package(#[from] PackageError),
    /// It can't be signed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Signing(#[from] SigningError),
    /// A package says what no metadata can hold: with it, no client could read any package of the repository.
    #[error("`{file}` has {what}, which the XML of repository metadata can't hold")]
    #[diagnostic(
        code(forge::publish::unlistable),
        help(
            "take it out of the spec, then run `forge apply` again; an earlier version of the package stays published"
        )
    )]
    Unlistable {
        /// The package file.
        file: String,
        /// The character and where it is.
        what: String,
    },
    /// An update would leave something without what it needs.
    #[error("{broken}: {}", match .stays { true => "the package stays as it was", false => "the package waits" })]
    #[diagnostic(
        code(forge::publish::held),
        help(
            "build what needs it anew, or what it needs, with the next `forge apply`; `broken warn` in `publish` lets it in all \
             the same"
        )
    )]
    Held {
        /// What would be broken, in words.
        broken: String,
        /// Whether an earlier version is published.
        stays: bool,
    },
    /// The repository's folder is not forge's to write to.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Refused(#[from] Refusal),
    /// The same, at the `publish` that names the folder.
    #[error(transparent)]
    #[diagnostic(transparent)]
    RefusedAt(Located<Refusal>),
    /// The repository's folder can't be written.
    #[error("{}", crate::files::reason(.0))]
    #[diagnostic(
        code(forge::publish::io),
        help("is there room on the disk, and may forge write to the repository's folder?")
    )]
    Io(#[from] std::io::Error),
    /// A file of groups or advisories is none that clients could read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    WrongMetadata(Located<WrongMetadata>),
    /// There are more files than a record can hold.
    #[error("the repository's record would have {bytes} bytes; {limit} are the most that it may have")]
    #[diagnostic(
        code(forge::publish::too_much),
        help("publish to several repositories: a manifest each for a part of the packages")
    )]
    TooMuch {
        /// How large it would be.
        bytes: u64,
        /// How large it may be.
        limit: u64,
    },
}

/// What is wrong with a file that is to be published as it is.
#[derive(Debug, Error, Diagnostic)]
#[error("`{path}` {reason}")]
#[diagnostic(
    code(forge::publish::wrong_metadata),
    help(
        "`comps` names a file whose root is `<comps>` (comps.xml), `updateinfo` one whose root is `<updates>` (updateinfo.xml); nothing \
         is published until it is mended"
    )
)]
pub struct WrongMetadata {
    /// The file, as the manifest says it.
    pub path: String,
    /// What is wrong: "is not well-formed: …".
    pub reason: String,
}

/// Why forge leaves a folder as it is.
#[derive(Debug, Error, Diagnostic)]
pub enum Refusal {
    /// Another project publishes there.
    #[error("the repository `{folder}` belongs to {owner}")]
    #[diagnostic(
        code(forge::publish::foreign),
        help(
            "publish to another folder; or take this one over with `adopt #true` in `publish`: what it holds \
             and this manifest does not declare leaves it then. Several checkouts are one project where \
             `project NAME` stands in the manifest"
        )
    )]
    Foreign {
        /// The folder.
        folder: String,
        /// Whose it is.
        owner: String,
    },
    /// A project without a name publishes there, from where this one lies.
    #[error(
        "whether the repository `{folder}` of {owner} is this project's can't be known: it holds `{package}`, which this \
         manifest does not declare, and `.forge` has no copy of its record"
    )]
    #[diagnostic(
        code(forge::publish::unidentified),
        help(
            "where it is another project's, publish to another folder; where it is this one's, say so once with `adopt #true` \
             in `publish`: what this manifest does not declare leaves it then. `project NAME` in the manifest makes a project \
             known in every checkout"
        )
    )]
    Unidentified {
        /// The folder.
        folder: String,
        /// Whose it is.
        owner: String,
        /// A package that it holds.
        package: String,
    },
    /// Two chroots would publish to one folder.
    #[error(
        "the repository `{folder}` of chroot `{chroot}` is the folder that chroot `{other}` publishes to"
    )]
    #[diagnostic(
        code(forge::publish::two_chroots),
        help(
            "give each chroot a folder of its own: the folder of one may be a link to the other's, or mounted there"
        )
    )]
    TwoChroots {
        /// The folder.
        folder: String,
        /// The chroot that would publish there.
        chroot: String,
        /// The one that does.
        other: String,
    },
    /// The record is of an earlier time, and what has been published since can't be found out.
    #[error(
        "the record of the repository `{folder}` is older than its metadata, and what these say of `{path}` can't be had"
    )]
    #[diagnostic(
        code(forge::publish::outdated_record),
        help(
            "put the newest `.forge-repository` back from a backup; or set `adopt #true` in `publish`: the packages in it that \
             forge has published for this manifest stay, all others are no longer in its metadata; no file is removed"
        )
    )]
    OutdatedRecord {
        /// The folder.
        folder: String,
        /// The file, relative to the folder.
        path: String,
    },
    /// The folder is for something else.
    #[error("`{folder}` is no folder to publish to: it is {what}")]
    #[diagnostic(code(forge::publish::taken_folder), help("publish to a folder of its own"))]
    TakenFolder {
        /// The folder.
        folder: String,
        /// What it is.
        what: &'static str,
    },
    /// There is a repository, and nothing says whose.
    #[error("`{folder}` holds a repository, and there is no record of who publishes to it")]
    #[diagnostic(
        code(forge::publish::unrecorded),
        help(
            "publish to another folder; or take this one over with `adopt #true` in `publish`: the packages in it \
             that forge has published for this manifest stay, all others are no longer in its metadata; no file is removed"
        )
    )]
    Unrecorded {
        /// The folder.
        folder: String,
    },
    /// The record can't be believed, and no copy can either.
    #[error("the record of the repository `{folder}` is damaged, and this project has no copy that fits it")]
    #[diagnostic(
        code(forge::publish::damaged_record),
        help(
            "put `.forge-repository` back from a backup; or set `adopt #true` in `publish`: the packages in it that \
             forge has published for this manifest stay, all others are no longer in its metadata; no file is removed"
        )
    )]
    DamagedRecord {
        /// The folder.
        folder: String,
    },
    /// The record is of a form that this forge does not know.
    #[error(
        "the record of the repository `{folder}` is of form {form}, which this version of forge does not know"
    )]
    #[diagnostic(
        code(forge::publish::newer_record),
        help("publish with the newer forge that has written it")
    )]
    NewerRecord {
        /// The folder.
        folder: String,
        /// The number of the form.
        form: u64,
    },
    /// A file that is not on record has a name that is needed.
    #[error(
        "`{path}` in the repository `{folder}` is not forge's, and a file of that name has to be published"
    )]
    #[diagnostic(code(forge::publish::in_the_way), help("move it elsewhere, then run `forge apply` again"))]
    InTheWay {
        /// The folder.
        folder: String,
        /// The file, relative to the folder.
        path: String,
    },
    /// Another forge publishes there.
    #[error("another forge is publishing to `{folder}`: {holder}")]
    #[diagnostic(code(forge::publish::busy), help("wait until it has ended, then run `forge apply` again"))]
    Busy {
        /// The folder.
        folder: String,
        /// Who.
        holder: String,
    },
}
