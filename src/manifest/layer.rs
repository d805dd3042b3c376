//! What is built with, by levels: a nearer level stands above the others, and in each what is said `on` some chroots above what is
//! said of all.

use std::collections::BTreeMap;

use super::build_limits::BuildLimits;
use super::declaration::{LayerDecl, SettingsDecl};
use super::ids::ChrootId;
use crate::engine::{Condition, MacroLevel, MacroSetting, Value};
use crate::package::Dependency;
use crate::text::{Place, Spanned};

/// What a level says.
#[derive(Debug, Default)]
pub struct Layer {
    /// Of all chroots.
    pub always: BuildSettings,
    /// Of some, in the order in which it is written.
    pub on: Vec<OnChroots>,
}

/// What is said of some chroots.
#[derive(Debug)]
pub struct OnChroots {
    /// The chroots.
    pub chroots: Vec<ChrootId>,
    /// How they are written: `on "el9*"`.
    pub written: String,
    /// What is said.
    pub settings: BuildSettings,
}

/// What is built with.
#[derive(Debug, Default)]
pub struct BuildSettings {
    /// Macros.
    pub macros: Vec<PlacedMacro>,
    /// Build conditions.
    pub conditions: Vec<Condition>,
    /// Environment variables.
    pub environment: BTreeMap<String, Value>,
    /// What is needed beside the `BuildRequires` of specs.
    pub build_requires: Vec<Dependency>,
    /// How much a build may take.
    pub limits: BuildLimits,
}

/// A macro, and where it is said.
#[derive(Clone, Debug)]
pub struct PlacedMacro {
    /// The macro.
    pub setting: MacroSetting,
    /// Where.
    pub place: Place,
}

impl Layer {
    /// What it says, `on` resolved by `select`.
    pub(super) fn new(
        decl: LayerDecl,
        level: MacroLevel,
        mut select: impl FnMut(&[Spanned<String>]) -> Vec<ChrootId>,
    ) -> Self {
        let on = decl.on.into_iter().map(|on| {
            let patterns: Vec<String> = on.chroots.iter().map(|name| format!("\"{}\"", name.value)).collect();
            let written = format!("on {}", patterns.join(" "));
            OnChroots {
                chroots: select(&on.chroots),
                written,
                settings: BuildSettings::new(on.settings, level),
            }
        });
        let on = on.collect();
        Self { always: BuildSettings::new(decl.settings, level), on }
    }

    /// What holds in a chroot, what is nearest last; with how the chroots are written where that is not for all.
    pub fn of_chroot(&self, chroot: ChrootId) -> impl Iterator<Item = (&BuildSettings, Option<&str>)> {
        let on = self.on.iter().filter(move |on| on.chroots.contains(&chroot));
        std::iter::once((&self.always, None)).chain(on.map(|on| (&on.settings, Some(on.written.as_str()))))
    }
}

impl BuildSettings {
    /// What is written, said at a level.
    pub(super) fn new(decl: SettingsDecl, level: MacroLevel) -> Self {
        let SettingsDecl { conditions, environment, macros, build_requires, limits } = decl;
        let macros = macros.into_iter().map(|decl| PlacedMacro {
            setting: macro_setting(&decl.name, decl.body, level),
            place: decl.name.place,
        });
        let environment = environment.into_iter().map(|decl| (decl.name.value, decl.value));
        Self {
            macros: macros.collect(),
            conditions: conditions.into_iter().map(|condition| condition.value).collect(),
            environment: environment.collect(),
            build_requires,
            limits: BuildLimits::new(limits),
        }
    }

    /// Adds what is said nearer.
    pub(super) fn extend(&mut self, nearer: Self) {
        self.macros.extend(nearer.macros);
        self.conditions.extend(nearer.conditions);
        self.environment.extend(nearer.environment);
        self.build_requires.extend(nearer.build_requires);
        self.limits = self.limits.overridden_by(nearer.limits);
    }
}

/// Splits a macro's name as it is written, `configure_flag(n:)`, into name and options.
fn macro_setting(written: &str, body: Option<Value>, level: MacroLevel) -> MacroSetting {
    let (name, options) = match written.split_once('(') {
        Some((name, options)) => (name, Some(options.trim_end_matches(')').to_owned())),
        None => (written, None),
    };
    MacroSetting { name: name.to_owned(), options, body, level }
}
