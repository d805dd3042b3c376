//! Sets of packages → roots.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::chooser::PackageChooser;
use super::chosen_set::ChosenSet;
use super::effect::{NewEffect, effect_key, find_effect};
use super::register::{COLORS, Registration};
use super::scriptlets::run_scriptlets;
use super::{MadeRoot, RootError, RootTools};
use crate::chroot::compose::{ComposeError, ComposeProgress, Farm, compose};
use crate::chroot::scriptlets::{install_order, plan_scriptlets};
use crate::chroot::{LockedPackage, RepositoryRequest, fetch_packages};
use crate::digest::{Encoder, Key};
use crate::engine::{FORGE_SOURCES, ScriptletRun};
use crate::files::{Folder, HostPath};
use crate::package::Headers;
use crate::process::Personality;
use crate::store::{Blob, RecordKind};

/// Makes roots.
pub struct RootMaker {
    tools: RootTools,
    repositories: Vec<RepositoryRequest>,
    /// The machine that scriptlets run on.
    personality: Personality,
    /// Roots that were made, by the digest of their packages: each is made once.
    made: Mutex<HashMap<Key, MadeOnce>>,
}

/// A root that one makes while others wait for it.
type MadeOnce = Arc<Mutex<Option<Arc<MadeRoot>>>>;

impl RootMaker {
    /// Makes roots of what a chooser chooses.
    pub fn new(chooser: &PackageChooser) -> Self {
        let repositories = chooser.request().repositories.clone();
        let personality = Personality::for_architecture(Some(&chooser.request().arch));
        Self { tools: chooser.tools().clone(), repositories, personality, made: Mutex::default() }
    }

    /// The minimal root.
    ///
    /// # Errors
    /// A package can't be had, or no root be made of them.
    pub fn make_minimal(&self, packages: &[LockedPackage]) -> Result<Arc<MadeRoot>, RootError> {
        self.make(self.fetch(packages)?, None)
    }

    /// The root of a build. `own` are the packages of it that this manifest has built.
    ///
    /// # Errors
    /// A package can't be had, or no root be made of them.
    pub fn make_for_build(
        &self,
        chosen: &ChosenSet,
        own: Vec<(LockedPackage, Blob)>,
    ) -> Result<Arc<MadeRoot>, RootError> {
        if chosen.replaces {
            let mut packages = self.fetch(&chosen.packages())?;
            packages.extend(own);
            return self.make(packages, None);
        }
        let minimal = self.make_minimal(&chosen.minimal)?;
        let mut packages = self.fetch(&chosen.added)?;
        packages.extend(own);
        if packages.is_empty() {
            return Ok(minimal);
        }
        self.make(packages, Some(minimal))
    }

    /// Brings packages into the store.
    ///
    /// # Errors
    /// One can't be had.
    pub fn fetch(&self, packages: &[LockedPackage]) -> Result<Vec<(LockedPackage, Blob)>, RootError> {
        let blobs = self.tools.with_access(|access| fetch_packages(packages, &self.repositories, access))?;
        Ok(packages.iter().cloned().zip(blobs).collect())
    }

    fn make(
        &self,
        packages: Vec<(LockedPackage, Blob)>,
        base: Option<Arc<MadeRoot>>,
    ) -> Result<Arc<MadeRoot>, RootError> {
        let key = set_key(&packages, base.as_deref());
        let slot = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(made.entry(key).or_default())
        };
        // Another that asks for the same waits here until it is made.
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(root) = slot.as_ref() {
            return Ok(Arc::clone(root));
        }
        let root = Arc::new(self.make_anew(packages, base, &key)?);
        *slot = Some(Arc::clone(&root));
        Ok(root)
    }

    fn make_anew(
        &self,
        packages: Vec<(LockedPackage, Blob)>,
        base: Option<Arc<MadeRoot>>,
        key: &Key,
    ) -> Result<MadeRoot, RootError> {
        let mut headers = None;
        let order = match self.tools.store.record::<Vec<usize>>(RecordKind::Root, key) {
            Some(order) if is_order(&order, packages.len()) => order,
            Some(_) | None => {
                let read = headers.insert(self.read_headers(&packages)?);
                let all: Vec<_> = read.iter().map(|headers| &headers.header).collect();
                let order = install_order(&all, COLORS);
                self.tools.store.remember(RecordKind::Root, key, &order)?;
                order
            }
        };
        let ordered: Vec<(LockedPackage, Blob)> =
            order.iter().filter_map(|index| packages.get(*index).cloned()).collect();
        let said = |progress: ComposeProgress| {
            if let ComposeProgress::LaidOut { entries } = progress {
                let of = if ordered.len() == 1 { "package" } else { "packages" };
                self.tools.say(format!("laying out {entries} files of {} {of}", ordered.len()));
            }
        };
        let below = base.as_ref().map(|base| &base.farm);
        let compose = || compose(&self.tools.store, &ordered, below, &said);
        let (farm, planned) = match (&headers, &base) {
            // A set that is new here has no effect yet: what takes a while is worked out while its files are laid out.
            (Some(headers), Some(base)) => {
                let packages = (ordered.as_slice(), in_order(headers, &order));
                let plan = || self.plan_installation(&base.layers(), Some(base), (packages.0, &packages.1));
                let (farm, planned) = rayon::join(compose, plan);
                (farm?, Some(planned?))
            }
            _ => (compose()?, None),
        };
        let effect_key = effect_key(&farm, base.as_ref().and_then(|base| base.effect.as_ref()));
        let effect = match find_effect(&farm, &effect_key) {
            Some(effect) => effect,
            None => {
                let headers = match headers {
                    Some(headers) => headers,
                    None => self.read_headers(&packages)?,
                };
                let headers = in_order(&headers, &order);
                let made = self.make_effect(&farm, base.as_deref(), (&ordered, &headers), planned)?;
                made.finish(&effect_key)?
            }
        };
        let packages = ordered.into_iter().map(|(package, _)| package).collect();
        Ok(MadeRoot { farm, effect: Some(effect), base, packages })
    }

    fn read_headers(&self, packages: &[(LockedPackage, Blob)]) -> Result<Vec<Headers>, RootError> {
        let read = |(package, blob): &(LockedPackage, Blob)| {
            Ok(self.tools.store.package_headers(&package.nevra(), blob).map_err(ComposeError::from)?)
        };
        packages.par_iter().map(read).collect()
    }

    /// Works out what installing packages does in a root that these folders are, the uppermost first, and `base`.
    fn plan_installation(
        &self,
        folders: &[HostPath],
        base: Option<&MadeRoot>,
        (packages, headers): (&[(LockedPackage, Blob)], &[&Headers]),
    ) -> Result<Installation, RootError> {
        let mut registration = Registration::plan(&open_all(folders)?, packages, headers)?;
        let of_base = match (base, registration.base.take()) {
            (Some(base), None) => self.read_headers(&self.fetch(&base.all_packages())?)?,
            (_, known) => known.unwrap_or_default(),
        };
        let scripts = plan_scriptlets(headers, &of_base.iter().collect::<Vec<_>>());
        Ok(Installation { registration, scripts })
    }

    /// What installing packages changes beside their files. It may have been worked out before these lay there.
    fn make_effect(
        &self,
        farm: &Farm,
        base: Option<&MadeRoot>,
        (packages, headers): (&[(LockedPackage, Blob)], &[&Headers]),
        planned: Option<Installation>,
    ) -> Result<NewEffect, RootError> {
        let effect = NewEffect::begin(farm)?;
        let folders: Vec<HostPath> =
            farm.own_layers().into_iter().chain(base.iter().flat_map(|base| base.layers())).collect();
        let layers = open_all(&folders)?;
        let Installation { registration, scripts } = match planned {
            Some(planned) if planned.registration.holds_for(&layers, headers)? => planned,
            Some(_) | None => self.plan_installation(&folders, base, (packages, headers))?,
        };
        let import = registration.write(&effect.upper()?, &layers)?;
        let runs = import.into_iter().chain(scripts).collect();
        effect.write_log(&run_scriptlets(
            &self.tools,
            runs,
            (folders, self.personality),
            effect.changes(),
        )?)?;
        Ok(effect)
    }
}

/// What is to be done in a root when the files of packages lie there.
struct Installation {
    registration: Registration,
    scripts: Vec<ScriptletRun>,
}

fn open_all(folders: &[HostPath]) -> io::Result<Vec<Folder>> {
    folders.iter().map(Folder::open_ambient).collect()
}

fn in_order<'h>(headers: &'h [Headers], order: &[usize]) -> Vec<&'h Headers> {
    order.iter().filter_map(|index| headers.get(*index)).collect()
}

/// What a set is known by, whatever its order.
fn set_key(packages: &[(LockedPackage, Blob)], base: Option<&MadeRoot>) -> Key {
    let mut encoder = Encoder::new("rpmforge root of packages v2");
    // Another forge may install them in another order.
    encoder.text("forge", FORGE_SOURCES);
    let base = base.map(|base| base.farm.key().to_string());
    encoder.option("base", base.as_deref());
    encoder.list("packages", packages.iter(), |encoder, (_, blob)| {
        encoder.digest_field("package", &blob.digest);
    });
    encoder.key()
}

fn is_order(order: &[usize], count: usize) -> bool {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    sorted.into_iter().eq(0..count)
}
