//! The worker's end: descriptors, and messages on their way out.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::Mutex;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stderr, dup2_stdin, stderr, stdout};

use super::{Message, Token};

/// Where messages go, which no program that is started from here inherits.
pub const MESSAGES: i32 = 3;

/// How large a request may be, in bytes.
const LARGEST_REQUEST: u64 = 256 << 20;

/// What messages are written to.
#[derive(Debug)]
pub struct Channel {
    file: Mutex<File>,
    token: Token,
}

impl Channel {
    /// Reads the request from standard input and puts the descriptors where they belong: standard input is empty from then
    /// on, standard output and error are the log, and messages go over [`MESSAGES`].
    ///
    /// Safe code can start a program with its three standard descriptors only: messages come in as standard error, and are
    /// moved before anything else happens.
    ///
    /// # Errors
    /// A descriptor is not open, or the request is longer than any.
    pub fn open() -> io::Result<(Vec<u8>, OwnedFd)> {
        let messages = fcntl_dupfd_cloexec(stderr(), MESSAGES)?;
        dup2_stderr(stdout())?;
        let mut request = Vec::new();
        let read = io::stdin().lock().take(LARGEST_REQUEST + 1).read_to_end(&mut request)?;
        if read as u64 > LARGEST_REQUEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        dup2_stdin(open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)?;
        Ok((request, messages))
    }

    /// A channel over `messages`, whose messages `token` begins.
    pub fn new(messages: OwnedFd, token: Token) -> Self {
        Self { file: Mutex::new(File::from(messages)), token }
    }

    /// Sends a message. Nobody hears it where forge is gone; then the supervisor ends this process.
    pub fn send(&self, message: &Message) {
        let Ok(text) = serde_json::to_vec(message) else { return };
        // What somebody else has written there ends before it.
        let line = [b"\n", self.token.as_bytes(), b" ", &text, b"\n"].concat();
        if let Ok(mut file) = self.file.lock() {
            let _ = file.write_all(&line);
        }
    }
}
