//! Lists of what is in a tree or a root, as they stand on disk.
//!
//! `rpmforge tree 1` or `rpmforge farm 1` and a line feed; the boot; the ownerships; the entries; the packages; for each entry
//! the number of its package; BLAKE3 of all that. A number is a varint (7 bits a byte, the lowest first, all but the last with the highest bit set), a text a number and as
//! many bytes, a list a number and as many items.

use std::collections::HashMap;
use std::sync::Arc;

use bstr::BString;

use super::{Boot, EntryContent, Ownership, StoredFile, TreeEntry};
use crate::digest::Digest;

/// All that is in a tree or a root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryList {
    /// Since when the machine ran when it was written.
    pub boot: Boot,
    /// The entries.
    pub entries: Vec<TreeEntry>,
    /// The packages that a root is composed of; none in the list of a tree.
    pub packages: Vec<String>,
    /// For each entry of a root the number of its package, counted from 1; 0 where it belongs to none.
    pub package_numbers: Vec<u32>,
}

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedIn {
    /// A package tree.
    Tree,
    /// A root, or what is laid over one.
    Farm,
}

impl ListedIn {
    fn magic(self) -> &'static [u8] {
        match self {
            Self::Tree => b"rpmforge tree 1\n",
            Self::Farm => b"rpmforge farm 1\n",
        }
    }
}

const DIGEST_LENGTH: usize = 32;

impl EntryList {
    /// As it stands on disk.
    pub fn encode(&self, listed_in: ListedIn) -> Vec<u8> {
        let mut ownerships: Vec<&Ownership> = Vec::new();
        let mut numbers: HashMap<&Ownership, u64> = HashMap::new();
        for entry in &self.entries {
            numbers.entry(&entry.ownership).or_insert_with(|| {
                ownerships.push(&entry.ownership);
                ownerships.len() as u64 - 1
            });
        }
        let mut bytes = listed_in.magic().to_vec();
        put_text(&mut bytes, self.boot.text().as_bytes());
        put_number(&mut bytes, ownerships.len() as u64);
        for Ownership { owner, group, capabilities } in ownerships {
            [owner, group, capabilities].into_iter().for_each(|text| put_text(&mut bytes, text));
        }
        put_number(&mut bytes, self.entries.len() as u64);
        for entry in &self.entries {
            put_entry(&mut bytes, entry, numbers.get(&*entry.ownership).copied().unwrap_or_default());
        }
        put_number(&mut bytes, self.packages.len() as u64);
        self.packages.iter().for_each(|package| put_text(&mut bytes, package.as_bytes()));
        put_number(&mut bytes, self.package_numbers.len() as u64);
        self.package_numbers.iter().for_each(|number| put_number(&mut bytes, u64::from(*number)));
        let digest = Digest::compute(&bytes);
        bytes.extend(digest.as_bytes());
        bytes
    }

    /// What stands on disk; nothing where that isn't what was written.
    pub fn decode(listed_in: ListedIn, bytes: &[u8]) -> Option<Self> {
        let (content, digest) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST_LENGTH)?)?;
        if Digest::compute(content).as_bytes() != digest {
            return None;
        }
        let mut rest = Rest(content.strip_prefix(listed_in.magic())?);
        let boot = Boot::from_text(std::str::from_utf8(rest.text()?).ok()?);
        let ownerships: Vec<Arc<Ownership>> = rest.list(Rest::ownership)?;
        let entries = rest.list(|rest| rest.entry(&ownerships))?;
        let packages = rest.list(|rest| Some(std::str::from_utf8(rest.text()?).ok()?.to_owned()))?;
        let package_numbers = rest.list(|rest| u32::try_from(rest.number()?).ok())?;
        rest.0.is_empty().then_some(Self { boot, entries, packages, package_numbers })
    }

    /// The boot that stands in a list, which is not read any further.
    pub fn decode_boot(listed_in: ListedIn, bytes: &[u8]) -> Option<Boot> {
        let mut rest = Rest(bytes.strip_prefix(listed_in.magic())?);
        Some(Boot::from_text(std::str::from_utf8(rest.text()?).ok()?))
    }
}

/// The digest of all that entries say.
pub(super) fn content_digest(entries: &[TreeEntry]) -> Digest {
    let list = EntryList { entries: entries.to_vec(), ..EntryList::default() };
    Digest::compute(&list.encode(ListedIn::Tree))
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn put_text(bytes: &mut Vec<u8>, text: &[u8]) {
    put_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text);
}

fn put_entry(bytes: &mut Vec<u8>, entry: &TreeEntry, ownership: u64) {
    put_text(bytes, &entry.path);
    put_number(bytes, entry.mode.into());
    put_number(bytes, ownership);
    put_number(bytes, entry.modified);
    put_number(bytes, entry.color.into());
    match &entry.content {
        EntryContent::Folder => put_number(bytes, 0),
        EntryContent::File(StoredFile { size, digest, name }) => {
            put_number(bytes, 1);
            put_number(bytes, *size);
            bytes.extend(digest.as_bytes());
            bytes.extend(name.as_bytes());
        }
        EntryContent::Link(target) => {
            put_number(bytes, 2);
            put_text(bytes, target);
        }
    }
}

/// What is left of a list that is being read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.number()?).ok()?;
        // Each item has at least one byte.
        if count > self.0.len() {
            return None;
        }
        (0..count).map(|_| item(self)).collect()
    }

    fn digest(&mut self) -> Option<Digest> {
        Some(Digest::from_bytes(*self.take(DIGEST_LENGTH)?.first_chunk()?))
    }

    fn ownership(&mut self) -> Option<Arc<Ownership>> {
        let owner = self.text()?.into();
        let group = self.text()?.into();
        Some(Arc::new(Ownership { owner, group, capabilities: self.text()?.into() }))
    }

    fn entry(&mut self, ownerships: &[Arc<Ownership>]) -> Option<TreeEntry> {
        let path: BString = self.text()?.into();
        let mode = u32::try_from(self.number()?).ok()?;
        let ownership = Arc::clone(ownerships.get(usize::try_from(self.number()?).ok()?)?);
        let modified = self.number()?;
        let color = u8::try_from(self.number()?).ok()?;
        let content = match self.number()? {
            0 => EntryContent::Folder,
            1 => EntryContent::File(StoredFile {
                size: self.number()?,
                digest: self.digest()?,
                name: self.digest()?,
            }),
            2 => EntryContent::Link(self.text()?.into()),
            _ => return None,
        };
        Some(TreeEntry { path, mode, ownership, modified, color, content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> EntryList {
        let entry = |path: &str, content| TreeEntry {
            path: path.into(),
            mode: 0o4755,
            ownership: Arc::default(),
            modified: 1_700_000_000,
            color: 2,
            content,
        };
        let digest = Digest::compute(b"x");
        let entries = vec![
            entry("", EntryContent::Folder),
            entry("a", EntryContent::File(StoredFile { size: u64::MAX, digest, name: digest })),
            entry("b", EntryContent::Link("../x".into())),
        ];
        let packages = vec!["a-1-1.noarch".to_owned()];
        EntryList { boot: Boot::from_text("boot"), entries, packages, package_numbers: vec![0, 1, 1] }
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = list().encode(ListedIn::Tree);
        assert_eq!(EntryList::decode(ListedIn::Tree, &bytes), Some(list()));
        assert_eq!(EntryList::decode_boot(ListedIn::Tree, &bytes), Some(Boot::from_text("boot")));
        assert_eq!(EntryList::decode(ListedIn::Farm, &bytes), None);
    }

    #[test]
    fn no_bit_of_a_list_can_be_flipped_and_no_byte_be_missing() {
        let bytes = list().encode(ListedIn::Tree);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(EntryList::decode(ListedIn::Tree, &flipped), None);
        }
        for end in 0..bytes.len() {
            assert_eq!(EntryList::decode(ListedIn::Tree, &bytes[..end]), None);
        }
    }
}
