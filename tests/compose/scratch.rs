//! A store, packages in it, and the roots that they make.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rpmforge::chroot::compose::{ComposeError, Farm, compose};
use rpmforge::chroot::{Checksum, LockedPackage};
use rpmforge::files::{Folder, HostPath};
use rpmforge::store::{Blob, Store};

use super::made_package::MadePackage;

/// A folder with a store and the packages that were made for it.
pub struct Scratch {
    pub temp: tempfile::TempDir,
    pub store: Store,
}

impl Scratch {
    pub fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    pub fn within(folder: &Path) -> Self {
        let temp = tempfile::tempdir_in(folder).unwrap();
        let store = open_store(temp.path());
        Self { temp, store }
    }

    /// Takes packages into the store.
    pub fn take(&self, packages: &[MadePackage]) -> Vec<(LockedPackage, Blob)> {
        let folder = HostPath::new(self.temp.path().join("packages")).unwrap();
        packages.iter().map(|package| take(&self.store, package, &folder)).collect()
    }

    pub fn compose(&self, packages: &[MadePackage]) -> Result<Farm, ComposeError> {
        compose(&self.store, &self.take(packages), None, &|_| ())
    }

    pub fn compose_over(&self, base: &Farm, packages: &[MadePackage]) -> Result<Farm, ComposeError> {
        compose(&self.store, &self.take(packages), Some(base), &|_| ())
    }

    /// All names below a folder of the store.
    pub fn names(&self, path: &str) -> Vec<String> {
        let path = self.temp.path().join("store").join(path);
        let mut names: Vec<String> =
            if path.exists() { listing(&path).into_keys().collect() } else { Vec::new() };
        names.retain(|name| !name.is_empty());
        names
    }
}

pub fn open_store(folder: &Path) -> Store {
    Store::open(&HostPath::new(folder.join("store")).unwrap()).unwrap()
}

fn take(store: &Store, package: &MadePackage, folder: &HostPath) -> (LockedPackage, Blob) {
    let file = package.write(folder);
    let (blob, sha256) = store.take_in(&Folder::open_ambient(folder).unwrap(), Path::new(&file)).unwrap();
    let locked = LockedPackage {
        name: package.name.clone(),
        evr: "1-1".to_owned(),
        arch: "noarch".to_owned(),
        repository: "made".to_owned(),
        href: file,
        checksum: Checksum::new("sha256", &sha256).unwrap(),
        size: blob.size,
    };
    (locked, blob)
}

/// What is at a path, as people compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub mode: u32,
    pub modified: i64,
    pub content: Vec<u8>,
    /// The first path of the same file.
    pub same_as: String,
}

/// All below a folder, by path; links have what they point to for content.
pub fn listing(root: &Path) -> BTreeMap<String, Seen> {
    let mut open = vec![root.to_owned()];
    let mut paths: Vec<PathBuf> = Vec::new();
    while let Some(path) = open.pop() {
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        paths.push(path);
    }
    paths.sort();
    let mut inodes = BTreeMap::new();
    let seen = |path: PathBuf| {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let metadata = path.symlink_metadata().unwrap();
        let content = match metadata.file_type() {
            kind if kind.is_symlink() => {
                std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            }
            kind if kind.is_file() => std::fs::read(&path).unwrap(),
            _ => Vec::new(),
        };
        let same_as = inodes.entry(metadata.ino()).or_insert_with(|| name.clone()).clone();
        let mode = if metadata.is_symlink() { 0 } else { metadata.mode() & 0o7777 };
        (name, Seen { mode, modified: metadata.mtime(), content, same_as })
    };
    paths.into_iter().map(seen).collect()
}

/// What the uppermost layer of a root has.
pub fn layer(farm: &Farm) -> BTreeMap<String, Seen> {
    listing(farm.layers()[0].as_path())
}
