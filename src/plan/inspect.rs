//! What the manifest's packages are: specs located, read by the engine, their sources digested.
//!
//! What an engine has said of a spec is remembered by everything that its answer depends on, and asked again only where that
//! has changed: files are looked at here, commands are run again by the worker that reads specs, if there are any.

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use super::build_maker::BuildMaker;
use super::draft::{Draft, DraftState};
use super::inspector::Inspector;
use super::questions::{Questions, ReadSpec};
use super::requirements::names_asked;
use super::root_packages::choose_root_packages;
use super::{Build, Fate, Inputs, PlanError};
use crate::engine::{Installed, Settings};
use crate::manifest::declaration::EngineChoice;
use crate::manifest::{ChrootId, PackageId};
use crate::process::Cancel;
use crate::source::SourceLock;

/// What inspecting came to.
pub struct Inspection {
    /// All builds.
    pub builds: Vec<Build>,
    /// What the roots have of what the builds need.
    pub installed: HashMap<ChrootId, Installed>,
    /// What is to be locked of sources.
    pub source_lock: SourceLock,
    /// The packages whose specs name files that could not be fetched.
    pub incomplete: BTreeSet<String>,
}

/// Inspects all packages in all of their chroots.
///
/// # Errors
/// What stops all work: an engine that is missing, a root or store that can't be used.
pub async fn inspect(inspector: &Inspector<'_>, cancel: &Cancel) -> Result<Inspection, PlanError> {
    // It waits for downloads, and holds up nobody else.
    let (origins, mut source_lock) = tokio::task::block_in_place(|| inspector.gather_sources());
    let mut drafts = inspector.draft_builds(&origins);
    for (root, _) in inspector.roots.all.iter().enumerate() {
        for engine in [EngineChoice::Native, EngineChoice::Rpmbuild] {
            inspector.read_specs(root, engine, &mut drafts, cancel).await?;
        }
    }
    let remote = tokio::task::block_in_place(|| inspector.fetch_remote_sources(&drafts, &origins));
    let incomplete = inspector.lock_files(&remote, &mut source_lock);
    let groups = group_by_package(drafts);
    let packages: Vec<Vec<Build>> = groups
        .into_par_iter()
        .map(|(package, drafts)| {
            let origin = (&origins[package.0], &remote);
            BuildMaker::new(inspector, package, origin).make_builds(drafts)
        })
        .collect();
    let mut builds: Vec<Build> = packages.into_iter().flatten().collect();
    tokio::task::block_in_place(|| choose_root_packages(inspector, &mut builds))?;
    let installed = inspector.list_installed(&builds, cancel).await?;
    Ok(Inspection { builds, installed, source_lock, incomplete })
}

/// The drafts of each package together, so that its sources are digested once.
fn group_by_package(drafts: Vec<Draft>) -> Vec<(PackageId, Vec<Draft>)> {
    let mut groups: Vec<(PackageId, Vec<Draft>)> = Vec::new();
    for draft in drafts {
        match groups.last_mut() {
            Some((package, group)) if *package == draft.package => group.push(draft),
            _ => groups.push((draft.package, vec![draft])),
        }
    }
    groups
}

impl Inspector<'_> {
    /// What the roots have of what the builds need. Builds of a chroot share its root.
    async fn list_installed(
        &self,
        builds: &[Build],
        cancel: &Cancel,
    ) -> Result<HashMap<ChrootId, Installed>, PlanError> {
        let mut by_chroot: HashMap<ChrootId, Vec<(&Settings, &Inputs)>> = HashMap::new();
        for build in builds {
            if let Fate::Buildable(inputs) = &build.fate
                && inputs.wish.is_none()
            {
                by_chroot.entry(build.chroot).or_default().push((&build.settings, inputs));
            }
        }
        let mut installed = HashMap::new();
        for (chroot, builds) in by_chroot {
            let names = names_asked(builds.iter().map(|(_, inputs)| *inputs));
            if let (Some((settings, _)), Some(root)) =
                (builds.first().filter(|_| !names.is_empty()), self.roots.of(chroot))
            {
                installed.insert(chroot, root.engines.native.installed(settings, &names, cancel).await?);
            }
        }
        Ok(installed)
    }

    /// Asks an engine of a root about every spec of its packages that has to be read.
    async fn read_specs(
        &self,
        root: usize,
        engine: EngineChoice,
        drafts: &mut [Draft],
        cancel: &Cancel,
    ) -> Result<(), PlanError> {
        let mut questions = Questions::default();
        let Some(open) = self.roots.all.get(root) else { return Ok(()) };
        let is_of_engine = |draft: &Draft| {
            self.manifest.package(draft.package).engine == engine
                && self.roots.of_chroots.get(&draft.chroot) == Some(&root)
        };
        for (number, draft) in drafts.iter_mut().enumerate().filter(|(_, draft)| is_of_engine(draft)) {
            let unread = DraftState::Settled(Fate::Impossible(Vec::new()));
            match std::mem::replace(&mut draft.state, unread) {
                DraftState::Unread(unread) => questions.add(number, *unread),
                known @ (DraftState::Settled(_) | DraftState::Read(..)) => draft.state = known,
            }
        }
        for ReadSpec { draft, request, read } in
            questions.ask(open.engine(engine).as_ref(), self.store, cancel).await?
        {
            drafts[draft].state = DraftState::Read(Box::new(request), read);
        }
        Ok(())
    }
}
