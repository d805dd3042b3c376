//! Settings as they are written: what they are, and where they hold.

use std::time::Duration;

use super::build_limits::LimitsDecl;
use super::choices::{Bootstrap, EngineChoice, Isolation, Network, OnFailure, Priority};
use crate::engine::{Condition, Value};
use crate::package::Dependency;
use crate::text::{Place, Spanned};

/// One macro, as written.
#[derive(Clone, Debug)]
pub struct MacroDecl {
    /// Its name and, in parentheses, its options.
    pub name: Spanned<String>,
    /// Its body; `None` undefines it.
    pub body: Option<Value>,
}

/// One environment variable, as written.
#[derive(Clone, Debug)]
pub struct VariableDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value.
    pub value: Value,
}

/// Chroots, selected by patterns.
#[derive(Clone, Debug, Default)]
pub struct ChrootSelection {
    /// Patterns of those to take.
    pub take: Vec<Spanned<String>>,
    /// Patterns of those to leave out.
    pub exclude: Vec<Spanned<String>>,
}

/// What a build is made with, as written.
#[derive(Clone, Debug, Default)]
pub struct SettingsDecl {
    /// Build conditions.
    pub conditions: Vec<Spanned<Condition>>,
    /// Environment variables.
    pub environment: Vec<VariableDecl>,
    /// Macros.
    pub macros: Vec<MacroDecl>,
    /// What is needed beside the `BuildRequires` of the spec.
    pub build_requires: Vec<Dependency>,
    /// How much it may take.
    pub limits: LimitsDecl,
}

/// `on`: settings for some chroots.
#[derive(Clone, Debug)]
pub struct OnDecl {
    /// Patterns of the chroots.
    pub chroots: Vec<Spanned<String>>,
    /// The settings.
    pub settings: SettingsDecl,
    /// Where it is written.
    pub place: Place,
}

/// Settings, and those of some chroots.
#[derive(Clone, Debug, Default)]
pub struct LayerDecl {
    /// For all chroots.
    pub settings: SettingsDecl,
    /// For some.
    pub on: Vec<OnDecl>,
}

/// What packages, groups of packages, profiles and the defaults can all say.
#[derive(Clone, Debug, Default)]
pub struct OptionsDecl {
    /// Where to build.
    pub chroots: Option<ChrootSelection>,
    /// What it is built with.
    pub layer: LayerDecl,
    /// Packages that come before.
    pub after: Vec<Spanned<String>>,
    /// Who builds.
    pub engine: Option<Spanned<EngineChoice>>,
    /// How it is kept apart.
    pub isolation: Option<Spanned<Isolation>>,
    /// Whether it may reach the network.
    pub network: Option<Spanned<Network>>,
    /// How long it may take.
    pub timeout: Option<Spanned<Duration>>,
    /// How often it is tried again.
    pub retries: Option<Spanned<u32>>,
    /// What it waits for.
    pub priority: Option<Spanned<Priority>>,
    /// What its failure does.
    pub on_failure: Option<Spanned<OnFailure>>,
    /// How its root begins.
    pub bootstrap: Option<Spanned<Bootstrap>>,
}

impl LayerDecl {
    /// Adds what is said nearer. Of what has names, the last one counts.
    pub fn extend(&mut self, nearer: Self) {
        let Self { settings, on } = nearer;
        let SettingsDecl { conditions, environment, macros, build_requires, limits } = settings;
        self.settings.conditions.extend(conditions);
        self.settings.environment.extend(environment);
        self.settings.macros.extend(macros);
        self.settings.build_requires.extend(build_requires);
        self.settings.limits.extend(limits);
        self.on.extend(on);
    }

    /// All build conditions, of whichever chroots.
    pub fn conditions(&self) -> impl Iterator<Item = &Spanned<Condition>> {
        self.settings.conditions.iter().chain(self.on.iter().flat_map(|on| &on.settings.conditions))
    }
}

impl OptionsDecl {
    /// What this says and, where that says something else, what `nearer` says.
    pub fn overridden_by(mut self, nearer: Self) -> Self {
        let Self {
            chroots,
            layer,
            after,
            engine,
            isolation,
            network,
            timeout,
            retries,
            priority,
            on_failure,
            bootstrap,
        } = nearer;
        self.layer.extend(layer);
        self.after.extend(after);
        Self {
            chroots: chroots.or(self.chroots),
            engine: engine.or(self.engine),
            isolation: isolation.or(self.isolation),
            network: network.or(self.network),
            timeout: timeout.or(self.timeout),
            retries: retries.or(self.retries),
            priority: priority.or(self.priority),
            on_failure: on_failure.or(self.on_failure),
            bootstrap: bootstrap.or(self.bootstrap),
            ..self
        }
    }
}
