//! Where objcopy(1) puts the sections of a copy that keeps the segments of a file, and what it says of these segments then.
//!
//! The file is one of debug information: most of its sections only say where they would be, and their places in the file mean nothing.
//! They are objcopy's nevertheless: so it makes no difference for the bytes of a package which of both has made them.

use std::cmp::Reverse;

use object::elf;

use super::elf::{Elf, ElfSection, Segment, Unsplit};

/// More pairs of a segment and a section than any program has: each is looked at.
const MOST_PAIRS: usize = 1 << 20;

/// What all machines' pages have at least, in bytes.
const PAGE: u64 = 4096;

/// Where everything is.
pub(super) struct CopyLayout {
    /// Where each section begins.
    pub(super) offsets: Vec<u64>,
    /// The segments, in the order of the file.
    pub(super) segments: Vec<Segment>,
    /// Where the last section ends.
    pub(super) end: u64,
}

/// Lays out a copy of `file` with these sections of it.
///
/// # Errors
/// There are too many of them.
pub(super) fn lay_out(file: &Elf<'_>, sections: &[&ElfSection]) -> Result<CopyLayout, Unsplit> {
    if file.segments.len().saturating_mul(sections.len()) > MOST_PAIRS {
        return Err(Unsplit::because("it has too many sections in too many segments"));
    }
    let mut placement = Placement {
        sections,
        offsets: vec![0; sections.len()],
        header: file.header_size as u64,
        table: (file.segments.len() * file.segment_size) as u64,
        plans: Vec::new(),
        end: file.header_size as u64,
    };
    placement.plan(file);
    let order = placement.sort();
    let first_with_table = order
        .iter()
        .copied()
        .find(|number| placement.plans.get(*number).is_some_and(|plan| plan.is_loaded() && plan.has_table));
    if first_with_table.is_none() {
        placement.end += placement.table;
    }
    for number in &order {
        if first_with_table == Some(*number) {
            placement.end = placement.end.wrapping_add(placement.table);
        }
        let leading = Leading { first: order.first().copied(), first_with_table };
        placement.place_segment(*number, &leading);
    }
    placement.place_outside(is_paged(file));
    let segments = placement.plans.iter().map(|plan| placement.finish(plan)).collect();
    Ok(CopyLayout { offsets: placement.offsets, segments, end: placement.end })
}

/// Whether what is in memory lies in the file as it lies in pages.
fn is_paged(file: &Elf<'_>) -> bool {
    let mut loaded = file.sections.iter().filter(|section| section.is_allocated() && section.has_content());
    loaded.all(|section| section.size == 0 || section.address.wrapping_sub(section.offset) % PAGE == 0)
}

/// Segments that others go by, by their numbers.
struct Leading {
    first: Option<usize>,
    first_with_table: Option<usize>,
}

/// A segment on its way.
#[derive(Clone)]
struct PlannedSegment {
    old: Segment,
    new: Segment,
    /// The sections in it, sorted by their addresses.
    sections: Vec<usize>,
    has_file_header: bool,
    has_table: bool,
    /// Whether its physical address is kept.
    has_physical: bool,
}

impl PlannedSegment {
    fn is_loaded(&self) -> bool {
        self.old.kind == elf::PT_LOAD.0
    }

    fn move_to(&mut self, address: u64, physical: u64) {
        self.new.address = address;
        if !self.has_physical {
            self.new.physical = physical;
        }
    }

    fn grow(&mut self, file_size: u64, memory_size: u64) {
        self.new.file_size = self.new.file_size.wrapping_add(file_size);
        self.new.memory_size = self.new.memory_size.wrapping_add(memory_size);
    }
}

struct Placement<'l> {
    sections: &'l [&'l ElfSection],
    offsets: Vec<u64>,
    /// The sizes of the file's header and of the table of segments.
    header: u64,
    table: u64,
    plans: Vec<PlannedSegment>,
    end: u64,
}

impl<'l> Placement<'l> {
    fn section(&self, number: usize) -> Option<&'l ElfSection> {
        self.sections.get(number).copied()
    }

    /// The sections of a segment, with their numbers.
    fn sections_of(&self, plan: &PlannedSegment) -> Vec<(usize, &'l ElfSection)> {
        plan.sections.iter().filter_map(|number| Some((*number, self.section(*number)?))).collect()
    }

    fn offset(&self, number: usize) -> u64 {
        self.offsets.get(number).copied().unwrap_or_default()
    }

    fn set_offset(&mut self, number: usize, offset: u64) {
        if let Some(place) = self.offsets.get_mut(number) {
            *place = offset;
        }
    }

    fn plan(&mut self, file: &Elf<'_>) {
        let is_physical = file.segments.iter().any(|segment| segment.physical != 0);
        let mut is_table_known = false;
        let table_end = file.segments_offset.saturating_add(self.table);
        for old in &file.segments {
            let is_loaded = old.kind == elf::PT_LOAD.0;
            let has_table = !(is_table_known && is_loaded)
                && old.offset <= file.segments_offset
                && old.offset.saturating_add(old.file_size) >= table_end;
            is_table_known |= has_table && is_loaded;
            let mut plan = PlannedSegment {
                old: *old,
                new: Segment { offset: 0, file_size: 0, memory_size: 0, ..*old },
                sections: Vec::new(),
                has_file_header: old.offset == 0 && old.file_size >= self.header,
                has_table,
                has_physical: is_physical,
            };
            self.fill_plan(&mut plan);
            self.plans.push(plan);
        }
    }

    fn fill_plan(&self, plan: &mut PlannedSegment) {
        let old = plan.old;
        let inside = self.sections.iter().enumerate().filter(|(_, section)| is_inside(section, &old));
        let inside: Vec<(usize, &ElfSection)> = inside.map(|(number, section)| (number, *section)).collect();
        let allocated = || inside.iter().map(|(_, section)| section).filter(|section| section.is_allocated());
        plan.has_physical &= allocated().all(|section| {
            let place = if section.has_content() {
                section.offset.wrapping_sub(old.offset)
            } else {
                section.address.wrapping_sub(old.address)
            };
            section.address.wrapping_sub(old.physical) == place
        });
        let lowest = allocated().map(|section| section.address).min().unwrap_or_default();
        let header = if plan.has_file_header { self.header } else { 0 };
        let table = if plan.has_table { self.table } else { 0 };
        plan.sections = inside.iter().map(|(number, _)| *number).collect();
        plan.sections.sort_by_key(|number| self.section(*number).map(sorting_key));
        let first = plan.sections.first().and_then(|number| self.section(*number)).map(|first| first.address);
        // What lies before the first section.
        let before = if plan.has_physical {
            old.physical.wrapping_add(header + table).wrapping_sub(lowest)
        } else {
            0
        };
        match first {
            Some(first) => {
                let address = first.wrapping_add(before);
                plan.new.physical = if plan.has_physical { old.physical } else { address };
                plan.new.address = address;
            }
            None if !plan.has_physical => plan.new.physical = 0,
            None => {}
        }
    }

    /// The order in which segments are placed: by their kinds, those in memory by their addresses.
    fn sort(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.plans.len()).collect();
        order.sort_by_key(|number| {
            self.plans.get(*number).map(|plan| {
                let kind = plan.old.kind;
                let place = if plan.is_loaded() { plan.new.physical } else { 0 };
                (kind == elf::PT_NULL.0, kind, Reverse(plan.has_file_header), place)
            })
        });
        order
    }

    /// Places the sections of a segment, and finds out how large it is.
    fn place_segment(&mut self, number: usize, leading: &Leading) {
        let Some(mut plan) = self.plans.get(number).cloned() else {
            return;
        };
        let sections = self.sections_of(&plan);
        let has_content = sections.iter().any(|(_, section)| section.has_content());
        let mut back = 0;
        if plan.is_loaded() && !sections.is_empty() {
            let forth = plan.new.address.wrapping_sub(self.end) % plan.old.alignment.max(1);
            self.end = self.end.wrapping_add(forth);
            back = if has_content { 0 } else { forth };
        }
        self.add_headers(&mut plan, leading);
        if plan.is_loaded() {
            self.begin_loaded(&mut plan, has_content || sections.is_empty());
        }
        for (index, (number, section)) in sections.into_iter().enumerate() {
            let is_placed_by_this = [elf::PT_LOAD.0, elf::PT_TLS.0].contains(&plan.old.kind);
            let is_thread_local = section.flags & elf::SHF_TLS.0 != 0;
            let counts = section.has_content()
                || section.is_allocated() && (!is_thread_local || plan.old.kind == elf::PT_TLS.0);
            if is_placed_by_this && counts {
                self.fill_gap(&mut plan, section, index == 0, &mut back);
            }
            self.place_section(&mut plan, number, section);
        }
        self.end = self.end.wrapping_sub(back);
        if let Some(place) = self.plans.get_mut(number) {
            *place = plan;
        }
    }

    /// Counts the headers in that a segment has.
    fn add_headers(&self, plan: &mut PlannedSegment, leading: &Leading) {
        let new = plan.new;
        let leader = |number: Option<usize>| number.and_then(|number| self.plans.get(number)).cloned();
        if plan.has_file_header {
            (plan.new.file_size, plan.new.memory_size) = (self.header, self.header);
            if plan.is_loaded() && !plan.sections.is_empty() {
                plan.move_to(new.address.wrapping_sub(self.end), new.physical.wrapping_sub(self.end));
            } else if !plan.is_loaded()
                && let Some(first) = leader(leading.first).filter(|first| first.has_file_header)
            {
                plan.move_to(first.new.address, first.new.physical);
            }
        }
        if !plan.has_table {
            return;
        }
        plan.grow(self.table, self.table);
        if plan.has_file_header {
            return;
        }
        if plan.is_loaded() {
            plan.new.offset = self.end.wrapping_sub(self.table);
            if !plan.sections.is_empty() {
                let (address, physical) = (new.address, new.physical);
                plan.move_to(address.wrapping_sub(self.table), physical.wrapping_sub(self.table));
            }
        } else if let Some(with_table) = leader(leading.first_with_table) {
            let header = if with_table.has_file_header { self.header } else { 0 };
            let with_table = with_table.new;
            plan.move_to(with_table.address.wrapping_add(header), with_table.physical.wrapping_add(header));
            plan.new.offset = with_table.offset.wrapping_add(header);
        } else {
            plan.new.offset = self.header;
        }
    }

    /// Settles where a segment that is in memory begins in the file.
    fn begin_loaded(&self, plan: &mut PlannedSegment, has_content: bool) {
        if plan.has_file_header || plan.has_table {
            let more = self.end.wrapping_sub(plan.new.offset.wrapping_add(plan.new.file_size));
            plan.grow(if has_content { more } else { 0 }, more);
        } else {
            plan.new.offset = if has_content { self.end } else { self.end % plan.old.alignment.max(1) };
        }
    }

    /// Fills what lies between a section and the one before it.
    fn fill_gap(&mut self, plan: &mut PlannedSegment, section: &ElfSection, is_first: bool, back: &mut u64) {
        let start = plan.new.physical;
        let end = start.wrapping_add(plan.new.memory_size);
        let is_before = section.address < end || end < start;
        let mut gap = if is_before { 0 } else { section.address.wrapping_sub(end) };
        plan.grow(0, gap);
        if plan.is_loaded() {
            if section.has_content() {
                *back = 0;
                if plan.new.file_size.wrapping_add(gap) < plan.new.memory_size {
                    gap = plan.new.memory_size.wrapping_sub(plan.new.file_size);
                }
            }
            if section.has_content() || is_first {
                self.end = self.end.wrapping_add(gap);
                if !section.has_content() {
                    *back = back.wrapping_add(gap);
                }
            }
        }
        if section.has_content() {
            plan.grow(gap, 0);
        }
    }

    fn place_section(&mut self, plan: &mut PlannedSegment, number: usize, section: &ElfSection) {
        let is_thread_local = section.flags & elf::SHF_TLS.0 != 0;
        if plan.is_loaded() {
            self.set_offset(number, self.end);
            if section.has_content() {
                self.end = self.end.wrapping_add(section.size);
            }
        } else if !section.has_content() && is_thread_local && self.offset(number) == 0 {
            let forth = section.address.wrapping_sub(self.end) % section.alignment.max(1);
            self.set_offset(number, self.end.wrapping_add(forth));
        }
        let is_counted = section.has_content() || !is_thread_local || plan.old.kind == elf::PT_TLS.0;
        let memory_size = if section.is_allocated() && is_counted { section.size } else { 0 };
        plan.grow(if section.has_content() { section.size } else { 0 }, memory_size);
    }

    /// Places what has content and is in no segment, and what is not in memory.
    fn place_outside(&mut self, is_paged: bool) {
        for (number, section) in self.sections.iter().enumerate() {
            if self.offset(number) != 0 || !section.has_content() {
                continue;
            }
            // The lowest bit of it counts.
            let alignment = (section.alignment & section.alignment.wrapping_neg()).max(1);
            let mut offset = self.end;
            if section.is_allocated() {
                let page = if is_paged && section.size != 0 { PAGE } else { alignment };
                offset = offset.wrapping_add(section.address.wrapping_sub(offset) % page);
                offset = offset.saturating_add(offset.wrapping_neg() % alignment.min(8));
            } else {
                offset = offset.saturating_add(offset.wrapping_neg() % alignment);
            }
            self.set_offset(number, offset);
            self.end = offset.saturating_add(section.size);
        }
    }

    /// What a segment comes to when all sections are placed.
    fn finish(&self, plan: &PlannedSegment) -> Segment {
        let mut new = plan.new;
        match plan.old.kind {
            kind if kind == elf::PT_GNU_RELRO.0 => return self.finish_read_only(plan),
            kind if kind == elf::PT_GNU_STACK.0 => new.memory_size = plan.old.memory_size,
            kind if kind == elf::PT_LOAD.0 || kind == elf::PT_PHDR.0 => {}
            kind => {
                let sections = self.sections_of(plan);
                let Some((first, _)) = sections.first() else { return new };
                new.offset = self.offset(*first);
                let last = sections.iter().rev().find(|(_, section)| section.has_content());
                new.file_size = last.map_or(0, |(number, section)| {
                    self.offset(*number).wrapping_sub(new.offset).wrapping_add(section.size)
                });
                if kind == elf::PT_NOTE.0 && last.is_some_and(|(_, section)| section.is_allocated()) {
                    new.memory_size = new.file_size;
                }
            }
        }
        new
    }

    /// The segment of what is only read once the program has begun.
    fn finish_read_only(&self, plan: &PlannedSegment) -> Segment {
        let none = Segment::default();
        let Some(start) = plan.sections.first().and_then(|number| self.section(*number)) else {
            return none;
        };
        let (start, end) = (start.address, start.address.wrapping_add(plan.old.memory_size));
        let loaded = self.plans.iter().filter(|loaded| loaded.is_loaded()).find_map(|loaded| {
            let sections = self.sections_of(loaded);
            let ((_, first), (_, last)) = (*sections.first()?, *sections.last()?);
            let is_empty = last.flags & elf::SHF_TLS.0 != 0 && !last.has_content();
            let last = last.address.wrapping_add(if is_empty { 0 } else { last.size });
            (last > start && first.address < end).then_some((loaded.new, sections))
        });
        let Some((loaded, sections)) = loaded.filter(|_| start < end) else {
            return none;
        };
        let is_first = |(_, section): &&(usize, &ElfSection)| {
            section.address >= start && section.address < end && section.size != 0
        };
        let Some((number, section)) = sections.iter().find(is_first) else {
            return none;
        };
        let size = end.wrapping_sub(section.address);
        let loaded_end = loaded.address.wrapping_add(loaded.file_size);
        Segment {
            offset: self.offset(*number),
            address: section.address,
            physical: section.address,
            file_size: size.min(loaded_end.wrapping_sub(section.address)),
            memory_size: size,
            ..plan.old
        }
    }
}

/// Sections of a segment are sorted by their addresses; at the same address, those without content come last, and empty ones first.
fn sorting_key(section: &ElfSection) -> (u64, bool, u64) {
    let has_content = section.has_content();
    let is_late = !has_content && section.flags & elf::SHF_TLS.0 == 0 && section.size != 0;
    (section.address, is_late, if has_content { section.size } else { 0 })
}

/// Whether a section is in a segment, by their kinds, places and addresses.
fn is_inside(section: &ElfSection, segment: &Segment) -> bool {
    let is_one_of = |kinds: &[u32]| kinds.contains(&segment.kind);
    let is_thread_local = section.flags & elf::SHF_TLS.0 != 0;
    let fits_kind = if is_thread_local {
        is_one_of(&[elf::PT_TLS.0, elf::PT_GNU_RELRO.0, elf::PT_LOAD.0])
    } else {
        !is_one_of(&[elf::PT_TLS.0, elf::PT_PHDR.0])
    };
    let in_memory =
        [elf::PT_LOAD, elf::PT_DYNAMIC, elf::PT_GNU_EH_FRAME, elf::PT_GNU_STACK, elf::PT_GNU_RELRO];
    if !fits_kind || !section.is_allocated() && is_one_of(&in_memory.map(|kind| kind.0)) {
        return false;
    }
    let takes_none = is_thread_local && !section.has_content() && segment.kind != elf::PT_TLS.0;
    let size = if takes_none { 0 } else { section.size };
    let fits = |start: u64, beginning: u64, length: u64| {
        start
            .checked_sub(beginning)
            .and_then(|place| place.checked_add(size))
            .is_some_and(|end| end <= length)
    };
    if section.has_content() && !fits(section.offset, segment.offset, segment.file_size)
        || section.is_allocated() && !fits(section.address, segment.address, segment.memory_size)
    {
        return false;
    }
    // What is empty is not at the edge of these.
    let is_within = |start: u64, beginning: u64, length: u64| start > beginning && start - beginning < length;
    !is_one_of(&[elf::PT_DYNAMIC.0, elf::PT_NOTE.0])
        || section.size != 0
        || segment.memory_size == 0
        || (!section.has_content() || is_within(section.offset, segment.offset, segment.file_size))
            && (!section.is_allocated() || is_within(section.address, segment.address, segment.memory_size))
}

#[cfg(test)]
mod tests {
    use super::super::elf::Encoding;
    use super::*;

    fn file(segments: Vec<Segment>, sections: Vec<ElfSection>) -> Elf<'static> {
        Elf {
            data: &[],
            encoding: Encoding { is_64: true, is_big: false },
            kind: elf::ET_DYN.0,
            header_size: 64,
            segments_offset: 64,
            segment_size: 56,
            segments,
            sections,
            names: 0,
        }
    }

    #[test]
    fn what_has_no_content_takes_no_place() {
        let load = Segment { kind: elf::PT_LOAD.0, address: 0x1000, physical: 0x1000, ..Segment::default() };
        let load = Segment { offset: 0x1000, file_size: 0x30, memory_size: 0x30, alignment: 0x1000, ..load };
        let text = ElfSection { kind: elf::SHT_NOBITS.0, flags: elf::SHF_ALLOC.0, ..ElfSection::default() };
        let text = ElfSection { address: 0x1010, size: 0x20, alignment: 16, ..text };
        let file = file(vec![load], vec![text]);
        let layout = lay_out(&file, &file.sections.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(layout.end, 64 + 56);
        let [segment] = layout.segments.as_slice() else { panic!("{:?}", layout.segments) };
        assert_eq!((segment.address, segment.file_size, segment.memory_size), (0x1000, 0, 0x30));
    }

    #[test]
    fn a_file_that_was_made_to_take_long_is_refused() {
        let file = file(vec![Segment::default(); 2_000], vec![ElfSection::default(); 2_000]);
        assert!(lay_out(&file, &file.sections.iter().collect::<Vec<_>>()).is_err());
    }
}
