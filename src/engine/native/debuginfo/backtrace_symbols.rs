//! The symbols of functions that other programs don't see, for backtraces where there is no debug information: a small file like that of
//! the debug information, byte for byte what find-debuginfo(1) makes with nm(1) and objcopy(1).

use std::collections::{HashMap, HashSet};

use object::elf;

use super::elf::{Elf, ElfSection, Segment, Unsplit};
use super::merged_strings::merge_strings;
use super::objcopy_layout::lay_out;
use super::symbols::{Symbol, read_symbols, row_size};
use super::write::{NameArranger, NewNumbers, PartContent, SectionPart, write_file};

/// nm(1) fills names up to so many bytes; find-debuginfo(1) compares names that are filled up with names that are not.
const FILLED_UP: usize = 20;

/// Larger than any such file, in bytes.
const LARGEST: u64 = 1 << 28;

const MISPLACED: &str = "its sections lie where no linker puts them";

/// find-debuginfo(1) overlooks sections with lower numbers among those that it removes: readelf(1) writes them with a blank before.
const FIRST_REMOVED: usize = 10;

/// The first of the numbers of sections that are none.
const FIRST_RESERVED: u64 = 0xff00;

/// Writes the symbols of a program for backtraces; `debug` is what was split off.
pub(super) fn write_backtrace_symbols(program: &Elf<'_>, debug: &[u8]) -> Result<Vec<u8>, Unsplit> {
    let debug = Elf::read_debug(debug)?;
    let kept = || debug.sections.iter().enumerate().filter(|(number, section)| stays(*number, section));
    let numbers: HashSet<u64> = kept().map(|(number, _)| number as u64).chain([0]).collect();
    let stays_at = |section: u64| section >= FIRST_RESERVED || numbers.contains(&section);
    let names = count_names(program, &debug);
    let table = debug.sections.iter().enumerate().find(|(_, section)| section.kind == elf::SHT_SYMTAB.0);
    let symbols: Vec<Symbol<'_>> = table
        .iter()
        .flat_map(|(_, section)| read_symbols(&debug, section))
        .filter(|symbol| names.get(symbol.name).is_some_and(|count| *count > 0))
        .filter(|symbol| symbol.kind & 0xf != elf::STT_SECTION.0 && stays_at(symbol.section))
        .collect();
    let sections: Vec<&ElfSection> = kept().map(|(_, section)| section).collect();
    let layout = lay_out(&debug, &sections)?;
    if layout.end > LARGEST {
        return Err(Unsplit::because(MISPLACED));
    }
    let mut beginning = write_beginning(&debug, &layout.segments)?;
    beginning.resize(usize::try_from(layout.end).unwrap_or_default().max(beginning.len()), 0);
    let empty = ElfSection::default();
    let mut parts = vec![SectionPart { section: empty, old: Some(0), content: PartContent::InBeginning }];
    for ((number, section), offset) in kept().zip(layout.offsets) {
        let content = debug.content(section);
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let place = start.checked_add(content.len()).and_then(|end| beginning.get_mut(start..end));
        // Those without content may lie behind the end.
        match place {
            Some(place) => place.copy_from_slice(content),
            None if content.is_empty() => {}
            None => return Err(Unsplit::because(MISPLACED)),
        }
        let section = ElfSection { offset, ..section.clone() };
        parts.push(SectionPart { section, old: Some(number), content: PartContent::InBeginning });
    }
    if let Some((number, section)) = table.filter(|_| !symbols.is_empty()) {
        parts.extend(write_table(&debug, number, section, symbols)?);
        let new_numbers = NewNumbers::of(&parts);
        if let Some(PartContent::Bytes(table)) = parts.iter_mut().rev().nth(1).map(|part| &mut part.content) {
            new_numbers.renumber_symbols(debug.encoding, table.to_mut());
        }
    }
    let names = ElfSection { size: 0, ..debug.sections.get(debug.names).cloned().unwrap_or_default() };
    parts.push(SectionPart { section: names, old: Some(debug.names), content: PartContent::Names });
    write_file(&debug, beginning, &parts, NameArranger::Binutils)
}

/// Whether a section is one of the small file's besides its tables of symbols and names.
fn stays(number: usize, section: &ElfSection) -> bool {
    let is_table = [
        elf::SHT_NULL,
        elf::SHT_SYMTAB,
        elf::SHT_STRTAB,
        elf::SHT_SYMTAB_SHNDX,
        elf::SHT_GROUP,
        elf::SHT_REL,
        elf::SHT_RELA,
    ]
    .iter()
    .any(|kind| kind.0 == section.kind);
    let is_content =
        [elf::SHT_PROGBITS, elf::SHT_NOTE, elf::SHT_NOBITS].iter().any(|kind| kind.0 == section.kind);
    let is_removed = is_content && number >= FIRST_REMOVED;
    section.is_allocated() || !(is_table || is_removed || section.is_debug())
}

/// How often the names of functions are left when those are taken away that other programs see, each as often as there.
fn count_names<'d>(program: &Elf<'_>, debug: &Elf<'d>) -> HashMap<&'d [u8], usize> {
    let of_kind = |kind: u32| move |section: &&ElfSection| section.kind == kind;
    let mut names: HashMap<&[u8], usize> = HashMap::new();
    for section in debug.sections.iter().filter(of_kind(elf::SHT_SYMTAB.0)) {
        for symbol in read_symbols(debug, section).filter(Symbol::is_defined_function) {
            *names.entry(symbol.name).or_default() += 1;
        }
    }
    for section in program.sections.iter().filter(of_kind(elf::SHT_DYNSYM.0)) {
        let versions = program.sections.iter().find(of_kind(elf::SHT_GNU_VERSYM.0));
        let versions = versions.map(|versions| program.content(versions)).unwrap_or_default();
        let dynamic = read_symbols(program, section).zip(1_usize..);
        for (symbol, number) in dynamic.filter(|(symbol, _)| symbol.section != 0) {
            let version = program.encoding.get(versions, 2 * number, 2).unwrap_or_default() & 0x7fff;
            if version < 2
                && symbol.name.len() >= FILLED_UP
                && let Some(count) = names.get_mut(symbol.name)
            {
                *count = count.saturating_sub(1);
            }
        }
    }
    names
}

/// The header and the table of segments.
fn write_beginning(file: &Elf<'_>, segments: &[Segment]) -> Result<Vec<u8>, Unsplit> {
    let mut beginning = file.data.get(..file.header_size).unwrap_or_default().to_vec();
    let (words, encoding) = (file.encoding.word_size(), file.encoding);
    for segment in segments {
        let flags = (4, segment.flags.into());
        let (first, later) = if encoding.is_64 { (Some(flags), None) } else { (None, Some(flags)) };
        let fields = [Some((4, segment.kind.into())), first]
            .into_iter()
            .flatten()
            .chain([
                (words, segment.offset),
                (words, segment.address),
                (words, segment.physical),
                (words, segment.file_size),
                (words, segment.memory_size),
            ])
            .chain(later)
            .chain([(words, segment.alignment)]);
        for (size, value) in fields {
            let at = beginning.len();
            beginning.resize(at + size, 0);
            let mask = if size == 8 { u64::MAX } else { (1 << (8 * size)) - 1 };
            encoding.put(&mut beginning, at, size, value & mask).ok_or_else(too_many)?;
        }
    }
    Ok(beginning)
}

fn too_many() -> Unsplit {
    Unsplit::because("it has too many symbols")
}

/// The table of symbols and that of their names; the local ones come first.
fn write_table(
    file: &Elf<'_>,
    number: usize,
    section: &ElfSection,
    symbols: Vec<Symbol<'_>>,
) -> Result<[SectionPart<'static>; 2], Unsplit> {
    let (local, global): (Vec<_>, Vec<_>) = symbols.into_iter().partition(Symbol::is_local);
    let (names, offsets) = merge_strings(local.iter().chain(&global).map(|symbol| symbol.name));
    let mut table = vec![0; row_size(file.encoding)];
    for symbol in local.iter().chain(&global) {
        let mut row = symbol.row.to_vec();
        let name = offsets.get(symbol.name).copied().unwrap_or_default();
        file.encoding.put(&mut row, 0, 4, name).ok_or_else(too_many)?;
        table.extend(row);
    }
    let locals = u32::try_from(local.len() + 1).map_err(|_| too_many())?;
    let table_section = ElfSection { info: locals, flags: 0, ..section.clone() };
    let names_number = section.link as usize;
    let names_section = ElfSection {
        name: b".strtab".to_vec(),
        kind: elf::SHT_STRTAB.0,
        alignment: 1,
        ..ElfSection::default()
    };
    Ok([
        SectionPart { section: table_section, old: Some(number), content: PartContent::Bytes(table.into()) },
        SectionPart {
            section: names_section,
            old: Some(names_number),
            content: PartContent::Bytes(names.into()),
        },
    ])
}
