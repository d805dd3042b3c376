//! Why something is built: what has changed, as data and in words.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chroot::RootPart;
use crate::digest::Digest;
use crate::engine::{Condition, MacroLevel, MacroSetting, Variations};

/// How many characters of a command are shown.
const LONGEST_NAME: usize = 80;

/// The digests of something before and now; nothing where it was or is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestChange {
    /// What it was.
    pub was: Option<Digest>,
    /// What it is.
    pub now: Option<Digest>,
}

impl fmt::Display for DigestChange {
    /// `1e466366 → c9576187`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: usize = 8;
        let short = |digest: Option<Digest>| digest.map_or("none".to_owned(), |digest| digest.short(DIGITS));
        write!(f, "{} → {}", short(self.was), short(self.now))
    }
}

/// What the manifest makes of a macro.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MacroValue {
    /// Its body, as it may be shown; nothing where the manifest undefines it.
    pub body: Option<String>,
    /// Who says so.
    pub level: MacroLevel,
}

impl MacroValue {
    /// What a setting of the manifest makes of its macro.
    pub fn new(setting: &MacroSetting) -> Self {
        let body = setting.body.as_ref().map(|body| body.shown().to_owned());
        Self { body, level: setting.level }
    }
}

impl fmt::Display for MacroValue {
    /// `` `.acme1` (package) ``
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.body {
            Some(body) => write!(f, "`{body}` ({})", self.level),
            None => write!(f, "undefined ({})", self.level),
        }
    }
}

/// What the manifest makes of a build condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionWord {
    /// `with`
    With,
    /// `without`
    Without,
}

impl ConditionWord {
    /// What a condition of the manifest says.
    pub fn new(condition: &Condition) -> Self {
        match condition {
            Condition::With(_) => Self::With,
            Condition::Without(_) => Self::Without,
        }
    }

    fn shown(word: Option<Self>) -> &'static str {
        match word {
            Some(Self::With) => "with",
            Some(Self::Without) => "without",
            None => "the spec's default",
        }
    }
}

/// Why something is built that was built before, or never was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Reason {
    /// It has no good build in this project.
    NeverBuilt,
    /// It is there already, and was asked for all the same.
    Forced,
    /// It was built, and its result is not in the store any more.
    ResultGone,
    /// It was built by a forge that wrote down other ingredients.
    OtherForge,
    /// An earlier build is made again, as `forge rebuild` was told.
    Rebuild {
        /// Its number in this project.
        build: u64,
        /// Whether it is made in the root of today instead of its own.
        with_current_root: bool,
    },
    /// An earlier build is made again with something about it varied, to see whether its packages depend on that, as `forge verify`
    /// was told.
    Verification {
        /// Its number in this project.
        build: u64,
        /// What is varied.
        varied: Variations,
    },
    /// Its source package is made, and nothing else, as `forge apply --only sources` was told.
    SourcePackage,
    /// A build before it is not done yet; whether it has to be built will be known then.
    Undecided {
        /// The build before it.
        after: String,
    },
    /// The engine is another one.
    Engine {
        /// What it was.
        was: String,
        /// What it is.
        now: String,
    },
    /// The spec has changed.
    Spec {
        /// Its content.
        #[serde(flatten)]
        change: DigestChange,
    },
    /// The spec's file has another name.
    SpecName {
        /// What it was.
        was: String,
        /// What it is.
        now: String,
    },
    /// A source has changed, come in or gone.
    Source {
        /// Its name.
        name: String,
        /// Its content.
        #[serde(flatten)]
        change: DigestChange,
    },
    /// A source, or the spec, was made executable, or is not any more.
    Mode {
        /// Its name.
        name: String,
    },
    /// The architecture is another one.
    Target,
    /// The rpm whose language its spec is in is another one.
    Rpm {
        /// What it was.
        was: String,
        /// What it is.
        now: String,
    },
    /// It is built elsewhere: in a sandbox, or on the machine.
    Isolation {
        /// What it was.
        was: String,
        /// What it is.
        now: String,
    },
    /// A macro has changed.
    Macro {
        /// Its name.
        name: String,
        /// What it was; nothing where the manifest did not set it.
        was: Option<MacroValue>,
        /// What it is; nothing where the manifest does not set it any more.
        now: Option<MacroValue>,
    },
    /// A build condition has changed.
    Condition {
        /// Its name.
        name: String,
        /// What it was; nothing where the spec's default held.
        was: Option<ConditionWord>,
        /// What it is; nothing where the spec's default holds.
        now: Option<ConditionWord>,
    },
    /// An environment variable has changed.
    Variable {
        /// Its name.
        name: String,
    },
    /// Something that reading the spec saw has changed, come in or gone.
    Observed {
        /// What: a file, a command with its answer.
        what: String,
        /// What was seen.
        #[serde(flatten)]
        change: DigestChange,
    },
    /// What the spec says has changed, and nothing else that is known.
    Facts,
    /// The root is another one.
    Root {
        /// What of it.
        part: RootPart,
        /// Its files that have changed, where the store still knows what they were.
        files: Vec<String>,
    },
    /// A package that it takes from another build came out differently, is new or gone.
    Dependency {
        /// The package.
        package: String,
        /// The package of that name and architecture in its place before, where it was of another version.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        /// Its content.
        #[serde(flatten)]
        change: DigestChange,
    },
}

impl Reason {
    /// The digests before and now of what is told by its content.
    pub fn digests(&self) -> Option<DigestChange> {
        match self {
            Self::Spec { change }
            | Self::Source { change, .. }
            | Self::Observed { change, .. }
            | Self::Dependency { change, .. } => Some(*change),
            Self::NeverBuilt
            | Self::Forced
            | Self::ResultGone
            | Self::OtherForge
            | Self::Rebuild { .. }
            | Self::Verification { .. }
            | Self::SourcePackage
            | Self::Undecided { .. }
            | Self::Engine { .. }
            | Self::SpecName { .. }
            | Self::Mode { .. }
            | Self::Target
            | Self::Rpm { .. }
            | Self::Isolation { .. }
            | Self::Macro { .. }
            | Self::Condition { .. }
            | Self::Variable { .. }
            | Self::Facts
            | Self::Root { .. } => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverBuilt => f.write_str("never built here"),
            Self::Forced => f.write_str("forced"),
            Self::ResultGone => f.write_str("its result is not in the store any more"),
            Self::OtherForge => f.write_str("built by another forge, which keyed it differently"),
            Self::Rebuild { build, with_current_root: false } => write!(f, "rebuild of #{build}"),
            Self::Rebuild { build, with_current_root: true } => {
                write!(f, "rebuild of #{build} in the root of today")
            }
            Self::Verification { build, varied } => {
                write!(f, "verification of #{build}, with another {varied}")
            }
            Self::SourcePackage => f.write_str("its source package alone"),
            Self::Undecided { after } => write!(f, "if packages of {after} change"),
            Self::Engine { was, now } => write!(f, "engine: {was} → {now}"),
            Self::Spec { .. } => f.write_str("spec changed"),
            Self::SpecName { was, now } => write!(f, "spec renamed: {was} → {now}"),
            Self::Source { name, .. } => write!(f, "source {name} changed"),
            Self::Mode { name } => write!(f, "mode of {name} changed"),
            Self::Target => f.write_str("architecture changed"),
            Self::Isolation { was, now } => write!(f, "isolation: {was} → {now}"),
            Self::Rpm { was, now } => write!(f, "rpm whose language it is in: {was} → {now}"),
            Self::Macro { name, was, now } => {
                let shown = |value: &Option<MacroValue>| match value {
                    Some(value) => value.to_string(),
                    None => "unset".to_owned(),
                };
                write!(f, "macro {name}: {} → {}", shown(was), shown(now))
            }
            Self::Condition { name, was, now } => {
                write!(f, "condition {name}: {} → {}", ConditionWord::shown(*was), ConditionWord::shown(*now))
            }
            Self::Variable { name } => write!(f, "environment variable {name} changed"),
            Self::Observed { what, .. } => write!(f, "{} changed", join_lines(what)),
            Self::Facts => f.write_str("what its spec says changed"),
            Self::Root { part, files } => match (part, files.as_slice()) {
                (RootPart::Programs, [program]) => write!(f, "root: program {program} changed"),
                (_, []) => write!(f, "root: {part} changed"),
                (_, files) => write!(f, "root: {part} changed ({})", list_files(files)),
            },
            Self::Dependency { package, before: Some(before), .. } => write!(f, "{before} → {package}"),
            Self::Dependency { package, before: None, change } => match (change.was, change.now) {
                (None, Some(_)) => write!(f, "{package} is new"),
                (Some(_), None) => write!(f, "{package} is gone"),
                (None, None) | (Some(_), Some(_)) => write!(f, "{package} changed"),
            },
        }
    }
}

/// The first of some files, and how many more there are.
fn list_files(files: &[String]) -> String {
    match files {
        [one, two, three, rest @ ..] if !rest.is_empty() => {
            format!("{one}, {two}, {three} and {} more", rest.len())
        }
        files => files.join(", "),
    }
}

/// A text that may have many lines, as a part of one.
fn join_lines(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = line.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    if line.chars().count() > LONGEST_NAME { format!("{shown}…") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_files_are_named_where_they_are_known() {
        let text = |part, files: &[&str]| {
            Reason::Root { part, files: files.iter().map(|file| (*file).to_owned()).collect() }.to_string()
        };
        assert_eq!(text(RootPart::Programs, &["/usr/bin/gcc"]), "root: program /usr/bin/gcc changed");
        assert_eq!(
            text(RootPart::Configuration, &["/etc/rpm/macros"]),
            "root: macro files changed (/etc/rpm/macros)"
        );
        assert_eq!(
            text(RootPart::Programs, &["a", "b", "c", "d", "e"]),
            "root: programs changed (a, b, c and 2 more)"
        );
    }
}
