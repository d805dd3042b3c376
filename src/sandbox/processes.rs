//! Looks at the processes of a sandbox, and at where files are.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Dir, Mode, OFlags, openat};

/// The numbers of all processes but this one.
pub(super) fn processes() -> Vec<String> {
    let Ok(folder) = open_folder(CWD, Path::new("/proc")) else { return Vec::new() };
    let Ok(entries) = Dir::read_from(&folder) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned));
    names.filter(|name| name != "1" && name.bytes().all(|byte| byte.is_ascii_digit())).collect()
}

/// The text of a small file of the kernel's.
pub(super) fn read(path: &str) -> io::Result<String> {
    let file = openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut text = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(std::fs::File::from(file), 1 << 20), &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Whether a file system is in memory.
pub(super) fn in_memory(status: &rustix::fs::StatFs) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    u64::try_from(status.f_type) == Ok(TMPFS)
}

/// Opens a folder.
pub(super) fn open_folder(folder: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    Ok(openat(folder, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}
