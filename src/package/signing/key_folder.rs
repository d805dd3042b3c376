//! The keys that a user keeps with forge: a folder of files.
//!
//! `NAME.asc` is a secret key in armor, locked if its owner wished so; `NAME.previous.asc` is the one before it, as long as clients that
//! know only that one are to be served. Nobody but their owner may read them, and one that others may read is not used.

use std::io::{self, Write};
use std::path::Path;

use cap_std::fs::{MetadataExt, Permissions, PermissionsExt};

use super::{Certificate, SigningError, SigningKey};
use crate::event::Timestamp;
use crate::files::{Folder, HostPath};

/// How large a file of a key may be, in bytes: a key of RSA with many subkeys has 50 KiB.
const LARGEST_KEY: u64 = 1 << 20;

const ENDING: &str = ".asc";
const PREVIOUS: &str = ".previous.asc";

/// The folder. It need not be there before something is kept in it.
#[derive(Clone, Debug)]
pub struct KeyFolder {
    path: HostPath,
}

/// A key that is kept, and the one before it while that one signs too.
pub struct KeptKey {
    /// What signs packages and metadata.
    pub current: SigningKey,
    /// What signs metadata beside it.
    pub previous: Option<SigningKey>,
}

impl KeyFolder {
    /// The folder at `path`.
    pub fn new(path: HostPath) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &HostPath {
        &self.path
    }

    /// The names of the keys in it.
    ///
    /// # Errors
    /// It can't be read.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let Some(folder) = self.open()? else { return Ok(Vec::new()) };
        let entries = folder.entries()?;
        let files = entries.iter().filter(|entry| !entry.name.ends_with(PREVIOUS));
        let names = files.filter_map(|entry| entry.name.strip_suffix(ENDING)).filter(|name| is_name(name));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    /// The key called `name`.
    ///
    /// # Errors
    /// There is none, others may read it, or it can't be used.
    pub fn read(&self, name: &str, now: Timestamp) -> Result<KeptKey, SigningError> {
        let missing = || error(name, "there is no such key: `forge keys list` shows those that there are");
        if !is_name(name) {
            return Err(missing());
        }
        let folder = self.open()?.ok_or_else(missing)?;
        let current = read(&folder, name, ENDING, now)?.ok_or_else(missing)?;
        // One whose time is over signs nothing any more, and keeps the new one from nothing.
        let has_ended = |certificate: &Certificate| certificate.has_ended(now);
        let previous = match read_certificate(&folder, name, PREVIOUS)?.is_some_and(|it| has_ended(&it)) {
            true => None,
            false => read(&folder, name, PREVIOUS, now)?,
        };
        Ok(KeptKey { current, previous })
    }

    /// The public parts of the key called `name` and of the one before it, whether or not they may sign any more.
    ///
    /// # Errors
    /// As [`KeyFolder::read`].
    pub fn certificates(&self, name: &str) -> Result<Vec<Certificate>, SigningError> {
        let missing = || error(name, "there is no such key: `forge keys list` shows those that there are");
        if !is_name(name) {
            return Err(missing());
        }
        let folder = self.open()?.ok_or_else(missing)?;
        let current = read_certificate(&folder, name, ENDING)?.ok_or_else(missing)?;
        Ok([current].into_iter().chain(read_certificate(&folder, name, PREVIOUS)?).collect())
    }

    /// Keeps a new key as `name`.
    ///
    /// # Errors
    /// The name is none, or taken; or it can't be written.
    pub fn add(&self, name: &str, key: &SigningKey) -> Result<(), SigningError> {
        if !is_name(name) {
            return Err(error(
                name,
                "its name has to consist of letters, digits, `.`, `_` and `-`, and begin with a letter or digit",
            ));
        }
        let folder = self.create()?;
        let file = format!("{name}{ENDING}");
        let is_taken = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists;
        // Two that take one name at once must not lose a key.
        let kept =
            write(&folder, &file, key, |temporary| folder.dir().hard_link(temporary, folder.dir(), &file));
        match kept {
            Err(taken) if is_taken(&taken) => Err(error(
                name,
                "there is a key of that name already; `forge keys rotate` puts a new one in its place",
            )),
            kept => Ok(kept?),
        }
    }

    /// Puts a new key in the place of `name`, which stays as the previous one.
    ///
    /// # Errors
    /// There is none of that name, or it has a previous one still; or it can't be written.
    pub fn rotate(&self, name: &str, key: &SigningKey, now: Timestamp) -> Result<(), SigningError> {
        let certificates = self.certificates(name)?;
        let fingerprint = certificates.first().map(Certificate::fingerprint);
        let previous = certificates.get(1);
        // A rotation that was killed has left the same key as previous one.
        let previous = previous.filter(|previous| Some(previous.fingerprint()) != fingerprint);
        if previous.is_some_and(|previous| !previous.has_ended(now)) {
            let what = "it has a previous key still; `forge keys rotate --finish` ends the time of that one";
            return Err(error(name, what));
        }
        let folder = self.create()?;
        let (file, earlier) = (format!("{name}{ENDING}"), format!("{name}{PREVIOUS}"));
        // At every moment there is a key of that name.
        Ok(write(&folder, &file, key, |temporary| {
            folder.remove_file(&earlier)?;
            folder.dir().hard_link(&file, folder.dir(), &earlier)?;
            folder.dir().rename(temporary, folder.dir(), &file)
        })?)
    }

    /// Removes the previous key of `name`: it signs no more.
    ///
    /// # Errors
    /// There is none, or it can't be removed.
    pub fn retire_previous(&self, name: &str) -> Result<(), SigningError> {
        match self.certificates(name)?.len() {
            ..2 => Err(error(name, "it has no previous key")),
            2.. => Ok(self.create()?.remove_file(format!("{name}{PREVIOUS}"))?),
        }
    }

    fn open(&self) -> io::Result<Option<Folder>> {
        match Folder::open_ambient(&self.path) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn create(&self) -> io::Result<Folder> {
        let folder = Folder::create_ambient(&self.path)?;
        folder.dir().set_permissions(".", Permissions::from_mode(0o700))?;
        Ok(folder)
    }
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(is_plain)
        && !name.ends_with(".previous")
}

fn error(name: &str, reason: &str) -> SigningError {
    SigningError::Key { place: format!("`{}`", name.escape_debug()), reason: reason.to_owned() }
}

fn read(
    folder: &Folder,
    name: &str,
    ending: &str,
    now: Timestamp,
) -> Result<Option<SigningKey>, SigningError> {
    let file = format!("{name}{ending}");
    let metadata = match folder.dir().symlink_metadata(&file) {
        Ok(metadata) => metadata,
        Err(failed) if failed.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(failed) => return Err(failed.into()),
    };
    if metadata.mode() & 0o077 != 0 {
        let path = folder.path().join(&file);
        return Err(error(name, &format!("others may read it: `chmod 600 {path}`")));
    }
    let content = read_key_file(folder, Path::new(&file))?;
    let place = if ending == PREVIOUS { format!("`{name}` (the previous one)") } else { format!("`{name}`") };
    SigningKey::read(&place, &content, now).map(Some)
}

fn read_certificate(folder: &Folder, name: &str, ending: &str) -> Result<Option<Certificate>, SigningError> {
    let file = format!("{name}{ending}");
    match folder.dir().symlink_metadata(&file) {
        Err(failed) if failed.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    let content = read_key_file(folder, Path::new(&file))?;
    SigningKey::read_certificate(&format!("`{name}`"), &content).map(Some)
}

/// The bytes of a file of a key; no more than one may have.
///
/// # Errors
/// It can't be read.
pub fn read_key_file(folder: &Folder, path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(folder.open_regular(path)?, LARGEST_KEY), &mut content)?;
    Ok(content)
}

/// Writes a key beside its place, and has `put` bring it there.
fn write(
    folder: &Folder,
    file: &str,
    key: &SigningKey,
    put: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let temporary = folder.temporary(Path::new(file));
    let written = folder.new_file(&temporary, 0o600).and_then(|mut content| {
        content.write_all(key.armored().as_bytes())?;
        content.sync_all()?;
        put(&temporary)
    });
    // What was renamed is not there any more.
    let _ = folder.remove_file(&temporary);
    written?;
    folder.sync()
}
