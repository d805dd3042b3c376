//! Entries of a compiled database of magic(5), as `struct magic` of file's `file.h` lays them out.

use std::ops::Range;

use super::search::{Expression, Word};

const MAGIC: u32 = 0xf11e_041c;

/// Bits of an entry's flags: the place of its test is not a fixed one from the beginning.
const MOVES: u16 = 0x01 | 0x02 | 0x04 | 0x80;
/// The place is told by a number at another.
const POINTED: u16 = 0x01;
/// The place is counted from the end of the file.
const FROM_END: u16 = 0x80;
/// It is compared as a number without a sign.
const UNSIGNED: u16 = 0x08;
/// The test is turned round.
const INVERSE: u8 = 0x40;
/// How values are masked: `&`.
const AND: u8 = 0;

/// Bits of a string's flags.
const ANY_SPACE: u32 = 1 | 2;
const ANY_CASE: u32 = 4 | 8;

/// The length before a string is one byte.
const ONE_BYTE: u32 = 0x80;

/// How long the values of strings are at most.
const LONGEST_VALUE: usize = 128;

/// Where descriptions and MIME types begin.
const DESCRIPTION: usize = 160;
const TYPE: usize = 224;

/// Kinds of tests.
mod kind {
    pub(super) const BYTE: u8 = 1;
    pub(super) const SHORT: u8 = 2;
    pub(super) const LONG: u8 = 4;
    pub(super) const STRING: u8 = 5;
    pub(super) const BE_SHORT: u8 = 7;
    pub(super) const BE_LONG: u8 = 8;
    pub(super) const LE_SHORT: u8 = 10;
    pub(super) const LE_LONG: u8 = 11;
    pub(super) const REGEX: u8 = 17;
    pub(super) const LENGTH_STRING: u8 = 13;
    pub(super) const LE_STRING: u8 = 19;
    pub(super) const SEARCH: u8 = 20;
    pub(super) const QUAD: u8 = 24;
    pub(super) const LE_QUAD: u8 = 25;
    pub(super) const BE_QUAD: u8 = 26;
    pub(super) const INDIRECT: u8 = 41;
    pub(super) const NAME: u8 = 45;
    pub(super) const USE: u8 = 46;
    pub(super) const DER: u8 = 48;
    pub(super) const GUID: u8 = 49;
}

/// How a database is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Bytes of an entry.
    size: usize,
    /// Whether the flags stand before the level.
    has_flags_first: bool,
    /// How many entries are tried on files.
    pub(super) unnamed: usize,
    /// How many come after them that are used by their names.
    pub(super) named: usize,
}

/// What the first test of an entry asks of a file.
#[derive(Debug)]
pub(super) enum Test {
    /// It can't be told.
    Open,
    /// Bytes at a place: masks and values; there is at least one.
    At(usize, Vec<(u8, u8)>),
    /// The same, counted from the end of the file.
    AtEnd(usize, Vec<(u8, u8)>),
    /// The same, at the place that a number tells.
    Pointed(Pointer, Vec<(u8, u8)>),
    /// A number at a place, less or more than another.
    Compared(Compared),
    /// A word somewhere.
    Search(Word),
    /// A regular expression.
    Expression(Expression),
}

/// A number that tells another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    place: usize,
    number: Number,
}

/// A number at a place, to compare with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compared {
    place: usize,
    number: Number,
    mask: u64,
    value: u64,
    is_less: bool,
    is_unsigned: bool,
}

/// How a number stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Number {
    /// Its bytes.
    width: usize,
    is_little: bool,
}

/// An entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MagicEntry<'b> {
    /// How many `>` it has.
    pub(super) level: u16,
    flags: u16,
    relation: u8,
    length: usize,
    kind: u8,
    /// The kind of the number that tells the place, and whether something is done to that.
    pointer_kind: u8,
    pointer_is_moved: bool,
    mask_operator: u8,
    place: i32,
    /// The mask of a number.
    mask: u64,
    /// How many bytes of the file a string is compared with.
    range: u32,
    string_flags: u32,
    value: &'b [u8],
    /// Whether it has words of description.
    has_words: bool,
    /// Whether it has a MIME type.
    has_type: bool,
}

impl Layout {
    /// Reads how `bytes` are laid out; `None` for what is no database of a known version.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| read_u32(bytes, at);
        let version = number(4).filter(|_| number(0) == Some(MAGIC))?;
        let (size, has_flags_first) = match version {
            16 | 18 => (376, false),
            20 | 21 => (432, true),
            _ => return None,
        };
        let unnamed = usize::try_from(number(8)?).ok()?;
        let named = usize::try_from(number(12)?).ok()?;
        let whole = unnamed.checked_add(named)?.checked_add(1)?.checked_mul(size)?;
        (whole == bytes.len()).then_some(Self { size, has_flags_first, unnamed, named })
    }

    /// The bytes of some entries.
    pub(super) fn entries<'b>(&self, bytes: &'b [u8], which: Range<usize>) -> Option<&'b [u8]> {
        bytes.get(self.size * (which.start + 1)..self.size * (which.end + 1))
    }

    /// The head of a database with as many bytes of unnamed entries as said.
    pub(super) fn head(&self, bytes: &[u8], unnamed: usize) -> Vec<u8> {
        let mut head = bytes.get(..self.size).unwrap_or_default().to_vec();
        let count = u32::try_from(unnamed / self.size).unwrap_or(u32::MAX);
        if let Some(place) = head.get_mut(8..12) {
            place.copy_from_slice(&count.to_ne_bytes());
        }
        head
    }

    /// An entry.
    pub(super) fn entry<'b>(&self, bytes: &'b [u8], index: usize) -> Option<MagicEntry<'b>> {
        let bytes = self.entries(bytes, index..index + 1)?;
        let short = |at: usize| Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let byte = |at: usize| bytes.get(at).copied();
        let (level, flags) = if self.has_flags_first {
            (u16::from(byte(2)?), short(0)?)
        } else {
            (short(0)?, u16::from(byte(2)?))
        };
        Some(MagicEntry {
            level,
            flags,
            relation: byte(4)?,
            length: usize::from(byte(5)?),
            kind: byte(6)?,
            pointer_kind: byte(7)?,
            pointer_is_moved: byte(8)? != 0 || read_u32(bytes, 16)? != 0,
            mask_operator: byte(9)?,
            place: i32::from_ne_bytes(bytes.get(12..16)?.try_into().ok()?),
            mask: u64::from_ne_bytes(bytes.get(24..32)?.try_into().ok()?),
            range: read_u32(bytes, 24)?,
            string_flags: read_u32(bytes, 28)?,
            value: bytes.get(32..32 + LONGEST_VALUE)?,
            has_words: byte(DESCRIPTION)? != 0,
            has_type: byte(TYPE)? != 0,
        })
    }
}

impl<'b> MagicEntry<'b> {
    /// Whether it tells a MIME type, but no words of description.
    pub(super) fn is_wordless(&self) -> bool {
        self.has_type && !self.has_words
    }

    /// Whether it tells nothing itself: what follows it does.
    pub(super) fn is_silent(&self) -> bool {
        !self.has_type && !self.has_words
    }

    /// Whether its place is counted from the end of the file.
    pub(super) fn is_from_end(&self) -> bool {
        self.flags & FROM_END != 0
    }

    /// Whether it tries all entries anew at another place.
    pub(super) fn is_indirect(&self) -> bool {
        self.kind == kind::INDIRECT
    }

    /// The name that it gives to what follows.
    pub(super) fn name(&self) -> Option<&'b [u8]> {
        (self.kind == kind::NAME).then(|| self.text())
    }

    /// The name of what it uses.
    pub(super) fn uses(&self) -> Option<&'b [u8]> {
        (self.kind == kind::USE).then(|| self.text()).map(|name| name.strip_prefix(b"^").unwrap_or(name))
    }

    /// What its test asks of a file.
    pub(super) fn test(&self) -> Test {
        let value = self.value.get(..self.length.min(LONGEST_VALUE)).unwrap_or_default();
        let place = usize::try_from(self.place).ok();
        if self.flags & MOVES == FROM_END {
            return match place.map(|place| self.make_test(value, Some(place))) {
                Some(Test::At(place, bytes)) => Test::AtEnd(place, bytes),
                _ => Test::Open,
            };
        }
        if self.flags & MOVES == POINTED && self.is_string_or_number() {
            let number = find_number_form(self.pointer_kind).filter(|_| !self.pointer_is_moved);
            return match (place.zip(number), self.make_test(value, Some(0))) {
                (Some((place, number)), Test::At(0, bytes)) => {
                    Test::Pointed(Pointer { place, number }, bytes)
                }
                _ => Test::Open,
            };
        }
        self.make_test(value, place.filter(|_| self.flags & MOVES == 0))
    }

    /// Whether it is compared where it stands.
    fn is_string_or_number(&self) -> bool {
        self.kind == kind::STRING || find_number_form(self.kind).is_some()
    }

    fn make_test(&self, value: &[u8], place: Option<usize>) -> Test {
        match (self.kind, self.relation, place) {
            (kind::SEARCH, b'=', _) => self.make_search(value, place).map_or(Test::Open, Test::Search),
            (kind::REGEX, b'=', _) => Expression::read(value, place).map_or(Test::Open, Test::Expression),
            (kind::STRING, b'=', Some(place)) => self.make_string_test(place, value),
            // A byte that tells its length, and the string.
            (kind::LENGTH_STRING, b'=', Some(place)) => match value.first() {
                Some(first) if self.string_flags == ONE_BYTE => Test::At(place + 1, vec![(0xff, *first)]),
                _ => Test::Open,
            },
            // Of two bytes each; the other one may be anything.
            (kind::LE_STRING, b'=', Some(place)) => match value.first() {
                Some(first) if self.string_flags & (ANY_SPACE | ANY_CASE) == 0 => {
                    Test::At(place, vec![(0xff, *first)])
                }
                _ => Test::Open,
            },
            (kind::GUID, b'=', Some(place)) => match self.value.get(8..16) {
                Some(node) => Test::At(place + 8, node.iter().map(|byte| (0xff, *byte)).collect()),
                None => Test::Open,
            },
            // The tag of a sequence in ASN.1.
            (kind::DER, b'=', Some(place)) if self.text().starts_with(b"seq") => {
                Test::At(place, vec![(0x1f, 0x10)])
            }
            (_, b'&', Some(place)) => self.make_bits_test(place).unwrap_or(Test::Open),
            (_, b'=' | b'<' | b'>', Some(place)) => self.make_number_test(place).unwrap_or(Test::Open),
            _ => Test::Open,
        }
    }

    /// The longest piece of what is searched for in so many bytes from a place on.
    fn make_search(&self, value: &[u8], place: Option<usize>) -> Option<Word> {
        let mut longest: &[u8] = &[];
        let (mut before, mut at) = (0, 0);
        for piece in value.split(|byte| self.is_loose(*byte)) {
            if piece.len() > longest.len() {
                (longest, before) = (piece, at);
            }
            at += piece.len() + 1;
        }
        if longest.is_empty() {
            return None;
        }
        let range = usize::try_from(self.range).ok().filter(|range| *range > 0);
        let starts = place.zip(range).filter(|_| self.string_flags & ANY_SPACE == 0);
        Some(Word {
            lower: longest.to_ascii_lowercase(),
            exact: (self.string_flags & ANY_CASE == 0).then(|| longest.to_vec()),
            starts: starts.map(|(place, range)| place + before..=place + before + range),
        })
    }

    fn make_string_test(&self, place: usize, value: &[u8]) -> Test {
        // Behind as many of the file's bytes as the range says, where it does, zero bytes are compared.
        let range = usize::try_from(self.range).ok().filter(|range| *range > 0).unwrap_or(LONGEST_VALUE);
        if self.string_flags == 0 {
            let bytes: Vec<(u8, u8)> = value.iter().take(range).map(|byte| (0xff, *byte)).collect();
            return if bytes.is_empty() { Test::Open } else { Test::At(place, bytes) };
        }
        let any_case = self.string_flags & ANY_CASE != 0;
        let one = |byte: &u8| {
            if any_case && byte.is_ascii_alphabetic() { (0xdf, byte & 0xdf) } else { (0xff, *byte) }
        };
        // As far as each of its bytes stands for one of the file's.
        let bytes: Vec<(u8, u8)> = value.iter().take_while(|byte| !self.is_loose(**byte)).map(one).collect();
        if bytes.is_empty() { Test::Open } else { Test::At(place, bytes) }
    }

    /// How a number stands, what it is compared with and by which of its bits.
    fn read_comparison(&self) -> Option<(Number, u64, u64)> {
        let number = find_number_form(self.kind)?;
        if self.mask != 0 && self.mask_operator & (7 | INVERSE) != AND {
            return None;
        }
        let value = u64::from_ne_bytes(self.value.get(..8)?.try_into().ok()?);
        Some((number, value, if self.mask == 0 { u64::MAX } else { self.mask }))
    }

    /// Bits that all have to be set.
    fn make_bits_test(&self, place: usize) -> Option<Test> {
        let (number, value, _) = self.read_comparison()?;
        let bytes = value.to_le_bytes().into_iter().map(|byte| (byte, byte)).take(number.width);
        Some(Test::At(place, if number.is_little { bytes.collect() } else { bytes.rev().collect() }))
    }

    fn make_number_test(&self, place: usize) -> Option<Test> {
        let (number, value, mask) = self.read_comparison()?;
        if self.relation == b'=' {
            let pairs = mask.to_le_bytes().into_iter().zip(value.to_le_bytes()).take(number.width);
            return Some(Test::At(
                place,
                if number.is_little { pairs.collect() } else { pairs.rev().collect() },
            ));
        }
        let (is_less, is_unsigned) = (self.relation == b'<', self.flags & UNSIGNED != 0);
        Some(Test::Compared(Compared { place, number, mask, value, is_less, is_unsigned }))
    }

    /// Bytes that stand for something else: white space that may be more or less, and the end of C's strings.
    fn is_loose(&self, byte: u8) -> bool {
        let is_space = byte.is_ascii_whitespace() || byte == 11;
        byte == 0 || (self.string_flags & ANY_SPACE != 0 && is_space)
    }

    /// The value as a string of C.
    fn text(&self) -> &'b [u8] {
        self.value.split(|byte| *byte == 0).next().unwrap_or_default()
    }
}

impl Pointer {
    /// The place that it tells in a file of `content`.
    pub(super) fn find_target(&self, content: &[u8]) -> Option<usize> {
        usize::try_from(self.number.read(content, self.place)?).ok()
    }
}

impl Number {
    /// What stands at a place.
    fn read(self, content: &[u8], place: usize) -> Option<u64> {
        let bytes = content.get(place..place.checked_add(self.width)?)?;
        let add = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
        Some(if self.is_little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
    }
}

impl Compared {
    /// Whether a file of `content` has it.
    pub(super) fn holds(&self, content: &[u8]) -> bool {
        let Some(number) = self.number.read(content, self.place) else {
            return false;
        };
        let number = number & self.mask;
        if self.is_unsigned {
            return if self.is_less { number < self.value } else { number > self.value };
        }
        let unused = 64 - 8 * self.number.width;
        let (number, value) = ((number << unused).cast_signed() >> unused, self.value.cast_signed());
        if self.is_less { number < value } else { number > value }
    }
}

/// How a number of a kind stands.
fn find_number_form(kind: u8) -> Option<Number> {
    let is_little = match kind {
        kind::BYTE | kind::SHORT | kind::LONG | kind::QUAD => cfg!(target_endian = "little"),
        kind::LE_SHORT | kind::LE_LONG | kind::LE_QUAD => true,
        kind::BE_SHORT | kind::BE_LONG | kind::BE_QUAD => false,
        _ => return None,
    };
    let width = match kind {
        kind::BYTE => 1,
        kind::SHORT | kind::BE_SHORT | kind::LE_SHORT => 2,
        kind::LONG | kind::BE_LONG | kind::LE_LONG => 4,
        _ => 8,
    };
    Some(Number { width, is_little })
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, reason = "a test picks what it looks at")]
mod tests {
    use super::*;

    fn entry(kind: u8, relation: u8, value: &[u8; LONGEST_VALUE]) -> MagicEntry<'_> {
        let length = value.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
        let (level, flags, mask_operator, place, mask) = (0, 0, 0, 2, 0);
        MagicEntry {
            level,
            flags,
            relation,
            length,
            kind,
            pointer_kind: 0,
            pointer_is_moved: false,
            mask_operator,
            place,
            mask,
            range: 0,
            string_flags: 0,
            value,
            has_words: false,
            has_type: false,
        }
    }

    fn padded(value: &[u8]) -> [u8; LONGEST_VALUE] {
        let mut padded = [0; LONGEST_VALUE];
        padded[..value.len()].copy_from_slice(value);
        padded
    }

    fn bytes_at(entry: MagicEntry<'_>) -> Option<(usize, Vec<(u8, u8)>)> {
        match entry.test() {
            Test::At(place, bytes) => Some((place, bytes)),
            Test::Open => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn strings_and_numbers_are_bytes_at_their_place() {
        let value = padded(b"a B");
        let mut string = entry(kind::STRING, b'=', &value);
        assert_eq!(bytes_at(string).unwrap(), (2, vec![(255, b'a'), (255, b' '), (255, b'B')]));
        string.string_flags = 1 | 4;
        assert_eq!(bytes_at(string).unwrap(), (2, vec![(0xdf, b'A')]));
        string.relation = b'!';
        assert_eq!(bytes_at(string), None);
        let value = padded(&0x0102_u64.to_ne_bytes());
        let number = entry(kind::BE_SHORT, b'=', &value);
        assert_eq!(bytes_at(number).unwrap(), (2, vec![(255, 1), (255, 2)]));
        let masked = MagicEntry { mask: 0xff, ..entry(kind::LE_SHORT, b'=', &value) };
        assert_eq!(bytes_at(masked).unwrap(), (2, vec![(255, 2), (0, 1)]));
        let turned = MagicEntry { mask: 0xff, mask_operator: INVERSE, ..number };
        assert_eq!(bytes_at(turned), None);
        let elsewhere = MagicEntry { flags: 1, ..number };
        assert_eq!(bytes_at(elsewhere), None);
    }

    #[test]
    fn zero_bytes_of_strings_count_as_far_as_the_range_says() {
        let value = padded(b"a\0b");
        let string = entry(kind::STRING, b'=', &value);
        assert_eq!(bytes_at(string).unwrap(), (2, vec![(255, b'a'), (255, 0), (255, b'b')]));
        assert_eq!(bytes_at(MagicEntry { range: 1, ..string }).unwrap(), (2, vec![(255, b'a')]));
        // Where blanks may be more or less, it ends a string.
        assert_eq!(bytes_at(MagicEntry { string_flags: 1, ..string }).unwrap(), (2, vec![(255, b'a')]));
    }

    #[test]
    fn the_longest_piece_of_a_search_is_looked_for() {
        let value = padded(b"a Bcd");
        let search = entry(kind::SEARCH, b'=', &value);
        let word = |entry: MagicEntry<'_>| match entry.test() {
            Test::Search(word) => word,
            other => panic!("{other:?}"),
        };
        let whole = word(MagicEntry { range: 10, ..search });
        assert_eq!((whole.lower.as_slice(), whole.starts), (b"a bcd".as_slice(), Some(2..=12)));
        assert_eq!(whole.exact.unwrap(), b"a Bcd");
        let loose = word(MagicEntry { range: 10, string_flags: 1 | 4, ..search });
        assert_eq!((loose.lower.as_slice(), loose.exact, loose.starts), (b"bcd".as_slice(), None, None));
    }

    #[test]
    fn numbers_are_compared_with_their_sign() {
        let value = padded(&(-2_i64).to_ne_bytes());
        let compared =
            |flags, content: &[u8]| match (MagicEntry { flags, ..entry(kind::BYTE, b'<', &value) }).test() {
                Test::Compared(test) => test.holds(content),
                other => panic!("{other:?}"),
            };
        assert!(compared(0, &[0, 0, 0xfd]));
        assert!(!compared(0, &[0, 0, 1]));
        assert!(compared(UNSIGNED, &[0, 0, 1]));
        assert!(!compared(0, &[0, 0]));
    }
}
