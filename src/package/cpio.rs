//! The archive in a package: cpio of the `newc` kind, and rpm's own one without what the header says already
//! (`rpmlib(LargeFiles)`; rpm's docs/manual/format_payload.md).

use std::io::{self, Read, Write};

/// What an archive's entry says of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveEntry {
    /// The path: `./usr/bin/x`, or only a name in source packages.
    pub path: Vec<u8>,
    /// The inode's number; hard links share it.
    pub inode: u32,
    /// Type and permissions.
    pub mode: u32,
    /// How many entries of the archive are this inode.
    pub links: u32,
    /// When it was changed: seconds since 1970.
    pub modified: u32,
    /// How many bytes follow.
    pub size: u32,
    /// The numbers of a device.
    pub device: (u32, u32),
}

/// Writes an archive.
#[derive(Debug)]
pub struct ArchiveWriter<W> {
    output: W,
    written: u64,
}

const TRAILER: &[u8] = b"TRAILER!!!";

impl<W: Write> ArchiveWriter<W> {
    /// An archive that goes to `output`.
    pub fn new(output: W) -> Self {
        Self { output, written: 0 }
    }

    /// How many bytes the archive has so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Begins a file with all that is known of it.
    ///
    /// # Errors
    /// It can't be written.
    pub fn entry(&mut self, entry: &ArchiveEntry) -> io::Result<()> {
        let name_length = u32::try_from(entry.path.len().saturating_add(1)).unwrap_or(u32::MAX);
        let fields = [
            entry.inode,
            entry.mode,
            0,
            0,
            entry.links,
            entry.modified,
            entry.size,
            0,
            0,
            entry.device.0,
            entry.device.1,
            name_length,
            0,
        ];
        let mut head = b"070701".to_vec();
        fields.iter().for_each(|field| head.extend(format!("{field:08x}").into_bytes()));
        head.extend_from_slice(&entry.path);
        head.push(0);
        self.write(&head)?;
        self.pad()
    }

    /// Begins a file of which the header knows all.
    ///
    /// # Errors
    /// It can't be written.
    pub fn stripped_entry(&mut self, index: u32) -> io::Result<()> {
        self.write(format!("07070X{index:08x}").as_bytes())?;
        self.pad()
    }

    /// The content of the file that was begun: exactly `size` bytes.
    ///
    /// # Errors
    /// It can't be read or written, or has another size than was said.
    pub fn content(&mut self, content: &mut dyn Read, size: u64) -> io::Result<()> {
        const LARGEST: u64 = 128 * 1024;
        let mut chunk = vec![0; usize::try_from(size.saturating_add(1).min(LARGEST)).unwrap_or_default()];
        let mut left = size;
        let mut content = content.take(size.saturating_add(1));
        loop {
            let length = match content.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if length == 0 {
                break;
            }
            left = left.checked_sub(length as u64).ok_or_else(changed_while_read)?;
            self.write(chunk.get(..length).unwrap_or_default())?;
        }
        if left > 0 {
            return Err(changed_while_read());
        }
        self.pad()
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// It can't be written.
    pub fn finish(mut self) -> io::Result<(W, u64)> {
        self.entry(&ArchiveEntry { path: TRAILER.to_vec(), links: 1, ..ArchiveEntry::default() })?;
        Ok((self.output, self.written))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)?;
        self.written = self.written.saturating_add(bytes.len() as u64);
        Ok(())
    }

    fn pad(&mut self) -> io::Result<()> {
        let padding = usize::try_from(self.written.wrapping_neg() & 3).unwrap_or_default();
        self.write([0; 3].get(..padding).unwrap_or_default())
    }
}

fn changed_while_read() -> io::Error {
    io::Error::other("it was changed while it was packaged")
}
