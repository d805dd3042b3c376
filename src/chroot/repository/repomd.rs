//! `repodata/repomd.xml`: which files of metadata a repository has.

use std::io::BufRead;

use super::limits::{LARGEST_PACKED, LARGEST_SMALL_FILE, MOST_LISTED};
use super::names::{check_href, check_text, check_word};
use super::problem::MetadataProblem;
use super::xml::XmlReader;
use crate::digest::Checksum;

/// Where it is below a repository.
pub(super) const REPOMD: &str = "repodata/repomd.xml";

/// What `repomd.xml` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repomd {
    /// The revision, mostly the time that it was made.
    pub revision: String,
    /// The newest of its files' times, in seconds since 1970.
    pub time: u64,
    /// Its files, each of another kind.
    pub files: Vec<MetadataFile>,
    /// The kinds of files that are of no use here, and of which it does not say where they are or what their checksums are.
    pub unknown: Vec<String>,
}

/// A file of metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataFile {
    /// `primary`, `filelists`, `group`.
    pub kind: String,
    /// Where it is, relative to the repository.
    pub href: String,
    /// Of the file as it is fetched.
    pub checksum: Checksum,
    /// The size of that, in bytes.
    pub size: Option<u64>,
    /// Its size unpacked, in bytes.
    pub open_size: Option<u64>,
}

impl Repomd {
    /// What a `repomd.xml` says; none where it is none.
    pub fn parse(content: &[u8]) -> Option<Self> {
        Self::read(content).ok()
    }

    /// Reads a `repomd.xml`.
    pub(super) fn read(content: impl BufRead) -> Result<Self, MetadataProblem> {
        let mut xml = XmlReader::new(content, LARGEST_SMALL_FILE);
        xml.open("repomd")?;
        let mut repomd = Self::default();
        let mut listed = 0;
        while xml.child()? {
            match xml.name() {
                "revision" => repomd.revision = check_text("revision", xml.text()?)?,
                "data" => {
                    listed += 1;
                    if listed > MOST_LISTED {
                        let what = "it names more files".to_owned();
                        return Err(MetadataProblem::TooLarge { what, most: MOST_LISTED as u64 });
                    }
                    repomd.read_file(&mut xml)?;
                }
                _ => xml.skip()?,
            }
        }
        Ok(repomd)
    }

    fn read_file(&mut self, xml: &mut XmlReader<impl BufRead>) -> Result<(), MetadataProblem> {
        let kind = check_word("kind of metadata", xml.needed("type")?.to_owned())?;
        let (mut href, mut checksum, mut size, mut open_size) = (None, None, None, None);
        while xml.child()? {
            match xml.name() {
                "location" => {
                    href = Some(check_href(xml.needed("href")?.to_owned())?);
                    xml.skip()?;
                }
                "checksum" => {
                    let algorithm = xml.needed("type")?.to_owned();
                    checksum = Some((algorithm, xml.text()?));
                }
                "size" => size = Some(xml.text_as_number()?),
                "open-size" => open_size = Some(xml.text_as_number()?),
                "timestamp" => {
                    // Some tools write fractions of seconds.
                    let text = xml.text()?;
                    let whole = text.trim().split('.').next().unwrap_or_default().parse().unwrap_or_default();
                    self.time = self.time.max(whole);
                }
                _ => xml.skip()?,
            }
        }
        if !WANTED.contains(&kind.as_str()) {
            let checksum = checksum.and_then(|(algorithm, hex)| Checksum::new(&algorithm, hex.trim()).ok());
            match href.zip(checksum) {
                Some((href, checksum)) => {
                    self.files.push(MetadataFile { kind, href, checksum, size, open_size });
                }
                None => self.unknown.push(kind),
            }
            return Ok(());
        }
        if self.files.iter().any(|file| file.kind == kind) {
            return Err(MetadataProblem::Malformed(format!("it names `{kind}` twice")));
        }
        let missing =
            |what: &str| MetadataProblem::Malformed(format!("it does not say the {what} of `{kind}`"));
        let (algorithm, hex) = checksum.ok_or_else(|| missing("checksum"))?;
        let checksum = Checksum::new(&algorithm, hex.trim())?;
        let href = href.ok_or_else(|| missing("location"))?;
        if size.is_some_and(|size| size > LARGEST_PACKED) {
            let what = format!("`{kind}` is larger");
            return Err(MetadataProblem::TooLarge { what, most: LARGEST_PACKED });
        }
        self.files.push(MetadataFile { kind, href, checksum, size, open_size });
        Ok(())
    }

    /// The file of a kind.
    pub fn file(&self, kind: &str) -> Option<&MetadataFile> {
        self.files.iter().find(|file| file.kind == kind)
    }
}

/// The files that are of use; what is wrong with others does no harm.
const WANTED: [&str; 3] = ["primary", "filelists", "group"];
