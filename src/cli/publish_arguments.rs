//! The command line of `forge publish`.

use clap::Args;

/// `forge publish`
#[derive(Args, Debug)]
pub struct Publish {
    /// Only to this place: as the manifest says it, or as it is for one chroot
    #[arg(long, value_name = "PLACE")]
    pub to: Option<String>,
    /// Write events as JSON, one a line, to standard output
    #[arg(long)]
    pub json: bool,
}
