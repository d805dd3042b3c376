//! What of the machine is seen in a root, and where.

use std::path::Path;

use super::{HostPath, RootPath};

/// A folder of the machine that is seen in a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is on the machine.
    pub host: HostPath,
    /// Where it is seen in the root.
    pub root: RootPath,
    /// What may be done there.
    pub access: MountAccess,
}

/// What may be done in a folder that is seen in a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountAccess {
    /// It can be read.
    Read,
    /// It can be written as well.
    Write,
}

impl Mount {
    /// Where a path of the root is on the machine, if it lies in this folder.
    pub fn on_host(&self, path: &RootPath) -> Option<HostPath> {
        let below = path.as_path().strip_prefix(self.root.as_path()).ok()?;
        Some(if below == Path::new("") { self.host.clone() } else { self.host.join(below) })
    }

    /// Whether it is seen where it is, as everything is in the machine's own root.
    pub fn is_in_place(&self) -> bool {
        self.host.as_path() == self.root.as_path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_root_is_found_on_the_machine_through_the_folder_that_it_lies_in() {
        let root = |path: &str| RootPath::new(path).unwrap();
        let host = HostPath::new("/home/me/.forge/work").unwrap();
        let mount = Mount { host: host.clone(), root: root("/builddir"), access: MountAccess::Write };
        assert_eq!(mount.on_host(&root("/builddir")), Some(host.clone()));
        assert_eq!(mount.on_host(&root("/builddir/RPMS/a.rpm")), Some(host.join("RPMS/a.rpm")));
        assert_eq!(mount.on_host(&root("/builddirs/a")), None);
        assert!(!mount.is_in_place());
    }
}
