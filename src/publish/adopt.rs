//! Taking over a repository without a record: the packages in it that forge has published before are found in its own
//! metadata.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read;

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
    let mut xml = String::new();
    GzDecoder::new(folder.open_regular(primary).ok()?).take(LARGEST_PRIMARY).read_to_string(&mut xml).ok()?;
    let named = named_packages(&xml)?;
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

fn named_packages(primary: &str) -> Option<Vec<Named>> {
    let mut reader = Reader::from_str(primary);
    let (mut packages, mut named) = (Vec::new(), Named::default());
    let (mut name, mut arch, mut version) = (String::new(), String::new(), String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Eof => return Some(packages),
            Event::Start(tag) => match tag.name().as_ref() {
                "name" => name = reader.read_text(tag.name()).ok()?.into_inner().into_owned(),
                "arch" => arch = reader.read_text(tag.name()).ok()?.into_inner().into_owned(),
                "checksum" => named.sha256 = reader.read_text(tag.name()).ok()?.into_inner().into_owned(),
                _ => {}
            },
            Event::Empty(tag) => match tag.name().as_ref() {
                "version" => version = evr(&tag),
                "location" => named.href = attribute(&tag, "href")?,
                _ => {}
            },
            Event::End(tag) if tag.name().as_ref() == "package" => {
                named.nevra = format!("{name}-{version}.{arch}");
                packages.push(std::mem::take(&mut named));
            }
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
