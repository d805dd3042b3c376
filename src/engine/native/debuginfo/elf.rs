//! ELF files, taken apart as far as splitting them needs it (elf(5)). Every number in them is hostile.

use std::collections::BTreeMap;

use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, FileKind, elf};

/// Why a file is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unsplit(pub(super) String);

impl Unsplit {
    pub(super) fn because(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl From<object::read::Error> for Unsplit {
    fn from(error: object::read::Error) -> Self {
        Self(error.to_string())
    }
}

const DAMAGED: &str = "it is damaged, or has a form that is not known";

/// New content of sections, by their numbers.
pub(super) type NewContents = BTreeMap<usize, Vec<u8>>;

/// More sections than this need numbers that few programs understand.
const MOST_SECTIONS: usize = 0xfeff;

/// More segments than this are counted elsewhere.
const MOST_SEGMENTS: usize = 0xfffe;

/// A section, as the table of sections has it.
#[derive(Clone, Debug, Default)]
pub(super) struct ElfSection {
    pub(super) name: Vec<u8>,
    /// Where its name begins in the section of names.
    pub(super) name_offset: u32,
    pub(super) kind: u32,
    pub(super) flags: u64,
    pub(super) address: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) link: u32,
    pub(super) info: u32,
    pub(super) alignment: u64,
    pub(super) entry_size: u64,
}

impl ElfSection {
    /// Whether the program has it in memory.
    pub(super) fn is_allocated(&self) -> bool {
        self.flags & elf::SHF_ALLOC.0 != 0
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.flags & elf::SHF_COMPRESSED.0 != 0
    }

    /// Whether the file holds something of it.
    pub(super) fn has_content(&self) -> bool {
        self.kind != elf::SHT_NOBITS.0 && self.kind != elf::SHT_NULL.0
    }

    /// Whether it holds debug information, by its name: there is no other way to tell.
    pub(super) fn is_debug(&self) -> bool {
        const BEGINNINGS: [&[u8]; 4] = [b".debug_", b".zdebug_", b".gnu.debuglto_", b".stab"];
        const NAMES: [&[u8]; 4] = [b".debug", b".line", b".gdb_index", b".gnu_debugaltlink"];
        !self.is_allocated()
            && (NAMES.contains(&self.name.as_slice())
                || BEGINNINGS.iter().any(|beginning| self.name.starts_with(beginning)))
    }

    /// Where its content ends in the file.
    pub(super) fn end(&self) -> u64 {
        if self.has_content() { self.offset.saturating_add(self.size) } else { self.offset }
    }
}

/// A segment, as the table of segments has it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Segment {
    pub(super) kind: u32,
    pub(super) flags: u32,
    pub(super) offset: u64,
    pub(super) address: u64,
    /// Its address where memory is not mapped.
    pub(super) physical: u64,
    pub(super) file_size: u64,
    pub(super) memory_size: u64,
    pub(super) alignment: u64,
}

/// How numbers stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) is_64: bool,
    pub(super) is_big: bool,
}

impl Encoding {
    /// Puts a number of `size` bytes into `data`, if that has so much there.
    pub(super) fn put(self, data: &mut [u8], at: usize, size: usize, value: u64) -> Option<()> {
        let place = data.get_mut(at..at.checked_add(size)?)?;
        if size < 8 && value >> (8 * size) != 0 {
            return None;
        }
        let bytes = if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() };
        let bytes = if self.is_big { bytes.get(8 - size..)? } else { bytes.get(..size)? };
        place.copy_from_slice(bytes);
        Some(())
    }

    /// Reads a number of `size` bytes, at most 8.
    pub(super) fn get(self, data: &[u8], at: usize, size: usize) -> Option<u64> {
        let bytes = data.get(at..at.checked_add(size)?)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.is_big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
    }

    /// The bytes of a number that has as many as an address.
    pub(super) fn word_size(self) -> usize {
        if self.is_64 { 8 } else { 4 }
    }
}

/// A program or library.
#[derive(Debug)]
pub(super) struct Elf<'d> {
    pub(super) data: &'d [u8],
    pub(super) encoding: Encoding,
    /// What it is: a program, a library …
    pub(super) kind: u16,
    pub(super) header_size: usize,
    pub(super) segments_offset: u64,
    pub(super) segment_size: usize,
    pub(super) segments: Vec<Segment>,
    /// All of them, the empty first one too.
    pub(super) sections: Vec<ElfSection>,
    /// Which section holds the names of sections.
    pub(super) names: usize,
}

impl<'d> Elf<'d> {
    /// Takes a file apart. What lies outside of it is found out here.
    pub(super) fn read(data: &'d [u8]) -> Result<Self, Unsplit> {
        let file = Self::read_debug(data)?;
        let length = data.len() as u64;
        let is_inside = |segment: &Segment| {
            segment.offset.checked_add(segment.file_size).is_some_and(|end| end <= length)
        };
        if file.segments.iter().all(is_inside) { Ok(file) } else { Err(Unsplit::because(DAMAGED)) }
    }

    /// The same for a file of debug information: it holds nothing of its segments.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other kinds are no ELF files")]
    pub(super) fn read_debug(data: &'d [u8]) -> Result<Self, Unsplit> {
        match FileKind::parse(data)? {
            FileKind::Elf32 => Self::read_as::<FileHeader32<Endianness>>(data),
            FileKind::Elf64 => Self::read_as::<FileHeader64<Endianness>>(data),
            _ => Err(Unsplit::because("it is no ELF file")),
        }
    }

    fn read_as<H: FileHeader<Endian = Endianness>>(data: &'d [u8]) -> Result<Self, Unsplit> {
        let header = H::parse(data)?;
        let endian = header.endian()?;
        let table = header.sections(endian, data)?;
        let segments = header.program_headers(endian, data)?;
        if table.len() > MOST_SECTIONS || segments.len() > MOST_SEGMENTS {
            return Err(Unsplit::because("it has too many sections or segments"));
        }
        let mut sections = Vec::with_capacity(table.len());
        for section in table.iter() {
            sections.push(ElfSection {
                name: table.section_name(endian, section)?.to_vec(),
                name_offset: section.sh_name(endian),
                kind: section.sh_type(endian).0,
                flags: Self::flags::<H>(section, endian),
                address: section.sh_addr(endian).into(),
                offset: section.sh_offset(endian).into(),
                size: section.sh_size(endian).into(),
                link: section.sh_link(endian),
                info: section.sh_info(endian),
                alignment: section.sh_addralign(endian).into(),
                entry_size: section.sh_entsize(endian).into(),
            });
        }
        let segments = segments.iter().map(|segment| Segment {
            kind: segment.p_type(endian).0,
            flags: segment.p_flags(endian).0,
            offset: segment.p_offset(endian).into(),
            address: segment.p_vaddr(endian).into(),
            physical: segment.p_paddr(endian).into(),
            file_size: segment.p_filesz(endian).into(),
            memory_size: segment.p_memsz(endian).into(),
            alignment: segment.p_align(endian).into(),
        });
        let file = Self {
            data,
            encoding: Encoding { is_64: header.is_type_64(), is_big: header.is_big_endian() },
            kind: header.e_type(endian).0,
            header_size: header.e_ehsize(endian).into(),
            segments_offset: header.e_phoff(endian).into(),
            segment_size: header.e_phentsize(endian).into(),
            segments: segments.collect(),
            names: header.shstrndx(endian, data)? as usize,
            sections,
        };
        file.check()?;
        Ok(file)
    }

    fn flags<H: FileHeader<Endian = Endianness>>(section: &H::SectionHeader, endian: Endianness) -> u64 {
        section.sh_flags(endian).0
    }

    fn check(&self) -> Result<(), Unsplit> {
        let length = self.data.len() as u64;
        let is_inside = |offset: u64, size: u64| offset.checked_add(size).is_some_and(|end| end <= length);
        let mut sections = self.sections.iter().filter(|section| section.has_content());
        let are_inside = sections.all(|section| is_inside(section.offset, section.size));
        let usual_header = if self.encoding.is_64 { 64 } else { 52 };
        let is_sound = are_inside
            && self.header_size == usual_header
            && self.sections.len() > 1
            && self.sections.get(self.names).is_some_and(|names| names.kind == elf::SHT_STRTAB.0)
            && self.sections.iter().all(|section| (section.link as usize) < self.sections.len())
            && self.sections.iter().all(|section| section.alignment < 1 << 32);
        if is_sound { Ok(()) } else { Err(Unsplit::because(DAMAGED)) }
    }

    /// What the file holds of a section.
    pub(super) fn content(&self, section: &ElfSection) -> &'d [u8] {
        let range = usize::try_from(section.offset).ok().zip(usize::try_from(section.end()).ok());
        range.and_then(|(start, end)| self.data.get(start..end)).unwrap_or_default()
    }

    /// The section of a name.
    pub(super) fn section(&self, name: &[u8]) -> Option<(usize, &ElfSection)> {
        self.sections.iter().enumerate().find(|(_, section)| section.name == name)
    }

    /// Whether there are symbols or debug information to be taken out.
    pub(super) fn has_something_to_strip(&self) -> bool {
        self.sections.iter().any(|section| {
            section.kind == elf::SHT_SYMTAB.0 || section.has_content() && section.name == b".debug_info"
        })
    }

    /// Where everything ends that the program has in memory, the tables of the file's beginning included.
    pub(super) fn end_of_loaded(&self) -> usize {
        let table = self.segments_offset.saturating_add((self.segments.len() * self.segment_size) as u64);
        let segments = self.segments.iter().map(|segment| segment.offset.saturating_add(segment.file_size));
        let allocated = self.sections.iter().filter(|section| section.is_allocated());
        let ends = segments.chain(allocated.filter(|section| section.has_content()).map(ElfSection::end));
        let end = ends.chain([table, self.header_size as u64]).max().unwrap_or_default();
        usize::try_from(end).unwrap_or(usize::MAX).min(self.data.len())
    }

    /// Where the build-id's bytes lie in the file.
    pub(super) fn build_id(&self) -> Option<std::ops::Range<usize>> {
        let notes = self.sections.iter().filter(|section| section.kind == elf::SHT_NOTE.0);
        notes.filter(|section| section.is_allocated()).find_map(|section| {
            let alignment = if section.alignment == 8 { 8 } else { 4 };
            let start = usize::try_from(section.offset).ok()?;
            find_build_id(self.encoding, self.content(section), alignment)
                .map(|found| found.start + start..found.end + start)
        })
    }
}

/// Where a section of notes has the build-id's bytes.
fn find_build_id(encoding: Encoding, notes: &[u8], alignment: usize) -> Option<std::ops::Range<usize>> {
    let mut at = 0_usize;
    loop {
        let number = |offset: usize| usize::try_from(encoding.get(notes, at.checked_add(offset)?, 4)?).ok();
        let (name_size, size, kind) = (number(0)?, number(4)?, number(8)?);
        let name = at + 12;
        let value = name.checked_add(name_size)?.checked_next_multiple_of(alignment)?;
        let end = value.checked_add(size)?;
        if kind == 3 && notes.get(name..name.checked_add(4)?)? == b"GNU\0" && name_size == 4 && size > 1 {
            return (end <= notes.len()).then_some(value..end);
        }
        at = end.checked_next_multiple_of(alignment)?;
    }
}
