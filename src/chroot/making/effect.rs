//! What the scriptlets of a set of packages, and their installation, change in a root: a layer of its own.
//!
//! It lies in the folder of its farm and is believed as long as that is: until the machine boots again. So nothing of it is
//! synced, which would wait for all the links of the farm.

use std::io;
use std::path::{Path, PathBuf};

use crate::chroot::compose::Farm;
use crate::digest::{Encoder, Key};
use crate::engine::FORGE_SOURCES;
use crate::files::{Folder, HostPath};
use crate::store::{EFFECTS, UNFINISHED};

/// What is changed, as overlayfs keeps it.
pub(super) const UPPER: &str = "upper";

/// What scriptlets have printed.
const LOG: &str = "scriptlets.log";

/// What the scriptlets have printed that had this effect.
pub(super) fn read_log(effect: &HostPath) -> String {
    let folder = effect.as_path().parent().and_then(HostPath::new);
    let folder = folder.and_then(|folder| Folder::open_ambient(&folder).ok());
    folder.and_then(|folder| folder.read_text(LOG).ok()).unwrap_or_default()
}

/// Where overlayfs works.
pub(super) const WORK: &str = "work";

/// An effect that is being made.
pub(super) struct NewEffect {
    effects: Folder,
    name: String,
}

/// The key of the effect of a farm's packages, over that of a base.
pub(super) fn effect_key(farm: &Farm, base: Option<&HostPath>) -> Key {
    let mut encoder = Encoder::new("rpmforge effect v2");
    // Another forge may run other scriptlets, or run them otherwise.
    encoder.text("forge", FORGE_SOURCES);
    encoder.digest_field("farm", farm.key().digest());
    let base = base.map(ToString::to_string);
    encoder.option("base", base.as_deref());
    encoder.key()
}

/// The effect of that key, if it is there.
pub(super) fn find_effect(farm: &Farm, key: &Key) -> Option<HostPath> {
    let upper = farm.folder().join(EFFECTS).join(key.to_string()).join(UPPER);
    Folder::open_ambient(&upper).ok()?;
    Some(upper)
}

impl NewEffect {
    /// Makes room for one.
    pub fn begin(farm: &Farm) -> io::Result<Self> {
        let effects = Folder::create_scratch(&farm.folder().join(EFFECTS))?;
        let name = effects.unique(UNFINISHED)?;
        let own = effects.create(&name)?;
        own.create(UPPER)?;
        own.create(WORK)?;
        Ok(Self { effects, name })
    }

    /// The folder that a sandbox keeps changes in.
    pub fn changes(&self) -> HostPath {
        self.effects.path().join(&self.name)
    }

    /// Keeps what scriptlets have printed.
    pub fn write_log(&self, log: &[u8]) -> io::Result<()> {
        self.effects.write_atomic(Path::new(&self.name).join(LOG), log)
    }

    /// What is changed.
    pub fn upper(&self) -> io::Result<Folder> {
        self.effects.folder(Path::new(&self.name).join(UPPER))
    }

    /// Gives it its name; where another forge was faster, its effect is taken.
    pub fn finish(self, key: &Key) -> io::Result<HostPath> {
        self.effects.folder(&self.name)?.remove(WORK)?;
        let path = PathBuf::from(key.to_string());
        match self.effects.dir().rename(&self.name, self.effects.dir(), &path) {
            Err(_) if self.effects.is_folder(&path) => {}
            renamed => renamed?,
        }
        Ok(self.effects.path().join(path).join(UPPER))
    }
}

impl Drop for NewEffect {
    fn drop(&mut self) {
        // Only there if it was not finished.
        let _ = self.effects.remove_folder(&self.name);
    }
}
