//! Files: their part of `posix.*` (rpm-lua(7), "posix extension").

use std::io;

use mlua::Value;
use rustix::fs::{self, Access, AtFlags, CWD, FileType, Gid, Mode, Stat, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use super::super::host::FileStatus;
use super::account::{read_group_id, read_user_id};
use super::native::{Answer, Call, Native, io_error};
use super::permissions::Permissions;
use crate::files::{LastLink, is_out_of_reach};

/// The functions of the `posix` library that are here.
pub(super) const FUNCTIONS: &[Native] = &[
    ("access", access),
    ("chmod", chmod),
    ("chown", chown),
    ("dir", dir),
    ("link", link),
    ("mkdir", mkdir),
    ("mkfifo", mkfifo),
    ("mkstemp", mkstemp),
    ("pathconf", pathconf),
    ("readlink", readlink),
    ("rmdir", rmdir),
    ("stat", stat),
    ("symlink", symlink),
    ("unlink", unlink),
    ("utime", utime),
];

/// A path among the arguments: as it was given, and where it is.
fn read_path(call: &Call<'_>, place: usize) -> Result<(Vec<u8>, Vec<u8>), Vec<u8>> {
    let path = call.string(place)?;
    let local = call.language.host.local_path(&path);
    Ok((path, local))
}

/// Changes one file.
fn change_file(call: &Call<'_>, change: impl FnOnce(&[u8]) -> rustix::io::Result<()>) -> Answer {
    let (path, local) = read_path(call, 1)?;
    match call.check_change(&path) {
        Ok(()) => call.finish(&path, change(&local).map_err(io_error)),
        Err(refused) => refused,
    }
}

fn access(call: &Call<'_>) -> Answer {
    let path = call.string(1)?;
    let mut wanted = Access::EXISTS;
    for letter in call.optional_string(2)?.unwrap_or_default() {
        wanted |= match letter {
            b'r' => Access::READ_OK,
            b'w' => Access::WRITE_OK,
            b'x' => Access::EXEC_OK,
            b'f' => Access::EXISTS,
            b' ' => continue,
            other => {
                return Err(call.argument_error(2, &format!("unknown mode option `{}'", char::from(other))));
            }
        };
    }
    if let Err(refused) = call.may_look_at(&path) {
        return refused;
    }
    if call.is_closed() {
        return call.finish(&path, access_closed(call, &path, wanted));
    }
    let local = call.language.host.local_path(&path);
    call.finish(&path, fs::access(local.as_slice(), wanted).map_err(io_error))
}

/// As access(2), where nothing can be written.
fn access_closed(call: &Call<'_>, path: &[u8], wanted: Access) -> io::Result<()> {
    let host = &call.language.host;
    let status = host.status(path, LastLink::Followed)?;
    if wanted.contains(Access::WRITE_OK) {
        return Err(io_error(Errno::ROFS));
    }
    if wanted.contains(Access::EXEC_OK) && status.mode & 0o111 == 0 {
        return Err(io_error(Errno::ACCESS));
    }
    match FileType::from_raw_mode(status.mode) {
        FileType::RegularFile if wanted.contains(Access::READ_OK) => host.open_file(path).map(drop),
        _ => Ok(()),
    }
}

fn chmod(call: &Call<'_>) -> Answer {
    let wanted = call.string(2)?;
    if call.is_closed() {
        return change_file(call, |_| Err(Errno::PERM));
    }
    let (path, local) = read_path(call, 1)?;
    let status = match fs::stat(local.as_slice()) {
        Ok(status) => status,
        Err(error) => return call.fail(&path, &io_error(error)),
    };
    let Some(mode) = Permissions(status.st_mode & 0o7777).change(&wanted) else {
        return Err(call.argument_error(2, "bad mode"));
    };
    change_file(call, |path| fs::chmod(path, Mode::from_bits_truncate(mode.0)))
}

fn chown(call: &Call<'_>) -> Answer {
    let (user, group) = (read_user_id(call, 2)?, read_group_id(call, 3)?);
    change_file(call, |path| fs::chown(path, user.map(Uid::from_raw), group.map(Gid::from_raw)))
}

fn dir(call: &Call<'_>) -> Answer {
    let path = call.optional_string(1)?.unwrap_or_else(|| b".".to_vec());
    if let Err(refused) = call.may_look_at(&path) {
        return refused;
    }
    if call.is_closed() {
        let own = [b".".to_vec(), b"..".to_vec()];
        return match call.language.host.names(&path) {
            Ok(names) => call.answer_list(&own.into_iter().chain(names).collect::<Vec<_>>()),
            Err(error) => call.fail(&path, &error),
        };
    }
    let local = call.language.host.local_path(&path);
    let listed = fs::open(local.as_slice(), fs::OFlags::RDONLY | fs::OFlags::DIRECTORY, Mode::empty())
        .and_then(fs::Dir::new)
        .and_then(|entries| entries.collect::<rustix::io::Result<Vec<_>>>());
    match listed {
        Ok(entries) => {
            let names: Vec<Vec<u8>> =
                entries.iter().map(|entry| entry.file_name().to_bytes().to_vec()).collect();
            call.answer_list(&names)
        }
        Err(error) => call.fail(&path, &io_error(error)),
    }
}

fn link(call: &Call<'_>) -> Answer {
    call.string(1)?;
    let (_, new) = read_path(call, 2)?;
    match change_file(call, |old| fs::link(old, new.as_slice()))? {
        values if matches!(values.first(), Some(Value::Nil)) => fail_without_path(call),
        values => Ok(values),
    }
}

fn symlink(call: &Call<'_>) -> Answer {
    let (old, (_, new)) = (call.string(1)?, read_path(call, 2)?);
    match change_file(call, |_| fs::symlink(old.as_slice(), new.as_slice()))? {
        values if matches!(values.first(), Some(Value::Nil)) => fail_without_path(call),
        values => Ok(values),
    }
}

/// The last failure once more, without the name of a file: there were two.
fn fail_without_path(call: &Call<'_>) -> Answer {
    call.fail(&[], &io::Error::from_raw_os_error(call.language.errno.get()))
}

fn mkdir(call: &Call<'_>) -> Answer {
    change_file(call, |path| fs::mkdir(path, Mode::from_bits_truncate(0o777)))
}

fn mkfifo(call: &Call<'_>) -> Answer {
    change_file(call, |path| fs::mknodat(CWD, path, FileType::Fifo, Mode::from_bits_truncate(0o777), 0))
}

/// Makes a file of its own for a name that ends with six `X`, and gives its name; the prelude opens it.
fn mkstemp(call: &Call<'_>) -> Answer {
    let template = call.string(1)?;
    let Some(stem) = template.strip_suffix(b"XXXXXX") else {
        return call.fail(&template, &io_error(Errno::INVAL));
    };
    if let Err(refused) = call.check_change(&template) {
        return refused;
    }
    let start = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic).tv_nsec;
    for attempt in 0..1000_i64 {
        let name = [stem, format!("{:06}", (start + attempt * 7919) % 1_000_000).as_bytes()].concat();
        let local = call.language.host.local_path(&name);
        let flags = fs::OFlags::CREATE | fs::OFlags::EXCL | fs::OFlags::RDWR;
        match fs::open(local.as_slice(), flags, Mode::from_bits_truncate(0o600)) {
            Ok(_) => return call.answer(&name),
            Err(Errno::EXIST) => {}
            Err(error) => return call.fail(&template, &io_error(error)),
        }
    }
    call.fail(&template, &io_error(Errno::EXIST))
}

fn pathconf(call: &Call<'_>) -> Answer {
    let path = call.string(1)?;
    if let Err(refused) = call.may_look_at(&path) {
        return refused;
    }
    let longest_name = match longest_name(call, &path) {
        Ok(longest) => longest,
        Err(error) => return call.fail(&path, &error),
    };
    let number = |number: u32| Value::Number(number.into());
    let fields = vec![
        ("link_max", number(127)),
        ("max_canon", number(255)),
        ("max_input", number(255)),
        ("name_max", Value::Number(longest_name)),
        ("path_max", number(4096)),
        ("pipe_buf", number(4096)),
        ("chown_restricted", number(1)),
        ("no_trunc", number(1)),
        ("vdisable", number(0)),
    ];
    call.answer_selected(fields, 2)
}

/// How long a name may be on the file system of a file.
fn longest_name(call: &Call<'_>, path: &[u8]) -> io::Result<f64> {
    if call.is_closed() {
        // As on nearly all of them.
        return call.language.host.status(path, LastLink::Followed).map(|_| 255.0);
    }
    let local = call.language.host.local_path(path);
    fs::statvfs(local.as_slice()).map(|system| system.f_namemax as f64).map_err(io_error)
}

fn readlink(call: &Call<'_>) -> Answer {
    let path = call.string(1)?;
    if let Err(refused) = may_look_at_link(call, &path) {
        return refused;
    }
    if call.is_closed() {
        return match call.language.host.link_target(&path) {
            Ok(target) => call.answer(&target),
            Err(error) => call.fail(&path, &error),
        };
    }
    let local = call.language.host.local_path(&path);
    match fs::readlink(local.as_slice(), Vec::new()) {
        Ok(target) => call.answer(target.as_bytes()),
        Err(error) => call.fail(&path, &io_error(error)),
    }
}

fn rmdir(call: &Call<'_>) -> Answer {
    change_file(call, |path| fs::rmdir(path))
}

fn unlink(call: &Call<'_>) -> Answer {
    change_file(call, |path| fs::unlink(path))
}

fn utime(call: &Call<'_>) -> Answer {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let at = |place: usize| -> Result<Timespec, Vec<u8>> {
        Ok(call.optional_integer(place)?.map_or(now, |seconds| Timespec { tv_sec: seconds, tv_nsec: 0 }))
    };
    let times = Timestamps { last_modification: at(2)?, last_access: at(3)? };
    change_file(call, |path| fs::utimensat(CWD, path, &times, AtFlags::empty()))
}

/// As [`Call::may_look_at`], of a link itself: where its folder is decides.
fn may_look_at_link(call: &Call<'_>, path: &[u8]) -> Result<(), Answer> {
    let status = call.language.host.status(path, LastLink::Kept);
    match status {
        Err(error) if is_out_of_reach(&error) => call.may_look_at(path),
        _ => Ok(()),
    }
}

fn stat(call: &Call<'_>) -> Answer {
    let path = call.string(1)?;
    if let Err(refused) = may_look_at_link(call, &path) {
        return refused;
    }
    let status = if call.is_closed() {
        call.language.host.status(&path, LastLink::Kept)
    } else {
        let local = call.language.host.local_path(&path);
        fs::lstat(local.as_slice()).map(|status| file_status(&status)).map_err(io_error)
    };
    match status {
        Ok(status) => call.answer_selected(status_fields(call, &status)?, 2),
        Err(error) => call.fail(&path, &error),
    }
}

fn file_status(status: &Stat) -> FileStatus {
    FileStatus {
        mode: status.st_mode,
        inode: status.st_ino,
        device: status.st_dev,
        links: status.st_nlink,
        user: status.st_uid,
        group: status.st_gid,
        size: u64::try_from(status.st_size).unwrap_or_default(),
        accessed: status.st_atime,
        modified: status.st_mtime,
        changed: status.st_ctime,
    }
}

fn status_fields(call: &Call<'_>, status: &FileStatus) -> Result<Vec<(&'static str, Value)>, Vec<u8>> {
    let kind = match FileType::from_raw_mode(status.mode) {
        FileType::RegularFile => "regular",
        FileType::Symlink => "link",
        FileType::Directory => "directory",
        FileType::CharacterDevice => "character device",
        FileType::BlockDevice => "block device",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
        FileType::Unknown => "?",
    };
    Ok(vec![
        ("mode", call.new_string(Permissions(status.mode).to_string().as_bytes())?),
        ("_mode", Value::Number(status.mode.into())),
        ("ino", Value::Number(status.inode as f64)),
        ("dev", Value::Number(status.device as f64)),
        ("nlink", Value::Number(status.links as f64)),
        ("uid", Value::Number(status.user.into())),
        ("gid", Value::Number(status.group.into())),
        ("size", Value::Number(status.size as f64)),
        ("atime", Value::Number(status.accessed as f64)),
        ("mtime", Value::Number(status.modified as f64)),
        ("ctime", Value::Number(status.changed as f64)),
        ("type", call.new_string(kind.as_bytes())?),
    ])
}
