//! A file that is packaged.

use std::path::PathBuf;

use bstr::BString;

use super::capabilities::Capabilities;
use super::mode::{FileMode, FileType};

/// rpm's flags of files (`RPMFILE_*`).
pub(crate) mod flag {
    pub(crate) const CONFIG: u32 = 1;
    pub(crate) const DOC: u32 = 1 << 1;
    pub(crate) const MISSING_OK: u32 = 1 << 3;
    pub(crate) const NO_REPLACE: u32 = 1 << 4;
    pub(crate) const SPEC_FILE: u32 = 1 << 5;
    pub(crate) const GHOST: u32 = 1 << 6;
    pub(crate) const LICENSE: u32 = 1 << 7;
    pub(crate) const README: u32 = 1 << 8;
    pub(crate) const PUBKEY: u32 = 1 << 11;
    pub(crate) const ARTIFACT: u32 = 1 << 12;
}

/// What is verified of a ghost: not what it holds, nor when it was written.
pub(crate) const GHOST_VERIFIES: u32 = !0x27;

/// Where an attribute of a file comes from. Where a file is listed twice, the one that comes later in this list counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Precedence {
    /// No line says it: it is as on the disk, or as rpm has it by default.
    #[default]
    Unsaid,
    /// `%defattr` says it, for all lines that follow.
    Default,
    /// `%attr` and its like say it, for the file's own line.
    OwnLine,
}

/// A file, as the package has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PackagedFile {
    /// Where it is installed: `/usr/bin/x`; only a name in source packages.
    pub(crate) path: BString,
    /// Where it is in the buildroot, relative to it.
    pub(crate) on_disk: PathBuf,
    /// Type and permissions.
    pub(crate) mode: FileMode,
    /// Where the permissions come from.
    pub(crate) mode_precedence: Precedence,
    /// Its size, in bytes.
    pub(crate) size: u64,
    /// When it was changed: seconds since 1970.
    pub(crate) modified: i64,
    /// The device and inode that it is, and how many names that has: what hard links share.
    pub(crate) identity: Option<(u64, u64, u64)>,
    /// The numbers of the device that it stands for.
    pub(crate) device: (u32, u32),
    /// Where a symbolic link points.
    pub(crate) target: BString,
    /// The user, and where that comes from.
    pub(crate) user: (BString, Precedence),
    /// The group, and where that comes from.
    pub(crate) group: (BString, Precedence),
    /// rpm's flags.
    pub(crate) flags: u32,
    /// What is verified, in rpm's bits, and where that comes from.
    pub(crate) verifies: (u32, Precedence),
    /// Its languages.
    pub(crate) languages: Vec<BString>,
    /// Its capabilities.
    pub(crate) capabilities: Option<Capabilities>,
    /// Whether the buildroot has it.
    pub(crate) is_there: bool,
    /// Whether somebody may run it there, whatever mode it is packaged with.
    pub(crate) is_executable: bool,
    /// Whether it is listed only to be left out.
    pub(crate) is_excluded: bool,
    /// Its number in the package: what the header calls its inode.
    pub(crate) inode: u32,
    /// Whether a file that was listed before it is the same inode: its size counts no second time.
    pub(crate) repeats_inode: bool,
    /// The digest of what it holds, in hexadecimal digits.
    pub(crate) digest: String,
    /// How many files of the archive are this inode.
    pub(crate) links: u32,
}

impl PackagedFile {
    pub(crate) fn file_type(&self) -> FileType {
        self.mode.file_type
    }

    pub(crate) fn is_regular(&self) -> bool {
        self.file_type() == FileType::Regular
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.file_type() == FileType::Folder
    }

    pub(crate) fn is_link(&self) -> bool {
        self.file_type() == FileType::Link
    }

    pub(crate) fn is_ghost(&self) -> bool {
        self.flags & flag::GHOST != 0
    }

    /// Whether 32 bits are too few for its size.
    pub(crate) fn is_large(&self) -> bool {
        self.size > u64::from(u32::MAX)
    }

    /// The number of its device, as headers hold it: 16 bits, and more where the numbers are larger (`makedev(3)`).
    pub(crate) fn device_number(&self) -> u64 {
        let (major, minor) = (u64::from(self.device.0), u64::from(self.device.1));
        (minor & 0xff) | (major & 0xfff) << 8 | (minor & !0xff) << 12
    }

    /// The folder and the name in it.
    pub(crate) fn folder_and_name(&self) -> (BString, BString) {
        match self.path.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (
                self.path.get(..=at).unwrap_or_default().into(),
                self.path.get(at + 1..).unwrap_or_default().into(),
            ),
            None => (BString::default(), self.path.clone()),
        }
    }
}
