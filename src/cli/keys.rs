//! `forge keys`

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::document::print_document;
use super::passphrases::SaidPassphrases;
use super::signing_arguments::{Keys, KeysCommand, KindOfKey};
use super::signing_files::{read_named, split_file};
use crate::event::{Clock, SystemClock, Timestamp};
use crate::package::signing::{Certificate, KeyFolder, KeyKind, SigningError, SigningKey};
use crate::ui::plain_text;

/// Makes, shows, takes in and gives out keys that sign.
pub fn run(arguments: &Keys, context: &Context) -> Result<Exit, Failure> {
    let folder = context.key_folder()?;
    let now = SystemClock.now();
    match &arguments.command {
        KeysCommand::New { name, user, kind, no_passphrase } => {
            let key = make(*kind, user, !no_passphrase, context)?;
            folder.add(name, &key)?;
            print_key(name, &key.certificate(), &folder, context)
        }
        KeysCommand::List { json } => list(&folder, *json, now, context),
        KeysCommand::Show { name } => {
            let kept = folder.read(name, now)?;
            print_key(name, &kept.current.certificate(), &folder, context)?;
            if let Some(previous) = &kept.previous {
                let fingerprint = previous.certificate().fingerprint();
                context.print(&format!("previous     {fingerprint} (signs metadata too)\n"))?;
            }
            Ok(Exit::Success)
        }
        KeysCommand::Export { name, output, secret } => {
            export(&folder, name, output.as_deref().map(|file| (file, *secret)), context)
        }
        KeysCommand::Import { name, file } => {
            let shown = file.to_string_lossy();
            let key = SigningKey::read(&shown, &read_named(file, context)?, now)?;
            folder.add(name, &key)?;
            print_key(name, &key.certificate(), &folder, context)
        }
        KeysCommand::Rotate { name, finish: true, .. } => {
            folder.retire_previous(name)?;
            context.print(&format!("{name} has no previous key any more\n"))?;
            Ok(Exit::Success)
        }
        KeysCommand::Rotate { name, finish: false, user, kind, no_passphrase } => {
            let before = folder.certificates(name)?.into_iter().next();
            let known = before.as_ref().and_then(Certificate::user);
            let user = user.clone().or(known).unwrap_or_else(|| name.clone());
            let key = make(*kind, &user, !no_passphrase, context)?;
            folder.rotate(name, &key, now)?;
            print_key(name, &key.certificate(), &folder, context)?;
            let kept = folder.read(name, now)?.previous;
            let said = match (&kept, &before) {
                (Some(previous), _) => {
                    format!("previous     {} (signs metadata too)\n", previous.certificate().fingerprint())
                }
                (None, Some(before)) => format!(
                    "previous     {} (its time is over: it signs nothing any more)\n",
                    before.fingerprint()
                ),
                (None, None) => String::new(),
            };
            context.print(&said)?;
            Ok(Exit::Success)
        }
    }
}

fn make(kind: KindOfKey, user: &str, asks: bool, context: &Context) -> Result<SigningKey, Failure> {
    let passphrase = match asks {
        true => SaidPassphrases::new(context).new_passphrase().map_err(CliError::Io)?,
        false => None,
    };
    if asks && passphrase.is_none() {
        context.tell("note: the key has no passphrase; whoever can read its file can sign with it\n");
    }
    let kind = match kind {
        KindOfKey::Rsa4096 => KeyKind::Rsa4096,
        KindOfKey::Ed25519 => KeyKind::Ed25519,
        KindOfKey::Ed25519V6 => KeyKind::Ed25519V6,
    };
    Ok(SigningKey::generate(kind, user, passphrase.as_ref(), SystemClock.now())?)
}

fn print_key(name: &str, key: &Certificate, folder: &KeyFolder, context: &Context) -> Result<Exit, Failure> {
    let Shown { fingerprint, kind, user, created, .. } = Shown::new(name, key);
    let path = folder.path().join(format!("{name}.asc"));
    context.print(&plain_text(&format!(
        "name         {name}\nfingerprint  {fingerprint}\nkind         {kind}\nuser         {user}\nmade         {created}\n\
         file         {path}\n"
    )))?;
    Ok(Exit::Success)
}

/// A key as it is shown.
#[derive(Serialize)]
struct Shown {
    name: String,
    fingerprint: String,
    kind: String,
    user: String,
    created: String,
    /// The fingerprint of the one before it, while that one signs too.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

impl Shown {
    fn new(name: &str, key: &Certificate) -> Self {
        Self {
            name: name.to_owned(),
            fingerprint: key.fingerprint(),
            kind: key.kind(),
            user: key.user().unwrap_or_default(),
            created: key.created().to_string(),
            previous: None,
        }
    }
}

fn list(folder: &KeyFolder, json: bool, now: Timestamp, context: &Context) -> Result<Exit, Failure> {
    let (mut shown, mut exit) = (Vec::new(), Exit::Success);
    for name in folder.names().map_err(CliError::Io)? {
        match folder.read(&name, now) {
            Ok(kept) => {
                let previous = kept.previous.map(|previous| previous.certificate().fingerprint());
                shown.push(Shown { previous, ..Shown::new(&name, &kept.current.certificate()) });
            }
            Err(error) => {
                context.show(&error);
                exit = Exit::Failure;
            }
        }
    }
    if json {
        print_document(&shown, context)?;
        return Ok(exit);
    }
    for Shown { name, fingerprint, kind, user, previous, .. } in shown {
        let previous = previous.map(|previous| format!(" (previous: {previous})")).unwrap_or_default();
        context.print(&plain_text(&format!("{name}  {fingerprint}  {kind}  {user}{previous}\n")))?;
    }
    Ok(exit)
}

fn export(
    folder: &KeyFolder,
    name: &str,
    output: Option<(&Path, bool)>,
    context: &Context,
) -> Result<Exit, Failure> {
    let public: String = folder.certificates(name)?.iter().map(Certificate::armored).collect();
    let Some((file, is_secret)) = output else {
        context.print(&public)?;
        return Ok(Exit::Success);
    };
    let (content, mode) = match is_secret {
        true => (folder.read(name, SystemClock.now())?.current.armored(), 0o600),
        false => (public, 0o644),
    };
    let (folder, name) = split_file(file, context)?;
    if folder.exists(&name) {
        return Err(CliError::FileExists { path: file.to_string_lossy().into_owned() }.into());
    }
    let mut written = folder.new_file(&name, mode).map_err(SigningError::Io)?;
    written.write_all(content.as_bytes()).map_err(SigningError::Io)?;
    Ok(Exit::Success)
}
