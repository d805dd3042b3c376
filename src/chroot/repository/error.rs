//! What can be wrong with repositories.

use std::io;

use crate::fetch::FetchError;
use crate::package::PackageError;
use crate::store::StoreError;

impl From<io::Error> for RepositoryError {
    fn from(error: io::Error) -> Self {
        Self::Store(StoreError::Io(error))
    }
}

/// Why a repository, or a package of it, can't be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RepositoryError {
    /// A file of it can't be had.
    #[error("repository `{repository}`: {file} can't be fetched")]
    #[diagnostic(code(forge::chroot::not_fetched), help("what went wrong stands above"))]
    NotFetched {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// What went wrong.
        #[source]
        #[diagnostic_source]
        source: FetchError,
    },
    /// A file of it is not there, and nothing may be fetched.
    #[error("repository `{repository}`: {file} is not in the store, and forge is offline")]
    #[diagnostic(code(forge::chroot::not_stored), help("run `forge fetch` while the network is there"))]
    NotStored {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
    },
    /// The store can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// An address names a variable that has no value.
    #[error("repository `{repository}`: `{text}` names the variable `{variable}`, which has no value")]
    #[diagnostic(
        code(forge::chroot::repository_variable),
        help(
            "`$basearch` and `$arch` have one in every chroot; the chroot gives others theirs: `releasever \"42\"`, `vars {{ stream \"9\" }}`"
        )
    )]
    Variable {
        /// The repository.
        repository: String,
        /// The address.
        text: String,
        /// The variable.
        variable: String,
    },
    /// A pattern of `exclude` or `includepkgs` is none.
    #[error("repository `{repository}`: `{pattern}` is no pattern of packages: {reason}")]
    #[diagnostic(
        code(forge::chroot::package_pattern),
        help("`*`, `?` and `[…]` stand for parts of names, as in a shell")
    )]
    Pattern {
        /// The repository.
        repository: String,
        /// The pattern.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
    /// Metadata that are not what they should be.
    #[error("repository `{repository}`: {file}: {reason}")]
    #[diagnostic(
        code(forge::chroot::metadata),
        help(
            "the repository is damaged, or was made by something else than createrepo_c: nothing of it was used"
        )
    )]
    Metadata {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// Metadata that go on and on.
    #[error("repository `{repository}`: {file}: {what}, more than the {most} that there may be")]
    #[diagnostic(
        code(forge::chroot::metadata_too_large),
        help("no repository needs that much: nothing of it was used; is it the right one?")
    )]
    TooLarge {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// What there is too much of.
        what: String,
        /// How much there may be.
        most: u64,
    },
    /// Metadata that define something.
    #[error("repository `{repository}`: {file}: it {what}, which metadata have no use for")]
    #[diagnostic(
        code(forge::chroot::metadata_entities),
        help(
            "such a file can make a few bytes expand to gigabytes: nothing of it was used; is it the right one?"
        )
    )]
    Entities {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// What it does.
        what: String,
    },
    /// A checksum that proves nothing.
    #[error("repository `{repository}`: {file}: `{checksum}` is no checksum to rely on")]
    #[diagnostic(
        code(forge::chroot::weak_checksum),
        help("make the repository's metadata with `createrepo_c --checksum sha256`: others can be forged")
    )]
    WeakChecksum {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// The checksum.
        checksum: String,
    },
    /// A name that could lead elsewhere.
    #[error("repository `{repository}`: {file}: `{text}` is no {what}")]
    #[diagnostic(
        code(forge::chroot::dangerous_name),
        help(
            "it could lead out of the folder that it belongs to, or break what it is written into: nothing of the repository was used"
        )
    )]
    Name {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// What it should be.
        what: String,
        /// The name, made visible.
        text: String,
    },
    /// Two files for one package.
    #[error("repository `{repository}`: {nevra} is there twice, with different content")]
    #[diagnostic(
        code(forge::chroot::package_twice),
        help("which of the two is meant can't be told: remove one of them and make the metadata again")
    )]
    Twice {
        /// The repository.
        repository: String,
        /// The package.
        nevra: String,
    },
    /// Metadata from before those that were seen.
    #[error(
        "repository `{repository}`: its metadata are of {found}, older than those of {known} that were seen before"
    )]
    #[diagnostic(
        code(forge::chroot::older_metadata),
        help(
            "a mirror that is behind, or somebody who hides updates: try again later, or name another mirror; `forge update --allow-older` takes them"
        )
    )]
    Older {
        /// The repository.
        repository: String,
        /// What came.
        found: String,
        /// What was seen before.
        known: String,
    },
    /// Something that should be signed.
    #[error("repository `{repository}`: {file} is not signed")]
    #[diagnostic(
        code(forge::chroot::not_signed),
        help(
            "the repository is declared to be signed: is it the right one? If it is not signed by those who make it, say so in its declaration"
        )
    )]
    NotSigned {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
    },
    /// A signature that is not one of this file.
    #[error("repository `{repository}`: {file}: {reason}")]
    #[diagnostic(
        code(forge::chroot::wrong_signature),
        help("somebody has changed the file, or signed another one: nothing of it was used")
    )]
    WrongSignature {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A signature by somebody else.
    #[error("repository `{repository}`: {file} is signed with the key {key}, which is not declared")]
    #[diagnostic(
        code(forge::chroot::undeclared_key),
        help("if those who make the repository say that this is their key, declare it by its fingerprint")
    )]
    UndeclaredKey {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// The key, by its fingerprint or the end of it.
        key: String,
    },
    /// A key whose time is over.
    #[error("repository `{repository}`: {file} is signed with the key {key}, which expired on {on}")]
    #[diagnostic(
        code(forge::chroot::expired_key),
        help("its owner may have made its time longer: fetch the key again, and declare it")
    )]
    ExpiredKey {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// The fingerprint.
        key: String,
        /// When.
        on: String,
    },
    /// A key that its owner has taken back.
    #[error("repository `{repository}`: {file} is signed with the key {key}, which its owner has revoked")]
    #[diagnostic(
        code(forge::chroot::revoked_key),
        help(
            "somebody else may have that key: do not use what it signs; find out which key its owner uses now"
        )
    )]
    RevokedKey {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// The fingerprint.
        key: String,
    },
    /// Declared keys that can't be used.
    #[error("repository `{repository}`: the key {place}: {reason}")]
    #[diagnostic(
        code(forge::chroot::key_file),
        help(
            "a key is an OpenPGP public key, in armor or not; one that is fetched is declared with its fingerprint"
        )
    )]
    KeyFile {
        /// The repository.
        repository: String,
        /// Where the key is.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A package that can't be read.
    #[error("repository `{repository}`: {file} is no package to use")]
    #[diagnostic(code(forge::chroot::broken_package), help("what is wrong with it stands above"))]
    BrokenPackage {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// What is wrong.
        #[source]
        #[diagnostic_source]
        source: PackageError,
    },
    /// A package that is another one.
    #[error("repository `{repository}`: {file} is {found}, and should be {expected}")]
    #[diagnostic(
        code(forge::chroot::other_package),
        help(
            "the repository's metadata and its packages contradict each other: nothing of the package was kept"
        )
    )]
    OtherPackage {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// What metadata say.
        expected: String,
        /// What it says itself.
        found: String,
    },
    /// A locked package of a repository that is not declared.
    #[error("{nevra} is locked to the repository `{repository}`, which is not declared")]
    #[diagnostic(
        code(forge::chroot::unknown_repository),
        help("declare the repository again, or run `forge update`")
    )]
    UnknownRepository {
        /// The repository.
        repository: String,
        /// The package.
        nevra: String,
    },
    /// A folder of packages that can't be read.
    #[error("repository `{repository}`: {}", crate::files::reason(source))]
    #[diagnostic(code(forge::chroot::repository_folder), help("is it there, and may forge read all of it?"))]
    Folder {
        /// The repository.
        repository: String,
        /// What went wrong.
        source: io::Error,
    },
}
