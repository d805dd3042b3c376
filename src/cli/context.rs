//! What commands get from outside: the environment, the terminal, where to write.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::OnceLock;

use anstream::{AutoStream, ColorChoice};
use miette::Diagnostic;

use super::arguments::Global;
use crate::engine::{Secret, SecretKey};
use crate::event::BuildName;
use crate::files::{HostPath, reason};
use crate::manifest::{Environment, ManifestErrors};
use crate::plan::{Circles, PlanError};
use crate::text::Located;
use crate::ui::{ReportStyle, Verbosity, is_closed_pipe, report};

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// Mistakes of the manifest.
    Manifest(ManifestErrors),
    /// Builds that wait for each other, and what else is wrong with builds.
    Circles(Box<Circles>),
    /// Anything else, with its message.
    Report(Box<miette::Report>),
    /// Whoever read the output has gone: there is nothing more to say.
    ClosedPipe,
}

impl Failure {
    /// Why nothing more can be written.
    pub fn from_output(error: io::Error) -> Self {
        if is_closed_pipe(&error) { Self::ClosedPipe } else { CliError::Io(error).into() }
    }
}

impl<E: Diagnostic + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Report(Box::new(miette::Report::new(error)))
    }
}

/// What can go wrong before any other module is asked.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum CliError {
    /// The lock can't be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(crate::chroot::LockError),
    /// A chroot of which nothing is locked.
    #[error("nothing is locked of chroot `{chroot}`")]
    #[diagnostic(
        code(forge::cli::not_locked),
        help("`forge update` locks the packages of chroots that are made from repositories")
    )]
    NotLocked {
        /// The chroot.
        chroot: String,
    },
    /// A package that is in no root.
    #[error("no root of these chroots has a package `{name}`")]
    #[diagnostic(code(forge::cli::not_in_roots), help("{help}"))]
    NotInRoots {
        /// What was asked for.
        name: String,
        /// What may be meant.
        help: String,
    },
    /// Nothing can be fetched.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fetch(crate::fetch::FetchError),
    /// There is no manifest.
    #[error("there is no Rpmforge.kdl in {folder} or in a folder above it")]
    #[diagnostic(code(forge::cli::no_manifest), help("`forge init` writes one for the specs that it finds"))]
    NoManifest {
        /// Where it was looked for.
        folder: String,
    },
    /// A file that is no package of the manifest.
    #[error("no package of the manifest is made of `{file}`")]
    #[diagnostic(
        code(forge::cli::not_of_manifest),
        help(
            "declare one: `package NAME {{ source path \"{file}\" }}`; where no Rpmforge.kdl is in the folder or above it, the file is built all the same"
        )
    )]
    NotOfManifest {
        /// The file.
        file: String,
    },
    /// A package whose spec needs not be written into the project.
    #[error("the spec of `{package}` is in the project already")]
    #[diagnostic(code(forge::cli::in_project), help("`forge spec {package}` shows it"))]
    InProject {
        /// The package.
        package: String,
    },
    /// A folder that is to be made.
    #[error("{folder} is there already")]
    #[diagnostic(code(forge::cli::folder_exists), help("name another folder with `--to`, or move it away"))]
    FolderExists {
        /// The folder.
        folder: String,
    },
    /// There is one already.
    #[error("{path} is there already")]
    #[diagnostic(code(forge::cli::manifest_exists), help("edit it, or delete it and run `forge init` again"))]
    ManifestExists {
        /// The manifest.
        path: String,
    },
    /// A file that would be written over.
    #[error("{path} is there already")]
    #[diagnostic(
        code(forge::cli::file_exists),
        help("name another one, or leave `--output` out and take what is printed")
    )]
    FileExists {
        /// The file.
        path: String,
    },
    /// There is nothing to import.
    #[error("there is no anda.hcl in {folder} or below it")]
    #[diagnostic(code(forge::cli::no_anda), help("name a file of Anda, or a folder that has some in it"))]
    NoAnda {
        /// Where it was looked for.
        folder: String,
    },
    /// It can't be imported.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Import(#[from] crate::import::ImportError),
    /// No spec was found.
    #[error("there is no spec in {folder} or below it")]
    #[diagnostic(
        code(forge::cli::no_spec),
        help("write a spec first, or a manifest with sources from elsewhere by hand")
    )]
    NoSpec {
        /// Where it was looked for.
        folder: String,
    },
    /// A folder that is needed can't be known.
    #[error("neither {first} nor HOME is set, so there is no place for {what}")]
    #[diagnostic(code(forge::cli::no_home), help("set one of them"))]
    NoHome {
        /// The variable that is looked at first.
        first: &'static str,
        /// What has no place.
        what: &'static str,
    },
    /// Another apply is at work.
    #[error("another forge is at work on this project: {holder}")]
    #[diagnostic(
        code(forge::cli::locked),
        help("wait until it has ended; `forge status` shows how far it is")
    )]
    Locked {
        /// Who.
        holder: String,
    },
    /// A package that has no build.
    #[error("`{package}` has not been built in this project")]
    #[diagnostic(code(forge::cli::not_built), help("{help}"))]
    NotBuilt {
        /// The package.
        package: String,
        /// What was built.
        help: String,
    },
    /// A build that has left no tree.
    #[error("{build} has left no build tree")]
    #[diagnostic(
        code(forge::cli::no_tree),
        help("builds that fail leave one; `forge shell --chroot {}` opens a shell in a clean root", .build.chroot)
    )]
    NoTree {
        /// The build.
        build: BuildName,
    },
    /// A build whose results are gone.
    #[error("the results of {build}, build #{number}, are not there any more")]
    #[diagnostic(
        code(forge::cli::results_removed),
        help(
            "`forge gc` removes old results; `forge history` says why each build was made, and how it ended"
        )
    )]
    ResultsRemoved {
        /// Its number.
        number: u64,
        /// The build.
        build: String,
    },
    /// A build without one before it.
    #[error("there is no good build of {build} before its newest one to compare that with")]
    #[diagnostic(
        code(forge::cli::nothing_before),
        help(
            "`forge history` lists its builds; `forge gc` removes old results, and `forge diff BEFORE.rpm AFTER.rpm` takes files"
        )
    )]
    NothingBefore {
        /// The build.
        build: String,
    },
    /// A chroot or batch that is chosen and not declared.
    #[error("there is no {kind} `{name}`")]
    #[diagnostic(code(forge::cli::nothing_selected), help("{help}"))]
    NothingSelected {
        /// What.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What there is.
        help: String,
    },
    /// A name that is no pattern.
    #[error("`{pattern}` is no pattern: {reason}")]
    #[diagnostic(
        code(forge::cli::bad_pattern),
        help(
            "`*` stands for any text, `?` for one character, `[ab]` for one of these, `{{a,b}}` for either"
        )
    )]
    BadPattern {
        /// What was written.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// git does not answer.
    #[error("git can't say what has changed: {reason}")]
    #[diagnostic(
        code(forge::cli::git),
        help(
            "`--changed-since` takes a revision, such as `origin/main`, or a range of a git work tree. A CI job's clone may \
             hold too little of the history (`fetch-depth: 0`)"
        )
    )]
    Git {
        /// What it said.
        reason: String,
    },
    /// A folder that git can't compare with a revision.
    #[error("git can't say what has changed: {reason}")]
    #[diagnostic(code(forge::cli::no_work_tree), help("{help}"))]
    NoWorkTree {
        /// Why not.
        reason: String,
        /// What to do.
        help: String,
    },
    /// A build that there was not.
    #[error("there is no build #{number} in this project")]
    #[diagnostic(code(forge::cli::no_build), help("`forge history` lists builds with their numbers"))]
    NoBuild {
        /// Its number.
        number: u64,
    },
    /// A stage that a log does not have.
    #[error("the log has no stage `{stage}`")]
    #[diagnostic(code(forge::cli::no_stage), help("{help}"))]
    NoStage {
        /// The stage.
        stage: String,
        /// What it has.
        help: String,
    },
    /// There is nowhere to send to.
    #[error("the manifest names no place{}", .place.as_ref().map(|place| format!(" `{place}`")).unwrap_or_default())]
    #[diagnostic(
        code(forge::cli::no_place),
        help("`publish \"public/{{chroot}}\" {{ to \"s3://bucket/{{chroot}}\" }}` names one")
    )]
    NoPlace {
        /// What was asked for.
        place: Option<String>,
    },
    /// A file or folder that can't be used.
    #[error("{}", crate::files::reason(.0))]
    #[diagnostic(code(forge::cli::io), help("does it exist, and may forge read and write it?"))]
    Io(#[from] io::Error),
}

/// What commands get from outside. See the [module](self).
#[derive(Debug)]
pub struct Context {
    /// The whole environment.
    pub variables: Vec<(OsString, OsString)>,
    /// The environment, as far as it is text.
    pub environment: BTreeMap<String, String>,
    /// Where the command was told to work.
    directory: Option<PathBuf>,
    /// How much is told.
    pub verbosity: Verbosity,
    colors: bool,
    /// Whether standard error is a terminal that can draw.
    pub draws: bool,
    width: usize,
    /// The user's key, once a secret has asked for it.
    secret_key: OnceLock<Result<SecretKey, String>>,
}

impl Context {
    /// The languages that the user wants texts in, the best first (gettext(3)).
    pub fn languages(&self) -> Vec<String> {
        let value = |name: &str| {
            let (_, value) = self.variables.iter().find(|(known, _)| known == name)?;
            let value = value.to_str()?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        let locale = value("LC_ALL").or_else(|| value("LC_MESSAGES")).or_else(|| value("LANG"));
        let listed = value("LANGUAGE").or(locale).unwrap_or_default();
        let mut languages: Vec<String> = Vec::new();
        for name in listed.split(':').filter(|name| !name.is_empty()) {
            let plain = name.split(['.', '@']).next().unwrap_or(name);
            let language = plain.split('_').next().unwrap_or(plain);
            for known in [name, plain, language] {
                if !languages.iter().any(|language| language == known) {
                    languages.push(known.to_owned());
                }
            }
        }
        languages
    }

    /// The context of this process, with these environment variables.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let variables: Vec<(OsString, OsString)> = variables.into_iter().collect();
        let environment: BTreeMap<String, String> = variables.iter().cloned().filter_map(text).collect();
        let is_set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
        let is_dumb = environment.get("TERM").is_none_or(|term| term == "dumb");
        let colors = !is_set("NO_COLOR") && !is_dumb;
        let draws = io::stderr().is_terminal() && !is_dumb;
        let width = terminal_width().unwrap_or(100).clamp(40, 120);
        Self {
            variables,
            environment,
            directory: None,
            verbosity: Verbosity::Normal,
            colors,
            draws,
            width,
            secret_key: OnceLock::new(),
        }
    }

    /// How many characters a line of standard output has, where that is a terminal.
    pub fn output_width(&self) -> Option<usize> {
        columns(io::stdout())
    }

    /// Takes what was said for every command.
    pub fn take(&mut self, global: &Global) {
        self.directory.clone_from(&global.directory);
        self.verbosity = match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        };
    }

    /// The folder that the command works in.
    pub fn working_folder(&self) -> Result<HostPath, Failure> {
        let current = std::env::current_dir().map_err(CliError::Io)?;
        let path = current.join(self.directory.as_deref().unwrap_or(std::path::Path::new("")));
        Ok(without_climbing(HostPath::new(path).unwrap_or_else(HostPath::root)))
    }

    /// A file or folder that an argument names, as an absolute path.
    pub fn named(&self, path: &std::path::Path) -> Result<HostPath, Failure> {
        let current = std::env::current_dir().map_err(CliError::Io)?;
        Ok(without_climbing(HostPath::new(current.join(path)).unwrap_or_else(HostPath::root)))
    }

    /// The store's folder.
    pub fn store_folder(&self) -> Result<HostPath, Failure> {
        let set =
            |name: &str| self.environment.get(name).filter(|value| !value.is_empty()).and_then(HostPath::new);
        let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
        let cache = cache.ok_or(CliError::NoHome { first: "XDG_CACHE_HOME", what: "the store" })?;
        Ok(cache.join("rpmforge"))
    }

    /// The folder of what is this user's own.
    fn data_folder(&self) -> Option<HostPath> {
        let set =
            |name: &str| self.environment.get(name).filter(|value| !value.is_empty()).and_then(HostPath::new);
        let data = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")));
        data.map(|data| data.join("rpmforge"))
    }

    /// Writes to standard output.
    pub fn print(&self, text: &str) -> Result<(), Failure> {
        let mut output = self.output();
        let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
        written.map_err(Failure::from_output)
    }

    /// Standard output; colours are taken out where they don't belong.
    pub fn output(&self) -> AutoStream<io::Stdout> {
        AutoStream::new(io::stdout(), self.choice(io::stdout().is_terminal()))
    }

    /// Standard error; colours are taken out where they don't belong.
    pub fn errors(&self) -> AutoStream<io::Stderr> {
        AutoStream::new(io::stderr(), self.choice(io::stderr().is_terminal()))
    }

    fn choice(&self, is_terminal: bool) -> ColorChoice {
        if self.colors && is_terminal { ColorChoice::AlwaysAnsi } else { ColorChoice::Never }
    }

    /// Writes a message to standard error.
    pub fn tell(&self, text: &str) {
        // A message that nobody can read any more is no reason to fail.
        let _ = self.errors().write_all(text.as_bytes());
    }

    /// Writes a diagnostic to standard error.
    pub fn show(&self, diagnostic: &dyn Diagnostic) {
        let colors = self.colors && io::stderr().is_terminal();
        self.tell(&report(diagnostic, ReportStyle { colors, width: self.width }));
    }

    /// Writes why a command failed.
    pub fn show_failure(&self, failure: &Failure) {
        match failure {
            Failure::Manifest(errors) => errors.0.iter().for_each(|error| {
                self.show(error);
                self.tell("\n");
            }),
            Failure::Circles(circles) => self.show_separated(&circles.errors()),
            Failure::Report(error) => self.show(error.as_ref().as_ref()),
            Failure::ClosedPipe => {}
        }
        if let Failure::Manifest(errors) = failure {
            let mistakes = if errors.0.len() == 1 {
                "1 mistake".to_owned()
            } else {
                format!("{} mistakes", errors.0.len())
            };
            self.tell(&format!("{mistakes} in the manifest; nothing was done\n"));
        }
    }
}

impl Context {
    /// Shows several mistakes, with lines between them.
    fn show_separated(&self, errors: &[&Located<PlanError>]) {
        for (number, error) in errors.iter().enumerate() {
            if number > 0 {
                self.tell("\n");
            }
            self.show(*error);
        }
    }
}

impl Environment for Context {
    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    fn secret(&self, text: &str) -> Result<Secret, String> {
        let read = || {
            let folder = self.data_folder().ok_or("neither XDG_DATA_HOME nor HOME is set")?;
            SecretKey::read_or_make(&folder).map_err(|error| reason(&error))
        };
        Ok(Secret::new(text.to_owned(), self.secret_key.get_or_init(read).as_ref()?))
    }
}

/// A path as roots can have it. Where it can't be followed, what opens it says why.
fn without_climbing(path: HostPath) -> HostPath {
    path.without_climbing().unwrap_or(path)
}

fn terminal_width() -> Option<usize> {
    columns(io::stderr())
}

fn columns(terminal: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
