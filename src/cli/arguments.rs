//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use super::argument_values::{SchemaForm, size};
use super::attest_arguments::Attest;
use super::import_arguments::Import;
use super::publish_arguments::Publish;
use super::rebuild_arguments::Rebuild;
use super::retention_arguments::{Compare, Pin, Prune, Unpin};
use super::root_arguments::{Chroot, Eject, Fetch, LockArguments, Update};
use super::selection_arguments::Selection;
use super::serve_arguments::Serve;
use super::signing_arguments::{Keys, Sign, VerifySignatures};
use super::source_arguments::{Outdated, Srpm, Watch};
use super::spec_arguments::{Eval, Spec};
use super::tunables_arguments::Tunables;
use super::verify_arguments::Verify;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "Exit codes:
  0    done as asked
  1    something is wrong, or a build failed; a message says what
  2    there is something to do (only `plan --detailed-exitcode`), or outdated (only `outdated`)
  64   the command line can't be understood
  130  interrupted";

/// Builds RPM packages and repositories from a manifest, Rpmforge.kdl: only what changed, in the right order.
#[derive(Debug, Parser)]
#[command(name = "forge", version, styles = STYLES, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Arguments {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Args, Debug)]
pub struct Global {
    /// Work in this folder; the manifest is looked for there and in the folders above
    #[arg(short = 'C', long, global = true, value_name = "FOLDER")]
    pub directory: Option<PathBuf>,
    /// Show only what failed
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show every stage, and what was found in the cache
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build what has changed and bring the repositories up to date
    Apply(Apply),
    /// Build an earlier build again, with exactly its sources, settings and root, and compare what comes out
    Rebuild(Rebuild),
    /// Build again what was built, with another time, folder, locale and more, and see whether the packages are the same
    Verify(Verify),
    /// Show what an apply would do, and why
    Plan(Plan),
    /// Draw the graph of builds
    Graph(Graph),
    /// Check the manifest and everything that it names
    Check(Check),
    /// Check what this machine can do of what builds need
    Doctor(Doctor),
    /// Lay out the manifest's files in the usual form
    Fmt(Fmt),
    /// Write a first manifest, with a pattern that finds the specs below this folder, and a .gitignore
    Init(Init),
    /// Write KDL of what another tool's configuration says: a chroot of mock, a .repo file, packages of Anda
    Import(Import),
    /// Show the state of each build: published version, last attempt, what has changed
    Status(Status),
    /// Show why a package would be built, or was: back to what has changed
    Why(Why),
    /// Show the newest builds, how they ended and what they were made for
    History(History),
    /// Show the log of a package's newest build
    Log(Log),
    /// Open a shell where a build failed, or in a clean root
    Shell(Shell),
    /// Choose the packages of roots anew, lock them in Rpmforge.lock, and show what changes
    Update(Update),
    /// Fetch all that applying needs, so that `--offline` finds it
    Fetch(Fetch),
    /// Show what has newer versions than are built: tags and branches of git, what registries have, pages of releases
    #[command(after_help = super::source_arguments::OUTDATED_EXIT_CODES)]
    Outdated(Outdated),
    /// Look again and again at what packages come from, and build those whose sources have moved
    Watch(Watch),
    /// Make source packages, and build nothing
    Srpm(Srpm),
    /// Write the spec of a package that comes from elsewhere into the project, to be kept by hand
    Eject(Eject),
    /// Show chroots and what is locked of them
    Chroot(Chroot),
    /// Show where a package's newest results are
    Results(Results),
    /// Send repositories as they are to the places that the manifest names
    Publish(Publish),
    /// Serve a folder of repositories over HTTP, for a lab
    Serve(Serve),
    /// Make, show and exchange keys that sign packages and repositories
    Keys(Keys),
    /// Sign packages and other files
    Sign(Sign),
    /// Say by whom packages and repositories are signed, and what of them is not as it was signed
    VerifySignatures(VerifySignatures),
    /// Say where packages come from, signed, and what they are made of; or check what was said
    Attest(Attest),
    /// Keep builds in repositories and the store whatever else goes, or show which are kept so
    Pin(Pin),
    /// Let pinned builds go as all others do
    Unpin(Unpin),
    /// Let builds go that are kept no longer, as `keep` in the manifest says, and show which and why
    Prune(Prune),
    /// Remove what the store no longer needs
    Gc(Gc),
    /// Check what the store holds
    Store(Store),
    /// Expand macros, as rpm --eval does, and show where they are defined
    Eval(Eval),
    /// Show the macros that tune builds: what each means, its default, what it is in each chroot, and where that is said
    Tunables(Tunables),
    /// Show what a spec says: packages, dependencies, sources, scripts, files
    Spec(Spec),
    /// Show what differs between two packages: headers, dependencies, scripts, files, payload
    Diff(Diff),
    /// Show what differs between two builds: what they were made of, how long they took, what they made
    Compare(Compare),
    /// Build packages from specs with the options of rpm's own rpmbuild
    #[command(disable_help_flag = true, arg_required_else_help = false)]
    Rpmbuild(Rpmbuild),
    /// Query and expand specs with the options of rpm's own rpmspec
    #[command(disable_help_flag = true, arg_required_else_help = false)]
    Rpmspec(Rpmspec),
    /// Print the schema or the reference of the manifest's language, or the schema of a command's JSON
    Schema(Schema),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Write the manual pages into a folder
    Man(Man),
}

/// `forge apply`
#[derive(Args, Debug)]
pub struct Apply {
    /// What to build.
    #[command(flatten)]
    pub selection: Selection,
    /// Make the source packages of what is chosen, and build nothing: they are results of their own, and not published
    #[arg(long, value_name = "WHAT", value_enum)]
    pub only: Option<OnlyPart>,
    /// Write events as JSON, one a line, to standard output
    #[arg(long)]
    pub json: bool,
    /// Also write what builds print, as it comes
    #[arg(long, requires = "json")]
    pub logs: bool,
    /// Read every file of the repositories, and put right what is not as it was published
    #[arg(long)]
    pub verify_published: bool,
    /// Make what was built again when all is done, as `forge verify` does, and end with 1 where a package comes out otherwise
    #[arg(long, conflicts_with = "only")]
    pub verify: bool,
}

/// A part of builds that is made alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnlyPart {
    /// The source packages
    Sources,
}

/// `forge plan`
#[derive(Args, Debug)]
pub struct Plan {
    /// What to plan.
    #[command(flatten)]
    pub selection: Selection,
    /// Print the plan as JSON
    #[arg(long)]
    pub json: bool,
    /// Also show what is up to date
    #[arg(long)]
    pub all: bool,
    /// Show for each build its macros, conditions and variables, and which line of the manifest sets them
    #[arg(long)]
    pub explain: bool,
    /// End with exit code 2 when there is something to do
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// How the graph is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
    /// A picture
    Svg,
}

/// `forge graph`
#[derive(Args, Debug)]
pub struct Graph {
    /// What to draw.
    #[command(flatten)]
    pub selection: Selection,
    /// How it is written
    #[arg(short, long, value_enum, default_value_t = GraphFormat::Dot)]
    pub format: GraphFormat,
    /// The file to write; if not given, standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `forge check`
#[derive(Args, Debug)]
pub struct Check {
    /// Check the manifest alone: read no spec
    #[arg(long)]
    pub manifest_only: bool,
    /// What may be fetched, and locked.
    #[command(flatten)]
    pub lock: LockArguments,
    /// Print what is found as JSON (`forge schema --form check` prints its schema)
    #[arg(long)]
    pub json: bool,
    /// Apply a profile of the manifest: what it says wins over what packages say
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
}

/// `forge doctor`
#[derive(Args, Debug)]
#[command(
    after_help = "It exits with 1 where builds can't run in sandboxes, or miss something that they need."
)]
pub struct Doctor {
    /// Print what is found as JSON; `forge schema --form doctor` prints its schema
    #[arg(long)]
    pub json: bool,
}

/// `forge fmt`
#[derive(Args, Debug)]
pub struct Fmt {
    /// Change nothing; end with exit code 1 where a file is not in the usual form
    #[arg(long)]
    pub check: bool,
}

/// `forge init`
#[derive(Args, Debug)]
pub struct Init {
    /// The project's name; if not given, the folder's
    #[arg(long)]
    pub name: Option<String>,
}

/// `forge status`
#[derive(Args, Debug)]
pub struct Status {
    /// Which builds.
    #[command(flatten)]
    pub selection: Selection,
    /// Show every build, even if there are more than fit a screen
    #[arg(long)]
    pub all: bool,
    /// Print them as JSON
    #[arg(long)]
    pub json: bool,
}

/// `forge why`
#[derive(Args, Debug)]
pub struct Why {
    /// Which builds.
    #[command(flatten)]
    pub selection: Selection,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `forge history`
#[derive(Args, Debug)]
#[command(
    after_help = "With -v it shows times in UTC instead of ages, and by which keys packages are signed that are published."
)]
pub struct History {
    /// Packages, by name or pattern, or numbers of builds: '#12'; all if none is given
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Only builds in this chroot, or in those that match a pattern
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Vec<String>,
    /// Only builds that failed
    #[arg(long)]
    pub failed: bool,
    /// How many builds
    #[arg(short, long, default_value_t = 20)]
    pub number: usize,
    /// Print them as JSON
    #[arg(long)]
    pub json: bool,
}

/// `forge log`
#[derive(Args, Debug)]
pub struct Log {
    /// The package, by name or pattern, or the number of a build: '#12'
    #[arg(value_name = "PACKAGE", required_unless_present = "failed")]
    pub package: Option<String>,
    /// The newest build that failed, of those that have not been built well since
    #[arg(long)]
    pub failed: bool,
    /// Go on as the log grows, until the build ends
    #[arg(short, long)]
    pub follow: bool,
    /// Only this stage: prep, build, install, check …
    #[arg(long)]
    pub stage: Option<String>,
    /// In this chroot, or in one that matches a pattern
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Option<String>,
}

/// `forge shell`
#[derive(Args, Debug)]
#[command(after_help = "\
A build that fails leaves its tree. The shell is opened there as the build's own scripts are run: the same root, user,\nenvironment and folder. `forge shell --chroot CHROOT` opens one in a clean root. What is done outside of the tree is gone when the shell ends.")]
pub struct Shell {
    /// The package whose build failed; with `--chroot` alone, a clean root
    #[arg(value_name = "PACKAGE", required_unless_present = "chroot")]
    pub package: Option<String>,
    /// In this chroot; if not given, the first of the package's
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Option<String>,
    /// As this stage's script is run; if not given, the one that failed
    #[arg(long, value_name = "STAGE", requires = "package")]
    pub stage: Option<ShellStage>,
    /// Lay the newest packages of this package of the manifest over the root
    #[arg(long, value_name = "PACKAGE")]
    pub with: Vec<String>,
    /// Apply a profile of the manifest: what it says wins over what packages say
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
    /// Run this instead of a shell; its exit code is forge's
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// A stage that has a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShellStage {
    /// `%prep`
    Prep,
    /// `%generate_buildrequires`
    #[value(name = "generate_buildrequires", alias = "buildrequires")]
    GenerateBuildrequires,
    /// `%conf`
    Conf,
    /// `%build`
    Build,
    /// `%install`
    Install,
    /// `%check`
    Check,
}

/// `forge results`
#[derive(Args, Debug)]
pub struct Results {
    /// Packages, by name or pattern, or numbers of builds: '#12'
    #[arg(
        value_name = "PACKAGE",
        required_unless_present_any = ["chroot", "batch", "failed", "requires", "provides", "json"]
    )]
    pub packages: Vec<String>,
    /// Only builds in this chroot, or in those that match a pattern
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Vec<String>,
    /// Only builds of this batch, or of those that match a pattern
    #[arg(long, value_name = "BATCH")]
    pub batch: Vec<String>,
    /// Only builds that failed, and have not been built well since
    #[arg(long)]
    pub failed: bool,
    /// Only packages of newest good builds that require this, such as 'libcount.so.1*': what generators found counts
    #[arg(long, value_name = "DEPENDENCY", conflicts_with = "failed")]
    pub requires: Vec<String>,
    /// Only packages of newest good builds that provide this
    #[arg(long, value_name = "DEPENDENCY", conflicts_with = "failed")]
    pub provides: Vec<String>,
    /// Print them as JSON, with what packages provide and require
    #[arg(long)]
    pub json: bool,
}

/// `forge gc`
#[derive(Args, Debug)]
#[command(
    after_help = "What this project and others on this store publish or have built last stays whatever the limits are. Without a \
                  limit, what nobody has used for 30 days goes. -v lists every result, with its size and why it stays or goes."
)]
pub struct Gc {
    /// Remove results that nobody has used for so long, such as 30d
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    pub older: Option<Duration>,
    /// Remove the results used longest ago until the store is no larger, such as 20G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub size: Option<u64>,
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
}

/// `forge store`
#[derive(Args, Debug)]
pub struct Store {
    /// What is done.
    #[command(subcommand)]
    pub command: StoreCommand,
}

/// The commands of `forge store`.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Read everything that the store holds, and name what is not what was stored
    #[command(after_help = "It exits with 1 where something is wrong and stays.")]
    Verify(StoreVerify),
}

/// `forge store verify`
#[derive(Args, Debug)]
pub struct StoreVerify {
    /// Remove what is wrong, so that it is built again
    #[arg(long)]
    pub repair: bool,
}

/// `forge schema`
#[derive(Args, Debug)]
pub struct Schema {
    /// What to print
    #[arg(long, value_enum, default_value_t = SchemaForm::Kdl)]
    pub form: SchemaForm,
}

/// `forge diff`
#[derive(Args, Debug)]
#[command(
    after_help = "It exits with 0 where the packages are the same, with 1 where they differ, and with 2 where they can't be compared."
)]
pub struct Diff {
    /// The first package; or packages of the manifest by name or pattern, or builds by number ('#12'), each compared with the one before
    #[arg(value_name = "BEFORE.rpm|PACKAGE|#NUMBER", required_unless_present = "batch")]
    pub before: Option<PathBuf>,
    /// The second package, or the number of a second build
    #[arg(value_name = "AFTER.rpm|#NUMBER")]
    pub after: Option<PathBuf>,
    /// Compare builds in this chroot, or in those that match a pattern; if not given, in that of the newest good build
    #[arg(long, value_name = "CHROOT", conflicts_with = "after")]
    pub chroot: Vec<String>,
    /// Compare builds of this batch, or of those that match a pattern
    #[arg(long, value_name = "BATCH", conflicts_with = "after")]
    pub batch: Vec<String>,
    /// Also show, and count, what differs only by when, where and by what they were built
    #[arg(long)]
    pub all: bool,
    /// Print everything as JSON
    #[arg(long)]
    pub json: bool,
}

/// `forge rpmbuild`
#[derive(Args, Debug)]
pub struct Rpmbuild {
    /// What rpmbuild takes; `forge rpmbuild --help` lists it
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// `forge rpmspec`
#[derive(Args, Debug)]
pub struct Rpmspec {
    /// What rpmspec takes; `forge rpmspec --help` lists it
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// `forge completions`
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `forge man`
#[derive(Args, Debug)]
pub struct Man {
    /// The folder
    pub folder: PathBuf,
}

/// The whole command line, for completions and manual pages.
pub fn command_line() -> clap::Command {
    Arguments::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command_line().debug_assert();
    }
}
