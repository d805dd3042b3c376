//! The command line.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::engine::{MacroLevel, MacroSetting};
use crate::event::BuildName;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "Exit codes:
  0    done as asked
  1    something is wrong, or a build failed; a message says what
  2    there is something to do (only `plan --detailed-exitcode`)
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
    /// Tell only what failed
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell every stage, and what was found in the cache
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build what has changed and bring the repositories up to date
    Apply(Apply),
    /// Show what an apply would do, and why
    Plan(Plan),
    /// Draw the graph of builds
    Graph(Graph),
    /// Check the manifest and everything that it names
    Check(Check),
    /// Lay out the manifest's files in the usual form
    Fmt(Fmt),
    /// Write a manifest for the specs in this folder
    Init(Init),
    /// Show how it stands with each build
    Status(Status),
    /// Show why a package would be built, or was: back to what has changed
    Why(Why),
    /// Show the newest builds and how they ended
    History(History),
    /// Show the log of a package's newest build
    Log(Log),
    /// Show where a package's newest results are
    Results(Results),
    /// Remove what the store no longer needs
    Gc(Gc),
    /// Check what the store holds
    Store(Store),
    /// Expand macros: what rpm --eval does, and who says so
    Eval(Eval),
    /// Show what a spec says: packages, dependencies, sources, scripts, files
    Spec(Spec),
    /// Show what differs between two packages: headers, dependencies, scripts, files, payload
    Diff(Diff),
    /// Build packages from specs with the options of rpm's own rpmbuild
    #[command(disable_help_flag = true, arg_required_else_help = false)]
    Rpmbuild(Rpmbuild),
    /// Query and expand specs with the options of rpm's own rpmspec
    #[command(disable_help_flag = true, arg_required_else_help = false)]
    Rpmspec(Rpmspec),
    /// Print the schema or the reference of the manifest's language, or the schema of events
    Schema(Schema),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Write the manual pages into a folder
    Man(Man),
}

/// What decides what is planned.
#[derive(Args, Clone, Debug, Default)]
pub struct Selection {
    /// Packages, by name or pattern, and what they need; all where nothing is chosen
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Only builds in this chroot; patterns will do, several times
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Vec<String>,
    /// Only builds of this batch
    #[arg(long, value_name = "BATCH")]
    pub batch: Vec<String>,
    /// Only builds whose last attempt failed
    #[arg(long)]
    pub failed: bool,
    /// Only builds that what git has changed since this revision (or in this range) touches
    #[arg(long, value_name = "REVISION")]
    pub changed_since: Option<String>,
    /// Everything that needs what is chosen as well
    #[arg(long)]
    pub dependents: bool,
    /// Build what is chosen even if it is up to date
    #[arg(long)]
    pub force: bool,
    /// What this apply has made already: it is not forced again.
    #[arg(skip)]
    pub made: BTreeSet<BuildName>,
    /// Define a macro for all builds, above what the manifest says
    #[arg(short = 'D', long = "define", value_name = "NAME VALUE", value_parser = definition)]
    pub define: Vec<MacroSetting>,
    /// Let a profile of the manifest hold, above what its packages say
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
    /// How many steps run at a time; as many as there are processors where it is not given
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

/// `forge apply`
#[derive(Args, Debug)]
pub struct Apply {
    /// What to build.
    #[command(flatten)]
    pub selection: Selection,
    /// Write events as JSON, one a line, to standard output
    #[arg(long)]
    pub json: bool,
    /// Write what builds print as well, as it comes
    #[arg(long, requires = "json")]
    pub logs: bool,
    /// Read every file of the repositories, and put right what is not as it was published
    #[arg(long)]
    pub verify_published: bool,
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
    /// Show what is up to date as well
    #[arg(long)]
    pub all: bool,
    /// Say for each build what it is built with, and who says so
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
    /// The file to write; standard output where it is not given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `forge check`
#[derive(Args, Debug)]
pub struct Check {
    /// Check the manifest alone: read no spec
    #[arg(long)]
    pub manifest_only: bool,
    /// Print what is found as JSON; `forge schema --form check` prints its schema
    #[arg(long)]
    pub json: bool,
    /// Let a profile of the manifest hold, above what its packages say
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
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
    /// The project's name; the folder's where it is not given
    #[arg(long)]
    pub name: Option<String>,
}

/// `forge status`
#[derive(Args, Debug)]
pub struct Status {
    /// Which builds.
    #[command(flatten)]
    pub selection: Selection,
    /// Show every build, also where there are more than fit a screen
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
pub struct History {
    /// Packages, by name or pattern; all where none is named
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Only builds in this chroot; patterns will do
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
    pub package: String,
    /// Go on as the log grows, until the build ends
    #[arg(short, long)]
    pub follow: bool,
    /// Only this stage: prep, build, install, check …
    #[arg(long)]
    pub stage: Option<String>,
    /// In this chroot; patterns will do
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Option<String>,
}

/// `forge results`
#[derive(Args, Debug)]
pub struct Results {
    /// Packages, by name or pattern, or numbers of builds: '#12'
    #[arg(value_name = "PACKAGE", required_unless_present_any = ["chroot", "batch"])]
    pub packages: Vec<String>,
    /// Only builds in this chroot; patterns will do
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Vec<String>,
    /// Only builds of this batch; patterns will do
    #[arg(long, value_name = "BATCH")]
    pub batch: Vec<String>,
}

/// `forge gc`
#[derive(Args, Debug)]
#[command(
    after_help = "What this project publishes, and the newest good build of each of its packages, stay whatever the limits are. \
                  Without a limit, what nobody has used for 30 days goes."
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

/// What `forge schema` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SchemaForm {
    /// A KDL schema
    Kdl,
    /// The reference, as Markdown
    Markdown,
    /// The JSON Schema of the events that `forge apply --json` tells
    Events,
    /// The JSON Schema of what `forge check --json` prints
    Check,
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
    /// The first package; or a package of the manifest, whose newest good build is compared with the one before
    #[arg(value_name = "BEFORE.rpm|PACKAGE")]
    pub before: PathBuf,
    /// The second package
    #[arg(value_name = "AFTER.rpm")]
    pub after: Option<PathBuf>,
    /// Compare builds in this chroot; that of the newest good build where it is not given
    #[arg(long, value_name = "CHROOT", conflicts_with = "after")]
    pub chroot: Option<String>,
    /// Show, and count, what only tells when, where and by what they were built
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

/// `forge spec`
#[derive(Args, Debug)]
pub struct Spec {
    /// Specs: files, or packages of the manifest, with what that says of them
    #[arg(value_name = "SPEC|PACKAGE", required = true)]
    pub specs: Vec<PathBuf>,
    /// Read packages of the manifest for this chroot; the first that they are built in where it is not given
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Option<String>,
    /// Define a macro, or a parametric one: 'NAME(OPTIONS) VALUE'
    #[arg(short = 'D', long = "define", value_name = "NAME VALUE", value_parser = definition)]
    pub define: Vec<MacroSetting>,
    /// Switch a condition of the build on
    #[arg(long, value_name = "CONDITION")]
    pub with: Vec<String>,
    /// Switch a condition of the build off
    #[arg(long, value_name = "CONDITION")]
    pub without: Vec<String>,
    /// Read it for this architecture: CPU[-VENDOR-OS]
    #[arg(long, value_name = "ARCH")]
    pub target: Option<String>,
    /// Run nothing while it is read, look at no file but those of its folder and of rpm; say which macro wanted to
    #[arg(long)]
    pub restricted: bool,
    /// Print everything as JSON
    #[arg(long)]
    pub json: bool,
}

/// `forge eval`
#[derive(Args, Debug)]
#[command(after_help = "\
Files are loaded first, then macros are defined, then undefined, each in the order given.

`forge eval --rpm ARGUMENTS` understands rpm's own command line, `rpm --eval '%{_libdir}' -D 'x 1' …`,
in order, and writes and exits as rpm does.")]
pub struct Eval {
    /// What to expand: text with macros; each gives a line of its own
    #[arg(value_name = "EXPRESSION", required = true)]
    pub expressions: Vec<OsString>,
    /// Expand with what the manifest says for this package: macros, conditions, environment, architecture
    #[arg(short, long, value_name = "PACKAGE", conflicts_with = "root")]
    pub package: Option<String>,
    /// Expand with what holds for the package in this chroot; the first that it is built in where it is not given
    #[arg(long, value_name = "CHROOT", requires = "package")]
    pub chroot: Option<String>,
    /// Define a macro, or a parametric one: 'NAME(OPTIONS) VALUE'
    #[arg(short = 'D', long = "define", value_name = "NAME VALUE")]
    pub define: Vec<OsString>,
    /// Take the newest definition of a macro away
    #[arg(long, value_name = "NAME")]
    pub undefine: Vec<OsString>,
    /// Load a macro file
    #[arg(long, value_name = "FILE")]
    pub load: Vec<PathBuf>,
    /// Read these macro files, separated by colons, instead of rpm's usual ones
    #[arg(long, value_name = "PATH")]
    pub macros: Option<OsString>,
    /// Expand for this architecture: CPU[-VENDOR-OS]
    #[arg(long, value_name = "ARCH")]
    pub target: Option<String>,
    /// Read the macro files of this root; nothing is run, for its programs are not this machine's
    #[arg(long, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
    /// Run nothing, write no file, look at none but those of this folder and of rpm; say which macro wanted to
    #[arg(long)]
    pub restricted: bool,
    /// Print the values as JSON, with the macros that had a part in them and where they are defined
    #[arg(long)]
    pub json: bool,
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

/// `NAME VALUE` or `NAME(OPTIONS) VALUE`, as rpm's `--define`, or `NAME=VALUE`.
fn definition(text: &str) -> Result<MacroSetting, String> {
    let is_end = |c: char| c.is_whitespace() || c == '=';
    let (head, body) =
        text.trim_start().split_once(is_end).ok_or("a macro needs a value: -D 'NAME VALUE'")?;
    let (name, options) = match head.split_once('(') {
        Some((name, options)) => (name, Some(options.trim_end_matches(')').to_owned())),
        None => (head, None),
    };
    let is_name = name.len() > 1 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!(
            "`{name}` can't be the name of a macro: two or more letters, digits or underscores"
        ));
    }
    let body = Some(body.trim_start().into());
    Ok(MacroSetting { name: name.to_owned(), options, body, level: MacroLevel::CommandLine })
}

/// A number of bytes with an optional unit, counted in 1024: `500M`, `20G`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: u64 = digits.parse().map_err(|_| format!("`{text}` is no size: write 500M or 20G"))?;
    let unit = text.get(digits.len()..).unwrap_or_default().trim_end_matches("iB").trim_end_matches('B');
    let factor: u64 = match unit {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => return Err(format!("`{unit}` is no unit of size: K, M, G or T")),
    };
    number.checked_mul(factor).ok_or_else(|| format!("`{text}` is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command_line().debug_assert();
    }

    #[test]
    fn sizes_count_in_1024() {
        assert_eq!(size("20G"), Ok(20 << 30));
        assert_eq!(size("7"), Ok(7));
        assert!(size("many").is_err());
    }

    #[test]
    fn a_definition_may_have_options() {
        let setting = definition("flag(n:) --enable-%{-n*}").unwrap();
        assert_eq!((setting.name.as_str(), setting.options.as_deref()), ("flag", Some("n:")));
        assert!(definition("9lives x").is_err());
    }
}
