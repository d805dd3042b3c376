//! What is in a tree.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use bstr::BString;

use crate::digest::{Digest, Encoder};

/// What a package unpacks to.
#[derive(Clone, Debug)]
pub struct PackageTree {
    /// All that is in it, sorted by path, folders before what is in them.
    pub entries: Vec<TreeEntry>,
    /// Whether it was unpacked just now.
    pub is_new: bool,
}

/// Something that is in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Where, below the root and without a `/` at the beginning; empty for the root itself.
    pub path: BString,
    /// Its permissions, set-user-ID and the like included (inode(7)).
    pub mode: u32,
    /// Whose it is.
    pub ownership: Arc<Ownership>,
    /// When it was changed: seconds since 1970.
    pub modified: u64,
    /// The class of its machine code, as rpm has it: 0 for none, 1 for 32 bits, 2 for 64.
    pub color: u8,
    /// What it is.
    pub content: EntryContent,
}

/// Whose something is, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ownership {
    /// The name of its owner, or its number where it has none.
    pub owner: BString,
    /// The name of its group, or its number.
    pub group: BString,
    /// Its capabilities (cap_from_text(3)); empty for none. They are only listed, and not on disk.
    pub capabilities: BString,
}

impl Default for Ownership {
    fn default() -> Self {
        Self { owner: "root".into(), group: "root".into(), capabilities: BString::default() }
    }
}

/// What something in a tree is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryContent {
    /// A folder.
    Folder,
    /// A regular file.
    File(StoredFile),
    /// A symbolic link, with what it points to.
    Link(BString),
}

/// A regular file that the store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// How many bytes it has.
    pub size: u64,
    /// The digest of its content.
    pub digest: Digest,
    /// Its name among the files of trees: the digest of its content and of all that is said of it.
    pub name: Digest,
}

impl TreeEntry {
    /// Its path as the standard library's type.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }

    /// The file that the store has of it, if it is one.
    pub fn stored(&self) -> Option<&StoredFile> {
        match &self.content {
            EntryContent::File(file) => Some(file),
            EntryContent::Folder | EntryContent::Link(_) => None,
        }
    }

    /// What a link points to, if it is one.
    pub fn link(&self) -> Option<&BString> {
        match &self.content {
            EntryContent::Link(target) => Some(target),
            EntryContent::Folder | EntryContent::File(_) => None,
        }
    }

    /// The name among the files of trees of a file with this content.
    pub(super) fn stored_name(&self, content: &Digest) -> Digest {
        let mut encoder = Encoder::new("rpmforge tree file v1");
        encoder.digest_field("content", content).text("mode", &self.mode.to_string());
        encoder.text("modified", &self.modified.to_string());
        let Ownership { owner, group, capabilities } = &*self.ownership;
        for (name, text) in
            [("path", &self.path), ("owner", owner), ("group", group), ("capabilities", capabilities)]
        {
            encoder.digest_field(name, &Digest::compute(text));
        }
        encoder.digest()
    }
}
