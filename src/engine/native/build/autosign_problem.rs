//! Why a package is not signed as it is built, in rpm's words.

use thiserror::Error;

/// Why a package is not signed as it is built (`%_openpgp_autosign_id`).
#[derive(Debug, Error)]
pub enum AutosignProblem {
    /// The program that `%_openpgp_sign` names has no macro that says how it is called.
    #[error("Expanding signing macro {name} failed")]
    NoMacro {
        /// The macro.
        name: String,
    },
    /// The macro gives no command.
    #[error("Invalid sign command: {command}")]
    InvalidCommand {
        /// What it gives.
        command: String,
    },
    /// The program can't be started.
    #[error("Could not exec {program}: {reason}")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        reason: String,
    },
    /// The program failed. rpm shows 0 where a signal ended it.
    #[error("{program} exec failed ({})", (*code).max(0))]
    Failed {
        /// The program.
        program: String,
        /// Its exit code; minus a signal.
        code: i32,
    },
    /// The program ended well and wrote no signature.
    #[error("failed to write signature: {path}")]
    NoSignature {
        /// Where it should be.
        path: String,
    },
    /// What the program wrote is not one signature.
    #[error("Unsupported OpenPGP signature")]
    NotOneSignature,
    /// Packages of format 4 have no place for signatures by such a key.
    #[error("Unsupported OpenPGP pubkey algorithm {algorithm} for rpm v3/v4 signatures")]
    NoPlaceForAlgorithm {
        /// OpenPGP's number of the algorithm.
        algorithm: u8,
    },
    /// Packages of format 4 have no place for signatures of that version.
    #[error("Unsupported OpenPGP version {version} for rpm v3/v4 signatures")]
    NoPlaceForVersion {
        /// The version of OpenPGP.
        version: u8,
    },
    /// The package can't be read, or written again.
    #[error("failed to sign package {path}: {reason}")]
    NotRewritten {
        /// The package.
        path: String,
        /// Why.
        reason: String,
    },
}

impl AutosignProblem {
    /// What can be done about it.
    pub fn help(&self) -> String {
        match self {
            Self::NoMacro { .. } => {
                "macros have to say how the program signs that `%_openpgp_sign` names: `%__gpg_sign_cmd()` for gpg, those of rpm 6 say it for sq as well"
                    .to_owned()
            }
            Self::InvalidCommand { .. } => {
                "it has to be a program and its options: rpmsign(1)".to_owned()
            }
            Self::NotStarted { .. } => {
                "is it in the root, and a program? `%_openpgp_sign` says which one signs: gpg or sq".to_owned()
            }
            Self::Failed { code, .. } if *code < 0 => {
                format!("signal {} ended it", code.unsigned_abs())
            }
            Self::Failed { .. } => {
                "what it wrote before says why; it has to find the key that `%_openpgp_autosign_id` names, without a passphrase"
                    .to_owned()
            }
            Self::NoSignature { .. } | Self::NotOneSignature => {
                "the command gets what is to be signed on its standard input, and has to write one detached, binary OpenPGP signature to the file that is its second argument"
                    .to_owned()
            }
            Self::NoPlaceForAlgorithm { .. } | Self::NoPlaceForVersion { .. } => {
                "packages take it with `%_rpmformat 6`; `forge sign` puts it into those of format 4 where rpm 6 looks, and older ones see none"
                    .to_owned()
            }
            Self::NotRewritten { .. } => {
                "is there room on the disk, and may forge write there?".to_owned()
            }
        }
    }
}
