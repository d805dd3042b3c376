//! Watches over what the programs of a sandbox take together, where the kernel counts each process alone.

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, StatxFlags, fstatvfs, openat, statvfs, statx};

use super::processes::{in_memory, open_folder, processes, read};
use super::unlinked::{Unlinked, unlinked_files};
use crate::process::SandboxLimits;

/// How often memory is looked at.
const MEMORY_INTERVAL: Duration = Duration::from_millis(100);

/// How often the disk is asked how much is free.
const DISK_INTERVAL: Duration = Duration::from_millis(200);

/// How long a look at all files may be put off because the disk has hardly less free space than before: others may have
/// freed as much as the sandbox has filled.
const LONGEST_UNSEEN: Duration = Duration::from_secs(60);

/// Which limit was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    Memory,
    Disk,
}

/// Folders that may be in memory.
const FOLDERS_IN_MEMORY: &[&str] = &["/run", "/dev/shm", "/tmp", "/var/tmp", "/home"];

/// How often it is looked for files that are open and have no name any more.
const UNLINKED_INTERVAL: Duration = Duration::from_millis(500);

/// Waits until a limit is passed; returns at once if there is none that has to be watched.
pub(super) fn watch(limits: &SandboxLimits, writable: &[PathBuf]) -> Option<Passed> {
    let mut disk = limits.disk.map(|most| DiskWatch::new(most, writable));
    if limits.memory.is_none() && disk.is_none() {
        return None;
    }
    let (mut next_disk, mut next_unlinked) = (Instant::now(), Instant::now());
    let mut unlinked = Unlinked::default();
    loop {
        if Instant::now() >= next_unlinked {
            unlinked = unlinked_files(FOLDERS_IN_MEMORY);
            next_unlinked = Instant::now() + UNLINKED_INTERVAL;
        }
        if limits.memory.is_some_and(|most| memory_used(unlinked.memory) > most) {
            return Some(Passed::Memory);
        }
        if let Some(disk) = &mut disk
            && Instant::now() >= next_disk
        {
            if disk.is_passed(unlinked.disk) {
                return Some(Passed::Disk);
            }
            next_disk = Instant::now() + DISK_INTERVAL;
        }
        std::thread::sleep(MEMORY_INTERVAL);
    }
}

/// The memory of all processes, shared pages counted once, and of files in memory, of which `unlinked` have no name any more;
/// in bytes. Files that are mapped are not counted as files as well.
fn memory_used(unlinked: u64) -> u64 {
    let files: u64 = FOLDERS_IN_MEMORY.iter().map(|path| held_in_memory(path)).sum();
    let mut used = Memory::default();
    for process in processes() {
        let own = proportional_size(&process);
        used = Memory { own: used.own.saturating_add(own.own), files: used.files.saturating_add(own.files) };
    }
    used.own.saturating_add(used.files.max(files.saturating_add(unlinked)))
}

/// What a folder in memory holds, in bytes; 0 where it is on disk.
fn held_in_memory(path: &str) -> u64 {
    let Ok(status) = rustix::fs::statfs(path) else { return 0 };
    if !in_memory(&status) {
        return 0;
    }
    let Ok(space) = statvfs(path) else { return 0 };
    space.f_blocks.saturating_sub(space.f_bfree).saturating_mul(space.f_frsize)
}

/// A process's memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Memory {
    /// Its own, and its share of programs and libraries.
    own: u64,
    /// Its share of files in memory that it has mapped.
    files: u64,
}

/// A process's memory, with its share of what it shares (proc_pid_smaps(5)). One that has ended has none.
fn proportional_size(process: &str) -> Memory {
    let Ok(status) = read(&format!("/proc/{process}/statm")) else { return Memory::default() };
    let resident: u64 = status.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    let resident = resident.saturating_mul(u64::try_from(rustix::param::page_size()).unwrap_or(4096));
    // Looking closer takes long, and is worth it where it can decide something only.
    const SMALL: u64 = 16 << 20;
    let whole = Memory { own: resident, files: 0 };
    if resident < SMALL {
        return whole;
    }
    let Ok(shared) = read(&format!("/proc/{process}/smaps_rollup")) else { return whole };
    let field = |name: &str| -> Option<u64> {
        let line = shared.lines().find(|line| line.starts_with(name))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()?.saturating_mul(1024))
    };
    let files = field("Pss_Shmem:").unwrap_or(0);
    field("Pss:").map_or(whole, |share| Memory { own: share.saturating_sub(files), files })
}

/// Watches what folders hold.
struct DiskWatch {
    most: u64,
    folders: Vec<OwnedFd>,
    /// What was free when it was looked last, what was held then, and when that was.
    last: Option<Look>,
}

/// A look at all files.
struct Look {
    free: u64,
    held: u64,
    at: Instant,
    took: Duration,
}

impl DiskWatch {
    fn new(most: u64, folders: &[PathBuf]) -> Self {
        let folders = folders.iter().filter_map(|path| open_folder(CWD, path).ok()).collect();
        Self { most, folders, last: None }
    }

    /// Whether the folders hold more than they may. All files are looked at only if so much of the disk was filled since
    /// the last look that they might.
    fn is_passed(&mut self, unlinked: u64) -> bool {
        let free: u64 = self.folders.first().map_or(0, free_space);
        if let Some(last) = &self.last {
            let filled = last.free.saturating_sub(free);
            let is_sure = last.held.saturating_add(filled) <= self.most;
            let waits = is_sure && last.at.elapsed() < LONGEST_UNSEEN || last.at.elapsed() < last.took * 10;
            if waits {
                return false;
            }
        }
        let begun = Instant::now();
        let mut seen = Seen::default();
        let mut is_whole = true;
        for folder in &self.folders {
            is_whole &= seen.add(folder.as_fd()).is_ok();
        }
        // What nobody may read hides as much as the disk has lost meanwhile.
        let hidden = match (&self.last, is_whole) {
            (Some(last), false) => last.free.saturating_sub(free),
            (None, _) | (Some(_), true) => 0,
        };
        let held = seen.bytes.saturating_add(hidden).saturating_add(unlinked);
        self.last = Some(Look { free, held, at: begun, took: begun.elapsed() });
        held > self.most
    }
}

fn free_space(folder: &OwnedFd) -> u64 {
    fstatvfs(folder).map_or(0, |space| space.f_bavail.saturating_mul(space.f_frsize))
}

/// Files that were looked at: each counts once, whatever names it has.
#[derive(Default)]
struct Seen {
    files: BTreeSet<(u32, u32, u64)>,
    bytes: u64,
}

impl Seen {
    /// Adds all below a folder.
    fn add(&mut self, folder: BorrowedFd<'_>) -> io::Result<()> {
        let mut open: Vec<OwnedFd> = vec![openat(folder, ".", FOLDER, Mode::empty())?];
        let mut failed = Ok(());
        while let Some(folder) = open.pop() {
            let entries = Dir::read_from(&folder)?;
            for entry in entries.flatten() {
                let name: &CStr = entry.file_name();
                if name == c"." || name == c".." {
                    continue;
                }
                let mask = StatxFlags::TYPE | StatxFlags::BLOCKS | StatxFlags::NLINK | StatxFlags::INO;
                let Ok(status) = statx(&folder, name, AtFlags::SYMLINK_NOFOLLOW, mask) else { continue };
                let file = (status.stx_dev_major, status.stx_dev_minor, status.stx_ino);
                if status.stx_nlink < 2 || self.files.insert(file) {
                    // A file without content takes room, too.
                    let held = status.stx_blocks.saturating_mul(512).max(SMALLEST);
                    self.bytes = self.bytes.saturating_add(held);
                }
                if FileType::from_raw_mode(status.stx_mode.into()) == FileType::Directory {
                    match openat(&folder, name, FOLDER, Mode::empty()) {
                        Ok(inner) if open.len() < DEEPEST => open.push(inner),
                        Ok(_) => failed = Err(io::ErrorKind::Other.into()),
                        Err(error) => failed = Err(error.into()),
                    }
                }
            }
        }
        failed
    }
}

/// What each file counts at least, in bytes: about what its name and number take.
const SMALLEST: u64 = 512;

/// How many folders are open at a time, at the most.
const DEEPEST: usize = 4096;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
