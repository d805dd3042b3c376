//! Heads of line tables: the folders and files that the lines are of (DWARF 5, 6.2.4; DWARF 4 and before it, ibid.).

use super::super::elf::{Encoding, Unsplit};
use super::cursor::Cursor;
use super::strings::OffsetPlace;
use super::units::Text;

/// A file of a line table.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineFile {
    pub(super) name: Text,
    /// The number of its folder.
    pub(super) folder: u64,
}

/// The head of a line table.
#[derive(Clone, Debug)]
pub(super) struct LineTable {
    /// Where it begins.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) version: u64,
    /// Where it says how long the whole is, and how long the rest of its head is.
    pub(super) lengths: [OffsetPlace; 2],
    pub(super) folders: Vec<Text>,
    pub(super) files: Vec<LineFile>,
}

/// What an entry of a table is made of: what each field means, and how it is written.
type Fields = Vec<(u64, u64)>;

/// What fields mean.
const PATH: u64 = 1;
const FOLDER: u64 = 2;

/// All tables of a section, from one to the next.
pub(super) fn read_tables(encoding: Encoding, bytes: &[u8]) -> Result<Vec<LineTable>, Unsplit> {
    let mut tables: Vec<LineTable> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let table = read_table(encoding, bytes, at);
        let table =
            table.ok_or_else(|| Unsplit::because("a line table of its debug information is damaged"))?;
        at = table.end;
        tables.push(table);
    }
    Ok(tables)
}

fn read_table(encoding: Encoding, bytes: &[u8], start: usize) -> Option<LineTable> {
    let mut cursor = Cursor { encoding, bytes, at: start };
    let mut size = 4;
    let mut length = cursor.number(4)?;
    if length == 0xffff_ffff {
        size = 8;
        length = cursor.number(8)?;
    }
    let length_place = cursor.at - size;
    let end = cursor.at.checked_add(usize::try_from(length).ok()?).filter(|end| *end <= bytes.len())?;
    cursor.bytes = bytes.get(..end)?;
    let version = cursor.number(2).filter(|version| (2..=5).contains(version))?;
    if version == 5 {
        cursor.skip(2)?;
    }
    let head_place = cursor.at;
    let head = cursor.number(size)?;
    let head_end = cursor.at.checked_add(usize::try_from(head).ok()?).filter(|head_end| *head_end <= end)?;
    cursor.bytes = bytes.get(..head_end)?;
    cursor.skip(if version >= 4 { 5 } else { 4 })?;
    let operations = cursor.number(1)?;
    cursor.skip(operations.checked_sub(1)?)?;
    let place = |at: usize, value: u64| Some(OffsetPlace { at, size, offset: usize::try_from(value).ok()? });
    let lengths = [place(length_place, length)?, place(head_place, head)?];
    let mut table = LineTable { start, end, version, lengths, folders: Vec::new(), files: Vec::new() };
    if version == 5 {
        let folders = read_entries(&mut cursor, size)?;
        table.folders = folders.into_iter().map(|entry| entry.name).collect();
        table.files = read_entries(&mut cursor, size)?;
    } else {
        while let folder @ Text::Inline { length: 1.., .. } = cursor.text()? {
            table.folders.push(folder);
        }
        while let name @ Text::Inline { length: 1.., .. } = cursor.text()? {
            let folder = cursor.leb128()?;
            cursor.leb128()?;
            cursor.leb128()?;
            table.files.push(LineFile { name, folder });
        }
    }
    Some(table)
}

fn read_entries(cursor: &mut Cursor<'_>, size: usize) -> Option<Vec<LineFile>> {
    let field_count = cursor.number(1)?;
    let mut fields = Fields::new();
    for _ in 0..field_count {
        fields.push((cursor.leb128()?, cursor.leb128()?));
    }
    let count = cursor.leb128()?;
    if fields.is_empty() && count > 0 {
        return None;
    }
    let mut entries = Vec::new();
    for _ in 0..count {
        let (mut name, mut folder) = (Text::Inline { at: cursor.at, length: 0 }, 0);
        for (meaning, form) in &fields {
            match (*meaning, read_field(cursor, *form, size)?) {
                (PATH, Field::Text(text)) => name = text,
                (FOLDER, Field::Number(number)) => folder = number,
                _ => {}
            }
        }
        entries.push(LineFile { name, folder });
    }
    Some(entries)
}

enum Field {
    Text(Text),
    Number(u64),
    Other,
}

/// Reads a field by its form; each form takes a byte at least.
fn read_field(cursor: &mut Cursor<'_>, form: u64, size: usize) -> Option<Field> {
    let at = cursor.at;
    let mut reference =
        || Some(OffsetPlace { at, size, offset: usize::try_from(cursor.number(size)?).ok()? });
    let block = match form {
        0x08 => return cursor.text().map(Field::Text),
        0x0e => return Some(Field::Text(Text::Strings(reference()?))),
        0x1f => return Some(Field::Text(Text::LineStrings(reference()?))),
        0x0b => return cursor.number(1).map(Field::Number),
        0x05 => return cursor.number(2).map(Field::Number),
        0x06 => return cursor.number(4).map(Field::Number),
        0x07 => return cursor.number(8).map(Field::Number),
        0x0f => return cursor.leb128().map(Field::Number),
        // Strings by their index, and strings of another file, are not followed.
        0x1a | 0x0d => return cursor.leb128().map(|_| Field::Other),
        0x1d => size as u64,
        0x25 => 1,
        0x26 => 2,
        0x27 => 3,
        0x28 => 4,
        0x1e => 16,
        0x09 => cursor.leb128()?,
        0x0a => cursor.number(1)?,
        0x03 => cursor.number(2)?,
        0x04 => cursor.number(4)?,
        _ => return None,
    };
    cursor.skip(block)?;
    Some(Field::Other)
}
