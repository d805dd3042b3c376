//! Where passphrases of keys come from: a file descriptor, a variable, or the one who sits at the terminal.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};

use rustix::fs::{Mode, OFlags};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::context::Context;
use crate::package::signing::{Passphrase, Passphrases};

/// The variable that has the passphrase.
const VARIABLE: &str = "RPMFORGE_PASSPHRASE";

/// The variable that has the number of the descriptor to read it from.
const DESCRIPTOR: &str = "RPMFORGE_PASSPHRASE_FD";

/// How long a passphrase may be, in bytes.
const LONGEST: u64 = 4096;

/// See the [module](self).
pub struct SaidPassphrases {
    /// What the variables say.
    said: BTreeMap<&'static str, String>,
}

impl SaidPassphrases {
    /// Those of this environment.
    pub fn new(context: &Context) -> Self {
        let said = [VARIABLE, DESCRIPTOR].into_iter();
        let said = said.filter_map(|name| Some((name, context.environment.get(name)?.clone())));
        Self { said: said.filter(|(_, value)| !value.is_empty()).collect() }
    }

    /// A passphrase for a new key, asked for twice where it is asked for; nothing where there is nobody to ask.
    ///
    /// # Errors
    /// It can't be read, or the second answer was another.
    pub fn new_passphrase(&self) -> io::Result<Option<Passphrase>> {
        if let Some(passphrase) = self.without_asking()? {
            return Ok(Some(passphrase));
        }
        let Some(first) = ask("Passphrase for the new key (none: an empty line): ")? else { return Ok(None) };
        if first.is_empty() {
            return Ok(None);
        }
        match ask("Once more: ")? {
            Some(second) if second == first => Ok(Some(Passphrase::new(&first))),
            _ => Err(io::Error::other("the second passphrase is not the first one")),
        }
    }

    fn without_asking(&self) -> io::Result<Option<Passphrase>> {
        if let Some(number) = self.said.get(DESCRIPTOR) {
            let number: u32 = number.parse().map_err(|_| {
                io::Error::other(format!("{DESCRIPTOR} is `{}`, no number", number.escape_debug()))
            })?;
            let path = format!("/proc/self/fd/{number}");
            let opened = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
            let mut line = Vec::new();
            BufReader::new(std::fs::File::from(opened).take(LONGEST)).read_until(b'\n', &mut line)?;
            return Ok(Some(Passphrase::new(&line)));
        }
        Ok(self.said.get(VARIABLE).map(|passphrase| Passphrase::new(passphrase.as_bytes())))
    }
}

impl Passphrases for SaidPassphrases {
    fn passphrase(&self, key: &str) -> io::Result<Option<Passphrase>> {
        if let Some(passphrase) = self.without_asking()? {
            return Ok(Some(passphrase));
        }
        Ok(ask(&format!("Passphrase of the key {key}: "))?.map(|line| Passphrase::new(&line)))
    }
}

/// Asks at the terminal, which shows nothing of the answer. Nothing where there is no terminal.
fn ask(question: &str) -> io::Result<Option<Vec<u8>>> {
    let Ok(terminal) = rustix::fs::open("/dev/tty", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) else {
        return Ok(None);
    };
    let mut terminal = std::fs::File::from(terminal);
    let before = tcgetattr(&terminal)?;
    let mut silent = before.clone();
    silent.local_modes -= LocalModes::ECHO;
    tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
    let answer = terminal.write_all(question.as_bytes()).and_then(|()| {
        let mut line = Vec::new();
        BufReader::new((&terminal).take(LONGEST)).read_until(b'\n', &mut line)?;
        Ok(line)
    });
    tcsetattr(&terminal, OptionalActions::Flush, &before)?;
    terminal.write_all(b"\n")?;
    let mut answer = answer?;
    if answer.last() == Some(&b'\n') {
        answer.pop();
    }
    Ok(Some(answer))
}
