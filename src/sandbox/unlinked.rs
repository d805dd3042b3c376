//! Files that no folder has any more, and that processes have open: memory or disk that no look at folders finds.

use std::collections::BTreeSet;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, StatxFlags, statfs, statx};

use super::processes::{in_memory, open_folder, processes, read};

/// What such files hold, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unlinked {
    /// In memory (memfd_create(2), shared memory of System V that nobody has attached).
    pub memory: u64,
    /// On disk.
    pub disk: u64,
}

/// Looks at what all processes have open. `counted` are folders in memory that are counted as wholes.
pub(super) fn unlinked_files(counted: &[&str]) -> Unlinked {
    let device = |path: &Path| {
        let status = statx(CWD, path, AtFlags::empty(), StatxFlags::TYPE).ok()?;
        Some((status.stx_dev_major, status.stx_dev_minor))
    };
    let counted: BTreeSet<_> = counted.iter().filter_map(|path| device(Path::new(path))).collect();
    let (mut known, mut found) = (BTreeSet::new(), Unlinked { memory: unattached_memory(), disk: 0 });
    for process in processes() {
        let path = format!("/proc/{process}/fd");
        // One that has ended has nothing open.
        let Ok(folder) = open_folder(CWD, Path::new(&path)) else { continue };
        let Ok(entries) = Dir::read_from(&folder) else { continue };
        for entry in entries.flatten() {
            let mask = StatxFlags::TYPE | StatxFlags::NLINK | StatxFlags::BLOCKS | StatxFlags::INO;
            let Ok(status) = statx(&folder, entry.file_name(), AtFlags::empty(), mask) else { continue };
            let device = (status.stx_dev_major, status.stx_dev_minor);
            let is_file = FileType::from_raw_mode(status.stx_mode.into()) == FileType::RegularFile;
            if !is_file || status.stx_nlink > 0 || !known.insert((device, status.stx_ino)) {
                continue;
            }
            let held = status.stx_blocks.saturating_mul(512);
            let place = Path::new(&path).join(entry.file_name().to_string_lossy().as_ref());
            match statfs(&place).is_ok_and(|status| in_memory(&status)) {
                true if counted.contains(&device) => {}
                true => found.memory = found.memory.saturating_add(held),
                false => found.disk = found.disk.saturating_add(held),
            }
        }
    }
    found
}

/// The shared memory of System V that no process has attached (proc_sysvipc(5)), in bytes.
fn unattached_memory() -> u64 {
    /// The columns of a segment's processes and of its size in memory.
    const ATTACHED: usize = 6;
    const RESIDENT: usize = 14;
    let text = read("/proc/sysvipc/shm").unwrap_or_default();
    let sizes = text.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_unattached = fields.get(ATTACHED) == Some(&"0");
        fields.get(RESIDENT)?.parse::<u64>().ok().filter(|_| is_unattached)
    });
    sizes.sum()
}
