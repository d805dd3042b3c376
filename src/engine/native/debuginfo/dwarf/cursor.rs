//! Reading numbers and texts one after the other.

use super::super::elf::Encoding;
use super::units::Text;

/// A place that is read from, never beyond its end.
pub(super) struct Cursor<'c> {
    pub(super) encoding: Encoding,
    pub(super) bytes: &'c [u8],
    pub(super) at: usize,
}

impl<'c> Cursor<'c> {
    /// A number of so many bytes.
    pub(super) fn number(&mut self, size: usize) -> Option<u64> {
        let number = self.encoding.get(self.bytes, self.at, size)?;
        self.at += size;
        Some(number)
    }

    /// A number of as many bytes as it takes; no more than 64 bits of it count.
    pub(super) fn leb128(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0_u64, 0_u32);
        loop {
            let byte = self.number(1)?;
            value |= (byte & 0x7f).checked_shl(shift).unwrap_or_default();
            if byte & 0x80 == 0 {
                return Some(value);
            }
            shift = shift.checked_add(7)?;
        }
    }

    /// Goes over some bytes.
    pub(super) fn skip(&mut self, count: u64) -> Option<()> {
        let end = self.at.checked_add(usize::try_from(count).ok()?)?;
        self.bytes.get(self.at..end)?;
        self.at = end;
        Some(())
    }

    /// A text up to its zero.
    pub(super) fn text(&mut self) -> Option<Text> {
        let rest: &'c [u8] = self.bytes.get(self.at..)?;
        let length = rest.iter().position(|byte| *byte == 0)?;
        let at = self.at;
        self.at += length + 1;
        Some(Text::Inline { at, length })
    }
}
