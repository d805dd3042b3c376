//! Archives of tar(1), compressed or not.

use std::io::{self, BufRead, BufReader, Read};

use bstr::BString;
use cap_std::fs::File;
use tar::{Archive, Entry, EntryType};

use super::TreeError;
use super::image_entries::{ImageEntries, ImageMetadata};
use crate::files::{Folder, HostPath};
use crate::package::{Compression, decompressed};

const BUFFER: usize = 256 * 1024;

/// How compressed files begin.
const MAGIC: [(&[u8], Compression); 4] = [
    (&[0x1f, 0x8b], Compression::Gzip),
    (b"BZh", Compression::Bzip2),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], Compression::Xz),
    (&[0x28, 0xb5, 0x2f, 0xfd], Compression::Zstd),
];

/// Opens the file that an image is.
pub(super) fn open_image(path: &HostPath) -> io::Result<File> {
    let parent = path.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    let name = path.as_path().file_name().ok_or(io::ErrorKind::IsADirectory)?;
    Folder::open_ambient(&parent)?.open_regular(name)
}

/// What a file holds, decompressed as it begins.
pub(super) fn decompressed_by_magic<'r>(file: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut reader = BufReader::with_capacity(BUFFER, file);
    let start = reader.fill_buf()?;
    let known = MAGIC.into_iter().find(|(magic, _)| start.starts_with(magic));
    decompressed(known.map_or(Compression::None, |(_, compression)| compression), reader)
}

/// Reads all that a tarball has.
pub(super) fn read_tarball(image: &mut ImageEntries<'_>, reader: impl Read) -> Result<(), TreeError> {
    for_each_entry(image, reader, |image, entry, path| add(image, entry, path))
}

/// Gives each entry with its checked path.
pub(super) fn for_each_entry<'i, R: Read>(
    image: &mut ImageEntries<'i>,
    reader: R,
    mut each: impl FnMut(&mut ImageEntries<'i>, &mut Entry<'_, R>, BString) -> Result<(), TreeError>,
) -> Result<(), TreeError> {
    let mut archive = Archive::new(reader);
    for entry in archive.entries().map_err(|error| image.unreadable(error))? {
        let mut entry = entry.map_err(|error| image.unreadable(error))?;
        // What is said of all that follows is no file.
        if entry.header().entry_type() == EntryType::XGlobalHeader {
            continue;
        }
        let path = image.path(&entry.path_bytes())?;
        each(image, &mut entry, path)?;
    }
    Ok(())
}

/// Adds what an entry is of.
pub(super) fn add<R: Read>(
    image: &mut ImageEntries<'_>,
    entry: &mut Entry<'_, R>,
    path: BString,
) -> Result<(), TreeError> {
    let header = entry.header();
    let kind = header.entry_type();
    let metadata = (|| {
        let (user, group) = (header.uid()?, header.gid()?);
        Ok(ImageMetadata { mode: header.mode()?, user, group, modified: header.mtime()? })
    })();
    let metadata = metadata.map_err(|error| image.unreadable(error))?;
    match kind {
        EntryType::Directory => image.add_folder(path, metadata),
        EntryType::Symlink => {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            image.add_link(path, metadata, &target)
        }
        EntryType::Link => {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            let target = image.path(&target)?;
            image.add_hard_link(path, &target)
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            image.add_file(path, metadata, entry)
        }
        EntryType::Char | EntryType::Block => image.check_special(&path, "device"),
        EntryType::Fifo => image.check_special(&path, "pipe"),
        other @ (EntryType::GNULongName
        | EntryType::GNULongLink
        | EntryType::XGlobalHeader
        | EntryType::XHeader
        | _) => Err(image.damaged(format!(
            "`{}` is of a kind that tar has no name for ({})",
            path.to_string().escape_debug(),
            other.as_byte().escape_ascii()
        ))),
    }
}
