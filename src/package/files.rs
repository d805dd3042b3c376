//! The files that a package's header lists.

#![deny(clippy::arithmetic_side_effects)]

use bstr::{BStr, BString};

use super::{Header, Tag};

/// A file, as the header has it (rpm's docs/manual/tags.md, "File info").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageFile {
    /// Where it is.
    pub path: BString,
    /// Type and permissions (inode(7)).
    pub mode: u32,
    /// The name of its owner.
    pub owner: BString,
    /// The name of its group.
    pub group: BString,
    /// When it was changed: seconds since 1970.
    pub modified: u64,
    /// How many bytes it has.
    pub size: u64,
    /// The digest of its content, in hexadecimal digits; empty where it has none.
    pub digest: BString,
    /// What it points to; empty where it is no symbolic link.
    pub link: BString,
    /// What kind of file it is to rpm.
    pub flags: u64,
    /// The class of its machine code: 1 for 32 bits, 2 for 64.
    pub color: u64,
    /// The device and the number that it had: files that share both are hard links.
    pub inode: (u64, u64),
    /// Its capabilities (cap_from_text(3)).
    pub capabilities: BString,
}

const TYPE: u32 = 0o170_000;
const GHOST: u64 = 1 << 6;

impl PackageFile {
    /// Whether it is a regular file.
    pub fn is_regular(&self) -> bool {
        self.mode & TYPE == 0o100_000
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.mode & TYPE == 0o040_000
    }

    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.mode & TYPE == 0o120_000
    }

    /// Whether the package only speaks of it (`%ghost`), and does not have it.
    pub fn is_ghost(&self) -> bool {
        self.flags & GHOST != 0
    }
}

/// The files that a header lists; nothing where it contradicts itself about how many there are.
pub fn package_files(header: &Header) -> Option<Vec<PackageFile>> {
    let names = header.texts(Tag::BASENAMES);
    let folders = header.texts(Tag::DIRNAMES);
    let folder_numbers = header.numbers(Tag::DIRINDEXES);
    let modes = header.numbers(Tag::FILEMODES);
    if folder_numbers.len() != names.len() || modes.len() != names.len() {
        return None;
    }
    let text = |tag, at: usize| header.texts(tag).get(at).cloned().unwrap_or_default();
    let number = |tag, at: usize| header.numbers(tag).get(at).copied().unwrap_or_default();
    let sizes = if header.has(Tag::LONGFILESIZES) { Tag::LONGFILESIZES } else { Tag::FILESIZES };
    let file = |(at, name): (usize, &BString)| {
        let folder = folders.get(usize::try_from(*folder_numbers.get(at)?).ok()?)?;
        Some(PackageFile {
            path: join(folder.as_ref(), name.as_ref()),
            mode: u32::try_from(number(Tag::FILEMODES, at)).ok()?,
            owner: text(Tag::FILEUSERNAME, at),
            group: text(Tag::FILEGROUPNAME, at),
            modified: number(Tag::FILEMTIMES, at),
            size: number(sizes, at),
            digest: text(Tag::FILEDIGESTS, at),
            link: text(Tag::FILELINKTOS, at),
            flags: number(Tag::FILEFLAGS, at),
            color: number(Tag::FILECOLORS, at),
            inode: (number(Tag::FILEDEVICES, at), number(Tag::FILEINODES, at)),
            capabilities: text(Tag::FILECAPS, at),
        })
    };
    names.iter().enumerate().map(file).collect()
}

fn join(folder: &BStr, name: &BStr) -> BString {
    [folder.as_ref(), name.as_ref() as &[u8]].concat().into()
}
