//! Whether the sources of a spec are signed as they should be.
//!
//! Where the manifest names keys, these count and no others. The keys that a spec brings along are advice: whoever can change
//! the spec can change them. They tell that a file was replaced where it is published, so what doesn't fit them is an error as
//! well; a spec with a signature and no keys is left as it is.

use std::io::{self, BufReader, Read};

use super::signature_error::SourceSignatureError;
use super::signed_names::{SignedContent, SignedName, find_keyrings, pair_signatures};
use crate::chroot::unpacked;
use crate::digest::{Digest, Encoder, Key};
use crate::engine::SourceReference;
use crate::files::Folder;
use crate::manifest::{ManifestPath, Package};
use crate::signature::{KeyTime, Keyring, SignatureProblem};
use crate::source::input::inputs;
use crate::source::limits::UNPACKED_BYTES;
use crate::source::reach::{open_reachable, regular_file};
use crate::source::tools::SourceTools;
use crate::source::{InputFile, Origin, SourceError};
use crate::store::RecordKind;
use crate::text::{Located, Spanned};

/// How large a signature may be, in bytes.
const LARGEST_SIGNATURE: u64 = 1 << 20;

/// How large a file of keys may be, in bytes: those of whole projects have some.
const LARGEST_KEYRING: u64 = 16 << 20;

/// What is looked at of a package whose spec names signatures.
pub(super) struct SignatureCheck<'a> {
    /// The package.
    pub package: &'a Package,
    /// Its spec.
    pub origin: &'a Origin,
    /// The files that the spec names.
    pub references: &'a [SourceReference],
    /// Those that were fetched.
    pub fetched: Vec<InputFile>,
    /// Those that could not be: that has been said.
    pub missing: Vec<&'a str>,
    /// Where paths of the manifest begin.
    pub repository: &'a Folder,
    /// What is known of earlier checks, and what time it is.
    pub tools: &'a SourceTools<'a>,
}

/// A file that is not signed as it should be.
pub(super) struct SignedSource {
    /// The name of the file.
    pub name: String,
    /// What is wrong with it.
    pub error: Located<SourceError>,
}

/// Keys, and what they are called.
struct NamedKeyring {
    keyring: Keyring,
    /// The digests of their files.
    digests: Vec<Digest>,
    shown: String,
}

impl SignatureCheck<'_> {
    /// The files that are not signed as they should be.
    pub fn find_wrong(&self) -> Vec<SignedSource> {
        let names: Vec<&str> = self.references.iter().map(|reference| reference.file_name.as_str()).collect();
        let pairs = pair_signatures(&names);
        let declared = &self.package.source.keyrings;
        let bundled = find_keyrings(&names);
        if declared.is_empty() && (pairs.is_empty() || bundled.is_empty()) {
            return Vec::new();
        }
        let keyring = if declared.is_empty() { self.read_bundled(&bundled) } else { self.read_declared() };
        let signed: Vec<&str> = pairs.iter().flat_map(|pair| [pair.file, pair.signature]).collect();
        // Keys that came with the rest may be what was replaced.
        let trusted: &[&str] = if declared.is_empty() { &bundled } else { &[] };
        let keyring = match keyring {
            Ok(Some(keyring)) => keyring,
            // A file of keys that is missing is told as other files are.
            Ok(None) => return Vec::new(),
            Err(error) if pairs.is_empty() => return self.refuse(&names, error),
            Err(error) => return self.refuse(&[&signed, trusted].concat(), error),
        };
        if pairs.is_empty() {
            let package = self.package.name.value.clone();
            return self.refuse(&names, SourceSignatureError::NoSignature { package }.into());
        }
        let is_there = |pair: &&SignedName<'_>| {
            !self.missing.contains(&pair.file) && !self.missing.contains(&pair.signature)
        };
        let check = |pair: &SignedName<'_>| match self.check_pair(*pair, &keyring) {
            Ok(()) => Vec::new(),
            // Nobody knows which of them is the wrong one.
            Err(error) => self.refuse(&[&[pair.file, pair.signature], trusted].concat(), error),
        };
        pairs.iter().filter(is_there).flat_map(check).collect()
    }

    /// Files that are not taken: none of them is to be locked as it came.
    fn refuse(&self, names: &[&str], error: SourceError) -> Vec<SignedSource> {
        let again = match &error {
            SourceError::Signature(error) => Some(error.clone()),
            _ => None,
        };
        let errors = std::iter::once(error).chain(again.into_iter().cycle().map(SourceError::Signature));
        let refused = names.iter().zip(errors);
        refused
            .map(|(name, error)| SignedSource { name: (*name).to_owned(), error: self.locate(error) })
            .collect()
    }

    /// An error, where the package is declared, and its keys where they are.
    fn locate(&self, error: SourceError) -> Located<SourceError> {
        let located = Located::new(error, "for this package", self.package.source.place.clone());
        match self.package.source.keyrings.first() {
            Some(keyring) => located.with_note("checked with these keys", keyring.place.clone()),
            None => located,
        }
    }

    fn read_declared(&self) -> Result<Option<NamedKeyring>, SourceError> {
        let mut all = NamedKeyring { keyring: Keyring::default(), digests: Vec::new(), shown: String::new() };
        for path in &self.package.source.keyrings {
            let keyring = path.value.to_string();
            let content = self.read_declared_file(path).map_err(|error| {
                let (keyring, reason) = (keyring.clone(), error.to_string());
                SourceSignatureError::Keyring { keyring, reason }
            })?;
            all.add(&keyring, &content)?;
        }
        Ok(Some(all))
    }

    fn read_declared_file(&self, path: &Spanned<ManifestPath>) -> Result<Vec<u8>, SourceError> {
        let (root, relative) = open_reachable(&path.value, self.repository)?;
        let relative = regular_file(&root, &relative)?;
        Ok(read_up_to(root.open(relative)?, LARGEST_KEYRING)?)
    }

    /// The keys that the spec brings along; nothing where one of their files is missing.
    fn read_bundled(&self, names: &[&str]) -> Result<Option<NamedKeyring>, SourceError> {
        let mut all = NamedKeyring { keyring: Keyring::default(), digests: Vec::new(), shown: String::new() };
        for name in names {
            let Some(file) = self.find_file(name) else { return Ok(None) };
            let content = read_up_to(file.folder()?.open(&file.path)?, LARGEST_KEYRING)?;
            all.add(name, &content)?;
        }
        Ok(Some(all))
    }

    /// A file that the spec names, wherever it lies; nothing where it can't be had, which is told where builds take it.
    fn find_file(&self, name: &str) -> Option<InputFile> {
        if self.missing.contains(&name) {
            return None;
        }
        if let Some(file) = self.fetched.iter().find(|file| file.name == name) {
            return Some(file.clone());
        }
        let reference = self.references.iter().find(|reference| reference.file_name == name)?;
        inputs(self.package, self.origin, std::slice::from_ref(reference), self.repository).ok()?.pop()
    }

    fn check_pair(&self, pair: SignedName<'_>, keyring: &NamedKeyring) -> Result<(), SourceError> {
        let SignedName { file, signature, content } = pair;
        let (Some(found), Some(signed)) = (self.find_file(file), self.find_file(signature)) else {
            return Ok(());
        };
        let key = record_key((&found, content), &signed, keyring);
        let store = self.tools.store;
        if store.record::<bool>(RecordKind::Facts, &key) == Some(true) {
            return Ok(());
        }
        let (folder, own) = (found.folder()?, signed.folder()?);
        let signatures = read_up_to(own.open(&signed.path)?, LARGEST_SIGNATURE)?;
        let mut open = || open_content(&folder, &found, content);
        let time = KeyTime::OfSignature { now: self.tools.clock.now() };
        let checked = keyring.keyring.check_reading(&signatures, &mut open, time);
        checked.map_err(|problem| explain(problem, pair, keyring))?;
        store.remember(RecordKind::Facts, &key, &true)?;
        Ok(())
    }
}

impl NamedKeyring {
    fn add(&mut self, name: &str, content: &[u8]) -> Result<(), SourceSignatureError> {
        let keyring = Keyring::read(content, &[])
            .map_err(|reason| SourceSignatureError::Keyring { keyring: name.to_owned(), reason })?;
        self.keyring.add(keyring);
        self.digests.push(Digest::compute(content));
        if !self.shown.is_empty() {
            self.shown.push_str(", ");
        }
        self.shown.push('`');
        self.shown.push_str(name);
        self.shown.push('`');
        Ok(())
    }
}

/// All that decides whether a signature is a good one.
fn record_key(
    (file, content): (&InputFile, SignedContent),
    signature: &InputFile,
    keyring: &NamedKeyring,
) -> Key {
    let mut encoder = Encoder::new("rpmforge source signature v1");
    encoder.digest_field("file", &file.blob.digest).digest_field("signature", &signature.blob.digest);
    encoder.text(
        "content",
        match content {
            SignedContent::Packed => "packed",
            SignedContent::Unpacked => "unpacked",
        },
    );
    for digest in &keyring.digests {
        encoder.digest_field("keyring", digest);
    }
    encoder.key()
}

/// What is signed of a file.
fn open_content(
    folder: &Folder,
    file: &InputFile,
    content: SignedContent,
) -> io::Result<Box<dyn Read + 'static>> {
    let opened = folder.open(&file.path)?;
    match content {
        SignedContent::Packed => Ok(Box::new(BufReader::with_capacity(256 * 1024, opened))),
        SignedContent::Unpacked => Ok(Box::new(unpacked(opened)?.take(UNPACKED_BYTES))),
    }
}

fn read_up_to(content: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    content.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {most} bytes"))),
        false => Ok(bytes),
    }
}

/// The error that what is wrong with a signature is with a source.
fn explain(problem: SignatureProblem, pair: SignedName<'_>, keyring: &NamedKeyring) -> SourceSignatureError {
    let (file, signature) = (pair.file.to_owned(), pair.signature.to_owned());
    match problem {
        SignatureProblem::Missing => SourceSignatureError::NotSigned { file, signature },
        SignatureProblem::Wrong(reason) => SourceSignatureError::WrongSignature { file, signature, reason },
        SignatureProblem::Undeclared(key) => {
            SourceSignatureError::UndeclaredKey { file, key, keyring: keyring.shown.clone() }
        }
        SignatureProblem::Expired { key, on } => SourceSignatureError::ExpiredKey { file, key, on },
        SignatureProblem::Revoked(key) => SourceSignatureError::RevokedKey { file, key },
    }
}
