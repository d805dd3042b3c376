//! The command line of `forge attest`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::signing_arguments::SignerArguments;

/// `forge attest`
#[derive(Args, Debug)]
pub struct Attest {
    /// What to do.
    #[command(subcommand)]
    pub command: AttestCommand,
}

/// The commands of `forge attest`.
#[derive(Debug, Subcommand)]
pub enum AttestCommand {
    /// Print what is known of the packages of a build, as JSON, a package a line
    Show {
        /// The build, by its number in `forge history`: 12 or '#12'
        #[arg(value_name = "BUILD", value_parser = super::rebuild_arguments::build_number)]
        build: u64,
        /// In which form
        #[arg(long, value_enum, default_value_t = AttestForm::Provenance)]
        form: AttestForm,
    },
    /// Write for each package of builds a signed statement and lists of what is in it
    #[command(
        after_help = "FILE.intoto.json is an in-toto statement with SLSA provenance in a DSSE envelope, FILE.spdx.json and FILE.cdx.json are SPDX 2.3 and CycloneDX 1.6."
    )]
    Write {
        /// The builds, by their numbers in `forge history`: 12 or '#12'
        #[arg(required = true, value_name = "BUILD", value_parser = super::rebuild_arguments::build_number)]
        builds: Vec<u64>,
        /// The folder to write to
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
        /// Who signs.
        #[command(flatten)]
        signer: SignerArguments,
    },
    /// Check packages against the signed statements beside them
    #[command(
        after_help = "It exits with 1 where a statement is not signed by a key that is known, was changed, or is not of the package."
    )]
    Verify {
        /// Packages, each with FILE.intoto.json beside it
        #[arg(required = true, value_name = "FILE")]
        packages: Vec<PathBuf>,
        /// The folder of the statements, where they are not beside the packages
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
        /// A file of public keys that count; if not given, those of `forge keys`
        #[arg(long, value_name = "FILE")]
        key: Vec<PathBuf>,
    },
}

/// Forms of what is known of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AttestForm {
    /// An in-toto statement with SLSA provenance
    Provenance,
    /// SPDX 2.3
    Spdx,
    /// CycloneDX 1.6
    Cyclonedx,
}
