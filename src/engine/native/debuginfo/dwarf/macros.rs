//! Macros of units: which strings they are (DWARF 5, 6.3; GNU's version of it for DWARF 4 has the same form).

use super::super::elf::Encoding;
use super::cursor::Cursor;
use super::strings::OffsetPlace;

/// Flags in the head of a unit: offsets have 8 bytes, there is a line table, there are instructions of a vendor's own.
const LARGE: u64 = 1;
const HAS_LINES: u64 = 2;
const HAS_OWN: u64 = 4;

/// Each place of the section that names a string; nothing if there is something in it that is not known.
pub(super) fn find_macro_strings(encoding: Encoding, bytes: &[u8]) -> Option<Vec<OffsetPlace>> {
    let mut cursor = Cursor { encoding, bytes, at: 0 };
    let mut found = Vec::new();
    while cursor.at < bytes.len() {
        cursor.number(2).filter(|version| (4..=5).contains(version))?;
        let flags = cursor.number(1).filter(|flags| flags & HAS_OWN == 0)?;
        let size = if flags & LARGE != 0 { 8 } else { 4 };
        if flags & HAS_LINES != 0 {
            cursor.number(size)?;
        }
        loop {
            match cursor.number(1)? {
                0 => break,
                // Defined, and undefined again, with the text.
                1 | 2 => {
                    cursor.leb128()?;
                    cursor.text()?;
                }
                // A file begins.
                3 => {
                    cursor.leb128()?;
                    cursor.leb128()?;
                }
                // A file ends.
                4 => {}
                // As above, with the text among the strings.
                5 | 6 => {
                    cursor.leb128()?;
                    let at = cursor.at;
                    found.push(OffsetPlace { at, size, offset: usize::try_from(cursor.number(size)?).ok()? });
                }
                // Macros of another unit, here or in another file.
                7 | 10 => drop(cursor.number(size)?),
                // As above, with the text in another file, and by an index.
                8 | 9 => {
                    cursor.leb128()?;
                    cursor.number(size)?;
                }
                11 | 12 => {
                    cursor.leb128()?;
                    cursor.leb128()?;
                }
                _ => return None,
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_found_between_all_else() {
        let encoding = Encoding { is_64: true, is_big: false };
        let unit = [5, 0, 2, 9, 9, 9, 9, 3, 0, 1, 1, 5, b'A', 0, 5, 0x81, 1, 7, 0, 0, 0, 4, 7, 1, 0, 0, 0, 0];
        let found = find_macro_strings(encoding, &unit).unwrap();
        assert_eq!(found, [OffsetPlace { at: 17, size: 4, offset: 7 }]);
        assert_eq!(find_macro_strings(encoding, &[unit.as_slice(), &unit].concat()).unwrap().len(), 2);
        assert_eq!(find_macro_strings(encoding, &unit[..20]), None);
        assert_eq!(find_macro_strings(encoding, &[5, 0, 4, 0]), None);
    }
}
