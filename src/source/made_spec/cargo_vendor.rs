//! Crates that are built in: those that a `Cargo.lock` names, as one archive that is the same wherever it is made.

use std::io::{self, Read, Write};

use serde::Deserialize;
use tar::{EntryType, Header};

use super::access::{RegistryAccess, RegistryFile};
use super::archive::read_archive;
use super::archive::{ArchiveFile, regular_files};
use super::bundled::BundledPackage;
use super::error::MadeSpecError;
use super::license::license_from_text;
use super::spec_writer::SpecWriter;
use super::text::is_plain_name;
use crate::digest::Checksum;
use crate::store::Blob;

/// A crate that a `Cargo.lock` names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CargoPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of its file.
    pub checksum: Checksum,
}

/// A `Cargo.lock`, as far as it is looked at.
#[derive(Deserialize)]
struct CargoLock {
    #[serde(default)]
    package: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

/// How `Cargo.lock` names crates.io.
const CRATES_IO: [&str; 2] =
    ["registry+https://github.com/rust-lang/crates.io-index", "registry+https://index.crates.io/"];
/// How large a crate may be, in bytes. crates.io takes 10 MiB, and more of those few whom it has allowed that.
const LARGEST_CRATE: u64 = 16 * (10 << 20);
/// As cargo has it, since zip files know no earlier years: 24 July 2006.
const MODIFIED: u64 = 1_153_704_088;
const COMPRESSION_LEVEL: i32 = 9;

/// The crates that a `Cargo.lock` names, by their names; those that lie beside it are not among them.
///
/// # Errors
/// It is none, or has a crate that is not of crates.io.
pub fn read_cargo_lock(file: &str, text: &str) -> Result<Vec<CargoPackage>, MadeSpecError> {
    let lock: CargoLock =
        toml::from_str(text).map_err(|error| MadeSpecError::unreadable(file, error.message()))?;
    let mut packages = Vec::new();
    for package in lock.package {
        let Some(source) = package.source else { continue };
        let is_known = CRATES_IO.contains(&source.as_str());
        let checksum = package.checksum.and_then(|hex| Checksum::new("sha256", &hex).ok());
        let Some(checksum) = checksum.filter(|_| is_known) else {
            let shown = |text: &str| text.chars().flat_map(char::escape_debug).take(200).collect();
            return Err(MadeSpecError::CargoSource {
                package: shown(&package.name),
                source_text: shown(&source),
            });
        };
        for (part, text) in [("name", &package.name), ("version", &package.version)] {
            if !is_plain_name(text) {
                return Err(MadeSpecError::unreadable(
                    file,
                    format_args!("{text:?} is no {part} of a crate"),
                ));
            }
        }
        packages.push(CargoPackage { name: package.name, version: package.version, checksum });
    }
    packages.sort();
    packages.dedup();
    Ok(packages)
}

/// The name of the archive of what a package has built in.
pub fn vendor_name(package: &str, version: &str) -> String {
    format!("{package}-{version}-vendor.tar.zst")
}

impl CargoPackage {
    /// Its file, at crates.io.
    pub fn file_name(&self) -> String {
        format!("{}-{}.crate", self.name, self.version)
    }

    /// Its file, where an index says that files are.
    pub fn file_at(&self, downloads: &str) -> RegistryFile {
        let url = match downloads.contains('{') {
            true => downloads
                .replace("{crate}", &self.name)
                .replace("{version}", &self.version)
                .replace("{prefix}", &index_folder(&self.name))
                .replace("{lowerprefix}", &index_folder(&self.name).to_lowercase())
                .replace("{sha256-checksum}", self.checksum.hex()),
            false => format!("{downloads}/{}/{}/download", self.name, self.version),
        };
        let checksum = Some(self.checksum.clone());
        RegistryFile { name: self.file_name(), url, checksum, size: None, most: LARGEST_CRATE }
    }
}

/// The folder of a crate in an index.
pub fn index_folder(name: &str) -> String {
    let part = |range: std::ops::Range<usize>| name.get(range).unwrap_or_default();
    match name.len() {
        0..=2 => name.len().to_string(),
        3 => format!("3/{}", part(0..1)),
        _ => format!("{}/{}", part(0..2), part(2..4)),
    }
}

/// Writes the archive, `vendor/NAME-VERSION/…`, of crates and their files; gives what each crate says of itself.
///
/// # Errors
/// A crate holds what doesn't belong there, or can't be read.
fn write_vendor(
    access: &RegistryAccess<'_>,
    crates: &[(CargoPackage, Blob)],
    out: &mut dyn Write,
) -> Result<Vec<BundledPackage>, MadeSpecError> {
    let mut archive = tar::Builder::new(zstd::Encoder::new(out, COMPRESSION_LEVEL)?);
    let mut licenses = Vec::new();
    for (package, blob) in crates {
        let files = access.store.read_blob(blob, |reader| read_crate(package, blob.size, reader))?;
        let manifest = files.iter().find(|file| file.path == "Cargo.toml");
        let manifest = manifest.map(|file| String::from_utf8_lossy(&file.content).into_owned());
        licenses.push(BundledPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            license: manifest.as_deref().and_then(license_in_manifest),
        });
        let folder = format!("vendor/{}-{}", package.name, package.version);
        for file in &files {
            append(&mut archive, &format!("{folder}/{}", file.path), file.mode, &file.content)?;
        }
        let checksum = format!("{{\"files\":{{}},\"package\":\"{}\"}}", package.checksum.hex());
        append(&mut archive, &format!("{folder}/.cargo-checksum.json"), 0o644, checksum.as_bytes())?;
    }
    archive.into_inner()?.finish()?;
    Ok(licenses)
}

/// What an index says of itself.
#[derive(Deserialize)]
struct IndexSettings {
    dl: String,
}

/// The files of crates, in the store.
///
/// # Errors
/// One can't be had.
fn crate_files(
    access: &RegistryAccess<'_>,
    index: &str,
    packages: &[CargoPackage],
) -> Result<Vec<(CargoPackage, Blob)>, MadeSpecError> {
    // Where all are in the store, the index need not be asked where they would be.
    let stored = packages.iter().map(|package| access.stored(&package.checksum));
    let blobs = match stored.collect::<Option<Vec<Blob>>>() {
        Some(blobs) => blobs,
        None => {
            let downloads = read_downloads(access, index)?;
            let files: Vec<RegistryFile> =
                packages.iter().map(|package| package.file_at(&downloads)).collect();
            access.files(&files)?.into_iter().map(|(blob, _)| blob).collect()
        }
    };
    Ok(packages.iter().cloned().zip(blobs).collect())
}

/// Where an index says that crates can be had.
fn read_downloads(access: &RegistryAccess<'_>, index: &str) -> Result<String, MadeSpecError> {
    let settings: Option<IndexSettings> = access.json(&format!("{index}/config.json"))?;
    let unreadable = || MadeSpecError::unreadable("config.json", "the index of crates has none");
    Ok(settings.ok_or_else(unreadable)?.dl)
}

/// Where the file of a crate can be had.
///
/// # Errors
/// The index can't be asked.
pub fn find_crate_file(
    access: &RegistryAccess<'_>,
    index: &str,
    package: &CargoPackage,
) -> Result<RegistryFile, MadeSpecError> {
    Ok(package.file_at(&read_downloads(access, index)?))
}

/// The file of one crate, in the store.
///
/// # Errors
/// It can't be had.
pub fn fetch_crate(
    access: &RegistryAccess<'_>,
    index: &str,
    package: &CargoPackage,
) -> Result<Blob, MadeSpecError> {
    let found = crate_files(access, index, std::slice::from_ref(package))?;
    let missing = || MadeSpecError::NotStored { wanted: format!("`{}`", package.file_name()) };
    found.into_iter().next().map(|(_, blob)| blob).ok_or_else(missing)
}

/// Crates in the store as one archive, and what each says of itself.
///
/// # Errors
/// One can't be had, or holds what doesn't belong there.
pub fn make_vendor(
    access: &RegistryAccess<'_>,
    index: &str,
    packages: &[CargoPackage],
) -> Result<(Blob, Vec<BundledPackage>), MadeSpecError> {
    let found = crate_files(access, index, packages)?;
    let mut bundled = Vec::new();
    let archive = access.take_in_made(|out| {
        bundled = write_vendor(access, &found, out)?;
        Ok(())
    })?;
    Ok((archive, bundled))
}

/// Writes into `%prep` that crates come from the archive.
pub fn write_cargo_config(spec: &mut SpecWriter) {
    spec.line("mkdir -p .cargo").line("cat >> .cargo/config.toml << 'EOF'").line("[source.crates-io]");
    spec.line("replace-with = \"vendored-sources\"").line("").line("[source.vendored-sources]");
    spec.line("directory = \"vendor\"").line("EOF");
}

/// A file of a crate.
struct CrateFile {
    path: String,
    mode: u32,
    content: Vec<u8>,
}

/// The files of a crate, by their paths. Links are none that `cargo package` writes.
fn read_crate(
    package: &CargoPackage,
    packed: u64,
    reader: impl Read,
) -> Result<Vec<CrateFile>, MadeSpecError> {
    let name = package.file_name();
    let unreadable = |error: io::Error| MadeSpecError::unreadable(&name, error);
    let mut bytes = Vec::new();
    io::BufReader::new(reader).read_to_end(&mut bytes).map_err(unreadable)?;
    // It is looked at first: what follows need not be careful.
    let content = read_archive(&name, packed, bytes.as_slice(), &|_| false)?;
    let top = format!("{}-{}", package.name, package.version);
    let mut files = Vec::with_capacity(content.files.len());
    for ArchiveFile { path, mode, content } in regular_files(&name, &bytes)? {
        let Some(below) = path.strip_prefix(&top).and_then(|rest| rest.strip_prefix('/')) else {
            return Err(MadeSpecError::unreadable(
                &name,
                format_args!("it has {path:?}, which is not below {top}"),
            ));
        };
        files.push(CrateFile { path: below.to_owned(), mode, content });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.dedup_by(|one, other| one.path == other.path);
    Ok(files)
}

/// The license that the manifest of a crate names.
pub fn license_in_manifest(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    license_from_text(table.get("package")?.get("license")?.as_str()?)
}

fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    path: &str,
    mode: u32,
    content: &[u8],
) -> Result<(), MadeSpecError> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(MODIFIED);
    header.set_size(content.len() as u64);
    Ok(archive.append_data(&mut header, path, content)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_of_a_lock_are_those_of_the_registry() {
        let hex = "ab".repeat(32);
        let text = format!(
            "version = 4\n[[package]]\nname = \"me\"\nversion = \"1.0.0\"\n[[package]]\nname = \"libc\"\nversion = \"0.2.1\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{hex}\"\n"
        );
        let packages = read_cargo_lock("Cargo.lock", &text).unwrap();
        assert_eq!(packages.len(), 1);
        assert_eq!(packages[0].file_name(), "libc-0.2.1.crate");
        assert_eq!(
            packages[0].file_at("https://a.example/dl").url,
            "https://a.example/dl/libc/0.2.1/download"
        );
        let template = "https://a.example/{prefix}/{crate}-{version}.crate";
        assert_eq!(packages[0].file_at(template).url, "https://a.example/li/bc/libc-0.2.1.crate");
        let other = text
            .replace("registry+https://github.com/rust-lang/crates.io-index", "git+https://a.example/x#1");
        assert!(matches!(read_cargo_lock("Cargo.lock", &other), Err(MadeSpecError::CargoSource { .. })));
        let odd = text.replace("libc", "../libc");
        assert!(matches!(read_cargo_lock("Cargo.lock", &odd), Err(MadeSpecError::Unreadable { .. })));
    }

    #[test]
    fn crates_lie_in_folders_of_the_index_by_their_names() {
        for (name, folder) in [("a", "1"), ("ab", "2"), ("abc", "3/a"), ("serde", "se/rd")] {
            assert_eq!(index_folder(name), folder);
        }
    }
}
