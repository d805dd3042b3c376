//! The environment of specs: what they are read in, and what they are built in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use super::Settings;
use crate::files::HostPath;

/// The `PATH` of builds: the system's own programs, and not what a user has in theirs.
pub const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The home of specs while they are read: a folder that is not there. No user's macros are found in it, and rpm makes no
/// database there either.
pub(super) fn no_home() -> HostPath {
    HostPath::root().join("nonexistent")
}

/// The environment that specs are read in: the same as builds have. A user's own macros (`~/.rpmmacros`,
/// `~/.config/rpm/macros`) are no part of it: what a package comes to must not depend on whose home it was built in.
pub fn environment(settings: &Settings) -> BTreeMap<OsString, OsString> {
    let variables = environment_at_home(settings, no_home());
    variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

/// The environment of programs that read or build specs. `home` is a folder without a user's `~/.rpmmacros`.
pub(super) fn environment_at_home(settings: &Settings, home: impl fmt::Display) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::from([
        ("HOME".to_owned(), home.to_string()),
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ("PATH".to_owned(), SYSTEM_PATH.to_owned()),
        ("TZ".to_owned(), "UTC".to_owned()),
    ]);
    let own = settings.environment.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned()));
    environment.extend(own);
    environment
}
