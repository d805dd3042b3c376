//! The file that a gem is.

use std::io::{self, Read};

use tar::Archive;

use super::metadata::Gem;
use super::yaml::read_yaml;
use crate::source::made_spec::{MadeSpecError, read_archive};

/// How large a specification may be.
const LARGEST_SPECIFICATION: u64 = 16 << 20;

/// Reads a gem called `file`, of `packed` bytes.
///
/// # Errors
/// It is none, or has what leads out of it.
pub fn read_gem(file: &str, packed: u64, reader: impl Read) -> Result<Gem, MadeSpecError> {
    let unreadable = |error: io::Error| MadeSpecError::unreadable(file, error);
    let (mut gem, mut has_data) = (None, false);
    let mut archive = Archive::new(reader.take(packed));
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let size = entry.size();
        match entry.path_bytes().as_ref() {
            b"metadata.gz" => gem = Some(read_metadata(file, &mut entry)?),
            b"data.tar.gz" => {
                read_archive(file, size, &mut entry, &|_| false)?;
                has_data = true;
            }
            _ => {}
        }
    }
    match gem.filter(|_| has_data) {
        Some(gem) => Ok(gem),
        None => Err(MadeSpecError::unreadable(file, "it has no metadata.gz and data.tar.gz")),
    }
}

fn read_metadata(file: &str, entry: &mut dyn Read) -> Result<Gem, MadeSpecError> {
    let mut bytes = Vec::new();
    let plain = flate2::read::MultiGzDecoder::new(entry);
    let read = plain.take(LARGEST_SPECIFICATION + 1).read_to_end(&mut bytes);
    read.map_err(|error| MadeSpecError::unreadable(file, error))?;
    if bytes.len() as u64 > LARGEST_SPECIFICATION {
        let most = LARGEST_SPECIFICATION;
        return Err(MadeSpecError::TooMuch { file: file.to_owned(), most, unit: "bytes" });
    }
    let yaml = read_yaml(&String::from_utf8_lossy(&bytes));
    let yaml =
        yaml.map_err(|reason| MadeSpecError::unreadable(file, format_args!("metadata.gz: {reason}")))?;
    Gem::read(file, &yaml)
}
