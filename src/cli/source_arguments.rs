//! Arguments of commands that look at what packages come from.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::root_arguments::LockArguments;

/// What the exit code of `forge outdated` says.
pub const OUTDATED_EXIT_CODES: &str = "It exits with 0 where nothing newer was found, with 2 where something is outdated, and with 1 where a \
     source could not be looked at. Nothing is changed.";

/// Which packages' sources are looked at.
#[derive(Args, Clone, Debug, Default)]
pub struct SourceChoice {
    /// Packages, by name or pattern; all if none is given
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Only packages of this batch, or of those that match a pattern; can be repeated
    #[arg(long, value_name = "BATCH")]
    pub batch: Vec<String>,
    /// Apply a profile of the manifest
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
}

/// `forge outdated`
#[derive(Args, Debug)]
pub struct Outdated {
    /// What is looked at.
    #[command(flatten)]
    pub choice: SourceChoice,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `forge watch`
#[derive(Args, Debug)]
pub struct Watch {
    /// What is looked at.
    #[command(flatten)]
    pub choice: SourceChoice,
    /// Look once, build what has moved, and end: for cron and CI
    #[arg(long)]
    pub once: bool,
    /// How long to wait before looking again
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = humantime::parse_duration, conflicts_with = "once")]
    pub every: Duration,
    /// Write events as JSON, one a line, to standard output
    #[arg(long)]
    pub json: bool,
}

/// `forge srpm`
#[derive(Args, Debug)]
pub struct Srpm {
    /// Packages, by name or pattern, or specs; all if none is given
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Where they are written to; this folder if not given
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// With the settings of this chroot; if not given, with those of the first of each package
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Option<String>,
    /// What may be fetched, and locked.
    #[command(flatten)]
    pub lock: LockArguments,
    /// Apply a profile of the manifest
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
}
