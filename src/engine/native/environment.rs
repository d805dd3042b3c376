//! The environment of specs.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::engine::Settings;
use crate::engine::rpmbuild::SYSTEM_PATH;
use crate::files::HostPath;

/// The home of builds: a folder that is not there.
pub(super) const NO_HOME: &str = "nonexistent";

/// The environment that specs are read in: the same as builds have. A user's own macros (`~/.rpmmacros`,
/// `~/.config/rpm/macros`) are no part of it: what a package comes to must not depend on whose home it was built in.
pub fn environment(settings: &Settings) -> BTreeMap<OsString, OsString> {
    let home = HostPath::root().join(NO_HOME).to_string();
    let fixed = [("HOME", home.as_str()), ("LANG", "C.UTF-8"), ("PATH", SYSTEM_PATH), ("TZ", "UTC")];
    let fixed = fixed.into_iter().map(|(name, value)| (name.into(), value.into()));
    let own = settings.environment.iter().map(|(name, value)| (name.into(), value.reveal().into()));
    fixed.chain(own).collect()
}
