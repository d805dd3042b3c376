//! The log of a job, and an end to it: a build that prints without end must not fill the disk.

use std::collections::VecDeque;
use std::io::{self, Write};

use cap_std::fs::File;

use super::EngineError;
use super::surroundings::describe_size;
use crate::process::Cancel;

/// How much of what a build prints behind the end of its log is kept, in bytes: it says what the build was at.
const NEWEST: usize = 64 << 10;

/// The file that all that a job prints is written to, up to a limit. Where that is reached, the job is told to end, and the file
/// gets what was printed last in the place of all between.
pub(super) struct LogFile {
    file: File,
    /// How much it may hold, in bytes.
    most: u64,
    /// How much it holds, what earlier steps of the build have written included.
    size: u64,
    newest: Newest,
    stop: Cancel,
    failed: Option<io::Error>,
}

/// What was printed behind the end of a log: as much of it as is kept.
#[derive(Default)]
struct Newest {
    bytes: VecDeque<u8>,
    /// How much was printed, in bytes.
    printed: u64,
}

impl LogFile {
    /// A log in `file`, which holds `size` bytes and may hold `most`; `stop` ends the job.
    pub(super) fn new(file: File, size: u64, most: u64, stop: Cancel) -> Self {
        Self { file, most, size, newest: Newest::default(), stop, failed: None }
    }

    /// Takes more.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        let room = usize::try_from(self.most.saturating_sub(self.size)).unwrap_or(usize::MAX);
        let (fits, rest) = chunk.split_at(chunk.len().min(room));
        self.failed = self.failed.take().or(self.file.write_all(fits).err());
        self.size = self.size.saturating_add(fits.len() as u64);
        if !rest.is_empty() {
            self.newest.push(rest);
            self.stop.cancel();
        }
    }

    /// Whether more was printed than it may hold.
    pub(super) fn is_full(&self) -> bool {
        self.newest.printed > 0
    }

    /// Writes what is left to be written.
    ///
    /// # Errors
    /// Something could not be written.
    pub(super) fn finish(mut self) -> Result<(), EngineError> {
        if self.is_full() {
            let end = self.newest.describe(self.most);
            self.failed = self.failed.take().or(self.file.write_all(&end).err());
        }
        match self.failed {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}

impl Newest {
    fn push(&mut self, bytes: &[u8]) {
        self.printed = self.printed.saturating_add(bytes.len() as u64);
        self.bytes.extend(bytes.iter().skip(bytes.len().saturating_sub(NEWEST)));
        self.bytes.drain(..self.bytes.len().saturating_sub(NEWEST));
    }

    /// What stands in the log for all that is not in it, and the newest lines.
    fn describe(self, most: u64) -> Vec<u8> {
        let missing = self.printed.saturating_sub(self.bytes.len() as u64);
        let mut kept = Vec::from(self.bytes);
        // A line whose begin is missing says something else than it did.
        let cut =
            if missing == 0 { 0 } else { kept.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1) };
        let missing = missing.saturating_add(cut as u64);
        let limit = describe_size(most);
        let mut text =
            format!("\nforge: this log has reached its limit of {limit}: the build is ended\n").into_bytes();
        if missing > 0 {
            text.extend(format!("forge: {missing} bytes are left out here\n").into_bytes());
        }
        text.extend(kept.drain(cut..));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Folder, HostPath};

    /// What the log holds after those pieces, and whether the job was told to end.
    fn logged(most: u64, pieces: &[&[u8]]) -> (String, bool) {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let stop = Cancel::default();
        let mut log = LogFile::new(folder.dir().create("log").unwrap(), 0, most, stop.clone());
        pieces.iter().for_each(|piece| log.push(piece));
        assert_eq!(log.is_full(), stop.is_canceled());
        log.finish().unwrap();
        (folder.dir().read_to_string("log").unwrap(), stop.is_canceled())
    }

    #[test]
    fn a_log_that_fits_is_what_was_printed() {
        assert_eq!(logged(8, &[b"one\n", b"two\n"]), ("one\ntwo\n".to_owned(), false));
    }

    #[test]
    fn of_one_that_does_not_the_begin_is_kept_and_the_newest_lines() {
        let many = "another line\n".repeat(20_000);
        let (text, was_stopped) = logged(1024, &[b"first\n", many.as_bytes(), b"last\n"]);
        assert!(was_stopped);
        assert!(
            text.starts_with("first\nanother line\n") && text.ends_with("another line\nlast\n"),
            "{text}"
        );
        assert!(text.contains("\nforge: this log has reached its limit of 1 KiB: the build is ended\n"));
        assert!(text.contains(" bytes are left out here\nanother line\n"));
        assert!(text.len() < 1024 + NEWEST + 200, "{}", text.len());
    }

    #[test]
    fn a_little_too_much_is_all_there() {
        let (text, _) = logged(4, &[b"one\ntwo\n"]);
        assert_eq!(text, "one\n\nforge: this log has reached its limit of 4 B: the build is ended\ntwo\n");
    }
}
