//! Builds on their way: each package in each of its chroots, with what is known of its spec.

use std::io;
use std::sync::Arc;

use rayon::prelude::*;

use super::inspector::{Inspector, LocatedOrigin, OpenRoot};
use super::questions::Unread;
use super::{Fate, PlanError};
use crate::digest::{Encoder, Key};
use crate::engine::{EngineIdentity, FactsRequest, Read, Settings, SpecOrder, Validity};
use crate::files::{Folder, HostPath, RootPath};
use crate::macros::Observation;
use crate::manifest::declaration::EngineChoice;
use crate::manifest::{ChrootId, Package, PackageId};
use crate::source::{Origin, SourceError};
use crate::store::RecordKind;
use crate::text::Located;

/// A build on its way.
pub(super) struct Draft {
    pub package: PackageId,
    pub chroot: ChrootId,
    pub settings: Settings,
    pub state: DraftState,
}

/// How far a draft is.
pub(super) enum DraftState {
    /// Its end is known.
    Settled(Fate),
    /// The spec has been read.
    Read(Box<FactsRequest>, Read),
    /// The engine has to be asked.
    Unread(Box<Unread>),
}

/// What the reading of a spec is looked up by.
#[derive(Clone, Copy)]
struct Subject<'d> {
    package: &'d Package,
    settings: &'d Settings,
    origin: &'d LocatedOrigin,
    root: Option<&'d OpenRoot>,
}

impl Inspector<'_> {
    /// A draft of every package in each of its chroots.
    pub(super) fn draft_builds(&self, origins: &[LocatedOrigin]) -> Vec<Draft> {
        let pairs: Vec<(PackageId, ChrootId)> = (0..self.manifest.packages.len())
            .map(PackageId)
            .flat_map(|id| self.manifest.package(id).chroots.iter().map(move |chroot| (id, *chroot)))
            .collect();
        let draft = |(package, chroot): (PackageId, ChrootId)| {
            let id = package;
            let package = self.manifest.package(id);
            let settings = match &self.rebuild {
                Some(rebuild) => rebuild.settings.clone(),
                None => self.manifest.settings(id, chroot, self.over),
            };
            let subject =
                Subject { package, settings: &settings, origin: &origins[id.0], root: self.roots.of(chroot) };
            let state = match self.roots.refused.get(&chroot) {
                Some(error) => DraftState::Settled(Fate::Impossible(vec![Arc::clone(error)])),
                None => self.look_up_reading(&subject),
            };
            Draft { package: id, chroot, settings, state }
        };
        pairs.into_par_iter().map(draft).collect()
    }

    /// Looks whether the reading of a spec is known.
    fn look_up_reading(&self, subject: &Subject<'_>) -> DraftState {
        let Subject { package, settings, origin, root } = *subject;
        let (Ok(origin), Some(root)) = (origin, root) else {
            // Why the origin is of no use is said once, where the builds are made.
            return DraftState::Settled(Fate::Impossible(Vec::new()));
        };
        let request = match facts_request(origin, settings, self.repository) {
            Ok(request) => request,
            Err(error) => {
                let error = PlanError::Source(SourceError::Io(error));
                let error = Located::new(error, "this source", package.source.place.clone());
                return DraftState::Settled(Fate::Impossible(vec![Arc::new(error)]));
            }
        };
        let key = self.reading_key(package, &request, origin, root);
        let known = self.store.record::<Read>(RecordKind::Facts, &key);
        let engine = root.engine(package.engine);
        let validity = known.as_ref().map(|known| engine.check_validity(&request, &known.observations));
        let unread = |request: FactsRequest, commands: Option<Vec<Observation>>, earlier: Option<Read>| {
            let order = SpecOrder { request, earlier: commands };
            DraftState::Unread(Box::new(Unread { key, order, earlier }))
        };
        match (known, validity) {
            (Some(known), Some(Validity::Valid)) => DraftState::Read(Box::new(request), known),
            (Some(known), Some(Validity::DependsOn(commands))) => {
                unread(request, Some(commands), Some(known))
            }
            (_, Some(Validity::Changed) | None) | (None, Some(_)) => unread(request, None, None),
        }
    }

    /// What the reading of a spec is remembered by.
    fn reading_key(
        &self,
        package: &Package,
        request: &FactsRequest,
        origin: &Origin,
        root: &OpenRoot,
    ) -> Key {
        let mut encoder = Encoder::new("rpmforge facts v5");
        let EngineIdentity { name, sources } = root.engine(package.engine).identity();
        encoder.text("engine", name).text("forge", sources).digest_field("spec", &origin.spec.blob.digest);
        encoder.digest_field("configuration", &root.identity.configuration);
        if let Some(neighbours) = &origin.neighbours {
            encoder.digest_field("neighbours", neighbours);
        }
        // What rpmspec and other programs answer depends on all of the root.
        if origin.runs_programs || package.engine == EngineChoice::Rpmbuild {
            encoder.digest_field("root", &root.identity.digest());
        }
        request.settings.encode(&mut encoder);
        encoder.text("programs", if request.may_run { "run" } else { "withheld" });
        encoder.key()
    }
}

/// What an engine is asked of a spec.
fn facts_request(origin: &Origin, settings: &Settings, repository: &Folder) -> io::Result<FactsRequest> {
    let in_root = |path: &HostPath| {
        let path = path.without_climbing()?;
        RootPath::in_own_root(&path).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))
    };
    Ok(FactsRequest {
        spec: in_root(&origin.spec_path())?,
        sources: in_root(&origin.folder_path())?,
        settings: settings.clone(),
        may_run: true,
        readable: vec![in_root(repository.path())?],
    })
}
