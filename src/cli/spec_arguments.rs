//! The command lines of what reads specs and macros.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::argument_values::definition;
use super::selection_arguments::PackageChoice;
use crate::engine::MacroSetting;

/// `forge spec`
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("named").args(["specs", "batch"]).multiple(true))]
pub struct Spec {
    /// Specs: files, or packages of the manifest by name or pattern, with what that says of them
    #[arg(value_name = "SPEC|PACKAGE", required_unless_present = "batch")]
    pub specs: Vec<PathBuf>,
    /// Which packages of the manifest.
    #[command(flatten)]
    pub choice: PackageChoice,
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
#[command(group = ArgGroup::new("named").args(["package", "batch"]).multiple(true), after_help = "\
Files are loaded first, then macros are defined, then undefined, each in the order given.

`forge eval --rpm ARGUMENTS` understands rpm's own command line, `rpm --eval '%{_libdir}' -D 'x 1' …`,
in order, and writes and exits as rpm does.")]
pub struct Eval {
    /// What to expand: text with macros; each gives a line of its own
    #[arg(value_name = "EXPRESSION", required = true)]
    pub expressions: Vec<OsString>,
    /// Expand with what the manifest says for this package, by name or pattern: macros, conditions, environment, architecture
    #[arg(short, long, value_name = "PACKAGE", conflicts_with = "root")]
    pub package: Vec<String>,
    /// Which packages of the manifest.
    #[command(flatten)]
    pub choice: PackageChoice,
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
