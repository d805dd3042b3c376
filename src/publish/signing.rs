//! What signs a manifest's repositories.
//!
//! Signing is a step of its own: packages are built unsigned, and the store remembers a signed copy of each under the package's digest
//! and the fingerprints of the keys, so that another key needs no build and nothing is signed twice.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::PublishError;
use crate::event::Timestamp;
use crate::files::{Folder, HostPath};
use crate::manifest::Manifest;
use crate::manifest::declaration::{SignDecl, SignKey, SignedPart};
use crate::package::signing::{
    Certificate, KeyFolder, Passphrases, Signer, SigningError, SigningKey, armored_signatures,
    drop_signatures, read_key_file, write_signed,
};
use crate::package::{PackageRecord, read_headers_of};
use crate::store::{Blob, RecordKind, ResultFile, SignedCopy, StepResult, Store, StoreError};

/// Where keys and their passphrases are.
pub struct SigningKeys {
    /// The whole environment: of variables that hold keys, and of programs that sign.
    pub environment: BTreeMap<OsString, OsString>,
    /// The keys of `forge keys`, where there is a place for them.
    pub kept: Option<KeyFolder>,
    /// Who knows passphrases.
    pub passphrases: Arc<dyn Passphrases>,
}

/// What signs, opened once.
pub struct Signing {
    keys: SigningKeys,
    opened: Mutex<Option<Arc<Signers>>>,
}

/// The signers of a manifest.
pub(super) struct Signers {
    all: Vec<(Signer, SignedPart)>,
}

impl Signing {
    /// With these keys; none is read before something is to be signed.
    pub fn new(keys: SigningKeys) -> Self {
        Self { keys, opened: Mutex::default() }
    }

    /// The signers of a manifest; nothing where it declares none. No passphrase is asked for.
    pub(super) fn signers(
        &self,
        manifest: &Manifest,
        project: &HostPath,
        now: Timestamp,
    ) -> Result<Option<Arc<Signers>>, SigningError> {
        let declared = manifest.publish.iter().flat_map(|publish| &publish.sign);
        let declared: Vec<&SignDecl> = declared.map(|sign| &sign.value).collect();
        if declared.is_empty() {
            return Ok(None);
        }
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signers) = opened.as_ref() {
            return Ok(Some(Arc::clone(signers)));
        }
        let mut all: Vec<(Signer, SignedPart)> = Vec::new();
        for sign in declared {
            all.extend(self.keys.open(sign, project, now)?);
        }
        let signers = Arc::new(Signers { all });
        *opened = Some(Arc::clone(&signers));
        Ok(Some(signers))
    }
}

impl SigningKeys {
    fn open(
        &self,
        SignDecl { key, what }: &SignDecl,
        project: &HostPath,
        now: Timestamp,
    ) -> Result<Vec<(Signer, SignedPart)>, SigningError> {
        let mut previous = None;
        let with_key = |key: SigningKey| Signer::with_key(key, Arc::clone(&self.passphrases));
        let error = |place: String, reason: &str| SigningError::Key { place, reason: reason.to_owned() };
        let signer = match key {
            SignKey::Kept(name) => {
                let no_place = || error(format!("`{name}`"), "neither XDG_CONFIG_HOME nor HOME is set");
                let kept = self.kept.as_ref().ok_or_else(no_place)?.read(name, now)?;
                previous = kept.previous.map(|previous| (with_key(previous), SignedPart::Metadata));
                with_key(kept.current)
            }
            SignKey::File(path) => {
                let path = path.on_host(project);
                with_key(SigningKey::read(&path.to_string(), &read_file(&path)?, now)?)
            }
            SignKey::Variable(name) => {
                let place = format!("in the variable {name}");
                let value = self.environment.get(&OsString::from(name));
                let value = value.ok_or_else(|| error(place.clone(), "the variable is not set"))?;
                with_key(SigningKey::read(&place, value.as_encoded_bytes(), now)?)
            }
            SignKey::Gpg(id) => Signer::with_gpg(id, self.environment.clone())?,
            SignKey::Command { command, public } => {
                let path = public.on_host(project);
                let found = Certificate::read_all(&read_file(&path)?);
                let found = found.map_err(|reason| error(path.to_string(), &reason))?;
                let [certificate] = <[Certificate; 1]>::try_from(found)
                    .map_err(|_| error(path.to_string(), "there are several public keys in it"))?;
                Signer::with_command(command, certificate, self.environment.clone())
            }
        };
        Ok([(signer, *what)].into_iter().chain(previous).collect())
    }
}

fn read_file(path: &HostPath) -> Result<Vec<u8>, SigningError> {
    let error = |source: io::Error| SigningError::Key {
        place: path.to_string(),
        reason: crate::files::reason(&source),
    };
    let missing = || error(io::ErrorKind::IsADirectory.into());
    let parent = path.as_path().parent().and_then(HostPath::new).ok_or_else(missing)?;
    let name = path.as_path().file_name().ok_or_else(missing)?;
    let folder = Folder::open_ambient(&parent).map_err(error)?;
    read_key_file(&folder, Path::new(name)).map_err(error)
}

impl Signers {
    fn of_packages(&self) -> impl Iterator<Item = &Signer> {
        let all = self.all.iter().filter(|(_, what)| *what == SignedPart::Everything);
        all.map(|(signer, _)| signer)
    }

    /// Whether they sign packages, too.
    pub fn signs_packages(&self) -> bool {
        self.of_packages().next().is_some()
    }

    /// The fingerprints of the keys that sign packages.
    pub fn package_fingerprints(&self) -> Vec<String> {
        self.of_packages().map(Signer::fingerprint).collect()
    }

    /// The fingerprints of the keys that sign metadata.
    pub fn metadata_fingerprints(&self) -> Vec<String> {
        self.all.iter().map(|(signer, _)| signer.fingerprint()).collect()
    }

    /// All public keys, in armor, one behind the other.
    pub fn public_keys(&self) -> String {
        self.all.iter().map(|(signer, _)| signer.certificate().armored()).collect()
    }

    /// The signatures of a metadata file by every key, in one block of armor.
    pub fn sign_metadata(&self, content: &[u8], now: Timestamp) -> Result<Vec<u8>, PublishError> {
        let mut packets = Vec::new();
        for (signer, _) in &self.all {
            packets.extend(signer.sign_all(&[content], now)?);
        }
        Ok(armored_signatures(&packets))
    }

    /// The same result with the packages' signed copies, and the fingerprints of their keys: those that the store has, and new ones.
    pub fn sign_results(
        &self,
        store: &Store,
        results: &[&StepResult],
        now: Timestamp,
    ) -> Result<Vec<StepResult>, PublishError> {
        let mut signed: Vec<StepResult> = results.iter().copied().cloned().collect();
        let files: Vec<&mut ResultFile> = signed.iter_mut().flat_map(|result| &mut result.files).collect();
        let mut contents: Vec<NamedBlob> = files.iter().map(|file| NamedBlob::of_result(file)).collect();
        self.sign_blobs(store, &mut contents, Earlier::Kept, now)?;
        for (file, NamedBlob { blob, sha256, .. }) in files.into_iter().zip(contents) {
            (file.blob, file.sha256) = (blob, sha256);
        }
        Ok(signed)
    }

    /// Makes packages in the store their signed copies: those that it has, and new ones.
    pub fn sign_blobs(
        &self,
        store: &Store,
        files: &mut [NamedBlob],
        earlier: Earlier,
        now: Timestamp,
    ) -> Result<(), PublishError> {
        let by = self.package_fingerprints();
        if by.is_empty() {
            return Ok(());
        }
        let mut missing: Vec<&mut NamedBlob> = Vec::new();
        for file in files {
            match store.signed_copy(&file.blob.digest, &by) {
                Some(copy) => file.become_copy(copy),
                None => missing.push(file),
            }
        }
        // As many at a time as memory has room for: headers are some hundred KB at the most.
        for group in missing.chunks_mut(256) {
            self.sign_group(store, group, (&by, earlier), now)?;
        }
        Ok(())
    }

    fn sign_group(
        &self,
        store: &Store,
        files: &mut [&mut NamedBlob],
        (by, earlier): (&[String], Earlier),
        now: Timestamp,
    ) -> Result<(), PublishError> {
        let folder = store.folder();
        let headers = files.par_iter().map(|file| {
            let mut package = io::BufReader::new(folder.open_regular(file.blob.path())?);
            let mut headers = read_headers_of(&file.name, &mut package)?;
            match earlier {
                Earlier::Kept => {}
                Earlier::Dropped => drop_signatures(&mut headers),
            }
            Ok(headers)
        });
        let headers: Vec<_> = headers.collect::<Result<_, PublishError>>()?;
        let contents: Vec<&[u8]> = headers.iter().map(|headers| headers.header_bytes.as_slice()).collect();
        let mut packets: Vec<Vec<Vec<u8>>> = vec![Vec::new(); files.len()];
        for signer in self.of_packages() {
            let made = signer.sign_all(&contents, now)?;
            packets.iter_mut().zip(made).for_each(|(packets, packet)| packets.push(packet));
        }
        let scratch = folder.create("incoming")?.without_sync();
        files.par_iter_mut().zip(&headers).zip(&packets).try_for_each(|((file, headers), packets)| {
            let name = scratch.temporary(Path::new("signed"));
            let mut problem = None;
            let written = scratch.write_atomic_with(&name, |output| {
                // The blob's digest is checked while it is read: what was damaged is never signed.
                let copied = store.read_blob(&file.blob, |mut content| {
                    write_signed(&mut content, headers, packets, output).map_err(StoreError::Io)
                });
                copied.map_err(|error| {
                    problem = Some(error);
                    io::ErrorKind::InvalidData.into()
                })
            });
            let written = match problem {
                Some(problem) => Err(problem.into()),
                None => written.map_err(PublishError::from),
            };
            let taken = written.and_then(|()| {
                let (blob, sha256) = store.take_in(&scratch, &name)?;
                let copy = SignedCopy { blob, sha256 };
                // What is not in its repository yet is asked what it needs.
                let signed = read_headers_of(&file.name, &mut io::BufReader::new(scratch.open(&name)?))?;
                let record = PackageRecord::read(&file.name, &signed)?;
                store.remember(RecordKind::Package, &copy.blob.record_key(), &record)?;
                store.remember_signed(&file.blob.digest, by, &copy)?;
                file.become_copy(copy);
                Ok(())
            });
            scratch.remove_file(&name)?;
            taken
        })
    }
}

/// A package file in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedBlob {
    /// Its file name.
    pub name: String,
    pub blob: Blob,
    /// SHA-256 of its content.
    pub sha256: String,
}

/// What becomes of signatures that a package has when it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Earlier {
    /// They stay, but for those by the same keys.
    Kept,
    /// They go.
    Dropped,
}

impl NamedBlob {
    /// That of a package in a result.
    pub fn of_result(file: &ResultFile) -> Self {
        Self { name: file.name.clone(), blob: file.blob, sha256: file.sha256.clone() }
    }

    fn become_copy(&mut self, copy: SignedCopy) {
        (self.blob, self.sha256) = (copy.blob, copy.sha256);
    }
}

/// The address of a folder on this machine.
pub(super) fn file_url(path: &Path) -> String {
    let mut url = "file://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                url.push(char::from(*byte));
            }
            // Writing to a String can't fail.
            other => drop(write!(url, "%{other:02X}")),
        }
    }
    url
}

/// The name by which clients know the repository of a chroot.
pub(super) fn client_id(project: Option<&str>, chroot: &str) -> String {
    let name = project.filter(|name| !name.is_empty());
    let id = name.map_or_else(|| chroot.to_owned(), |name| format!("{name}-{chroot}"));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    id.chars().map(|c| if is_plain(c) { c } else { '-' }).collect()
}
