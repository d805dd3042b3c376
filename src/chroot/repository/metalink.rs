//! Metalinks: the mirrors of a `repomd.xml`, and what it must be (as Fedora's MirrorManager writes them, metalink 3.0).

use std::io::BufRead;

use super::limits::{LARGEST_SMALL_FILE, MOST_LISTED};
use super::problem::MetadataProblem;
use super::repomd::REPOMD;
use super::xml::XmlReader;
use crate::digest::{Checksum, ChecksumAlgorithm};
use crate::fetch::Address;

/// What a metalink says.
#[derive(Clone, Debug, Default)]
pub(super) struct Metalink {
    /// The repositories that have it, those to prefer first.
    pub repositories: Vec<Address>,
    /// Checksums of `repomd.xml`, of which it must have one: those of earlier versions, too, which mirrors may have still.
    pub checksums: Vec<Checksum>,
    /// That of the version that there is now, where it is the one that forge works out itself.
    pub current: Option<Checksum>,
}

impl Metalink {
    /// Reads a metalink.
    pub fn read(content: impl BufRead) -> Result<Self, MetadataProblem> {
        let mut xml = XmlReader::new(content, LARGEST_SMALL_FILE);
        xml.open("metalink")?;
        let mut found = Found::default();
        while xml.child()? {
            match xml.name() {
                "files" => {
                    while xml.child()? {
                        match xml.name() {
                            "file" if xml.attribute("name") == Some("repomd.xml") => {
                                found.read_file(&mut xml)?
                            }
                            _ => xml.skip()?,
                        }
                    }
                }
                _ => xml.skip()?,
            }
        }
        found.finish()
    }
}

#[derive(Default)]
struct Found {
    mirrors: Vec<(u64, Address)>,
    checksums: Vec<Checksum>,
    /// Of the version that there is now.
    current: Option<Checksum>,
    is_earlier: bool,
    weak: Vec<String>,
    listed: usize,
}

impl Found {
    /// The mirrors and the checksums of a file, or the checksums of an earlier version of it.
    fn read_file(&mut self, xml: &mut XmlReader<impl BufRead>) -> Result<(), MetadataProblem> {
        while xml.child()? {
            match xml.name() {
                "verification" => self.read_checksums(xml)?,
                "alternates" => {
                    self.is_earlier = true;
                    while xml.child()? {
                        self.read_file(xml)?;
                    }
                    self.is_earlier = false;
                }
                "resources" => {
                    while xml.child()? {
                        self.count()?;
                        self.read_mirror(xml)?;
                    }
                }
                _ => xml.skip()?,
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), MetadataProblem> {
        self.listed += 1;
        match self.listed > MOST_LISTED {
            true => {
                Err(MetadataProblem::TooLarge { what: "it lists more".to_owned(), most: MOST_LISTED as u64 })
            }
            false => Ok(()),
        }
    }

    fn read_checksums(&mut self, xml: &mut XmlReader<impl BufRead>) -> Result<(), MetadataProblem> {
        while xml.child()? {
            self.count()?;
            match xml.name() {
                "hash" => {
                    let algorithm = xml.needed("type")?.to_ascii_lowercase().replace('-', "");
                    match Checksum::new(&algorithm, xml.text()?.trim()) {
                        Ok(checksum) => {
                            if !self.is_earlier && checksum.algorithm() == ChecksumAlgorithm::Sha256 {
                                self.current = Some(checksum.clone());
                            }
                            self.checksums.push(checksum);
                        }
                        Err(error) => self.weak.push(error.text),
                    }
                }
                _ => xml.skip()?,
            }
        }
        Ok(())
    }

    fn read_mirror(&mut self, xml: &mut XmlReader<impl BufRead>) -> Result<(), MetadataProblem> {
        let preference = xml.attribute("preference").and_then(|text| text.parse().ok()).unwrap_or_default();
        let url = xml.text()?;
        // Others, such as rsync, are of no use.
        let address = Address::parse(url.trim()).ok().filter(|address| address.local_path().is_none());
        if let Some(repository) = address.and_then(|address| address.without_end(REPOMD)) {
            self.mirrors.push((preference, repository));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Metalink, MetadataProblem> {
        if self.mirrors.is_empty() {
            return Err(MetadataProblem::malformed(
                "it names no mirror of `repodata/repomd.xml` to fetch from",
            ));
        }
        if self.checksums.is_empty() {
            return Err(match self.weak.pop() {
                Some(weak) => MetadataProblem::WeakChecksum(weak),
                None => MetadataProblem::malformed("it says no checksum of `repomd.xml`"),
            });
        }
        self.mirrors.sort_by_key(|(preference, _)| std::cmp::Reverse(*preference));
        let repositories = self.mirrors.into_iter().map(|(_, address)| address).collect();
        Ok(Metalink { repositories, checksums: self.checksums, current: self.current })
    }
}
