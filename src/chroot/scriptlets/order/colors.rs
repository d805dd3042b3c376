//! The word sizes of packages and of what they give and need: rpm calls them colours.

use crate::package::{Header, Tag};

/// The word size that is preferred where two would do: 64 bits (`%_prefer_color`).
pub(super) const PREFERRED: u64 = 2;

/// The colours of a package.
pub(super) struct Colors {
    /// Of the package: those of its files that give or need something.
    pub package: u64,
    /// Of what it gives, value by value.
    pub provides: Vec<u64>,
    /// Of what it requires.
    pub requires: Vec<u64>,
}

/// The beginning of entries of `DEPENDSDICT`: the letter of what they are, in the highest byte.
const PROVIDES: u64 = b'P' as u64;
const REQUIRES: u64 = b'R' as u64;

impl Colors {
    pub fn from_header(header: &Header) -> Self {
        let mut colors = Self {
            package: 0,
            provides: vec![0; header.texts(Tag::PROVIDENAME).len()],
            requires: vec![0; header.texts(Tag::REQUIRENAME).len()],
        };
        let dictionary = header.numbers(Tag::DEPENDSDICT);
        let files = header.numbers(Tag::FILECOLORS).iter().zip(header.numbers(Tag::FILEDEPENDSX));
        for ((color, first), count) in files.zip(header.numbers(Tag::FILEDEPENDSN)) {
            let (first, count) =
                (usize::try_from(*first).unwrap_or(usize::MAX), usize::try_from(*count).unwrap_or(0));
            let entries = dictionary.get(first..).unwrap_or_default();
            for entry in entries.iter().take(count) {
                colors.add(*entry, *color);
            }
        }
        colors
    }

    fn add(&mut self, entry: u64, color: u64) {
        let of_kind = match entry >> 24 & 0xff {
            PROVIDES => &mut self.provides,
            REQUIRES => &mut self.requires,
            _ => return,
        };
        if let Some(value) = usize::try_from(entry & 0xff_ffff).ok().and_then(|at| of_kind.get_mut(at)) {
            *value |= color;
            self.package |= color;
        }
    }
}
