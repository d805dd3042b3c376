//! The compiled database of magic(5), and which of its entries may tell something of a file.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

use aho_corasick::AhoCorasick;
use rayon::prelude::*;

use super::content::{GZIP, is_binary, is_packed, is_text, unpack_gzip};
use super::entry::{Compared, Layout, MagicEntry, Test};
use super::group::{Content, Group, holds};
use super::search::{Expression, Word};

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
    fn collect(tests: &Tests) -> Option<Self> {
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
        let layout = Layout::read(&bytes)?;
        let mut groups: Vec<Group> = Vec::new();
        let elsewhere = find_names(&bytes, layout, looks_elsewhere);
        let wordless = find_names(&bytes, layout, tells_without_words);
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
            group.is_wordless |= tells_without_words(&entry, &wordless);
            if let Some(test) = first {
                group.is_search = matches!(test, Test::Search(_) | Test::Expression(_));
                if !tests.add(test, number)? {
                    open.push(number);
                }
            }
        }
        let named = layout.unnamed..layout.unnamed + layout.named;
        let words = Words::collect(&tests)?;
        tests.by_place.values_mut().for_each(|tests| tests.sort_unstable());
        Some(Self { bytes, layout, groups, named, open, tests, words })
    }

    /// The groups that may tell something of a file of `content`, in their order; `None` where it is not looked at as it is, or
    /// calls for all of them.
    pub(super) fn find_candidates(&self, content: &[u8]) -> Option<Vec<u32>> {
        let mut found = Vec::new();
        if content.starts_with(GZIP) {
            // What it holds is looked at, and then the file itself.
            self.add_candidates(&unpack_gzip(content)?, &mut found)?;
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
        let file = Content::new(content);
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

    /// The database, reduced to these groups.
    pub(super) fn reduce_to(&self, candidates: &BTreeSet<u32>) -> Vec<u8> {
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
fn tells_without_words(entry: &MagicEntry<'_>, names: &HashSet<Vec<u8>>) -> bool {
    entry.is_wordless() || entry.uses().is_some_and(|name| names.contains(name))
}

/// The names of entries that are so, those that use such entries among them.
fn find_names(
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
