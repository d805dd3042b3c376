//! Symbols of programs.

use object::elf;

use super::elf::{Elf, ElfSection, Encoding, NewContents};

/// A symbol of a table.
pub(super) struct Symbol<'s> {
    pub(super) name: &'s [u8],
    /// All that the table says of it.
    pub(super) row: &'s [u8],
    /// Its type, and above that how it is bound.
    pub(super) kind: u8,
    /// The section that it is in; 0 where it is in none of this file.
    pub(super) section: u64,
}

impl Symbol<'_> {
    pub(super) fn is_defined_function(&self) -> bool {
        self.kind & 0xf == elf::STT_FUNC.0 && self.section != 0 && !self.name.is_empty()
    }

    pub(super) fn is_local(&self) -> bool {
        self.kind >> 4 == elf::STB_LOCAL.0 && self.section != 0
    }
}

pub(super) fn row_size(encoding: Encoding) -> usize {
    if encoding.is_64 { 24 } else { 16 }
}

/// The symbols of a table, without the empty first one.
pub(super) fn read_symbols<'s>(file: &Elf<'s>, section: &ElfSection) -> impl Iterator<Item = Symbol<'s>> {
    let strings = file.sections.get(section.link as usize).map(|strings| file.content(strings));
    let strings = strings.unwrap_or_default();
    let encoding = file.encoding;
    let (kind, number) = (kind_place(encoding), if encoding.is_64 { 6 } else { 14 });
    file.content(section).chunks_exact(row_size(encoding)).skip(1).map(move |row| {
        let name = encoding.get(row, 0, 4).and_then(|start| strings.get(usize::try_from(start).ok()?..));
        let name = name.and_then(|name| name.split(|byte| *byte == 0).next()).unwrap_or_default();
        let kind = row.get(kind).copied().unwrap_or_default();
        Symbol { name, row, kind, section: encoding.get(row, number, 2).unwrap_or_default() }
    })
}

fn kind_place(encoding: Encoding) -> usize {
    if encoding.is_64 { 4 } else { 12 }
}

/// Gives symbols in sections that each thread has of its own the type for these, as objcopy(1) does with every file that it copies.
pub(super) fn correct_thread_local(file: &Elf<'_>, contents: &mut NewContents) {
    let is_thread_local = |number: u64| {
        let section = usize::try_from(number).ok().and_then(|number| file.sections.get(number));
        section.is_some_and(|section| section.flags & elf::SHF_TLS.0 != 0)
    };
    let place = kind_place(file.encoding);
    for (number, section) in file.sections.iter().enumerate() {
        if section.kind != elf::SHT_SYMTAB.0 {
            continue;
        }
        let wrong = read_symbols(file, section).enumerate().filter(|(_, symbol)| {
            ![elf::STT_TLS.0, elf::STT_SECTION.0].contains(&(symbol.kind & 0xf))
                && is_thread_local(symbol.section)
        });
        let wrong: Vec<usize> =
            wrong.map(|(number, _)| (number + 1) * row_size(file.encoding) + place).collect();
        if wrong.is_empty() {
            continue;
        }
        let table = contents.entry(number).or_insert_with(|| file.content(section).to_vec());
        for kind in wrong {
            if let Some(kind) = table.get_mut(kind) {
                *kind = *kind & 0xf0 | elf::STT_TLS.0;
            }
        }
    }
}
