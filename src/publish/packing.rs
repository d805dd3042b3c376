//! How metadata files are packed: in pieces, each packed for itself, that stand one behind the other.
//!
//! zstd's frames (RFC 8878, section 3.1) and gzip's members (RFC 1952, section 2.2) may be joined: what is unpacked is their contents,
//! joined. So a piece that has not changed need not be packed anew. dnf, zypper and createrepo_c read such files, as does every
//! `zstd -d` and `gzip -d`.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

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

/// Packs one piece. The same content comes to the same bytes.
pub(super) fn pack(packing: MetadataPacking, content: &[u8]) -> io::Result<Vec<u8>> {
    match packing {
        MetadataPacking::Zstd => zstd::bulk::compress(content, ZSTD_LEVEL),
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
/// `InvalidData` where it is no such piece.
pub(super) fn unpack(packing: MetadataPacking, packed: &[u8], open_size: usize) -> io::Result<Vec<u8>> {
    let content = match packing {
        MetadataPacking::Zstd => zstd::bulk::decompress(packed, open_size)?,
        MetadataPacking::Gzip => {
            let mut content = Vec::with_capacity(open_size);
            MultiGzDecoder::new(packed).take(open_size as u64).read_to_end(&mut content)?;
            content
        }
    };
    match content.len() == open_size {
        true => Ok(content),
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
}
