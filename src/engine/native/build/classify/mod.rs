//! What files are: classes of magic(5), MIME types, and whether they are programs of 32 or 64 bits.

mod magic;
mod magic_entry;
mod magic_group;
mod magic_search;
mod reduction;

use std::collections::HashMap;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use bstr::{BString, ByteSlice};

use reduction::Reduction;

use super::digests::Contents;
use super::files::PackagedFile;
use super::files::packaged_file::kind;
use super::scriptlet;
use super::workspace::Workspace;
use super::world::World;
use crate::files::{Folder, HostPath};
use crate::macros::FilterJob;

/// What a file is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Class {
    /// The words of magic(5).
    pub(super) description: BString,
    /// The MIME type.
    pub(super) mime: BString,
    /// 1 for programs of 32 bits, 2 for those of 64 bits, 0 for all else.
    pub(super) color: u32,
}

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

/// What headers keep of descriptions: those with one of these words in them (rpm's `rpmfcTokens`).
const KEPT: [&str; 31] = [
    "directory",
    "ELF 32-bit",
    "ELF 64-bit",
    "troff or preprocessor input",
    "GNU Info",
    "perl ",
    "Perl5 module source text",
    "python ",
    "libtool library ",
    "pkgconfig ",
    "Objective caml ",
    "Mono/.Net assembly",
    "current ar archive",
    "Zip archive data",
    "tar archive",
    "cpio archive",
    "RPM v3",
    "RPM v4",
    " image",
    " font",
    " Font",
    " commands",
    " script",
    "empty",
    "HTML",
    "SGML",
    "XML",
    " source",
    "GLS_BINARY_LSB_FIRST",
    " DB ",
    " text",
];

/// How file(1) describes texts that it knows nothing else of.
const PLAIN: [&str; 3] = ["ASCII text", "Unicode text, UTF-8 text", "UTF-8 Unicode text"];

/// How many files one look takes together; fewer are not worth a program of their own.
const LEAST_TOGETHER: usize = 200;

/// What is asked of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// Their descriptions: all that packages of format 4 hold.
    Description,
    /// Their MIME types as well.
    MimeToo,
}

impl Class {
    /// The description as headers keep it.
    pub(super) fn kept(&self) -> BString {
        let is_kept = KEPT.iter().any(|word| self.description.contains_str(word));
        if is_kept { self.description.clone() } else { BString::default() }
    }
}

/// The classes of files, in their order.
pub(super) fn classify(
    world: World<'_>,
    workspace: &Workspace,
    entries: &[PackagedFile],
    contents: &Contents,
    threads: usize,
    wants: Wants,
) -> Vec<Class> {
    let root = Folder::open_ambient(&workspace.root).ok();
    let mut classes: Vec<Class> = entries.iter().map(|entry| known(world, workspace, entry)).collect();
    let mut wanted: Vec<(usize, &PackagedFile)> = Vec::new();
    let mut same: HashMap<(&str, u32), usize> = HashMap::new();
    let mut copies = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let is_open = classes.get(index).is_some_and(|class| *class == Class::default());
        if !is_open || !entry.is_regular() || !entry.is_there {
            continue;
        }
        // What a file holds, and the bits that magic(5) tells, make its class.
        match same.get(&(entry.digest.as_str(), entry.mode & 0o7000)) {
            Some(first) if !entry.digest.is_empty() => copies.push((index, *first)),
            _ => {
                same.insert((&entry.digest, entry.mode & 0o7000), index);
                wanted.push((index, entry));
            }
        }
    }
    for (index, class) in looked_at(world, workspace, root.as_ref(), &wanted, contents, threads, wants) {
        if let Some(place) = classes.get_mut(index) {
            *place = class;
        }
    }
    for (index, first) in copies {
        let class = classes.get(first).cloned().unwrap_or_default();
        if let Some(place) = classes.get_mut(index) {
            *place = class;
        }
    }
    for (class, entry) in classes.iter_mut().zip(entries) {
        class.color = color(root.as_ref(), entry);
    }
    classes
}

/// The class of what needs no look inside.
fn known(world: World<'_>, workspace: &Workspace, entry: &PackagedFile) -> Class {
    let class = |description: &str, mime: &str| Class {
        description: description.into(),
        mime: mime.into(),
        color: 0,
    };
    if !entry.is_there && entry.is_folder() {
        return class("directory", "");
    }
    let by_name = BY_NAME.iter().find(|row| entry.path.ends_with(row.0.as_bytes()));
    if let Some(row) = by_name.filter(|_| !entry.is_folder()) {
        return class(row.1, row.2);
    }
    if !entry.is_there {
        return Class::default();
    }
    match entry.kind() {
        kind::FOLDER => class("directory", "inode/directory"),
        kind::CHARACTER => class("character special", "inode/chardevice"),
        kind::BLOCK => class("block special", "inode/blockdevice"),
        kind::LINK => of_link(world, workspace, entry),
        kind::REGULAR => Class::default(),
        kind::SOCKET => class("socket", "inode/socket"),
        _ => class("fifo (named pipe)", "inode/fifo"),
    }
}

/// The class of a symbolic link: where it points, seen from the buildroot; one that points at nothing is not described (rpm's
/// `rpmfcClassify`).
fn of_link(world: World<'_>, workspace: &Workspace, entry: &PackagedFile) -> Class {
    let target = match entry.target.first() {
        Some(b'/') => entry.target.to_vec(),
        _ => {
            let folder = workspace.root.join(entry.on_disk.parent().unwrap_or_else(|| "".as_ref()));
            [folder.as_os_str().as_bytes(), b"/", &entry.target].concat()
        }
    };
    let description: BString = match world.macros.exists(&target) {
        true => [b"symbolic link to ".as_slice(), &entry.target].concat().into(),
        false => BString::default(),
    };
    Class { description, mime: "inode/symlink".into(), color: 0 }
}

/// Looks into files: with the root's file(1), and without it as far as builds depend on it.
fn looked_at(
    world: World<'_>,
    workspace: &Workspace,
    root: Option<&Folder>,
    wanted: &[(usize, &PackagedFile)],
    contents: &Contents,
    threads: usize,
    wants: Wants,
) -> Vec<(usize, Class)> {
    let (named, odd): (Vec<_>, Vec<_>) =
        wanted.iter().copied().partition(|(_, entry)| !entry.path.contains(&b'\n'));
    let known = |(_, entry): &(usize, &PackagedFile)| reduction::Known {
        content: contents.of(entry),
        is_of_plain_mode: entry.mode & 0o7000 == 0,
    };
    let known: Vec<_> = named.iter().map(known).collect();
    let Reduction { parts, alike } = reduction::reduce(world, &known);
    let indexes: Vec<usize> = named.iter().map(|(index, _)| *index).collect();
    let mut whole: Vec<Option<(usize, &PackagedFile)>> = named.into_iter().map(Some).collect();
    for (at, _) in &alike {
        whole.get_mut(*at).and_then(Option::take);
    }
    let mut reduced: Vec<Asked<'_>> = Vec::new();
    for part in &parts {
        let files: Vec<(usize, &PackagedFile)> =
            part.members.iter().filter_map(|at| whole.get_mut(*at)?.take()).collect();
        reduced.push(Asked { files, database: Some(&part.file) });
    }
    let mut whole: Vec<(usize, &PackagedFile)> = whole.into_iter().flatten().collect();
    let question = Question { world, workspace, threads, wants };
    let mut found = Vec::new();
    if wants == Wants::MimeToo {
        let by_words = Question { wants: Wants::Description, ..question };
        let of_words = reduced.iter().zip(&parts).filter(|(_, part)| part.tells_types_by_words);
        let of_words: Vec<Asked<'_>> = of_words.map(|(asked, _)| asked.clone()).collect();
        let plain: HashMap<usize, Class> =
            by_words.ask(&of_words).known.into_iter().filter_map(of_plain_text).collect();
        for asked in &mut reduced {
            asked.files.retain(|(index, _)| !plain.contains_key(index));
        }
        found.extend(plain);
    }
    let answers = question.ask(&reduced);
    parts.iter().for_each(|part| scriptlet::remove(&part.file));
    found.extend(answers.known);
    whole.extend(answers.open);
    let answers = question.ask(&[Asked { files: whole, database: None }]);
    found.extend(answers.known);
    let open = answers.open.iter().chain(&odd);
    found.extend(open.map(|(index, entry)| (*index, own_look(root, entry))));
    let classes: HashMap<usize, Class> = found.iter().cloned().collect();
    let same =
        |(at, first): &(usize, usize)| Some((*indexes.get(*at)?, classes.get(indexes.get(*first)?)?.clone()));
    found.extend(alike.iter().filter_map(same));
    found
}

/// What file(1) answers.
#[derive(Default)]
struct Answers<'f> {
    known: Vec<(usize, Class)>,
    /// The files that it said nothing of.
    open: Vec<(usize, &'f PackagedFile)>,
}

/// The files that file(1) is asked about with one database: its own, where none is given.
#[derive(Clone)]
struct Asked<'f> {
    files: Vec<(usize, &'f PackagedFile)>,
    database: Option<&'f HostPath>,
}

/// What file(1) is asked.
#[derive(Clone, Copy)]
struct Question<'q> {
    world: World<'q>,
    workspace: &'q Workspace,
    threads: usize,
    wants: Wants,
}

impl Question<'_> {
    /// Asks about files; gives what it knows, and what it does not.
    fn ask<'f>(&self, asked: &[Asked<'f>]) -> Answers<'f> {
        let count: usize = asked.iter().map(|asked| asked.files.len()).sum();
        let together = count.div_ceil(self.threads.max(1)).max(LEAST_TOGETHER);
        let chunks = |asked: &Asked<'f>| {
            let part = |files: &[(usize, &'f PackagedFile)]| Asked {
                files: files.to_vec(),
                database: asked.database,
            };
            asked.files.chunks(together).map(part).collect::<Vec<_>>()
        };
        let chunks: Vec<Asked<'f>> = asked.iter().flat_map(chunks).collect();
        let jobs: Vec<_> = chunks.iter().flat_map(|chunk| self.jobs(chunk)).collect();
        let results = self.world.macros.filter_all(&jobs, self.threads);
        let answers_each = if self.wants == Wants::MimeToo { 2 } else { 1 };
        let mut all = Answers::default();
        for (Asked { files, .. }, answers) in chunks.iter().zip(results.chunks(answers_each)) {
            let lines: Vec<Vec<&[u8]>> =
                answers.iter().flatten().map(|(_, output)| output.lines().collect()).collect();
            let no_mimes = vec![b"".as_slice(); files.len()];
            match (lines.as_slice(), self.wants) {
                ([mimes, descriptions], Wants::MimeToo)
                    if descriptions.len() == files.len() && mimes.len() == files.len() =>
                {
                    all.known.extend(classes(files, descriptions, mimes));
                }
                ([descriptions], Wants::Description) if descriptions.len() == files.len() => {
                    all.known.extend(classes(files, descriptions, &no_mimes));
                }
                _ => all.open.extend_from_slice(files),
            }
        }
        all
    }

    /// What is run to ask about some files, with what it reads.
    fn jobs(&self, Asked { files, database }: &Asked<'_>) -> Vec<FilterJob> {
        let base = self.workspace.root.as_os_str().as_bytes();
        let path = |(_, entry): &(usize, &PackagedFile)| {
            [base, b"/", entry.on_disk.as_os_str().as_bytes(), b"\n"].concat()
        };
        let list = files.iter().map(path).collect::<Vec<_>>().concat();
        let database = database.map(|file| vec![b"-m".to_vec(), file.as_os_str().as_bytes().to_vec()]);
        let database = database.unwrap_or_default();
        // file(1) looks at the files of a list as soon as it has read `-f`: what comes after is too late.
        let job = |what: &[&str]| {
            let options = words(&["-b", "-z", "-e", "tokens", "-f", "-"]);
            ([words(&["file"]), database.clone(), words(what), options].concat(), list.clone())
        };
        match self.wants {
            Wants::MimeToo => vec![job(&["--mime-type"]), job(&[])],
            Wants::Description => vec![job(&[])],
        }
    }
}

/// The class of a file with the MIME type of plain texts, where its description says that it is one.
fn of_plain_text((index, class): (usize, Class)) -> Option<(usize, Class)> {
    is_plain_text(&class.description).then(|| (index, Class { mime: "text/plain".into(), ..class }))
}

/// Whether a description says nothing of a text but its encoding and its lines.
fn is_plain_text(description: impl AsRef<[u8]>) -> bool {
    // What is packed as well has another type.
    let of_lines =
        |rest: &[u8]| rest.is_empty() || rest.starts_with(b", with ") && !rest.contains_str("compressed");
    PLAIN.iter().any(|plain| description.as_ref().strip_prefix(plain.as_bytes()).is_some_and(of_lines))
}

/// The classes that file(1) tells, line by line.
fn classes(
    files: &[(usize, &PackagedFile)],
    descriptions: &[&[u8]],
    mimes: &[&[u8]],
) -> impl Iterator<Item = (usize, Class)> {
    files.iter().zip(descriptions).zip(mimes).map(|(((index, _), description), mime)| {
        // What it can't unpack it tells in brackets, with what the file is besides.
        let is_known = !description.starts_with(b"ERROR: ") && !description.starts_with(b"cannot ");
        let description = if is_known { (*description).into() } else { BString::default() };
        (*index, Class { description, mime: mime.trim_ascii().into(), color: 0 })
    })
}

fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn start(root: Option<&Folder>, entry: &PackagedFile, length: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(file) = root.and_then(|root| root.open(&entry.on_disk).ok()) {
        // What can't be read has no beginning.
        let _ = file.take(length).read_to_end(&mut bytes);
    }
    bytes
}

/// What a file is by its first bytes, in the words that file(1) has for it.
fn own_look(root: Option<&Folder>, entry: &PackagedFile) -> Class {
    let bytes = start(root, entry, 4096);
    let class = |description: String, mime: &str| Class {
        description: description.into(),
        mime: mime.into(),
        color: 0,
    };
    match bytes.as_slice() {
        [] => class("empty".to_owned(), "inode/x-empty"),
        [0x7f, b'E', b'L', b'F', width, order, ..] => {
            let width = if *width == 1 { 32 } else { 64 };
            let order = if *order == 2 { "MSB" } else { "LSB" };
            let (what, mime) = match bytes.get(16..18) {
                Some([1, 0] | [0, 1]) => ("relocatable", "application/x-object"),
                Some([2, 0] | [0, 2]) => ("executable", "application/x-executable"),
                _ => ("shared object", "application/x-sharedlib"),
            };
            class(format!("ELF {width}-bit {order} {what}"), mime)
        }
        [b'#', b'!', line @ ..] => {
            let line = line.lines().next().unwrap_or_default().trim_ascii();
            class(script(line), "text/x-script")
        }
        text if text.contains(&0) => class("data".to_owned(), "application/octet-stream"),
        text if text.is_ascii() => class("ASCII text".to_owned(), "text/plain"),
        _ => class("Unicode text, UTF-8 text".to_owned(), "text/plain"),
    }
}

fn script(line: &[u8]) -> String {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let program = words.next().unwrap_or_default();
    let program = if program.ends_with(b"/env") { words.next().unwrap_or(program) } else { program };
    let name = program.rsplit_once_str("/").map_or(program, |(_, name)| name).to_str_lossy();
    match name.as_ref() {
        "sh" | "dash" => "POSIX shell script, ASCII text executable".to_owned(),
        "bash" => "Bourne-Again shell script, ASCII text executable".to_owned(),
        name if name.starts_with("python") => "Python script, ASCII text executable".to_owned(),
        "perl" => "Perl script text executable".to_owned(),
        _ => format!("a {} script, ASCII text executable", line.to_str_lossy()),
    }
}

/// The width of a program, as its whole ELF header says; what nobody may run is none, nor is what runs in the kernel.
fn color(root: Option<&Folder>, entry: &PackagedFile) -> u32 {
    const BPF: u16 = 247;
    if !entry.is_regular() || !entry.is_there || entry.mode & 0o111 == 0 {
        return 0;
    }
    let head = start(root, entry, 64);
    let [0x7f, b'E', b'L', b'F', width @ (1 | 2), order @ (1 | 2), 1, ..] = head.as_slice() else {
        return 0;
    };
    let machine = head.get(18..20).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok()).unwrap_or_default();
    let machine = if *order == 1 { u16::from_le_bytes(machine) } else { u16::from_be_bytes(machine) };
    match width {
        _ if machine == BPF => 0,
        1 if head.len() >= 52 => 1,
        2 if head.len() >= 64 => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_keep_what_says_more_than_data() {
        let kept = |description: &str| Class { description: description.into(), ..Class::default() }.kept();
        assert_eq!(kept("ASCII text"), "ASCII text");
        assert_eq!(kept("data"), "");
        assert_eq!(kept("C Code"), "");
    }

    #[test]
    fn what_file_says_is_kept_as_it_is_but_for_what_it_could_not_look_at() {
        let entry = PackagedFile::default();
        let files = [(0, &entry), (1, &entry), (2, &entry)];
        let said: [&[u8]; 3] =
            [b"ERROR:[gzip: ] (Zip archive data)", b"ERROR: cannot read", b"an image, 1x1 "];
        let kept: Vec<BString> =
            classes(&files, &said, &[b"".as_slice(); 3]).map(|(_, class)| class.description).collect();
        assert_eq!(kept, [said[0], b"", said[2]]);
    }

    #[test]
    fn scripts_are_known_without_file() {
        assert_eq!(script(b"/usr/bin/env python3"), "Python script, ASCII text executable");
        assert_eq!(script(b"/usr/bin/tclsh -f"), "a /usr/bin/tclsh -f script, ASCII text executable");
    }
}
