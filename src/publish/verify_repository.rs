//! Whether a repository, its metadata and its packages, is as it was signed.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::limits::{LARGEST_PRIMARY, LARGEST_REPOMD};
use super::paths::{REPODATA, REPOMD, REPOMD_KEY, REPOMD_SIGNATURE};
use super::section::{Section, in_section};
use crate::chroot::{Checksum, Repomd, named_in_primary, unpacked};
use crate::digest::ChecksumHasher;
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
    /// Whether it is a package that the metadata don't name: it was superseded, and stays for clients that have read earlier ones. Who has signed it
    /// is not asked.
    #[serde(rename = "unlisted", skip_serializing_if = "std::ops::Not::not")]
    pub is_unlisted: bool,
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
    let mut named = Some(HashMap::new());
    for section in Section::ALL.into_iter().rev() {
        let is_there = match section {
            Section::Main => folder.is_folder(REPODATA),
            // Of one that a repository has no more, folders may be left.
            Section::Debuginfo | Section::Source => folder.exists(in_section(section, REPOMD)),
        };
        if !is_there {
            if section == Section::Main {
                named = None;
            }
            continue;
        }
        let below = section.prefix().trim_end_matches('/');
        let below = if below.is_empty() { folder.again()? } else { folder.folder(below)? };
        let (files, packages) = verify_metadata(&below, certificates, now);
        found.extend(files.into_iter().map(|file| {
            let path = in_section(section, &file.path);
            VerifiedFile { path, ..file }
        }));
        named = named.zip(packages).map(|(mut named, packages)| {
            named.extend(packages.into_iter().map(|(path, checksum)| (in_section(section, &path), checksum)));
            named
        });
    }
    let mut packages = Vec::new();
    list_packages(folder, Path::new(""), 0, &mut packages)?;
    packages.sort();
    let lost = named.iter().flat_map(HashMap::keys);
    let lost = lost.filter(|path| !path.contains("://") && !folder.exists(path.as_str()));
    let mut lost: Vec<VerifiedFile> = lost
        .map(|path| covered(path.clone(), Some("the metadata name it, and it is not there".to_owned())))
        .collect();
    lost.sort_by(|one, other| one.path.cmp(&other.path));
    let package = |path: PathBuf| {
        let shown = path.to_string_lossy().into_owned();
        let open = || folder.open_regular(&path);
        let verified = verify_package(&shown, open, certificates, now);
        let mut verified = verified.unwrap_or_else(|error| Verified::damaged(error.to_string()));
        let checksum = named.as_ref().map(|named| named.get(&shown));
        if let Some(Some(checksum)) = checksum {
            verified.damage.extend(wrong_content(folder, &shown, (checksum, None)));
        }
        let is_unlisted = checksum == Some(None);
        VerifiedFile { path: shown, verified, is_signed_itself: !is_unlisted, is_unlisted }
    };
    found.par_extend(packages.into_par_iter().map(package));
    found.extend(lost);
    Ok(found)
}

fn list_packages(folder: &Folder, below: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let opened = if depth == 0 { folder.again()? } else { folder.folder(below)? };
    for entry in opened.entries()? {
        let path = below.join(&entry.name);
        match entry.kind {
            // What forge keeps for itself.
            EntryKind::Folder if entry.name.starts_with('.') => {}
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

/// The packages that metadata name, with their checksums.
type NamedPackages = Vec<(String, Checksum)>;

/// What is found of the metadata in `folder`, and what they name; nothing where that can't be known.
fn verify_metadata(
    folder: &Folder,
    certificates: &[Certificate],
    now: Timestamp,
) -> (Vec<VerifiedFile>, Option<NamedPackages>) {
    let itself = |verified| VerifiedFile {
        path: REPOMD.to_owned(),
        verified,
        is_signed_itself: true,
        is_unlisted: false,
    };
    let content = match read_up_to(folder, REPOMD, LARGEST_REPOMD) {
        Ok(content) => content,
        Err(error) => return (vec![itself(Verified::damaged(crate::files::reason(&error)))], None),
    };
    let verified = match read_up_to(folder, REPOMD_SIGNATURE, LARGEST_SMALL) {
        Ok(signatures) => verify_file(&content, &signatures, certificates, now),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Verified::default(),
        Err(error) => Verified::damaged(crate::files::reason(&error)),
    };
    let mut found = vec![itself(verified)];
    if let Ok(keys) = read_up_to(folder, REPOMD_KEY, LARGEST_SMALL) {
        let damage = wrong_keys(&keys, certificates);
        found.push(covered(REPOMD_KEY.to_owned(), damage));
    }
    let Some(repomd) = Repomd::parse(&content) else {
        found.push(covered(REPOMD.to_owned(), Some("it is no `repomd.xml`".to_owned())));
        return (found, None);
    };
    found.extend(repomd.unknown.iter().map(|kind| {
        let damage = format!("what it says of `{kind}` can't be believed");
        covered(REPOMD.to_owned(), Some(damage))
    }));
    found.par_extend(repomd.files.par_iter().map(|file| {
        covered(file.href.clone(), wrong_content(folder, &file.href, (&file.checksum, file.size)))
    }));
    let packages = repomd.file("primary").and_then(|primary| {
        let content = unpacked(folder.open_regular(&primary.href).ok()?).ok()?;
        named_in_primary(content, LARGEST_PRIMARY)
    });
    (found, packages)
}

fn covered(path: String, damage: Option<String>) -> VerifiedFile {
    let verified = Verified { signatures: Vec::new(), damage: damage.into_iter().collect() };
    VerifiedFile { path, verified, is_signed_itself: false, is_unlisted: false }
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

/// What is wrong with a file that is named with its checksum and, where that is said, its size.
fn wrong_content(folder: &Folder, path: &str, (checksum, size): (&Checksum, Option<u64>)) -> Option<String> {
    let digest = || -> io::Result<(Checksum, u64)> {
        let mut content = BufReader::with_capacity(1 << 17, folder.open_regular(path)?);
        let (mut hasher, mut size) = (ChecksumHasher::new(checksum.algorithm()), 0_u64);
        loop {
            let read = content.fill_buf()?;
            let length = read.len();
            if length == 0 {
                return Ok((hasher.finish(), size));
            }
            hasher.update(read);
            content.consume(length);
            size = size.saturating_add(length as u64);
        }
    };
    match digest() {
        Ok((found, length)) if found == *checksum && size.is_none_or(|said| said == length) => None,
        Ok(_) => Some("it is not what the metadata say".to_owned()),
        Err(error) => Some(crate::files::reason(&error)),
    }
}
