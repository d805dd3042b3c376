//! What a repository should hold: the newest good result of every package that the manifest declares for its chroot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{PublishError, Repositories};
use crate::digest::Key;
use crate::execute::Ends;
use crate::manifest::{ChrootId, Manifest};
use crate::plan::Plan;
use crate::store::{History, PublishedRow, StepResult, StoreError};

/// A package that a repository should hold.
#[derive(Debug)]
pub(super) struct Wanted {
    pub package: String,
    pub key: Key,
    /// Its folder in the repository.
    pub folder: String,
    /// Its files, where they may have to be brought in.
    pub result: Option<Arc<StepResult>>,
}

impl Wanted {
    pub fn row(&self) -> PublishedRow {
        PublishedRow { package: self.package.clone(), key: self.key, folder: self.folder.clone() }
    }
}

/// A package that leaves a repository because the manifest no longer declares it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Leaving {
    /// The chroot.
    pub chroot: String,
    /// The package.
    pub package: String,
}

/// What stays where a build has no result now: what was published of it before.
pub(super) fn wanted(
    repositories: &Repositories,
    chroot: ChrootId,
    plan: &Plan,
    ends: &Ends,
) -> Result<Vec<Wanted>, PublishError> {
    let name = &repositories.manifest.chroot(chroot).name;
    let before: BTreeMap<String, PublishedRow> =
        repositories.history.published(name)?.into_iter().map(|row| (row.package.clone(), row)).collect();
    let mut wanted = Vec::new();
    for id in plan.ids().filter(|id| plan.build(*id).chroot == chroot) {
        let package = plan.build(id).name.package.clone();
        let end = ends.get(&id);
        let new = end.and_then(|end| Some((end.key?, Arc::clone(end.result.as_ref()?))));
        match (new, before.get(&package)) {
            (Some((key, result)), _) => {
                let folder = format!("{package}-{}", result.digest().short(12));
                wanted.push(Wanted { package, key, folder, result: Some(result) });
            }
            (None, Some(row)) => {
                let (key, folder) = (row.key, row.folder.clone());
                let result = repositories.store.result(&key).map(Arc::new);
                wanted.push(Wanted { package, key, folder, result });
            }
            (None, None) => {}
        }
    }
    wanted.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(wanted)
}

/// The packages that repositories hold and the manifest no longer declares for them.
pub fn leaving(manifest: &Manifest, history: &History) -> Result<Vec<Leaving>, StoreError> {
    let mut leaving = Vec::new();
    for chroot in history.published_chroots()? {
        let id = manifest.chroots.iter().position(|declared| declared.name.value == chroot).map(ChrootId);
        let declared: BTreeSet<&str> = manifest
            .packages
            .iter()
            .filter(|package| id.is_some_and(|id| package.chroots.contains(&id)))
            .map(|package| package.name.value.as_str())
            .collect();
        let rows = history.published(&chroot)?;
        let gone = rows.into_iter().filter(|row| !declared.contains(row.package.as_str()));
        leaving.extend(gone.map(|row| Leaving { chroot: chroot.clone(), package: row.package }));
    }
    Ok(leaving)
}
