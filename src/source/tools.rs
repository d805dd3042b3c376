//! What sources are fetched and made with.

use std::ffi::OsString;

use super::lock::LockedSource;
use super::made_in_root::SourceMaking;
use super::made_spec::Indexes;
use super::mirrors::Mirrors;
use super::rebuilt::SourceShelves;
use super::source_folders::SourceFolders;
use crate::chroot::Connection;
use crate::chroot::making::LockRule;
use crate::event::Clock;
use crate::fetch::{Client, Progress};
use crate::files::Folder;
use crate::process::{Cancel, Sandbox, Supervisor};
use crate::store::Store;

/// What sources are fetched and made with.
#[derive(Clone, Copy)]
pub struct SourceTools<'a> {
    /// Where files are kept that were fetched.
    pub store: &'a Store,
    /// What fetches them.
    pub client: &'a Client,
    /// Whether anything may be fetched.
    pub connection: Connection,
    /// Whether what is not locked is found, and locked.
    pub rule: LockRule,
    /// The environment, for programs that fetch: `ssh` finds its agent there.
    pub environment: &'a [(OsString, OsString)],
    /// What runs programs that fetch.
    pub programs: FetchPrograms<'a>,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// Calls it off.
    pub cancel: &'a Cancel,
    /// Where sources lie that are not files of the project.
    pub folders: &'a SourceFolders,
    /// Where the registries of languages are.
    pub indexes: &'a Indexes,
    /// Where files lie that are named by other addresses.
    pub mirrors: &'a Mirrors,
    /// What sources are made with that a program makes in a root.
    pub making: SourceMaking<'a>,
    /// Where source packages are looked for that were made before.
    pub shelves: SourceShelves<'a>,
    /// Is told what is done.
    pub progress: &'a (dyn Fn(SourceProgress) + Sync),
}

/// What runs programs that fetch: in a sandbox, so that they see nothing but what they are given.
#[derive(Clone, Copy)]
pub struct FetchPrograms<'a> {
    /// Starts and ends them.
    pub supervisor: &'a Supervisor,
    /// Puts them into sandboxes.
    pub sandbox: &'a dyn Sandbox,
}

/// What is done to have sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceProgress {
    /// Something that is worth a line.
    Said(String),
    /// How far downloads are.
    Fetching(Progress),
}

/// A source that is there.
#[derive(Debug)]
pub struct Gathered {
    /// The folder of the spec; its files may be sources.
    pub folder: Folder,
    /// The name of the spec there.
    pub spec: String,
    /// What is to be locked of it.
    pub locked: LockedSource,
}

impl SourceTools<'_> {
    /// Tells something that is worth a line.
    pub(super) fn say(&self, text: impl Into<String>) {
        (self.progress)(SourceProgress::Said(text.into()));
    }
}
