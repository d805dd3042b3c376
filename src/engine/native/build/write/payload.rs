//! The payload of a package: which of its files are archived, in which order, and as what.

use super::super::files::{FileType, PackagedFile};
use crate::package::{Archive, ArchiveEntry, Format, PayloadContent, PayloadFile};

/// The archive of files: hard links come last, and only the last of them has content.
pub(crate) fn list_payload(entries: &[PackagedFile], archive: Archive, prefix: &[u8]) -> Vec<PayloadFile> {
    let archived = |(_, entry): &(u32, &PackagedFile)| !entry.is_ghost();
    let all: Vec<(u32, &PackagedFile)> = (0..).zip(entries).filter(archived).collect();
    let mut files: Vec<PayloadFile> = Vec::with_capacity(all.len());
    let single = all.iter().filter(|(_, entry)| entry.links < 2);
    files.extend(single.map(|(index, entry)| make_payload_file(*index, entry, archive, prefix, true)));
    let mut linked: Vec<(u32, &PackagedFile)> =
        all.into_iter().filter(|(_, entry)| entry.links > 1).collect();
    linked.sort_by_key(|(index, entry)| (entry.inode, *index));
    for (at, (index, entry)) in linked.iter().enumerate() {
        let is_last = linked.get(at + 1).is_none_or(|(_, next)| next.inode != entry.inode);
        files.push(make_payload_file(*index, entry, archive, prefix, is_last));
    }
    files
}

fn make_payload_file(
    index: u32,
    entry: &PackagedFile,
    archive: Archive,
    prefix: &[u8],
    has_content: bool,
) -> PayloadFile {
    let content = match entry.file_type() {
        FileType::Regular if has_content => PayloadContent::File(entry.size),
        FileType::Link => PayloadContent::Link(entry.target.to_vec()),
        FileType::Regular
        | FileType::Folder
        | FileType::Character
        | FileType::Block
        | FileType::Socket
        | FileType::Pipe => PayloadContent::Nothing,
    };
    let size = match (&content, archive) {
        (PayloadContent::Nothing, _) | (_, Archive::Stripped) => 0,
        _ => u32::try_from(entry.size).unwrap_or(u32::MAX),
    };
    let head = ArchiveEntry {
        path: [prefix, entry.path.as_slice()].concat(),
        inode: entry.inode,
        mode: entry.mode.bits(),
        links: entry.links.max(1),
        modified: u32::try_from(entry.modified.max(0)).unwrap_or(u32::MAX),
        size,
        device: entry.device,
    };
    PayloadFile { index, entry: head, content }
}

/// Whether files are archived without what the header says of them.
pub(crate) fn archive_form(entries: &[PackagedFile], format: Format) -> Archive {
    let is_large = entries.iter().any(|entry| entry.is_large());
    if format == Format::V6 || is_large { Archive::Stripped } else { Archive::Whole }
}
