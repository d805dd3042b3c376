//! What a key is made of, and which of it has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Inputs;
use crate::chroot::{RootIdentity, RootPart};
use crate::digest::{Digest, Encoder, Key};
use crate::engine::{Condition, EngineIdentity, MacroSetting, Settings};
use crate::macros::RpmVersion;

/// How many characters of a command are shown.
const LONGEST_NAME: usize = 80;

/// Everything that a build's result depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingredients {
    /// The engine, its version, and the sources of forge that packages depend on.
    pub engine: EngineIdentity,
    /// The spec.
    pub spec: Digest,
    /// Its file name, under which source packages hold it.
    pub spec_name: String,
    /// The files that it names.
    pub sources: BTreeMap<String, Digest>,
    /// Which of them are executable, by name, and the spec as `SPECS/NAME` where it is: their modes get into the source
    /// package, and builds run them.
    #[serde(default)]
    pub executable: BTreeSet<String>,
    /// What it is built with.
    pub settings: Settings,
    /// What reading the spec saw of the world: files that it read or looked for, commands that it ran, by name, with the
    /// digest of what they held or answered.
    pub observed: BTreeMap<String, Digest>,
    /// What the spec says of itself: what is planned with, and what is built, are one thing.
    pub facts: Digest,
    /// The text that the spec expands to, where not all that it depends on can be observed: `rpmspec` doesn't tell, and
    /// Lua code may run programs and ask for the time.
    pub expanded: Option<Digest>,
    /// The root that it is built in.
    pub root: RootIdentity,
    /// The packages from other builds that are put into the root, by NEVRA, with the digest of their content.
    pub dependencies: BTreeMap<String, Digest>,
}

/// The digests of something before and now; nothing where it was or is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Why something is built that was built before, or never was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
            | Self::Undecided { .. }
            | Self::Engine { .. }
            | Self::SpecName { .. }
            | Self::Mode { .. }
            | Self::Target
            | Self::Rpm { .. }
            | Self::Macro { .. }
            | Self::Condition { .. }
            | Self::Variable { .. }
            | Self::Facts
            | Self::Root { .. } => None,
        }
    }
}

impl Ingredients {
    /// What a build with these inputs and settings depends on, given the packages that other builds put into its root.
    pub fn new(inputs: &Inputs, settings: &Settings, dependencies: BTreeMap<String, Digest>) -> Self {
        let sources = inputs.sources.iter().map(|file| (file.name.clone(), file.blob.digest));
        Self {
            engine: inputs.engine.clone(),
            spec: inputs.spec.blob.digest,
            spec_name: inputs.spec.name.clone(),
            sources: sources.collect(),
            executable: inputs.executable_names(),
            settings: settings.clone(),
            observed: inputs.observed.by_name.clone(),
            facts: inputs.observed.facts,
            expanded: inputs.observed.expanded,
            root: inputs.root,
            dependencies,
        }
    }

    /// The key under which it is remembered what `%generate_buildrequires` named.
    pub fn generated_key(&self) -> Key {
        let alone = Self { dependencies: BTreeMap::new(), ..self.clone() };
        alone.encode("rpmforge generated requires v1").key()
    }

    /// The key of the packages.
    pub fn key(&self) -> Key {
        self.encode("rpmforge build v2").key()
    }

    /// The key of the source package, which no other build goes into.
    pub fn source_key(&self) -> Key {
        let alone = Self { dependencies: BTreeMap::new(), ..self.clone() };
        alone.encode("rpmforge source package v2").key()
    }

    fn encode(&self, context: &str) -> Encoder {
        let Self {
            engine,
            spec,
            spec_name,
            sources,
            executable,
            settings,
            observed,
            facts,
            expanded,
            root,
            dependencies,
        } = self;
        let EngineIdentity { name, sources: forge } = engine;
        let mut encoder = Encoder::new(context);
        encoder.text("engine", name).text("forge", forge);
        encoder.digest_field("spec", spec).text("spec name", spec_name).digest_field("facts", facts);
        let expanded = expanded.map(|digest| digest.to_string());
        encoder.option("expanded", expanded.as_deref()).digest_field("root", &root.digest());
        let all = [("sources", sources), ("observed", observed), ("dependencies", dependencies)];
        for (name, digests) in all {
            encoder.list(name, digests.iter(), |encoder, (name, digest)| {
                encoder.digest_field(name, digest);
            });
        }
        encoder.list("executable", executable.iter(), |encoder, name| {
            encoder.text("", name);
        });
        settings.encode(&mut encoder);
        encoder
    }

    /// What differs from `before`, all of it.
    pub fn changes_since(&self, before: &Self) -> Vec<Reason> {
        let Self {
            engine,
            spec,
            spec_name,
            sources,
            executable,
            settings,
            observed,
            facts,
            expanded,
            root,
            dependencies,
        } = self;
        let mut reasons = Vec::new();
        if *engine != before.engine {
            reasons.push(Reason::Engine { was: before.engine.to_string(), now: engine.to_string() });
        }
        if *spec != before.spec {
            let change = DigestChange { was: Some(before.spec), now: Some(*spec) };
            reasons.push(Reason::Spec { change });
        }
        if *spec_name != before.spec_name {
            reasons.push(Reason::SpecName { was: before.spec_name.clone(), now: spec_name.clone() });
        }
        reasons.extend(
            differing(&before.sources, sources).map(|(name, change)| Reason::Source { name, change }),
        );
        let is_in_both = |name: &&String| match sources.contains_key(*name) {
            true => before.sources.contains_key(*name),
            false => name.starts_with("SPECS/"),
        };
        let modes = executable.symmetric_difference(&before.executable).filter(is_in_both);
        reasons.extend(modes.map(|name| Reason::Mode { name: name.clone() }));
        settings_changes(&before.settings, settings, &mut reasons);
        let seen = differing(&before.observed, observed);
        reasons.extend(seen.map(|(what, change)| Reason::Observed { what, change }));
        let parts = before.root.parts().into_iter().zip(root.parts());
        let parts = parts.filter(|(was, now)| was != now);
        reasons.extend(parts.map(|((part, _), _)| Reason::Root { part, files: Vec::new() }));
        let packages = differing(&before.dependencies, dependencies);
        reasons.extend(packages.map(|(package, change)| Reason::Dependency { package, change }));
        // What has changed above is why the spec says something else.
        if reasons.is_empty() && (*facts != before.facts || *expanded != before.expanded) {
            reasons.push(Reason::Facts);
        }
        reasons
    }
}

fn settings_changes(before: &Settings, now: &Settings, reasons: &mut Vec<Reason>) {
    let Settings { target, rpm, macros, conditions, environment, build_requires: _ } = now;
    if *rpm != before.rpm {
        let said = |rpm: Option<RpmVersion>| rpm.map_or("the root's".to_owned(), |rpm| rpm.to_string());
        reasons.push(Reason::Rpm { was: said(before.rpm), now: said(*rpm) });
    }
    if *target != before.target {
        reasons.push(Reason::Target);
    }
    let by_name = |list: &[MacroSetting]| -> BTreeMap<String, MacroSetting> {
        list.iter().map(|setting| (setting.name.clone(), setting.clone())).collect()
    };
    let (old, new) = (by_name(&before.macros), by_name(macros));
    reasons.extend(differing_names(&old, &new).map(|name| Reason::Macro {
        was: describe_setting(old.get(&name)),
        now: describe_setting(new.get(&name)),
        name,
    }));
    let by_name = |list: &[Condition]| -> BTreeMap<String, Condition> {
        list.iter().map(|condition| (condition.name().to_owned(), condition.clone())).collect()
    };
    let (old, new) = (by_name(&before.conditions), by_name(conditions));
    let text = |condition: Option<&Condition>| condition.map_or("unset".to_owned(), ToString::to_string);
    let conditions = differing_names(&old, &new);
    reasons.extend(
        conditions.map(|name| Reason::Condition { was: text(old.get(&name)), now: text(new.get(&name)) }),
    );
    reasons.extend(differing_names(&before.environment, environment).map(|name| Reason::Variable { name }));
}

fn describe_setting(setting: Option<&MacroSetting>) -> String {
    match setting {
        None => "unset".to_owned(),
        Some(MacroSetting { body: None, level, .. }) => format!("undefined ({level})"),
        Some(MacroSetting { body: Some(body), level, .. }) => format!("`{}` ({level})", body.shown()),
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

/// What has another digest, or only one of the two has, by name.
fn differing<'d>(
    before: &'d BTreeMap<String, Digest>,
    now: &'d BTreeMap<String, Digest>,
) -> impl Iterator<Item = (String, DigestChange)> + use<'d> {
    differing_names(before, now).map(|name| {
        let change = DigestChange { was: before.get(&name).copied(), now: now.get(&name).copied() };
        (name, change)
    })
}

/// The names whose values differ, or that only one of the two has.
fn differing_names<T: PartialEq>(
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
            Self::Forced => f.write_str("forced"),
            Self::ResultGone => f.write_str("its result is not in the store any more"),
            Self::OtherForge => f.write_str("built by another forge, which keyed it differently"),
            Self::Undecided { after } => write!(f, "if packages of {after} change"),
            Self::Engine { was, now } => write!(f, "engine: {was} → {now}"),
            Self::Spec { .. } => f.write_str("spec changed"),
            Self::SpecName { was, now } => write!(f, "spec renamed: {was} → {now}"),
            Self::Source { name, .. } => write!(f, "source {name} changed"),
            Self::Mode { name } => write!(f, "mode of {name} changed"),
            Self::Target => f.write_str("architecture changed"),
            Self::Rpm { was, now } => write!(f, "rpm whose language it is in: {was} → {now}"),
            Self::Macro { name, was, now } => write!(f, "macro {name}: {was} → {now}"),
            Self::Condition { was, now } => write!(f, "{was} → {now}"),
            Self::Variable { name } => write!(f, "environment variable {name} changed"),
            Self::Observed { what, .. } => write!(f, "{} changed", join_lines(what)),
            Self::Facts => f.write_str("what its spec says changed"),
            Self::Root { part, files } => match (part, files.as_slice()) {
                (RootPart::Programs, [program]) => write!(f, "root: program {program} changed"),
                (_, []) => write!(f, "root: {part} changed"),
                (_, files) => write!(f, "root: {part} changed ({})", list_files(files)),
            },
            Self::Dependency { package, .. } => write!(f, "{package} changed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::MacroLevel;

    fn ingredients() -> Ingredients {
        let digest = Digest::compute(b"before");
        Ingredients {
            engine: EngineIdentity { name: "native 0.1.0".to_owned(), sources: "a1b2c3d4e5f6".to_owned() },
            spec: digest,
            spec_name: "a.spec".to_owned(),
            sources: BTreeMap::from([("a.tar.gz".to_owned(), digest)]),
            executable: BTreeSet::new(),
            settings: Settings::default(),
            observed: BTreeMap::from([("file /x".to_owned(), digest)]),
            facts: digest,
            expanded: None,
            root: RootIdentity { packages: digest, configuration: digest, programs: digest },
            dependencies: BTreeMap::new(),
        }
    }

    fn after() -> Digest {
        Digest::compute(b"after")
    }

    /// What is said of one change, which always makes another key.
    #[track_caller]
    fn reasons_of(change: impl FnOnce(&mut Ingredients)) -> Vec<String> {
        let before = ingredients();
        let mut now = ingredients();
        change(&mut now);
        assert_ne!(now.key(), before.key());
        now.changes_since(&before).iter().map(ToString::to_string).collect()
    }

    fn dist(value: &str, level: MacroLevel) -> MacroSetting {
        MacroSetting { name: "dist".to_owned(), options: None, body: Some(value.into()), level }
    }

    #[test]
    fn every_change_is_named() {
        let before = ingredients();
        let mut now = ingredients();
        now.sources.insert("a.tar.gz".to_owned(), Digest::compute(b"b"));
        now.settings.macros.push(dist(".acme1", MacroLevel::Package));
        now.dependencies.insert("zlib-devel-1.3-1.x86_64".to_owned(), Digest::compute(b"z"));
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
    fn another_forge_of_the_same_version_makes_another_key() {
        let reasons = reasons_of(|now| now.engine.sources = "99887766aabb".to_owned());
        assert_eq!(reasons, ["engine: native 0.1.0 (a1b2c3d4) → native 0.1.0 (99887766)"]);
    }

    #[test]
    fn what_reading_the_spec_saw_is_named() {
        let reasons = reasons_of(|now| {
            now.observed.insert("file /x".to_owned(), after());
            now.facts = after();
        });
        assert_eq!(reasons, ["file /x changed"]);
        let reasons = reasons_of(|now| {
            now.observed.insert(format!("answer of `a\n{}`", "b ".repeat(50)), after());
        });
        assert!(
            reasons[0].starts_with("answer of `a b b") && reasons[0].ends_with("… changed"),
            "{reasons:?}"
        );
    }

    #[test]
    fn a_spec_that_says_something_else_makes_another_key_whatever_it_was_that_changed() {
        assert_eq!(reasons_of(|now| now.facts = after()), ["what its spec says changed"]);
        assert_eq!(reasons_of(|now| now.expanded = Some(after())), ["what its spec says changed"]);
    }

    #[test]
    fn each_part_of_the_root_has_its_reason() {
        assert_eq!(reasons_of(|now| now.root.packages = after()), ["root: package database changed"]);
        assert_eq!(reasons_of(|now| now.root.configuration = after()), ["root: macro files changed"]);
        assert_eq!(reasons_of(|now| now.root.programs = after()), ["root: programs changed"]);
    }

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

    #[test]
    fn a_mode_counts_for_the_source_package_as_well() {
        let before = ingredients();
        let mut now = ingredients();
        now.executable.insert("a.tar.gz".to_owned());
        now.executable.insert("SPECS/a.spec".to_owned());
        let texts: Vec<String> = now.changes_since(&before).iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["mode of SPECS/a.spec changed", "mode of a.tar.gz changed"]);
        assert_eq!(before.changes_since(&now).len(), 2);
        assert_ne!(now.key(), before.key());
        assert_ne!(now.source_key(), before.source_key());
    }

    #[test]
    fn the_source_package_does_not_depend_on_other_builds() {
        let before = ingredients();
        let mut now = ingredients();
        now.dependencies.insert("zlib-devel-1.3-1.x86_64".to_owned(), Digest::compute(b"z"));
        assert_eq!(now.source_key(), before.source_key());
    }
}
