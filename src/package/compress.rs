//! How payloads are compressed: payload flags such as `w19.zstdio` (rpm-payloadflags(7)).

use std::io::{self, BufRead, Read, Write};

use zstd::zstd_safe::{CParameter, Strategy};

/// The way of compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// `ufdio`: none.
    None,
    /// `gzdio`
    Gzip,
    /// `bzdio`
    Bzip2,
    /// `xzdio`
    Xz,
    /// `lzdio`
    Lzma,
    /// `zstdio`
    Zstd,
}

impl Compression {
    /// All ways, with the words of payload flags and of the header.
    const NAMES: [(Self, &'static str, &'static str); 6] = [
        (Self::None, "ufdio", ""),
        (Self::Gzip, "gzdio", "gzip"),
        (Self::Bzip2, "bzdio", "bzip2"),
        (Self::Xz, "xzdio", "xz"),
        (Self::Lzma, "lzdio", "lzma"),
        (Self::Zstd, "zstdio", "zstd"),
    ];

    /// Its name in a header (`PAYLOADCOMPRESSOR`); none has none.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }

    /// The way that a header names.
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::NAMES.iter().find(|row| row.2.as_bytes() == name).map(|row| row.0)
    }
}

/// How a payload is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadFlags {
    /// The way.
    pub compression: Compression,
    /// What stands between `w` and the point, as the header keeps it (`PAYLOADFLAGS`).
    pub flags: String,
    level: Option<u32>,
    threads: Option<u32>,
    window: Option<u32>,
}

impl PayloadFlags {
    /// Reads payload flags; nothing where they are none.
    pub fn read(text: &str) -> Option<Self> {
        let (mode, kind) = text.trim().rsplit_once('.')?;
        let flags = mode.strip_prefix('w')?;
        let compression = Compression::NAMES.iter().find(|row| row.1 == kind)?.0;
        let mut read =
            Self { compression, flags: flags.to_owned(), level: None, threads: None, window: None };
        let mut rest = flags;
        while let Some(letter) = rest.chars().next() {
            let digits_at = if letter.is_ascii_digit() { 0 } else { 1 };
            let after = rest.get(digits_at..).unwrap_or_default();
            let length = after.bytes().take_while(u8::is_ascii_digit).count();
            let number = after.get(..length).and_then(|digits| digits.parse().ok());
            match letter {
                '0'..='9' => read.level = number,
                'T' => read.threads = Some(number.unwrap_or(0)),
                'L' => read.window = number,
                _ => return None,
            }
            rest = after.get(length..).unwrap_or_default();
        }
        Some(read)
    }

    /// Begins to compress what is `size` bytes long; `threads` are the processors that may be used.
    ///
    /// # Errors
    /// The compressor refuses the level.
    pub fn compressor<W: Write>(&self, output: W, threads: u32, size: u64) -> io::Result<Compressor<W>> {
        let level = |default| self.level.unwrap_or(default).min(9);
        Ok(match self.compression {
            Compression::None => Compressor::None(output),
            Compression::Gzip => {
                // 3 is Unix, as zlib says it.
                let builder = flate2::GzBuilder::new().operating_system(3);
                Compressor::Gzip(builder.write(output, flate2::Compression::new(level(6))))
            }
            Compression::Bzip2 => {
                let level = bzip2::Compression::new(level(9).max(1));
                Compressor::Bzip2(bzip2::write::BzEncoder::new(output, level))
            }
            Compression::Xz => {
                Compressor::Xz(liblzma::write::XzEncoder::new_stream(output, self.xz(level(6), threads)?))
            }
            Compression::Lzma => {
                let options = liblzma::stream::LzmaOptions::new_preset(level(6))?;
                let stream = liblzma::stream::Stream::new_lzma_encoder(&options)?;
                Compressor::Xz(liblzma::write::XzEncoder::new_stream(output, stream))
            }
            Compression::Zstd => Compressor::Zstd(self.zstd(output, threads, size)?),
        })
    }

    fn xz(&self, level: u32, processors: u32) -> io::Result<liblzma::stream::Stream> {
        let check = liblzma::stream::Check::Sha256;
        match self.threads {
            None => Ok(liblzma::stream::Stream::new_easy_encoder(level, check)?),
            Some(threads) => {
                let threads = if threads == 0 { processors } else { threads };
                let mut builder = liblzma::stream::MtStreamBuilder::new();
                Ok(builder.preset(level).check(check).threads(threads.max(1)).encoder()?)
            }
        }
    }

    /// zstd cuts its input in the same places for any number of workers, so that the bytes do not tell how many there were.
    fn zstd<W: Write>(&self, output: W, processors: u32, size: u64) -> io::Result<zstd::Encoder<'static, W>> {
        let level = i32::try_from(self.level.unwrap_or(3)).unwrap_or(3);
        let mut encoder = zstd::Encoder::new(output, level)?;
        if let Some(window) = self.window {
            encoder.long_distance_matching(true)?;
            // `--long` without a number means 27.
            encoder.window_log(if window == 0 { 27 } else { window })?;
        }
        // With its size known it takes no more memory than that needs.
        encoder.set_pledged_src_size(Some(size))?;
        let measures = cut(level, size);
        if !measures.is_empty() || self.threads.is_some() {
            let workers = self.threads.filter(|threads| *threads > 0).unwrap_or(processors);
            encoder.multithread(workers.max(1))?;
        }
        for measure in measures {
            let is_given = self.window.is_some() && matches!(measure, CParameter::WindowLog(_));
            if !is_given {
                encoder.set_parameter(measure)?;
            }
        }
        Ok(encoder)
    }
}

/// How zstd cuts an input of `size` bytes at a level; not at all where that is not worth it.
fn cut(level: i32, size: u64) -> Vec<CParameter> {
    const MIB: u64 = 1 << 20;
    match level {
        // Windows are so large that each worker takes hundreds of MiB: there are several only if the flags ask for them.
        20.. => Vec::new(),
        17.. if size > 16 * MIB => OF_LARGE_TABLES.to_vec(),
        17.. if size > MIB / 2 => {
            // Tables of half the size for each of two workers. The shorter search makes no difference to what is written of
            // most inputs (0.1 % more or less), and takes half the time where much of it is alike.
            let half = u32::try_from(size.div_ceil(2)).unwrap_or(u32::MAX);
            let log = size.next_power_of_two().ilog2();
            vec![
                CParameter::JobSize(half),
                CParameter::OverlapSizeLog(7),
                CParameter::ChainLog(log.min(23)),
                CParameter::HashLog(log.min(21)),
                CParameter::Strategy(Strategy::ZSTD_btultra),
                CParameter::SearchLog(5),
            ]
        }
        _ if size > 8 * MIB => vec![CParameter::JobSize(6 << 20), CParameter::OverlapSizeLog(7)],
        _ => Vec::new(),
    }
}

/// How a large input is cut from level 17 on, where each worker has large tables of its own.
///
/// With smaller ones, and a look at long distances that they share, two workers take no more memory than one does with
/// zstd's own measures. A window of twice the usual 8 MiB makes up for what the smaller tables miss.
const OF_LARGE_TABLES: [CParameter; 9] = [
    CParameter::JobSize(12 << 20),
    CParameter::OverlapSizeLog(8),
    CParameter::WindowLog(24),
    CParameter::ChainLog(22),
    CParameter::HashLog(20),
    CParameter::EnableLongDistanceMatching(true),
    CParameter::LdmHashLog(19),
    CParameter::LdmMinMatch(32),
    CParameter::LdmHashRateLog(4),
];

/// A payload that is being compressed.
pub enum Compressor<W: Write> {
    /// Not at all.
    None(W),
    /// With gzip.
    Gzip(flate2::write::GzEncoder<W>),
    /// With bzip2.
    Bzip2(bzip2::write::BzEncoder<W>),
    /// With xz or lzma.
    Xz(liblzma::write::XzEncoder<W>),
    /// With zstd.
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> Compressor<W> {
    /// Ends the compression, and gives back where it went.
    ///
    /// # Errors
    /// It can't be written.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::None(output) => Ok(output),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Bzip2(encoder) => encoder.finish(),
            Self::Xz(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(output) => output.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Bzip2(encoder) => encoder.write(bytes),
            Self::Xz(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a payload holds, decompressed as it is read.
///
/// # Errors
/// It can't be read.
pub fn decompressed<'r>(
    compression: Compression,
    payload: impl BufRead + 'r,
) -> io::Result<Box<dyn Read + 'r>> {
    Ok(match compression {
        Compression::None => Box::new(payload),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(payload)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(payload)),
        Compression::Xz => Box::new(liblzma::bufread::XzDecoder::new(payload)),
        Compression::Lzma => {
            let stream = liblzma::stream::Stream::new_lzma_decoder(u64::MAX)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(payload, stream))
        }
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(payload)?;
            // What `--long` makes is read as well.
            decoder.window_log_max(31)?;
            Box::new(decoder)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_say_way_level_threads_and_window() {
        let flags = PayloadFlags::read("w19T8L27.zstdio").unwrap();
        assert_eq!((flags.compression, flags.level), (Compression::Zstd, Some(19)));
        assert_eq!((flags.threads, flags.window, flags.flags.as_str()), (Some(8), Some(27), "19T8L27"));
        assert_eq!(PayloadFlags::read("w.ufdio").unwrap().compression, Compression::None);
        assert_eq!(PayloadFlags::read("w9.rotdio"), None);
        assert_eq!(PayloadFlags::read("r9.gzdio"), None);
    }

    #[test]
    fn what_is_compressed_is_read_again() {
        let content = b"the same over and over ".repeat(1000);
        for text in [
            "w.ufdio",
            "w9.gzdio",
            "w9.bzdio",
            "w2.xzdio",
            "w2T2.xzdio",
            "w2.lzdio",
            "w3.zstdio",
            "w3T0L27.zstdio",
        ] {
            let flags = PayloadFlags::read(text).unwrap();
            let mut compressor = flags.compressor(Vec::new(), 2, content.len() as u64).unwrap();
            compressor.write_all(&content).unwrap();
            let packed = compressor.finish().unwrap();
            let mut unpacked = Vec::new();
            let mut reader = decompressed(flags.compression, packed.as_slice()).unwrap();
            reader.read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, content, "{text}");
        }
    }

    #[test]
    fn the_number_of_workers_does_not_change_the_bytes() {
        let noise = |from: u32| {
            (from..from + 400_000).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes())
        };
        // More than two pieces, what is alike being far apart.
        let content: Vec<u8> = (0..18).flat_map(|round| noise(round % 7 * 1_000_000)).collect();
        for flags in ["w3.zstdio", "w17.zstdio"] {
            let packed = |workers| {
                let flags = PayloadFlags::read(flags).unwrap();
                let mut compressor = flags.compressor(Vec::new(), workers, content.len() as u64).unwrap();
                compressor.write_all(&content).unwrap();
                compressor.finish().unwrap()
            };
            let one = packed(1);
            assert_eq!(one, packed(4), "{flags}");
            let mut unpacked = Vec::new();
            decompressed(Compression::Zstd, one.as_slice()).unwrap().read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, content, "{flags}");
        }
    }
}
