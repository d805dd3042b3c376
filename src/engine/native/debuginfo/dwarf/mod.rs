//! Paths in debug information (DWARF 2 to 5): those below the folder of the build become those where debuggers find the sources.
//!
//! Units name their source and folder, line tables name folders and files. Where these are strings of a section of strings, the new ones
//! go to its end and the places that name them are changed; where they stand in a line table itself, all that follows them moves.
//! Then the section is put together of what is named, so that the same comes out wherever the build was.

mod cursor;
mod lines;
mod macros;
mod paths;
mod sections;
mod strings;
mod units;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::elf::{Elf, Encoding, NewContents, Unsplit};
use lines::{LineTable, read_tables};
use macros::find_macro_strings;
use paths::joined;
use sections::DebugSection;
use strings::{ChangedStrings, OffsetPlace, follow, rebuild, string_at};
use units::{OF_LINES, PlaceOrder, Text, UnitHead, Units};

pub(super) use paths::PathChange;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    /// What sections hold that have changed.
    pub(super) contents: NewContents,
    /// The sources below the folder of the build, and folders that were compiled in, relative to it.
    pub(super) sources: BTreeSet<Vec<u8>>,
}

/// Changes the paths of a file.
pub(super) fn rewrite(file: &Elf<'_>, change: &PathChange) -> Result<Rewritten, Unsplit> {
    let mut rewriting = Rewriting::read(file, change)?;
    let unit_folders = rewriting.change_units()?;
    rewriting.change_lines(&unit_folders)?;
    rewriting.settle_strings()?;
    let mut contents = NewContents::new();
    let Sections { info, types, strings, line_strings, lines, offsets, macros, .. } = rewriting.sections;
    for section in [info, types, strings, line_strings, lines, offsets, macros] {
        contents.extend(section.write(file.encoding)?);
    }
    Ok(Rewritten { contents, sources: rewriting.sources })
}

/// The sections that are read.
struct Sections {
    info: DebugSection,
    types: DebugSection,
    abbreviations: DebugSection,
    strings: DebugSection,
    line_strings: DebugSection,
    lines: DebugSection,
    offsets: DebugSection,
    macros: DebugSection,
    names: DebugSection,
}

struct Rewriting<'r> {
    encoding: Encoding,
    change: &'r PathChange,
    sections: Sections,
    changed: ChangedStrings,
    changed_lines: ChangedStrings,
    sources: BTreeSet<Vec<u8>>,
    /// All heads of units, and whether each is one of types in a section of their own.
    roots: Vec<(bool, UnitHead)>,
    /// Where line tables began.
    table_starts: Vec<usize>,
}

/// In a line table: what stands between two places is to be this.
struct Replacement {
    start: usize,
    end: usize,
    new: Vec<u8>,
}

impl<'r> Rewriting<'r> {
    fn read(file: &Elf<'_>, change: &'r PathChange) -> Result<Self, Unsplit> {
        let read = |name: &str| DebugSection::read(file, name.as_bytes());
        let sections = Sections {
            info: read(".debug_info")?,
            types: read(".debug_types")?,
            abbreviations: read(".debug_abbrev")?,
            strings: read(".debug_str")?,
            line_strings: read(".debug_line_str")?,
            lines: read(".debug_line")?,
            offsets: read(".debug_str_offsets")?,
            macros: read(".debug_macro")?,
            names: read(".debug_names")?,
        };
        let mut rewriting = Self {
            encoding: file.encoding,
            change,
            sections,
            changed: ChangedStrings::default(),
            changed_lines: ChangedStrings::default(),
            sources: BTreeSet::new(),
            roots: Vec::new(),
            table_starts: Vec::new(),
        };
        for is_types in [false, true] {
            let roots = rewriting.units(is_types).read_roots()?;
            rewriting.roots.extend(roots.into_iter().map(|root| (is_types, root)));
        }
        Ok(rewriting)
    }

    fn units(&self, is_types: bool) -> Units<'_> {
        let section = if is_types { &self.sections.types } else { &self.sections.info };
        let abbreviations = &self.sections.abbreviations.bytes;
        Units { encoding: self.encoding, bytes: &section.bytes, abbreviations, is_types }
    }

    /// What a text says that a section names.
    fn read_text(&self, text: Text, named_in: &DebugSection, root: &UnitHead) -> Option<Vec<u8>> {
        let bytes = match text {
            Text::Inline { at, length } => named_in.bytes.get(at..at.checked_add(length)?)?,
            Text::Strings(place) => string_at(&self.sections.strings.bytes, place.offset)?,
            Text::LineStrings(place) => string_at(&self.sections.line_strings.bytes, place.offset)?,
            Text::Indexed(index) => {
                let place = self.indexed(index, root)?;
                string_at(&self.sections.strings.bytes, place.offset)?
            }
        };
        Some(bytes.to_vec())
    }

    /// The place in the table of offsets that an index means.
    fn indexed(&self, index: usize, root: &UnitHead) -> Option<OffsetPlace> {
        let size = root.offset_size;
        let at = root.offsets_base?.checked_add(index.checked_mul(size)?)?;
        let offset = self.encoding.get(&self.sections.offsets.bytes, at, size)?;
        Some(OffsetPlace { at, size, offset: usize::try_from(offset).ok()? })
    }

    /// Changes what units say; gives the folder of each line table, as it was.
    fn change_units(&mut self) -> Result<BTreeMap<usize, Vec<u8>>, Unsplit> {
        let mut folders = BTreeMap::new();
        let roots = std::mem::take(&mut self.roots);
        for (is_types, root) in &roots {
            let is_types = *is_types;
            let section = if is_types { &self.sections.types } else { &self.sections.info };
            let read = |text: Option<Text>| self.read_text(text?, section, root);
            let (folder, name) = (read(root.folder), read(root.name));
            let folder = folder.unwrap_or_default();
            let sources = [name.map(|name| joined(&folder, &name)), Some(folder.clone())];
            self.sources.extend(sources.into_iter().flatten().filter_map(|path| self.change.relative(&path)));
            if let Some(lines) = root.lines {
                folders.entry(lines.offset).or_insert(folder);
            }
            for text in [root.name, root.folder].into_iter().flatten() {
                self.change_unit_text(text, is_types, root)?;
            }
        }
        self.roots = roots;
        Ok(folders)
    }

    fn change_unit_text(&mut self, text: Text, is_types: bool, root: &UnitHead) -> Result<(), Unsplit> {
        let indexed = if let Text::Indexed(index) = text { self.indexed(index, root) } else { None };
        let Sections { info, types, strings, line_strings, offsets, .. } = &mut self.sections;
        let section = if is_types { types } else { info };
        match text {
            Text::Inline { at, length } => {
                let place = section.bytes.get_mut(at..at.saturating_add(length)).unwrap_or_default();
                // Where it is too short the unit keeps its path: all that follows would move.
                if let Some(new) = self.change.change_in_place(place) {
                    place.copy_from_slice(&new);
                    section.is_changed = true;
                }
                Ok(())
            }
            Text::Strings(place) => match self.changed.change(strings, place.offset, self.change) {
                Some(new) => follow(section, self.encoding, &[(place, new)]),
                None => Ok(()),
            },
            Text::LineStrings(place) => {
                match self.changed_lines.change(line_strings, place.offset, self.change) {
                    Some(new) => follow(section, self.encoding, &[(place, new)]),
                    None => Ok(()),
                }
            }
            Text::Indexed(_) => {
                let Some(place) = indexed else { return Ok(()) };
                match self.changed.change(strings, place.offset, self.change) {
                    Some(new) => follow(offsets, self.encoding, &[(place, new)]),
                    None => Ok(()),
                }
            }
        }
    }

    /// Changes line tables, and collects the sources that they name.
    fn change_lines(&mut self, unit_folders: &BTreeMap<usize, Vec<u8>>) -> Result<(), Unsplit> {
        let tables = read_tables(self.encoding, &self.sections.lines.bytes)?;
        self.table_starts = tables.iter().map(|table| table.start).collect();
        let mut replacements = Vec::new();
        for table in &tables {
            let folder = unit_folders.get(&table.start).cloned().unwrap_or_default();
            self.collect_sources(table, &folder);
            let before = replacements.len();
            let names = table.files.iter().map(|file| file.name);
            for text in table.folders.iter().copied().chain(names) {
                replacements.extend(self.change_line_text(text)?);
            }
            let new = replacements.get(before..).unwrap_or_default();
            let growth: i64 = new.iter().map(Replacement::growth).sum();
            for length in table.lengths.iter().filter(|_| growth != 0) {
                let value = (length.offset as u64).saturating_add_signed(growth);
                self.sections.lines.put(self.encoding, length.at, length.size, value)?;
            }
        }
        self.replace_in_lines(replacements)
    }

    fn collect_sources(&mut self, table: &LineTable, unit_folder: &[u8]) {
        let root = UnitHead::default();
        let read = |text: Text| self.read_text(text, &self.sections.lines, &root).unwrap_or_default();
        let folders: Vec<Vec<u8>> =
            table.folders.iter().map(|folder| joined(unit_folder, &read(*folder))).collect();
        let mut found = Vec::new();
        for file in &table.files {
            let number = if table.version == 5 { Some(file.folder) } else { file.folder.checked_sub(1) };
            let folder = number.and_then(|number| folders.get(usize::try_from(number).ok()?));
            let path = joined(folder.map_or(unit_folder, Vec::as_slice), &read(file.name));
            found.extend(self.change.relative(&path));
        }
        self.sources.extend(found);
    }

    fn change_line_text(&mut self, text: Text) -> Result<Option<Replacement>, Unsplit> {
        let Sections { strings, line_strings, lines, .. } = &mut self.sections;
        match text {
            Text::Inline { at, length } => {
                let end = at.saturating_add(length);
                let new = lines.bytes.get(at..end).and_then(|old| self.change.change(old));
                return Ok(new.map(|new| Replacement { start: at, end, new }));
            }
            Text::Strings(place) => {
                if let Some(new) = self.changed.change(strings, place.offset, self.change) {
                    follow(lines, self.encoding, &[(place, new)])?;
                }
            }
            Text::LineStrings(place) => {
                if let Some(new) = self.changed_lines.change(line_strings, place.offset, self.change) {
                    follow(lines, self.encoding, &[(place, new)])?;
                }
            }
            Text::Indexed(_) => {}
        }
        Ok(None)
    }

    /// Replaces texts in line tables; what names a table that has moved is told.
    fn replace_in_lines(&mut self, replacements: Vec<Replacement>) -> Result<(), Unsplit> {
        if replacements.is_empty() {
            return Ok(());
        }
        let old = std::mem::take(&mut self.sections.lines.bytes);
        let (mut new, mut at) = (Vec::with_capacity(old.len()), 0);
        for replacement in &replacements {
            new.extend_from_slice(old.get(at..replacement.start).unwrap_or_default());
            new.extend_from_slice(&replacement.new);
            at = replacement.end;
        }
        new.extend_from_slice(old.get(at..).unwrap_or_default());
        self.sections.lines.bytes = new;
        self.sections.lines.is_changed = true;
        let moved = Moves::of(&replacements);
        let roots = std::mem::take(&mut self.roots);
        for (is_types, root) in &roots {
            let section = if *is_types { &mut self.sections.types } else { &mut self.sections.info };
            if let Some(place) = root.lines {
                section.put(self.encoding, place.at, place.size, moved.follow(place.offset as u64))?;
            }
            if let Some(macros) = root.macros {
                self.move_lines_of_macros(macros, root.offset_size, &moved)?;
            }
        }
        self.roots = roots;
        Ok(())
    }

    /// The macros of a unit name its line table too, if their flags say so (DWARF 5, 6.3.1).
    fn move_lines_of_macros(&mut self, at: usize, size: usize, moved: &Moves) -> Result<(), Unsplit> {
        let section = &mut self.sections.macros;
        let flags = at.checked_add(2).and_then(|at| self.encoding.get(&section.bytes, at, 1));
        if flags.is_none_or(|flags| flags & 2 == 0) {
            return Ok(());
        }
        let size = if flags.is_some_and(|flags| flags & 1 != 0) { 8 } else { size.min(4) };
        match self.encoding.get(&section.bytes, at + 3, size) {
            Some(old) => section.put(self.encoding, at + 3, size, moved.follow(old)),
            None => Ok(()),
        }
    }

    /// Takes old paths out of the strings. Strings that only units and line tables name are put together anew; others stay where
    /// they are, and what is named no more is wiped.
    fn settle_strings(&mut self) -> Result<(), Unsplit> {
        let macros = find_macro_strings(self.encoding, &self.sections.macros.bytes);
        let macros_are_known = macros.is_some();
        let others = [&self.sections.offsets, &self.sections.names];
        let is_all_known = macros_are_known && others.iter().all(|section| section.bytes.is_empty());
        let mut line_places: Vec<(PlaceOrder, (NamedIn, OffsetPlace))> = Vec::new();
        let mut places: Vec<(PlaceOrder, (NamedIn, OffsetPlace))> = Vec::new();
        let mut changed = std::mem::take(&mut self.changed);
        let has_changed = !changed.is_empty();
        if !has_changed && self.changed_lines.is_empty() {
            return Ok(());
        }
        let mut hear = |order: PlaceOrder, named_in: NamedIn, place: OffsetPlace| {
            if has_changed && is_all_known {
                places.push((order, (named_in, place)));
            } else {
                changed.keep(place.offset);
            }
        };
        let first_type = self.roots.iter().filter(|(is_types, _)| !is_types).count();
        for (is_types, first, named_in) in [(false, 0, NamedIn::Info), (true, first_type, NamedIn::Types)] {
            self.units(is_types).for_each_string(
                first,
                |order, place| hear(order, named_in, place),
                |order, place| line_places.push((order, (named_in, place))),
            )?;
        }
        // The unit that names a table first.
        let mut units_of_tables: HashMap<usize, usize> = HashMap::new();
        for (number, lines) in self.roots.iter().map(|(_, root)| root.lines).enumerate() {
            if let Some(lines) = lines {
                units_of_tables.entry(lines.offset).or_insert(number);
            }
        }
        let tables = read_tables(self.encoding, &self.sections.lines.bytes)?;
        for (table, start) in tables.iter().zip(&self.table_starts) {
            let order = (*units_of_tables.get(start).unwrap_or(&usize::MAX), OF_LINES);
            let names = table.files.iter().map(|file| file.name);
            for text in table.folders.iter().copied().chain(names) {
                match text {
                    Text::Strings(place) => hear(order, NamedIn::Lines, place),
                    Text::LineStrings(place) => line_places.push((order, (NamedIn::Lines, place))),
                    Text::Inline { .. } | Text::Indexed(_) => {}
                }
            }
        }
        for place in macros.into_iter().flatten() {
            hear((usize::MAX, OF_LINES), NamedIn::Macros, place);
        }
        if !self.changed_lines.is_empty() {
            let (strings, moved) = rebuild(&self.sections.line_strings.bytes, &in_order(line_places))?;
            self.sections.line_strings.bytes = strings;
            self.follow_all(moved)?;
        }
        if has_changed && is_all_known {
            let (strings, moved) = rebuild(&self.sections.strings.bytes, &in_order(places))?;
            self.sections.strings.bytes = strings;
            self.follow_all(moved)?;
        } else {
            // What was understood of the macros has been heard already.
            let macros = if macros_are_known { None } else { Some(&self.sections.macros) };
            for section in [&self.sections.offsets, &self.sections.names].into_iter().chain(macros) {
                changed.keep_all_in(self.encoding, &section.bytes);
            }
            changed.wipe(&mut self.sections.strings);
        }
        Ok(())
    }

    fn follow_all(&mut self, moved: Vec<(NamedIn, OffsetPlace, usize)>) -> Result<(), Unsplit> {
        for (named_in, place, new) in moved {
            let section = match named_in {
                NamedIn::Info => &mut self.sections.info,
                NamedIn::Types => &mut self.sections.types,
                NamedIn::Lines => &mut self.sections.lines,
                NamedIn::Macros => &mut self.sections.macros,
            };
            section.put(self.encoding, place.at, place.size, new as u64)?;
        }
        Ok(())
    }
}

/// Places in the order in which they count.
fn in_order<T>(mut places: Vec<(PlaceOrder, T)>) -> Vec<T> {
    places.sort_by_key(|(order, _)| *order);
    places.into_iter().map(|(_, place)| place).collect()
}

/// Which section names a string.
#[derive(Clone, Copy, Debug)]
enum NamedIn {
    Info,
    Types,
    Lines,
    Macros,
}

impl Replacement {
    fn growth(&self) -> i64 {
        let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        length(self.new.len()) - length(self.end - self.start)
    }
}

/// Where parts of line tables have moved.
struct Moves(Vec<(u64, i64)>);

impl Moves {
    fn of(replacements: &[Replacement]) -> Self {
        let mut sum = 0;
        let moves = replacements.iter().map(|replacement| {
            sum += replacement.growth();
            (replacement.start as u64, sum)
        });
        Self(moves.collect())
    }

    /// Where something went.
    fn follow(&self, old: u64) -> u64 {
        let before = self.0.partition_point(|(start, _)| *start < old).checked_sub(1);
        let moved = before.and_then(|before| self.0.get(before)).map_or(0, |(_, moved)| *moved);
        old.saturating_add_signed(moved)
    }
}
