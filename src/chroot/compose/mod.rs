//! A root, composed of what packages unpack to.
//!
//! A set of packages becomes a *farm*: a folder in which each file is a link to the one in the [store's
//! trees](crate::store::PackageTree). Nothing builds in it: it is a layer that is mounted for reading, with what a build
//! writes in another one over it. What few builds have in common with no other lies over what all have in common: the
//! minimal set of a chroot is one farm, and what a build needs beyond it is another one that has only what is added. Of
//! that, the [largest packages](apart) are farms of their own, which other builds share.
//!
//! Which of two packages' files is there is decided as rpm does: what both have alike is shared, what is for the machine's
//! own word length comes before what is for the other, and all else is an error that names both. A link to a folder that
//! one package has leads another's files there: `/bin/x` lies in `/usr/bin` where `/bin` is a link to it.

mod apart;
mod conflict;
mod error;
mod farm;
mod fill;
mod layout;
mod limits;

use std::sync::Arc;

use rayon::prelude::*;

use super::LockedPackage;
use crate::digest::{Encoder, Key};
use crate::files::Folder;
use crate::store::{Blob, Boot, EntryList, ImageChoice, ImageSource, Store, TreeEntry, TreeError};

pub use conflict::{FileConflict, FileDifference};
pub use error::ComposeError;
pub use farm::{Farm, FarmFile, FarmFiles};

use farm::Below;
use fill::FillError;
use layout::FarmLayout;

/// How far composing a root is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComposeProgress {
    /// The root was there already.
    Found,
    /// What a package unpacks to is in the store now.
    Unpacked {
        /// The package.
        package: String,
        /// How large its file is, in bytes.
        bytes: u64,
        /// Whether it had to be unpacked.
        is_new: bool,
    },
    /// All packages are there; this many files and folders are laid out.
    LaidOut {
        /// How many.
        entries: usize,
    },
}

/// Composes the root that a list of packages makes, or finds it. The packages are in the order of their installation.
///
/// With a `base` it is what they add to that: packages of the list that the base has make no difference.
///
/// # Errors
/// A package can't be unpacked, two of them contradict each other, or the store can't be used.
pub fn compose(
    store: &Store,
    packages: &[(LockedPackage, Blob)],
    base: Option<&Farm>,
    progress: &(dyn Fn(ComposeProgress) + Sync),
) -> Result<Farm, ComposeError> {
    let lock = store.lock_for_use()?;
    let farms = store.farms()?;
    let boot = Boot::read_or_unknown();
    let key = farm_key(packages, base);
    if let Some(farm) = Farm::find(&farms, key, base, &boot)? {
        progress(ComposeProgress::Found);
        return Ok(farm.locked(lock));
    }
    let composing = Composing { store, packages, base, progress, boot };
    // What was changed by hand in the store is unpacked once more.
    let farm = match composing.compose(&farms, key) {
        Err(Stop::Changed(package)) => {
            composing.forget(package)?;
            composing.compose(&farms, key)
        }
        composed => composed,
    };
    farm.map(|farm| farm.locked(lock)).map_err(|stop| match stop {
        Stop::Error(error) => error,
        Stop::Changed(_) => ComposeError::Changed,
    })
}

/// Composes the root that an image is, or finds it.
///
/// # Errors
/// The image can't be unpacked, or the store can't be used.
pub fn compose_image(
    store: &Store,
    source: &ImageSource,
    choice: &ImageChoice<'_>,
    progress: &(dyn Fn(ComposeProgress) + Sync),
) -> Result<Farm, ComposeError> {
    let lock = store.lock_for_use()?;
    let farms = store.farms()?;
    let boot = Boot::read_or_unknown();
    let (digest, tree) = store.image_tree(source, choice, &boot)?;
    let key = Encoder::new("rpmforge image farm v1").digest_field("image", &digest).key();
    if let Some(farm) = Farm::find(&farms, key, None, &boot)? {
        progress(ComposeProgress::Found);
        return Ok(farm.locked(lock));
    }
    // Folders that it doesn't name are made for what lies in them.
    let trees = [tree.entries];
    let mut layout = FarmLayout::over(&[]);
    layout.add(&trees, &[])?;
    let (entries, _) = layout.added();
    progress(ComposeProgress::LaidOut { entries: entries.len() });
    let package_numbers = vec![0; entries.len()];
    let list = EntryList { boot, entries, packages: Vec::new(), package_numbers };
    let new = farm::NewFarm::begin(&farms)?;
    match fill::fill(&store.tree_files()?, &list, new.root()) {
        Ok(()) => Ok(new.finish(key, list, Below::default())?.locked(lock)),
        Err(FillError::Changed { .. }) => {
            // The next run unpacks it again.
            store.forget_tree(&digest)?;
            Err(ComposeError::Changed)
        }
        Err(FillError::Io(error)) => Err(error.into()),
    }
}

/// The key of what packages are composed to. Their names don't count: what they hold does, and their order.
fn farm_key(packages: &[(LockedPackage, Blob)], base: Option<&Farm>) -> Key {
    let mut encoder = Encoder::new("rpmforge farm v1");
    let base = base.map(|base| base.key().to_string());
    encoder.option("base", base.as_deref());
    encoder.list("packages", packages.iter(), |encoder, (_, blob)| {
        encoder.digest_field("package", &blob.digest);
    });
    encoder.key()
}

/// A root that is being composed.
struct Composing<'a> {
    store: &'a Store,
    packages: &'a [(LockedPackage, Blob)],
    base: Option<&'a Farm>,
    progress: &'a (dyn Fn(ComposeProgress) + Sync),
    boot: Boot,
}

/// Why it was not composed.
enum Stop {
    Error(ComposeError),
    /// Files of this package's tree are not what was unpacked.
    Changed(Option<usize>),
}

impl<E: Into<ComposeError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl Composing<'_> {
    fn compose(&self, farms: &Folder, key: Key) -> Result<Farm, Stop> {
        let trees = self.unpack_all()?;
        let names: Vec<String> = self.packages.iter().map(|(package, _)| package.nevra()).collect();
        let base = self.base.map(Farm::all_layers).transpose()?.unwrap_or_default();
        let mut layout = FarmLayout::over(&base);
        layout.add(&trees, &names)?;
        let mut added = layout.added();
        drop(layout);
        (self.progress)(ComposeProgress::LaidOut { entries: added.0.len() });
        let mut below = Below { base: self.base.cloned().map(Arc::new), apart: Vec::new() };
        // What lies below all builds of a chroot is laid out once anyhow.
        if self.base.is_some() {
            for package in apart::choose(&trees, &added) {
                below.apart.push(Arc::new(self.lay_out_apart(farms, package, &trees)?));
                added = apart::without(package, added);
            }
        }
        self.lay_out(farms, key, (names, added), below)
    }

    /// The layer of one package alone.
    fn lay_out_apart(&self, farms: &Folder, package: usize, trees: &[Vec<TreeEntry>]) -> Result<Farm, Stop> {
        let only = package..package + 1;
        let packages = self.packages.get(only.clone()).unwrap_or_default();
        let key = farm_key(packages, None);
        if let Some(farm) = Farm::find(farms, key, None, &self.boot)? {
            return Ok(farm);
        }
        let names: Vec<String> = packages.iter().map(|(package, _)| package.nevra()).collect();
        let mut layout = FarmLayout::over(&[]);
        layout.add(trees.get(only).unwrap_or_default(), &names)?;
        let added = layout.added();
        drop(layout);
        self.lay_out(farms, key, (names, added), Below::default()).map_err(|stop| match stop {
            Stop::Changed(_) => Stop::Changed(Some(package)),
            Stop::Error(error) => Stop::Error(error),
        })
    }

    /// Writes a layer.
    fn lay_out(
        &self,
        farms: &Folder,
        key: Key,
        (packages, (entries, package_numbers)): (Vec<String>, (Vec<TreeEntry>, Vec<u32>)),
        below: Below,
    ) -> Result<Farm, Stop> {
        let list = EntryList { boot: self.boot.clone(), entries, packages, package_numbers };
        let new = farm::NewFarm::begin(farms)?;
        match fill::fill(&self.store.tree_files()?, &list, new.root()) {
            Ok(()) => Ok(new.finish(key, list, below)?),
            Err(FillError::Changed { entry }) => {
                let number = list.package_numbers.get(entry).copied().unwrap_or_default();
                Err(Stop::Changed(usize::try_from(number).ok().and_then(|number| number.checked_sub(1))))
            }
            Err(FillError::Io(error)) => Err(ComposeError::from(error).into()),
        }
    }

    /// What all packages unpack to, in their order.
    fn unpack_all(&self) -> Result<Vec<Vec<TreeEntry>>, TreeError> {
        // The largest first, so that none of them is what all others wait for at the end.
        let mut order: Vec<usize> = (0..self.packages.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(self.packages.get(*index).map(|(_, blob)| blob.size)));
        let trees = self.store.package_trees(&self.boot)?;
        let unpacked: Result<Vec<(usize, Vec<TreeEntry>)>, TreeError> = order
            .into_par_iter()
            .with_max_len(1)
            .filter_map(|index| self.packages.get(index).map(|package| (index, package)))
            .map(|(index, (package, blob))| {
                let tree = trees.get(&package.nevra(), blob)?;
                (self.progress)(ComposeProgress::Unpacked {
                    package: package.nevra(),
                    bytes: blob.size,
                    is_new: tree.is_new,
                });
                Ok((index, tree.entries))
            })
            .collect();
        let mut unpacked = unpacked?;
        unpacked.sort_by_key(|(index, _)| *index);
        Ok(unpacked.into_iter().map(|(_, entries)| entries).collect())
    }

    fn forget(&self, package: Option<usize>) -> Result<(), ComposeError> {
        let blob = package.and_then(|index| self.packages.get(index)).map(|(_, blob)| blob);
        blob.map_or(Ok(()), |blob| self.store.forget_tree(&blob.digest)).map_err(ComposeError::from)
    }
}
