//! Metadata, unpacked as they are read, up to a limit.

use std::io::{self, BufRead, BufReader, Read};

use super::limits::{LARGEST_WINDOW_LOG, MOST_DECODER_MEMORY};

/// How a file begins, and how it is unpacked then. What its name says is not asked.
const MAGIC: [(&[u8], Unpacking); 5] = [
    (b"\x28\xb5\x2f\xfd", Unpacking::Zstd),
    (b"\xfd7zXZ\0", Unpacking::Xz),
    (b"\x1f\x8b", Unpacking::Gzip),
    (b"BZh", Unpacking::Bzip2),
    (b"\0ZCK1", Unpacking::Zchunk),
];

#[derive(Clone, Copy)]
enum Unpacking {
    Zstd,
    Xz,
    Gzip,
    Bzip2,
    Zchunk,
}

/// Unpacks what `packed` holds.
///
/// # Errors
/// It can't be read, or is packed in a way that forge doesn't know.
pub fn unpacked<'r>(packed: impl Read + 'r) -> io::Result<Box<dyn BufRead + 'r>> {
    let mut packed = BufReader::with_capacity(128 * 1024, packed);
    let begin = packed.fill_buf()?;
    let found = MAGIC.iter().find(|(magic, _)| begin.starts_with(magic)).map(|(_, unpacking)| *unpacking);
    let plain: Box<dyn Read + 'r> = match found {
        None => return Ok(Box::new(packed)),
        Some(Unpacking::Gzip) => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        Some(Unpacking::Bzip2) => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        Some(Unpacking::Xz) => {
            let flags = liblzma::stream::CONCATENATED;
            let stream = liblzma::stream::Stream::new_stream_decoder(MOST_DECODER_MEMORY, flags)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(packed, stream))
        }
        Some(Unpacking::Zstd) => {
            let mut decoder = zstd::Decoder::with_buffer(packed)?;
            decoder.window_log_max(LARGEST_WINDOW_LOG)?;
            Box::new(decoder)
        }
        Some(Unpacking::Zchunk) => {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "it is packed with zchunk"));
        }
    };
    Ok(Box::new(BufReader::with_capacity(256 * 1024, plain)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        unpacked(packed)?.read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn all_ways_of_packing_are_known_by_their_beginning() {
        let content = b"<metadata/>".repeat(1000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&content).unwrap();
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
        bzip2.write_all(&content).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(&content).unwrap();
        let zstd = zstd::encode_all(content.as_slice(), 1).unwrap();
        for packed in [gzip.finish().unwrap(), bzip2.finish().unwrap(), xz.finish().unwrap(), zstd] {
            assert_eq!(read(&packed).unwrap(), content);
            assert!(read(&packed[..packed.len() - 4]).is_err(), "what was cut is not whole");
        }
        assert_eq!(read(&content).unwrap(), content);
        assert!(read(b"\0ZCK1 and so on").is_err());
    }
}
