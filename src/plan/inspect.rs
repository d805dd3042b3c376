//! What the manifest's packages are: specs located, read by the engine, their sources digested.
//!
//! What an engine has said of a spec is remembered by everything that its answer depends on, and asked again only where that
//! has changed: files are looked at here, commands are run again by the worker that reads specs, if there are any.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::build_maker::BuildMaker;
use super::draft::{Draft, DraftState, Roots, host_root};
use super::inspector::{Inspector, LocatedOrigin};
use super::questions::{Questions, ReadSpec};
use super::requirements::names_asked;
use super::{Build, Fate, Inputs, PlanError};
use crate::chroot::{RootIdentity, RootRequest};
use crate::engine::{Installed, Settings};
use crate::files::{HostPath, reason};
use crate::manifest::declaration::EngineChoice;
use crate::manifest::{ChrootId, Package, PackageId};
use crate::process::Cancel;
use crate::source::{Neighbours, locate};
use crate::text::Located;

/// What inspecting came to.
pub struct Inspection {
    /// All builds.
    pub builds: Vec<Build>,
    /// What the roots have of what the builds need.
    pub installed: HashMap<ChrootId, Installed>,
}

/// Inspects all packages in all of their chroots.
///
/// # Errors
/// What stops all work: an engine that is missing, a root or store that can't be used.
pub async fn inspect(inspector: &Inspector<'_>, cancel: &Cancel) -> Result<Inspection, PlanError> {
    let roots = inspector.identify_roots()?;
    let neighbours = Neighbours::default();
    let find = |package: &Package| {
        locate(package, inspector.repository, inspector.unpacked, &neighbours).map_err(|error| {
            Arc::new(Located::new(error.into(), "this source", package.source.place.clone()))
        })
    };
    let origins: Vec<LocatedOrigin> = inspector.manifest.packages.par_iter().map(find).collect();
    let mut drafts = inspector.draft_builds(&origins, &roots);
    for engine in [EngineChoice::Native, EngineChoice::Rpmbuild] {
        inspector.read_specs(engine, &mut drafts, cancel).await?;
    }
    let groups = group_by_package(drafts);
    let packages: Vec<Vec<Build>> = groups
        .into_par_iter()
        .map(|(package, drafts)| {
            BuildMaker::new(inspector, package, &origins[package.0], &roots).make_builds(drafts)
        })
        .collect();
    let builds: Vec<Build> = packages.into_iter().flatten().collect();
    let installed = inspector.list_installed(&builds, cancel).await?;
    Ok(Inspection { builds, installed })
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
    /// The identities of the roots that forge can build in.
    fn identify_roots(&self) -> Result<Roots, PlanError> {
        let mut known: HashMap<HostPath, RootIdentity> = HashMap::new();
        let mut roots = HashMap::new();
        for (index, chroot) in self.manifest.chroots.iter().enumerate() {
            let Some(path) = host_root(chroot) else { continue };
            let identity = match known.get(&path) {
                Some(identity) => *identity,
                None => {
                    let request = RootRequest { path: &path, own_binary: self.own_binary, now: self.now };
                    RootIdentity::read(&request, self.store).map_err(|error| PlanError::Root {
                        chroot: chroot.name.value.clone(),
                        reason: reason(&error),
                    })?
                }
            };
            known.insert(path, identity);
            roots.insert(ChrootId(index), identity);
        }
        Ok(roots)
    }

    /// What the roots have of what the builds need. Builds of a chroot share its root.
    async fn list_installed(
        &self,
        builds: &[Build],
        cancel: &Cancel,
    ) -> Result<HashMap<ChrootId, Installed>, PlanError> {
        let mut by_chroot: HashMap<ChrootId, Vec<(&Settings, &Inputs)>> = HashMap::new();
        for build in builds {
            if let Fate::Buildable(inputs) = &build.fate {
                by_chroot.entry(build.chroot).or_default().push((&build.settings, inputs));
            }
        }
        let mut installed = HashMap::new();
        for (chroot, builds) in by_chroot {
            let names = names_asked(builds.iter().map(|(_, inputs)| *inputs));
            if let Some((settings, _)) = builds.first().filter(|_| !names.is_empty()) {
                installed.insert(chroot, self.native.installed(settings, &names, cancel).await?);
            }
        }
        Ok(installed)
    }

    /// Asks an engine about every spec of its packages that has to be read.
    async fn read_specs(
        &self,
        engine: EngineChoice,
        drafts: &mut [Draft],
        cancel: &Cancel,
    ) -> Result<(), PlanError> {
        let mut questions = Questions::default();
        let is_of_engine = |draft: &Draft| self.manifest.package(draft.package).engine == engine;
        for (number, draft) in drafts.iter_mut().enumerate().filter(|(_, draft)| is_of_engine(draft)) {
            let unread = DraftState::Settled(Fate::Impossible(Vec::new()));
            match std::mem::replace(&mut draft.state, unread) {
                DraftState::Unread(unread) => questions.add(number, *unread),
                known @ (DraftState::Settled(_) | DraftState::Read(..)) => draft.state = known,
            }
        }
        for ReadSpec { draft, request, read } in
            questions.ask(self.engine(engine).as_ref(), self.store, cancel).await?
        {
            drafts[draft].state = DraftState::Read(Box::new(request), read);
        }
        Ok(())
    }
}
