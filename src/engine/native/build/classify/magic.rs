//! The compiled database of magic(5), cut down to the entries that may match what a package holds.
//!
//! file(1) tries every entry of its database on every file, and on a small text that is nearly all it does. An entry
//! whose first test fails is skipped with all that belongs to it, so leaving out entries whose first test fails for
//! each of some files changes nothing of what file(1) says of them. Which tests fail is found by the bytes that stand at
//! fixed places and the words that must be somewhere; where that can't be told, the entry stays.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use aho_corasick::AhoCorasick;
use bstr::ByteSlice;

use super::magic_entry::{Compared, Entry, Layout, Test};

/// The longest file that is looked at; longer ones are for the whole database.
pub(super) const LONGEST: usize = 64 * 1024;

/// How texts begin that file(1) would unpack before it looks (file's `compress.c`).
const PACKED: [&[u8]; 3] = [b"BZh", b"LZIP", b"LRZI"];

/// A compiled database.
pub(super) struct Database {
    bytes: Vec<u8>,
    layout: Layout,
    /// The entries with their continuations, as places among all that are not named.
    groups: Vec<Group>,
    /// Where entries begin that are used by their names.
    named: Range<usize>,
    /// Tests of bytes at fixed places.
    placed: Vec<Placed>,
    places: BTreeSet<usize>,
    /// Those tests by their places and the first byte that they want there.
    by_first: HashMap<(usize, u8), Vec<usize>>,
    /// Tests of numbers that are to be less or more, with their groups.
    compared: Vec<(Compared, usize)>,
    words: AhoCorasick,
    /// The groups that each of the words belongs to.
    groups_of_words: Vec<Vec<usize>>,
}

struct Group {
    entries: Range<usize>,
    /// Whether it stays for all files.
    is_open: bool,
    /// Whether it tries all entries at other places of the file.
    looks_elsewhere: bool,
    /// Whether it may tell a MIME type where it has no words of description.
    is_wordless: bool,
}

/// What has to be at a place: masks and values.
struct Placed {
    bytes: Vec<(u8, u8)>,
    group: usize,
}

/// Groups of a database that may match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidates(Vec<bool>);

impl Candidates {
    /// Adds those of another.
    pub(super) fn add(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own |= other;
        }
    }
}

impl Database {
    /// Reads a database; `None` where its form is not known.
    pub(super) fn read(bytes: Vec<u8>) -> Option<Self> {
        let layout = Layout::of(&bytes)?;
        let mut groups: Vec<Group> = Vec::new();
        let mut by_first: HashMap<(usize, u8), Vec<usize>> = HashMap::new();
        let mut placed: Vec<Placed> = Vec::new();
        let mut compared = Vec::new();
        let mut words: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        let elsewhere = names_of(&bytes, layout, looks_elsewhere);
        let wordless = names_of(&bytes, layout, is_wordless);
        for index in 0..layout.unnamed {
            let entry = layout.entry(&bytes, index)?;
            if entry.level > 0 {
                let group = groups.last_mut()?;
                group.entries.end = index + 1;
                group.looks_elsewhere |= looks_elsewhere(&entry, &elsewhere);
                group.is_wordless |= is_wordless(&entry, &wordless);
                continue;
            }
            let group = groups.len();
            let mut is_open = false;
            match entry.test() {
                Test::Open => is_open = true,
                Test::Never => {}
                Test::Compared(test) => compared.push((test, group)),
                Test::At(place, bytes) => {
                    let (mask, value) = bytes.first().copied()?;
                    for byte in (0..=u8::MAX).filter(|byte| byte & mask == value) {
                        by_first.entry((place, byte)).or_default().push(placed.len());
                    }
                    placed.push(Placed { bytes, group });
                }
                Test::Somewhere(some) => {
                    for word in some {
                        words.entry(word).or_default().push(group);
                    }
                }
            }
            let looks_elsewhere = looks_elsewhere(&entry, &elsewhere);
            let is_wordless = is_wordless(&entry, &wordless);
            groups.push(Group { entries: index..index + 1, is_open, looks_elsewhere, is_wordless });
        }
        if groups.iter().any(|group| group.is_open && group.looks_elsewhere) {
            return None;
        }
        let (words, groups_of_words): (Vec<_>, Vec<_>) = words.into_iter().unzip();
        let words = AhoCorasick::new(words).ok()?;
        let named = layout.unnamed..layout.unnamed + layout.named;
        let places = by_first.keys().map(|(place, _)| *place).collect();
        Some(Self {
            bytes,
            layout,
            groups,
            named,
            placed,
            places,
            by_first,
            compared,
            words,
            groups_of_words,
        })
    }

    /// The groups that stay for all files.
    pub(super) fn open(&self) -> Candidates {
        Candidates(self.groups.iter().map(|group| group.is_open).collect())
    }

    /// The groups that may match a file of `content`; `None` where it is not a plain text, or calls for all of them.
    pub(super) fn candidates(&self, content: &[u8]) -> Option<Candidates> {
        if !is_plain_text(content) {
            return None;
        }
        let mut found = self.open();
        let mut is_elsewhere = false;
        let mut add = |group: usize| {
            is_elsewhere |= self.groups.get(group).is_some_and(|group| group.looks_elsewhere);
            if let Some(place) = found.0.get_mut(group) {
                *place = true;
            }
        };
        for place in self.places.range(..content.len()) {
            let Some(first) = content.get(*place) else { continue };
            for test in self.by_first.get(&(*place, *first)).into_iter().flatten() {
                let Some(test) = self.placed.get(*test) else { continue };
                let there = content.get(*place..*place + test.bytes.len());
                if there.is_some_and(|there| holds(there, &test.bytes)) {
                    add(test.group);
                }
            }
        }
        self.compared.iter().filter(|(test, _)| test.holds(content)).for_each(|(_, group)| add(*group));
        let lower = content.to_ascii_lowercase();
        let mut seen = HashSet::new();
        for word in self.words.find_overlapping_iter(&lower).map(|found| found.pattern()) {
            if seen.insert(word) {
                self.groups_of_words.get(word.as_usize()).into_iter().flatten().copied().for_each(&mut add);
            }
        }
        (!is_elsewhere).then_some(found)
    }

    /// Whether what is described as a plain text by these groups has no other MIME type than that.
    pub(super) fn tells_types_by_words(&self, candidates: &Candidates) -> bool {
        !self.groups.iter().zip(&candidates.0).any(|(group, is_in)| *is_in && group.is_wordless)
    }

    /// A database of these groups alone, in their order.
    pub(super) fn with(&self, candidates: &Candidates) -> Vec<u8> {
        let groups = self.groups.iter().zip(&candidates.0).filter(|(_, is_in)| **is_in);
        let kept: Vec<&[u8]> =
            groups.filter_map(|(group, _)| self.layout.entries(&self.bytes, group.entries.clone())).collect();
        let length: usize = kept.iter().map(|entries| entries.len()).sum();
        let named = self.layout.entries(&self.bytes, self.named.clone()).unwrap_or_default();
        let mut bytes = self.layout.head(&self.bytes, length);
        bytes.reserve(length + named.len());
        kept.iter().for_each(|entries| bytes.extend_from_slice(entries));
        bytes.extend_from_slice(named);
        bytes
    }
}

fn holds(there: &[u8], wanted: &[(u8, u8)]) -> bool {
    there.iter().zip(wanted).all(|(byte, (mask, value))| byte & mask == *value)
}

/// Whether an entry tries all entries at another place of the file, by itself or by one that it uses.
fn looks_elsewhere(entry: &Entry<'_>, names: &HashSet<Vec<u8>>) -> bool {
    entry.is_indirect() || entry.uses().is_some_and(|name| names.contains(name))
}

/// Whether an entry tells a MIME type without words, by itself or by one that it uses.
fn is_wordless(entry: &Entry<'_>, names: &HashSet<Vec<u8>>) -> bool {
    entry.is_wordless || entry.uses().is_some_and(|name| names.contains(name))
}

/// The names of entries that are so, those that use such entries among them.
fn names_of(
    bytes: &[u8],
    layout: Layout,
    is_so: impl Fn(&Entry<'_>, &HashSet<Vec<u8>>) -> bool,
) -> HashSet<Vec<u8>> {
    let mut names = HashSet::new();
    loop {
        let before = names.len();
        let mut name: Option<Vec<u8>> = None;
        for index in layout.unnamed..layout.unnamed + layout.named {
            let Some(entry) = layout.entry(bytes, index) else { continue };
            if let Some(own) = entry.name() {
                name = Some(own.to_vec());
            } else if let Some(name) = &name
                && is_so(&entry, &names)
            {
                names.insert(name.clone());
            }
        }
        if names.len() == before {
            return names;
        }
    }
}

/// Whether file(1) takes it for ASCII or UTF-8 as it is: nothing to unpack, no mark before it, no control characters but
/// those of texts.
fn is_plain_text(content: &[u8]) -> bool {
    let is_of_text = |byte: &u8| matches!(byte, 7..=10 | 12 | 13 | 27 | 32..=126 | 128..);
    let is_zlib =
        |first: u8, second: u8| first & 15 == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31);
    let begins_oddly = match content {
        [first, second, ..] if is_zlib(*first, *second) => true,
        // The marks of UTF-8 and UTF-7.
        [0xef, 0xbb, 0xbf, ..] | [b'+', b'/', b'v', ..] => true,
        _ => PACKED.iter().any(|packed| content.starts_with(packed)),
    };
    !begins_oddly && content.iter().all(is_of_text) && content.to_str().is_ok()
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and ask its file(1)"
)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;

    /// Small files of this machine, of all kinds.
    fn files() -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut open: Vec<PathBuf> =
            ["/usr/share", "/usr/lib", "/etc", "/usr/include"].map(PathBuf::from).into();
        while let Some(folder) = open.pop() {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            for entry in entries {
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    open.push(entry.path());
                } else if kind.is_file() {
                    files.push(entry.path());
                }
            }
        }
        files.sort();
        // A spread of them, always the same on a machine.
        let step = (files.len() / 3000).max(1);
        files.into_iter().step_by(step).collect()
    }

    fn asked(database: Option<&std::path::Path>, files: &[&PathBuf], mime: bool) -> String {
        let temp = tempfile::tempdir().unwrap();
        let list: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
        fs::write(temp.path().join("list"), list).unwrap();
        let mut command = Command::new("file");
        if let Some(database) = database {
            command.arg("-m").arg(database);
        }
        if mime {
            command.arg("--mime-type");
        }
        command.args(["-z", "-e", "tokens", "-f"]).arg(temp.path().join("list"));
        String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
    }

    fn last_part(line: &str) -> &str {
        line.rsplit_once(": ").map_or("", |(_, last)| last.trim())
    }

    #[test]
    fn file_says_the_same_with_a_reduced_database() {
        let path = ["/usr/lib/file/magic.mgc", "/usr/share/misc/magic.mgc"];
        let Some(bytes) = path.iter().find_map(|path| fs::read(path).ok()) else {
            panic!("file(1) has no compiled database here");
        };
        let database = Database::read(bytes).unwrap();
        let mut candidates = database.open();
        let mut texts = Vec::new();
        let files = files();
        for file in &files {
            let content = fs::read(file).unwrap_or_default();
            if content.len() <= LONGEST
                && let Some(found) = database.candidates(&content)
            {
                candidates.add(&found);
                texts.push(file);
            }
        }
        let count = |candidates: &Candidates| candidates.0.iter().filter(|is_in| **is_in).count();
        assert!(texts.len() > files.len() / 4, "{} of {} files", texts.len(), files.len());
        assert!(count(&candidates) * 2 < database.groups.len());
        let temp = tempfile::tempdir().unwrap();
        let reduced = temp.path().join("reduced.mgc");
        fs::write(&reduced, database.with(&database.open())).unwrap();
        assert_ne!(asked(Some(&reduced), &texts, false), asked(None, &texts, false));
        fs::write(&reduced, database.with(&candidates)).unwrap();
        for mime in [false, true] {
            assert_eq!(asked(Some(&reduced), &texts, mime), asked(None, &texts, mime));
        }
        // Each text by itself: a plain one, described by entries that have words for all their types.
        let words = asked(None, &texts, false);
        let types = asked(None, &texts, true);
        let mut plain = 0;
        for ((file, words), mime) in texts.iter().zip(words.lines()).zip(types.lines()) {
            let own = database.candidates(&fs::read(file).unwrap()).unwrap();
            if database.tells_types_by_words(&own) && super::super::is_plain_text(last_part(words)) {
                assert_eq!(last_part(mime), "text/plain", "{}", file.display());
                plain += 1;
            }
        }
        assert!(plain > 100, "{plain}");
    }

    #[test]
    fn a_broken_database_is_none() {
        let path = ["/usr/lib/file/magic.mgc", "/usr/share/misc/magic.mgc"];
        let bytes = path.iter().find_map(|path| fs::read(path).ok()).unwrap();
        for length in [0, 3, 16, 400, bytes.len() - 1] {
            assert!(Database::read(bytes[..length].to_vec()).is_none(), "{length}");
        }
        let mut other = bytes.clone();
        other[4] = 99;
        assert!(Database::read(other).is_none());
        let mut counted = bytes;
        counted[8..12].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert!(Database::read(counted).is_none());
    }

    #[test]
    fn what_is_no_plain_text_is_for_the_whole_database() {
        assert!(is_plain_text(b"text\n") && is_plain_text("\u{e9}t\u{e9}".as_bytes()));
        let others: [&[u8]; 7] =
            [b"a\0b", b"a\xff", b"\xef\xbb\xbfa", b"+/v8-", b"BZh9", b"x\x5etext", b"a\x01"];
        for other in others {
            assert!(!is_plain_text(other), "{other:?}");
        }
    }
}
