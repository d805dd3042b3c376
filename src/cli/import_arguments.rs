//! Arguments of `forge import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `forge import`
#[derive(Args, Debug)]
#[command(
    after_help = "Nothing of what is imported is run. What has no counterpart here stands in comments, and on the screen."
)]
pub struct Import {
    /// The file to write, which must not be there yet; if not given, standard output
    #[arg(short, long, value_name = "FILE", global = true)]
    pub output: Option<PathBuf>,
    /// From what.
    #[command(subcommand)]
    pub command: ImportCommand,
}

/// What can be imported.
#[derive(Subcommand, Debug)]
pub enum ImportCommand {
    /// A chroot of mock: its templates, and the repositories of the dnf.conf in it
    Mock {
        /// The configuration: a file, or the name of one in /etc/mock
        #[arg(value_name = "NAME.cfg")]
        name: String,
    },
    /// The repositories of a .repo file
    Repo {
        /// The file
        #[arg(value_name = "FILE.repo")]
        file: PathBuf,
        /// The chroot to write; if not given, one of the file's name
        #[arg(long, value_name = "NAME")]
        chroot: Option<String>,
    },
    /// Packages of Anda
    Anda {
        /// An anda.hcl, or a folder: all that are in it and below it
        #[arg(value_name = "anda.hcl")]
        file: PathBuf,
    },
}
