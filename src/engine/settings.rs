//! What a spec is read and built with: everything beside the spec and its sources that decides what comes out.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Mask, Secret, Value};
use crate::digest::{Digest, Encoder};
use crate::macros::RpmVersion;
use crate::package::Dependency;
use crate::process::Personality;

/// Who said a macro's value; a later level overrides an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MacroLevel {
    /// `macros` at the top of the manifest.
    Project,
    /// `macros` of `defaults`.
    Defaults,
    /// `macros` of a chroot.
    Chroot,
    /// `macros` of a batch.
    Batch,
    /// `macros` of a package.
    Package,
    /// `macros` of a profile.
    Profile,
    /// `-D` on the command line.
    CommandLine,
}

impl fmt::Display for MacroLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Project => "project",
            Self::Defaults => "defaults",
            Self::Chroot => "chroot",
            Self::Batch => "batch",
            Self::Package => "package",
            Self::Profile => "profile",
            Self::CommandLine => "command line",
        })
    }
}

/// One macro that the manifest overrides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MacroSetting {
    /// Its name without options.
    pub name: String,
    /// The options of a parametric macro: what stands between the parentheses.
    pub options: Option<String>,
    /// Its body; `None` undefines it.
    pub body: Option<Value>,
    /// Who says so.
    pub level: MacroLevel,
}

/// A build condition (`%bcond`) that the manifest sets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// `--with NAME`
    With(String),
    /// `--without NAME`
    Without(String),
}

impl Condition {
    /// The condition's name.
    pub fn name(&self) -> &str {
        match self {
            Self::With(name) | Self::Without(name) => name,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::With(name) => write!(f, "with {name}"),
            Self::Without(name) => write!(f, "without {name}"),
        }
    }
}

/// Where a spec is read and built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// On the machine: a spec can do what the user can.
    #[default]
    None,
    /// In a sandbox, which reaches no network.
    Sandbox,
    /// In a sandbox that reaches the network that the machine reaches.
    SandboxWithNetwork,
}

impl Isolation {
    /// Whether there is a sandbox.
    pub fn is_sandbox(self) -> bool {
        match self {
            Self::None => false,
            Self::Sandbox | Self::SandboxWithNetwork => true,
        }
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Sandbox => "namespaces",
            Self::SandboxWithNetwork => "namespaces, with the network",
        })
    }
}

/// The settings of one build: everything beside the spec and its sources that decides what comes out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// The architecture to build for; `None` is the machine's own.
    pub target: Option<String>,
    /// The rpm whose language specs are in; `None` is the root's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpm: Option<RpmVersion>,
    /// Macros, by name.
    pub macros: Vec<MacroSetting>,
    /// Build conditions, by name.
    pub conditions: Vec<Condition>,
    /// Environment variables.
    pub environment: BTreeMap<String, Value>,
    /// Where it is read and built.
    #[serde(default)]
    pub isolation: Isolation,
    /// What is needed beside the `BuildRequires` of the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub build_requires: Vec<Dependency>,
}

impl Settings {
    /// The values that may not be shown, and what has them, in words.
    pub fn secrets(&self) -> impl Iterator<Item = (String, &Secret)> {
        let macros = self.macros.iter().filter_map(|setting| {
            let secret = setting.body.as_ref()?.secret()?;
            Some((format!("the macro `{}`", setting.name), secret))
        });
        let variables = self.environment.iter().filter_map(|(name, value)| {
            Some((format!("the environment variable `{name}`"), value.secret()?))
        });
        macros.chain(variables)
    }

    /// What only the user knows who has the secrets' key; nothing where there are no secrets.
    pub fn salt(&self) -> Option<Digest> {
        let digests: Vec<Digest> = self.secrets().map(|(_, secret)| secret.digest()).collect();
        let mut encoder = Encoder::new("rpmforge salt v1");
        encoder.list("secrets", digests.iter(), |encoder, digest| {
            encoder.digest_field("", digest);
        });
        (!digests.is_empty()).then(|| encoder.digest())
    }

    /// Which machine programs are told that this is.
    pub fn personality(&self) -> Personality {
        Personality::for_architecture(self.target.as_deref())
    }

    /// What takes their secrets out of all that is shown.
    pub fn mask(&self) -> Mask {
        Mask::new(self.secrets().map(|(_, secret)| secret.reveal()))
    }

    /// Puts every field into a key. A field that is forgotten here does not compile.
    pub fn encode(&self, encoder: &mut Encoder) {
        // What is put into a root counts by its content.
        let Self { target, rpm, macros, conditions, environment, isolation, build_requires: _ } = self;
        encoder.text("isolation", &isolation.to_string());
        encoder.option("target", target.as_deref());
        encoder.option("rpm", rpm.map(|rpm| rpm.to_string()).as_deref());
        encoder.list("macros", macros.iter(), |encoder, setting| {
            let MacroSetting { name, options, body, level } = setting;
            encoder.text("name", name).option("options", options.as_deref());
            match body {
                Some(value @ (Value::Secret(_) | Value::Digested(_))) => value.encode("secret body", encoder),
                Some(Value::Written(text)) => drop(encoder.option("body", Some(text))),
                None => drop(encoder.option("body", None)),
            }
            encoder.text("level", &level.to_string());
        });
        encoder.list("conditions", conditions.iter(), |encoder, condition| {
            encoder.text("", &condition.to_string());
        });
        encoder.list("environment", environment.iter(), |encoder, (name, value)| {
            value.encode(name, encoder);
        });
    }
}
