//! The files of a package.

/// What a file is, with what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A folder.
    Folder,
    /// A symbolic link, and where it points.
    Link(String),
    /// A file; what it holds lies in the package's archive, from there on and that long.
    Stored(usize, usize),
    /// A file that the distribution makes itself.
    Made(Vec<u8>),
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistroFile {
    /// The path, from `/` on.
    pub path: String,
    /// What it is.
    pub content: Content,
    /// Its permissions, with the bits for setuid, setgid and sticky.
    pub permissions: u32,
    /// Who owns it: a user and a group.
    pub owners: (String, String),
    /// When it was changed: seconds since 1970.
    pub modified: u64,
    /// The path of the file that it is a hard link to.
    pub linked_to: Option<String>,
    /// What it may do, as cap_to_text(3) writes it.
    pub capabilities: &'static str,
    /// rpm's flags of it (`RPMFILE_*`).
    pub flags: u64,
}

/// rpm's flags of files.
pub mod flag {
    /// `%config`
    pub const CONFIGURATION: u64 = 1;
    /// `%doc`
    pub const DOCUMENTATION: u64 = 1 << 1;
    /// `%ghost`
    pub const GHOST: u64 = 1 << 6;
    /// `(noreplace)`
    pub const NO_REPLACE: u64 = 1 << 4;
    /// `%license`
    pub const LICENSE: u64 = 1 << 7;
}

impl DistroFile {
    /// One that belongs to root.
    pub fn new(path: &str, permissions: u32, content: Content) -> Self {
        Self {
            path: path.to_owned(),
            content,
            permissions,
            owners: ("root".to_owned(), "root".to_owned()),
            modified: 0,
            linked_to: None,
            capabilities: "",
            flags: 0,
        }
    }

    /// A configuration file with a text.
    pub fn configuration(path: &str, permissions: u32, text: &str) -> Self {
        let file = Self::new(path, permissions, Content::Made(text.as_bytes().to_vec()));
        Self { flags: flag::CONFIGURATION | flag::NO_REPLACE, ..file }
    }

    /// The same, owned by others.
    pub fn owned_by(self, user: &str, group: &str) -> Self {
        Self { owners: (user.to_owned(), group.to_owned()), ..self }
    }

    /// What it holds, if it is a regular file; `data` is the package's archive.
    pub fn bytes<'d>(&'d self, data: &'d [u8]) -> &'d [u8] {
        match &self.content {
            Content::Stored(at, size) => &data[*at..at + size],
            Content::Made(bytes) => bytes,
            Content::Folder | Content::Link(_) => &[],
        }
    }

    /// Whether it is a regular file.
    pub fn is_regular(&self) -> bool {
        matches!(self.content, Content::Stored(..) | Content::Made(_))
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.content == Content::Folder
    }

    /// Whether it is a program.
    pub fn is_executable(&self) -> bool {
        self.is_regular() && self.permissions & 0o111 != 0
    }

    /// Its type and permissions, as the kernel has them.
    pub fn mode(&self) -> u32 {
        let kind = match self.content {
            Content::Folder => 0o040_000,
            Content::Link(_) => 0o120_000,
            Content::Stored(..) | Content::Made(_) => 0o100_000,
        };
        kind | self.permissions
    }
}

/// Reads an archive's entries.
pub fn read_tar(archive: &[u8]) -> Vec<DistroFile> {
    let mut files: Vec<DistroFile> = Vec::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        let path = rooted(std::str::from_utf8(&entry.path_bytes()).unwrap());
        let target = entry.link_name_bytes().map(|name| String::from_utf8(name.into_owned()).unwrap());
        let mut linked_to = None;
        let content = match header.entry_type() {
            tar::EntryType::Directory => Content::Folder,
            tar::EntryType::Symlink => Content::Link(target.unwrap()),
            tar::EntryType::Regular => {
                let (at, size) = (entry.raw_file_position(), entry.size());
                Content::Stored(usize::try_from(at).unwrap(), usize::try_from(size).unwrap())
            }
            tar::EntryType::Link => {
                let first = rooted(&target.unwrap());
                let known = files.iter().find(|file| file.path == first).unwrap().content.clone();
                linked_to = Some(first);
                known
            }
            other => panic!("{path}: an entry of the type {other:?}"),
        };
        if path == "/" {
            continue;
        }
        let owner = |name: Option<&str>| name.unwrap_or("root").to_owned();
        files.push(DistroFile {
            owners: (owner(header.username().unwrap()), owner(header.groupname().unwrap())),
            modified: header.mtime().unwrap(),
            linked_to,
            ..DistroFile::new(&path, header.mode().unwrap() & 0o7777, content)
        });
    }
    files
}

fn rooted(path: &str) -> String {
    format!("/{}", path.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/'))
}
