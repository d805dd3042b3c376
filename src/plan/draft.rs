//! Builds on their way: each package in each of its chroots, with what is known of its spec.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use rayon::prelude::*;

use super::inspector::{Inspector, LocatedOrigin};
use super::questions::Unread;
use super::{Fate, PlanError};
use crate::chroot::RootIdentity;
use crate::digest::{Encoder, Key};
use crate::engine::{EngineIdentity, FactsRequest, Read, Settings, SpecOrder, Validity};
use crate::files::{Folder, HostPath, RootPath};
use crate::macros::Observation;
use crate::manifest::declaration::{EngineChoice, Isolation};
use crate::manifest::{Chroot, ChrootId, ManifestPath, Package, PackageId, RootBase, not_yet};
use crate::source::{Origin, SourceError};
use crate::store::RecordKind;
use crate::text::Located;

/// A build on its way.
pub(super) struct Draft {
    pub package: PackageId,
    pub chroot: ChrootId,
    pub settings: Settings,
    /// What keeps it from being built, and not from being read.
    pub not_yet: Option<String>,
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

/// The identities of the roots that forge can build in.
pub(super) type Roots = HashMap<ChrootId, RootIdentity>;

/// What the reading of a spec is looked up by.
#[derive(Clone, Copy)]
struct Subject<'d> {
    package: &'d Package,
    settings: &'d Settings,
    not_yet: Option<&'d str>,
    origin: &'d LocatedOrigin,
    root: Option<&'d RootIdentity>,
}

impl Inspector<'_> {
    /// A draft of every package in each of its chroots.
    pub(super) fn draft_builds(&self, origins: &[LocatedOrigin], roots: &Roots) -> Vec<Draft> {
        let pairs: Vec<(PackageId, ChrootId)> = (0..self.manifest.packages.len())
            .map(PackageId)
            .flat_map(|id| self.manifest.package(id).chroots.iter().map(move |chroot| (id, *chroot)))
            .collect();
        let draft = |(package, chroot): (PackageId, ChrootId)| {
            let (id, in_chroot) = (package, self.manifest.chroot(chroot));
            let package = self.manifest.package(id);
            let settings = self.manifest.settings(id, chroot, self.over);
            let not_yet = find_unsupported(package, in_chroot);
            let subject = Subject {
                package,
                settings: &settings,
                not_yet: not_yet.as_deref(),
                origin: &origins[id.0],
                root: roots.get(&chroot),
            };
            let state = self.look_up_reading(&subject);
            Draft { package: id, chroot, settings, not_yet, state }
        };
        pairs.into_par_iter().map(draft).collect()
    }

    /// Looks whether the reading of a spec is known.
    fn look_up_reading(&self, subject: &Subject<'_>) -> DraftState {
        let Subject { package, settings, not_yet, origin, root } = *subject;
        // What this forge does not build can be read all the same, where its root is at hand.
        let is_read = package.engine == EngineChoice::Native && root.is_some();
        if let Some(what) = not_yet.filter(|_| !is_read) {
            return DraftState::Settled(Fate::NotYet(what.to_owned()));
        }
        let (Ok(origin), Some(root)) = (origin, root) else {
            // Why the origin is of no use is said once, where the builds are made.
            return DraftState::Settled(Fate::Impossible(Vec::new()));
        };
        let request = match facts_request(package, origin, settings, self.repository) {
            Ok(request) => request,
            Err(error) => {
                let error = PlanError::Source(SourceError::Io(error));
                let error = Located::new(error, "this source", package.source.place.clone());
                return DraftState::Settled(Fate::Impossible(vec![Arc::new(error)]));
            }
        };
        let key = self.reading_key(package, &request, origin, root);
        let known = self.store.record::<Read>(RecordKind::Facts, &key);
        let engine = self.engine(package.engine);
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
        root: &RootIdentity,
    ) -> Key {
        let mut encoder = Encoder::new("rpmforge facts v5");
        let EngineIdentity { name, sources } = self.engine(package.engine).identity();
        encoder.text("engine", name).text("forge", sources).digest_field("spec", &origin.spec.blob.digest);
        encoder.digest_field("configuration", &root.configuration);
        if let Some(neighbours) = &origin.neighbours {
            encoder.digest_field("neighbours", neighbours);
        }
        // What rpmspec and other programs answer depends on all of the root.
        if origin.runs_programs || package.engine == EngineChoice::Rpmbuild {
            encoder.digest_field("root", &root.digest());
        }
        request.settings.encode(&mut encoder);
        encoder.text("programs", if request.may_run { "run" } else { "withheld" });
        encoder.key()
    }
}

/// What an engine is asked of a spec.
fn facts_request(
    package: &Package,
    origin: &Origin,
    settings: &Settings,
    repository: &Folder,
) -> io::Result<FactsRequest> {
    let in_root = |path: &HostPath| {
        let path = path.without_climbing()?;
        RootPath::in_own_root(&path).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))
    };
    Ok(FactsRequest {
        spec: in_root(&origin.spec_path())?,
        sources: in_root(&origin.folder_path())?,
        settings: settings.clone(),
        may_run: package.isolation == Isolation::None,
        readable: vec![in_root(repository.path())?],
    })
}

/// The root that a chroot is, if it is the one that forge runs in.
pub(super) fn host_root(chroot: &Chroot) -> Option<HostPath> {
    match &chroot.base {
        RootBase::Folder(path) => match &path.value {
            ManifestPath::Absolute(path) if path.as_path() == std::path::Path::new("/") => Some(path.clone()),
            ManifestPath::Absolute(_) | ManifestPath::Repository(_) => None,
        },
        RootBase::Repositories(_) | RootBase::Image(_) => None,
    }
}

/// What a build asks for that is not supported yet.
fn find_unsupported(package: &Package, chroot: &Chroot) -> Option<String> {
    let later = |what: &str| Some(not_yet(what));
    match &chroot.base {
        RootBase::Repositories(_) => return later("`repo`"),
        RootBase::Image(_) => return later("`image`"),
        RootBase::Folder(_) if host_root(chroot).is_none() => return later("a `root` other than `/`"),
        RootBase::Folder(_) => {}
    }
    match package.isolation {
        Isolation::Namespaces => {
            let said = not_yet("`isolation namespaces`");
            Some(format!("{said} (`isolation none` is, for specs that you trust)"))
        }
        Isolation::None => None,
    }
}
