//! The repositories of a manifest: one for each of its chroots.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::PublishError;
use super::closure::Beside;
use super::declared_metadata::DeclaredMetadata;
use super::folders::{create_public, refuse_taken};
use super::groups::Groups;
use super::holding::Holding;
use super::inspect::Verification;
use super::known::{PublishTarget, has_copy};
use super::owner::Owner;
use super::reception::Reception;
use super::record::PublishedPackage;
use super::record_file::{DecodedRecords, RECORD, ReadRecord};
use super::retention::{Keep, KeepRules};
use super::section::Parting;
use super::signing::{Signing, client_id};
use super::told::not_published;
use super::update::{Updater, find_damage};
use super::wanted::{Built, package_from_result};
use crate::digest::Digest;
use crate::event::{BuildName, Clock, Damage, DamagedFile, Timestamp, What};
use crate::execute::{Ends, Publisher};
use crate::files::{EntryKind, Folder, HostPath};
use crate::manifest::{ChrootId, Manifest, ManifestPath};
use crate::plan::{BuildId, Decision, Decisions, Plan};
use crate::store::{Pins, StepResult, Store};
use crate::text::Located;

/// What stands for a chroot's name in the folder of `publish`.
const CHROOT: &str = "{chroot}";

/// Writes the repositories of a manifest.
pub struct Repositories {
    /// The manifest.
    pub manifest: Arc<Manifest>,
    /// The repository that the manifest lies in.
    pub project: Arc<Folder>,
    /// The project's state folder, which has copies of the records.
    pub state: Arc<Folder>,
    /// Where packages come from.
    pub store: Arc<Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How thoroughly repositories are looked at.
    pub verification: Verification,
    /// The records that were read.
    pub decoded: DecodedRecords,
    /// What the repositories of chroots have.
    pub beside: Arc<dyn Beside>,
    /// What signs them.
    pub signing: Signing,
}

/// A package that leaves a repository because the manifest no longer declares it, or because it was not built for too long.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Leaving {
    /// The chroot.
    pub chroot: String,
    /// The package.
    pub package: String,
    /// What it would leave without what that needs: it stays. None where it leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    /// Since when it was not built, where it leaves for its age (`keep newest=`) and is declared still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_built_since: Option<Timestamp>,
    /// The builds of it that stay because they are pinned, by their versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pinned: Vec<String>,
}

impl fmt::Display for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chroot, package, waits, not_built_since, pinned } = self;
        match (waits, not_built_since) {
            (Some(broken), _) => {
                return write!(
                    f,
                    "{package} stays in the repository of {chroot}, though the manifest no longer declares it: {broken}"
                );
            }
            (None, None) => {
                write!(f, "{package} leaves the repository of {chroot}: the manifest no longer declares it")?;
            }
            (None, Some(since)) => write!(
                f,
                "{package} leaves the repository of {chroot}: not built since {since}, and `keep newest=` says for how long"
            )?,
        }
        match pinned.as_slice() {
            [] => Ok(()),
            pinned => write!(f, "; {} stays, which is pinned", pinned.join(" and ")),
        }
    }
}

/// A package whose result is in the store, and that an apply puts into a repository: it is not there, or another one is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Entering {
    /// The chroot.
    pub chroot: String,
    /// The package.
    pub package: String,
    /// The version that comes in, `[epoch:]version-release`.
    pub version: Option<String>,
    /// The version that is there before, where there is one.
    pub version_before: Option<String>,
    /// What it would leave without what that needs: it waits. None where it comes in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
}

/// A file of a repository that is not as forge has left it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct DamagedRepositoryFile {
    /// The repository's folder, as the manifest says it.
    pub folder: String,
    /// The file.
    #[serde(flatten)]
    pub file: DamagedFile,
}

impl fmt::Display for DamagedRepositoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder, file: DamagedFile { path, damage, is_older, .. } } = self;
        let how = if *is_older { " where it can still be had: it is of an older build" } else { "" };
        write!(f, "{folder}/{path} is {damage}: an apply puts it right{how}")
    }
}

/// A chroot and the folder of its repository.
pub(super) struct RepositoryPlace {
    pub chroot: String,
    pub path: ManifestPath,
}

impl Publisher for Repositories {
    fn publish(&self, chroot: ChrootId, plan: &Plan, ends: &Ends) -> Vec<What> {
        let (mut built, mut told) = (Vec::new(), Vec::new());
        for id in plan.ids().filter(|id| plan.build(*id).chroot == chroot) {
            let Some((key, result)) = ends.get(&id).and_then(|end| Some((end.key?, end.result.as_ref()?)))
            else {
                continue;
            };
            let package = &plan.build(id).name.package;
            match unlistable(result) {
                Some(error) => {
                    told.push(not_published(&self.place_of(chroot).chroot, Some(package.clone()), &error));
                }
                None => built.push(Built { package, key, result }),
            }
        }
        told.extend(self.publish_results(chroot, &built));
        told
    }
}

impl Repositories {
    /// Makes the repository of a chroot hold these results, and what stays of what it holds; gives what there is to tell.
    pub fn publish_results(&self, chroot: ChrootId, built: &[Built<'_>]) -> Vec<What> {
        let place = self.place_of(chroot);
        match self.signed(&place, built) {
            Ok(results) => self.update(place, &results),
            Err(error) => vec![not_published(&place.chroot, None, &error)],
        }
    }

    /// The packages that repositories hold and the manifest no longer declares for them. Nothing is written.
    ///
    /// # Errors
    /// [`PublishError::RefusedAt`] where a folder is not this project's to publish to.
    pub fn leaving(&self, plan: &Plan, decisions: &Decisions) -> Result<Vec<Leaving>, PublishError> {
        self.check_folders()?;
        let mut leaving = Vec::new();
        for place in self.declared_places().chain(self.undeclared_places()?) {
            let declared = self.declared_packages(&place.chroot);
            let cached = self.cached_packages(&place.chroot, plan, decisions);
            let Reception { held, published, pinned, aged, .. } =
                self.held_packages(&place, cached.iter().map(|(package, _)| package))?;
            let is_pinned = |package: &PublishedPackage| pinned.iter().any(|it| it.has_same_files(package));
            let gone = published.into_values().filter(|package| !is_pinned(package));
            let gone = gone.map(|package| package.package);
            let mut gone: Vec<String> = gone.filter(|name| !declared.contains(name.as_str())).collect();
            gone.sort();
            let pinned_of = |name: &str| {
                let of_package = pinned.iter().filter(|build| build.package == name);
                of_package.filter_map(PublishedPackage::version).collect::<Vec<_>>()
            };
            let is_built = |name: &str| {
                plan.ids().any(|id| {
                    let build = plan.build(id);
                    let is_there = self.manifest.chroot(build.chroot).name.value == place.chroot;
                    let decision = decisions.decision(id);
                    is_there && build.name.package == name && matches!(decision, Decision::Build { .. })
                })
            };
            let aged =
                aged.into_iter().filter(|(name, _)| declared.contains(name.as_str()) && !is_built(name));
            leaving.extend(aged.map(|(package, since)| Leaving {
                chroot: place.chroot.clone(),
                waits: None,
                not_built_since: Some(since),
                pinned: pinned_of(&package),
                package,
            }));
            // What is still to be built may need it no more.
            let is_known = !plan.ids().any(|id| {
                let is_there = self.manifest.chroot(plan.build(id).chroot).name.value == place.chroot;
                is_there && !matches!(decisions.decision(id), Decision::Cached { .. })
            });
            leaving.extend(gone.into_iter().map(|package| {
                let waits = held.iter().find(|held| is_known && held.package == package);
                Leaving {
                    chroot: place.chroot.clone(),
                    waits: waits.map(|held| held.broken.clone()),
                    not_built_since: None,
                    pinned: pinned_of(&package),
                    package,
                }
            }));
        }
        Ok(leaving)
    }

    /// The packages that have left repositories for their age and come back with their next builds only; with the time since when they were
    /// not built. Nothing is written.
    ///
    /// # Errors
    /// As [`Repositories::leaving`].
    pub fn away(
        &self,
        plan: &Plan,
        decisions: &Decisions,
    ) -> Result<Vec<(BuildName, Timestamp)>, PublishError> {
        let mut all = Vec::new();
        for place in self.declared_places() {
            let cached = self.cached_packages(&place.chroot, plan, decisions);
            let Reception { away, .. } =
                self.held_packages(&place, cached.iter().map(|(package, _)| package))?;
            all.extend(
                away.into_iter()
                    .map(|(package, since)| (BuildName { package, chroot: place.chroot.clone() }, since)),
            );
        }
        Ok(all)
    }

    /// The packages that need no build, and come into a repository all the same. Nothing is written.
    ///
    /// # Errors
    /// As [`Repositories::leaving`].
    pub fn entering(&self, plan: &Plan, decisions: &Decisions) -> Result<Vec<Entering>, PublishError> {
        let mut entering = Vec::new();
        // Where a key can't be read, an apply says so.
        let by =
            self.signers().ok().flatten().map(|signers| signers.package_fingerprints()).unwrap_or_default();
        for place in self.declared_places() {
            let cached = self.cached_packages(&place.chroot, plan, decisions);
            let Reception { held, published, away, .. } =
                self.held_packages(&place, cached.iter().map(|(package, _)| package))?;
            for (coming, digest) in
                cached.into_iter().filter(|(coming, _)| !away.contains_key(&coming.package))
            {
                let before = published.get(&coming.package);
                let is_there = before.is_some_and(|published| match by.is_empty() {
                    true => published.has_same_files(&coming),
                    false => published.is_signed_copy(&digest, &by),
                });
                if is_there {
                    continue;
                }
                let waits = held.iter().find(|held| held.package == coming.package);
                entering.push(Entering {
                    chroot: place.chroot.clone(),
                    version: coming.version(),
                    version_before: before.and_then(|before| before.version()),
                    waits: waits.map(|held| held.broken.clone()),
                    package: coming.package,
                });
            }
        }
        Ok(entering)
    }

    /// The packages of a chroot that need no build, unsigned, with the digests of their results.
    fn cached_packages(
        &self,
        chroot: &str,
        plan: &Plan,
        decisions: &Decisions,
    ) -> Vec<(PublishedPackage, Digest)> {
        let is_there = |id: &BuildId| self.manifest.chroot(plan.build(*id).chroot).name.value == chroot;
        let cached = plan.ids().filter(is_there).filter_map(|id| {
            let Decision::Cached { key, result } = decisions.decision(id) else { return None };
            let package =
                package_from_result(&plan.build(id).name.package, *key, (result, self.parting()), None);
            unlistable(result).is_none().then_some((package, result.digest()))
        });
        cached.collect()
    }

    /// Sees to it that no repository's folder is for something else, and that what is to be published as it is can be.
    ///
    /// # Errors
    /// [`PublishError::RefusedAt`] where a folder is, [`PublishError::WrongMetadata`] where a file can't be.
    pub fn check_folders(&self) -> Result<(), PublishError> {
        for RepositoryPlace { path, .. } in self.declared_places() {
            let own = [
                (&*self.state, "in the folder of this project's state"),
                (self.store.folder(), "in forge's store"),
            ];
            let checked = refuse_taken(&path.on_host(self.project.path()), &path, own)?;
            checked.map_err(|refusal| self.locate(refusal.into()))?;
        }
        self.declared_metadata().map(drop)
    }

    /// The files of repositories that are not as forge has left them. Nothing is written.
    pub fn find_damage(&self) -> Result<Vec<DamagedRepositoryFile>, PublishError> {
        let mut found = Vec::new();
        for RepositoryPlace { chroot, path } in self.declared_places() {
            let shown = path.to_string();
            let Some(folder) = self.open(&path)? else {
                if has_copy(&self.state, &chroot, &shown) {
                    let file = DamagedFile::new(RECORD.to_owned(), None, Damage::Missing);
                    found.push(DamagedRepositoryFile { folder: shown, file });
                }
                continue;
            };
            let target = self.target(&chroot, &path, folder)?;
            let known = target.read_known(self.clock.now()).map_err(|error| self.locate(error))?;
            let damaged = find_damage(&target, &known, self.verification)?.into_iter();
            found.extend(damaged.map(|file| DamagedRepositoryFile { folder: shown.clone(), file }));
        }
        Ok(found)
    }

    /// Empties the repositories of chroots that the manifest no longer declares.
    pub fn retire_undeclared(&self) -> Vec<What> {
        // Without its key, what is left there would lose its signature.
        if self.signers().is_err() {
            return Vec::new();
        }
        match self.undeclared_places() {
            Ok(places) => places.flat_map(|place| self.update(place, &[])).collect(),
            Err(error) => vec![What::Noted { text: error.to_string() }],
        }
    }

    pub(super) fn update(&self, place: RepositoryPlace, results: &[PublishedPackage]) -> Vec<What> {
        match self.try_update(&place, results) {
            Ok(told) => told,
            Err(error) => vec![not_published(&place.chroot, None, &error)],
        }
    }

    fn try_update(
        &self,
        place: &RepositoryPlace,
        results: &[PublishedPackage],
    ) -> Result<Vec<What>, PublishError> {
        let folder = match self.open(&place.path)? {
            Some(folder) => folder,
            None if results.is_empty() => return Ok(Vec::new()),
            None => self.create(&place.path)?,
        };
        // What is declared to be signed never loses its signature because the key is not at hand.
        self.signers()?;
        let target = self.target(&place.chroot, &place.path, folder)?;
        let (now, verification, holding) = (self.clock.now(), self.verification, self.holding());
        let declared = self.declared_metadata()?;
        let updater = Updater { store: &self.store, now, verification, holding, declared };
        updater.update(&target, results)
    }

    pub(super) fn holding(&self) -> Holding<'_> {
        let says = self.manifest.publish.as_ref().map(|publish| (publish.broken, publish.packing));
        let (rule, packing) = says.unwrap_or_default();
        let groups = Groups::new(&self.store);
        Holding { store: &self.store, groups, packing, beside: &*self.beside, rule }
    }

    /// Which sections repositories have.
    pub(super) fn parting(&self) -> Parting {
        let separate = self.manifest.publish.as_ref().and_then(|publish| publish.separate_debuginfo.as_ref());
        match separate.is_some_and(|separate| separate.value) {
            true => Parting::Separate,
            false => Parting::Together,
        }
    }

    /// What the manifest says of metadata, with the files that it names.
    fn declared_metadata(&self) -> Result<DeclaredMetadata, PublishError> {
        DeclaredMetadata::read(self.manifest.publish.as_ref(), self.parting(), self.project.path())
    }

    pub(super) fn target<'a>(
        &'a self,
        chroot: &'a str,
        path: &ManifestPath,
        folder: Folder,
    ) -> Result<PublishTarget<'a>, PublishError> {
        let owner = self.owner_of(&folder)?;
        let says = |what: fn(&crate::manifest::declaration::PublishDecl) -> bool| {
            self.manifest.publish.as_ref().is_some_and(what)
        };
        let id = self.client_id_of(chroot);
        let clients = self.client_files(chroot, &id, &folder)?;
        Ok(PublishTarget {
            chroot,
            clients,
            folder,
            shown: path.to_string(),
            owner,
            keep: Keep {
                rules: self
                    .manifest
                    .publish
                    .as_ref()
                    .and_then(|publish| KeepRules::new(publish.keep.as_ref()?)),
                pins: Pins::read(&self.state)?.in_chroot(chroot),
            },
            layout: self.manifest.publish.as_ref().map(|publish| publish.layout).unwrap_or_default(),
            adopts: says(|publish| publish.adopts),
            links: says(|publish| publish.links),
            state: &self.state,
            decoded: &self.decoded,
            declared: self.declared_packages(chroot),
            all_packages: self.manifest.packages.iter().map(|package| &*package.name.value).collect(),
            all_chroots: self.manifest.chroots.iter().map(|chroot| &*chroot.name.value).collect(),
        })
    }

    /// The name by which clients know the repository of a chroot: none that another declared chroot's has, or a section of that.
    fn client_id_of(&self, chroot: &str) -> String {
        let id_of = |chroot: &str| client_id(self.manifest.name.as_deref(), chroot);
        let (id, sections) = (id_of(chroot), self.parting().sections());
        let others = self.manifest.chroots.iter().map(|declared| declared.name.value.as_str());
        let is_taken = others.filter(|other| *other != chroot).map(id_of).any(|other| {
            // One that can be written as it is keeps its name.
            let is_same = other == id && !id.ends_with(chroot);
            let section = id.strip_prefix(&other).filter(|suffix| !suffix.is_empty());
            is_same || section.is_some_and(|suffix| sections.iter().any(|it| it.client_suffix() == suffix))
        });
        match is_taken {
            true => format!("{id}-{}", Digest::compute(chroot.as_bytes()).short(8)),
            false => id,
        }
    }

    /// This project, as the owner of the repository in `folder`.
    fn owner_of(&self, folder: &Folder) -> io::Result<Owner> {
        let name = self.manifest.name.as_deref();
        let (project, repository) = (self.project.real_path()?, folder.real_path()?);
        let is_mounted =
            repository.strip_prefix(&project).is_ok_and(|below| self.project.has_mount_before(below));
        Ok(if is_mounted { Owner::outside(name, &project) } else { Owner::new(name, &project, &repository) })
    }

    fn declared_packages(&self, chroot: &str) -> BTreeSet<&str> {
        let id = self.manifest.chroots.iter().position(|declared| declared.name.value == chroot);
        let is_built_there = |chroots: &[ChrootId]| id.is_some_and(|id| chroots.contains(&ChrootId(id)));
        let packages = self.manifest.packages.iter().filter(|package| is_built_there(&package.chroots));
        packages.map(|package| package.name.value.as_str()).collect()
    }

    fn place_of(&self, chroot: ChrootId) -> RepositoryPlace {
        let chroot = self.manifest.chroot(chroot);
        RepositoryPlace { chroot: chroot.name.value.clone(), path: self.manifest.publish_folder(chroot) }
    }

    pub(super) fn declared_places(&self) -> impl Iterator<Item = RepositoryPlace> {
        (0..self.manifest.chroots.len()).map(|index| self.place_of(ChrootId(index)))
    }

    /// Repositories of this project, where those of its chroots are too, whose chroots the manifest does not declare.
    pub(super) fn undeclared_places(&self) -> Result<impl Iterator<Item = RepositoryPlace>, PublishError> {
        let pattern = match &self.manifest.publish {
            Some(publish) => publish.folder.value.clone(),
            None => ManifestPath::Repository(["public", CHROOT].iter().collect()),
        };
        let mut places = Vec::new();
        for chroot in self.chroots_in(&pattern)? {
            let path = pattern.with_chroot(&chroot);
            let is_declared = self.manifest.chroots.iter().any(|declared| declared.name.value == chroot);
            if !is_declared && self.is_own(&chroot, &path)? {
                places.push(RepositoryPlace { chroot, path });
            }
        }
        Ok(places.into_iter())
    }

    /// The names that stand in the place of the chroot's name on the disk.
    fn chroots_in(&self, pattern: &ManifestPath) -> Result<Vec<String>, PublishError> {
        let mut above = PathBuf::new();
        let mut named = None;
        for component in pattern.as_path().components() {
            match component.as_os_str().to_str().and_then(|name| name.split_once(CHROOT)) {
                Some((before, after)) if matches!(component, Component::Normal(_)) => {
                    named = Some((before.to_owned(), after.to_owned()));
                    break;
                }
                _ => above.push(component),
            }
        }
        let Some((before, after)) = named else { return Ok(Vec::new()) };
        let Some(folder) = self.open(&with_path(pattern, &above))? else { return Ok(Vec::new()) };
        let folders = folder.entries()?.into_iter().filter(|entry| entry.kind == EntryKind::Folder);
        let chroot = |name: &str| Some(name.strip_prefix(&before)?.strip_suffix(&after)?.to_owned());
        let chroots = folders.filter_map(|entry| chroot(&entry.name));
        Ok(chroots.filter(|chroot| !chroot.is_empty()).collect())
    }

    /// Whether there is a repository of this project. What can't be known is not its own.
    fn is_own(&self, chroot: &str, path: &ManifestPath) -> Result<bool, PublishError> {
        let Ok(Some(folder)) = self.open(path) else { return Ok(false) };
        let target = self.target(chroot, path, folder)?;
        Ok(match self.decoded.read(&target.folder, RECORD) {
            ReadRecord::Intact(record) => target.is_own_undeclared(&record),
            ReadRecord::Missing | ReadRecord::Damaged | ReadRecord::Newer(_) => false,
        })
    }

    pub(super) fn open(&self, path: &ManifestPath) -> io::Result<Option<Folder>> {
        match Folder::open_ambient(&self.place_on_disk(path)) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn create(&self, path: &ManifestPath) -> io::Result<Folder> {
        create_public(&self.place_on_disk(path))
            .map_err(|error| self.dead_link(path).map_or(error, io::Error::other))
    }

    /// Names the link on the way to a folder that leads to nothing: a disk that isn't mounted.
    fn dead_link(&self, path: &ManifestPath) -> Option<String> {
        let ManifestPath::Repository(relative) = path else { return None };
        let above: Vec<&Path> = relative.ancestors().collect();
        above.into_iter().rev().find_map(|path| {
            let target = self.project.dir().read_link_contents(path).ok()?;
            let is_dead = Folder::open_ambient(&self.project.path().join(path)).is_err();
            let (path, target) = (path.display(), target.display());
            is_dead.then(|| format!("`{path}` is a link to `{target}`, where there is no folder"))
        })
    }

    /// Where a folder is. The manifest leads out of the project by absolute paths only; a link is its user's, who may have
    /// the repositories on another disk.
    pub(super) fn place_on_disk(&self, path: &ManifestPath) -> HostPath {
        match path {
            ManifestPath::Repository(relative) if relative.as_os_str().is_empty() => {
                self.project.path().clone()
            }
            ManifestPath::Repository(relative) => self.project.path().join(relative),
            ManifestPath::Absolute(absolute) => absolute.clone(),
        }
    }

    /// Says where the manifest names the folder that was refused.
    pub(super) fn locate(&self, error: PublishError) -> PublishError {
        match (error, &self.manifest.publish) {
            (PublishError::Refused(refusal), Some(publish)) => {
                let place = publish.folder.place.clone();
                PublishError::RefusedAt(Located::new(refusal, "publishes there", place))
            }
            (error, _) => error,
        }
    }
}

fn with_path(pattern: &ManifestPath, path: &Path) -> ManifestPath {
    match pattern {
        ManifestPath::Repository(_) => ManifestPath::Repository(path.to_owned()),
        ManifestPath::Absolute(_) => crate::files::HostPath::new(path)
            .map_or_else(|| ManifestPath::Repository(path.to_owned()), ManifestPath::Absolute),
    }
}

/// Why a result can be in no repository. Its other packages would be of no use without the one that can't be listed.
fn unlistable(result: &StepResult) -> Option<PublishError> {
    let file = result.files.iter().find(|file| file.package.unlistable.is_some())?;
    Some(PublishError::Unlistable { file: file.name.clone(), what: file.package.unlistable.clone()? })
}
