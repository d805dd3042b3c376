//! Permissions as `posix.stat` shows them and `posix.chmod` takes them (rpm-lua(7), "posix extension").

use std::fmt;

/// Read, write and execute for owner, group and others, and setuid and setgid, as `ls` shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permissions(pub u32);

const SET_USER: u32 = 0o4000;
const SET_GROUP: u32 = 0o2000;

/// The letters of all permissions, in order, each with its bit and with the one that makes an `s` of an `x`.
fn places() -> impl Iterator<Item = (char, u32, u32)> {
    "rwxrwxrwx".chars().enumerate().map(move |(place, letter)| (letter, 0o400 >> place, set_id_bit(place)))
}

fn set_id_bit(place: usize) -> u32 {
    match place {
        2 => SET_USER,
        5 => SET_GROUP,
        _ => 0,
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has = |bits: u32| self.0 & bits != 0;
        for (letter, bit, special) in places() {
            let shown = match (has(special), has(bit)) {
                (true, true) => 's',
                (true, false) => 'S',
                (false, true) => letter,
                (false, false) => '-',
            };
            write!(f, "{shown}")?;
        }
        Ok(())
    }
}

impl Permissions {
    /// Changed as chmod(1) says it: `755`, `rwxr-xr-x`, `u+x,go-w`.
    pub fn change(self, wanted: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(wanted).ok()?;
        if text.chars().all(|character| character.is_ascii_digit()) {
            return u32::from_str_radix(text, 8).ok().map(|mode| Self(mode & 0o7777));
        }
        if text.len() == 9 && text.chars().all(|character| "rwxsS-".contains(character)) {
            let bits = places().zip(text.chars()).map(|((_, bit, special), character)| match character {
                '-' | 'S' => 0,
                's' => bit | special,
                _ => bit,
            });
            return Some(Self(bits.sum()));
        }
        text.split(',').try_fold(self, Self::apply_clause)
    }

    /// One clause: `u+x`. As in rpm, `=` leaves nothing to those whom it does not name.
    fn apply_clause(self, clause: &str) -> Option<Self> {
        let at = clause.find(['+', '-', '='])?;
        let (who, rest) = clause.split_at(at);
        let mut masks = 0;
        for character in if who.is_empty() { "a" } else { who }.chars() {
            masks |= match character {
                'u' => SET_USER | 0o700,
                'g' => SET_GROUP | 0o070,
                'o' => 0o007,
                'a' => SET_USER | SET_GROUP | 0o777,
                _ => return None,
            };
        }
        let mut bits = 0;
        for character in rest.chars().skip(1) {
            bits |= match character {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                's' => SET_USER | SET_GROUP,
                _ => return None,
            };
        }
        let bits = bits & masks;
        Some(Self(match rest.chars().next()? {
            '+' => self.0 | bits,
            '-' => self.0 & !bits,
            _ if bits == 0 => self.0,
            _ => bits,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_in_three_ways() {
        let before = Permissions(0o644);
        assert_eq!(before.to_string(), "rw-r--r--");
        for (wanted, after) in [
            ("755", 0o755),
            ("4755", 0o4755),
            ("r-xr-x---", 0o550),
            ("rwsr-xr-x", 0o4755),
            ("rwSr--r--", 0o644),
            ("u+x,go-r", 0o700),
            ("a=x", 0o111),
            ("u=rwx", 0o700),
            ("u=rwx,g=r", 0o040),
            ("u=", 0o644),
            ("u+s", 0o4644),
            ("+s", 0o6644),
            ("o+s", 0o644),
        ] {
            assert_eq!(before.change(wanted.as_bytes()), Some(Permissions(after)), "{wanted}");
        }
        assert_eq!(before.change(b"u+q"), None);
        assert_eq!(before.change(b"u+t"), None);
        assert_eq!(before.change(b""), None);
    }

    #[test]
    fn programs_that_change_the_user_are_shown_as_such() {
        assert_eq!(Permissions(0o4755).to_string(), "rwsr-xr-x");
        assert_eq!(Permissions(0o6644).to_string(), "rwSr-Sr--");
        assert_eq!(Permissions(0o1777).to_string(), "rwxrwxrwx");
    }
}
