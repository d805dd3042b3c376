//! How `elfdeps` is called, and what its versions do otherwise.

use crate::macros::RpmVersion;

/// The versions whose program was compared, line by line.
const OLDEST: RpmVersion = RpmVersion::new(4, 14);
const NEWEST: RpmVersion = RpmVersion::new(6, 1);

/// Which dependencies are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Provides,
    Requires,
}

/// A call of `elfdeps`, as attributes of files have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElfQuestion {
    pub(super) side: Side,
    pub(super) rules: Rules,
    /// No versions of symbols (`--soname-only`).
    pub(super) only_names: bool,
    /// Libraries without a name have that of their file, unless `--no-fake-soname`.
    pub(super) makes_up_names: bool,
    /// Names that are none of libraries are left out, unless `--no-filter-soname`.
    pub(super) leaves_out_odd_names: bool,
    /// The dynamic linker is required as well (`--require-interp`).
    pub(super) requires_interpreter: bool,
    /// `GLIBC_PRIVATE` is left out (`--filter-private`).
    pub(super) leaves_out_private: bool,
    /// Paths stand before what their files have (`--multifile`).
    is_multifile: bool,
}

/// What `elfdeps` of some versions does otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// Only what somebody may run requires anything, rather than all but programs that nobody may (before 4.17).
    pub(super) only_executables_require: bool,
    /// An empty name is none (since 6.0).
    pub(super) empty_is_none: bool,
}

impl Rules {
    fn from_version(version: RpmVersion) -> Self {
        Self {
            only_executables_require: version < RpmVersion::new(4, 17),
            empty_is_none: version >= RpmVersion::new(6, 0),
        }
    }
}

/// What is to be known of a file beside what it holds.
#[derive(Clone, Copy, Debug)]
pub struct ElfFile<'f> {
    /// Its name, without folders.
    pub name: &'f [u8],
    /// Whether somebody may run it.
    pub is_executable: bool,
}

impl ElfQuestion {
    /// Reads the options of a call; `None` where an rpm of that version, or this program, does not know what it does.
    pub fn read<W: AsRef<[u8]>>(version: RpmVersion, options: &[W]) -> Option<Self> {
        let branch = version.branch();
        if branch < OLDEST.branch() || branch > NEWEST.branch() || options.is_empty() {
            return None;
        }
        let mut question = Self {
            side: Side::Provides,
            rules: Rules::from_version(version),
            only_names: false,
            makes_up_names: true,
            leaves_out_odd_names: true,
            requires_interpreter: false,
            leaves_out_private: false,
            is_multifile: false,
        };
        for option in options {
            match option.as_ref() {
                b"--provides" | b"-P" => {}
                b"--requires" | b"-R" => question.side = Side::Requires,
                b"--soname-only" => question.only_names = true,
                b"--no-fake-soname" => question.makes_up_names = false,
                b"--no-filter-soname" => question.leaves_out_odd_names = false,
                b"--require-interp" => question.requires_interpreter = true,
                b"--filter-private" if version < RpmVersion::new(4, 17) => question.leaves_out_private = true,
                b"--multifile" | b"-m" if version >= RpmVersion::new(4, 20) => question.is_multifile = true,
                _ => return None,
            }
        }
        Some(question)
    }

    /// Whether it is asked about many files at once.
    pub fn is_multifile(&self) -> bool {
        self.is_multifile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_of_the_version() {
        let read = |version, words: &[&str]| ElfQuestion::read(version, words);
        let (old, new) = (RpmVersion::new(4, 16), RpmVersion::new(4, 20));
        assert!(read(new, &["--requires", "--multifile"]).unwrap().is_multifile());
        assert_eq!(read(old, &["--requires", "--multifile"]), None);
        assert!(read(old, &["--provides", "--filter-private"]).unwrap().leaves_out_private);
        assert_eq!(read(new, &["--provides", "--filter-private"]), None);
        assert_eq!(read(new, &["-P", "-R", "--no-fake-soname"]).unwrap().side, Side::Requires);
        assert_eq!(read(new, &["--provides", "--assume-exec"]), None, "of one distribution's");
        assert_eq!(read(new, &["--provides", "/a/file"]), None);
        assert_eq!(read(new, &[]), None, "it prints its usage");
        assert_eq!(read(RpmVersion::new(6, 2), &["--provides"]), None, "nobody has compared it");
    }
}
