//! Databases are written here, by hand: entry by entry as the compiled form has them, or as text that the machine's file(1)
//! compiles. No test depends on the database that the machine has.

#![expect(clippy::disallowed_methods, reason = "tests set up files, and run file(1)")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use super::content::{is_plain_text, is_plain_with_lines};
use super::database::Database;

/// Kinds of entries, by their numbers in file(1)'s `file.h`.
const BYTE: u8 = 1;
const STRING: u8 = 5;
const REGEX: u8 = 17;
const SEARCH: u8 = 20;
const INDIRECT: u8 = 41;
const NAME: u8 = 45;
const USE: u8 = 46;

/// An entry of a database.
#[derive(Clone, Copy)]
struct Row {
    level: u8,
    place: u32,
    kind: u8,
    value: &'static [u8],
    words: &'static str,
    mime: &'static str,
}

const fn row(level: u8, place: u32, kind: u8, value: &'static [u8], words: &'static str) -> Row {
    Row { level, place, kind, value, words, mime: "" }
}

/// Entries in groups: 0 a string, 1 a word, 2 an expression, 3 something that only says what another entry does, 4 a number
/// with words below it only.
const ROWS: [Row; 7] = [
    row(0, 0, STRING, b"FORGE", "Forge container"),
    row(0, 0, SEARCH, b"ingredient", "List of ingredients"),
    row(0, 0, REGEX, b"^recipe:[a-z]+", "Recipe"),
    row(0, 0, STRING, b"CUP", ""),
    row(1, 3, USE, b"size", ""),
    row(0, 0, BYTE, &[9], ""),
    row(1, 1, STRING, b"x", "nine and x"),
];

const NAMED: [Row; 2] = [row(0, 0, NAME, b"size", ""), row(1, 0, STRING, b"7", "seven cups")];

/// The two forms of compiled databases: the version, the size of an entry, and whether the flags stand before the level.
const FORMS: [(u32, usize, bool); 2] = [(18, 376, false), (20, 432, true)];

/// A compiled database.
fn compile(rows: &[Row], named: &[Row], (version, size, has_flags_first): (u32, usize, bool)) -> Vec<u8> {
    let mut bytes = vec![0; size];
    let head = [0xf11e_041c_u32, version, rows.len() as u32, named.len() as u32];
    bytes[..16].copy_from_slice(&head.map(u32::to_ne_bytes).concat());
    for row in rows.iter().chain(named) {
        let mut entry = vec![0; size];
        entry[if has_flags_first { 2 } else { 0 }] = row.level;
        entry[4] = b'=';
        entry[5] = row.value.len() as u8;
        entry[6] = row.kind;
        entry[12..16].copy_from_slice(&row.place.to_ne_bytes());
        if row.kind == SEARCH {
            entry[24..28].copy_from_slice(&100_u32.to_ne_bytes());
        }
        entry[32..32 + row.value.len()].copy_from_slice(row.value);
        entry[160..160 + row.words.len()].copy_from_slice(row.words.as_bytes());
        entry[224..224 + row.mime.len()].copy_from_slice(row.mime.as_bytes());
        bytes.extend(entry);
    }
    bytes
}

fn database() -> Database {
    Database::read(compile(&ROWS, &NAMED, FORMS[0])).unwrap()
}

fn pack(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn only_groups_stay_that_may_tell_something_of_a_file() {
    for form in FORMS {
        let database = Database::read(compile(&ROWS, &NAMED, form)).unwrap();
        let found = |content: &[u8]| database.find_candidates(content).unwrap();
        assert_eq!(found(b"FORGE and more"), [0]);
        assert_eq!(found(b"an ingredient"), [1]);
        assert_eq!(found(b"a\nrecipe:soup\n"), [2]);
        assert_eq!(found(b"FORGE\nrecipe:soup of one ingredient\n"), [0, 1, 2]);
        assert_eq!(found(b"nothing"), [0; 0]);
    }
}

#[test]
fn a_word_counts_only_where_its_entry_looks_for_it() {
    let far = [" ".repeat(200).as_bytes(), b"ingredient"].concat();
    assert_eq!(database().find_candidates(&far).unwrap(), [0; 0]);
}

#[test]
fn a_group_that_holds_and_has_no_words_for_a_file_is_left_out() {
    let database = database();
    assert_eq!(database.find_candidates(b"\x09x").unwrap(), [4]);
    assert_eq!(database.find_candidates(b"\x09y").unwrap(), [0; 0]);
    // What another entry says of it can't be told.
    assert_eq!(database.find_candidates(b"CUP8").unwrap(), [3]);
}

#[test]
fn a_group_that_tries_all_others_elsewhere_calls_for_the_whole_database() {
    let rows = [&ROWS[..], &[row(0, 0, STRING, b"BOX", ""), row(1, 3, INDIRECT, b"", "")]].concat();
    let database = Database::read(compile(&rows, &NAMED, FORMS[0])).unwrap();
    assert_eq!(database.find_candidates(b"BOX FORGE"), None);
    assert_eq!(database.find_candidates(b"FORGE"), Some(vec![0]));
}

#[test]
fn what_is_packed_or_encoded_is_for_the_whole_database() {
    let database = database();
    let known: [&[u8]; 5] = [b"text\n", "\u{e9}t\u{e9}".as_bytes(), b"a\0b", b"a\x01", b"\x89ABC\0\0\x0d"];
    for known in known {
        assert!(database.find_candidates(known).is_some(), "{known:?}");
    }
    let packed = pack(b"a");
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
        assert!(database.find_candidates(other).is_none(), "{other:?}");
    }
}

#[test]
fn what_gzip_has_packed_counts_and_what_it_is_packed_as() {
    let rows = [&ROWS[..], &[row(0, 0, STRING, b"\x1f\x8b", "packed")]].concat();
    let database = Database::read(compile(&rows, &NAMED, FORMS[0])).unwrap();
    assert_eq!(database.find_candidates(&pack(b"FORGE")).unwrap(), [0, 5]);
}

#[test]
fn a_reduced_database_has_its_groups_and_all_that_has_a_name() {
    for form in FORMS {
        let reduced =
            Database::read(compile(&ROWS, &NAMED, form)).unwrap().reduce_to(&BTreeSet::from([0, 3]));
        let kept = [ROWS[0], ROWS[3], ROWS[4]];
        assert_eq!(reduced, compile(&kept, &NAMED, form));
    }
}

#[test]
fn types_are_told_by_words_unless_an_entry_has_a_type_alone() {
    let silent = Row { mime: "text/x-soup", ..row(0, 0, STRING, b"SOUP", "") };
    let rows = [&ROWS[..], &[silent]].concat();
    let database = Database::read(compile(&rows, &NAMED, FORMS[0])).unwrap();
    assert!(database.tells_types_by_words(&BTreeSet::from([0, 1, 2])));
    assert!(!database.tells_types_by_words(&BTreeSet::from([0, 5])));
}

#[test]
fn a_broken_database_is_none() {
    let bytes = compile(&ROWS, &NAMED, FORMS[0]);
    for length in [0, 3, 16, 400, bytes.len() - 1] {
        assert!(Database::read(bytes[..length].to_vec()).is_none(), "{length}");
    }
    for (place, value) in [(0, 1_u32), (4, 99), (8, u32::MAX), (12, u32::MAX)] {
        let mut broken = bytes.clone();
        broken[place..place + 4].copy_from_slice(&value.to_ne_bytes());
        assert!(Database::read(broken).is_none(), "{place}");
    }
}

/// Entries of magic(5) for what nobody has, with the ways in which they test.
const TEXT: &str = "\
0\tstring\tFORGE\tForge container
!:mime\tapplication/x-forge
>5\tbyte\t>2\tof a later version
>5\tbyte\t<3\tof an early version
0\tbelong\t0xcafef00d\tCoffee image
!:mime\timage/x-coffee
>4\tuse\tcups
0\tleshort&0xff0f\t0x0b0a\tMasked number
0\tlequad\t>0x7000000000000000\tvery large number
-4\tstring\tTAIL\tBegun from its end
(4.l)\tstring\tHERE\tPointed at
0\tregex\t^recipe:[a-z]+\tRecipe
!:mime\ttext/x-recipe
0\tsearch/100/c\tingredient\tList of ingredients
0\tstring/w\tto\\ be\\ or\tQuestion
0\tstring\tBOX\tBox
>3\tindirect\tx\twith
0\tstring\tCUP
>3\tuse\tcups
0\tname\tcups
>0\tbyte\tx\t%d cups
0\tpstring\thello\tGreeting with its length
0\tstring\tSOUP\tSoup
!:mime\ttext/x-soup
";

/// Files that those entries are about, and some that none is about.
fn contents() -> BTreeMap<&'static str, Vec<u8>> {
    let texts: [(&str, &[u8]); 24] = [
        ("early", b"FORGE\x01"),
        ("later", b"FORGE\x07rest"),
        ("text", b"FORGE container\n"),
        ("coffee", b"\xca\xfe\xf0\x0d\x07\0"),
        ("masked", b"\xfa\x0b\0\0"),
        ("large", b"\x01\0\0\0\0\0\0\x7f"),
        ("tail", b"\x01\x02 something TAIL"),
        ("pointed", b"\x01\0\0\0\x0a\0\0\0\0\0HERE"),
        ("pointed-not", b"\x01\0\0\0\x0a\0\0\0\0\0THERE"),
        ("recipe", b"# mine\nrecipe:soup\n"),
        ("recipe-not", b"# mine\n recipe:\n"),
        ("list", b"One INGREDIENT\n"),
        ("question", b"to   be or not\n"),
        ("box", b"BOXFORGE\x01"),
        ("cup", b"CUP\x05\0"),
        ("greeting", b"\x05hello\0"),
        ("soup", b"SOUP of the day\n"),
        ("plain", b"nothing in particular\n"),
        ("plain-line", b"nothing in particular"),
        ("utf8", "na\u{ef}ve\n".as_bytes()),
        ("script", b"#!/bin/forge\nrecipe:x\n"),
        ("zero", b"\0\0\0\0"),
        ("blank", b"  \n\n"),
        ("empty-not", b"\n"),
    ];
    let mut contents: BTreeMap<&str, Vec<u8>> =
        texts.into_iter().map(|(name, content)| (name, content.to_vec())).collect();
    contents.insert("packed", pack(b"FORGE\x07"));
    contents.insert("packed-plain", pack(b"nothing\n"));
    contents
}

/// What file(1) says of files in a folder, by their names.
fn ask_file(folder: &Path, database: &str, names: &[&str], options: &[&str]) -> BTreeMap<String, String> {
    let mut command = Command::new("file");
    command.current_dir(folder).args(["-m", database]).args(options).args(["-z", "-e", "tokens", "-F", ":"]);
    let output = command.args(names).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text.lines().filter_map(|line| line.split_once(':'));
    said.map(|(name, words)| (name.to_owned(), words.trim().to_owned())).collect()
}

#[test]
fn file_says_the_same_with_a_reduced_database() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    fs::write(folder.join("own"), TEXT).unwrap();
    let compiled = Command::new("file").current_dir(folder).args(["-C", "-m", "own"]).status().unwrap();
    assert!(compiled.success());
    let database = Database::read(fs::read(folder.join("own.mgc")).unwrap()).unwrap();
    let contents = contents();
    let (mut whole, mut told) = (Vec::new(), BTreeSet::new());
    for (name, content) in &contents {
        fs::write(folder.join(name), content).unwrap();
        let Some(candidates) = database.find_candidates(content) else {
            whole.push(*name);
            continue;
        };
        let candidates: BTreeSet<u32> = candidates.into_iter().collect();
        fs::write(folder.join("reduced.mgc"), database.reduce_to(&candidates)).unwrap();
        for options in [[].as_slice(), &["--mime-type"]] {
            let expected = ask_file(folder, "own.mgc", &[name], options);
            assert_eq!(ask_file(folder, "reduced.mgc", &[name], options), expected, "{name}");
            told.extend(expected.into_values());
        }
    }
    // The box is for the whole database.
    assert_eq!(whole, ["box"]);
    assert!(told.len() > 20, "{told:?}");
    let lines = ask_file(folder, "own.mgc", &["coffee", "cup", "pointed"], &[]);
    assert_eq!(
        lines.into_values().collect::<Vec<_>>(),
        ["Coffee image 7 cups", "5 cups", "Pointed at"],
        "the entries are not those that were meant"
    );
}

#[test]
fn texts_of_which_no_entry_tells_anything_are_described_alike() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    fs::write(folder.join("own"), "0\tstring\tFORGE\tForge container\n").unwrap();
    assert!(Command::new("file").current_dir(folder).args(["-C", "-m", "own"]).status().unwrap().success());
    let database = Database::read(fs::read(folder.join("own.mgc")).unwrap()).unwrap();
    let texts = ["a b\n", "one\ntwo\n", "y = 1\n\tz\n", "no end", "also none"];
    let mut said: BTreeMap<bool, BTreeSet<String>> = BTreeMap::new();
    for (number, text) in texts.iter().enumerate() {
        let name = format!("t{number}");
        fs::write(folder.join(&name), text).unwrap();
        assert_eq!(database.find_candidates(text.as_bytes()).unwrap(), [0; 0], "{text}");
        let has_lines = is_plain_with_lines(text.as_bytes()).unwrap();
        let words = ask_file(folder, "own.mgc", &[&name], &[]).remove(&name).unwrap();
        let mime = ask_file(folder, "own.mgc", &[&name], &["--mime-type"]).remove(&name).unwrap();
        assert!(is_plain_text(&words) && mime == "text/plain", "{words} {mime}");
        said.entry(has_lines).or_default().insert(words);
    }
    assert!(said.len() == 2 && said.values().all(|words| words.len() == 1), "{said:?}");
    for text in ["a,b\nc,d\n", "{}\n", "\u{ef}\n", "a\rb\n", &"x".repeat(300)] {
        assert_eq!(is_plain_with_lines(text.as_bytes()), None, "{text}");
    }
}
