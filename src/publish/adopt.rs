//! Taking over a repository without a record: the packages in it that forge has published before are found in its own
//! metadata.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{BufRead, BufReader, Read};

use flate2::read::GzDecoder;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::inspect::read_times;
use super::limits::{LARGEST_PRIMARY, LARGEST_REPOMD};
use super::paths::{REPOMD, package_of_path};
use super::record::{PublishedFile, PublishedPackage};
use crate::digest::copy_digested;
use crate::files::Folder;

/// What metadata say of a package file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Named {
    href: String,
    sha256: String,
    nevra: String,
}

/// The packages of those `declared` that lie in the repository as forge publishes them, are named by its metadata and are
/// what these say. None where there are no metadata that can be read.
pub(super) fn packages_named_by_metadata(
    folder: &Folder,
    declared: &BTreeSet<&str>,
) -> Option<Vec<PublishedPackage>> {
    let repomd = folder.read_text_up_to(REPOMD, LARGEST_REPOMD).ok()?;
    let primary = primary_href(&repomd)?;
    let primary = GzDecoder::new(folder.open_regular(primary).ok()?).take(LARGEST_PRIMARY);
    let named = named_packages(BufReader::new(primary))?;
    let mut seen = HashSet::new();
    let named = named.iter().filter(|named| seen.insert(&named.href));
    let ours: Vec<(&str, &Named)> =
        named.filter_map(|named| Some((package_of(&named.href, declared)?, named))).collect();
    let files: Vec<(&str, PublishedFile)> = ours
        .into_par_iter()
        .filter_map(|(package, named)| Some((package, published(folder, named)?)))
        .collect();
    let mut packages: BTreeMap<&str, Vec<PublishedFile>> = BTreeMap::new();
    for (package, file) in files {
        packages.entry(package).or_default().push(file);
    }
    let package =
        |(package, files): (&str, _)| PublishedPackage { package: package.to_owned(), key: None, files };
    Some(packages.into_iter().map(package).collect())
}

fn package_of<'a>(href: &str, declared: &BTreeSet<&'a str>) -> Option<&'a str> {
    declared.get(package_of_path(href)?).copied().filter(|_| href.ends_with(".rpm"))
}

fn published(folder: &Folder, named: &Named) -> Option<PublishedFile> {
    let mut sha256 = Sha256::new();
    let (blake3, size) = copy_digested(folder.open_regular(&named.href).ok()?, &mut sha256).ok()?;
    let sha256: String = sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let times = Some(read_times(folder, &named.href).ok()?);
    let (path, nevra) = (named.href.clone(), Some(named.nevra.clone()));
    (sha256 == named.sha256).then_some(PublishedFile { path, size, sha256, blake3, nevra, times })
}

/// Where `repomd.xml` says that the primary metadata are.
fn primary_href(repomd: &str) -> Option<String> {
    let mut reader = Reader::from_str(repomd);
    let mut is_primary = false;
    loop {
        match reader.read_event().ok()? {
            Event::Eof => return None,
            Event::Start(tag) if tag.name().as_ref() == "data" => {
                is_primary = attribute(&tag, "type").is_some_and(|kind| kind == "primary");
            }
            Event::Start(tag) | Event::Empty(tag) if is_primary && tag.name().as_ref() == "location" => {
                return attribute(&tag, "href");
            }
            _ => {}
        }
    }
}

/// None where they end before their end: what is left out there would not be known as forge's.
fn named_packages(primary: impl BufRead) -> Option<Vec<Named>> {
    let mut reader = Reader::from_reader(primary);
    let (mut packages, mut named) = (Vec::new(), Named::default());
    let (mut name, mut arch, mut version) = (String::new(), String::new(), String::new());
    let (mut text, mut buffer) = (String::new(), Vec::new());
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).ok()? {
            Event::Eof => return None,
            Event::Start(_) => text.clear(),
            Event::Text(part) => text.push_str(&part),
            Event::Empty(tag) => match tag.name().as_ref() {
                "version" => version = evr(&tag),
                "location" => named.href = attribute(&tag, "href")?,
                "metadata" => return Some(packages),
                _ => {}
            },
            Event::End(tag) => match tag.name().as_ref() {
                "name" => name = std::mem::take(&mut text),
                "arch" => arch = std::mem::take(&mut text),
                "checksum" => named.sha256 = std::mem::take(&mut text),
                "package" => {
                    named.nevra = format!("{name}-{version}.{arch}");
                    packages.push(std::mem::take(&mut named));
                }
                "metadata" => return Some(packages),
                _ => {}
            },
            _ => {}
        }
    }
}

/// `[epoch:]version-release` of a `<version>`.
fn evr(tag: &BytesStart<'_>) -> String {
    let part = |name: &str| attribute(tag, name).unwrap_or_default();
    let epoch = Some(part("epoch")).filter(|epoch| !epoch.is_empty() && epoch != "0");
    let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
    format!("{epoch}{}-{}", part("ver"), part("rel"))
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::HostPath;

    const PRIMARY: &str = r#"<metadata packages="2"><package type="rpm"><name>a</name><arch>noarch</arch>
        <version epoch="0" ver="1" rel="2"/><checksum type="sha256">0a</checksum><location href="a-0123456789ab/a.rpm"/>
        </package><package type="rpm"><name>b</name><arch>noarch</arch><version epoch="3" ver="1" rel="2"/>
        <checksum type="sha256">0b</checksum><location href="b-0123456789ab/b.rpm"/></package></metadata>"#;

    #[test]
    fn packages_are_read_from_metadata_that_are_whole() {
        let named = named_packages(PRIMARY.as_bytes()).unwrap();
        let shown = named.iter().map(|named| (&*named.href, &*named.sha256, &*named.nevra));
        assert!(shown.eq([
            ("a-0123456789ab/a.rpm", "0a", "a-1-2.noarch"),
            ("b-0123456789ab/b.rpm", "0b", "b-3:1-2.noarch")
        ]));
    }

    #[test]
    fn metadata_that_end_too_early_name_nothing() {
        for end in 0..PRIMARY.len() - 1 {
            assert_eq!(named_packages(&PRIMARY.as_bytes()[..end]), None, "of {end} bytes");
        }
    }

    #[test]
    fn metadata_that_are_too_large_are_not_read() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        folder.dir().create_dir("repodata").unwrap();
        let repomd = r#"<repomd><data type="primary"><location href="primary.xml.gz"/></data></repomd>"#;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, PRIMARY.as_bytes()).unwrap();
        folder.dir().write("primary.xml.gz", packed.finish().unwrap()).unwrap();
        folder.dir().write(REPOMD, repomd).unwrap();
        let read = || packages_named_by_metadata(&folder, &BTreeSet::new());
        assert_eq!(read(), Some(Vec::new()));
        let file = std::fs::File::options().write(true).open(temp.path().join(REPOMD)).unwrap();
        file.set_len(LARGEST_REPOMD + 1).unwrap();
        assert_eq!(read(), None);
    }
}
