//! `filelists`: all files of each package.

use std::collections::HashMap;
use std::io::BufRead;

use super::limits::{MOST_ENTRIES, MOST_OUT_OF_ORDER, MOST_PACKAGES};
use super::names::check_file;
use super::problem::MetadataProblem;
use super::xml::{XmlNode, XmlReader};

/// Reads the files of packages, which mostly stand in the order of `primary`.
pub(super) struct FilelistsReader<R: BufRead> {
    xml: XmlReader<R>,
    count: u64,
    /// Packages that came before their turn, by the checksum that they are known by.
    waiting: HashMap<String, Vec<String>>,
    waiting_bytes: usize,
}

impl<R: BufRead> FilelistsReader<R> {
    /// Begins to read.
    pub fn new(content: R, most_bytes: u64) -> Result<Self, MetadataProblem> {
        let mut xml = XmlReader::new(content, most_bytes);
        xml.open("filelists")?;
        Ok(Self { xml, count: 0, waiting: HashMap::new(), waiting_bytes: 0 })
    }

    /// The files of the package with this checksum; nothing where it isn't listed.
    pub fn files_of(&mut self, checksum: &str) -> Result<Option<Vec<String>>, MetadataProblem> {
        if let Some(files) = self.waiting.remove(checksum) {
            self.waiting_bytes = self.waiting_bytes.saturating_sub(size_of(&files));
            return Ok(Some(files));
        }
        while let Some((id, files)) = self.next_package()? {
            if id == checksum {
                return Ok(Some(files));
            }
            self.waiting_bytes = self.waiting_bytes.saturating_add(size_of(&files));
            if self.waiting_bytes > MOST_OUT_OF_ORDER {
                let what = "it lists files in another order than `primary`, of more bytes".to_owned();
                return Err(MetadataProblem::TooLarge { what, most: MOST_OUT_OF_ORDER as u64 });
            }
            self.waiting.insert(id, files);
        }
        Ok(None)
    }

    fn next_package(&mut self) -> Result<Option<(String, Vec<String>)>, MetadataProblem> {
        if self.xml.is_over() {
            return Ok(None);
        }
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
        match self.xml.step()? {
            XmlNode::EndOfFile => Ok(None),
            XmlNode::Begin | XmlNode::End => Err(MetadataProblem::malformed("it goes on behind its end")),
        }
    }

    fn read_package(&mut self) -> Result<(String, Vec<String>), MetadataProblem> {
        let id = self.xml.needed("pkgid")?.to_ascii_lowercase();
        let mut files = Vec::new();
        while self.xml.child()? {
            if self.xml.name() != "file" {
                self.xml.skip()?;
                continue;
            }
            if files.len() >= MOST_ENTRIES {
                let what = "a package has more files".to_owned();
                return Err(MetadataProblem::TooLarge { what, most: MOST_ENTRIES as u64 });
            }
            files.push(check_file(self.xml.text()?)?);
        }
        Ok((id, files))
    }
}

fn size_of(files: &[String]) -> usize {
    files.iter().map(|file| file.len() + 32).sum()
}
