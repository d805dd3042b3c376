//! Packages, made as a test needs them: sound ones, and such as nobody should trust.

use std::io::Read;
use std::path::Path;

use rpmforge::files::{Folder, HostPath};
use rpmforge::package::{
    Archive, ArchiveEntry, Format, Header, Payload, PayloadContent, PayloadFile, PayloadFlags, Tag,
    Unwritten, Value, hex, write_package,
};
use sha2::{Digest as _, Sha256};

/// A package.
#[derive(Clone)]
pub struct MadePackage {
    pub name: String,
    pub files: Vec<MadeFile>,
    pub archive: Archive,
    pub payload: &'static str,
    /// What else its header says, in the place of what it would say otherwise.
    pub tags: Vec<(Tag, Value)>,
}

/// A file of a package: what its header says, and what its archive has where that is something else.
#[derive(Clone)]
pub struct MadeFile {
    pub path: Vec<u8>,
    pub mode: u32,
    pub content: Vec<u8>,
    pub link: Vec<u8>,
    pub owner: &'static str,
    pub group: &'static str,
    pub modified: u32,
    pub color: u64,
    pub flags: u64,
    pub capabilities: &'static str,
    pub inode: Option<u32>,
    pub digest: Option<String>,
    pub archived: Archived,
}

/// What an archive has of a file.
#[derive(Clone)]
pub enum Archived {
    AsListed,
    Content(Vec<u8>),
    Path(Vec<u8>),
    Nothing,
}

/// A regular file.
pub fn file(path: &str, content: impl AsRef<[u8]>) -> MadeFile {
    MadeFile {
        path: path.as_bytes().to_vec(),
        mode: 0o100_644,
        content: content.as_ref().to_vec(),
        link: Vec::new(),
        owner: "root",
        group: "root",
        modified: 1_700_000_000,
        color: 0,
        flags: 0,
        capabilities: "",
        inode: None,
        digest: None,
        archived: Archived::AsListed,
    }
}

/// A folder.
pub fn folder(path: &str) -> MadeFile {
    MadeFile { mode: 0o040_755, ..file(path, "") }
}

/// A symbolic link.
pub fn link(path: &str, target: &str) -> MadeFile {
    MadeFile { mode: 0o120_777, link: target.as_bytes().to_vec(), ..file(path, "") }
}

/// A package with these files.
pub fn package(name: &str, files: impl IntoIterator<Item = MadeFile>) -> MadePackage {
    let files = files.into_iter().collect();
    MadePackage {
        name: name.to_owned(),
        files,
        archive: Archive::Whole,
        payload: "w1.zstdio",
        tags: Vec::new(),
    }
}

impl MadeFile {
    fn is_folder(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    fn is_link(&self) -> bool {
        self.mode & 0o170_000 == 0o120_000
    }

    /// What follows its head in the archive.
    fn archived(&self) -> Vec<u8> {
        match &self.archived {
            Archived::Content(content) => content.clone(),
            _ if self.is_link() => self.link.clone(),
            Archived::AsListed | Archived::Path(_) | Archived::Nothing => self.content.clone(),
        }
    }

    fn digest(&self) -> String {
        match &self.digest {
            Some(digest) => digest.clone(),
            None if self.is_folder() || self.is_link() => String::new(),
            None => hex(&Sha256::digest(&self.content)),
        }
    }
}

impl MadePackage {
    /// Writes it into a folder; gives its name there.
    pub fn write(&self, target: &HostPath) -> String {
        let name = format!("{}.rpm", self.name);
        let target = Folder::create_scratch(target).unwrap();
        let files = self.payload_files();
        let open = |index: u32| {
            let content = self.files[index as usize].archived();
            Ok(Box::new(std::io::Cursor::new(content)) as Box<dyn Read>)
        };
        let flags = PayloadFlags::read(self.payload).unwrap();
        let format = if self.archive == Archive::Stripped { Format::V6 } else { Format::V4 };
        let payload =
            Payload { format, archive: self.archive, files: &files, open: &open, flags, threads: 1 };
        let lead_name = self.name.clone().into_bytes();
        let header = self.header();
        let unwritten = Unwritten { header, is_source: false, lead_name, payload, packed: None, reserved: 0 };
        write_package(&target, Path::new(&name), unwritten).unwrap();
        name
    }

    fn header(&self) -> Header {
        let mut header = Header::default();
        header.set_text(Tag::NAME, self.name.as_str());
        header.set_text(Tag::VERSION, "1");
        header.set_text(Tag::RELEASE, "1");
        header.set_text(Tag::ARCH, "noarch");
        header.set_text(Tag::OS, "linux");
        header.set_text(Tag::PAYLOAD_FORMAT, "cpio");
        header
            .set_text(Tag::PAYLOAD_COMPRESSOR, PayloadFlags::read(self.payload).unwrap().compression.name());
        header.set_number(Tag::FILEDIGESTALGO, 8);
        for (index, file) in self.files.iter().enumerate() {
            let at = file.path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
            header.add_texts(Tag::DIRNAMES, [file.path[..at].into()]);
            header.add_texts(Tag::BASENAMES, [file.path[at..].into()]);
            header.add_number(Tag::DIRINDEXES, index as u64);
            header.add_number(Tag::FILEMODES, file.mode.into());
            header.add_texts(Tag::FILEUSERNAME, [file.owner.into()]);
            header.add_texts(Tag::FILEGROUPNAME, [file.group.into()]);
            header.add_number(Tag::FILEMTIMES, file.modified.into());
            let size = if file.is_link() { file.link.len() } else { file.content.len() };
            header.add_number(Tag::FILESIZES, size as u64);
            header.add_texts(Tag::FILEDIGESTS, [file.digest().into()]);
            header.add_texts(Tag::FILELINKTOS, [file.link.clone().into()]);
            header.add_number(Tag::FILEFLAGS, file.flags);
            header.add_number(Tag::FILECOLORS, file.color);
            header.add_texts(Tag::FILECAPS, [file.capabilities.into()]);
            header.add_number(Tag::FILEDEVICES, 1);
            header.add_number(Tag::FILEINODES, file.inode.unwrap_or(index as u32 + 1).into());
            header.add_number(Tag::FILERDEVS, 0);
        }
        for (tag, value) in &self.tags {
            header.set(*tag, value.clone());
        }
        header
    }

    fn payload_files(&self) -> Vec<PayloadFile> {
        let is_archived =
            |file: &&MadeFile| !matches!(file.archived, Archived::Nothing) && file.flags & 1 << 6 == 0;
        let numbered = self.files.iter().enumerate().filter(|(_, file)| is_archived(file));
        let payload_file = |(index, file): (usize, &MadeFile)| {
            let is_later = |other: &MadeFile| file.inode.is_some() && other.inode == file.inode;
            let has_later = self.files[index + 1..].iter().any(is_later);
            let content = file.archived();
            let size = if has_later { 0 } else { content.len() as u32 };
            let path = match &file.archived {
                Archived::Path(path) => path.clone(),
                Archived::AsListed | Archived::Content(_) | Archived::Nothing => {
                    [b".".as_slice(), &file.path].concat()
                }
            };
            let inode = file.inode.unwrap_or(index as u32 + 1);
            let links =
                self.files.iter().filter(|other| file.inode.is_some() && other.inode == file.inode).count();
            let links = links.max(1) as u32;
            let entry = ArchiveEntry {
                path,
                inode,
                mode: file.mode,
                links,
                modified: file.modified,
                size,
                device: (0, 0),
            };
            let content = match () {
                () if size == 0 => PayloadContent::Nothing,
                () if file.is_link() => PayloadContent::Link(content),
                () => PayloadContent::File(size.into()),
            };
            PayloadFile { index: index as u32, entry, content }
        };
        numbered.map(payload_file).collect()
    }
}
