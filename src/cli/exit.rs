//! Exit codes.

/// How a command ended, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Success,
    /// Something is wrong, or a build failed; a message says what.
    Failure,
    /// There is something to do (`--detailed-exitcode`).
    Changes,
    /// The command line can't be understood (`EX_USAGE` of sysexits.h).
    Usage,
    /// It was interrupted.
    Interrupted,
    /// Two things that were compared differ (diff(1)).
    Different,
    /// They could not be compared (diff(1)).
    Trouble,
    /// As a program ended that was run for somebody.
    Program(u8),
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure | Self::Different => 1,
            Self::Changes | Self::Trouble => 2,
            Self::Usage => 64,
            Self::Interrupted => 130,
            Self::Program(code) => code,
        }
    }
}
