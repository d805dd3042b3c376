//! Which updates a repository takes: those that leave no package without what it needs.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

use super::PublishError;
use super::bystanders::find_bystanders;
use super::closure::{Beside, Broken, Change, Needs, find_broken};
use super::groups::{Groups, RecordGroups};
use super::known::PublishTarget;
use super::package_record::record_of;
use super::record::{PublishedPackage, changed_parts};
use crate::manifest::declaration::{MetadataPacking, OnBroken};
use crate::store::Store;

/// What is done about updates that would break something.
pub(super) struct Holding<'a> {
    pub store: &'a Store,
    pub groups: Groups<'a>,
    /// How the metadata are packed that groups are kept for.
    pub packing: MetadataPacking,
    pub beside: &'a dyn Beside,
    pub rule: OnBroken,
}

/// What a repository is to hold, and what is told of it.
pub(super) struct Taken {
    pub packages: Vec<PublishedPackage>,
    /// The updates that wait, each with what it would break.
    pub held: Vec<HeldPackage>,
    /// What is broken, where nothing waits for that.
    pub warnings: Vec<String>,
}

/// An update that waits.
pub(super) struct HeldPackage {
    pub package: String,
    /// What would be broken, in words.
    pub broken: String,
    /// Whether an earlier version stays.
    pub stays: bool,
}

impl Holding<'_> {
    /// Takes of what is wanted what leaves nothing without what it needs; what is on record stays in the place of the rest.
    pub fn take(
        &self,
        target: &PublishTarget<'_>,
        published: &RecordGroups<'_>,
        wanted: Vec<PublishedPackage>,
    ) -> Taken {
        let found = match self.rule {
            OnBroken::Allow => Ok(Vec::new()),
            rule @ (OnBroken::Hold | OnBroken::Warn) => {
                self.find(target, published, &wanted, rule == OnBroken::Hold)
            }
        };
        let broken = match found {
            Ok(broken) => broken,
            // What a package gives that is damaged or lost can't be known; an apply that waited for it would never mend it.
            Err(error) => {
                let warning =
                    format!("whether updates break anything in {} was not looked at: {error}", target.shown);
                return Taken { packages: wanted, held: Vec::new(), warnings: vec![warning] };
            }
        };
        if self.rule != OnBroken::Hold || broken.is_empty() {
            let warnings = broken.iter().map(|broken| format!("{}: {broken}", broken.package)).collect();
            return Taken { packages: wanted, held: Vec::new(), warnings };
        }
        let mut packages: BTreeMap<String, PublishedPackage> =
            wanted.into_iter().map(|package| (package.package.clone(), package)).collect();
        let mut held = Vec::new();
        for broken in broken {
            let before = published.record.newest().find(|package| package.package == broken.package);
            let stays = before.is_some();
            match before {
                Some(before) => packages.insert(broken.package.clone(), before.clone()),
                None => packages.remove(&broken.package),
            };
            held.push(HeldPackage { broken: broken.to_string(), package: broken.package, stays });
        }
        Taken { packages: packages.into_values().collect(), held, warnings: Vec::new() }
    }

    fn find<'p>(
        &self,
        target: &PublishTarget<'_>,
        published: &'p RecordGroups<'_>,
        wanted: &'p [PublishedPackage],
        holds: bool,
    ) -> Result<Vec<Broken>, PublishError> {
        let record = published.record;
        let (before, after) = changed_parts(&record.packages, wanted);
        let by_name = |package: &'p PublishedPackage| (package.package.as_str(), package);
        let before: HashMap<&str, &PublishedPackage> =
            before.iter().filter(|package| package.is_newest()).map(by_name).collect();
        let after: HashMap<&str, &PublishedPackage> = after.iter().map(by_name).collect();
        let is_same = |name: &str| match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) => before.has_same_files(after),
            _ => false,
        };
        let gone = before.keys().filter(|name| !after.contains_key(*name));
        let mut updated: Vec<&str> =
            after.keys().chain(gone).copied().filter(|name| !is_same(name)).collect();
        updated.sort_unstable();
        if updated.is_empty() {
            return Ok(Vec::new());
        }
        let change = |name: &&str| {
            let needs = |package: Option<&&PublishedPackage>| {
                package.map_or(Ok(Vec::new()), |package| self.needs_of(target, package))
            };
            let (before, after) = (needs(before.get(name))?, needs(after.get(name))?);
            Ok::<_, PublishError>(Change { package: (*name).to_owned(), before, after, is_update: true })
        };
        let mut changes = updated.par_iter().map(change).collect::<Result<Vec<_>, _>>()?;
        let mut bystanders = find_bystanders(&target.folder, &self.groups, published.groups(), &changes)?;
        // Older builds that are kept are for those who ask for them.
        if record.packages.iter().any(|package| !package.is_newest()) {
            let newest = record.newest().flat_map(|package| &package.files);
            let newest: HashSet<&str> = newest.filter_map(|file| file.nevra.as_deref()).collect();
            for bystander in &mut bystanders {
                bystander.before.retain(|needs| newest.contains(needs.nevra.as_str()));
                bystander.after.retain(|needs| newest.contains(needs.nevra.as_str()));
            }
        }
        changes.extend(bystanders);
        changes.sort_by(|one, other| one.package.cmp(&other.package));
        let beside = |names: &BTreeSet<String>| self.beside.provided(target.chroot, names);
        Ok(find_broken(&changes, &beside, holds))
    }

    /// What the binary packages of a package give and need.
    pub fn needs_of(
        &self,
        target: &PublishTarget<'_>,
        package: &PublishedPackage,
    ) -> Result<Vec<Needs>, PublishError> {
        let is_source = |nevra: &str| nevra.ends_with(".src") || nevra.ends_with(".nosrc");
        let binary = package.files.iter().filter(|file| !file.nevra.as_deref().is_some_and(is_source));
        binary.map(|file| Ok(Needs::of(&record_of(&target.folder, self.store, file)?))).collect()
    }
}
