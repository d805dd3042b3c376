//! The roots of a manifest's chroots, opened.

use std::collections::HashMap;
use std::sync::Arc;

use super::chroot_requests::ChrootRequests;
use super::context::{CliError, Failure};
use super::image_root::{ImageOpener, identity_of};
use super::tools_here::own_path;
use crate::chroot::making::{
    BuildWish, ChosenSet, GivenRoot, LockRule, MadeRoot, PackageRoots, RootError, RootTools, check_runs,
};
use crate::chroot::{Lock, LockedSet, OlderMetadata, RootIdentity, RootRequest};
use crate::engine::{Engine, EnginesInRoot, Root, Rpmbuild};
use crate::event::{Clock, SystemClock};
use crate::files::{Folder, HostPath, reason};
use crate::manifest::declaration::{EngineChoice, ImageDecl, RepositoryDecl};
use crate::manifest::{Chroot, ChrootId, Manifest, ManifestPath, Package, RootBase};
use crate::plan::{OpenRoot, OpenRoots, PlanError, refuse_root};
use crate::process::{Sandbox, Supervisor};
use crate::store::Store;
use crate::text::Located;

/// What opening roots takes.
pub struct RootOpener<'a> {
    pub manifest: &'a Manifest,
    /// The repository: paths of the manifest begin there.
    pub repository: &'a Folder,
    pub store: &'a Store,
    /// Where rpm is asked what it is.
    pub state: &'a HostPath,
    pub supervisor: &'a Supervisor,
    pub native: Arc<dyn Engine>,
    pub sandbox: Arc<dyn Sandbox>,
    /// What is locked.
    pub lock: &'a Lock,
    /// Whether that may change.
    pub rule: LockRule,
    /// The packages of roots, where they are not chosen.
    pub given: Option<&'a GivenRoot>,
    /// Whether metadata of repositories may be older than what was seen before.
    pub older_metadata: OlderMetadata,
    pub tools: RootTools,
}

impl RootOpener<'_> {
    /// Opens those of all chroots that can be built in.
    ///
    /// # Errors
    /// A root can't be looked at, or an engine is missing there.
    pub async fn open_all(&self) -> Result<OpenRoots, Failure> {
        self.open_those(|_| true).await
    }

    /// As [`Self::open_all`], of the chroots that are wanted.
    ///
    /// # Errors
    /// As there.
    pub async fn open_those(&self, is_wanted: impl Fn(ChrootId) -> bool) -> Result<OpenRoots, Failure> {
        let mut roots = OpenRoots::default();
        let mut known: HashMap<HostPath, usize> = HashMap::new();
        for (index, chroot) in self.manifest.chroots.iter().enumerate() {
            let id = ChrootId(index);
            if !is_wanted(id) {
                continue;
            }
            let Some(path) = folder_of(chroot, self.repository) else {
                let is_used = self
                    .manifest
                    .packages
                    .iter()
                    .any(|package| package.chroots.contains(&id) || package.source_chroot() == Some(id));
                let made = match &chroot.base {
                    RootBase::Repositories(declared) if is_used => Some(self.make(chroot, declared).await?),
                    RootBase::Image(image) if is_used => Some(match check_architecture(chroot) {
                        Ok(()) => Ok(self.open_image(chroot, image).await?),
                        Err(error) => Err(refuse_root(&chroot.name.value, error)),
                    }),
                    RootBase::Repositories(_) | RootBase::Image(_) | RootBase::Folder(_) => None,
                };
                match made {
                    Some(Ok(made)) => {
                        roots.of_chroots.insert(id, roots.all.len());
                        roots.all.push(made);
                    }
                    Some(Err(error)) => {
                        let error = Located::new(error, "this chroot", chroot.name.place.clone());
                        roots.refused.insert(id, Arc::new(error));
                    }
                    None => {}
                }
                continue;
            };
            let root = match known.get(&path) {
                Some(root) => *root,
                None => {
                    roots.all.push(self.open(chroot, &path).await?);
                    roots.all.len() - 1
                }
            };
            known.insert(path, root);
            roots.of_chroots.insert(id, root);
        }
        Ok(roots)
    }

    async fn open(&self, chroot: &Chroot, path: &HostPath) -> Result<OpenRoot, Failure> {
        let identity = self.identity(chroot, path)?;
        let engines = self.open_engines(&Root::at(path), chroot).await?;
        Ok(OpenRoot { engines, identity, packages: None, image: None })
    }

    /// Opens the root that an image is.
    async fn open_image(&self, chroot: &Chroot, image: &ImageDecl) -> Result<OpenRoot, Failure> {
        let Self { repository, store, lock, rule, .. } = *self;
        let farm = ImageOpener { repository, store, lock, rule }.compose(chroot, image)?;
        let identity = self.identity(chroot, &farm.root())?;
        let identity = RootIdentity { image: Some(identity_of(&farm)), ..identity };
        let engines = self.open_engines(&Root::of_folders(farm.layers()), chroot).await?;
        Ok(OpenRoot { engines, identity, packages: None, image: Some(farm) })
    }

    fn identity(&self, chroot: &Chroot, path: &HostPath) -> Result<RootIdentity, Failure> {
        let own_binary = own_path()?;
        let request = RootRequest { path, own_binary: &own_binary, now: SystemClock.now() };
        let identity = RootIdentity::read(&request, self.store);
        Ok(identity
            .map_err(|error| PlanError::Root { chroot: chroot.name.value.clone(), reason: reason(&error) })?)
    }

    /// Makes the minimal root of a chroot of repositories. That there is none is a matter of that chroot, and others go on.
    async fn make(
        &self,
        chroot: &Chroot,
        declared: &[RepositoryDecl],
    ) -> Result<Result<OpenRoot, PlanError>, Failure> {
        let made = tokio::task::block_in_place(|| {
            let packages = Arc::new(self.package_roots(chroot, declared)?);
            let minimal = packages.chooser.choose_minimal()?;
            let made = packages.maker.make_minimal(&minimal)?;
            Ok((packages, made, LockedSet::digest_of(&minimal)))
        });
        let (packages, made, digest) = match made {
            Ok(made) => made,
            Err(error) if RootError::is_of_chroot(&error) && !self.tools.cancel.is_canceled() => {
                return Ok(Err(refuse_root(&chroot.name.value, error)));
            }
            Err(error) => return Err(PlanError::from(error).into()),
        };
        let engines = self.open_engines(&Root::of_packages(made.layers(), digest), chroot).await?;
        let identity =
            RootIdentity { packages: digest, configuration: digest, programs: digest, image: None };
        Ok(Ok(OpenRoot { engines, identity, packages: Some(packages), image: None }))
    }

    /// The minimal root of a chroot of repositories, or one with what is wished for.
    ///
    /// # Errors
    /// No packages do, or no root can be made of them.
    pub fn make_root(&self, chroot: &Chroot, wish: &BuildWish) -> Result<Arc<MadeRoot>, Failure> {
        let RootBase::Repositories(declared) = &chroot.base else {
            return Err(CliError::NotLocked { chroot: chroot.name.value.clone() }.into());
        };
        let packages = self.package_roots(chroot, declared).map_err(PlanError::from)?;
        let made = tokio::task::block_in_place(|| {
            let chosen = packages.chooser.choose_for_builds(std::slice::from_ref(wish))?;
            let chosen = chosen.into_iter().next().unwrap_or_else(|| Ok(ChosenSet::default()))?;
            packages.maker.make_for_build(&chosen, Vec::new())
        });
        Ok(made.map_err(|error| refuse_root(&chroot.name.value, error))?)
    }

    /// What chooses and makes the roots of a chroot of repositories.
    fn package_roots(&self, chroot: &Chroot, declared: &[RepositoryDecl]) -> Result<PackageRoots, RootError> {
        check_architecture(chroot)?;
        let locked = self.lock.chroots.get(&chroot.name.value).cloned().unwrap_or_default();
        let (repository, older_metadata) = (self.repository, self.older_metadata);
        let request = ChrootRequests { repository, locked: &locked, older_metadata }.of(chroot, declared);
        let mut roots = PackageRoots::new(request, locked.clone(), self.rule, self.tools.clone())?;
        if let Some(given) = self.given {
            roots.chooser.keep_to(given.clone());
        }
        Ok(roots)
    }

    async fn open_engines(&self, root: &Root, chroot: &Chroot) -> Result<EnginesInRoot, Failure> {
        let native = self.native.in_root(root).await?;
        // A root without rpm will do where no package is built with it there.
        let is_built_there = |package: &Package| {
            package.chroots.iter().any(|id| self.manifest.chroot(*id).name.value == chroot.name.value)
        };
        let mut packages = self.manifest.packages.iter();
        let needs_rpm =
            packages.any(|package| package.engine == EngineChoice::Rpmbuild && is_built_there(package));
        let rpmbuild = match needs_rpm {
            true => {
                let (native, sandbox) = (Arc::clone(&self.native), Arc::clone(&self.sandbox));
                let engine = Rpmbuild::new(self.supervisor, self.state, native, sandbox);
                Some(engine.in_root(root).await?)
            }
            false => None,
        };
        Ok(EnginesInRoot { root: root.clone(), native, rpmbuild })
    }
}

/// Checks that programs of a chroot's architecture run here.
///
/// # Errors
/// They don't.
pub fn check_architecture(chroot: &Chroot) -> Result<(), RootError> {
    chroot.arch.as_ref().map_or(Ok(()), |arch| check_runs(&chroot.name.value, arch))
}

/// The folder that a chroot's root is, if it is one.
pub fn folder_of(chroot: &Chroot, repository: &Folder) -> Option<HostPath> {
    match &chroot.base {
        RootBase::Folder(path) => Some(match &path.value {
            ManifestPath::Absolute(path) => path.clone(),
            ManifestPath::Repository(path) => repository.path().join(path),
        }),
        RootBase::Repositories(_) | RootBase::Image(_) => None,
    }
}

/// The root of a chroot, as far as it has one that can be entered without making it.
pub fn root_of(chroot: &Chroot, repository: &Folder) -> Root {
    folder_of(chroot, repository).map_or_else(Root::of_this_machine, |path| Root::at(&path))
}
