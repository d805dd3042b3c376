//! The project that a command works on: its manifest, its state.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cap_std::fs::{Permissions, PermissionsExt};

use super::context::{CliError, Context, Failure};
use crate::files::{Folder, HostPath, Lock, LockKind};
use crate::manifest::{MANIFEST_FILE, Manifest, load, load_text};
use crate::source::SourceFolders;
use crate::store::{History, Store, StoreError};
use crate::ui::plain_text;

/// The folder of a project's state.
pub const STATE_FOLDER: &str = ".forge";

/// The file in that folder that who changes something holds a lock on.
const LOCK_FILE: &str = "lock";

/// How long one that only looks at the lock is waited for.
const LOOK: Duration = Duration::from_millis(200);

/// The file of its history, in that folder.
const HISTORY_FILE: &str = "history.db";

/// The folder in it of what programs have printed that made sources.
pub const SOURCE_LOGS: &str = "source-logs";

/// A project.
pub struct Project {
    /// The repository: the folder of the manifest.
    pub repository: Arc<Folder>,
    /// Its manifest, where that is not on the disk.
    unwritten: Option<String>,
    /// Whether every other writer is kept out.
    is_locked: AtomicBool,
}

/// What messages call a manifest that is not on the disk.
const UNWRITTEN: &str = "(what the command line means)";

impl Project {
    /// Finds the project of the folder that the command works in: there, or above.
    pub fn find(context: &Context) -> Result<Self, Failure> {
        match Self::find_if_there(context)? {
            Some(project) => Ok(project),
            None => Err(CliError::NoManifest { folder: context.working_folder()?.to_string() }.into()),
        }
    }

    /// As [`Project::find`]; nothing where there is no manifest.
    pub fn find_if_there(context: &Context) -> Result<Option<Self>, Failure> {
        let start = context.working_folder()?;
        let mut path: PathBuf = start.as_path().to_owned();
        loop {
            if path.join(MANIFEST_FILE).is_file()
                && let Some(path) = HostPath::new(&path)
            {
                return Self::at(&path).map(Some);
            }
            if !path.pop() {
                return Ok(None);
            }
        }
    }

    /// The project whose manifest is in a folder.
    pub fn at(folder: &HostPath) -> Result<Self, Failure> {
        let repository = Folder::open_ambient(folder).map_err(CliError::Io)?;
        Ok(Self { repository: Arc::new(repository), unwritten: None, is_locked: AtomicBool::new(false) })
    }

    /// A project of the folder that the command works in, whose manifest is `text`.
    pub fn unwritten(text: String, context: &Context) -> Result<Self, Failure> {
        Ok(Self { unwritten: Some(text), ..Self::at(&context.working_folder()?)? })
    }

    /// Its history, where it has one: nothing is made.
    pub fn history_if_there(&self) -> Result<Option<History>, Failure> {
        let path = self.repository.path().join(STATE_FOLDER).join(HISTORY_FILE);
        Ok(match path.as_path().is_file() {
            true => Some(History::open(&path)?),
            false => None,
        })
    }

    /// Its manifest, with what these profiles say.
    pub fn manifest(&self, profiles: &[String], context: &Context) -> Result<Arc<Manifest>, Failure> {
        let loaded = match &self.unwritten {
            Some(text) => load_text(&self.repository, (UNWRITTEN, text), context),
            None => load(&self.repository, MANIFEST_FILE, context),
        };
        let mut manifest = loaded.map_err(Failure::Manifest)?;
        manifest.choose_profiles(profiles)?;
        Ok(Arc::new(manifest))
    }

    /// Its manifest and its history, which is opened while the manifest is parsed.
    pub fn manifest_and_history(
        &self,
        profiles: &[String],
        context: &Context,
    ) -> Result<(Arc<Manifest>, History), Failure> {
        let history = self.repository.path().join(STATE_FOLDER).join(HISTORY_FILE);
        if !history.as_path().is_file() {
            // Nothing is made for a manifest with mistakes.
            return Ok((self.manifest(profiles, context)?, self.history_or_none(context)?));
        }
        thread::scope(|scope| {
            let history = scope.spawn(|| self.history_or_none(context));
            let manifest = self.manifest(profiles, context);
            let history = history.join().unwrap_or_else(|panic| resume_unwind(panic));
            Ok((manifest?, history?))
        })
    }

    /// Its state folder, made where it is missing. It may be a link to another disk.
    pub fn state(&self) -> Result<Folder, Failure> {
        let path = self.repository.path().join(STATE_FOLDER);
        Ok(Folder::create_ambient(&path).map_err(CliError::Io)?)
    }

    /// Where its sources lie that are not files of the project.
    pub fn source_folders(&self) -> Result<SourceFolders, Failure> {
        let folder = self.state()?.create("sources").map_err(CliError::Io)?;
        Ok(SourceFolders::open(folder)?)
    }

    /// The file of its history, which no other user can read.
    fn history_path(&self) -> Result<HostPath, Failure> {
        let state = self.state()?;
        // SQLite would make it readable for everybody; the files that it puts beside it have the mode of this one. One that
        // is there already may be of an earlier forge, or of another user, who decides.
        if state.new_file(HISTORY_FILE, 0o600).is_err() {
            let _ = state.dir().set_permissions(HISTORY_FILE, Permissions::from_mode(0o600));
        }
        Ok(state.path().join(HISTORY_FILE))
    }

    /// Its history. Who has taken the [lock](Self::lock) gets a new one in place of a damaged one.
    pub fn history(&self) -> Result<History, Failure> {
        let path = self.history_path()?;
        Ok(match self.is_locked.load(Ordering::Relaxed) {
            true => History::open_or_renew(&path)?,
            false => self.shown(History::open(&path)?)?,
        })
    }

    /// A history, for who only looks at it: what a forge has left running that was killed does not run.
    fn shown(&self, history: History) -> Result<History, Failure> {
        // One that is damaged is told of by whoever reads it.
        if history.abandoned().is_ok_and(|left| !left.is_empty()) && !self.is_at_work()? {
            history.show_as_left();
        }
        Ok(history)
    }

    /// Whether some forge is at work here that keeps others out.
    fn is_at_work(&self) -> Result<bool, Failure> {
        let lock = Lock::take(&self.state()?, LOCK_FILE, LockKind::Shared).map_err(CliError::Io)?;
        Ok(lock.is_err())
    }

    /// Its history, or an empty one that is not kept, with a word of why: a plan can be made without it.
    pub fn history_or_none(&self, context: &Context) -> Result<History, Failure> {
        let path = self.history_path()?;
        if self.is_locked.load(Ordering::Relaxed) {
            return self.history();
        }
        match History::open(&path).and_then(|history| history.last_good().map(|_| history)) {
            Err(StoreError::DamagedHistory { reason }) => {
                context.tell(&plain_text(&format!(
                    "note: this project's history is damaged ({reason}) and left out; `forge apply` begins a new one\n"
                )));
                Ok(History::in_memory()?)
            }
            history => self.shown(history?),
        }
    }

    /// Keeps every other forge that changes something out until the lock is dropped; those are told of this `command`.
    pub fn lock(&self, command: &str) -> Result<Lock, Failure> {
        let (state, begun) = (self.state()?, Instant::now());
        let mut lock = loop {
            match Lock::take(&state, LOCK_FILE, LockKind::Exclusive).map_err(CliError::Io)? {
                Ok(lock) => break lock,
                // Who only looks whether somebody is at work holds it for a moment, and leaves no word.
                Err(_) if begun.elapsed() < LOOK => thread::sleep(LOOK / 20),
                Err(holder) => return Err(CliError::Locked { holder }.into()),
            }
        };
        lock.sign(&format!("{command}, process {}", std::process::id())).map_err(CliError::Io)?;
        self.is_locked.store(true, Ordering::Relaxed);
        Ok(lock)
    }
}

/// The user's store.
pub fn store(context: &Context) -> Result<Store, Failure> {
    Ok(Store::open(&context.store_folder()?)?)
}

/// The project's name; that of its folder where the manifest gives none.
pub fn project_name<'a>(name: Option<&'a str>, folder: &'a str) -> &'a str {
    let of_folder = folder.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty());
    name.or(of_folder).unwrap_or("forge")
}
