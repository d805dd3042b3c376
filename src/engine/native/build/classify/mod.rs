//! What files are: descriptions of magic(5), MIME types, and whether they are programs of 32 or 64 bits.
//!
//! Some are known by what they are or are called; the others are looked into by the root's file(1) (`file_command.rs`), with a
//! database that is cut down to what may match them (`magic/`), and by their first bytes where there is no file(1)
//! (`first_bytes.rs`).

mod class;
mod file_command;
mod first_bytes;
mod magic;

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;

use bstr::BString;

use super::build_root::BuildRoot;
use super::files::{Contents, FileType, PackagedFile};
use super::world::World;
use crate::files::Folder;
use file_command::{FileCommand, FileList};
use first_bytes::{classify_by_start, read_color};
use magic::{KnownFile, Reduction, is_plain_text, reduce};

pub(super) use class::Class;
pub(super) use file_command::Question;

/// Files whose names say what they are: their ends, descriptions and MIME types.
const BY_NAME: [(&str, &str, &str); 8] = [
    (".pm", "Perl5 module source text", "text/plain"),
    (".c", "C Code", "text/x-c"),
    (".h", "C Header", "text/x-c"),
    (".la", "libtool library file", "text/plain"),
    (".pc", "pkgconfig file", "text/plain"),
    (".html", "HTML document", "text/html"),
    (".png", "PNG image data", "image/png"),
    (".svg", "SVG Scalable Vector Graphics image", "image/svg+xml"),
];

/// Finds out what files of a buildroot are.
pub(super) struct Classifier<'c> {
    world: World<'c>,
    root: &'c BuildRoot,
    /// The buildroot, where it is there.
    folder: Option<Folder>,
    question: Question,
    threads: usize,
}

/// Files by their places among those that are classified.
type Placed<'f> = Vec<(usize, &'f PackagedFile)>;

impl<'c> Classifier<'c> {
    /// A classifier that finds `question` out, on so many threads.
    pub(super) fn new(world: World<'c>, root: &'c BuildRoot, question: Question, threads: usize) -> Self {
        Self { world, root, folder: root.open(world.files), question, threads }
    }

    /// The classes of files, in their order. `contents` is what is known of what they hold.
    pub(super) fn classify_files(&self, files: &[PackagedFile], contents: &Contents) -> Vec<Class> {
        let mut classes: Vec<Class> =
            files.iter().map(|file| classify_by_name(self.world, self.root, file)).collect();
        let mut wanted: Placed<'_> = Vec::new();
        let mut same: HashMap<(&str, u32), usize> = HashMap::new();
        let mut copies = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let is_open = classes.get(index).is_some_and(|class| *class == Class::default());
            if !is_open || !file.is_regular() || !file.is_there {
                continue;
            }
            // What a file holds, and the bits that magic(5) tells, make its class.
            let (digest, bits) = (file.digest.as_str(), file.mode.permissions.special_bits());
            match same.get(&(digest, bits)) {
                Some(first) if !digest.is_empty() => copies.push((index, *first)),
                _ => {
                    same.insert((digest, bits), index);
                    wanted.push((index, file));
                }
            }
        }
        for (index, class) in self.classify_by_content(&wanted, contents) {
            set_class(&mut classes, index, class);
        }
        for (index, first) in copies {
            let class = classes.get(first).cloned().unwrap_or_default();
            set_class(&mut classes, index, class);
        }
        for (class, file) in classes.iter_mut().zip(files) {
            class.color = read_color(self.folder.as_ref(), file);
        }
        classes
    }

    /// Looks into files: with the root's file(1), and without it as far as builds depend on it.
    fn classify_by_content(
        &self,
        wanted: &[(usize, &PackagedFile)],
        contents: &Contents,
    ) -> Vec<(usize, Class)> {
        // file(1) reads names line by line.
        let (named, unnamed): (Placed<'_>, Placed<'_>) =
            wanted.iter().copied().partition(|(_, file)| !file.path.contains(&b'\n'));
        let known: Vec<_> = named.iter().map(|(_, file)| describe_known(file, contents)).collect();
        let reduction = reduce(self.world, &known);
        let (reduced, whole) = divide(&named, &reduction);

        let command = FileCommand {
            world: self.world,
            root: self.root,
            threads: self.threads,
            question: self.question,
        };
        let mut found = Vec::new();
        let reduced = match self.question {
            Question::Description => reduced,
            Question::DescriptionAndType => classify_plain_texts(&command, reduced, &reduction, &mut found),
        };
        let answers = command.ask(&reduced);
        reduction.parts.iter().for_each(|part| self.world.files.remove_file(&part.file));
        found.extend(answers.known);
        let files = [whole, answers.open].concat();
        let answers = command.ask(&[FileList { files, database: None }]);
        found.extend(answers.known);
        let open = answers.open.iter().chain(&unnamed);
        found.extend(open.map(|(index, file)| (*index, classify_by_start(self.folder.as_ref(), file))));
        add_alike(&named, &reduction, &mut found);
        found
    }
}

fn set_class(classes: &mut [Class], index: usize, class: Class) {
    if let Some(place) = classes.get_mut(index) {
        *place = class;
    }
}

/// What is known of a file before file(1) is asked about it.
fn describe_known<'k>(file: &PackagedFile, contents: &'k Contents) -> KnownFile<'k> {
    let has_plain_mode = file.mode.permissions.special_bits() == 0;
    KnownFile { content: contents.content_of(file), has_plain_mode }
}

/// The files for each of the reduced databases, and those for the whole one.
fn divide<'f>(
    named: &[(usize, &'f PackagedFile)],
    reduction: &'f Reduction,
) -> (Vec<FileList<'f>>, Placed<'f>) {
    let mut left: Vec<Option<(usize, &PackagedFile)>> = named.iter().copied().map(Some).collect();
    for (at, _) in &reduction.alike {
        left.get_mut(*at).and_then(Option::take);
    }
    let mut lists = Vec::new();
    for part in &reduction.parts {
        let files = part.members.iter().filter_map(|at| left.get_mut(*at)?.take()).collect();
        lists.push(FileList { files, database: Some(&part.file) });
    }
    (lists, left.into_iter().flatten().collect())
}

/// Finds plain texts by their descriptions alone, where that tells their MIME type, and adds their classes; gives the files
/// that are left.
fn classify_plain_texts<'f>(
    command: &FileCommand<'_>,
    mut lists: Vec<FileList<'f>>,
    reduction: &Reduction,
    found: &mut Vec<(usize, Class)>,
) -> Vec<FileList<'f>> {
    let by_words = FileCommand { question: Question::Description, ..*command };
    let tells_type = lists.iter().zip(&reduction.parts).filter(|(_, part)| part.tells_types_by_words);
    let tells_type: Vec<FileList<'_>> = tells_type.map(|(list, _)| list.clone()).collect();
    let plain: HashMap<usize, Class> =
        by_words.ask(&tells_type).known.into_iter().filter_map(classify_plain_text).collect();
    for list in &mut lists {
        list.files.retain(|(index, _)| !plain.contains_key(index));
    }
    found.extend(plain);
    lists
}

/// The class of a file with the MIME type of plain texts, where its description says that it is one.
fn classify_plain_text((index, class): (usize, Class)) -> Option<(usize, Class)> {
    is_plain_text(&class.description).then(|| (index, Class { mime: "text/plain".into(), ..class }))
}

/// Adds the classes of files of which file(1) says what it says of others.
fn add_alike(named: &[(usize, &PackagedFile)], reduction: &Reduction, found: &mut Vec<(usize, Class)>) {
    let classes: HashMap<usize, Class> = found.iter().cloned().collect();
    for (at, first) in &reduction.alike {
        if let (Some((index, _)), Some((first, _))) = (named.get(*at), named.get(*first))
            && let Some(class) = classes.get(first)
        {
            found.push((*index, class.clone()));
        }
    }
}

/// The class of what needs no look inside; the default for what does.
fn classify_by_name(world: World<'_>, root: &BuildRoot, entry: &PackagedFile) -> Class {
    if !entry.is_there && entry.is_folder() {
        return Class::new("directory", "");
    }
    let by_name = BY_NAME.iter().find(|row| entry.path.ends_with(row.0.as_bytes()));
    if let Some(row) = by_name.filter(|_| !entry.is_folder()) {
        return Class::new(row.1, row.2);
    }
    if !entry.is_there {
        return Class::default();
    }
    match entry.file_type() {
        FileType::Folder => Class::new("directory", "inode/directory"),
        FileType::Character => Class::new("character special", "inode/chardevice"),
        FileType::Block => Class::new("block special", "inode/blockdevice"),
        FileType::Link => classify_link(world, root, entry),
        FileType::Regular => Class::default(),
        FileType::Socket => Class::new("socket", "inode/socket"),
        FileType::Pipe => Class::new("fifo (named pipe)", "inode/fifo"),
    }
}

/// The class of a symbolic link: where it points, seen from the buildroot; one that points at nothing is not described (rpm's
/// `rpmfcClassify`).
fn classify_link(world: World<'_>, root: &BuildRoot, entry: &PackagedFile) -> Class {
    let target = match entry.target.first() {
        Some(b'/') => entry.target.to_vec(),
        _ => {
            let folder = root.path().join(entry.on_disk.parent().unwrap_or_else(|| "".as_ref()));
            [folder.as_os_str().as_bytes(), b"/", &entry.target].concat()
        }
    };
    let description: BString = match world.macros.exists(&target) {
        true => [b"symbolic link to ".as_slice(), &entry.target].concat().into(),
        false => BString::default(),
    };
    Class::new(description, "inode/symlink")
}
