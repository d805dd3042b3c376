//! `repodata/`: the metadata files, and `repomd.xml` that names them.

use std::fmt::Write as _;
use std::io::{BufReader, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::PublishError;
use super::wanted::Wanted;
use crate::files::{EntryKind, Folder};
use crate::package::{Location, PackageRecord, RepositoryKind, read_metadata};

/// The folder of the metadata.
pub(super) const REPODATA: &str = "repodata";

/// The file that names the others.
pub(super) const REPOMD: &str = "repodata/repomd.xml";

/// A package file and where it is.
struct Listed {
    record: PackageRecord,
    href: String,
    sha256: String,
    size: u64,
}

struct MetadataFile {
    kind: RepositoryKind,
    name: String,
    checksum: String,
    open_checksum: String,
    size: usize,
    open_size: usize,
}

/// Writes the metadata of all wanted packages; gives how many package files there are.
pub(super) fn write(repository: &Folder, wanted: &[Wanted]) -> Result<usize, PublishError> {
    let listed: Vec<Vec<Listed>> =
        wanted.par_iter().map(|package| list(repository, package)).collect::<Result<_, _>>()?;
    let listed: Vec<Listed> = listed.into_iter().flatten().collect();
    let repodata = repository.create(REPODATA)?;
    let files = RepositoryKind::ALL.par_iter().map(|kind| write_kind(&repodata, *kind, &listed));
    let files: Vec<MetadataFile> = files.collect::<Result<_, _>>()?;
    // The newest package's time stands for the time of the update: the same packages give the same bytes.
    let revision = listed.iter().map(|listed| listed.record.build_time).max().unwrap_or_default();
    repodata.write_atomic("repomd.xml", repomd(&files, revision).as_bytes())?;
    Ok(listed.len())
}

fn list(repository: &Folder, package: &Wanted) -> Result<Vec<Listed>, PublishError> {
    if !repository.is_folder(&package.folder) {
        return Ok(Vec::new());
    }
    let folder = repository.folder(&package.folder)?;
    let files = folder.entries()?.into_iter().filter(|entry| entry.kind == EntryKind::File);
    files
        .filter(|entry| entry.name.ends_with(".rpm"))
        .map(|entry| list_file(&folder, package, entry.name))
        .collect()
}

fn list_file(folder: &Folder, package: &Wanted, name: String) -> Result<Listed, PublishError> {
    let metadata = read_metadata(&name, &mut BufReader::new(folder.open(&name)?))?;
    let record = PackageRecord::read(&name, &metadata)?;
    let known = package.result.as_ref().and_then(|result| result.files.iter().find(|file| file.name == name));
    let sha256 = match known {
        Some(file) => file.sha256.clone(),
        None => sha256_of_file(folder, &name)?,
    };
    let size = folder.file_size(&name).unwrap_or_default();
    Ok(Listed { record, href: format!("{}/{name}", package.folder), sha256, size })
}

fn sha256_of_file(folder: &Folder, name: &str) -> Result<String, PublishError> {
    let mut hasher = Sha256::new();
    std::io::copy(&mut folder.open(name)?, &mut hasher)?;
    Ok(hex(&hasher.finalize()))
}

fn write_kind(
    repodata: &Folder,
    kind: RepositoryKind,
    listed: &[Listed],
) -> Result<MetadataFile, PublishError> {
    let xml = xml(kind, listed)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&xml)?;
    let packed = encoder.finish()?;
    let checksum = hex(&Sha256::digest(&packed));
    let name = format!("{checksum}-{}.xml.gz", kind.name());
    if repodata.file_size(&name) != Some(packed.len() as u64) {
        repodata.write_atomic(&name, &packed)?;
    }
    let open_checksum = hex(&Sha256::digest(&xml));
    Ok(MetadataFile { kind, name, checksum, open_checksum, size: packed.len(), open_size: xml.len() })
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
    for Listed { record, href, sha256, size } in listed {
        record.write(kind, Location { href, sha256, size: *size }, &mut xml)?;
    }
    xml.extend(format!("</{root}>\n").into_bytes());
    Ok(xml)
}

fn repomd(files: &[MetadataFile], revision: u64) -> String {
    let namespace = "http://linux.duke.edu/metadata/repo";
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"{namespace}\">\n  <revision>{revision}</revision>\n"
    );
    for MetadataFile { kind, name, checksum, open_checksum, size, open_size } in files {
        // Writing to a String can't fail.
        let _ = write!(
            xml,
            "  <data type=\"{}\">\n    <checksum type=\"sha256\">{checksum}</checksum>\n    \
             <open-checksum type=\"sha256\">{open_checksum}</open-checksum>\n    \
             <location href=\"{REPODATA}/{name}\"/>\n    <timestamp>{revision}</timestamp>\n    \
             <size>{size}</size>\n    <open-size>{open_size}</open-size>\n  </data>\n",
            kind.name()
        );
    }
    xml.push_str("</repomd>\n");
    xml
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
