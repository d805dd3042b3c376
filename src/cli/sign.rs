//! `forge sign`

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::passphrases::SaidPassphrases;
use super::signing_arguments::{Sign, SignerArguments};
use super::signing_files::{read_named, split_file};
use crate::event::{Clock, SystemClock};
use crate::files::{Folder, PreparedFile};
use crate::package::read_headers_of;
use crate::package::signing::{
    Certificate, Passphrases, Signer, SigningError, SigningKey, armored_signatures, prepare_signed,
};
use crate::ui::plain_text;

/// How many packages' headers are signed in one go.
const GROUP: usize = 256;

/// How many packages are written at a time: each waits for the disk, and together they wait once.
const WRITERS: usize = 16;

/// Puts signatures into packages, and beside other files.
pub fn run(arguments: &Sign, context: &Context) -> Result<Exit, Failure> {
    let signer = signer_of(&arguments.signer, context)?;
    let (packages, others): (Vec<&PathBuf>, Vec<&PathBuf>) =
        arguments.files.iter().partition(|file| file.extension().is_some_and(|ending| ending == "rpm"));
    for group in packages.chunks(GROUP) {
        sign_packages(&signer, group, context)?;
    }
    for file in others {
        sign_file(&signer, file, context)?;
    }
    let fingerprint = signer.fingerprint();
    for file in &arguments.files {
        context.print(&plain_text(&format!("{}: signed by {fingerprint}\n", file.display())))?;
    }
    Ok(Exit::Success)
}

/// The signer that a command line names.
pub fn signer_of(arguments: &SignerArguments, context: &Context) -> Result<Signer, Failure> {
    let passphrases: Arc<dyn Passphrases> = Arc::new(SaidPassphrases::new(context));
    let environment = || context.variables.iter().cloned().collect();
    let now = SystemClock.now();
    if let Some(name) = &arguments.name {
        return Ok(Signer::with_key(context.key_folder()?.read(name, now)?.current, passphrases));
    }
    if let Some(path) = &arguments.key {
        let key = SigningKey::read(&path.to_string_lossy(), &read_named(path, context)?, now)?;
        return Ok(Signer::with_key(key, passphrases));
    }
    if let Some(id) = &arguments.gpg {
        return Ok(Signer::with_gpg(id, environment())?);
    }
    let public = arguments.public.as_deref().unwrap_or(Path::new(""));
    let error = |reason| SigningError::Key { place: public.to_string_lossy().into_owned(), reason };
    let certificates = Certificate::read_all(&read_named(public, context)?).map_err(error)?;
    let [certificate] = <[Certificate; 1]>::try_from(certificates)
        .map_err(|_| error("there are several public keys in it".to_owned()))?;
    Ok(Signer::with_command(arguments.command.as_deref().unwrap_or_default(), certificate, environment()))
}

fn sign_packages(signer: &Signer, files: &[&PathBuf], context: &Context) -> Result<(), Failure> {
    let read = |file: &&PathBuf| {
        let (folder, name) = split_file(file, context)?;
        let opened = folder.open_regular(&name).map_err(CliError::Io)?;
        let headers = read_headers_of(&file.to_string_lossy(), &mut BufReader::new(opened))?;
        Ok::<_, Failure>((folder, name, headers))
    };
    let packages = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let contents: Vec<&[u8]> =
        packages.iter().map(|(_, _, headers)| headers.header_bytes.as_slice()).collect();
    let signatures = signer.sign_all(&contents, SystemClock.now())?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(WRITERS).build();
    let pool = pool.map_err(|error| SigningError::Io(std::io::Error::other(error)))?;
    let prepared: std::io::Result<Vec<PreparedFile<'_>>> = pool.install(|| {
        let packages = packages.par_iter().zip(signatures);
        packages
            .map(|((folder, name, headers), signature)| prepare_signed(folder, name, headers, &signature))
            .collect()
    });
    let place_all = |prepared: Vec<PreparedFile<'_>>| {
        prepared.into_iter().try_for_each(PreparedFile::take_place)?;
        let folders: BTreeMap<&Path, &Folder> =
            packages.iter().map(|(folder, ..)| (folder.path().as_path(), folder)).collect();
        folders.into_values().try_for_each(Folder::sync)
    };
    Ok(prepared.and_then(place_all).map_err(SigningError::Io)?)
}

fn sign_file(signer: &Signer, file: &Path, context: &Context) -> Result<(), Failure> {
    let (folder, name) = split_file(file, context)?;
    let content = read(&folder, &name)?;
    let signatures = signer.sign_all(&[&content], SystemClock.now())?;
    let mut beside = name.into_os_string();
    beside.push(".asc");
    folder.write_atomic(&beside, &armored_signatures(&signatures)).map_err(SigningError::Io)?;
    Ok(())
}

fn read(folder: &Folder, name: &Path) -> Result<Vec<u8>, SigningError> {
    Ok(folder.read(name)?)
}
