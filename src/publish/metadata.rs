//! `repodata/`: the metadata files, and `repomd.xml` that names them.

use std::fmt::Write as _;
use std::io::{BufReader, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::PublishError;
use super::paths::{REPODATA, REPOMD};
use super::record::{PublishedFile, PublishedPackage, listed_files};
use crate::digest::Digest;
use crate::files::Folder;
use crate::package::{Location, PackageRecord, RepositoryKind, read_headers_of};
use crate::store::{RecordKind, Store};

/// A package file and where it is.
struct Listed {
    record: PackageRecord,
    file: PublishedFile,
}

/// What the metadata of a repository are to be: each file with its content.
pub(super) struct Metadata {
    pub files: Vec<(PublishedFile, Vec<u8>)>,
    pub repomd: (PublishedFile, Vec<u8>),
    pub revision: u64,
}

/// The revision that metadata get.
#[derive(Clone, Copy, Debug)]
pub(super) enum Revision {
    /// They say what was published before under this one.
    Kept(u64),
    /// They say something new: it is greater than this one, which was published before.
    Above(u64),
}

struct MetadataFile {
    kind: RepositoryKind,
    open_checksum: String,
    open_size: usize,
    file: PublishedFile,
    content: Vec<u8>,
}

/// Works out the metadata of all package files that have times: those that are there. What they say of themselves was
/// remembered when they were built; a file is opened only where that is gone.
///
/// # Errors
/// [`PublishError::Package`] where one of them is no package, [`PublishError::Unlistable`] where XML can't hold what one says.
pub(super) fn metadata_from(
    repository: &Folder,
    store: &Store,
    packages: &[PublishedPackage],
    revision: Revision,
) -> Result<Metadata, PublishError> {
    let there: Vec<&PublishedFile> = listed_files(packages).collect();
    let listed: Vec<Listed> =
        there.into_par_iter().map(|file| list(repository, store, file)).collect::<Result<_, _>>()?;
    let written: Vec<MetadataFile> =
        RepositoryKind::ALL.par_iter().map(|kind| pack(*kind, &listed)).collect::<Result<_, _>>()?;
    // The newest package's time stands for the time of the update: the same packages, published in the same order, give
    // the same bytes.
    let newest = listed.iter().map(|listed| listed.record.build_time).max().unwrap_or_default();
    let revision = match revision {
        Revision::Kept(revision) => revision,
        Revision::Above(before) => newest.max(before.saturating_add(1)),
    };
    let repomd = repomd(&written, revision).into_bytes();
    let files = written.into_iter().map(|written| (written.file, written.content)).collect();
    Ok(Metadata { files, repomd: (described(REPOMD.to_owned(), &repomd), repomd), revision })
}

/// What a published file says of itself.
pub(super) fn record_of(
    repository: &Folder,
    store: &Store,
    file: &PublishedFile,
) -> Result<PackageRecord, PublishError> {
    let key = file.blob().record_key();
    if let Some(record) = store.record(RecordKind::Package, &key) {
        return Ok(record);
    }
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    let headers = match repository.open(&file.path) {
        Ok(opened) => read_headers_of(name, &mut BufReader::new(opened))?,
        // It is still to come.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && store.has(&file.blob()) => store
            .read_blob(&file.blob(), |content| {
                Ok::<_, PublishError>(read_headers_of(name, &mut BufReader::new(content))?)
            })?,
        Err(error) => return Err(error.into()),
    };
    let record = PackageRecord::read(name, &headers)?;
    // Where the store can't be written to, it is read again the next time.
    let _ = store.remember(RecordKind::Package, &key, &record);
    Ok(record)
}

fn list(repository: &Folder, store: &Store, file: &PublishedFile) -> Result<Listed, PublishError> {
    let record = record_of(repository, store, file)?;
    match record.forbidden_character() {
        Some(character) => {
            Err(PublishError::Unlistable { file: file.path.clone(), what: character.to_string() })
        }
        None => Ok(Listed { record, file: file.clone() }),
    }
}

fn pack(kind: RepositoryKind, listed: &[Listed]) -> Result<MetadataFile, PublishError> {
    let xml = xml(kind, listed)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&xml)?;
    let content = encoder.finish()?;
    let checksum = sha256_of(&content);
    let file = described(format!("{REPODATA}/{checksum}-{}.xml.gz", kind.name()), &content);
    Ok(MetadataFile { kind, open_checksum: sha256_of(&xml), open_size: xml.len(), file, content })
}

/// A file of that content, which is to be at `path`.
pub(super) fn described(path: String, content: &[u8]) -> PublishedFile {
    let size = content.len() as u64;
    let (sha256, blake3) = (sha256_of(content), Digest::compute(content));
    PublishedFile { path, size, sha256, blake3, nevra: None, times: None }
}

fn xml(kind: RepositoryKind, listed: &[Listed]) -> Result<Vec<u8>, PublishError> {
    let common = "http://linux.duke.edu/metadata";
    let (root, namespaces) = match kind {
        RepositoryKind::Primary => {
            ("metadata", format!("xmlns=\"{common}/common\" xmlns:rpm=\"{common}/rpm\""))
        }
        RepositoryKind::Filelists => ("filelists", format!("xmlns=\"{common}/filelists\"")),
        RepositoryKind::Other => ("otherdata", format!("xmlns=\"{common}/other\"")),
    };
    let count = listed.len();
    let head =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} {namespaces} packages=\"{count}\">\n");
    let mut xml = head.into_bytes();
    for Listed { record, file } in listed {
        let location = Location { href: &file.path, sha256: &file.sha256, size: file.size };
        record.write(kind, location, &mut xml)?;
    }
    xml.extend(format!("</{root}>\n").into_bytes());
    Ok(xml)
}

fn repomd(files: &[MetadataFile], revision: u64) -> String {
    let namespace = "http://linux.duke.edu/metadata/repo";
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"{namespace}\">\n  <revision>{revision}</revision>\n"
    );
    for MetadataFile { kind, open_checksum, open_size, file, .. } in files {
        let PublishedFile { path, size, sha256, .. } = file;
        // Writing to a String can't fail.
        let _ = write!(
            xml,
            "  <data type=\"{}\">\n    <checksum type=\"sha256\">{sha256}</checksum>\n    \
             <open-checksum type=\"sha256\">{open_checksum}</open-checksum>\n    \
             <location href=\"{path}\"/>\n    <timestamp>{revision}</timestamp>\n    \
             <size>{size}</size>\n    <open-size>{open_size}</open-size>\n  </data>\n",
            kind.name()
        );
    }
    xml.push_str("</repomd>\n");
    xml
}

/// SHA-256 in hexadecimal digits.
fn sha256_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
