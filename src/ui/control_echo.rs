//! The terminal's echo of Ctrl-C.

use std::io;

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

/// While it is there, the terminal does not write `^C` where Ctrl-C is pressed: that would begin a new line behind the
/// progress, and what is drawn anew would leave a line of it behind.
#[derive(Debug)]
pub(super) struct ControlEchoOff {
    before: Termios,
}

impl ControlEchoOff {
    /// Switches the echo off, where standard error is a terminal that this process may change.
    pub fn switch_off() -> Option<Self> {
        let before = tcgetattr(io::stderr()).ok().filter(|_| is_in_foreground())?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHOCTL);
        tcsetattr(io::stderr(), OptionalActions::Now, &modes).ok()?;
        Some(Self { before })
    }
}

impl Drop for ControlEchoOff {
    fn drop(&mut self) {
        if is_in_foreground() {
            // A terminal that has gone away has no echo.
            let _ = tcsetattr(io::stderr(), OptionalActions::Now, &self.before);
        }
    }
}

/// A process in the background that changes its terminal is stopped (tcsetattr(3), SIGTTOU).
fn is_in_foreground() -> bool {
    tcgetpgrp(io::stderr()).is_ok_and(|group| group == getpgrp())
}
