//! Why a file is not signed as it should be.

/// Why a file is not signed as it should be.
#[derive(Clone, Debug, thiserror::Error, miette::Diagnostic)]
pub enum SourceSignatureError {
    /// A file that should be a signature, and holds none.
    #[error("`{signature}`, which should be the signature of `{file}`, holds no signature")]
    #[diagnostic(
        code(forge::source::not_signed),
        help("a detached signature is meant, in armor or not: was a page saved in its place?")
    )]
    NotSigned {
        /// The file.
        file: String,
        /// The file of its signature.
        signature: String,
    },
    /// A signature that is not one of this file.
    #[error("`{file}` is not what `{signature}` signs: {reason}")]
    #[diagnostic(
        code(forge::source::wrong_signature),
        help(
            "was one of the two replaced, or do they belong to different releases? nothing of it was used, and nothing locked"
        )
    )]
    WrongSignature {
        /// The file.
        file: String,
        /// The file of its signature.
        signature: String,
        /// What is wrong.
        reason: String,
    },
    /// A signature by somebody else.
    #[error("`{file}` is signed with the key {key}, which is not in {keyring}")]
    #[diagnostic(
        code(forge::source::undeclared_key),
        help("if its authors say that this is their key, add it there: somebody else's says nothing")
    )]
    UndeclaredKey {
        /// The file.
        file: String,
        /// The key, by its fingerprint or the end of it.
        key: String,
        /// The files of the keys that count.
        keyring: String,
    },
    /// A key that had expired when it signed.
    #[error("`{file}` was signed with the key {key} after that had expired, on {on}")]
    #[diagnostic(
        code(forge::source::expired_key),
        help("its owner may have made its time longer: get the key anew from where its owner publishes it")
    )]
    ExpiredKey {
        /// The file.
        file: String,
        /// The fingerprint.
        key: String,
        /// When it expired.
        on: String,
    },
    /// A key that its owner has taken back.
    #[error("`{file}` is signed with the key {key}, which its owner has revoked")]
    #[diagnostic(
        code(forge::source::revoked_key),
        help(
            "somebody else may have that key: do not use what it signs; find out which key its owner uses now"
        )
    )]
    RevokedKey {
        /// The file.
        file: String,
        /// The fingerprint.
        key: String,
    },
    /// Keys that can't be used.
    #[error("`{keyring}` holds no keys to check signatures with: {reason}")]
    #[diagnostic(
        code(forge::source::keyring),
        help("OpenPGP public keys are meant, in armor or not, as `gpg --export --armor KEY` writes them")
    )]
    Keyring {
        /// The file.
        keyring: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Keys that nothing is signed with.
    #[error("package `{package}` names a keyring, and its spec no signature")]
    #[diagnostic(
        code(forge::source::no_signature),
        help(
            "name the signature as a source beside its file, `Source1: https://…/NAME.tar.gz.asc`, or take `keyring` away: it would check nothing"
        )
    )]
    NoSignature {
        /// The package.
        package: String,
    },
}
