//! `primary`: what each package needs and gives, package by package.

use std::io::BufRead;

use super::limits::{LARGEST_PACKAGE, MOST_ENTRIES, MOST_PACKAGES};
use super::names::{check_file, check_href, check_text, check_word};
use super::problem::MetadataProblem;
use super::xml::{XmlNode, XmlReader};
use crate::chroot::{AvailablePackage, Relations, Requirement};
use crate::digest::Checksum;
use crate::package::{Comparison, Dependency, Evr};

/// Reads the packages of `primary` one after the other.
pub(super) struct PrimaryReader<R: BufRead> {
    xml: XmlReader<R>,
    count: u64,
}

impl<R: BufRead> PrimaryReader<R> {
    /// Begins to read.
    pub fn new(content: R, most_bytes: u64) -> Result<Self, MetadataProblem> {
        let mut xml = XmlReader::new(content, most_bytes);
        xml.open("metadata")?;
        Ok(Self { xml, count: 0 })
    }

    /// The next package.
    pub fn next_package(&mut self) -> Result<Option<AvailablePackage>, MetadataProblem> {
        while self.xml.child()? {
            if self.xml.name() != "package" {
                self.xml.skip()?;
                continue;
            }
            self.count += 1;
            if self.count > MOST_PACKAGES {
                let what = "it has more packages".to_owned();
                return Err(MetadataProblem::TooLarge { what, most: MOST_PACKAGES });
            }
            return self.read_package().map(Some);
        }
        // What stands behind the end may break the XML still.
        match self.xml.step()? {
            XmlNode::EndOfFile => Ok(None),
            XmlNode::Begin | XmlNode::End => Err(MetadataProblem::malformed("it goes on behind its end")),
        }
    }

    /// How many bytes it has, as far as it was read.
    pub fn position(&mut self) -> u64 {
        self.xml.position()
    }

    fn read_package(&mut self) -> Result<AvailablePackage, MetadataProblem> {
        let mut package = PackageFields::default();
        while self.xml.child()? {
            package.read_field(&mut self.xml)?;
        }
        package.finish()
    }
}

/// Where the packages are that an unpacked `primary` of at most so many bytes names, and the checksums of their files. None where it can't be
/// read.
pub fn named_in_primary(content: impl BufRead, most_bytes: u64) -> Option<Vec<(String, Checksum)>> {
    let mut reader = PrimaryReader::new(content, most_bytes).ok()?;
    let mut named = Vec::new();
    while let Some(package) = reader.next_package().ok()? {
        named.push((package.href, package.checksum));
    }
    Some(named)
}

/// A package while it is read.
#[derive(Default)]
struct PackageFields {
    name: Option<String>,
    arch: Option<String>,
    evr: Option<Evr>,
    checksum: Option<Checksum>,
    href: Option<String>,
    size: u64,
    installed_size: u64,
    build_time: u64,
    vendor: String,
    source_package: String,
    relations: Relations,
    files: Vec<String>,
    entries: usize,
}

impl PackageFields {
    fn read_field(&mut self, xml: &mut XmlReader<impl BufRead>) -> Result<(), MetadataProblem> {
        match xml.name() {
            "name" => self.name = Some(check_word("name of a package", xml.text()?)?),
            "arch" => self.arch = Some(check_word("architecture", xml.text()?)?),
            "version" => {
                self.evr = Some(read_evr(xml)?);
                xml.skip()?;
            }
            "checksum" => {
                let algorithm = xml.needed("type")?.to_owned();
                self.checksum = Some(Checksum::new(&algorithm, xml.text()?.trim())?);
            }
            "time" => {
                self.build_time =
                    xml.attribute("build").and_then(|text| text.parse().ok()).unwrap_or_default();
                xml.skip()?;
            }
            "size" => {
                self.size = xml.number("package")?;
                self.installed_size =
                    xml.attribute("installed").and_then(|text| text.parse().ok()).unwrap_or_default();
                xml.skip()?;
            }
            "location" => {
                self.href = Some(read_href(xml)?);
                xml.skip()?;
            }
            "format" => {
                while xml.child()? {
                    self.read_format(xml)?;
                }
            }
            _ => xml.skip()?,
        }
        Ok(())
    }

    fn read_format(&mut self, xml: &mut XmlReader<impl BufRead>) -> Result<(), MetadataProblem> {
        let relations = &mut self.relations;
        let list = match xml.name() {
            "provides" => &mut relations.provides,
            "requires" => return self.read_requires(xml),
            "conflicts" => &mut relations.conflicts,
            "obsoletes" => &mut relations.obsoletes,
            "recommends" => &mut relations.recommends,
            "suggests" => &mut relations.suggests,
            "supplements" => &mut relations.supplements,
            "enhances" => &mut relations.enhances,
            "file" => {
                count_entry(&mut self.entries)?;
                self.files.push(check_file(xml.text()?)?);
                return Ok(());
            }
            "vendor" => {
                self.vendor = xml.text()?;
                return Ok(());
            }
            "sourcerpm" => {
                self.source_package = check_text("source package", xml.text()?)?;
                return Ok(());
            }
            _ => return xml.skip(),
        };
        while xml.child()? {
            count_entry(&mut self.entries)?;
            list.push(read_dependency(xml)?);
            xml.skip()?;
        }
        Ok(())
    }

    fn read_requires(&mut self, xml: &mut XmlReader<impl BufRead>) -> Result<(), MetadataProblem> {
        while xml.child()? {
            count_entry(&mut self.entries)?;
            let before = xml.attribute("pre").is_some_and(|pre| pre == "1");
            self.relations.requires.push(Requirement { dependency: read_dependency(xml)?, before });
            xml.skip()?;
        }
        Ok(())
    }

    fn finish(self) -> Result<AvailablePackage, MetadataProblem> {
        let name = self.name.ok_or_else(|| MetadataProblem::malformed("a package has no name"))?;
        let missing = |what: &str| MetadataProblem::Malformed(format!("the package `{name}` has no {what}"));
        if self.size > LARGEST_PACKAGE {
            let what = format!("the package `{name}` is larger");
            return Err(MetadataProblem::TooLarge { what, most: LARGEST_PACKAGE });
        }
        Ok(AvailablePackage {
            evr: self.evr.ok_or_else(|| missing("version"))?,
            arch: self.arch.ok_or_else(|| missing("architecture"))?,
            relations: self.relations,
            files: self.files,
            href: self.href.ok_or_else(|| missing("location"))?,
            checksum: self.checksum.ok_or_else(|| missing("checksum"))?,
            size: self.size,
            installed_size: self.installed_size,
            build_time: self.build_time,
            vendor: self.vendor,
            source_package: self.source_package,
            name,
        })
    }
}

fn count_entry(entries: &mut usize) -> Result<(), MetadataProblem> {
    *entries += 1;
    match *entries > MOST_ENTRIES {
        true => Err(MetadataProblem::TooLarge {
            what: "a package has more dependencies and files".to_owned(),
            most: MOST_ENTRIES as u64,
        }),
        false => Ok(()),
    }
}

fn read_evr(xml: &XmlReader<impl BufRead>) -> Result<Evr, MetadataProblem> {
    let version = check_word("version", xml.needed("ver")?.to_owned())?;
    let release = check_word("release", xml.needed("rel")?.to_owned())?;
    let epoch = match xml.attribute("epoch").unwrap_or("0") {
        "" | "0" => None,
        text => {
            let problem = || MetadataProblem::Malformed(format!("`{}` is no epoch", text.escape_debug()));
            Some(text.parse().map_err(|_| problem())?)
        }
    };
    Ok(Evr { epoch, version, release: Some(release) })
}

/// Where a package is. A repository that was put together of others says where each is, in full.
fn read_href(xml: &XmlReader<impl BufRead>) -> Result<String, MetadataProblem> {
    let href = check_href(xml.needed("href")?.to_owned())?;
    match xml.attribute("xml:base") {
        None | Some("") => Ok(href),
        Some(base) => {
            let is_web = ["https://", "http://"].iter().any(|scheme| base.starts_with(scheme));
            let base = check_text("address of a package", base.to_owned())?;
            match is_web {
                true => Ok(format!("{}/{href}", base.trim_end_matches('/'))),
                false => Err(MetadataProblem::Name { what: "address of a package", text: base }),
            }
        }
    }
}

fn read_dependency(xml: &XmlReader<impl BufRead>) -> Result<Dependency, MetadataProblem> {
    let name = check_text("dependency", xml.needed("name")?.to_owned())?;
    let comparison = match xml.attribute("flags") {
        None | Some("") => None,
        Some(flags) => Some(read_comparison(flags)?),
    };
    let version = match comparison {
        None => None,
        Some(comparison) => Some((comparison, check_text("version", read_version(xml)?)?)),
    };
    Ok(Dependency { name, version })
}

fn read_comparison(flags: &str) -> Result<Comparison, MetadataProblem> {
    let operator: &[u8] = match flags {
        "LT" => b"<",
        "LE" => b"<=",
        "EQ" => b"=",
        "GE" => b">=",
        "GT" => b">",
        _ => b"",
    };
    let problem = || MetadataProblem::Malformed(format!("`{}` compares no versions", flags.escape_debug()));
    Comparison::read(operator).ok_or_else(problem)
}

fn read_version(xml: &XmlReader<impl BufRead>) -> Result<String, MetadataProblem> {
    let mut version = match xml.attribute("epoch").unwrap_or("0") {
        "" | "0" => String::new(),
        epoch => format!("{epoch}:"),
    };
    version.push_str(xml.needed("ver")?);
    if let Some(release) = xml.attribute("rel").filter(|release| !release.is_empty()) {
        version.push('-');
        version.push_str(release);
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::super::filelists::FilelistsReader;
    use super::super::repomd::Repomd;
    use super::*;

    const PRIMARY: &str = r#"<?xml version="1.0"?><metadata xmlns:rpm="r" packages="1"><package type="rpm"><name>a</name>
        <arch>noarch</arch><version epoch="1" ver="2" rel="3"/><checksum type="sha256" pkgid="YES">
        0123456789012345678901234567890123456789012345678901234567890123</checksum><time file="1" build="2"/>
        <size package="10" installed="20"/><location href="a.rpm" xml:base="https://m/b/"/><format><rpm:vendor>A &amp; B</rpm:vendor>
        <rpm:provides><rpm:entry name="a" flags="EQ" epoch="1" ver="2" rel="3"/></rpm:provides>
        <rpm:requires><rpm:entry name="(b if c)" pre="1"/></rpm:requires><file type="dir">/etc/a</file></format></package></metadata>"#;

    fn read(content: &[u8]) -> Result<Vec<AvailablePackage>, MetadataProblem> {
        let mut reader = PrimaryReader::new(BufReader::new(content), 100_000)?;
        let mut packages = Vec::new();
        while let Some(package) = reader.next_package()? {
            packages.push(package);
        }
        Ok(packages)
    }

    #[test]
    fn a_package_is_read_with_all_that_is_said_of_it() {
        let package = read(PRIMARY.as_bytes()).unwrap().remove(0);
        assert_eq!((package.evr.to_string().as_str(), package.build_time), ("1:2-3", 2));
        assert_eq!((package.size, package.installed_size, package.vendor.as_str()), (10, 20, "A & B"));
        assert_eq!(package.href, "https://m/b/a.rpm");
        assert_eq!(package.relations.provides[0].to_string(), "a = 1:2-3");
        assert!(package.relations.requires[0].before && package.relations.requires[0].dependency.is_rich());
        assert_eq!(package.files, ["/etc/a"]);
    }

    proptest! {
        #[test]
        fn no_change_of_metadata_breaks_more_than_reading_them(
            at in 0..PRIMARY.len(), length in 0..40_usize, instead in ".{0,20}",
        ) {
            let end = (at + length).min(PRIMARY.len());
            let changed = [&PRIMARY.as_bytes()[..at], instead.as_bytes(), &PRIMARY.as_bytes()[end..]].concat();
            if let Ok(packages) = read(&changed) {
                prop_assert!(packages.iter().all(|package| !package.name.is_empty() && !package.name.contains('/')));
            }
            let renamed = String::from_utf8_lossy(&changed).replace("metadata", "filelists");
            if let Ok(mut lists) = FilelistsReader::new(renamed.as_bytes(), 100_000) {
                let _ = lists.files_of("none");
            }
            let _ = Repomd::read(renamed.replace("filelists", "repomd").as_bytes());
        }
    }
}
