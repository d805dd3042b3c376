//! The sandbox of namespaces, as engines are given it.

use std::sync::Arc;
use std::time::Duration;

use super::control_group::prepare;
use super::enclosure::{Bind, Enclosure, FORGE_INSIDE, RootFolders};
use super::enter::ENCLOSE;
use super::owners::gives_numbers;
use super::settle::SETTLE;
use crate::files::{HostPath, MountAccess, RootPath};
use crate::process::{Command, Sandbox, Surroundings};

/// How long giving a folder back may take.
const LONGEST: Duration = Duration::from_secs(600);

/// Puts programs into namespaces of their own, in the machine's own root seen read-only.
#[derive(Clone, Debug)]
pub struct Namespaces {
    /// The binary of forge, which sets them up.
    forge: Arc<HostPath>,
}

impl Namespaces {
    /// With the binary at `forge`. This process moves to a leaf of its control group, where that is its own and sandboxes can
    /// have groups then.
    pub fn new(forge: &HostPath) -> Self {
        prepare();
        Self { forge: Arc::new(forge.clone()) }
    }
}

impl Sandbox for Namespaces {
    fn enclose(&self, command: Command, surroundings: &Surroundings) -> Command {
        let Surroundings {
            root,
            user,
            mounts,
            hidden,
            layers,
            private,
            folder,
            personality,
            network,
            terminal,
            limits,
            circumstances,
        } = surroundings;
        let mut binds: Vec<Bind> = mounts
            .iter()
            .map(|mount| Bind {
                host: mount.host.as_path().to_owned(),
                root: mount.root.as_path().to_owned(),
                writable: mount.access == MountAccess::Write,
            })
            .collect();
        // The outer before the inner, which would be hidden behind it.
        binds.sort_by(|a, b| a.root.cmp(&b.root));
        binds.dedup();
        let enclosure = Enclosure {
            forge: self.forge.as_path().to_owned(),
            root: root.as_ref().map(|root| RootFolders {
                folders: root.folders.iter().map(|folder| folder.as_path().to_owned()).collect(),
                changes: root.changes.as_ref().map(|changes| changes.as_path().to_owned()),
            }),
            binds,
            hidden: hidden.iter().map(|path| path.as_path().to_owned()).collect(),
            layers: layers.iter().map(|layer| layer.as_path().to_owned()).collect(),
            private: private.as_ref().map(|private| private.as_path().to_owned()),
            folder: folder.as_path().to_owned(),
            personality: *personality,
            network: *network,
            user: *user,
            terminal: *terminal,
            limits: *limits,
            circumstances: circumstances.clone(),
        };
        command.through(self.forge.as_os_str(), ENCLOSE, enclosure.encode())
    }

    fn settle(&self, folder: &HostPath) -> Option<Command> {
        if gives_numbers() {
            return None;
        }
        let command = Command::new(self.forge.as_os_str(), folder, Default::default(), LONGEST);
        Some(command.argument(SETTLE).argument(folder.as_path()))
    }

    fn forge_inside(&self) -> RootPath {
        RootPath::in_own_root(&HostPath::root().join(FORGE_INSIDE)).unwrap_or_else(RootPath::root)
    }
}
