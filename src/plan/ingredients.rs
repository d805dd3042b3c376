//! What a key is made of, and which of it has changed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Encoder, Key};
use crate::engine::{Condition, MacroSetting, Settings};

/// Everything that a build's result depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingredients {
    /// The engine and its version.
    pub engine: String,
    /// The spec.
    pub spec: Digest,
    /// The files that it names.
    pub sources: BTreeMap<String, Digest>,
    /// What it is built with.
    pub settings: Settings,
    /// The root that it is built in.
    pub root: Digest,
    /// The packages from other builds that are put into the root, by NEVRA, with the digest of their content.
    pub dependencies: BTreeMap<String, Digest>,
}

/// Why something is built that was built before, or never was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Reason {
    /// It has no good build in this project.
    NeverBuilt,
    /// It was built, and its result is not in the store any more.
    ResultGone,
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
    Spec,
    /// A source has changed, come in or gone.
    Source {
        /// Its name.
        name: String,
    },
    /// The architecture is another one.
    Target,
    /// A macro has changed.
    Macro {
        /// Its name.
        name: String,
        /// What it was, and who said it.
        was: String,
        /// What it is, and who says it.
        now: String,
    },
    /// A build condition has changed.
    Condition {
        /// What it was.
        was: String,
        /// What it is.
        now: String,
    },
    /// An environment variable has changed.
    Variable {
        /// Its name.
        name: String,
    },
    /// Other packages are installed in the root.
    Root,
    /// A package that it takes from another build came out differently, is new or gone.
    Dependency {
        /// The package.
        package: String,
    },
}

impl Ingredients {
    /// The key of the packages.
    pub fn key(&self) -> Key {
        self.encoded("rpmforge build v1").key()
    }

    /// The key of the source package, which no other build goes into.
    pub fn source_key(&self) -> Key {
        let alone = Self { dependencies: BTreeMap::new(), ..self.clone() };
        alone.encoded("rpmforge source package v1").key()
    }

    fn encoded(&self, context: &str) -> Encoder {
        let Self { engine, spec, sources, settings, root, dependencies } = self;
        let mut encoder = Encoder::new(context);
        encoder.text("engine", engine).digest_field("spec", spec).digest_field("root", root);
        for (name, digests) in [("sources", sources), ("dependencies", dependencies)] {
            encoder.list(name, digests.iter(), |encoder, (name, digest)| {
                encoder.digest_field(name, digest);
            });
        }
        settings.encode(&mut encoder);
        encoder
    }

    /// What differs from `before`, all of it.
    pub fn changes_since(&self, before: &Self) -> Vec<Reason> {
        let Self { engine, spec, sources, settings, root, dependencies } = self;
        let mut reasons = Vec::new();
        if *engine != before.engine {
            reasons.push(Reason::Engine { was: before.engine.clone(), now: engine.clone() });
        }
        if *spec != before.spec {
            reasons.push(Reason::Spec);
        }
        reasons.extend(changed(&before.sources, sources).map(|name| Reason::Source { name }));
        settings_changes(&before.settings, settings, &mut reasons);
        if *root != before.root {
            reasons.push(Reason::Root);
        }
        reasons.extend(
            changed(&before.dependencies, dependencies).map(|package| Reason::Dependency { package }),
        );
        reasons
    }
}

fn settings_changes(before: &Settings, now: &Settings, reasons: &mut Vec<Reason>) {
    let Settings { target, macros, conditions, environment } = now;
    if *target != before.target {
        reasons.push(Reason::Target);
    }
    let by_name = |list: &[MacroSetting]| -> BTreeMap<String, MacroSetting> {
        list.iter().map(|setting| (setting.name.clone(), setting.clone())).collect()
    };
    let (old, new) = (by_name(&before.macros), by_name(macros));
    reasons.extend(changed(&old, &new).map(|name| Reason::Macro {
        was: said(old.get(&name)),
        now: said(new.get(&name)),
        name,
    }));
    let by_name = |list: &[Condition]| -> BTreeMap<String, Condition> {
        list.iter().map(|condition| (condition.name().to_owned(), condition.clone())).collect()
    };
    let (old, new) = (by_name(&before.conditions), by_name(conditions));
    let text = |condition: Option<&Condition>| condition.map_or("unset".to_owned(), ToString::to_string);
    let conditions = changed(&old, &new);
    reasons.extend(
        conditions.map(|name| Reason::Condition { was: text(old.get(&name)), now: text(new.get(&name)) }),
    );
    reasons.extend(changed(&before.environment, environment).map(|name| Reason::Variable { name }));
}

fn said(setting: Option<&MacroSetting>) -> String {
    match setting {
        None => "unset".to_owned(),
        Some(MacroSetting { body: None, level, .. }) => format!("undefined ({level})"),
        Some(MacroSetting { body: Some(body), level, .. }) => format!("`{}` ({level})", body.shown()),
    }
}

/// The names whose values differ, or that only one of the two has.
fn changed<T: PartialEq>(
    before: &BTreeMap<String, T>,
    now: &BTreeMap<String, T>,
) -> impl Iterator<Item = String> + use<T> {
    let mut names: Vec<String> = now
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, _)| name.clone())
        .collect();
    names.extend(before.keys().filter(|name| !now.contains_key(*name)).cloned());
    names.into_iter()
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverBuilt => f.write_str("never built here"),
            Self::ResultGone => f.write_str("its result is not in the store any more"),
            Self::Undecided { after } => write!(f, "depends on what {after} comes to"),
            Self::Engine { was, now } => write!(f, "engine: {was} → {now}"),
            Self::Spec => f.write_str("spec changed"),
            Self::Source { name } => write!(f, "source {name} changed"),
            Self::Target => f.write_str("architecture changed"),
            Self::Macro { name, was, now } => write!(f, "macro {name}: {was} → {now}"),
            Self::Condition { was, now } => write!(f, "{was} → {now}"),
            Self::Variable { name } => write!(f, "environment variable {name} changed"),
            Self::Root => f.write_str("the root's packages changed"),
            Self::Dependency { package } => write!(f, "{package} changed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::MacroLevel;

    fn ingredients() -> Ingredients {
        Ingredients {
            engine: "rpmbuild 4.18.0".to_owned(),
            spec: Digest::of(b"spec"),
            sources: BTreeMap::from([("a.tar.gz".to_owned(), Digest::of(b"a"))]),
            settings: Settings::default(),
            root: Digest::of(b"root"),
            dependencies: BTreeMap::new(),
        }
    }

    fn dist(value: &str, level: MacroLevel) -> MacroSetting {
        MacroSetting { name: "dist".to_owned(), options: None, body: Some(value.into()), level }
    }

    #[test]
    fn every_change_is_named() {
        let before = ingredients();
        let mut now = ingredients();
        now.sources.insert("a.tar.gz".to_owned(), Digest::of(b"b"));
        now.settings.macros.push(dist(".acme1", MacroLevel::Package));
        now.dependencies.insert("zlib-devel-1.3-1.x86_64".to_owned(), Digest::of(b"z"));
        let texts: Vec<String> = now.changes_since(&before).iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "source a.tar.gz changed",
                "macro dist: unset → `.acme1` (package)",
                "zlib-devel-1.3-1.x86_64 changed"
            ]
        );
        assert_ne!(now.key(), before.key());
    }

    #[test]
    fn the_source_package_does_not_depend_on_other_builds() {
        let before = ingredients();
        let mut now = ingredients();
        now.dependencies.insert("zlib-devel-1.3-1.x86_64".to_owned(), Digest::of(b"z"));
        assert_eq!(now.source_key(), before.source_key());
    }
}
