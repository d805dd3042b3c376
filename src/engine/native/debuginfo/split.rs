//! A program in two: what it runs with, and what debuggers want of it.

use std::borrow::Cow;
use std::io::Read;

use flate2::Crc;
use liblzma::read::XzEncoder;
use liblzma::stream::{Check, MtStreamBuilder};
use object::elf;

use super::backtrace_symbols::write_backtrace_symbols;
use super::elf::{Elf, ElfSection, Encoding, NewContents, Unsplit};
use super::write::{NameArranger, NewNumbers, PartContent, SectionPart, write_file};

/// The section that names the file of debug information.
pub(super) const LINK: &[u8] = b".gnu_debuglink";

/// The section of symbols for backtraces.
const MINI: &[u8] = b".gnu_debugdata";

/// How the symbols for backtraces are compressed: as xz(1) does by itself from 5.6 on.
const MINI_LEVEL: u32 = 6;

/// How a program is split.
pub(super) struct SplitOrder<'o> {
    /// What the file of debug information is called, without its folder.
    pub(super) debug_name: &'o [u8],
    /// Whether symbols stay in the program as well.
    pub(super) keeps_symbols: bool,
    /// Whether the program gets symbols for backtraces.
    pub(super) has_mini: bool,
    /// Whether a section stays, or goes, by its name; nothing where nobody says it.
    pub(super) stays: &'o (dyn Fn(&[u8]) -> Option<bool> + Sync),
}

/// A program that was split.
pub(super) struct Halves {
    pub(super) program: Vec<u8>,
    /// Nothing where it would be empty.
    pub(super) debug: Option<Vec<u8>>,
}

/// A program whose debug information may have changed.
pub(super) struct Changed<'c> {
    pub(super) file: &'c Elf<'c>,
    /// What of it that is.
    pub(super) contents: NewContents,
    /// Its new build-id.
    pub(super) build_id: Option<Vec<u8>>,
}

impl Changed<'_> {
    /// What a section holds now.
    fn content(&self, number: usize, section: &ElfSection) -> Cow<'_, [u8]> {
        if let Some(new) = self.contents.get(&number) {
            return Cow::Borrowed(new);
        }
        let old = self.file.content(section);
        let (Some(id), Some(place)) = (&self.build_id, self.file.build_id()) else {
            return Cow::Borrowed(old);
        };
        let start = usize::try_from(section.offset).ok().and_then(|start| place.start.checked_sub(start));
        match start.map(|start| start..start.saturating_add(id.len())) {
            Some(range) if range.end <= old.len() => {
                let mut new = old.to_vec();
                if let Some(bytes) = new.get_mut(range) {
                    bytes.copy_from_slice(id);
                }
                Cow::Owned(new)
            }
            _ => Cow::Borrowed(old),
        }
    }

    /// The file's beginning with everything that is in memory.
    fn beginning(&self) -> Vec<u8> {
        let mut beginning = self.file.data.get(..self.file.end_of_loaded()).unwrap_or_default().to_vec();
        if let (Some(id), Some(place)) = (&self.build_id, self.file.build_id())
            && let Some(bytes) = beginning.get_mut(place).filter(|bytes| bytes.len() == id.len())
        {
            bytes.copy_from_slice(id);
        }
        beginning
    }

    /// The whole file, with nothing taken out.
    pub(super) fn whole(&self) -> Result<Vec<u8>, Unsplit> {
        let beginning = self.beginning();
        let parts = self.file.sections.iter().enumerate().map(|(number, section)| {
            let is_in_beginning = section.is_allocated() || section.end() <= beginning.len() as u64;
            let content = match number {
                _ if !section.has_content() => PartContent::InBeginning,
                number if number == self.file.names => PartContent::Names,
                _ if is_in_beginning && !self.contents.contains_key(&number) => PartContent::InBeginning,
                _ => PartContent::Bytes(self.content(number, section)),
            };
            self.part(number, section, content)
        });
        let parts: Vec<_> = parts.collect();
        write_file(self.file, beginning.clone(), &parts, NameArranger::Binutils)
    }

    /// Splits it.
    pub(super) fn split(&self, order: &SplitOrder<'_>) -> Result<Halves, Unsplit> {
        if order.keeps_symbols && !self.file.sections.iter().any(ElfSection::is_debug) {
            return Ok(Halves { program: self.program_half(order, Vec::new())?, debug: None });
        }
        let debug = self.debug_half(order)?;
        let link = debug_link(self.file.encoding, order.debug_name, &debug);
        let mut added = vec![added_section(LINK, link, 4)];
        if order.has_mini {
            let symbols = write_backtrace_symbols(self.file, &debug)?;
            let packed = compress(&symbols).map_err(|error| Unsplit(error.to_string()))?;
            added.push(added_section(MINI, packed, 1));
        }
        Ok(Halves { program: self.program_half(order, added)?, debug: Some(debug) })
    }

    fn part<'c>(&self, number: usize, section: &ElfSection, content: PartContent<'c>) -> SectionPart<'c> {
        SectionPart { section: section.clone(), old: Some(number), content }
    }

    fn program_half<'c>(
        &'c self,
        order: &SplitOrder<'_>,
        mut added: Vec<SectionPart<'c>>,
    ) -> Result<Vec<u8>, Unsplit> {
        let mut beginning = self.beginning();
        let loaded = beginning.len() as u64;
        let mut parts: Vec<SectionPart<'c>> = Vec::new();
        for (number, section) in self.file.sections.iter().enumerate() {
            if number == self.file.names {
                parts.append(&mut added);
                parts.push(self.part(number, section, PartContent::Names));
            } else if number == 0 || section.is_allocated() {
                let content = if number == 0 { PartContent::Nothing } else { PartContent::InBeginning };
                parts.push(self.part(number, section, content));
            } else if stays_in_program(order, section, number, self.file) {
                let is_in_beginning = section.end() <= loaded;
                let content = if is_in_beginning || !section.has_content() {
                    PartContent::InBeginning
                } else {
                    PartContent::Bytes(self.content(number, section))
                };
                parts.push(self.part(number, section, content));
            }
        }
        let numbers = NewNumbers::of(&parts);
        for part in &mut parts {
            if ![elf::SHT_DYNSYM.0, elf::SHT_SYMTAB.0].contains(&part.section.kind) {
                continue;
            }
            let range =
                usize::try_from(part.section.offset).ok().zip(usize::try_from(part.section.end()).ok());
            match &mut part.content {
                PartContent::Bytes(table) => numbers.renumber_symbols(self.file.encoding, table.to_mut()),
                PartContent::InBeginning => range
                    .and_then(|(start, end)| beginning.get_mut(start..end))
                    .and_then(|table| numbers.renumber_symbols(self.file.encoding, table)),
                PartContent::Nothing | PartContent::Names => None,
            };
        }
        let arranger = if order.has_mini { NameArranger::Binutils } else { NameArranger::Elfutils };
        write_file(self.file, beginning, &parts, arranger)
    }

    /// Header and table of segments alone: the beginning of a file that nobody runs.
    fn bare_beginning(&self) -> Result<Vec<u8>, Unsplit> {
        let file = self.file;
        let mut beginning = file.data.get(..file.header_size).unwrap_or_default().to_vec();
        let start = usize::try_from(file.segments_offset).unwrap_or(usize::MAX);
        let size = file.segments.len() * file.segment_size;
        let table = start.checked_add(size).and_then(|end| file.data.get(start..end)).unwrap_or_default();
        beginning.extend_from_slice(table);
        let offset = if table.is_empty() { 0 } else { file.header_size as u64 };
        let at = if file.encoding.is_64 { 0x20 } else { 0x1c };
        let put = file.encoding.put(&mut beginning, at, file.encoding.word_size(), offset);
        put.ok_or_else(|| Unsplit::because("its header is too short"))?;
        Ok(beginning)
    }

    fn debug_half(&self, order: &SplitOrder<'_>) -> Result<Vec<u8>, Unsplit> {
        let parts = self.file.sections.iter().enumerate().map(|(number, section)| {
            let is_note = section.kind == elf::SHT_NOTE.0;
            if !section.has_content() {
                self.part(number, section, PartContent::Nothing)
            } else if number == self.file.names {
                self.part(number, section, PartContent::Names)
            } else if !is_note
                && (section.is_allocated() || stays_in_program(order, section, number, self.file))
            {
                emptied(number, section)
            } else {
                self.part(number, section, PartContent::Bytes(self.content(number, section)))
            }
        });
        write_file(self.file, self.bare_beginning()?, &parts.collect::<Vec<_>>(), NameArranger::Binutils)
    }
}

fn compress(symbols: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut builder = MtStreamBuilder::new();
    let stream = builder.preset(MINI_LEVEL).check(Check::Crc64).threads(1).encoder()?;
    let mut packed = Vec::new();
    XzEncoder::new_stream(symbols, stream).read_to_end(&mut packed)?;
    Ok(packed)
}

/// A section that only says where it would be in memory.
fn emptied(number: usize, section: &ElfSection) -> SectionPart<'static> {
    let section = ElfSection { kind: elf::SHT_NOBITS.0, ..section.clone() };
    SectionPart { section, old: Some(number), content: PartContent::Nothing }
}

/// Whether a section that no memory has stays in the program.
fn stays_in_program(order: &SplitOrder<'_>, section: &ElfSection, number: usize, file: &Elf<'_>) -> bool {
    if let Some(stays) = (order.stays)(&section.name) {
        return stays;
    }
    let is_of_debug = section.is_debug()
        || [elf::SHT_REL.0, elf::SHT_RELA.0].contains(&section.kind)
            && file.sections.get(section.info as usize).is_some_and(ElfSection::is_debug);
    if [LINK, MINI].contains(&section.name.as_slice()) {
        return false;
    }
    if order.keeps_symbols {
        return !is_of_debug;
    }
    // Notes of the build, and warnings that linkers give.
    let is_warning = section.kind == elf::SHT_PROGBITS.0 && section.name.starts_with(b".gnu.warning.");
    number == file.names || !is_of_debug && (section.kind == elf::SHT_NOTE.0 || is_warning)
}

fn added_section(name: &[u8], content: Vec<u8>, alignment: u64) -> SectionPart<'static> {
    let section =
        ElfSection { name: name.to_vec(), kind: elf::SHT_PROGBITS.0, alignment, ..ElfSection::default() };
    SectionPart { section, old: None, content: PartContent::Bytes(content.into()) }
}

/// What names a file of debug information, with the sum by which debuggers know that it is the right one.
fn debug_link(encoding: Encoding, name: &[u8], debug: &[u8]) -> Vec<u8> {
    let mut link = name.to_vec();
    link.push(0);
    link.resize(link.len().next_multiple_of(4), 0);
    let sum = checksum(debug);
    link.extend(if encoding.is_big { sum.to_be_bytes() } else { sum.to_le_bytes() });
    link
}

/// The sum that a link to debug information holds of it.
pub(super) fn checksum(debug: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(debug);
    sum.sum()
}

/// Whether it is a library: one that is loaded by others, and no program that only could be.
pub(super) fn is_library(file: &Elf<'_>) -> bool {
    let words = file.encoding.word_size();
    let dynamic = file.sections.iter().find(|section| section.kind == elf::SHT_DYNAMIC.0);
    let rows = dynamic.map(|section| file.content(section)).unwrap_or_default().chunks_exact(2 * words);
    let is_program = rows.clone().any(|row| {
        file.encoding.get(row, 0, words) == Some(0x6fff_fffb)
            && file.encoding.get(row, words, words).is_some_and(|flags| flags & 0x0800_0000 != 0)
    });
    file.kind == elf::ET_DYN.0 && !is_program
}
