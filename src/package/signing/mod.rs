//! OpenPGP signatures (RFC 9580): keys, what signs with them, signatures of packages and of files.
//!
//! A package's signature is one of the bytes of its header, which holds digests of all else; it stands in the header before that
//! one (rpm's docs/manual/signatures_digests.md). In format 4 there is room for one signature by an RSA key (`RPMSIGTAG_RSA`) and one
//! by a key of another kind (`RPMSIGTAG_DSA`), both bytes; in format 6, and for all that has no room otherwise, there is a list of
//! them as base64 (`RPMSIGTAG_OPENPGP`), which rpm reads since 6.0 and earlier ones pass over.
//!
//! A [`Signer`] makes signatures: with a key that forge has read, with a key of gpg's agent, or with a program that gives
//! what it has signed, such as one that asks a hardware module. Nothing here runs in a sandbox, and no secret part of a key is ever
//! shown: neither type that holds one has `Debug`.

mod armor;
mod certificate;
mod entries;
mod key_folder;
mod packet;
mod passphrase;
mod put;
mod rsa_key;
mod secret;
mod signature_header;
mod signer;
mod unplaced;
mod verify;

pub use armor::{armored_signatures, is_strict_armor};
pub use certificate::Certificate;
pub use key_folder::{KeptKey, KeyFolder, read_key_file};
pub use packet::signature_packets;
pub use passphrase::{Passphrase, Passphrases};
pub use put::{add_signature, drop_signatures, prepare_signed, write_signed};
pub use secret::{KeyKind, SigningKey};
pub use signer::Signer;
pub use unplaced::{SignaturePlace, UnplacedSignature};
pub use verify::{SignatureFinding, Verdict, Verified, verify_package, verify_signatures};

/// Why nothing can be signed.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SigningError {
    /// There is no key where one should be.
    #[error("the key {place} can't be used: {reason}")]
    #[diagnostic(
        code(forge::package::key),
        help(
            "`forge keys new` makes a key; `gpg --armor --export-secret-keys ID` and `gpg --armor --export ID` write those that gpg has"
        )
    )]
    Key {
        /// Where it was read.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// It needs a passphrase, and there is nobody to ask.
    #[error("the key {place} has a passphrase, and nothing says it")]
    #[diagnostic(
        code(forge::package::no_passphrase),
        help(
            "give it on a terminal, in the variable RPMFORGE_PASSPHRASE, or on a file descriptor whose number is in \
             RPMFORGE_PASSPHRASE_FD; or let gpg's agent keep the key: `sign gpg=\"ID\"`"
        )
    )]
    NoPassphrase {
        /// Where the key was read.
        place: String,
    },
    /// It needs another passphrase.
    #[error("the passphrase is not that of the key {place}")]
    #[diagnostic(
        code(forge::package::wrong_passphrase),
        help("RPMFORGE_PASSPHRASE_FD and RPMFORGE_PASSPHRASE come before what is asked on the terminal")
    )]
    WrongPassphrase {
        /// Where the key was read.
        place: String,
    },
    /// A program does not sign.
    #[error("`{program}` has not signed: {reason}")]
    #[diagnostic(
        code(forge::package::signing_program),
        help(
            "it gets what is to be signed on its standard input and has to write a detached OpenPGP signature by the key that is \
             declared to its standard output"
        )
    )]
    Program {
        /// The program, or its first word.
        program: String,
        /// What is wrong.
        reason: String,
    },
    /// What should be signed can't be read or written.
    #[error("{}", crate::files::reason(.0))]
    #[diagnostic(
        code(forge::package::signing_io),
        help("is there room on the disk, and may forge read and write there?")
    )]
    Io(#[from] std::io::Error),
}
