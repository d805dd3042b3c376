//! The compiled database of magic(5), cut down to the entries that may match what a package holds.
//!
//! file(1) tries every entry of its database on every file, and on a small one that is nearly all it does. An entry
//! whose first test fails is skipped with all that belongs to it, and so is one that holds and tells nothing; leaving out
//! entries that tell nothing of some files changes nothing of what file(1) says of these. Which tests fail is found by the
//! bytes that stand at places, and by the words and expressions that must be somewhere; a test that can't be told holds.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Read;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use bstr::ByteSlice;
use rayon::prelude::*;

use super::magic_entry::{Compared, Layout, MagicEntry, Test};
use super::magic_group::{Content, Group, holds};
use super::magic_search::{Expression, Word};

/// The longest content of a packed file that is looked at: not longer than what file(1) tells an encoding by.
const LONGEST: usize = 64 * 1024;

/// How gzip's files begin.
const GZIP: &[u8] = b"\x1f\x8b";

/// How files begin that file(1) would unpack before it looks (file's `compress.c`).
const PACKED: [&[u8]; 9] = [
    b"\x1f",
    b"PK\x03\x04",
    b"BZh",
    b"LZIP",
    b"\xfd7zXZ",
    b"LRZI",
    b"\x04\"M\x18",
    b"\x28\xb5\x2f\xfd",
    b"\x5d\0",
];

/// What stands before texts that are read otherwise than as they are: the marks of UTF-8, UTF-16, UTF-32 and UTF-7.
const MARKS: [&[u8]; 5] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff", b"+/v"];

/// A compiled database.
pub(super) struct Database {
    bytes: Vec<u8>,
    layout: Layout,
    /// The entries with their continuations, as places among all that are not named.
    groups: Vec<Group>,
    /// Where entries begin that are used by their names.
    named: Range<usize>,
    /// Those whose first test can't be told.
    open: Vec<u32>,
    tests: Tests,
    words: Words,
}

/// What groups begin with, and the groups by their places.
#[derive(Default)]
struct Tests {
    /// Bytes at fixed places.
    placed: Vec<Placed>,
    /// Bytes at places that are counted from the end, or told by numbers.
    elsewhere: Vec<(Test, u32)>,
    /// Those at fixed places by these, and by the first bytes that they want there.
    by_place: BTreeMap<usize, Vec<(u8, usize)>>,
    /// Numbers that are to be less or more.
    compared: Vec<(Compared, u32)>,
    searches: Vec<(Word, u32)>,
    expressions: Vec<(Expression, u32)>,
}

/// The words of searches and expressions.
struct Words {
    automaton: AhoCorasick,
    /// What each of them belongs to.
    uses: Vec<Vec<Use>>,
}

/// What has to be at a place: masks and values.
struct Placed {
    bytes: Vec<(u8, u8)>,
    group: u32,
}

/// What a word belongs to: one of the searches, or one of the expressions.
#[derive(Clone, Copy)]
enum Use {
    Search(usize),
    Expression(usize),
}

impl Tests {
    /// Adds what a group begins with; gives whether it can be told.
    fn add(&mut self, test: Test, group: u32) -> Option<bool> {
        match test {
            Test::Open => return Some(false),
            Test::Compared(test) => self.compared.push((test, group)),
            Test::At(place, bytes) => {
                let (mask, value) = bytes.first().copied()?;
                for byte in (0..=u8::MAX).filter(|byte| byte & mask == value) {
                    self.by_place.entry(place).or_default().push((byte, self.placed.len()));
                }
                self.placed.push(Placed { bytes, group });
            }
            Test::AtEnd(..) | Test::Pointed(..) => self.elsewhere.push((test, group)),
            Test::Search(word) => self.searches.push((word, group)),
            Test::Expression(expression) => self.expressions.push((expression, group)),
        }
        Some(true)
    }
}

impl Words {
    fn of(tests: &Tests) -> Option<Self> {
        let mut words: HashMap<&[u8], Vec<Use>> = HashMap::new();
        for (at, (word, _)) in tests.searches.iter().enumerate() {
            words.entry(&word.lower).or_default().push(Use::Search(at));
        }
        for (at, (expression, _)) in tests.expressions.iter().enumerate() {
            for word in &expression.words {
                words.entry(word).or_default().push(Use::Expression(at));
            }
        }
        let (words, uses): (Vec<_>, Vec<_>) = words.into_iter().unzip();
        Some(Self { automaton: AhoCorasick::new(words).ok()?, uses })
    }
}

impl Database {
    /// Reads a database; `None` where its form is not known.
    pub(super) fn read(bytes: Vec<u8>) -> Option<Self> {
        let layout = Layout::of(&bytes)?;
        let mut groups: Vec<Group> = Vec::new();
        let elsewhere = names_of(&bytes, layout, looks_elsewhere);
        let wordless = names_of(&bytes, layout, is_wordless);
        let (mut tests, mut open) = (Tests::default(), Vec::new());
        // To read their expressions takes long.
        let first = |index| layout.entry(&bytes, index).filter(|entry| entry.level == 0);
        let firsts: Vec<Option<Test>> =
            (0..layout.unnamed).into_par_iter().map(|index| Some(first(index)?.test())).collect();
        for (index, first) in firsts.into_iter().enumerate() {
            let entry = layout.entry(&bytes, index)?;
            if entry.level == 0 {
                groups.push(Group::at(index));
            }
            let number = u32::try_from(groups.len()).ok()?.checked_sub(1)?;
            let group = groups.last_mut()?;
            group.entries.end = index + 1;
            group.looks_elsewhere |= looks_elsewhere(&entry, &elsewhere);
            group.is_wordless |= is_wordless(&entry, &wordless);
            if let Some(test) = first {
                group.is_search = matches!(test, Test::Search(_) | Test::Expression(_));
                if !tests.add(test, number)? {
                    open.push(number);
                }
            }
        }
        let named = layout.unnamed..layout.unnamed + layout.named;
        let words = Words::of(&tests)?;
        tests.by_place.values_mut().for_each(|tests| tests.sort_unstable());
        Some(Self { bytes, layout, groups, named, open, tests, words })
    }

    /// The groups that may tell something of a file of `content`, in their order; `None` where it is not looked at as it is, or
    /// calls for all of them.
    pub(super) fn candidates(&self, content: &[u8]) -> Option<Vec<u32>> {
        let mut found = Vec::new();
        if content.starts_with(GZIP) {
            // What it holds is looked at, and then the file itself.
            self.add_candidates(&unpacked(content)?, &mut found)?;
        } else if is_packed(content) {
            return None;
        }
        self.add_candidates(content, &mut found)?;
        found.sort_unstable();
        found.dedup();
        let calls_for_all =
            found.iter().filter_map(|group| self.group(*group)).any(|group| group.looks_elsewhere);
        (!calls_for_all).then_some(found)
    }

    fn add_candidates(&self, content: &[u8], found: &mut Vec<u32>) -> Option<()> {
        if !is_text(content) && !is_binary(content) {
            return None;
        }
        let file = Content::of(content);
        let mut hits: Vec<u32> = self.open.clone();
        for (place, tests) in self.tests.by_place.range(..content.len()) {
            let Some(first) = content.get(*place) else { continue };
            let from = tests.partition_point(|(byte, _)| byte < first);
            for (_, test) in tests.iter().skip(from).take_while(|(byte, _)| byte == first) {
                let Some(test) = self.tests.placed.get(*test) else { continue };
                if holds(content, *place, &test.bytes) {
                    hits.push(test.group);
                }
            }
        }
        let elsewhere = self.tests.elsewhere.iter().filter(|(test, _)| file.may_hold(test));
        hits.extend(elsewhere.map(|(_, group)| *group));
        let compared = self.tests.compared.iter().filter(|(test, _)| test.holds(content));
        hits.extend(compared.map(|(_, group)| *group));
        self.search(&file, &mut hits);
        let may_tell =
            |hit: &u32| self.group(*hit).is_some_and(|group| group.may_tell(&self.bytes, self.layout, &file));
        found.extend(hits.into_iter().filter(may_tell));
        Some(())
    }

    /// Adds the groups whose words or expressions may be in a file.
    fn search(&self, file: &Content<'_>, found: &mut Vec<u32>) {
        let mut has = vec![false; self.tests.searches.len()];
        let mut may_have: Vec<bool> =
            self.tests.expressions.iter().map(|(expression, _)| expression.words.is_empty()).collect();
        for hit in self.words.automaton.find_overlapping_iter(&file.lower) {
            for used in self.words.uses.get(hit.pattern().as_usize()).into_iter().flatten() {
                match *used {
                    Use::Search(at) => {
                        if let (Some(has), Some((word, _))) = (has.get_mut(at), self.tests.searches.get(at)) {
                            *has = *has || word.is_at(file.bytes, hit.start());
                        }
                    }
                    Use::Expression(at) => may_have.get_mut(at).into_iter().for_each(|may| *may = true),
                }
            }
        }
        found.extend(
            self.tests.searches.iter().zip(has).filter(|(_, has)| *has).map(|((_, group), _)| *group),
        );
        let expressions = self.tests.expressions.iter().zip(may_have).filter(|(_, may_have)| *may_have);
        let matching = expressions.filter(|((expression, _), _)| expression.may_match(&file.lines));
        found.extend(matching.map(|((_, group), _)| *group));
    }

    fn group(&self, group: u32) -> Option<&Group> {
        self.groups.get(usize::try_from(group).ok()?)
    }

    /// Whether file(1) searches for what a group begins with, which takes it long.
    pub(super) fn is_search(&self, group: u32) -> bool {
        self.group(group).is_some_and(|group| group.is_search)
    }

    /// Whether what is described as a plain text by these groups has no other MIME type than that.
    pub(super) fn tells_types_by_words(&self, candidates: &BTreeSet<u32>) -> bool {
        !candidates.iter().filter_map(|group| self.group(*group)).any(|group| group.is_wordless)
    }

    /// A database of these groups.
    pub(super) fn with(&self, candidates: &BTreeSet<u32>) -> Vec<u8> {
        let kept: Vec<&[u8]> = candidates
            .iter()
            .filter_map(|group| self.group(*group))
            .filter_map(|group| self.layout.entries(&self.bytes, group.entries.clone()))
            .collect();
        let length: usize = kept.iter().map(|entries| entries.len()).sum();
        let named = self.layout.entries(&self.bytes, self.named.clone()).unwrap_or_default();
        let mut bytes = self.layout.head(&self.bytes, length);
        bytes.reserve(length + named.len());
        kept.iter().for_each(|entries| bytes.extend_from_slice(entries));
        bytes.extend_from_slice(named);
        bytes
    }
}

/// Whether an entry tries all entries at another place of the file, by itself or by one that it uses.
fn looks_elsewhere(entry: &MagicEntry<'_>, names: &HashSet<Vec<u8>>) -> bool {
    entry.is_indirect() || entry.uses().is_some_and(|name| names.contains(name))
}

/// Whether an entry tells a MIME type without words, by itself or by one that it uses.
fn is_wordless(entry: &MagicEntry<'_>, names: &HashSet<Vec<u8>>) -> bool {
    entry.is_wordless() || entry.uses().is_some_and(|name| names.contains(name))
}

/// The names of entries that are so, those that use such entries among them.
fn names_of(
    bytes: &[u8],
    layout: Layout,
    is_so: impl Fn(&MagicEntry<'_>, &HashSet<Vec<u8>>) -> bool,
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

/// What a file of gzip holds; `None` where file(1) may see more or less of it.
fn unpacked(content: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = flate2::bufread::GzDecoder::new(content);
    let mut inside = Vec::new();
    decoder.by_ref().take(LONGEST as u64 + 1).read_to_end(&mut inside).ok()?;
    let is_whole = inside.len() <= LONGEST && decoder.into_inner().is_empty();
    is_whole.then_some(inside)
}

/// Whether file(1) may unpack it before it looks.
fn is_packed(content: &[u8]) -> bool {
    let is_zlib =
        |first: u8, second: u8| first & 15 == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31);
    match content {
        [first, second, ..] if is_zlib(*first, *second) => true,
        _ => PACKED.iter().any(|packed| content.starts_with(packed)),
    }
}

fn is_marked(content: &[u8]) -> bool {
    MARKS.iter().any(|mark| content.starts_with(mark))
}

/// Whether file(1) reads it as ASCII or UTF-8 without a mark: there are no control characters but those of texts.
fn is_text(content: &[u8]) -> bool {
    let is_of_text = |byte: &u8| matches!(byte, 7..=10 | 12 | 13 | 27 | 32..=126 | 128..);
    !is_marked(content) && content.iter().all(is_of_text) && content.to_str().is_ok()
}

/// Whether a text that no entry tells anything of has lines, if that is all that file(1) says of it: it is ASCII, its lines
/// end as Unix has it and are no longer than 300 bytes, and nothing in it may be JSON, CSV or tar (file's `ascmagic.c`,
/// `is_json.c`, `is_csv.c`, `is_tar.c`).
pub(super) fn plain_lines(content: &[u8]) -> Option<bool> {
    let is_plain = |byte: &u8| matches!(byte, b'\t' | b'\n' | b' '..=b'~') && !b"{[,".contains(byte);
    let has_checksum = || content.get(148..156).is_some_and(|field| field.iter().any(u8::is_ascii_digit));
    let is_short = |line: &[u8]| line.len() < 300;
    let is_known = content.len() > 1
        && !is_marked(content)
        && !is_packed(content)
        && content.iter().all(is_plain)
        && content.split(|byte| *byte == b'\n').all(is_short)
        && (content.len() < 512 || !has_checksum());
    is_known.then(|| content.contains(&b'\n'))
}

/// Whether file(1) reads it as no text in any encoding: it has control characters that are none of ASCII's texts, nor of
/// EBCDIC's.
fn is_binary(content: &[u8]) -> bool {
    !is_marked(content) && content.iter().any(|byte| matches!(byte, 0..=3 | 14..=19 | 24 | 25 | 28..=31))
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
        let mut known: Vec<(&PathBuf, Vec<u32>)> = Vec::new();
        let (files, mut binaries) = (files(), 0);
        for file in &files {
            let content = fs::read(file).unwrap_or_default();
            if content.len() <= LONGEST
                && let Some(found) = database.candidates(&content)
            {
                known.push((file, found));
                binaries += usize::from(is_binary(&content));
            }
        }
        assert!(known.len() > files.len() / 3 && binaries > 100, "{} of {}", known.len(), files.len());
        let temp = tempfile::tempdir().unwrap();
        let reduced = temp.path().join("reduced.mgc");
        fs::write(&reduced, database.with(&BTreeSet::new())).unwrap();
        let paths: Vec<&PathBuf> = known.iter().map(|(file, _)| *file).collect();
        assert_ne!(asked(Some(&reduced), &paths, false), asked(None, &paths, false));
        // Few files a database: what one of them needs is not there for the others.
        known.sort_by(|a, b| a.1.cmp(&b.1));
        for some in known.chunks(40) {
            let candidates = some.iter().flat_map(|(_, found)| found).copied().collect();
            let candidates: BTreeSet<u32> = candidates;
            assert!(candidates.len() * 4 < database.groups.len());
            fs::write(&reduced, database.with(&candidates)).unwrap();
            let paths: Vec<&PathBuf> = some.iter().map(|(file, _)| *file).collect();
            for mime in [false, true] {
                assert_eq!(asked(Some(&reduced), &paths, mime), asked(None, &paths, mime));
            }
        }
        // Those of which no entry tells anything are described alike.
        let mut alike: HashMap<bool, BTreeSet<&str>> = HashMap::new();
        let paths: Vec<&PathBuf> = known.iter().map(|(file, _)| *file).collect();
        let words = asked(None, &paths, false);
        for ((file, found), words) in known.iter().zip(words.lines()) {
            let lines = plain_lines(&fs::read(file).unwrap_or_default()).filter(|_| found.is_empty());
            if let Some(has_lines) = lines {
                alike.entry(has_lines).or_default().insert(last_part(words));
            }
        }
        let said: Vec<&str> = alike.get(&true).into_iter().flatten().copied().collect();
        assert_eq!(said, ["ASCII text"]);
        assert!(alike.get(&false).is_none_or(|said| said.len() == 1), "{alike:?}");
        // Each by itself: a plain text, described by entries that have words for all their types.
        let types = asked(None, &paths, true);
        let mut plain = 0;
        for ((file, words), mime) in paths.iter().zip(words.lines()).zip(types.lines()) {
            let own = database.candidates(&fs::read(file).unwrap()).unwrap();
            let own = own.into_iter().collect();
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
    fn what_is_packed_or_encoded_is_for_the_whole_database() {
        let path = ["/usr/lib/file/magic.mgc", "/usr/share/misc/magic.mgc"];
        let bytes = path.iter().find_map(|path| fs::read(path).ok()).unwrap();
        let database = Database::read(bytes).unwrap();
        let pack = |content: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            std::io::Write::write_all(&mut encoder, content).unwrap();
            encoder.finish().unwrap()
        };
        let packed = pack(b"#!/bin/sh\n");
        let known: [&[u8]; 6] =
            [b"text\n", "\u{e9}t\u{e9}".as_bytes(), b"a\0b", b"a\x01", b"\x89PNG\0\0\x0d", &packed];
        for known in known {
            assert!(database.candidates(known).is_some(), "{known:?}");
        }
        // What is packed counts, and what it is packed with.
        let (inside, own) =
            (database.candidates(b"#!/bin/sh\n").unwrap(), database.candidates(&packed).unwrap());
        assert!(
            !inside.is_empty() && inside.iter().all(|group| own.contains(group)) && own.len() > inside.len()
        );
        let (two, cut, latin) = ([packed.clone(), packed.clone()].concat(), &packed[..20], pack(b"a\xff"));
        let others: [&[u8]; 14] = [
            b"a\xff",
            b"a\x05",
            b"\xef\xbb\xbfa",
            b"+/v8-",
            b"\xff\xfea\0",
            b"\0\0\xfe\xff\0\0\0a",
            b"BZh9",
            b"x\x5etext",
            b"PK\x03\x04\0",
            b"\xfd7zXZ\0",
            b"\x28\xb5\x2f\xfd\0",
            &two,
            cut,
            &latin,
        ];
        for other in others {
            assert!(database.candidates(other).is_none(), "{other:?}");
        }
    }
}
