//! Taking over a repository without a record: the packages in it that forge has published before are found in its own
//! metadata.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{BufRead, BufReader, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::inspect::read_times;
use super::limits::{LARGEST_PRIMARY, LARGEST_REPOMD, LONGEST_TEXT, MOST_NAMED};
use super::paths::{REPOMD, is_in_plain_layout, is_package_path, is_plain_path, package_of_path};
use super::record::{Keeping, PublishedFile, PublishedPackage};
use crate::chroot::{Repomd, unpacked};
use crate::digest::copy_digested;
use crate::event::Timestamp;
use crate::files::Folder;
use crate::package::{Evr, version_of_nevra};

/// What metadata say of a package file.
#[derive(Debug, Default, PartialEq, Eq)]
struct NamedPackage {
    href: String,
    sha256: String,
    nevra: String,
    /// The file name of its source package, which may be itself.
    source: String,
}

impl NamedPackage {
    /// The package of the manifest that it is of: the path says it, but for that of a plain layout. There it is taken for one of the
    /// package that is called as its source.
    fn package(&self) -> Option<&str> {
        match package_of_path(&self.href) {
            Some(package) => Some(package),
            None if is_plain_path(&self.href) => Some(self.source.rsplitn(3, '-').nth(2)?),
            None => None,
        }
    }

    /// What the files of one build have in common.
    fn build(&self) -> &str {
        match is_in_plain_layout(&self.href) {
            true => &self.source,
            false => self.href.split('/').next().unwrap_or_default(),
        }
    }
}

/// What metadata say of a repository.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FromMetadata {
    /// The packages that lie there as forge publishes them, and are what the metadata say.
    pub packages: Vec<PublishedPackage>,
    /// Files of such packages that are not there, or not what the metadata say.
    pub lost: Vec<String>,
    /// Files of packages of other names, at paths as forge publishes them.
    pub unknown: Vec<String>,
}

/// The packages called one of `names` that metadata name: of those that lie there in several builds, the one of the highest version is
/// the newest, and the others are older ones since `now`. None where there are no metadata that can be read.
pub(super) fn packages_named_by_metadata(
    folder: &Folder,
    names: &BTreeSet<&str>,
    now: Timestamp,
) -> Option<FromMetadata> {
    let primary = primary_on_disk(folder)?;
    let primary = unpacked(folder.open_regular(primary).ok()?).ok()?.take(LARGEST_PRIMARY);
    let named = named_packages(BufReader::new(primary))?;
    let mut seen = HashSet::new();
    let named = named.iter().filter(|named| seen.insert(&named.href));
    let (ours, others): (Vec<_>, Vec<_>) =
        named.filter_map(|named| Some((named.package()?, named))).partition(|(name, _)| names.contains(name));
    let files: Vec<Result<PublishedFile, String>> = ours
        .par_iter()
        .map(|(_, named)| published(folder, named).ok_or_else(|| named.href.clone()))
        .collect();
    let mut packages: BTreeMap<&str, BTreeMap<&str, Vec<PublishedFile>>> = BTreeMap::new();
    let mut lost = Vec::new();
    for ((package, named), file) in ours.into_iter().zip(files) {
        match file {
            Ok(file) => packages.entry(package).or_default().entry(named.build()).or_default().push(file),
            Err(path) => lost.push(path),
        }
    }
    let packages = packages.into_iter().flat_map(|(package, builds)| {
        let mut builds: Vec<Vec<PublishedFile>> = builds.into_values().collect();
        builds.sort_by(|one, other| version(other).compare(&version(one)));
        let builds = builds.into_iter().enumerate().map(|(place, files)| PublishedPackage {
            package: package.to_owned(),
            key: None,
            files: files.into(),
            signed: None,
            keeping: Keeping { since: (place > 0).then_some(now), ..Keeping::default() },
        });
        builds.collect::<Vec<_>>()
    });
    let packages = packages.collect();
    let unknown = others.into_iter().map(|(_, named)| named.href.clone()).collect();
    Some(FromMetadata { packages, lost, unknown })
}

/// Where the repository's `repomd.xml` says that the primary metadata are.
pub(super) fn primary_on_disk(folder: &Folder) -> Option<String> {
    Some(repomd_on_disk(folder)?.file("primary")?.href.clone())
}

/// The revision that the repository's `repomd.xml` says, if that is a number.
pub(super) fn revision_on_disk(folder: &Folder) -> Option<u64> {
    repomd_on_disk(folder)?.revision.trim().parse().ok()
}

fn repomd_on_disk(folder: &Folder) -> Option<Repomd> {
    Repomd::parse(folder.read_text_up_to(REPOMD, LARGEST_REPOMD).ok()?.as_bytes())
}

/// The version of a build.
fn version(files: &[PublishedFile]) -> Evr {
    let nevra = files.first().and_then(|file| file.nevra.as_deref());
    Evr::parse(&nevra.and_then(version_of_nevra).unwrap_or_default())
}

fn published(folder: &Folder, named: &NamedPackage) -> Option<PublishedFile> {
    let mut sha256 = Sha256::new();
    let (blake3, size) = copy_digested(folder.open_regular(&named.href).ok()?, &mut sha256).ok()?;
    let sha256: String = sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let times = Some(read_times(folder, &named.href).ok()?);
    let (path, nevra) = (named.href.clone(), Some(named.nevra.clone()));
    (sha256 == named.sha256).then_some(PublishedFile { path, size, sha256, blake3, nevra, times })
}

/// The package files at paths as forge publishes them. None where the metadata end before their end (what is left out there
/// would not be known as forge's) or have more in them than such metadata have.
fn named_packages(primary: impl BufRead) -> Option<Vec<NamedPackage>> {
    // What is read for one part of them is read into memory: a tag, or the text between two.
    let mut reader = Reader::from_reader(primary.take(LONGEST_TEXT));
    let (mut packages, mut named) = (Vec::new(), NamedPackage::default());
    let (mut name, mut arch, mut version) = (String::new(), String::new(), String::new());
    let (mut text, mut buffer) = (String::new(), Vec::new());
    loop {
        buffer.clear();
        reader.get_mut().set_limit(LONGEST_TEXT);
        match reader.read_event_into(&mut buffer).ok()? {
            Event::Eof => return None,
            Event::Start(_) => text.clear(),
            Event::Text(part) if (text.len() + part.len()) as u64 >= LONGEST_TEXT => return None,
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
                "rpm:sourcerpm" => named.source = std::mem::take(&mut text),
                "package" if packages.len() == MOST_NAMED => return None,
                "package" => {
                    named.nevra = format!("{name}-{version}.{arch}");
                    let mut named = std::mem::take(&mut named);
                    if named.source.is_empty() {
                        named.source = named.href.rsplit('/').next().unwrap_or_default().to_owned();
                    }
                    packages.extend(Some(named).filter(is_at_our_path));
                }
                "metadata" => return Some(packages),
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

fn is_at_our_path(named: &NamedPackage) -> bool {
    is_package_path(&named.href) && named.href.ends_with(".rpm")
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
        let sum = format!("<checksum type=\"sha256\">{}</checksum>", "0".repeat(64));
        let location = "<location href=\"primary.xml.gz\"/>";
        let repomd = format!("<repomd><data type=\"primary\">{sum}{location}</data></repomd>");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, PRIMARY.as_bytes()).unwrap();
        folder.dir().write("primary.xml.gz", packed.finish().unwrap()).unwrap();
        folder.dir().write(REPOMD, repomd).unwrap();
        let read = || packages_named_by_metadata(&folder, &BTreeSet::new(), Timestamp(0));
        assert_eq!(read().unwrap().unknown, ["a-0123456789ab/a.rpm", "b-0123456789ab/b.rpm"]);
        let file = folder.dir().open_with(REPOMD, cap_std::fs::OpenOptions::new().write(true)).unwrap();
        file.set_len(LARGEST_REPOMD + 1).unwrap();
        assert_eq!(read(), None);
    }

    /// A reader that counts what it gives.
    struct Counted<R>(R, std::rc::Rc<std::cell::Cell<u64>>);

    impl<R: Read> Read for Counted<R> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1.set(self.1.get() + read as u64);
            Ok(read)
        }
    }

    #[test]
    fn a_part_of_metadata_that_is_too_long_is_not_read_to_its_end() {
        for (start, byte) in [
            ("<metadata>", b' '),
            ("<metadata><name>", b'a'),
            ("<metadata><!--", b'-'),
            ("<metadata><a b='", b'<'),
            ("<metadata><![CDATA[", b'<'),
            ("<metadata>&", b'a'),
            ("<metadata><?", b'<'),
            ("<!DOCTYPE ", b'<'),
        ] {
            let count = std::rc::Rc::<std::cell::Cell<u64>>::default();
            let endless = start.as_bytes().chain(std::io::repeat(byte).take(10 * LONGEST_TEXT));
            assert_eq!(named_packages(BufReader::new(Counted(endless, count.clone()))), None, "{start}");
            assert!(count.get() < 2 * LONGEST_TEXT, "{start}: {} bytes", count.get());
        }
    }

    #[test]
    fn much_that_is_short_is_read() {
        let blanks = " ".repeat(1 << 20);
        let primary = PRIMARY.replace("<package ", &format!("{blanks}<!-- {blanks} --><package "));
        assert_eq!(named_packages(primary.as_bytes()).unwrap().len(), 2);
    }
}
