//! A farm: what packages are composed to, in the store.
//!
//! `farms/KEY/root/` is the layer, `farms/KEY/list` all that is in it, `farms/KEY/apart` the keys of the layers that packages
//! of its set have for themselves, where there are some. All is made beside its place; the folder gets its name when all is
//! there, so what has a name is whole. As nothing is synced, it is believed until the machine boots again, and then composed
//! again. When it was of use last is the time of `list`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bstr::{BStr, ByteSlice};

use super::error::ComposeError;
use crate::digest::Key;
use crate::event::{Clock, SystemClock, Timestamp};
use crate::files::{Folder, HostPath, Lock, LockKind};
use crate::store::{Boot, EntryContent, EntryList, ListedIn, TreeEntry};

const ROOT: &str = "root";
const LIST: &str = "list";
const APART: &str = "apart";
const INCOMING: &str = "incoming";
const LOCK: &str = "lock";

/// Farms are marked as used at most this often.
const USED_AGAIN: Duration = Duration::from_secs(3600);

/// A layer of a root, composed of packages, with those that it lies over. While it is held, it is not collected.
#[derive(Clone, Debug)]
pub struct Farm {
    key: Key,
    folder: HostPath,
    list: Arc<OnceLock<Arc<EntryList>>>,
    below: Below,
    lock: Option<Arc<Lock>>,
}

/// What the own layer of a farm lies over.
#[derive(Clone, Debug, Default)]
pub(super) struct Below {
    /// What all builds of the chroot have.
    pub base: Option<Arc<Farm>>,
    /// Packages of the set that have a layer for themselves, over the base; the lowest first.
    pub apart: Vec<Arc<Farm>>,
}

/// Something in a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FarmFile<'f> {
    /// What is known of it.
    pub entry: &'f TreeEntry,
    /// The package that it is from; nothing for a folder that is only there because something is in it.
    pub package: Option<&'f str>,
}

impl Farm {
    /// The farm of a key, if it is there and was made since the machine runs.
    pub(super) fn find(
        farms: &Folder,
        key: Key,
        base: Option<&Self>,
        boot: &Boot,
    ) -> io::Result<Option<Self>> {
        let path = farm_path(&key);
        if !farms.is_folder(path.join(ROOT)) {
            return Ok(None);
        }
        let Ok((mut file, metadata)) = farms.open_regular_with_metadata(path.join(LIST)) else {
            return Ok(None);
        };
        let mut start = [0; 128];
        let read = file.read(&mut start)?;
        let written_in = EntryList::decode_boot(ListedIn::Farm, start.get(..read).unwrap_or_default());
        if !written_in.is_some_and(|written_in| written_in.is_same(boot)) {
            return Ok(None);
        }
        let used = Timestamp::of(metadata.modified()?.into_std());
        let now = SystemClock.now();
        if now.since(used) > USED_AGAIN {
            farms.set_modified(path.join(LIST), now.0 / 1000)?;
        }
        let Some(apart) = find_apart(farms, &path, boot)? else { return Ok(None) };
        let folder = farms.path().join(path);
        let below = Below { base: base.cloned().map(Arc::new), apart };
        Ok(Some(Self { key, folder, list: Arc::default(), below, lock: None }))
    }

    pub(super) fn locked(mut self, lock: Lock) -> Self {
        self.lock = Some(Arc::new(lock));
        self
    }

    /// What it is the result of: its packages, their order, and what it lies over.
    pub fn key(&self) -> Key {
        self.key
    }

    /// The folder that holds it, and what is made of it.
    pub(in crate::chroot) fn folder(&self) -> &HostPath {
        &self.folder
    }

    /// Its own layer.
    pub fn root(&self) -> HostPath {
        self.folder.join(ROOT)
    }

    /// The folders that hold what is in it and not in its base, the uppermost first.
    pub fn own_layers(&self) -> Vec<HostPath> {
        let apart = self.below.apart.iter().rev().map(|farm| farm.root());
        [self.root()].into_iter().chain(apart).collect()
    }

    /// The folders that it consists of, the uppermost first: as overlayfs takes them.
    pub fn layers(&self) -> Vec<HostPath> {
        let below = self.below.base.iter().flat_map(|base| base.layers());
        self.own_layers().into_iter().chain(below).collect()
    }

    /// What its own layer has, read once.
    ///
    /// # Errors
    /// The store can't be used.
    pub fn list(&self) -> Result<Arc<EntryList>, ComposeError> {
        if let Some(list) = self.list.get() {
            return Ok(Arc::clone(list));
        }
        let bytes = Folder::open_ambient(&self.folder)?.read(LIST)?;
        let damaged =
            || io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged", self.folder.join(LIST)));
        let list = EntryList::decode(ListedIn::Farm, &bytes).ok_or_else(damaged)?;
        Ok(Arc::clone(self.list.get_or_init(|| Arc::new(list))))
    }

    /// What all layers have, the lowest first.
    pub(super) fn all_layers(&self) -> Result<Vec<Arc<EntryList>>, ComposeError> {
        let mut layers = self.below.base.as_ref().map_or(Ok(Vec::new()), |base| base.all_layers())?;
        for farm in &self.below.apart {
            layers.push(farm.list()?);
        }
        layers.push(self.list()?);
        Ok(layers)
    }

    /// All that is in the root.
    ///
    /// # Errors
    /// The store can't be used.
    pub fn files(&self) -> Result<FarmFiles, ComposeError> {
        Ok(FarmFiles { layers: self.all_layers()? })
    }
}

/// All that is in a root, to be looked up.
#[derive(Clone, Debug)]
pub struct FarmFiles {
    /// The lowest first.
    layers: Vec<Arc<EntryList>>,
}

impl FarmFiles {
    /// What is at a path that begins with `/` and leads over no links.
    pub fn get(&self, path: impl AsRef<[u8]>) -> Option<FarmFile<'_>> {
        let path = path.as_ref();
        let path = path.strip_prefix(b"/").unwrap_or(path);
        self.get_below(self.layers.len(), path)
    }

    /// What is at a path in the lowest of the layers. Whose a folder of lower layers is stands in the lists of these.
    fn get_below(&self, layers: usize, path: &[u8]) -> Option<FarmFile<'_>> {
        let lists = self.layers.get(..layers).unwrap_or_default().iter().rev();
        let mut found = lists.filter_map(|list| farm_file(list, find(list, path)?));
        let uppermost = found.next()?;
        let package = uppermost.package.or_else(|| found.find_map(|file| file.package));
        Some(FarmFile { package, ..uppermost })
    }

    /// What a path leads to, links followed as programs in the root follow them.
    pub fn resolve(&self, path: impl AsRef<[u8]>) -> Option<FarmFile<'_>> {
        let mut ahead: Vec<Vec<u8>> = path.as_ref().rsplit_str("/").map(<[u8]>::to_vec).collect();
        let mut links = 0;
        let mut names: Vec<Vec<u8>> = Vec::new();
        while let Some(part) = ahead.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    names.pop();
                    continue;
                }
                _ => names.push(part),
            }
            let found = self.get(bstr::join("/", &names))?;
            if let EntryContent::Link(target) = &found.entry.content {
                links += 1;
                if links > super::limits::MOST_LINKS {
                    return None;
                }
                names.pop();
                if target.starts_with(b"/") {
                    names.clear();
                }
                ahead.extend(target.rsplit_str("/").map(<[u8]>::to_vec));
            }
        }
        self.get(bstr::join("/", &names))
    }

    /// Everything, layer by layer, the uppermost first; what an upper layer has as well is hidden in a lower one.
    pub fn iter(&self) -> impl Iterator<Item = FarmFile<'_>> {
        self.layers.iter().enumerate().rev().flat_map(move |(layer, list)| {
            let upper = self.layers.get(layer + 1..).unwrap_or_default();
            let entries = list.entries.iter();
            let shown = entries.filter(|entry| !upper.iter().any(|list| find(list, &entry.path).is_some()));
            shown.filter_map(move |entry| self.get_below(layer + 1, &entry.path))
        })
    }

    /// What belongs to others than root, or has capabilities: what has to be given to them once the root has these users.
    pub fn owned_by_others(&self) -> impl Iterator<Item = FarmFile<'_>> {
        let is_roots = |name: &BStr| name == "root" || name == "0";
        self.iter().filter(move |file| {
            let ownership = &file.entry.ownership;
            !is_roots(ownership.owner.as_ref())
                || !is_roots(ownership.group.as_ref())
                || !ownership.capabilities.is_empty()
        })
    }
}

/// The number of the entry with a path.
fn find(list: &EntryList, path: &[u8]) -> Option<usize> {
    list.entries.binary_search_by(|entry| entry.path.as_slice().cmp(path)).ok()
}

fn farm_file(list: &EntryList, index: usize) -> Option<FarmFile<'_>> {
    let number = usize::try_from(*list.package_numbers.get(index)?).ok()?;
    let package = number.checked_sub(1).and_then(|index| list.packages.get(index)).map(String::as_str);
    Some(FarmFile { entry: list.entries.get(index)?, package })
}

/// A farm that is being made.
pub(super) struct NewFarm {
    farms: Folder,
    incoming: Folder,
    name: String,
    root: Folder,
}

impl NewFarm {
    pub fn begin(farms: &Folder) -> io::Result<Self> {
        let incoming = farms.create(INCOMING)?;
        incoming.spread_folders();
        let name = incoming.unique("")?;
        let root = incoming.create(Path::new(&name).join(ROOT))?;
        Ok(Self { farms: farms.again()?, incoming, name, root })
    }

    pub fn root(&self) -> &Folder {
        &self.root
    }

    /// Gives it its name; where another forge was faster, its farm is taken.
    pub fn finish(self, key: Key, list: EntryList, below: Below) -> io::Result<Farm> {
        let own = PathBuf::from(&self.name);
        self.incoming.write_atomic(own.join(LIST), &list.encode(ListedIn::Farm))?;
        if !below.apart.is_empty() {
            let keys: Vec<String> = below.apart.iter().map(|farm| farm.key.to_string()).collect();
            self.incoming.write_atomic(own.join(APART), keys.join("\n").as_bytes())?;
        }
        let path = farm_path(&key);
        let _lock = Lock::wait(&self.farms, LOCK, LockKind::Exclusive)?;
        if let Some(farm) = Farm::find(&self.farms, key, below.base.as_deref(), &list.boot)? {
            return Ok(farm);
        }
        if self.farms.dir().symlink_metadata(&path).is_ok() {
            // From before the machine booted: nobody uses it.
            let old = self.incoming.unique("old-")?;
            self.farms.dir().rename(&path, self.incoming.dir(), &old)?;
            self.incoming.remove(&old)?;
        }
        self.incoming.dir().rename(&self.name, self.farms.dir(), &path)?;
        let folder = self.farms.path().join(path);
        Ok(Farm { key, folder, list: Arc::new(OnceLock::from(Arc::new(list))), below, lock: None })
    }
}

impl Drop for NewFarm {
    fn drop(&mut self) {
        // Only there if it wasn't finished; what is left counts for nothing, and is collected.
        let _ = self.incoming.remove_folder(&self.name);
    }
}

/// The layers that packages of a farm have for themselves; nothing where one of them is gone.
fn find_apart(farms: &Folder, path: &Path, boot: &Boot) -> io::Result<Option<Vec<Arc<Farm>>>> {
    let keys = match farms.read_text(path.join(APART)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(Vec::new())),
        keys => keys?,
    };
    let mut found = Vec::new();
    for key in keys.lines() {
        // One that does not say what it lies over is as good as none.
        let Ok(digest) = key.parse() else { return Ok(None) };
        match Farm::find(farms, Key::from_digest(digest), None, boot)? {
            Some(farm) => found.push(Arc::new(farm)),
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

fn farm_path(key: &Key) -> PathBuf {
    PathBuf::from(key.to_string())
}
