//! The command lines of what signs.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

/// `forge keys`
#[derive(Args, Debug)]
pub struct Keys {
    /// What to do.
    #[command(subcommand)]
    pub command: KeysCommand,
}

/// The commands of `forge keys`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key and keep it
    New {
        /// Its name, for `sign name=NAME` in the manifest
        name: String,
        /// Whose it is: 'Name <address>'
        #[arg(long, value_name = "USER")]
        user: String,
        /// Which kind
        #[arg(long, value_enum, default_value_t = KindOfKey::Rsa4096)]
        kind: KindOfKey,
        /// Ask for no passphrase: whoever can read the file can sign
        #[arg(long)]
        no_passphrase: bool,
    },
    /// Show which keys there are
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a key: its fingerprint, kind, owner, and where it is
    Show {
        /// Its name
        name: String,
    },
    /// Write the public key, in armor
    Export {
        /// Its name
        name: String,
        /// The file to write; if not given, standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Write the secret key, locked as it is, into a file that only its owner can read
        #[arg(long, requires = "output")]
        secret: bool,
    },
    /// Keep a secret key that another program has written
    Import {
        /// Its name, for `sign name=NAME` in the manifest
        name: String,
        /// The file of the secret key
        file: PathBuf,
    },
    /// Make a new key in the place of one: metadata are signed by both until `--finish`, packages by the new one
    Rotate {
        /// Its name
        name: String,
        /// End the time of both: the previous key is removed
        #[arg(long, conflicts_with_all = ["user", "kind", "no_passphrase"])]
        finish: bool,
        /// Whose the new key is; if not given, the same
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        /// Which kind the new key is of
        #[arg(long, value_enum, default_value_t = KindOfKey::Rsa4096)]
        kind: KindOfKey,
        /// Ask for no passphrase: whoever can read the file can sign
        #[arg(long)]
        no_passphrase: bool,
    },
}

/// Kinds of keys that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindOfKey {
    /// RSA of 4096 bits: every rpm knows it
    Rsa4096,
    /// Ed25519, for rpm 4.16 and later: short and fast
    Ed25519,
    /// Ed25519 of OpenPGP's version 6, for rpm 6.0 and later
    Ed25519V6,
}

/// `forge sign`
#[derive(Args, Debug)]
#[command(
    after_help = "A package gets the signature in place, beside those by other keys. Of any other file, FILE.asc is written."
)]
pub struct Sign {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Who signs.
    #[command(flatten)]
    pub signer: SignerArguments,
}

/// Who signs: one of them.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("signer").required(true)))]
pub struct SignerArguments {
    /// Sign with the key of `forge keys` that has this name
    #[arg(long, value_name = "NAME", group = "signer")]
    pub name: Option<String>,
    /// Sign with the secret key in this file
    #[arg(long, value_name = "FILE", group = "signer")]
    pub key: Option<PathBuf>,
    /// Sign with the key of this fingerprint that gpg's agent keeps
    #[arg(long, value_name = "FINGERPRINT", group = "signer")]
    pub gpg: Option<String>,
    /// Sign with a command of the shell that reads what is to be signed and writes a detached signature
    #[arg(long, value_name = "COMMAND", group = "signer", requires = "public")]
    pub command: Option<String>,
    /// The public key of the command
    #[arg(long, value_name = "FILE", requires = "command")]
    pub public: Option<PathBuf>,
}

/// `forge verify-signatures`
#[derive(Args, Debug)]
#[command(
    after_help = "It exits with 1 where something is not signed by a key that is known, or is not as it was signed."
)]
pub struct VerifySignatures {
    /// Packages, other files with FILE.asc beside them, or folders of repositories
    #[arg(required = true, value_name = "FILE|FOLDER")]
    pub paths: Vec<PathBuf>,
    /// A file of public keys that count; if not given, those of `forge keys`
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
    /// Print what is found as JSON
    #[arg(long)]
    pub json: bool,
}
