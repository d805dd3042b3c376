//! Arguments of `forge tunables`.

use clap::Args;

/// `forge tunables`
#[derive(Args, Debug)]
#[command(
    after_help = "Values of roots are shown as their macro files write them, not expanded: `forge eval -p PACKAGE '%NAME'` expands one."
)]
pub struct Tunables {
    /// Macros by name or pattern; all, if none is given
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Show values in this chroot, or in those that match a pattern
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Vec<String>,
    /// Fetch nothing: what is not in the store is an error
    #[arg(long)]
    pub offline: bool,
    /// Apply a profile of the manifest
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
    /// Print everything as JSON (`forge schema --form tunables` prints its schema)
    #[arg(long)]
    pub json: bool,
}
