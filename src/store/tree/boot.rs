//! Since when the machine runs: what was written since then and not synced is there as it was written.

use std::io;

use crate::files::{Folder, HostPath};

/// A boot of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boot(String);

/// How long its number is.
const LENGTH: usize = 36;

impl Boot {
    /// The boot that the machine runs since (proc_sys_kernel(5), `random/boot_id`).
    ///
    /// # Errors
    /// It can't be read.
    pub fn read() -> io::Result<Self> {
        let folder = HostPath::root().join("proc/sys/kernel/random");
        let text = Folder::open_ambient(&folder)?.read_text("boot_id")?;
        Ok(Self(text.trim().to_owned()))
    }

    /// As [`Boot::read`]; where it can't be read, one that is the same as none.
    pub fn read_or_unknown() -> Self {
        Self::read().unwrap_or_default()
    }

    /// Whether both are known, and the same.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.len() == LENGTH && self == other
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_boot_is_the_same_as_none() {
        assert!(!Boot::default().is_same(&Boot::default()));
        let boot = Boot::read().unwrap();
        assert!(boot.is_same(&Boot::read_or_unknown()) && !boot.is_same(&Boot::default()));
    }
}
