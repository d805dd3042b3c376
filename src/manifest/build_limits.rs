//! `limits`: how much a build may take.

use crate::process::SandboxLimits;
use crate::text::Spanned;

/// How much a build may take, as written.
#[derive(Clone, Debug, Default)]
pub struct LimitsDecl {
    /// Memory, in bytes.
    pub memory: Option<Spanned<u64>>,
    /// Processes and threads.
    pub processes: Option<Spanned<u32>>,
    /// What it writes to disk, in bytes.
    pub disk: Option<Spanned<u64>>,
    /// Files that one process has open.
    pub open_files: Option<Spanned<u32>>,
    /// What it prints, in bytes.
    pub log: Option<Spanned<u64>>,
}

/// How much a build may take. Nothing said means what a sandbox has by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuildLimits {
    /// Memory of all its processes together, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processes and threads at a time.
    pub processes: Option<u32>,
    /// What it writes to disk, in bytes.
    pub disk_bytes: Option<u64>,
    /// Files that one process has open at a time.
    pub open_files: Option<u32>,
    /// What it prints, in bytes.
    pub log_bytes: Option<u64>,
}

impl LimitsDecl {
    /// Lets what is said nearer hold, each limit by itself.
    pub fn extend(&mut self, nearer: Self) {
        let Self { memory, processes, disk, open_files, log } = nearer;
        self.memory = memory.or(self.memory.take());
        self.processes = processes.or(self.processes.take());
        self.disk = disk.or(self.disk.take());
        self.open_files = open_files.or(self.open_files.take());
        self.log = log.or(self.log.take());
    }
}

impl BuildLimits {
    /// What is written.
    pub(super) fn new(decl: LimitsDecl) -> Self {
        let LimitsDecl { memory, processes, disk, open_files, log } = decl;
        Self {
            memory_bytes: memory.map(|said| said.value),
            processes: processes.map(|said| said.value),
            disk_bytes: disk.map(|said| said.value),
            open_files: open_files.map(|said| said.value),
            log_bytes: log.map(|said| said.value),
        }
    }

    /// These and, where it says something else, what `nearer` says, each limit by itself.
    #[must_use]
    pub fn overridden_by(self, nearer: Self) -> Self {
        Self {
            memory_bytes: nearer.memory_bytes.or(self.memory_bytes),
            processes: nearer.processes.or(self.processes),
            disk_bytes: nearer.disk_bytes.or(self.disk_bytes),
            open_files: nearer.open_files.or(self.open_files),
            log_bytes: nearer.log_bytes.or(self.log_bytes),
        }
    }
}

impl From<BuildLimits> for SandboxLimits {
    fn from(said: BuildLimits) -> Self {
        let otherwise = Self::default();
        Self {
            memory: said.memory_bytes.or(otherwise.memory),
            processes: said.processes.map_or(otherwise.processes, u64::from),
            disk: said.disk_bytes.or(otherwise.disk),
            open_files: said.open_files.map_or(otherwise.open_files, u64::from),
            log: said.log_bytes.unwrap_or(otherwise.log),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::files::{Folder, HostPath};
    use crate::manifest::{ChrootId, MANIFEST_FILE, Manifest, PackageId, load};

    fn manifest(text: &str) -> Manifest {
        let temp = tempfile::tempdir().unwrap();
        let repository = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let begin = "rpmforge version=1\nchroot el9 { root \"/\"; limits { disk \"4GiB\" } }\nchroot f42 { extends el9 }\n";
        for (name, text) in [("a.spec", ""), ("b.spec", ""), (MANIFEST_FILE, &format!("{begin}{text}"))] {
            repository.write_atomic(name, text.as_bytes()).unwrap();
        }
        load(&repository, MANIFEST_FILE, &BTreeMap::new()).unwrap()
    }

    const LEVELS: &str = "defaults { limits { memory \"1GiB\"; processes 100; open-files 500 } }\n\
                          batch all { members \"*\"; limits { processes 200; log \"1MiB\" } }\n\
                          package a {\n    source path \"a.spec\"\n    limits { memory \"3GiB\" }\n    \
                          on \"el*\" { limits { memory \"2GiB\"; processes 300 } }\n}\n\
                          package b like=a { source path \"b.spec\"; limits { disk \"5GB\" } }\n\
                          profile ci { limits { open-files 1000 } }\n";

    #[test]
    fn a_nearer_level_wins_each_limit_by_itself() {
        let manifest = manifest(LEVELS);
        let limits = |package, chroot| manifest.limits(PackageId(package), ChrootId(chroot));
        let a = BuildLimits {
            memory_bytes: Some(3 << 30),
            processes: Some(200),
            disk_bytes: Some(4 << 30),
            open_files: Some(500),
            log_bytes: Some(1 << 20),
        };
        assert_eq!(limits(0, 1), a);
        assert_eq!(limits(0, 0), BuildLimits { memory_bytes: Some(2 << 30), processes: Some(300), ..a });
        assert_eq!(limits(1, 1), BuildLimits { disk_bytes: Some(5_000_000_000), ..a });
    }

    #[test]
    fn a_profile_stands_above_the_limits_of_packages() {
        let mut manifest = manifest(LEVELS);
        manifest.choose_profiles(&["ci".to_owned()]).unwrap();
        assert_eq!(manifest.limits(PackageId(0), ChrootId(1)).open_files, Some(1000));
    }

    #[test]
    fn what_nobody_limits_is_left_to_the_sandbox() {
        let manifest = manifest("package a { source path \"a.spec\" }\n");
        let expected = BuildLimits { disk_bytes: Some(4 << 30), ..BuildLimits::default() };
        let limits = manifest.limits(PackageId(0), ChrootId(0));
        assert_eq!(limits, expected);
        assert_eq!(
            SandboxLimits::from(limits),
            SandboxLimits { disk: Some(4 << 30), ..SandboxLimits::default() }
        );
    }
}
