//! What is to be run.

use serde::{Deserialize, Serialize};

use super::Bytes;

/// One step of what is to be done in a root for the packages in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptletRun {
    /// The package that it belongs to: `name-[epoch:]version-release.arch`.
    pub package: String,
    /// What it is there.
    pub kind: ScriptletKind,
    /// What follows if it fails.
    pub weight: ScriptletWeight,
    /// What is to be done.
    pub work: ScriptletWork,
}

/// What a step is in its package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptletKind {
    /// `%pretrans`: before anything else.
    Pretrans,
    /// Users and groups that the package provides.
    Sysusers,
    /// `%triggerprein`: before another package.
    TriggerPrein,
    /// `%pre`: before the package.
    Pre,
    /// The files of a package with `%pre`: whether they are still there, and whose they are.
    Files,
    /// `%filetriggerin`: after a package with such files.
    FileTriggerin,
    /// `%post`: after the package.
    Post,
    /// `%triggerin`: after another package.
    Triggerin,
    /// `%posttrans`: after all packages.
    Posttrans,
    /// `%transfiletriggerin`: after all packages, for all files.
    TransFileTriggerin,
    /// The package database, where forge doesn't write it.
    Database,
}

/// What follows where a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptletWeight {
    /// The package can't be installed.
    Error,
    /// Nothing: rpm warns.
    Warning,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "kebab-case")]
pub enum ScriptletWork {
    /// Runs a script.
    Script(PlannedScript),
    /// Makes users and groups; lines of sysusers.d(5).
    Accounts {
        /// The lines.
        lines: Vec<String>,
    },
    /// Looks after files.
    Files(FilesLaid),
    /// Has the root's own rpm put packages into its database, of whatever kind that is.
    Import {
        /// Their headers, one after the other, as `rpmdb --exportdb` writes them.
        headers: Bytes,
    },
}

/// A script, or a program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedScript {
    /// The interpreter with its options; `<lua>` is the one that is built in.
    pub interpreter: Vec<Bytes>,
    /// The script; nothing where the interpreter is all there is to run.
    pub body: Option<Bytes>,
    /// What it gets as `$1` and `$2`: how many packages there are.
    pub arguments: Vec<u32>,
    /// What it finds in `RPM_INSTALL_PREFIX…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<Bytes>,
    /// The files that it reads about, one a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<Bytes>,
    /// Whether macros in it are expanded first, those of the root (`%post -e`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_macros: bool,
    /// The package's header, as the database holds it, where the script is a query format (`%post -q`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Bytes>,
}

/// Files of a package whose scripts ran when they were there already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesLaid {
    /// All that must still be there.
    pub present: Vec<Bytes>,
    /// Those that belong to others than root.
    pub owned: Vec<OwnedFile>,
}

/// A file that belongs to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedFile {
    /// Where it is.
    pub path: Bytes,
    /// The name of its user.
    pub user: String,
    /// The name of its group.
    pub group: String,
    /// Its mode, which a change of owner takes bits from.
    pub mode: u32,
}

impl ScriptletKind {
    /// Its name as in specs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pretrans => "pretrans",
            Self::Sysusers => "sysusers",
            Self::TriggerPrein => "triggerprein",
            Self::Pre => "pre",
            Self::Files => "files",
            Self::FileTriggerin => "filetriggerin",
            Self::Post => "post",
            Self::Triggerin => "triggerin",
            Self::Posttrans => "posttrans",
            Self::TransFileTriggerin => "transfiletriggerin",
            Self::Database => "rpmdb",
        }
    }
}

impl ScriptletRun {
    /// As messages call it: `%post(bash-5.2-1.x86_64)`.
    pub fn title(&self) -> String {
        format!("%{}({})", self.kind.name(), self.package)
    }
}

impl PlannedScript {
    /// Whether it is Lua.
    pub fn is_lua(&self) -> bool {
        self.interpreter.first().is_some_and(|program| program.0 == b"<lua>")
    }
}
