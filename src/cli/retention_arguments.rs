//! The command lines of what keeps builds, lets them go and compares them.

use clap::Args;

/// `forge prune`
#[derive(Args, Debug)]
#[command(
    after_help = "An apply carries `keep` out as well, in the repositories that it publishes to. -v lists what stays and why, too. Files that \
                  metadata have named are removed a quarter of an hour later, by the next apply or `forge prune`: a client may be about to \
                  ask for them."
)]
pub struct Prune {
    /// Only say what would go, and why
    #[arg(long)]
    pub dry_run: bool,
    /// Print every build and what becomes of it as JSON; `forge schema --form prune` prints its schema
    #[arg(long)]
    pub json: bool,
}

/// `forge pin`
#[derive(Args, Debug)]
#[command(
    after_help = "A pinned build stays in its repository, with what it requires, in the store and in `.forge/results`, whatever `keep`, \
                  `forge prune` and `forge gc` say. What has gone before doesn't come back."
)]
pub struct Pin {
    /// The numbers of good builds: '#12'; if none is given, shows what is pinned
    #[arg(value_name = "BUILD")]
    pub builds: Vec<String>,
}

/// `forge unpin`
#[derive(Args, Debug)]
pub struct Unpin {
    /// The numbers of pinned builds: '#12'
    #[arg(value_name = "BUILD", required = true)]
    pub builds: Vec<String>,
}

/// `forge compare`
#[derive(Args, Debug)]
#[command(
    after_help = "It exits with 0 where both builds were made of the same and made the same, with 1 where something differs, and with 2 where \
                  they can't be compared."
)]
pub struct Compare {
    /// The number of a build: '#12'
    #[arg(value_name = "BUILD")]
    pub before: String,
    /// The number of another build of the same package, in whatever chroot
    #[arg(value_name = "BUILD")]
    pub after: String,
    /// Also show what differs only by when, where and by what packages were built
    #[arg(long)]
    pub all: bool,
    /// Print everything as JSON; `forge schema --form compare` prints its schema
    #[arg(long)]
    pub json: bool,
}
