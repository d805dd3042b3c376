//! Arguments that say what is planned.

use std::collections::BTreeSet;

use clap::Args;

use super::argument_values::definition;
use super::rebuild_order::RebuildOrder;
use super::root_arguments::LockArguments;
use crate::chroot::{Lock, OlderMetadata};
use crate::engine::MacroSetting;
use crate::event::BuildName;
use crate::source::SourceLock;

/// What decides what is planned.
#[derive(Args, Clone, Debug, Default)]
pub struct Selection {
    /// Packages, by name or pattern, with what they need; all if nothing is chosen. A name is the manifest's or the spec's; a spec, a
    /// .src.rpm or a tarball with a spec in it stands for its package, and is built without any manifest where there is none
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Only builds in this chroot, or in those that match a pattern; can be repeated
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Vec<String>,
    /// Only builds of this batch, or of those that match a pattern; can be repeated
    #[arg(long, value_name = "BATCH")]
    pub batch: Vec<String>,
    /// Only builds whose last attempt failed
    #[arg(long)]
    pub failed: bool,
    /// Only builds touched by what git has changed since this revision, or in this range
    #[arg(long, value_name = "REVISION")]
    pub changed_since: Option<String>,
    /// Also everything that needs what is chosen to be built, and what needs that; `Requires` of packages don't count
    #[arg(long)]
    pub dependents: bool,
    /// Build what is chosen even if it is up to date
    #[arg(long)]
    pub force: bool,
    /// What this apply has made already: it is not forced again.
    #[arg(skip)]
    pub made: BTreeSet<BuildName>,
    /// What may be fetched, and locked.
    #[command(flatten)]
    pub lock: LockArguments,
    /// What is locked, where that is not what Rpmforge.lock says.
    #[arg(skip)]
    pub locked_before: Option<Lock>,
    /// What is locked of sources, where that is not what Rpmforge.lock says.
    #[arg(skip)]
    pub sources_locked_before: Option<SourceLock>,
    /// The earlier build that is made again: then there is nothing else.
    #[arg(skip)]
    pub rebuild: Option<RebuildOrder>,
    /// Whether metadata of repositories may be older than what was seen before.
    #[arg(skip)]
    pub older_metadata: OlderMetadata,
    /// Define a macro for all builds, above what the manifest says
    #[arg(short = 'D', long = "define", value_name = "NAME VALUE", value_parser = definition)]
    pub define: Vec<MacroSetting>,
    /// Apply a profile of the manifest: what it says wins over what packages say
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
    /// How many steps run at a time; if not given, as many as there are processors
    #[arg(short, long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

impl Selection {
    /// Whether it names a part of the builds.
    pub fn is_partial(&self) -> bool {
        let names = [&self.packages, &self.chroot, &self.batch];
        names.iter().any(|names| !names.is_empty()) || self.failed || self.changed_since.is_some()
    }
}

/// Which packages of the manifest are looked at, and with what.
#[derive(Args, Clone, Debug, Default)]
pub struct PackageChoice {
    /// Look at packages of the manifest in this chroot, or in those that match a pattern; if not given, in the first of each package
    #[arg(long, value_name = "CHROOT", requires = "named")]
    pub chroot: Vec<String>,
    /// Packages of this batch, or of those that match a pattern
    #[arg(long, value_name = "BATCH")]
    pub batch: Vec<String>,
    /// Apply a profile of the manifest: what it says wins over what packages say
    #[arg(long, value_name = "NAME", requires = "named")]
    pub profile: Vec<String>,
}
