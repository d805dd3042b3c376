//! Packages, written: lead, signature header, header, payload (rpm's docs/manual/format_package.md).
//!
//! Nothing of a payload is held in memory: it goes to the file as it is archived and compressed. What stands before it holds
//! digests of it, so its room is left free, and it is written at the end.

use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use sha3::Sha3_256;

use super::cpio::{ArchiveEntry, ArchiveWriter};
use super::encode::{Region, encode};
use super::header::Value;
use super::tag::{Kind, Tag};
use super::{Header, PayloadFlags};
use crate::files::Folder;

/// The format of a package (`%_rpmformat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What rpm 4.x reads.
    V4,
    /// What rpm 6 writes, and rpm 4.14 and later reads.
    V6,
}

/// How files stand in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    /// With all that cpio says of them.
    Whole,
    /// With their number in the header only: format 6, and files of 4 GiB and more.
    Stripped,
}

/// A file of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadFile {
    /// Its number in the header.
    pub index: u32,
    /// What the archive says of it.
    pub entry: ArchiveEntry,
    /// What is archived of it.
    pub content: PayloadContent,
}

/// What is archived of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadContent {
    /// Nothing but that it is there.
    Nothing,
    /// Where a symbolic link points.
    Link(Vec<u8>),
    /// What it holds, of that size in bytes; the writer asks for it when it comes to it.
    File(u64),
}

/// A package that is to be written.
pub struct Unwritten<'u> {
    /// What it says of itself, but for what only the payload can tell.
    pub header: Header,
    /// Whether it is a source package.
    pub is_source: bool,
    /// `name-version-release`, which the lead repeats.
    pub lead_name: Vec<u8>,
    /// What it holds.
    pub payload: Payload<'u>,
    /// The same, where it is packed already.
    pub packed: Option<PackedPayload>,
    /// How much room there is for signatures and their entries, in bytes.
    pub reserved: usize,
}

/// What a package holds.
pub struct Payload<'p> {
    /// The format of the package.
    pub format: Format,
    /// How files stand in the archive.
    pub archive: Archive,
    /// The files, in the archive's order.
    pub files: &'p [PayloadFile],
    /// Opens the file with a number in the header.
    pub open: &'p dyn Fn(u32) -> io::Result<Box<dyn Read + 'p>>,
    /// How it is compressed.
    pub flags: PayloadFlags,
    /// How many processors may be used.
    pub threads: u32,
}

/// A payload as it stands in the package, with what the header says of it.
pub struct PackedPayload {
    bytes: Vec<u8>,
    plain: Summary,
    compressed: Summary,
}

impl Payload<'_> {
    /// Packs it into memory.
    ///
    /// # Errors
    /// A file can't be read, or has changed.
    pub fn pack(&self) -> io::Result<PackedPayload> {
        let mut bytes = Vec::new();
        let (plain, compressed) = self.write(&mut bytes)?;
        Ok(PackedPayload { bytes, plain, compressed })
    }

    fn write(&self, output: &mut impl Write) -> io::Result<(Summary, Summary)> {
        let output = BufWriter::with_capacity(256 * 1024, output);
        let compressed = Summing { output, summary: Summary::new(self.format) };
        let compressor = self.flags.compressor(compressed, self.threads, self.archive_size())?;
        let plain = Summing { output: compressor, summary: Summary::new(self.format) };
        let mut archive = ArchiveWriter::new(BufWriter::with_capacity(256 * 1024, plain));
        for item in self.files {
            match self.archive {
                Archive::Whole => archive.entry(&item.entry)?,
                Archive::Stripped => archive.stripped_entry(item.index)?,
            }
            match &item.content {
                PayloadContent::Nothing => {}
                PayloadContent::Link(target) => {
                    archive.content(&mut target.as_slice(), target.len() as u64)?;
                }
                PayloadContent::File(size) => {
                    let mut content = (self.open)(item.index)?;
                    archive.content(&mut content, *size)?;
                }
            }
        }
        let (output, _) = archive.finish()?;
        let plain = output.into_inner().map_err(io::IntoInnerError::into_error)?;
        let compressed = plain.output.finish()?;
        let Summing { mut output, summary } = compressed;
        output.flush()?;
        Ok((plain.summary, summary))
    }

    /// How long the archive will be.
    fn archive_size(&self) -> u64 {
        const HEAD: usize = 110;
        const STRIPPED: u64 = 16;
        let whole = |path: &[u8]| (HEAD + path.len() + 1).next_multiple_of(4) as u64;
        let content = |content: &PayloadContent| match content {
            PayloadContent::Nothing => 0,
            PayloadContent::Link(target) => (target.len() as u64).next_multiple_of(4),
            PayloadContent::File(size) => size.next_multiple_of(4),
        };
        let entries = self.files.iter().map(|file| {
            let head = match self.archive {
                Archive::Whole => whole(&file.entry.path),
                Archive::Stripped => STRIPPED,
            };
            head + content(&file.content)
        });
        entries.sum::<u64>() + whole(b"TRAILER!!!")
    }
}

/// Digests and size of one side of the payload.
struct Summary {
    size: u64,
    sha256: Sha256,
    sha512: Option<Sha512>,
    sha3: Option<Sha3_256>,
}

impl Summary {
    fn new(format: Format) -> Self {
        let is_six = format == Format::V6;
        Self {
            size: 0,
            sha256: Sha256::new(),
            sha512: is_six.then(Sha512::new),
            sha3: is_six.then(Sha3_256::new),
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.size = self.size.saturating_add(bytes.len() as u64);
        self.sha256.update(bytes);
        if let Some(digest) = &mut self.sha512 {
            digest.update(bytes);
        }
        if let Some(digest) = &mut self.sha3 {
            digest.update(bytes);
        }
    }

    fn set(self, header: &mut Header, is_compressed: bool) {
        let tag = |plain, alternative| if is_compressed { plain } else { alternative };
        header.set_text(tag(Tag::PAYLOAD_SHA256, Tag::PAYLOAD_SHA256_ALT), hex(&self.sha256.finalize()));
        if let Some(digest) = self.sha512 {
            header.set_text(tag(Tag::PAYLOAD_SHA512, Tag::PAYLOAD_SHA512_ALT), hex(&digest.finalize()));
        }
        if let Some(digest) = self.sha3 {
            header.set_text(tag(Tag::PAYLOAD_SHA3_256, Tag::PAYLOAD_SHA3_256_ALT), hex(&digest.finalize()));
            header.set_number(tag(Tag::PAYLOAD_SIZE, Tag::PAYLOAD_SIZE_ALT), self.size);
        }
    }
}

/// Sums up what goes through it.
struct Summing<W> {
    output: W,
    summary: Summary,
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.summary.add(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// Writes a package to `path` in a folder: beside its place first, so that nobody ever sees half of it.
///
/// # Errors
/// A file of it can't be read, has changed, or the package can't be written.
pub fn write_package(folder: &Folder, path: &Path, package: Unwritten<'_>) -> io::Result<Header> {
    let mut header = None;
    folder.write_atomic_with(path, |file| {
        let mut file = file.try_clone()?.into_std();
        header = Some(write(&mut file, package)?);
        Ok(())
    })?;
    header.ok_or_else(|| io::Error::other("nothing was written"))
}

fn write<F: Read + Write + Seek>(file: &mut F, mut package: Unwritten<'_>) -> io::Result<Header> {
    let header = &mut package.header;
    let format = package.payload.format;
    if format == Format::V4 {
        header.set_number(Tag::PAYLOAD_SHA256_ALGORITHM, 8);
    }
    // What they say is not known yet, but how long it is.
    Summary::new(format).set(header, true);
    Summary::new(format).set(header, false);
    let signatures = Signatures::new(format, package.reserved);
    let room = signatures.room();
    let head_length = header.encode().len();
    let payload_at = (LEAD_SIZE + room + head_length) as u64;
    file.seek(SeekFrom::Start(payload_at))?;
    let (plain, compressed) = match package.packed {
        Some(PackedPayload { bytes, plain, compressed }) => {
            file.write_all(&bytes)?;
            (plain, compressed)
        }
        None => package.payload.write(file)?,
    };
    let (archive_size, payload_size) = (plain.size, compressed.size);
    let header = &mut package.header;
    compressed.set(header, true);
    plain.set(header, false);
    let head = header.encode();
    if head.len() != head_length {
        return Err(io::Error::other("the header changed its length"));
    }
    file.seek(SeekFrom::Start((LEAD_SIZE + room) as u64))?;
    file.write_all(&head)?;
    let md5 = match format {
        Format::V4 => Some(md5_from_here(file, &head)?),
        Format::V6 => None,
    };
    let sizes = Sizes { content: head.len() as u64 + payload_size, archive: archive_size };
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&lead(format, package.is_source, &package.lead_name))?;
    file.write_all(&signatures.encode(&head, md5, sizes))?;
    Ok(package.header)
}

fn md5_from_here(file: &mut impl Read, head: &[u8]) -> io::Result<Vec<u8>> {
    let mut digest = Md5::new();
    digest.update(head);
    let mut chunk = vec![0; 128 * 1024];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(digest.finalize().to_vec()),
            length => digest.update(chunk.get(..length).unwrap_or_default()),
        }
    }
}

const LEAD_SIZE: usize = 96;

/// The lead: of all that stands in it, only its magic, its version and its kind mean anything.
fn lead(format: Format, is_source: bool, name: &[u8]) -> Vec<u8> {
    const NAME_SIZE: usize = 66;
    let major = match format {
        Format::V4 => 3,
        Format::V6 => 4,
    };
    let mut lead = vec![0xed, 0xab, 0xee, 0xdb, major, 0, 0, u8::from(is_source), 0, 0];
    lead.extend(name.iter().take(NAME_SIZE - 1));
    lead.resize(10 + NAME_SIZE, 0);
    // The operating system means nothing; 5 says that signatures are a header.
    lead.extend([0, 0, 0, 5]);
    lead.resize(LEAD_SIZE, 0);
    lead
}

/// How long things are that the signature header of format 4 tells.
struct Sizes {
    /// Header and payload.
    content: u64,
    /// The payload, uncompressed.
    archive: u64,
}

/// The signature header, whose length is known before all that stands in it.
struct Signatures {
    format: Format,
    reserved: usize,
}

/// Tags of signature headers.
pub(super) mod signature_tag {
    pub const DSA: u32 = 267;
    pub const RSA: u32 = 268;
    pub const SHA1: u32 = 269;
    pub const LONG_SIZE: u32 = 270;
    pub const LONG_ARCHIVE_SIZE: u32 = 271;
    pub const SHA256: u32 = 273;
    pub const OPENPGP: u32 = 278;
    pub const SHA3_256: u32 = 279;
    pub const RESERVED: u32 = 999;
    pub const SIZE: u32 = 1000;
    pub const MD5: u32 = 1004;
    pub const ARCHIVE_SIZE: u32 = 1007;
    pub const RESERVED_4: u32 = 1008;
}

impl Signatures {
    fn new(format: Format, reserved: usize) -> Self {
        Self { format, reserved }
    }

    /// Its length, with what pads it to 8 bytes.
    fn room(&self) -> usize {
        let nothing = Sizes { content: 0, archive: 0 };
        self.encode(&[], Some(vec![0; 16]), nothing).len()
    }

    fn encode(&self, head: &[u8], md5: Option<Vec<u8>>, sizes: Sizes) -> Vec<u8> {
        let mut reserved = self.reserved;
        let mut entries = self.entries(head, md5, &sizes, reserved);
        // Sizes beyond 4 GiB take more room, which the reserve gives.
        let is_long = sizes.content.max(sizes.archive) > u64::from(u32::MAX);
        if is_long && self.format == Format::V4 {
            let plain = Sizes { content: 0, archive: 0 };
            let usual = encode_signatures(&self.entries(head, Some(vec![0; 16]), &plain, reserved)).len();
            while encode_signatures(&entries).len() > usual && reserved > 0 {
                reserved -= 1;
                entries = self.entries(head, entries_md5(&entries), &sizes, reserved);
            }
        }
        let mut bytes = encode_signatures(&entries);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn entries(
        &self,
        head: &[u8],
        md5: Option<Vec<u8>>,
        sizes: &Sizes,
        reserved: usize,
    ) -> Vec<(u32, Kind, Value)> {
        use signature_tag as tag;
        let text = |text: String| Value::Text(text.into());
        let number = |number| Value::Numbers(vec![number]);
        let sha256 = (tag::SHA256, Kind::Text, text(hex(&Sha256::digest(head))));
        let reserve = |at| (reserved > 0).then(|| (at, Kind::Bytes, Value::Bytes(vec![0; reserved])));
        match self.format {
            Format::V6 => {
                let sha3 = (tag::SHA3_256, Kind::Text, text(hex(&Sha3_256::digest(head))));
                [sha256, sha3].into_iter().chain(reserve(tag::RESERVED)).collect()
            }
            Format::V4 => {
                let is_long = sizes.content.max(sizes.archive) > u64::from(u32::MAX);
                let sha1 = (tag::SHA1, Kind::Text, text(hex(&Sha1::digest(head))));
                let md5 = (tag::MD5, Kind::Bytes, Value::Bytes(md5.unwrap_or_default()));
                let mut entries = if is_long {
                    let size = (tag::LONG_SIZE, Kind::Int64, number(sizes.content));
                    let archive = (tag::LONG_ARCHIVE_SIZE, Kind::Int64, number(sizes.archive));
                    vec![sha1, size, archive, sha256, md5]
                } else {
                    let size = (tag::SIZE, Kind::Int32, number(sizes.content));
                    let archive = (tag::ARCHIVE_SIZE, Kind::Int32, number(sizes.archive));
                    vec![sha1, sha256, size, md5, archive]
                };
                entries.extend(reserve(tag::RESERVED_4));
                entries
            }
        }
    }
}

fn entries_md5(entries: &[(u32, Kind, Value)]) -> Option<Vec<u8>> {
    entries.iter().find_map(|(tag, _, value)| match value {
        Value::Bytes(bytes) if *tag == signature_tag::MD5 => Some(bytes.clone()),
        Value::Bytes(_) | Value::Text(_) | Value::Texts(_) | Value::Localized(_) | Value::Numbers(_) => None,
    })
}

fn encode_signatures(entries: &[(u32, Kind, Value)]) -> Vec<u8> {
    encode(Region::Signatures, entries.iter().map(|(tag, kind, value)| (*tag, *kind, value)))
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
