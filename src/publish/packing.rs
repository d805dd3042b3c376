//! How metadata files are packed: in pieces, each packed for itself, that stand one behind the other.
//!
//! zstd's frames (RFC 8878, section 3.1) and gzip's members (RFC 1952, section 2.2) may be joined: what is unpacked is their contents,
//! joined. So a piece that has not changed need not be packed anew. dnf, zypper and createrepo_c read such files, as does every
//! `zstd -d` and `gzip -d`.

use std::cell::RefCell;
use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use zstd::bulk::{Compressor, Decompressor};

use crate::manifest::declaration::MetadataPacking;

/// The level of zstd: higher ones take several times as long, and less than a tenth of the size away.
const ZSTD_LEVEL: i32 = 9;

/// How the names of files that are packed so end.
pub(super) fn ending(packing: MetadataPacking) -> &'static str {
    match packing {
        MetadataPacking::Zstd => ".zst",
        MetadataPacking::Gzip => ".gz",
    }
}

thread_local! {
    /// What packs and unpacks with zstd: each has tables of megabytes, which are not made anew for each piece.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Packs one piece. The same content comes to the same bytes.
pub(super) fn pack(packing: MetadataPacking, content: &[u8]) -> io::Result<Vec<u8>> {
    match packing {
        MetadataPacking::Zstd => COMPRESSOR.with_borrow_mut(|compressor| match compressor {
            Some(compressor) => compressor.compress(content),
            None => compressor.insert(Compressor::new(ZSTD_LEVEL)?).compress(content),
        }),
        MetadataPacking::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(content)?;
            encoder.finish()
        }
    }
}

/// Unpacks a piece whose content has so many bytes.
///
/// # Errors
/// As [`unpack_into`].
pub(super) fn unpack(packing: MetadataPacking, packed: &[u8], open_size: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    unpack_into(packing, packed, open_size, &mut content)?;
    Ok(content)
}

/// Unpacks a piece whose content has so many bytes, in the place of what `content` held: memory that was used before comes cheaper than
/// new pages.
///
/// # Errors
/// `InvalidData` where it is no such piece.
pub(super) fn unpack_into(
    packing: MetadataPacking,
    packed: &[u8],
    open_size: usize,
    content: &mut Vec<u8>,
) -> io::Result<()> {
    content.clear();
    content.reserve(open_size);
    match packing {
        MetadataPacking::Zstd => {
            DECOMPRESSOR.with_borrow_mut(|decompressor| match decompressor {
                Some(decompressor) => decompressor.decompress_to_buffer(packed, content),
                None => decompressor.insert(Decompressor::new()?).decompress_to_buffer(packed, content),
            })?;
        }
        MetadataPacking::Gzip => {
            MultiGzDecoder::new(packed).take(open_size as u64).read_to_end(content)?;
        }
    }
    match content.len() == open_size {
        true => Ok(()),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_that_stand_one_behind_the_other_are_one_file() {
        for packing in [MetadataPacking::Zstd, MetadataPacking::Gzip] {
            let pieces = ["<a>", "", "text", "</a>\n"].map(|piece| pack(packing, piece.as_bytes()).unwrap());
            let mut content = String::new();
            let joined = pieces.concat();
            crate::chroot::unpacked(joined.as_slice()).unwrap().read_to_string(&mut content).unwrap();
            assert_eq!(content, "<a>text</a>\n");
            assert_eq!(unpack(packing, &pieces[2], 4).unwrap(), b"text");
            assert!(unpack(packing, &pieces[2], 5).is_err() && unpack(packing, b"text", 4).is_err());
        }
    }

    #[test]
    fn what_was_packed_before_makes_no_difference() {
        let content = |word: &str| word.repeat(20_000).into_bytes();
        let fresh = |word: &'static str| {
            let pack = move || pack(MetadataPacking::Zstd, &content(word)).unwrap();
            std::thread::spawn(pack).join().unwrap()
        };
        let alone = ["abc", "xyz1", "abc"].map(fresh);
        let one_behind_the_other =
            ["abc", "xyz1", "abc"].map(|word| pack(MetadataPacking::Zstd, &content(word)).unwrap());
        assert_eq!(alone, one_behind_the_other);
    }
}
