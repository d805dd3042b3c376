//! Arguments of `forge rebuild`.

use clap::Args;

/// `forge rebuild`
#[derive(Args, Debug)]
#[command(
    after_help = "What it makes is a build of its own, whose results `forge results '#NUMBER'` names; nothing is published, and Rpmforge.lock stays as it is. \
                  It exits with 0 where the build ends well, whether or not the packages are the same."
)]
pub struct Rebuild {
    /// The build, by its number in `forge history`: 12 or '#12'
    #[arg(value_name = "BUILD", value_parser = build_number)]
    pub build: u64,
    /// In the root that an apply would use today
    #[arg(long)]
    pub with_current_root: bool,
    /// Fetch nothing: what is not in the store is an error
    #[arg(long)]
    pub offline: bool,
    /// Apply a profile of the manifest, as far as it says something of the root
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
    /// Write events as JSON, one a line, to standard output
    #[arg(long)]
    pub json: bool,
    /// Also write what the build prints, as it comes
    #[arg(long, requires = "json")]
    pub logs: bool,
}

/// A number with or without the mark that numbers of builds are shown with.
pub fn build_number(text: &str) -> Result<u64, String> {
    let number = text.strip_prefix('#').unwrap_or(text);
    number.parse().map_err(|_| format!("`{text}` is no number of a build, such as 12 or '#12'"))
}
