//! Files that arguments of what signs name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::{CliError, Context, Failure};
use super::passphrases::SaidPassphrases;
use crate::files::{Folder, HostPath};
use crate::package::signing::{KeyFolder, SigningError, read_key_file};
use crate::publish::{Signing, SigningKeys};

/// The folder of a file, and its name there.
pub fn split_file(path: &Path, context: &Context) -> Result<(Folder, PathBuf), Failure> {
    let full = context.named(path)?;
    let parent = full.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    let folder = Folder::open_ambient(&parent).map_err(CliError::Io)?;
    Ok((folder, PathBuf::from(full.as_path().file_name().unwrap_or_default())))
}

/// The bytes of a file of a key.
pub fn read_named(path: &Path, context: &Context) -> Result<Vec<u8>, Failure> {
    let (folder, name) = split_file(path, context)?;
    Ok(read_key_file(&folder, &name).map_err(SigningError::Io)?)
}

/// What signs repositories.
pub fn signing(context: &Context) -> Signing {
    Signing::new(SigningKeys {
        environment: context.variables.iter().cloned().collect(),
        kept: context.key_folder().ok(),
        passphrases: Arc::new(SaidPassphrases::new(context)),
    })
}

impl Context {
    /// The folder of this user's keys.
    pub fn key_folder(&self) -> Result<KeyFolder, Failure> {
        let set =
            |name: &str| self.environment.get(name).filter(|value| !value.is_empty()).and_then(HostPath::new);
        let config = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
        let config = config.ok_or(CliError::NoHome { first: "XDG_CONFIG_HOME", what: "keys" })?;
        Ok(KeyFolder::new(config.join("rpmforge/keys")))
    }
}
