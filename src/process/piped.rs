//! Programs that forge talks with: what is written goes to their input, and their output is read meanwhile.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::plain::plain;

/// How much is kept of what such a program says of errors.
const MOST_SAID: u64 = 4096;

/// A program that forge talks with. It is ended when this is dropped.
pub struct PipedProgram {
    child: Child,
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    said: Arc<Mutex<Vec<u8>>>,
    listener: Option<JoinHandle<()>>,
}

impl PipedProgram {
    /// Starts a program: its words, the first of which is its name, and the whole of its environment.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start(words: &[OsString], environment: &BTreeMap<OsString, OsString>) -> io::Result<Self> {
        let Some((program, arguments)) = words.split_first() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut command = plain(OsStr::new(program), environment, None);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C in the terminal reaches forge, and forge decides what ends.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let said = Arc::new(Mutex::new(Vec::new()));
        let errors = child.stderr.take();
        let listener = errors.map(|mut errors| {
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                let mut first = Vec::new();
                let _ = errors.by_ref().take(MOST_SAID).read_to_end(&mut first);
                *said.lock().unwrap_or_else(PoisonError::into_inner) = first;
                // Who doesn't read it to its end would stop the program.
                let _ = io::copy(&mut errors, &mut io::sink());
            })
        });
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Ok(Self { child, input, output, said, listener })
    }

    /// Closes its input, and waits for its end. Gives the first lines of what it said of errors.
    pub fn finish(&mut self) -> String {
        self.input.take();
        self.output.take();
        // It has ended, or ends now that nobody reads.
        let _ = self.child.wait();
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&said).trim().to_owned()
    }
}

impl Drop for PipedProgram {
    fn drop(&mut self) {
        self.input.take();
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Read for PipedProgram {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.output.as_mut().map_or(Ok(0), |output| output.read(buffer))
    }
}

impl Write for PipedProgram {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self.input.as_mut() {
            Some(input) => input.write(buffer),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.as_mut().map_or(Ok(()), Write::flush)
    }
}
