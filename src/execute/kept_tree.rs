//! What a build has left that did not end well, as the job that it was.

use std::collections::BTreeMap;
use std::time::Duration;

use cap_std::fs::MetadataExt;

use super::ExecuteError;
use super::made_root::remembered_root;
use super::results::work_folder;
use super::staging::{PRIVATE, Staged, StagingPlace, staged_in};
use super::task::{top_in, top_in_root};
use crate::engine::{Begin, Isolation, Job, JobSpec, Part, Root, Settings};
use crate::event::BuildName;
use crate::files::{EntryKind, Folder, Mount, MountAccess};
use crate::process::{Circumstances, InsideUser, SandboxLimits};

/// The job whose tree is still there; nothing where none is. It is built with `settings` now.
///
/// # Errors
/// The tree can't be looked at.
pub fn kept_job(
    state: &Folder,
    build: &BuildName,
    mut settings: Settings,
    limits: SandboxLimits,
    root: &Root,
) -> Result<Option<Job>, ExecuteError> {
    let work = state.path().join(work_folder(build));
    // A profile may have had it built elsewhere than it would be now: the tree says where.
    let was_in = |isolation| Folder::open_ambient(&top_in(&work, isolation).join("SPECS")).is_ok();
    settings.isolation = match (was_in(Isolation::None), settings.isolation) {
        (true, _) => Isolation::None,
        (false, Isolation::None) => Isolation::Sandbox,
        (false, other) => other,
    };
    let isolation = settings.isolation;
    let host = top_in(&work, isolation);
    let (Ok(folder), Some(top)) = (Folder::open_ambient(&host), top_in_root(&work, isolation, None)) else {
        return Ok(None);
    };
    let specs = folder.folder("SPECS").and_then(|specs| specs.entries()).unwrap_or_default();
    let Some(spec) = specs.into_iter().find(|entry| entry.kind == EntryKind::File) else {
        return Ok(None);
    };
    // The spec was laid out with the time that no time in its packages is later than.
    let epoch = folder.dir().metadata(std::path::Path::new("SPECS").join(&spec.name))?.mtime();
    let Staged { search, layers } = staged_in(&work, StagingPlace { root, isolation })?;
    let private = Folder::open_ambient(&work)?.is_folder(PRIVATE).then(|| work.join(PRIVATE));
    let mounts = vec![Mount { host, root: top.clone(), access: MountAccess::Write }];
    let log = work.join("shell.log");
    let spec = JobSpec {
        spec: top.join("SPECS").join(spec.name),
        sources: top.join("SOURCES"),
        top,
        part: Part::Packages,
        begin: Begin::BehindPrep,
        settings,
        search,
        staged: Vec::new(),
        source_date_epoch: u64::try_from(epoch).unwrap_or_default(),
        varied: BTreeMap::new(),
    };
    let root = remembered_root(&Folder::open_ambient(&work)?).unwrap_or_else(|| root.clone());
    Ok(Some(Job {
        spec,
        root,
        mounts,
        layers,
        private,
        limits,
        user: InsideUser::Builder,
        circumstances: Circumstances::default(),
        timeout: Duration::MAX,
        log,
    }))
}
