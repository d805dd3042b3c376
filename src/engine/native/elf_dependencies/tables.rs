//! The tables of ELF files that dependencies stand in. No byte of them is believed: whatever does not fit is [`UnusualElf`].

use std::cell::Cell;

use bstr::BString;
use object::Endianness;
use object::elf::{
    DT_DEBUG, DT_GNU_HASH, DT_HASH, DT_NEEDED, DT_SONAME, EM_ALPHA, EM_FAKE_ALPHA, ET_DYN, ET_EXEC, Machine,
    PN_XNUM, PT_INTERP, SHF_COMPRESSED, SHT_DYNAMIC, SHT_GNU_VERDEF, SHT_GNU_VERNEED, SHT_STRTAB,
    VER_FLG_BASE, Verdaux, Verdef, Vernaux, Verneed,
};
use object::pod::{Pod, from_bytes, slice_from_all_bytes};
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader};
use object::read::{ReadCache, ReadCacheOps, ReadRef};

use super::found::FoundDependencies;
use super::unusual::UnusualElf;

/// Alpha, where nothing marks files of 64 bits: the number that its files have, and the one that was meant for them.
const ALPHA: [Machine; 2] = [EM_ALPHA, EM_FAKE_ALPHA];

/// What is said of what files of 64 bits depend on.
const MARKER: &[u8] = b"(64bit)";

/// Larger tables than any file has, in bytes.
const LARGEST_TABLE: u64 = 16 << 20;

/// Tables of strings up to this size are read at once, in bytes.
const SMALL_STRINGS: u64 = 64 << 10;

/// More entries of versions than any file has: entries may be told to be one within the other.
const MOST_STEPS: u32 = 1_000_000;

/// The tables of a file.
pub(super) struct Tables<'c, H: FileHeader, R: ReadCacheOps> {
    content: &'c ReadCache<R>,
    endian: Endianness,
    header: &'c H,
    sections: &'c [H::SectionHeader],
    steps: Cell<u32>,
}

/// A table with the strings that it points into.
struct LinkedTable<'t, R: ReadCacheOps> {
    content: &'t ReadCache<R>,
    bytes: &'t [u8],
    /// Where its strings begin and how long they are together.
    strings: (u64, u64),
    /// The strings, where they are not many.
    small: Option<&'t [u8]>,
    /// How many entries it has, where it says so.
    count: u32,
    steps: &'t Cell<u32>,
}

impl<'c, H: FileHeader<Endian = Endianness>, R: ReadCacheOps> Tables<'c, H, R> {
    pub(super) fn open(content: &'c ReadCache<R>) -> Result<Self, UnusualElf> {
        let header = H::parse(content).map_err(|_| UnusualElf)?;
        let endian = header.endian().map_err(|_| UnusualElf)?;
        let has_sections = header.e_shoff(endian).into() != 0;
        if header.e_version(endian) != 1
            || header.e_phnum(endian) == PN_XNUM
            || has_sections != (header.e_shnum(endian) != 0)
        {
            return Err(UnusualElf);
        }
        let sections = header.section_headers(endian, content).map_err(|_| UnusualElf)?;
        Ok(Self { content, endian, header, sections, steps: Cell::new(0) })
    }

    /// Finds what is asked for.
    pub(super) fn find(&self, mut found: FoundDependencies<'_>) -> Result<Vec<BString>, UnusualElf> {
        let kind = self.header.e_type(self.endian);
        if kind == ET_DYN || kind == ET_EXEC {
            let is_alpha = ALPHA.contains(&self.header.e_machine(self.endian));
            found.marker = if self.header.is_class_64() && !is_alpha { MARKER } else { b"" };
            found.is_dynamic = kind == ET_DYN;
            found.interpreter = self.find_interpreter()?;
            for section in self.sections {
                self.read_section(section, &mut found)?;
            }
        }
        found.finish()
    }

    /// The first dynamic linker that it names, up to the end of the string and wherever that is.
    fn find_interpreter(&self) -> Result<Option<Vec<u8>>, UnusualElf> {
        let headers = self.header.program_headers(self.endian, self.content).map_err(|_| UnusualElf)?;
        let end = self.content.len().map_err(|()| UnusualElf)?;
        let places = headers.iter().filter(|header| header.p_type(self.endian) == PT_INTERP);
        let mut places = places.map(|header| header.p_offset(self.endian).into());
        let Some(place) = places.find(|place| *place < end) else {
            return Ok(None);
        };
        let text = self.content.read_bytes_at_until(place..end, 0).map_err(|()| UnusualElf)?;
        Ok(Some(text.to_vec()))
    }

    fn read_section(
        &self,
        section: &H::SectionHeader,
        found: &mut FoundDependencies<'_>,
    ) -> Result<(), UnusualElf> {
        match section.sh_type(self.endian) {
            SHT_GNU_VERDEF if found.wants_provides() => self.read_definitions(&self.table(section)?, found),
            SHT_GNU_VERNEED if found.wants_requires() => self.read_needs(&self.table(section)?, found),
            SHT_DYNAMIC => self.read_dynamic(section, found),
            _ => Ok(()),
        }
    }

    /// A table of the file, with its strings.
    fn table(&self, section: &H::SectionHeader) -> Result<LinkedTable<'_, R>, UnusualElf> {
        let endian = self.endian;
        let (at, size) = (section.sh_offset(endian).into(), section.sh_size(endian).into());
        let link = usize::try_from(section.sh_link(endian)).map_err(|_| UnusualElf)?;
        let linked = self.sections.get(link).ok_or(UnusualElf)?;
        let is_compressed =
            [section, linked].iter().any(|part| part.sh_flags(endian).contains(SHF_COMPRESSED));
        if size > LARGEST_TABLE || linked.sh_type(endian) != SHT_STRTAB || is_compressed {
            return Err(UnusualElf);
        }
        let strings: (u64, u64) = (linked.sh_offset(endian).into(), linked.sh_size(endian).into());
        let end = strings.0.checked_add(strings.1).ok_or(UnusualElf)?;
        if end > self.content.len().map_err(|()| UnusualElf)? {
            return Err(UnusualElf);
        }
        let read = |(at, size): (u64, u64)| self.content.read_bytes_at(at, size).map_err(|()| UnusualElf);
        let small = if strings.1 <= SMALL_STRINGS { Some(read(strings)?) } else { None };
        let (bytes, count) = (read((at, size))?, section.sh_info(endian));
        Ok(LinkedTable { content: self.content, bytes, strings, small, count, steps: &self.steps })
    }

    /// Versions of its own symbols. An entry after the first of a definition is never looked at but in that of the file itself.
    fn read_definitions(
        &self,
        table: &LinkedTable<'_, R>,
        found: &mut FoundDependencies<'_>,
    ) -> Result<(), UnusualElf> {
        let (mut at, mut library) = (0, Vec::new());
        for left in (0..table.count).rev() {
            let definition: &Verdef<Endianness> = table.entry(at)?;
            let mut entry_at = move_on(at, definition.vd_aux.get(self.endian))?;
            let is_base = definition.vd_flags.get(self.endian).contains(VER_FLG_BASE);
            for _ in 0..definition.vd_cnt.get(self.endian) {
                let entry: &Verdaux<Endianness> = table.entry(entry_at)?;
                let name = table.string(entry.vda_name.get(self.endian).into())?;
                if is_base {
                    library = name;
                    entry_at = move_on(entry_at, entry.vda_next.get(self.endian))?;
                } else {
                    found.add_version(&library, &name)?;
                }
            }
            at = table.next(at, definition.vd_next.get(self.endian), left)?;
        }
        Ok(())
    }

    /// Versions of others' symbols.
    fn read_needs(
        &self,
        table: &LinkedTable<'_, R>,
        found: &mut FoundDependencies<'_>,
    ) -> Result<(), UnusualElf> {
        let mut at = 0;
        for left in (0..table.count).rev() {
            let need: &Verneed<Endianness> = table.entry(at)?;
            let library = table.string(need.vn_file.get(self.endian).into())?;
            let mut entry_at = move_on(at, need.vn_aux.get(self.endian))?;
            for _ in 0..need.vn_cnt.get(self.endian) {
                let entry: &Vernaux<Endianness> = table.entry(entry_at)?;
                let version = table.string(entry.vna_name.get(self.endian).into())?;
                found.add_version(&library, &version)?;
                entry_at = move_on(entry_at, entry.vna_next.get(self.endian))?;
            }
            at = table.next(at, need.vn_next.get(self.endian), left)?;
        }
        Ok(())
    }

    /// The dynamic section, to its very end: what ends it for a loader does not end it here.
    fn read_dynamic(
        &self,
        section: &H::SectionHeader,
        found: &mut FoundDependencies<'_>,
    ) -> Result<(), UnusualElf> {
        let size = size_of::<H::Dyn>();
        if usize::try_from(section.sh_entsize(self.endian).into()) != Ok(size) {
            return Err(UnusualElf);
        }
        let table = self.table(section)?;
        let entries: &[H::Dyn] = slice_from_all_bytes(table.bytes).map_err(|()| UnusualElf)?;
        for entry in entries {
            match entry.tag(self.endian) {
                DT_HASH => found.has_hash = true,
                DT_GNU_HASH => found.has_gnu_hash = true,
                DT_DEBUG => found.has_debug = true,
                DT_SONAME if found.wants_provides() => {
                    found.name = Some(table.string(entry.val(self.endian))?);
                }
                DT_NEEDED if found.wants_requires() => {
                    let library = table.string(entry.val(self.endian))?;
                    found.add(&library, None)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl<R: ReadCacheOps> LinkedTable<'_, R> {
    /// What stands at a place.
    fn entry<T: Pod>(&self, at: u32) -> Result<&T, UnusualElf> {
        let steps = self.steps.get();
        self.steps.set(steps.saturating_add(1));
        if steps > MOST_STEPS || !at.is_multiple_of(4) {
            return Err(UnusualElf);
        }
        let bytes = usize::try_from(at).ok().and_then(|at| self.bytes.get(at..)).ok_or(UnusualElf)?;
        from_bytes(bytes).map(|(entry, _)| entry).map_err(|()| UnusualElf)
    }

    /// The place of the next entry; there is none behind the last.
    fn next(&self, at: u32, distance: u32, left: u32) -> Result<u32, UnusualElf> {
        if left == 0 {
            return Ok(at);
        }
        if distance == 0 { Err(UnusualElf) } else { move_on(at, distance) }
    }

    /// The string that begins at a place of the strings.
    fn string(&self, at: u64) -> Result<Vec<u8>, UnusualElf> {
        let (begin, size) = self.strings;
        if at >= size {
            return Err(UnusualElf);
        }
        let text = match self.small {
            Some(strings) => {
                let text = usize::try_from(at).ok().and_then(|at| strings.get(at..)).ok_or(UnusualElf)?;
                let end = text.iter().position(|byte| *byte == 0).ok_or(UnusualElf)?;
                text.get(..end).ok_or(UnusualElf)?
            }
            None => self
                .content
                .read_bytes_at_until(begin.saturating_add(at)..begin.saturating_add(size), 0)
                .map_err(|()| UnusualElf)?,
        };
        Ok(text.to_vec())
    }
}

fn move_on(at: u32, distance: u32) -> Result<u32, UnusualElf> {
    at.checked_add(distance).ok_or(UnusualElf)
}
