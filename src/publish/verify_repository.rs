//! Whether a repository, its metadata and its packages, is as it was signed.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use rayon::prelude::*;
use sha2::{Sha256, Sha512};

use super::limits::LARGEST_REPOMD;
use super::paths::{REPODATA, REPOMD, REPOMD_KEY, REPOMD_SIGNATURE};
use super::section::{Section, in_section};
use crate::event::Timestamp;
use crate::files::{EntryKind, Folder};
use crate::package::signing::{Certificate, Verified, is_strict_armor, verify_package, verify_signatures};

/// How many folders below each other are looked at for packages.
const DEEPEST: usize = 8;

/// How large a signature, or a file of keys, may be, in bytes.
const LARGEST_SMALL: u64 = 1 << 20;

/// What was found of a file of a repository.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct VerifiedFile {
    /// The file, relative to the repository.
    pub path: String,
    /// What was found.
    #[serde(flatten)]
    pub verified: Verified,
    /// Whether it stands for itself: what `repomd.xml` names is covered by the signature of that.
    #[serde(skip)]
    pub is_signed_itself: bool,
}

impl VerifiedFile {
    /// Whether nothing is wrong with it.
    pub fn is_good(&self) -> bool {
        if self.is_signed_itself { self.verified.is_good() } else { self.verified.damage.is_empty() }
    }
}

/// What is found of the repository in `folder`: its metadata, where it has some, and all packages below it.
///
/// # Errors
/// A folder can't be read.
pub fn verify_repository(
    folder: &Folder,
    certificates: &[Certificate],
    now: Timestamp,
) -> io::Result<Vec<VerifiedFile>> {
    let mut found = Vec::new();
    for section in Section::ALL.into_iter().rev() {
        if !folder.is_folder(in_section(section, REPODATA)) {
            continue;
        }
        let below = section.prefix().trim_end_matches('/');
        let below = if below.is_empty() { folder.again()? } else { folder.folder(below)? };
        found.extend(verify_metadata(&below, certificates, now).into_iter().map(|file| {
            let path = in_section(section, &file.path);
            VerifiedFile { path, ..file }
        }));
    }
    let mut packages = Vec::new();
    list_packages(folder, Path::new(""), 0, &mut packages)?;
    packages.sort();
    let package = |path: PathBuf| {
        let shown = path.to_string_lossy().into_owned();
        let open = || folder.open_regular(&path);
        let verified = verify_package(&shown, open, certificates, now);
        let verified = verified.unwrap_or_else(|error| Verified::damaged(error.to_string()));
        VerifiedFile { path: shown, verified, is_signed_itself: true }
    };
    found.par_extend(packages.into_par_iter().map(package));
    Ok(found)
}

fn list_packages(folder: &Folder, below: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let opened = if depth == 0 { folder.again()? } else { folder.folder(below)? };
    for entry in opened.entries()? {
        let path = below.join(&entry.name);
        match entry.kind {
            EntryKind::Folder if depth < DEEPEST => list_packages(folder, &path, depth + 1, found)?,
            EntryKind::File if entry.name.ends_with(".rpm") => found.push(path),
            EntryKind::Folder | EntryKind::File | EntryKind::Other => {}
        }
    }
    Ok(())
}

/// What is found of a file with its detached signatures, both as bytes.
pub fn verify_file(
    content: &[u8],
    signatures: &[u8],
    certificates: &[Certificate],
    now: Timestamp,
) -> Verified {
    let mut verified = match verify_signatures(signatures, content, certificates, now) {
        Ok(signatures) => Verified { signatures, damage: Vec::new() },
        Err(problem) => Verified::damaged(problem),
    };
    if !is_strict_armor(signatures) {
        verified.damage.push("its signature is not written as signatures are".to_owned());
    }
    verified
}

fn verify_metadata(folder: &Folder, certificates: &[Certificate], now: Timestamp) -> Vec<VerifiedFile> {
    let itself = |verified| VerifiedFile { path: REPOMD.to_owned(), verified, is_signed_itself: true };
    let repomd = match read_up_to(folder, REPOMD, LARGEST_REPOMD) {
        Ok(repomd) => repomd,
        Err(error) => return vec![itself(Verified::damaged(crate::files::reason(&error)))],
    };
    let verified = match read_up_to(folder, REPOMD_SIGNATURE, LARGEST_SMALL) {
        Ok(signatures) => verify_file(&repomd, &signatures, certificates, now),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Verified::default(),
        Err(error) => Verified::damaged(crate::files::reason(&error)),
    };
    let mut found = vec![itself(verified)];
    if let Ok(keys) = read_up_to(folder, REPOMD_KEY, LARGEST_SMALL) {
        let damage = wrong_keys(&keys, certificates);
        found.push(covered(REPOMD_KEY.to_owned(), damage));
    }
    match named_files(&repomd) {
        Some(named) => found.par_extend(named.into_par_iter().map(|named| {
            let damage = named.wrong(folder);
            covered(named.href, damage)
        })),
        None => found.push(covered(REPOMD.to_owned(), Some("it is no `repomd.xml`".to_owned()))),
    }
    found
}

fn covered(path: String, damage: Option<String>) -> VerifiedFile {
    let verified = Verified { signatures: Vec::new(), damage: damage.into_iter().collect() };
    VerifiedFile { path, verified, is_signed_itself: false }
}

/// What is wrong with the keys that a repository offers: nothing where they are those that are known, as they are known.
fn wrong_keys(content: &[u8], certificates: &[Certificate]) -> Option<String> {
    let offered = match Certificate::read_all(content) {
        Ok(offered) => offered,
        Err(reason) => return Some(reason),
    };
    let armored: String = offered.iter().map(Certificate::armored).collect();
    if armored.as_bytes() != content {
        return Some("it is not written as keys are".to_owned());
    }
    let is_other = |offered: &&Certificate| {
        let known = certificates.iter().find(|known| known.fingerprint() == offered.fingerprint());
        known.is_none_or(|known| known.armored() != offered.armored())
    };
    let other = offered.iter().find(is_other)?;
    Some(format!("the key {} in it is not one that is known", other.fingerprint()))
}

fn read_up_to(folder: &Folder, path: &str, most: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    folder.open_regular(path)?.take(most).read_to_end(&mut content)?;
    Ok(content)
}

/// A file that `repomd.xml` names.
#[derive(Default)]
struct NamedFile {
    href: String,
    algorithm: String,
    checksum: String,
    size: Option<u64>,
}

impl NamedFile {
    /// What is wrong with it.
    fn wrong(&self, folder: &Folder) -> Option<String> {
        let digest = || -> io::Result<(String, u64)> {
            let mut content = BufReader::with_capacity(1 << 17, folder.open_regular(&self.href)?);
            match self.algorithm.as_str() {
                "sha256" => digest_of::<Sha256>(&mut content),
                "sha512" => digest_of::<Sha512>(&mut content),
                _ => Err(io::Error::other("its checksum is of a kind that is not believed")),
            }
        };
        match digest() {
            Ok((checksum, size))
                if checksum == self.checksum && self.size.is_none_or(|said| said == size) =>
            {
                None
            }
            Ok(_) => Some("it is not what `repomd.xml` says".to_owned()),
            Err(error) => Some(crate::files::reason(&error)),
        }
    }
}

fn digest_of<D: sha2::Digest + io::Write>(content: &mut impl Read) -> io::Result<(String, u64)> {
    let mut digest = D::new();
    let size = io::copy(content, &mut digest)?;
    Ok((crate::package::hex(&digest.finalize()), size))
}

/// The files that a `repomd.xml` names; nothing where it is none.
fn named_files(repomd: &[u8]) -> Option<Vec<NamedFile>> {
    let mut reader = Reader::from_str(std::str::from_utf8(repomd).ok()?);
    let (mut files, mut file, mut text) = (Vec::new(), NamedFile::default(), String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Eof => return None,
            Event::Text(part) => text.push_str(&part),
            Event::Start(tag) | Event::Empty(tag) => {
                text.clear();
                let attribute = |name: &str| {
                    let attribute = tag.try_get_attribute(name).ok()??;
                    Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
                };
                match tag.name().as_ref() {
                    "data" => file = NamedFile::default(),
                    "location" => file.href = attribute("href")?,
                    "checksum" => file.algorithm = attribute("type")?,
                    _ => {}
                }
            }
            Event::End(tag) => match tag.name().as_ref() {
                "checksum" => file.checksum = std::mem::take(&mut text),
                "size" => file.size = Some(text.trim().parse().ok()?),
                "data" => files.push(std::mem::take(&mut file)),
                "repomd" => return Some(files),
                _ => {}
            },
            Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}
