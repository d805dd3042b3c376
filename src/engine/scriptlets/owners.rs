//! Files of packages that lie in the root before scriptlets run, looked after as if they came then.

use std::io;

use rustix::fs::{AtFlags, CWD, Gid, Mode, Uid, XattrFlags, chmodat, chownat, lgetxattr, lsetxattr, statat};
use rustix::io::Errno;

use super::accounts::Accounts;
use super::{FilesLaid, OwnedFile};

/// The attribute that holds a file's capabilities. A change of owner takes it away.
const CAPABILITIES: &str = "security.capability";

/// How many bytes that may be.
const MOST_CAPABILITIES: usize = 64;

/// Checks that files are still there, and gives them to whom they belong. What is to be said goes to `say`.
///
/// # Errors
/// The first file that is gone, or that can't be given away.
pub(super) fn look_after(
    files: &FilesLaid,
    accounts: &Accounts,
    say: &mut dyn FnMut(String),
) -> Result<(), String> {
    for path in &files.present {
        if let Err(error) = statat(CWD, path.0.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
            let reason = crate::files::reason(&io::Error::from(error));
            return Err(format!("{} is gone after it: {reason}", path.to_text()));
        }
    }
    for file in &files.owned {
        give(file, accounts, say).map_err(|error| {
            let reason = crate::files::reason(&io::Error::from(error));
            format!("{} can't be given to {}:{}: {reason}", file.path.to_text(), file.user, file.group)
        })?;
    }
    Ok(())
}

fn give(file: &OwnedFile, accounts: &Accounts, say: &mut dyn FnMut(String)) -> rustix::io::Result<()> {
    let mut find = |text: &str, kind: &str, name: &str| {
        let number = if name == "root" { Some(0) } else { Accounts::number(text, name) };
        number.unwrap_or_else(|| {
            say(format!("warning: {kind} {name} does not exist - using root\n"));
            0
        })
    };
    let user = find(&accounts.passwd, "user", &file.user);
    let group = find(&accounts.group, "group", &file.group);
    let path = file.path.0.as_slice();
    let before = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    if (before.st_uid, before.st_gid) == (user, group) {
        return Ok(());
    }
    let mut capabilities = [0; MOST_CAPABILITIES];
    let length = match lgetxattr(path, CAPABILITIES, &mut capabilities) {
        Ok(length) => length,
        Err(Errno::NODATA | Errno::OPNOTSUPP) => 0,
        Err(error) => return Err(error),
    };
    let (owner, owners) = (Some(Uid::from_raw(user)), Some(Gid::from_raw(group)));
    match chownat(CWD, path, owner, owners, AtFlags::SYMLINK_NOFOLLOW) {
        // An ordinary user's sandbox has one user and one group: there are no others that it could be given to.
        Err(Errno::INVAL) => return Ok(()),
        given => given?,
    }
    if rustix::fs::FileType::from_raw_mode(before.st_mode) != rustix::fs::FileType::Symlink {
        chmodat(CWD, path, Mode::from_bits_truncate(file.mode & 0o7777), AtFlags::empty())?;
    }
    match capabilities.get(..length) {
        Some(capabilities) if length > 0 => lsetxattr(path, CAPABILITIES, capabilities, XattrFlags::empty()),
        _ => Ok(()),
    }
}
