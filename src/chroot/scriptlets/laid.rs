//! What rpm does itself around a package's scripts: users and groups are made, and files given to them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bstr::ByteSlice;

use super::packages::ScriptedPackage;
use crate::engine::{FilesLaid, OwnedFile, ScriptletKind, ScriptletRun, ScriptletWeight, ScriptletWork};
use crate::package::Tag;

/// What a provided name begins with that is a line of sysusers.d(5), which its version holds in base64.
const ACCOUNTS: [&[u8]; 3] = [b"user(", b"group(", b"groupmember("];

/// The flag of `=` in dependencies.
const EQUAL: u64 = 1 << 3;

/// The flag of a file that no package brings (`RPMFILE_GHOST`).
const GHOST: u64 = 1 << 6;

/// The bits of a mode that say what a file is.
const FILE_TYPE: u64 = 0o170_000;

/// Files, folders and links: devices may have been left out.
const LAID_TYPES: [u64; 3] = [0o100_000, 0o040_000, 0o120_000];

/// Users and groups that a package provides.
pub(super) fn accounts(package: &ScriptedPackage<'_>) -> Option<ScriptletRun> {
    let header = &package.headers.header;
    let (flags, versions) = (header.numbers(Tag::PROVIDEFLAGS), header.texts(Tag::PROVIDEVERSION));
    let names = header.texts(Tag::PROVIDENAME).iter().enumerate();
    let lines: Vec<String> = names
        .filter(|(at, name)| {
            let is_equal = flags.get(*at).is_some_and(|flags| flags & EQUAL != 0);
            is_equal && ACCOUNTS.iter().any(|kind| name.starts_with(kind))
        })
        .filter_map(|(at, _)| BASE64_STANDARD.decode(versions.get(at)?).ok())
        .map(|line| line.to_str_lossy().trim_end_matches(['\n', '\0']).to_owned())
        .collect();
    (!lines.is_empty()).then(|| step(package, ScriptletKind::Sysusers, ScriptletWork::Accounts { lines }))
}

/// The files of a package as they must be after its `%pre`: whether they are all there matters only if it had one.
pub(super) fn files(package: &ScriptedPackage<'_>, had_script: bool) -> Option<ScriptletRun> {
    let header = &package.headers.header;
    let (modes, flags) = (header.numbers(Tag::FILEMODES), header.numbers(Tag::FILEFLAGS));
    let (users, groups) = (header.texts(Tag::FILEUSERNAME), header.texts(Tag::FILEGROUPNAME));
    let mut laid = FilesLaid::default();
    for (at, path) in package.paths().iter().enumerate() {
        let mode = modes.get(at).copied().unwrap_or_default();
        let is_ghost = flags.get(at).is_some_and(|flags| flags & GHOST != 0);
        if is_ghost || !LAID_TYPES.contains(&(mode & FILE_TYPE)) {
            continue;
        }
        if had_script {
            laid.present.push(path.into());
        }
        let name = |names: &[bstr::BString]| {
            names.get(at).map_or_else(|| "root".to_owned(), |name| name.to_str_lossy().into_owned())
        };
        let (user, group) = (name(users), name(groups));
        if (user.as_str(), group.as_str()) != ("root", "root") {
            let mode = u32::try_from(mode & 0o7777).unwrap_or_default();
            laid.owned.push(OwnedFile { path: path.into(), user, group, mode });
        }
    }
    let is_needed = !laid.present.is_empty() || !laid.owned.is_empty();
    is_needed.then(|| step(package, ScriptletKind::Files, ScriptletWork::Files(laid)))
}

fn step(package: &ScriptedPackage<'_>, kind: ScriptletKind, work: ScriptletWork) -> ScriptletRun {
    ScriptletRun { package: package.nevra.clone(), kind, weight: ScriptletWeight::Error, work }
}
