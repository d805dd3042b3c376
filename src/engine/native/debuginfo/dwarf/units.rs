//! Units of debug information: where each says what it was compiled from, and in which folder (DWARF 5, 3.1 and 7.5).

use std::collections::HashMap;
use std::rc::Rc;

use gimli::{
    Abbreviations, AttributeValue, DebugAbbrev, DebugInfo, DebugTypes, EndianSlice, RunTimeEndian,
    UnitHeader, constants,
};

use super::super::elf::{Encoding, Unsplit};
use super::strings::OffsetPlace;

type Slice<'d> = EndianSlice<'d, RunTimeEndian>;

/// Where a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// Where it is named, and so long.
    Inline { at: usize, length: usize },
    /// Among the strings.
    Strings(OffsetPlace),
    /// Among the strings of line tables.
    LineStrings(OffsetPlace),
    /// Among the strings; the offset is the n-th of the unit's in the table of offsets.
    Indexed(usize),
}

/// What stands at the head of a unit.
#[derive(Clone, Debug, Default)]
pub(super) struct UnitHead {
    pub(super) name: Option<Text>,
    pub(super) folder: Option<Text>,
    /// Where its line table is.
    pub(super) lines: Option<OffsetPlace>,
    /// Where its macros are.
    pub(super) macros: Option<usize>,
    /// Where its offsets of strings begin.
    pub(super) offsets_base: Option<usize>,
    /// How many bytes an offset has.
    pub(super) offset_size: usize,
}

/// When in turn a place counts: by its unit, and then the unit's head, its line table, and all else of it.
pub(super) type PlaceOrder = (usize, u8);

/// The steps of that.
pub(super) const OF_HEAD: u8 = 0;
pub(super) const OF_LINES: u8 = 1;
const OF_REST: u8 = 2;

/// A section of units, and what they are abbreviated with.
#[derive(Clone, Copy)]
pub(super) struct Units<'u> {
    pub(super) encoding: Encoding,
    pub(super) bytes: &'u [u8],
    pub(super) abbreviations: &'u [u8],
    /// Whether they are types in a section of their own (DWARF 4).
    pub(super) is_types: bool,
}

impl From<gimli::Error> for Unsplit {
    fn from(error: gimli::Error) -> Self {
        Self(format!("its debug information is damaged: {error}"))
    }
}

impl<'u> Units<'u> {
    fn for_each(
        &self,
        mut each: impl FnMut(&UnitHeader<Slice<'u>>, &Abbreviations) -> Result<(), Unsplit>,
    ) -> Result<(), Unsplit> {
        let endian = if self.encoding.is_big { RunTimeEndian::Big } else { RunTimeEndian::Little };
        let section = DebugAbbrev::new(self.abbreviations, endian);
        let mut known: HashMap<usize, Rc<Abbreviations>> = HashMap::new();
        let mut visit = |unit: UnitHeader<Slice<'u>>| -> Result<(), Unsplit> {
            let offset = unit.debug_abbrev_offset().0;
            let abbreviations = match known.get(&offset) {
                Some(abbreviations) => Rc::clone(abbreviations),
                None => {
                    let read = Rc::new(unit.abbreviations(&section)?);
                    known.insert(offset, Rc::clone(&read));
                    read
                }
            };
            each(&unit, &abbreviations)
        };
        if self.is_types {
            let mut units = DebugTypes::new(self.bytes, endian).units();
            while let Some(unit) = units.next()? {
                visit(unit)?;
            }
        } else {
            let mut units = DebugInfo::new(self.bytes, endian).units();
            while let Some(unit) = units.next()? {
                visit(unit)?;
            }
        }
        Ok(())
    }

    /// What stands at the heads of all units.
    pub(super) fn read_roots(&self) -> Result<Vec<UnitHead>, Unsplit> {
        let mut roots = Vec::new();
        self.for_each(|unit, abbreviations| {
            let mut entries = unit.entries_raw(abbreviations, None)?;
            let offset_size = usize::from(unit.format().word_size());
            let mut root = UnitHead { offset_size, ..UnitHead::default() };
            let attributes = if entries.is_empty() { None } else { entries.read_abbreviation()? };
            for specification in attributes.map(|head| head.attributes()).unwrap_or_default() {
                let at = unit.offset().0.saturating_add(entries.next_offset().0);
                let attribute = entries.read_attribute(*specification)?;
                let text = || read_text(&attribute.raw_value(), at, offset_size);
                match attribute.name() {
                    constants::DW_AT_name => root.name = text(),
                    constants::DW_AT_comp_dir => root.folder = text(),
                    constants::DW_AT_stmt_list => {
                        if let AttributeValue::DebugLineRef(offset) = attribute.value() {
                            let size =
                                if attribute.form() == constants::DW_FORM_data4 { 4 } else { offset_size };
                            root.lines = Some(OffsetPlace { at, size, offset: offset.0 });
                        }
                    }
                    constants::DW_AT_macros | constants::DW_AT_GNU_macros => {
                        if let AttributeValue::DebugMacroRef(offset) = attribute.value() {
                            root.macros = Some(offset.0);
                        }
                    }
                    constants::DW_AT_str_offsets_base => {
                        if let AttributeValue::DebugStrOffsetsBase(base) = attribute.value() {
                            root.offsets_base = Some(base.0);
                        }
                    }
                    _ => {}
                }
            }
            roots.push(root);
            Ok(())
        })?;
        Ok(roots)
    }

    /// Names each place that names a string: one of the strings, and one of those of line tables. `first` is the number of the first
    /// unit.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other attributes name no string of a table")]
    pub(super) fn for_each_string(
        &self,
        first: usize,
        mut strings: impl FnMut(PlaceOrder, OffsetPlace),
        mut line_strings: impl FnMut(PlaceOrder, OffsetPlace),
    ) -> Result<(), Unsplit> {
        let mut number = first;
        self.for_each(|unit, abbreviations| {
            let mut entries = unit.entries_raw(abbreviations, None)?;
            let (start, size) = (unit.offset().0, usize::from(unit.format().word_size()));
            let mut order = (number, OF_HEAD);
            number += 1;
            while !entries.is_empty() {
                let Some(abbreviation) = entries.read_abbreviation()? else {
                    continue;
                };
                for specification in abbreviation.attributes() {
                    let at = start.saturating_add(entries.next_offset().0);
                    let place = |offset: usize| OffsetPlace { at, size, offset };
                    match entries.read_attribute_inline(*specification)?.raw_value() {
                        AttributeValue::DebugStrRef(offset) => strings(order, place(offset.0)),
                        AttributeValue::DebugLineStrRef(offset) => line_strings(order, place(offset.0)),
                        _ => {}
                    }
                }
                order.1 = OF_REST;
            }
            Ok(())
        })
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other attributes are no text")]
fn read_text(value: &AttributeValue<Slice<'_>>, at: usize, size: usize) -> Option<Text> {
    match value {
        AttributeValue::String(text) => Some(Text::Inline { at, length: text.slice().len() }),
        AttributeValue::DebugStrRef(offset) => {
            Some(Text::Strings(OffsetPlace { at, size, offset: offset.0 }))
        }
        AttributeValue::DebugLineStrRef(offset) => {
            Some(Text::LineStrings(OffsetPlace { at, size, offset: offset.0 }))
        }
        AttributeValue::DebugStrOffsetsIndex(index) => Some(Text::Indexed(index.0)),
        _ => None,
    }
}
