//! What the header of a package says of its files.

use bstr::BString;

use super::super::classify::Class;
use super::super::depend::{DICTIONARY_LETTERS, Generated};
use super::super::files::{DigestAlgorithm, PackagedFile};
use super::super::settings::Settings;
use crate::package::{Format, Header, Tag, Value};
use crate::spec::{DependencyKind, DependencyRow};

/// The largest total size that the older tag holds, in 32 bits.
const LARGEST_SIZE: u64 = u32::MAX as u64;

/// Sets what a header says of files.
pub(crate) fn set_files(header: &mut Header, entries: &[PackagedFile], settings: &Settings, is_source: bool) {
    let total: u64 = entries.iter().filter(|entry| !entry.repeats_inode).map(|entry| entry.size).sum();
    let is_six = settings.format == Format::V6;
    if is_six || total > LARGEST_SIZE {
        header.set_number(Tag::LONG_SIZE, total);
    } else {
        header.set_number(Tag::SIZE, total);
    }
    let algorithm = settings.digests(is_source);
    if algorithm != DigestAlgorithm::Md5 {
        header.set_number(const { Tag::FILEDIGESTALGO }, algorithm as u64);
    }
    if entries.is_empty() {
        return;
    }
    let mut numbers = |tag: Tag, of: &dyn Fn(&PackagedFile) -> u64| {
        header.set(tag, Value::Numbers(entries.iter().map(of).collect()));
    };
    let is_large = is_six || entries.iter().any(|entry| entry.is_large());
    let size_tag = if is_large { const { Tag::LONGFILESIZES } } else { const { Tag::FILESIZES } };
    numbers(size_tag, &|entry| entry.size);
    numbers(const { Tag::FILEMODES }, &|entry| u64::from(entry.mode.bits()));
    numbers(const { Tag::FILERDEVS }, &|entry| entry.device_number() & 0xffff);
    numbers(const { Tag::FILEMTIMES }, &|entry| {
        u64::from(u32::try_from(entry.modified.max(0)).unwrap_or(u32::MAX))
    });
    numbers(const { Tag::FILEFLAGS }, &|entry| entry.flags.into());
    numbers(const { Tag::FILEVERIFYFLAGS }, &|entry| entry.verifies.0.into());
    numbers(const { Tag::FILEDEVICES }, &|entry| u64::from(entry.identity.is_some()));
    numbers(const { Tag::FILEINODES }, &|entry| entry.inode.into());
    let mut texts = |tag: Tag, of: &dyn Fn(&PackagedFile) -> BString| {
        header.set(tag, Value::Texts(entries.iter().map(of).collect()));
    };
    texts(const { Tag::FILEDIGESTS }, &|entry| entry.digest.clone().into());
    texts(const { Tag::FILELINKTOS }, &|entry| entry.target.clone());
    texts(const { Tag::FILEUSERNAME }, &|entry| entry.user.0.clone());
    texts(const { Tag::FILEGROUPNAME }, &|entry| entry.group.0.clone());
    texts(const { Tag::FILELANGS }, &|entry| bstr::join("|", &entry.languages).into());
    if entries.iter().any(|entry| entry.capabilities.is_some()) {
        texts(const { Tag::FILECAPS }, &|entry| {
            entry.capabilities.as_ref().map(|capabilities| capabilities.as_text().into()).unwrap_or_default()
        });
    }
    set_paths(header, entries);
}

/// Names, their folders, and which name lies in which folder.
fn set_paths(header: &mut Header, entries: &[PackagedFile]) {
    let (mut folders, mut indexes, mut names) = (Dictionary::default(), Vec::new(), Vec::new());
    for entry in entries {
        let (folder, name) = entry.folder_and_name();
        indexes.push(folders.number(folder));
        names.push(name);
    }
    header.set(const { Tag::DIRINDEXES }, Value::Numbers(indexes));
    header.set(const { Tag::BASENAMES }, Value::Texts(names));
    header.set(const { Tag::DIRNAMES }, Value::Texts(folders.words));
}

/// Words by their numbers, in the order in which they came.
#[derive(Default)]
struct Dictionary {
    words: Vec<BString>,
    known: std::collections::HashMap<BString, u64>,
}

impl Dictionary {
    fn number(&mut self, word: BString) -> u64 {
        let next = self.words.len() as u64;
        *self.known.entry(word).or_insert_with_key(|word| {
            self.words.push(word.clone());
            next
        })
    }
}

/// Sets what files are.
pub(crate) fn set_classes(header: &mut Header, classes: &[Class], format: Format) {
    if classes.is_empty() {
        return;
    }
    header.set(
        const { Tag::FILECOLORS },
        Value::Numbers(classes.iter().map(|class| class.color.into()).collect()),
    );
    let (of, index, words): (fn(&Class) -> BString, _, _) = match format {
        Format::V4 => (Class::kept_description, const { Tag::FILECLASS }, const { Tag::CLASSDICT }),
        Format::V6 => (|class| class.mime.clone(), const { Tag::FILEMIMEINDEX }, const { Tag::MIMEDICT }),
    };
    let mut dictionary = Dictionary::default();
    let indexes = classes.iter().map(|class| dictionary.number(of(class))).collect();
    header.set(index, Value::Numbers(indexes));
    header.set(words, Value::Texts(dictionary.words));
}

/// Sets which dependencies files have. All of them must be in the header already: files point at them by their places.
pub(crate) fn set_file_dependencies(header: &mut Header, entries: &[PackagedFile], generated: &[Generated]) {
    if generated.is_empty() {
        return;
    }
    let mut dictionary: Vec<u64> = Vec::new();
    let (mut starts, mut counts) = (Vec::new(), Vec::new());
    let places: Vec<(DependencyKind, u8, Vec<DependencyRow>)> = DICTIONARY_LETTERS
        .iter()
        .map(|(kind, letter)| (*kind, *letter, DependencyRow::read_header(header, *kind)))
        .collect();
    let mut left = generated.iter().peekable();
    for index in 0..entries.len() {
        let mut of_file: Vec<u64> = Vec::new();
        while let Some(found) = left.next_if(|found| found.file == index) {
            let place = places.iter().find(|(kind, ..)| *kind == found.kind);
            let number = place.and_then(|(_, letter, rows)| {
                let at = rows.binary_search(&found.row).ok()?;
                Some(u64::from(*letter) << 24 | at as u64 & 0x00ff_ffff)
            });
            of_file.extend(number);
        }
        starts.push(if of_file.is_empty() { 0 } else { dictionary.len() as u64 });
        counts.push(of_file.len() as u64);
        dictionary.extend(of_file);
    }
    if dictionary.is_empty() {
        return;
    }
    header.set(const { Tag::FILEDEPENDSX }, Value::Numbers(starts));
    header.set(const { Tag::FILEDEPENDSN }, Value::Numbers(counts));
    header.set(const { Tag::DEPENDSDICT }, Value::Numbers(dictionary));
}
