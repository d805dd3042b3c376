//! The sections of debug information, unpacked.

use std::io::{Read, Write};

use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::super::elf::{Elf, ElfSection, Encoding, Unsplit};

/// More than any section has when it is unpacked.
const LARGEST: u64 = 4 << 30;

/// How compressed sections say that zlib did it, and that Zstandard did.
const ZLIB: u64 = 1;
const ZSTD: u64 = 2;

/// How hard Zstandard tries: as linkers have it.
const ZSTD_LEVEL: i32 = 3;

/// How a section is packed: what stands before what is packed.
#[derive(Clone, Debug)]
struct SectionPacking {
    /// The header, with the size of what is unpacked still that of the old.
    header: Vec<u8>,
    method: u64,
}

/// A section that may be changed.
#[derive(Clone, Debug, Default)]
pub(super) struct DebugSection {
    /// Its number, if the file has it.
    number: Option<usize>,
    packing: Option<SectionPacking>,
    /// What it holds, unpacked.
    pub(super) bytes: Vec<u8>,
    /// Whether that is another than the file's.
    pub(super) is_changed: bool,
}

impl DebugSection {
    /// Reads the section of a name; an empty one where the file has none.
    pub(super) fn read(file: &Elf<'_>, name: &[u8]) -> Result<Self, Unsplit> {
        let Some((number, section)) = file.section(name).filter(|(_, section)| section.has_content()) else {
            return Ok(Self::default());
        };
        let content = file.content(section);
        let (packing, bytes) = if section.is_compressed() {
            let (packing, bytes) = unpack(file.encoding, section, content)?;
            (Some(packing), bytes)
        } else {
            (None, content.to_vec())
        };
        Ok(Self { number: Some(number), packing, bytes, is_changed: false })
    }

    /// Puts a number into it.
    pub(super) fn put(
        &mut self,
        encoding: Encoding,
        at: usize,
        size: usize,
        value: u64,
    ) -> Result<(), Unsplit> {
        let put = encoding.put(&mut self.bytes, at, size, value);
        put.ok_or_else(|| Unsplit::because("a place in its debug information does not hold the new number"))?;
        self.is_changed = true;
        Ok(())
    }

    /// What the file is to hold of it, where that is another than before: packed as it was.
    pub(super) fn write(self, encoding: Encoding) -> Result<Option<(usize, Vec<u8>)>, Unsplit> {
        let Some(number) = self.number.filter(|_| self.is_changed) else {
            return Ok(None);
        };
        let content = match self.packing {
            None => self.bytes,
            Some(packing) => pack(encoding, packing, &self.bytes)?,
        };
        Ok(Some((number, content)))
    }
}

/// Where the header says the size of what is unpacked, and how long it is.
fn header_form(encoding: Encoding) -> (usize, usize, usize) {
    if encoding.is_64 { (8, 8, 24) } else { (4, 4, 12) }
}

fn unpack(
    encoding: Encoding,
    section: &ElfSection,
    content: &[u8],
) -> Result<(SectionPacking, Vec<u8>), Unsplit> {
    let wrong = || Unsplit(format!("{} can't be unpacked", String::from_utf8_lossy(&section.name)));
    let (at, words, length) = header_form(encoding);
    let (header, packed) = content.split_at_checked(length).ok_or_else(wrong)?;
    let method = encoding.get(header, 0, 4).ok_or_else(wrong)?;
    let size = encoding.get(header, at, words).filter(|size| *size <= LARGEST).ok_or_else(wrong)?;
    let mut bytes = Vec::new();
    let read = match method {
        ZLIB => ZlibDecoder::new(packed).take(size + 1).read_to_end(&mut bytes),
        ZSTD => zstd::Decoder::new(packed).and_then(|reader| reader.take(size + 1).read_to_end(&mut bytes)),
        _ => return Err(wrong()),
    };
    if read.is_err() || bytes.len() as u64 != size {
        return Err(wrong());
    }
    Ok((SectionPacking { header: header.to_vec(), method }, bytes))
}

fn pack(encoding: Encoding, packing: SectionPacking, bytes: &[u8]) -> Result<Vec<u8>, Unsplit> {
    let (at, words, _) = header_form(encoding);
    let mut content = packing.header;
    let put = encoding.put(&mut content, at, words, bytes.len() as u64);
    put.ok_or_else(|| Unsplit::because("its debug information grows too large"))?;
    let failed = |error: std::io::Error| Unsplit(error.to_string());
    if packing.method == ZSTD {
        content.extend(zstd::encode_all(bytes, ZSTD_LEVEL).map_err(failed)?);
    } else {
        let mut writer = ZlibEncoder::new(&mut content, flate2::Compression::default());
        writer.write_all(bytes).and_then(|()| writer.finish().map(drop)).map_err(failed)?;
    }
    Ok(content)
}
