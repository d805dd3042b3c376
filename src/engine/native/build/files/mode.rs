//! The mode of a file: what it is, and who may do what with it (inode(7)).

/// The bits of a mode that say what a file is.
const TYPE_BITS: u32 = 0o170_000;

/// What a file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FileType {
    /// A file with content.
    #[default]
    Regular,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device that is read character by character.
    Character,
    /// A device that is read block by block.
    Block,
    /// A socket.
    Socket,
    /// A named pipe.
    Pipe,
}

impl FileType {
    /// The type that the bits of a mode say.
    fn from_bits(bits: u32) -> Self {
        match bits & TYPE_BITS {
            0o100_000 => Self::Regular,
            0o040_000 => Self::Folder,
            0o120_000 => Self::Link,
            0o020_000 => Self::Character,
            0o060_000 => Self::Block,
            0o140_000 => Self::Socket,
            _ => Self::Pipe,
        }
    }

    fn bits(self) -> u32 {
        match self {
            Self::Regular => 0o100_000,
            Self::Folder => 0o040_000,
            Self::Link => 0o120_000,
            Self::Character => 0o020_000,
            Self::Block => 0o060_000,
            Self::Socket => 0o140_000,
            Self::Pipe => 0o010_000,
        }
    }

    /// Whether it stands for a device.
    pub(crate) fn is_device(self) -> bool {
        matches!(self, Self::Block | Self::Character)
    }
}

/// Who may read, write and run a file, and the bits `setuid`, `setgid` and `sticky`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Permissions(u32);

impl Permissions {
    /// The bits that are permissions.
    const ALL: u32 = 0o7777;

    /// The permissions that `%attr`, `%defattr` or a mode say.
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL)
    }

    /// Whether anybody may run it.
    pub(crate) fn can_run(self) -> bool {
        self.0 & 0o111 != 0
    }

    /// `setuid`, `setgid` and `sticky`, which file(1) tells of regular files.
    pub(crate) fn special_bits(self) -> u32 {
        self.0 & 0o7000
    }
}

/// The mode of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileMode {
    /// What it is.
    pub(crate) file_type: FileType,
    /// Who may do what with it.
    pub(crate) permissions: Permissions,
}

impl FileMode {
    /// The mode that stat(2) tells.
    pub(crate) fn from_bits(bits: u32) -> Self {
        Self { file_type: FileType::from_bits(bits), permissions: Permissions::from_bits(bits) }
    }

    /// The mode as headers and archives hold it.
    pub(crate) fn bits(self) -> u32 {
        self.file_type.bits() | self.permissions.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_written_as_it_was_read() {
        for bits in [0o100_644, 0o104_755, 0o041_777, 0o120_777, 0o020_666, 0o060_660, 0o140_755, 0o010_600] {
            assert_eq!(FileMode::from_bits(bits).bits(), bits, "{bits:o}");
        }
    }
}
