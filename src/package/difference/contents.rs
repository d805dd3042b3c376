//! What differs within files: lines of text, members of archives, sections of programs, bytes.
//!
//! Files of packages are hostile until checked: nothing here is read without a limit, and what can't be read as what it begins like is
//! compared as bytes.

use std::collections::BTreeSet;
use std::io::Read;

use schemars::JsonSchema;
use serde::Serialize;

use super::members::{Members, members};
use super::unified::text_change;
use crate::package::{Compression, decompressed};

/// How much a file may hold once it is decompressed.
const LARGEST_DECOMPRESSED: u64 = 256 << 20;

/// How deep archives lie in archives.
const DEEPEST: usize = 4;

/// How many places of one file are told.
const MOST_CHANGES: usize = 50;

/// How many bytes are shown where others differ.
const SHOWN_BYTES: usize = 16;

/// A place within a file that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContentChange {
    /// The way to it: members of archives, `decompressed`, sections; nothing where it is the file itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<String>,
    /// What differs: `text`, `bytes at 0x1f0`, `size`, `mode`, `modified` …
    pub what: String,
    /// The first package's; nothing where it does not have it.
    pub before: Option<String>,
    /// The second one's.
    pub after: Option<String>,
}

/// What differs between two contents of a file.
pub(super) fn compare_contents(before: &[u8], after: &[u8]) -> Vec<ContentChange> {
    let mut found = ContentComparison { changes: Vec::new(), within: Vec::new() };
    found.compare(before, after);
    found.changes
}

/// What was found so far.
struct ContentComparison {
    changes: Vec<ContentChange>,
    within: Vec<String>,
}

impl ContentComparison {
    fn add(&mut self, what: impl Into<String>, before: Option<String>, after: Option<String>) {
        if self.changes.len() < MOST_CHANGES {
            let (within, what) = (self.within.clone(), what.into());
            self.changes.push(ContentChange { within, what, before, after });
        }
    }

    /// Compares what is within.
    fn inside(&mut self, name: &str, compare: impl FnOnce(&mut Self)) {
        self.within.push(name.to_owned());
        compare(self);
        self.within.pop();
    }

    fn compare(&mut self, before: &[u8], after: &[u8]) {
        if before == after || self.changes.len() >= MOST_CHANGES {
            return;
        }
        let is_shallow = self.within.len() < DEEPEST;
        if is_shallow && self.compare_compressed(before, after) {
            return;
        }
        if is_shallow && let (Some(old), Some(new)) = (members(before), members(after)) {
            return self.compare_members((before, &old), (after, &new));
        }
        match (as_text(before), as_text(after)) {
            (Some(old), Some(new)) => {
                let (removed, added) = text_change(old, new);
                self.add("text", removed, added);
            }
            (_, _) => self.compare_bytes(before, after),
        }
    }

    /// Compares what is compressed in the same way; says whether it is.
    fn compare_compressed(&mut self, before: &[u8], after: &[u8]) -> bool {
        let Some(compression) = compression_of(before) else { return false };
        if compression_of(after) != Some(compression) {
            return false;
        }
        let (Some(old), Some(new)) = (decompress(compression, before), decompress(compression, after)) else {
            return false;
        };
        if old != new {
            self.inside("decompressed", |found| found.compare(&old, &new));
        } else if compression == Compression::Gzip && before.get(4..8) != after.get(4..8) {
            self.add("time in the gzip header", gzip_time(before), gzip_time(after));
        } else {
            self.inside(&format!("{} stream", compression.name()), |found| {
                found.compare_bytes(before, after)
            });
        }
        true
    }

    fn compare_members(&mut self, (before, old): (&[u8], &Members), (after, new): (&[u8], &Members)) {
        let told = self.changes.len();
        let names: BTreeSet<&String> = old.by_name.keys().chain(new.by_name.keys()).collect();
        for name in names {
            let (old, new) = (old.by_name.get(name), new.by_name.get(name));
            let size = |bytes: usize| Some(format!("{bytes} bytes"));
            self.inside(name, |found| match (old, new) {
                (Some(old), Some(new)) => {
                    let tags: BTreeSet<&str> =
                        old.attributes.keys().chain(new.attributes.keys()).copied().collect();
                    for tag in tags {
                        let (old, new) = (old.attributes.get(tag), new.attributes.get(tag));
                        if old != new {
                            found.add(tag, old.cloned(), new.cloned());
                        }
                    }
                    found.compare(&old.content, &new.content);
                }
                (Some(old), None) => found.add("member", size(old.content.len()), None),
                (None, Some(new)) => found.add("member", None, size(new.content.len())),
                (None, None) => {}
            });
        }
        if old.order != new.order && self.changes.len() == told {
            self.add("order of members", Some(old.order.join(", ")), Some(new.order.join(", ")));
        }
        // All that was looked at is the same: something around it is not.
        if self.changes.len() == told {
            self.compare_bytes(before, after);
        }
    }

    fn compare_bytes(&mut self, before: &[u8], after: &[u8]) {
        if before.len() != after.len() {
            self.add("size", Some(before.len().to_string()), Some(after.len().to_string()));
        }
        let same = before.iter().zip(after).take_while(|(old, new)| old == new).count();
        let shown = |bytes: &[u8]| {
            let bytes = bytes.get(same..).unwrap_or_default();
            let shown: Vec<String> =
                bytes.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect();
            (!shown.is_empty()).then(|| shown.join(" "))
        };
        self.add(format!("bytes at {same:#x}"), shown(before), shown(after));
    }
}

/// The text that a file is.
fn as_text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_of_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\x0c');
    text.chars().all(is_of_text).then_some(text)
}

/// How something is compressed, by its first bytes.
fn compression_of(bytes: &[u8]) -> Option<Compression> {
    const MAGIC: [(&[u8], Compression); 4] = [
        (&[0x1f, 0x8b], Compression::Gzip),
        (b"BZh", Compression::Bzip2),
        (&[0xfd, b'7', b'z', b'X', b'Z', 0], Compression::Xz),
        (&[0x28, 0xb5, 0x2f, 0xfd], Compression::Zstd),
    ];
    MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, compression)| *compression)
}

/// What it holds, if that is not too much.
fn decompress(compression: Compression, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let reader = decompressed(compression, bytes).ok()?;
    reader.take(LARGEST_DECOMPRESSED.saturating_add(1)).read_to_end(&mut content).ok()?;
    let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
    (length <= LARGEST_DECOMPRESSED).then_some(content)
}

/// The time that a gzip header says (RFC 1952), in seconds since 1970.
fn gzip_time(bytes: &[u8]) -> Option<String> {
    let time: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    Some(u32::from_le_bytes(time).to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn change(within: &[&str], what: &str, before: &str, after: &str) -> ContentChange {
        ContentChange {
            within: within.iter().map(|&name| name.to_owned()).collect(),
            what: what.to_owned(),
            before: Some(before.to_owned()).filter(|text| !text.is_empty()),
            after: Some(after.to_owned()).filter(|text| !text.is_empty()),
        }
    }

    fn gzip(content: &[u8], time: u32) -> Vec<u8> {
        let mut encoder = flate2::GzBuilder::new().mtime(time).write(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn tar(members: &[(&str, u64, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, time, content) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(*time);
            archive.append_data(&mut header, name, *content).unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn lines_of_text_are_told_that_only_one_has() {
        let changes = compare_contents(b"one\ntwo\nthree\n", b"one\n2\nthree\n");
        assert_eq!(changes, [change(&[], "text", "two", "2")]);
    }

    #[test]
    fn members_of_compressed_archives_are_found_and_their_times() {
        let old = gzip(&tar(&[("a", 1, b"same"), ("b", 1, b"x\n")]), 0);
        let new = gzip(&tar(&[("a", 2, b"same"), ("b", 1, b"y\n")]), 0);
        let expected = [
            change(&["decompressed", "a"], "modified", "1", "2"),
            change(&["decompressed", "b"], "text", "x", "y"),
        ];
        assert_eq!(compare_contents(&old, &new), expected);
    }

    #[test]
    fn the_time_in_a_gzip_header_is_named() {
        let changes = compare_contents(&gzip(b"same", 100), &gzip(b"same", 200));
        assert_eq!(changes, [change(&[], "time in the gzip header", "100", "200")]);
    }

    #[test]
    fn another_order_of_members_is_all_that_differs() {
        let old = tar(&[("a", 1, b"a"), ("b", 1, b"b")]);
        let new = tar(&[("b", 1, b"b"), ("a", 1, b"a")]);
        assert_eq!(compare_contents(&old, &new), [change(&[], "order of members", "a, b", "b, a")]);
    }

    #[test]
    fn other_bytes_are_shown_where_they_begin() {
        let expected = [change(&[], "size", "4", "3"), change(&[], "bytes at 0x2", "ff 00", "fe")];
        assert_eq!(compare_contents(&[0, 1, 255, 0], &[0, 1, 254]), expected);
    }

    #[test]
    fn what_only_begins_like_an_archive_is_bytes() {
        for start in [&b"PK\x03\x04"[..], b"!<arch>\n", b"\x7fELF", &[0x1f, 0x8b], b"BZh9"] {
            let (old, new) = ([start, &[0xff, 1]].concat(), [start, &[0xff, 2]].concat());
            let changes = compare_contents(&old, &new);
            assert_eq!(changes.len(), 1, "{start:?}: {changes:?}");
            assert!(changes[0].what.starts_with("bytes at"), "{changes:?}");
        }
    }
}
