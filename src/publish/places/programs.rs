//! The programs of this machine that places are reached with.

use std::collections::BTreeMap;

use tokio::runtime::Handle;

use crate::process::Supervisor;

/// See the [module](self).
pub struct PlacePrograms<'a> {
    /// What supervises them.
    pub supervisor: &'a Supervisor,
    /// Where they are waited for, by a thread that is not of it.
    pub runtime: &'a Handle,
    /// The environment of forge.
    pub variables: &'a BTreeMap<String, String>,
}

impl PlacePrograms<'_> {
    /// The environment of a program: forge's own, where ssh finds its agent and rsync its password. What they say is in English,
    /// and they ask nobody.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        let mut environment = self.variables.clone();
        environment.insert("LC_ALL".to_owned(), "C.UTF-8".to_owned());
        let shell = || "ssh -o BatchMode=yes -o ConnectTimeout=20".to_owned();
        environment.entry("RSYNC_RSH".to_owned()).or_insert_with(shell);
        environment
    }
}
