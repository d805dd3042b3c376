//! What a package has built in, as one archive that is the same wherever it is made.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use tar::{EntryType, Header};

use super::package::{NpmPackage, check_package, is_wanted};
use super::resolve::Resolved;
use crate::source::made_spec::{
    ArchiveFile, BundledPackage, MadeSpecError, RegistryAccess, read_archive, regular_files,
};
use crate::store::Blob;

/// As npm has it: 26 October 1985.
const MODIFIED: u64 = 499_162_500;
const COMPRESSION_LEVEL: i32 = 9;

/// A package that is built in, with its file.
pub struct PlacedPackage {
    /// Its folder.
    pub folder: String,
    /// What it is.
    pub package: Resolved,
    /// The name of its file.
    pub file: String,
    /// Its file.
    pub blob: Blob,
}

/// Writes the archive; gives what each package says of itself.
pub fn write_bundle(
    access: &RegistryAccess<'_>,
    packages: &[PlacedPackage],
    out: &mut dyn Write,
) -> Result<Vec<BundledPackage>, MadeSpecError> {
    let mut archive = tar::Builder::new(zstd::Encoder::new(out, COMPRESSION_LEVEL)?);
    let mut bundled = BTreeMap::new();
    for placed in packages {
        let bytes = access.store.read_blob(&placed.blob, |mut reader| {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            Ok::<_, MadeSpecError>(bytes)
        })?;
        let content = read_archive(&placed.file, placed.blob.size, bytes.as_slice(), &is_wanted)?;
        let package = NpmPackage::read(&placed.file, content)?;
        check_package(&placed.file, &placed.package, &package)?;
        if package.is_native {
            return Err(MadeSpecError::NpmNative { project: placed.package.name.clone() });
        }
        append_files(&mut archive, placed, &package.top, &bytes)?;
        let Resolved { name, version } = placed.package.clone();
        bundled.insert(
            (name.clone(), version.clone()),
            BundledPackage { name, version, license: package.license },
        );
    }
    archive.into_inner()?.finish()?;
    Ok(bundled.into_values().collect())
}

/// Appends the files of a package that was looked at.
fn append_files<W: Write>(
    archive: &mut tar::Builder<W>,
    placed: &PlacedPackage,
    top: &str,
    bytes: &[u8],
) -> Result<(), MadeSpecError> {
    let mut files: BTreeMap<String, (u32, Vec<u8>)> = BTreeMap::new();
    for ArchiveFile { path, mode, content } in regular_files(&placed.file, bytes)? {
        if let Some(below) = path.strip_prefix(top).and_then(|rest| rest.strip_prefix('/')) {
            files.insert(below.to_owned(), (mode, content));
        }
    }
    for (path, (mode, content)) in files {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(MODIFIED);
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, format!("{}/{path}", placed.folder), content.as_slice())?;
    }
    Ok(())
}
