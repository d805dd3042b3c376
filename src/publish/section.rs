//! The parts of a repository that clients use as repositories of their own: with `debuginfo separate=#true` those of debuginfo and of
//! source packages lie in folders of the repository, with metadata of their own.
//!
//! They have one record and come in together, so that nothing that one needs of another is missing for longer than a few renames take.

/// Such a part, in the order in which clients are told of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Section {
    /// What most clients use: all packages that are in no other.
    Main,
    /// What debuggers need.
    Debuginfo,
    /// Source packages.
    Source,
}

impl Section {
    /// All, in the order in which they are published, the main one last: what it says is there once the others are.
    pub const ALL: [Self; 3] = [Self::Debuginfo, Self::Source, Self::Main];

    /// What stands before its paths, relative to the repository.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Debuginfo => "debug/",
            Self::Source => "source/",
        }
    }

    /// What the name ends with by which clients know it, behind that of the main one.
    pub fn client_suffix(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Debuginfo => "-debuginfo",
            Self::Source => "-source",
        }
    }

    /// The section that a path is in, and the path relative to that.
    pub fn of_path(path: &str) -> (Self, &str) {
        let below = |section: Self| Some((section, path.strip_prefix(section.prefix())?));
        [Self::Debuginfo, Self::Source].into_iter().find_map(below).unwrap_or((Self::Main, path))
    }

    /// The section of a package, by its name and architecture.
    pub fn of_package(name: &str, arch: &str) -> Self {
        match arch {
            "src" => Self::Source,
            // As rpm names what it makes of debugging information (find-debuginfo).
            _ if name.ends_with("-debuginfo") || name.ends_with("-debugsource") => Self::Debuginfo,
            _ => Self::Main,
        }
    }
}

/// A path of a section, relative to the repository.
pub(super) fn in_section(section: Section, path: &str) -> String {
    format!("{}{path}", section.prefix())
}

/// Whether a repository has several sections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Parting {
    /// Everything is in the main one.
    #[default]
    Together,
    /// Debuginfo and source packages have sections of their own.
    Separate,
}

impl Parting {
    /// The sections that it has, the main one last.
    pub fn sections(self) -> Vec<Section> {
        match self {
            Self::Together => vec![Section::Main],
            Self::Separate => Section::ALL.to_vec(),
        }
    }

    /// The section of a package, by its name and architecture.
    pub fn section_of(self, name: &str, arch: &str) -> Section {
        match self {
            Self::Together => Section::Main,
            Self::Separate => Section::of_package(name, arch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_paths_have_their_sections() {
        assert_eq!(Section::of_package("a", "x86_64"), Section::Main);
        assert_eq!(Section::of_package("a-debuginfo", "x86_64"), Section::Debuginfo);
        assert_eq!(Section::of_package("a-debugsource", "x86_64"), Section::Debuginfo);
        assert_eq!(Section::of_package("a-debuginfo", "src"), Section::Source);
        assert_eq!(
            Section::of_path("debug/repodata/repomd.xml"),
            (Section::Debuginfo, "repodata/repomd.xml")
        );
        assert_eq!(
            Section::of_path("source-0123456789ab/a.rpm"),
            (Section::Main, "source-0123456789ab/a.rpm")
        );
    }
}
