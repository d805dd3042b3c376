//! What a metadata file is unpacked: its SHA-256 and its size.
//!
//! A checksum is computed from the first byte to the last. Up to the first group that has changed the text is what it was before: states of
//! the checksum on the way are kept in the store, and the next publish goes on from the last one that still holds.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use resumable_sha2::digest::common::hazmat::{SerializableState, SerializedState};
use resumable_sha2::{Digest as _, Sha256};

use super::kept_group::KeptGroup;
use super::section::Section;
use crate::digest::{Digest, Encoder, Key};
use crate::files::HostPath;
use crate::package::RepositoryKind;
use crate::store::{RecordKind, Store};

/// How many pieces are unpacked at once, and how many a state is kept behind: what a processor's own memory holds.
const UNPACKED_AT_ONCE: usize = 8;

/// How many bytes the name of a beginning has where states are kept.
const NAME_BYTES: usize = 32;

/// A group with what is kept of it.
pub(super) type KeyedGroup = (Key, Arc<KeptGroup>);

/// A metadata file, unpacked.
pub(super) struct OpenText<'a> {
    pub kind: RepositoryKind,
    /// What stands before the packages.
    pub head: &'a str,
    pub groups: &'a [KeyedGroup],
    /// What stands behind them.
    pub tail: &'a str,
}

/// The states that are kept of one metadata file.
pub(super) struct KeptStates<'a> {
    store: &'a Store,
    key: Key,
}

/// States, packed, by the [beginnings](OpenText::name_beginnings) that they are of.
type StatesByBeginning = HashMap<[u8; NAME_BYTES], Vec<u8>>;

impl OpenText<'_> {
    /// SHA-256 in hexadecimal digits, and bytes.
    ///
    /// # Errors
    /// A piece that can't be unpacked.
    pub fn checksum(&self, kept: &KeptStates<'_>) -> io::Result<(String, u64)> {
        let beginnings = self.name_beginnings();
        let before = kept.read();
        let state = |beginning: &Digest| decode_state(before.get(beginning.as_bytes())?);
        let known = beginnings.iter().enumerate().rev();
        let known = known.into_iter().find_map(|(place, name)| Some((place.saturating_add(1), state(name)?)));
        let (done, mut open) = known.unwrap_or_else(|| (0, Sha256::new_with_prefix(self.head)));
        let mut states: Vec<Vec<u8>> =
            beginnings.iter().take(done).filter_map(|name| before.get(name.as_bytes()).cloned()).collect();
        let are_all_known = states.len() == done;
        self.update_unpacked(&mut open, done, |open| states.push(open.serialize().to_vec()))?;
        // Of a single part there is no beginning that could be the same.
        if are_all_known && done < beginnings.len() && beginnings.len() > 1 {
            kept.write(&beginnings, &states);
        }
        open.update(self.tail);
        let pieces = self.groups.iter().map(|(_, group)| group.piece(self.kind).open_size as u64);
        let ends = [self.head.len() as u64, self.tail.len() as u64];
        let size = pieces.chain(ends).fold(0, u64::saturating_add);
        Ok((crate::package::hex(&open.finalize()), size))
    }

    /// Names the text up to the end of each part of it.
    fn name_beginnings(&self) -> Vec<Digest> {
        let mut encoder = Encoder::new("rpmforge beginning of metadata v1");
        encoder.text("kind", self.kind.name()).text("head", self.head);
        let beginning = |part: &[KeyedGroup]| {
            for (key, _) in part {
                encoder.digest_field("group", key.digest());
            }
            encoder.digest()
        };
        self.groups.chunks(UNPACKED_AT_ONCE).map(beginning).collect()
    }

    /// Takes the unpacked pieces of all parts but the first `done` into the checksum; tells each state. While one part is taken in, another
    /// thread that has nothing else to do unpacks the next.
    fn update_unpacked(
        &self,
        open: &mut Sha256,
        done: usize,
        mut note: impl FnMut(&Sha256) + Send,
    ) -> io::Result<()> {
        let unpack = |groups: &[KeyedGroup], mut texts: Vec<Vec<u8>>| -> io::Result<Vec<Vec<u8>>> {
            texts.resize_with(groups.len(), Vec::new);
            for ((_, group), text) in groups.iter().zip(&mut texts) {
                group.piece(self.kind).unpack_into(text)?;
            }
            Ok(texts)
        };
        let mut parts = self.groups.chunks(UNPACKED_AT_ONCE).skip(done);
        let mut part = parts.next().map(|part| unpack(part, Vec::new())).transpose()?;
        let mut spare = Vec::new();
        while let Some(texts) = part {
            let update = || {
                texts.iter().for_each(|text| open.update(text));
                note(open);
            };
            let unpack_next =
                || parts.next().map(|part| unpack(part, std::mem::take(&mut spare))).transpose();
            part = rayon::join(update, unpack_next).1?;
            spare = texts;
        }
        Ok(())
    }
}

impl<'a> KeptStates<'a> {
    /// Those of the metadata of this kind in a section of the repository in `folder`.
    pub fn new(store: &'a Store, folder: &HostPath, section: Section, kind: RepositoryKind) -> Self {
        let mut encoder = Encoder::new("rpmforge states of metadata checksums v1");
        encoder.text("folder", &folder.to_string()).text("section", section.prefix());
        encoder.text("kind", kind.name());
        Self { store, key: encoder.key() }
    }

    /// What is not as it was written is as if it were not there.
    fn read(&self) -> StatesByBeginning {
        let content = self.store.record_bytes(RecordKind::Metadata, &self.key).unwrap_or_default();
        let entry = |entry: &[u8]| {
            let (name, state) = entry.split_first_chunk::<NAME_BYTES>()?;
            Some((*name, state.to_vec()))
        };
        content.chunks_exact(NAME_BYTES.saturating_add(state_bytes())).filter_map(entry).collect()
    }

    fn write(&self, beginnings: &[Digest], states: &[Vec<u8>]) {
        let entries = beginnings.iter().zip(states);
        let content: Vec<u8> =
            entries.flat_map(|(name, state)| name.as_bytes().iter().chain(state)).copied().collect();
        // Where the store can't be written to, the next publish begins at the first byte.
        let _ = self.store.remember_bytes(RecordKind::Metadata, &self.key, &content);
    }
}

fn state_bytes() -> usize {
    SerializedState::<Sha256>::default().len()
}

fn decode_state(state: &Vec<u8>) -> Option<Sha256> {
    let state = SerializedState::<Sha256>::try_from(state.as_slice()).ok()?;
    Sha256::deserialize(&state).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: RepositoryKind = RepositoryKind::Filelists;

    fn text(number: usize) -> String {
        format!("<package name=\"p{number}\">\n").repeat(number % 7 + 1)
    }

    fn group(number: usize) -> KeyedGroup {
        let key = Key::from_digest(Digest::compute(number.to_string().as_bytes()));
        let text = text(number);
        (key, Arc::new(KeptGroup::of_pieces([b"", text.as_bytes(), b""])))
    }

    /// The same, of a piece that can't be unpacked.
    fn damaged(number: usize) -> KeyedGroup {
        let text = text(number);
        (group(number).0, Arc::new(KeptGroup::of_pieces([b"", text.as_bytes(), b""]).damaged()))
    }

    struct Kept {
        folder: HostPath,
        store: Store,
        _temp: tempfile::TempDir,
    }

    impl Kept {
        fn new() -> Self {
            let temp = tempfile::tempdir().unwrap();
            let folder = HostPath::new(temp.path()).unwrap();
            Self { store: Store::open(&folder.join("store")).unwrap(), folder, _temp: temp }
        }

        fn states(&self) -> KeptStates<'_> {
            KeptStates::new(&self.store, &self.folder, Section::Main, KIND)
        }

        fn checksum(&self, head: &str, groups: &[KeyedGroup]) -> io::Result<(String, u64)> {
            OpenText { kind: KIND, head, groups, tail: "</filelists>\n" }.checksum(&self.states())
        }
    }

    fn expected(head: &str, numbers: &[usize]) -> (String, u64) {
        let pieces = numbers.iter().map(|number| text(*number));
        let whole: String =
            std::iter::once(head.to_owned()).chain(pieces).collect::<String>() + "</filelists>\n";
        (crate::package::hex(&Sha256::digest(&whole)), whole.len() as u64)
    }

    #[test]
    fn it_is_that_of_the_whole_text_whatever_was_kept_before() {
        let kept = Kept::new();
        let mut numbers: Vec<usize> = (0..50).collect();
        for place in [50, 3, 49, 48, 20, 0, 8, 7, 31, 16] {
            if let Some(number) = numbers.get_mut(place) {
                *number += 100;
            }
            let groups: Vec<KeyedGroup> = numbers.iter().map(|number| group(*number)).collect();
            assert_eq!(kept.checksum("<filelists>\n", &groups).unwrap(), expected("<filelists>\n", &numbers));
            assert_eq!(kept.checksum("<other>\n", &groups).unwrap(), expected("<other>\n", &numbers));
        }
        let fewer: Vec<KeyedGroup> = numbers.iter().take(16).map(|number| group(*number)).collect();
        assert_eq!(kept.checksum("<other>\n", &fewer).unwrap(), expected("<other>\n", &numbers[..16]));
        assert_eq!(kept.checksum("", &[]).unwrap(), expected("", &[]));
    }

    #[test]
    fn what_stands_before_a_change_is_not_unpacked_again() {
        let kept = Kept::new();
        let mut numbers: Vec<usize> = (0..50).collect();
        let mut groups: Vec<KeyedGroup> = numbers.iter().map(|number| group(*number)).collect();
        kept.checksum("", &groups).unwrap();
        // Nobody looks at those that stand before the part of the change.
        (numbers[43], groups[43]) = (143, group(143));
        for (group, number) in groups.iter_mut().zip(&numbers).take(40) {
            *group = damaged(*number);
        }
        assert_eq!(kept.checksum("", &groups).unwrap(), expected("", &numbers));
        groups[44] = damaged(numbers[44]);
        // Nothing has changed: nothing is unpacked at all.
        assert_eq!(kept.checksum("", &groups).unwrap(), expected("", &numbers));
        groups[43] = group(243);
        assert!(kept.checksum("", &groups).is_err());
    }

    #[test]
    fn states_that_are_damaged_are_as_if_they_were_not_there() {
        let kept = Kept::new();
        let numbers: Vec<usize> = (0..20).collect();
        let groups: Vec<KeyedGroup> = numbers.iter().map(|number| group(*number)).collect();
        let states = kept.states();
        kept.checksum("", &groups).unwrap();
        let whole = kept.store.record_bytes(RecordKind::Metadata, &states.key).unwrap();
        assert_eq!(whole.len(), 3 * (NAME_BYTES + state_bytes()));
        for content in [&b""[..], b"x", &whole[..whole.len() - 1], &whole[1..], &whole[..NAME_BYTES]] {
            kept.store.remember_bytes(RecordKind::Metadata, &states.key, content).unwrap();
            assert_eq!(kept.checksum("", &groups).unwrap(), expected("", &numbers));
            let mended = kept.store.record_bytes(RecordKind::Metadata, &states.key);
            assert!(mended.as_ref() == Some(&whole), "{} bytes", content.len());
        }
    }
}
