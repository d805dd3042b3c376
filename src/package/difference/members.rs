//! What files consist of: the members of archives, the sections of programs.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection};

/// How many members are looked at.
const MOST_MEMBERS: usize = 20_000;

/// How much all members hold together, in bytes.
const LARGEST: u64 = 512 << 20;

/// A member of an archive, or a section of a program.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Member {
    /// What is said of it beside its content, by the names of these.
    pub attributes: BTreeMap<&'static str, String>,
    /// What it holds.
    pub content: Vec<u8>,
}

/// All that a file consists of.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// The members. Of several with one name, each but the first has its number behind it.
    pub by_name: BTreeMap<String, Member>,
    /// Their names as they come.
    pub order: Vec<String>,
}

impl Members {
    fn add(&mut self, name: &str, member: Member) -> Option<()> {
        if self.order.len() >= MOST_MEMBERS {
            return None;
        }
        let mut unique = name.to_owned();
        let mut number = 1;
        while self.by_name.contains_key(&unique) {
            number += 1;
            unique = format!("{name} ({number})");
        }
        self.order.push(unique.clone());
        self.by_name.insert(unique, member);
        Some(())
    }

    /// Reads a member's content, as long as all together are not too large.
    fn read(sum: &mut u64, reader: impl Read) -> Option<Vec<u8>> {
        let left = LARGEST.saturating_sub(*sum);
        let mut content = Vec::new();
        reader.take(left.saturating_add(1)).read_to_end(&mut content).ok()?;
        let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
        *sum = sum.saturating_add(length);
        (length <= left).then_some(content)
    }
}

/// The members of what begins like an archive or a program; nothing where it is none or can't be read as one.
pub(super) fn members(bytes: &[u8]) -> Option<Members> {
    if bytes.starts_with(b"PK\x03\x04") {
        zip_members(bytes)
    } else if bytes.starts_with(b"!<arch>\n") || bytes.starts_with(b"!<thin>\n") {
        ar_members(bytes)
    } else if bytes.starts_with(b"\x7fELF") {
        sections(bytes)
    } else if bytes.get(257..262) == Some(b"ustar") {
        tar_members(bytes)
    } else {
        None
    }
}

fn zip_members(bytes: &[u8]) -> Option<Members> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let (mut members, mut sum) = (Members::default(), 0);
    for index in 0..archive.len() {
        let file = archive.by_index(index).ok()?;
        let mut attributes = BTreeMap::new();
        if let Some(time) = file.last_modified() {
            attributes.insert("modified", time.to_string());
        }
        if let Some(mode) = file.unix_mode() {
            attributes.insert("mode", format!("{mode:o}"));
        }
        attributes.insert("compression", file.compression().to_string());
        let name = file.name().ok()?.into_owned();
        let content = Members::read(&mut sum, file)?;
        members.add(&name, Member { attributes, content })?;
    }
    Some(members)
}

fn tar_members(bytes: &[u8]) -> Option<Members> {
    let mut archive = tar::Archive::new(bytes);
    let (mut members, mut sum) = (Members::default(), 0);
    for entry in archive.entries().ok()? {
        let entry = entry.ok()?;
        let header = entry.header();
        let mut attributes = BTreeMap::new();
        let numbers = [
            ("modified", header.mtime().ok().map(|time| time.to_string())),
            ("mode", header.mode().ok().map(|mode| format!("{mode:o}"))),
            ("user", header.uid().ok().map(|number| number.to_string())),
            ("group", header.gid().ok().map(|number| number.to_string())),
            ("user's name", header.username().ok().flatten().map(str::to_owned)),
            ("group's name", header.groupname().ok().flatten().map(str::to_owned)),
        ];
        attributes.extend(numbers.into_iter().filter_map(|(name, value)| Some((name, value?))));
        if let Some(target) = entry.link_name_bytes() {
            attributes.insert("link", String::from_utf8_lossy(&target).into_owned());
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let content = Members::read(&mut sum, entry)?;
        members.add(&name, Member { attributes, content })?;
    }
    Some(members)
}

fn ar_members(bytes: &[u8]) -> Option<Members> {
    let archive = ArchiveFile::parse(bytes).ok()?;
    let (mut members, mut sum) = (Members::default(), 0);
    for member in archive.members() {
        let member = member.ok()?;
        let numbers = [
            ("modified", member.date().map(|time| time.to_string())),
            ("mode", member.mode().map(|mode| format!("{mode:o}"))),
            ("user", member.uid().map(|number| number.to_string())),
            ("group", member.gid().map(|number| number.to_string())),
        ];
        let attributes = numbers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let content = Members::read(&mut sum, member.data(bytes).ok()?)?;
        members.add(&String::from_utf8_lossy(member.name()), Member { attributes, content })?;
    }
    Some(members)
}

fn sections(bytes: &[u8]) -> Option<Members> {
    let program = object::File::parse(bytes).ok()?;
    let (mut members, mut sum) = (Members::default(), 0);
    for section in program.sections() {
        let name = section.name().ok().filter(|name| !name.is_empty()).unwrap_or("(no name)").to_owned();
        // Compared as it lies there: decompressing is left to who looks closer.
        let content = Members::read(&mut sum, section.data().ok()?)?;
        let attributes = BTreeMap::from([("address", format!("{:#x}", section.address()))]);
        members.add(&name, Member { attributes, content })?;
    }
    (!members.order.is_empty()).then_some(members)
}
