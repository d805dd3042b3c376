//! Buildroots that are made up: programs, libraries, archives, manual pages and texts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

/// What is in a tree.
#[derive(Clone, Debug)]
pub enum Made {
    /// A file of this kind, with a mode.
    File(&'static str, u32),
    /// Another name of a file.
    HardLink(PathBuf),
    /// A symbolic link.
    Link(PathBuf),
}

/// A tree.
#[derive(Clone, Debug, Default)]
pub struct MadeTree(pub BTreeMap<PathBuf, Made>);

/// What a tree has at a path: kind and mode, content or target, the first name of the same file, and how many seconds after
/// [`MADE`] it was changed last, if that was then.
pub type Listed = (u32, Vec<u8>, PathBuf, Option<u64>);

/// A tree as it lies on the disk.
pub type Listing = BTreeMap<PathBuf, Listed>;

/// When the first of a tree's files was changed last, in seconds since 1970.
const MADE: u64 = 1_600_000_000;

const PLACES: [&str; 8] = [
    "usr/bin",
    "usr/lib64",
    "usr/lib/debug",
    "usr/lib/debugging",
    "usr/share/a",
    "lib/modules",
    "opt/a b",
    "usr/libexec/x-y",
];

/// Where manual pages are, and where scripts do not look for them.
const PAGE_PLACES: [&str; 10] = [
    "usr/share/man/man1",
    "usr/share/man/de/man1",
    "usr/share/info",
    "usr/man/man3/deeper",
    "usr/lib/x/man/man5",
    "usr/share/fish/man/man1",
    "usr/share/manual",
    "usr/share/man/man1/man2",
    "usr/share/man/.de/man1",
    "usr/share/man/man b",
];

const PAGE_NAMES: [&[u8]; 18] = [
    b"a.1",
    b"b.1",
    b"c.1",
    b"long-name.3pm",
    b"a.info",
    b"d.1.gz",
    b"e.1.gz",
    b"dir",
    b"a.1.gz",
    b"f.1.bz2",
    b"g.1.xz",
    b"h.1.Z",
    b"p.tgz",
    b"with space.1",
    b"-dash.1",
    b"co:lon.1",
    b"\xff.1",
    b"new\nline.1",
];

/// What makes links of pages lead elsewhere.
const PAGE_TARGETS: [&str; 6] =
    ["a.1", "b.1.gz", "../man1/c.1", "/usr/share/man/man1/a.1.bz2", "nowhere", "a b"];

/// Ordinary ones first.
const NAMES: [&[u8]; 28] = [
    b"a",
    b"b",
    b"c",
    b"prog",
    b"lib.so.1",
    b"lib.a",
    b"lib.la",
    b"other.la",
    b"m.pyc",
    b"m.opt-1.pyc",
    b"x.o",
    b"mod.ko",
    b"guile.go",
    b"s.py",
    b"s.rb",
    b"t.js",
    b"with space",
    b"quo'te",
    b"back\\slash",
    b"d\"q",
    b"co:lon",
    b"[set]",
    b"star*",
    b"x+y",
    b"\xff\xfe",
    b"new\nline",
    b"x: ELF, not stripped",
    b"-dash",
];

const MODES: [u32; 6] = [0o644, 0o755, 0o444, 0o555, 0o4755, 0o711];

/// Numbers that look like chance, and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, count: usize) -> usize {
        // A step of SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % count as u64).unwrap()
    }

    /// A place and a name there.
    fn of_pair(&mut self, places: &[&str], names: &[&[u8]]) -> PathBuf {
        let name = OsString::from_vec(self.of(names).to_vec());
        Path::new(self.of(places)).join(name)
    }

    fn of<'c, T>(&mut self, all: &'c [T]) -> &'c T {
        &all[self.below(all.len())]
    }
}

impl MadeTree {
    /// A tree that a number stands for. Every other one has ordinary names alone; each has files of all kinds, manual pages, or
    /// both.
    pub fn random(number: u64) -> Self {
        let mut tree = Self::default();
        let mut chance = Chance(number);
        if !number.is_multiple_of(3) {
            tree.add_pages(&mut chance, number.is_multiple_of(2));
        }
        if number % 3 != 1 {
            tree.add_files(&mut chance, number.is_multiple_of(2));
        }
        tree
    }

    /// As [`MadeTree::random`], with ordinary names and without pages.
    pub fn random_programs(number: u64) -> Self {
        let mut tree = Self::default();
        tree.add_files(&mut Chance(number), true);
        tree
    }

    fn add_files(&mut self, chance: &mut Chance, is_ordinary: bool) {
        let names = if is_ordinary { &NAMES[..16] } else { &NAMES[..] };
        let places = if is_ordinary { &PLACES[..6] } else { &PLACES[..] };
        let kinds: Vec<&'static str> =
            contents().keys().copied().filter(|kind| !kind.starts_with("page")).collect();
        for _ in 0..chance.below(24) {
            let made = match chance.below(10) {
                1 => Made::Link(PathBuf::from(*chance.of(&["nowhere", "a", "/usr/bin/true"]))),
                _ => {
                    let kind = *chance.of(&kinds);
                    Made::File(kind, *chance.of(&MODES))
                }
            };
            let path = chance.of_pair(places, names);
            self.add(chance, path, made);
        }
    }

    fn add_pages(&mut self, chance: &mut Chance, is_ordinary: bool) {
        // What the script does alone is not in every tree.
        let names = if is_ordinary { &PAGE_NAMES[..7] } else { &PAGE_NAMES[..] };
        let places = if is_ordinary { &PAGE_PLACES[..7] } else { &PAGE_PLACES[..] };
        for _ in 0..chance.below(12) {
            let path = chance.of_pair(places, names);
            let made = match chance.below(6) {
                0 => Made::Link(PathBuf::from(*chance.of(&PAGE_TARGETS[..if is_ordinary { 5 } else { 6 }]))),
                _ if path.extension().is_some_and(|end| end == "gz") && chance.below(8) > 0 => {
                    Made::File("page.gz", *chance.of(&MODES[..4]))
                }
                _ => {
                    let kind = *chance.of(&["page", "page-long", "page-empty", "page-odd"]);
                    Made::File(kind, *chance.of(&MODES[..4]))
                }
            };
            self.add(chance, path, made);
        }
    }

    /// Adds something, or another name of a file that is there.
    fn add(&mut self, chance: &mut Chance, path: PathBuf, made: Made) {
        let files = self.files();
        let made = match chance.below(10) {
            0 if !files.is_empty() => Made::HardLink(chance.of(&files).clone()),
            _ => made,
        };
        self.0.entry(path).or_insert(made);
    }

    fn files(&self) -> Vec<PathBuf> {
        self.0
            .iter()
            .filter(|(_, made)| matches!(made, Made::File(..)))
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// Writes it to a folder that is not there yet.
    pub fn make(&self, root: &Path) {
        fs::create_dir(root).unwrap();
        let mut made_files = 0;
        let is_link = |made: &Made| matches!(made, Made::HardLink(_));
        for links in [false, true] {
            for (path, made) in self.0.iter().filter(|(_, made)| is_link(made) == links) {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                match made {
                    Made::File(kind, mode) => {
                        let content = match *kind {
                            "root" => [b"see ".as_slice(), root.as_os_str().as_bytes(), b"/x\n"].concat(),
                            kind => contents()[kind].clone(),
                        };
                        fs::write(&path, content).unwrap();
                        let time = UNIX_EPOCH + Duration::from_secs(MADE + made_files);
                        made_files += 1;
                        fs::File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
                        fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
                    }
                    Made::HardLink(other) => fs::hard_link(root.join(other), &path).unwrap(),
                    Made::Link(target) => symlink(target, &path).unwrap(),
                }
            }
        }
    }
}

/// All below a folder.
pub fn list(root: &Path) -> Listing {
    let (mut found, mut first) = (Listing::new(), BTreeMap::new());
    let mut open = vec![root.to_owned()];
    let mut paths = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                open.push(path.clone());
            }
            paths.push(path);
        }
    }
    paths.sort();
    for path in paths {
        let metadata = path.symlink_metadata().unwrap();
        let name = path.strip_prefix(root).unwrap().to_owned();
        let content = match metadata.file_type() {
            kind if kind.is_symlink() => fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec(),
            kind if kind.is_file() => fs::read(&path).unwrap(),
            _ => Vec::new(),
        };
        let same_as = first.entry(metadata.ino()).or_insert_with(|| name.clone()).clone();
        let time = u64::try_from(metadata.mtime()).unwrap().checked_sub(MADE).filter(|time| *time < 1000);
        found.insert(name, (metadata.mode(), content, same_as, time.filter(|_| metadata.is_file())));
    }
    found
}

/// What files hold, by the names of their kinds: made by the machine's compiler once.
fn contents() -> &'static BTreeMap<&'static str, Vec<u8>> {
    static CONTENTS: OnceLock<BTreeMap<&'static str, Vec<u8>>> = OnceLock::new();
    CONTENTS.get_or_init(|| {
        let temp = tempfile::tempdir().unwrap();
        let script = "
            echo 'int twice(int x) { return 2 * x; }' >lib.c
            echo 'int main(void) { return 0; }' >main.c
            gcc -g -c lib.c -o object
            gcc -g -shared -fPIC lib.c -o shared
            gcc -g -pie -fPIE main.c -o pie
            gcc -g -no-pie main.c -o program
            gcc -g -static main.c -o static
            strip -o stripped program
            strip -o stripped-shared shared
            printf 'a note' >bytes
            objcopy --add-section .note=bytes stripped noted
            objcopy --add-section .note=bytes --set-section-flags .note=alloc,readonly stripped loaded 2>/dev/null || cp noted loaded
            cp object o1.o; ar rcs archive o1.o
            ar rcsT thin o1.o
            head -c 40 program >cut
            head -c 12 archive >cut-archive
            { cat object; echo more; } >longer
            printf '#!/bin/sh\\necho ELF\\n' >script
            echo 'a: ELF, not stripped' >text
            : >empty
            gzip -9c program >zipped
            gcc -g -no-pie -Wl,-rpath,/opt/lib main.c -o run-path
            printf '# lib.la - a libtool library file\\n' >libtool
            printf '#!/usr/bin/sh\\n' >script-usr
            printf '#!/usr/bin/env python3\\n' >script-env
            : >root
            printf '.TH A 1\\ntext\\n' >page
            seq 3000 >page-long
            : >page-empty
            head -c 500 program >page-odd
            gzip -1c page-long >page.gz";
        let output = Command::new("/bin/sh").args(["-ec", script]).current_dir(temp.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let kinds = [
            "object", "shared", "pie", "program", "static", "stripped", "stripped-shared", "noted", "loaded", "archive", "thin",
            "cut", "cut-archive", "longer", "script", "text", "empty", "zipped", "run-path", "libtool", "script-usr", "script-env",
            "root", "page", "page-long", "page-empty", "page-odd", "page.gz",
        ];
        kinds.into_iter().map(|kind| (kind, fs::read(temp.path().join(kind)).unwrap())).collect()
    })
}
