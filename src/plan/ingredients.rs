//! What a key is made of, and which of it has changed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Inputs;
use super::reason::{ConditionWord, MacroValue};
use super::reason::{DigestChange, Reason};
use crate::chroot::{RootIdentity, RootPart};
use crate::digest::{Digest, Encoder, Key};
use crate::engine::{Condition, EngineIdentity, MacroSetting, Settings};
use crate::macros::RpmVersion;

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
    /// Whether that is a minimal root with more in it: the source package is made, and what the build needs is asked, in the
    /// minimal one.
    #[serde(default)]
    pub extends_minimal_root: bool,
    /// The packages from other builds that are put into the root, by NEVRA, with the digest of their content.
    pub dependencies: BTreeMap<String, Digest>,
    /// What tells a rebuild from the build that it makes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<String>,
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
            extends_minimal_root: inputs.wish.is_some(),
            dependencies,
            rebuild: inputs.rebuild.as_ref().map(|rebuild| rebuild.run.clone()),
        }
    }

    /// The key under which it is remembered what `%generate_buildrequires` named.
    pub fn generated_key(&self) -> Key {
        // It is the same for a rebuild.
        let alone = Self { rebuild: None, ..self.before_the_build() };
        alone.encode("rpmforge generated requires v2").key()
    }

    /// What everything that comes before the build of the packages depends on.
    fn before_the_build(&self) -> Self {
        let mut alone = Self { dependencies: BTreeMap::new(), ..self.clone() };
        if self.extends_minimal_root {
            // As a plan has it before it chooses what more is in the root.
            alone.root.packages = alone.root.configuration;
        }
        alone
    }

    /// The key of the packages.
    pub fn key(&self) -> Key {
        self.encode("rpmforge build v2").key()
    }

    /// The key of the source package, which no other build goes into.
    pub fn source_key(&self) -> Key {
        self.before_the_build().encode("rpmforge source package v2").key()
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
            extends_minimal_root: _,
            dependencies,
            rebuild,
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
        // Where it is none, keys are what they were before there were rebuilds.
        if let Some(rebuild) = rebuild {
            encoder.text("rebuild", rebuild);
        }
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
            extends_minimal_root: _,
            dependencies,
            rebuild: _,
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
        let mut parts: Vec<RootPart> = parts.map(|((part, _), _)| part).collect();
        if parts.is_empty() && before.root.image != root.image {
            parts.push(RootPart::Image);
        }
        reasons.extend(parts.into_iter().map(|part| Reason::Root { part, files: Vec::new() }));
        reasons.extend(dependency_changes(&before.dependencies, dependencies));
        // What has changed above is why the spec says something else.
        if reasons.is_empty() && (*facts != before.facts || *expanded != before.expanded) {
            reasons.push(Reason::Facts);
        }
        reasons
    }
}

/// What of other builds has changed: a new version of a package is one change.
fn dependency_changes(before: &BTreeMap<String, Digest>, now: &BTreeMap<String, Digest>) -> Vec<Reason> {
    let changes: Vec<(String, DigestChange)> = differing(before, now).collect();
    let (gone, others): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, change)| change.now.is_none());
    let (new, mut reasons): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|(_, change)| change.was.is_none());
    let mut reasons: Vec<Reason> = reasons
        .drain(..)
        .map(|(package, change)| Reason::Dependency { package, before: None, change })
        .collect();
    let of_same = |packages: &[(String, DigestChange)], package: &str| {
        let same = packages.iter().filter(|(other, _)| name_and_arch(other) == name_and_arch(package));
        let same: Vec<(String, DigestChange)> = same.cloned().collect();
        <[_; 1]>::try_from(same).ok().map(|[only]| only)
    };
    for (package, change) in &new {
        let replaced = of_same(&gone, package).filter(|_| of_same(&new, package).is_some());
        let (before, was) = replaced.map(|(before, change)| (before, change.was)).unzip();
        let change = DigestChange { was: was.flatten(), now: change.now };
        reasons.push(Reason::Dependency { package: package.clone(), before, change });
    }
    let is_replaced = |package: &str| of_same(&new, package).is_some() && of_same(&gone, package).is_some();
    let left = gone.iter().filter(|(package, _)| !is_replaced(package));
    reasons.extend(left.map(|(package, change)| Reason::Dependency {
        package: package.clone(),
        before: None,
        change: *change,
    }));
    reasons
}

/// The name and the architecture of `name-[epoch:]version-release.arch`.
fn name_and_arch(nevra: &str) -> Option<(&str, &str)> {
    let (nevr, arch) = nevra.rsplit_once('.')?;
    Some((nevr.rsplitn(3, '-').nth(2)?, arch))
}

fn settings_changes(before: &Settings, now: &Settings, reasons: &mut Vec<Reason>) {
    let Settings { target, rpm, macros, conditions, environment, isolation, build_requires: _ } = now;
    if *isolation != before.isolation {
        let (was, now) = (before.isolation.to_string(), isolation.to_string());
        reasons.push(Reason::Isolation { was, now });
    }
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
        was: old.get(&name).map(MacroValue::new),
        now: new.get(&name).map(MacroValue::new),
        name,
    }));
    let by_name = |list: &[Condition]| -> BTreeMap<String, Condition> {
        list.iter().map(|condition| (condition.name().to_owned(), condition.clone())).collect()
    };
    let (old, new) = (by_name(&before.conditions), by_name(conditions));
    let conditions = differing_names(&old, &new);
    reasons.extend(conditions.map(|name| Reason::Condition {
        was: old.get(&name).map(ConditionWord::new),
        now: new.get(&name).map(ConditionWord::new),
        name,
    }));
    reasons.extend(differing_names(&before.environment, environment).map(|name| Reason::Variable { name }));
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
            root: RootIdentity { packages: digest, configuration: digest, programs: digest, image: None },
            extends_minimal_root: false,
            dependencies: BTreeMap::new(),
            rebuild: None,
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
                "zlib-devel-1.3-1.x86_64 is new"
            ]
        );
        assert_ne!(now.key(), before.key());
    }

    #[test]
    fn a_new_version_of_a_dependency_is_one_change() {
        let digest = Digest::compute(b"a");
        let packages = |names: &[&str]| -> BTreeMap<String, Digest> {
            names.iter().map(|name| ((*name).to_owned(), digest)).collect()
        };
        let before = Ingredients {
            dependencies: packages(&["foo-1.0-1.x86_64", "foo-devel-1.0-1.x86_64", "foo-1.0-1.i686"]),
            ..ingredients()
        };
        let now = Ingredients {
            dependencies: packages(&["foo-1.1-1.x86_64", "foo-libs-1.1-1.x86_64", "foo-1.1-1.i686"]),
            ..ingredients()
        };
        let texts: Vec<String> = now.changes_since(&before).iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "foo-1.0-1.i686 → foo-1.1-1.i686",
                "foo-1.0-1.x86_64 → foo-1.1-1.x86_64",
                "foo-libs-1.1-1.x86_64 is new",
                "foo-devel-1.0-1.x86_64 is gone"
            ]
        );
    }

    #[test]
    fn a_condition_that_was_not_set_was_as_the_spec_has_it() {
        let reasons = reasons_of(|now| now.settings.conditions.push(Condition::Without("docs".to_owned())));
        assert_eq!(reasons, ["condition docs: the spec's default → without"]);
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
        assert_eq!(reasons_of(|now| now.root.image = Some(after())), ["root: image changed"]);
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
    fn a_rebuild_is_kept_beside_the_build_that_it_makes_again() {
        let before = ingredients();
        let now = Ingredients { rebuild: Some("run".to_owned()), ..ingredients() };
        assert_ne!(now.key(), before.key());
        assert_ne!(now.source_key(), before.source_key());
        assert_eq!(now.generated_key(), before.generated_key());
        assert!(now.changes_since(&before).is_empty());
    }

    #[test]
    fn the_source_package_does_not_depend_on_other_builds() {
        let before = ingredients();
        let mut now = ingredients();
        now.dependencies.insert("zlib-devel-1.3-1.x86_64".to_owned(), Digest::compute(b"z"));
        assert_eq!(now.source_key(), before.source_key());
    }
}
