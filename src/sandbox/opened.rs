//! What of the machine a sandbox sees, opened before it is entered.

use std::io;
use std::path::{Path, PathBuf};

use super::composed_view::{OpenedRoot, open_root};
use super::enclosure::{Bind, Enclosure, FORGE_INSIDE};
use super::kernel::MountAttributes;
use super::mounts::Detached;
use super::owners::Owners;
use super::view::{Attachment, PRIVATE_FOLDERS, at, below_root, open_bind};

/// What of the machine is opened before a sandbox is entered.
pub(super) struct Opened {
    /// The folders that are seen.
    pub binds: Vec<Attachment>,
    /// Those that are the root, where that is not the machine's own.
    pub root: Option<OpenedRoot>,
}

/// Opens the folders of the machine that are seen, as their owner.
///
/// # Errors
/// One is not there or can't be shown.
pub(super) fn open_folders(enclosure: &Enclosure) -> io::Result<Opened> {
    let private = enclosure.private.iter().flat_map(|private| {
        let bind = |(name, root): (&str, &str)| Bind {
            host: private.join(name),
            root: PathBuf::from(root),
            writable: true,
        };
        PRIVATE_FOLDERS.iter().copied().map(bind)
    });
    let mut owners = Owners::new(enclosure.user);
    let mut attachments = Vec::new();
    for bind in private.chain(enclosure.binds.iter().cloned()) {
        attachments.push(open_bind(&bind, &mut owners)?);
    }
    let attributes = MountAttributes { read_only: true, no_devices: true, owners: None };
    let mount =
        Detached::copy_of(&enclosure.forge, attributes).map_err(|error| at(&enclosure.forge, &error))?;
    attachments.push(Attachment::new(mount, below_root(Path::new(FORGE_INSIDE))));
    let layers = enclosure.layers.as_slice();
    let root = enclosure.root.as_ref().map(|root| open_root(root, layers, &mut owners)).transpose()?;
    Ok(Opened { binds: attachments, root })
}
