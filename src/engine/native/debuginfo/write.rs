//! ELF files, put together of a beginning that stays as it is and sections that follow it (elf(5)).

use std::borrow::Cow;
use std::collections::HashMap;

use object::elf;

use super::elf::{Elf, ElfSection, Encoding, Unsplit};
use super::merged_strings::{MergedStrings, merge_strings};
use super::string_table::StringTable;

/// The names of sections that binutils thinks of first.
const FIRST_NAMES: [&[u8]; 3] = [b".symtab", b".strtab", b".shstrtab"];

/// What a new file holds of a section.
#[derive(Clone, Debug)]
pub(super) enum PartContent<'c> {
    /// What its beginning has there already.
    InBeginning,
    /// These bytes, behind the beginning.
    Bytes(Cow<'c, [u8]>),
    /// Nothing: the section only says that there is one.
    Nothing,
    /// The names of all sections.
    Names,
}

/// A section of a new file.
#[derive(Clone, Debug)]
pub(super) struct SectionPart<'c> {
    pub(super) section: ElfSection,
    /// The number of the section that it was.
    pub(super) old: Option<usize>,
    pub(super) content: PartContent<'c>,
}

/// Where the numbers of sections that an old file had went.
#[derive(Clone, Debug)]
pub(super) struct NewNumbers(HashMap<usize, usize>);

impl NewNumbers {
    pub(super) fn of(parts: &[SectionPart<'_>]) -> Self {
        let numbered = parts.iter().enumerate();
        Self(numbered.filter_map(|(new, part)| Some((part.old?, new))).collect())
    }

    fn get(&self, old: u64) -> u64 {
        let new = usize::try_from(old).ok().and_then(|old| self.0.get(&old));
        new.copied().unwrap_or_default() as u64
    }

    /// Gives the symbols of a table the new numbers of their sections. Symbols of sections that are gone become empty ones.
    pub(super) fn renumber_symbols(&self, encoding: Encoding, table: &mut [u8]) -> Option<()> {
        let (size, place) = if encoding.is_64 { (24, 6) } else { (16, 14) };
        for symbol in table.chunks_exact_mut(size) {
            let old = encoding.get(symbol, place, 2)?;
            if old == 0 || old >= 0xff00 {
                continue;
            }
            match self.get(old) {
                0 => symbol.fill(0),
                new if new != old => encoding.put(symbol, place, 2, new)?,
                _ => {}
            }
        }
        Some(())
    }
}

/// Who arranges the names of sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameArranger {
    /// eu-strip(1)
    Elfutils,
    /// objcopy(1), and linkers
    Binutils,
}

/// Writes a file: `beginning` begins with the header of `file`, which is changed to say where the new table of sections is.
pub(super) fn write_file(
    file: &Elf<'_>,
    beginning: Vec<u8>,
    parts: &[SectionPart<'_>],
    arranger: NameArranger,
) -> Result<Vec<u8>, Unsplit> {
    let numbers = NewNumbers::of(parts);
    let (names, name_offsets) = arrange_names(parts, arranger)?;
    let mut bytes = beginning;
    let mut table = Vec::new();
    for part in parts {
        let name = name_offsets.get(part.section.name.as_slice()).copied().unwrap_or_default();
        let mut section = part.section.clone();
        match &part.content {
            PartContent::InBeginning => {}
            PartContent::Nothing if section.kind == elf::SHT_NULL.0 => {}
            PartContent::Nothing => {
                pad(&mut bytes, section.alignment.clamp(1, 4096));
                section.offset = bytes.len() as u64;
            }
            PartContent::Bytes(content) => append(&mut bytes, content, &mut section),
            PartContent::Names => append(&mut bytes, &names, &mut section),
        }
        let has_section_info = section.flags & elf::SHF_INFO_LINK.0 != 0
            || [elf::SHT_REL.0, elf::SHT_RELA.0].contains(&section.kind);
        let info = if has_section_info { numbers.get(section.info.into()) } else { section.info.into() };
        let words = file.encoding.word_size();
        let fields = [
            (4, name),
            (4, section.kind.into()),
            (words, section.flags),
            (words, section.address),
            (words, section.offset),
            (words, section.size),
            (4, numbers.get(section.link.into())),
            (4, info),
            (words, section.alignment),
            (words, section.entry_size),
        ];
        for (size, value) in fields {
            push(file.encoding, &mut table, size, value)?;
        }
    }
    pad(&mut bytes, file.encoding.word_size() as u64);
    let table_offset = bytes.len() as u64;
    bytes.extend(table);
    let string_section = parts.iter().position(|part| matches!(part.content, PartContent::Names));
    // The offset of the table, and how many rows it has, and which of them are the names.
    let (at, count, row, size) =
        if file.encoding.is_64 { (0x28, 0x3c, 0x3a, 64) } else { (0x20, 0x30, 0x2e, 40) };
    let words = file.encoding.word_size();
    let fields = [
        (at, words, table_offset),
        (row, 2, size),
        (count, 2, parts.len() as u64),
        (count + 2, 2, string_section.unwrap_or_default() as u64),
    ];
    for (at, size, value) in fields {
        file.encoding.put(&mut bytes, at, size, value).ok_or_else(too_large)?;
    }
    Ok(bytes)
}

fn too_large() -> Unsplit {
    Unsplit::because("it is too large for a file of its kind")
}

fn push(encoding: Encoding, table: &mut Vec<u8>, size: usize, value: u64) -> Result<(), Unsplit> {
    let at = table.len();
    table.resize(at + size, 0);
    encoding.put(table, at, size, value).ok_or_else(too_large)
}

fn append(bytes: &mut Vec<u8>, content: &[u8], section: &mut ElfSection) {
    pad(bytes, section.alignment.clamp(1, 4096));
    section.offset = bytes.len() as u64;
    section.size = content.len() as u64;
    bytes.extend_from_slice(content);
}

fn pad(bytes: &mut Vec<u8>, alignment: u64) {
    let alignment = usize::try_from(alignment).unwrap_or(1).max(1);
    bytes.resize(bytes.len().next_multiple_of(alignment), 0);
}

/// The names of sections, put together, and where each of them begins.
fn arrange_names<'s>(
    parts: &'s [SectionPart<'_>],
    arranger: NameArranger,
) -> Result<MergedStrings<'s>, Unsplit> {
    let names = parts.iter().map(|part| part.section.name.as_slice()).filter(|name| !name.is_empty());
    match arranger {
        NameArranger::Binutils => {
            let has = |name: &&[u8]| parts.iter().any(|part| part.section.name == *name);
            Ok(merge_strings(FIRST_NAMES.into_iter().filter(has).chain(names)))
        }
        NameArranger::Elfutils => {
            let mut table = StringTable::default();
            for name in names {
                table.add(name).ok_or_else(|| Unsplit::because("it has too many sections"))?;
            }
            let (arranged, offsets) = table.arrange();
            let offsets = offsets.into_iter().map(|(name, offset)| (name, offset as u64 + 1)).collect();
            Ok(([b"\0".as_slice(), &arranged].concat(), offsets))
        }
    }
}
