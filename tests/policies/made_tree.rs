//! Buildroots that are made up: programs, libraries, archives and texts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

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

/// A tree as it lies on the disk: kind and mode, content or target, and the first name of the same file.
pub type Listing = BTreeMap<PathBuf, (u32, Vec<u8>, PathBuf)>;

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

const NAMES: [&[u8]; 24] = [
    b"a",
    b"b",
    b"c",
    b"prog",
    b"lib.so.1",
    b"lib.a",
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

    fn of<'c, T>(&mut self, all: &'c [T]) -> &'c T {
        &all[self.below(all.len())]
    }
}

impl MadeTree {
    /// A tree that a number stands for. Every other one has ordinary names alone.
    pub fn random(number: u64) -> Self {
        let mut chance = Chance(number);
        let names = if number.is_multiple_of(2) { &NAMES[..12] } else { &NAMES[..] };
        let places = if number.is_multiple_of(2) { &PLACES[..6] } else { &PLACES[..] };
        let kinds: Vec<&'static str> = contents().keys().copied().collect();
        let mut tree = Self::default();
        for _ in 0..chance.below(24) {
            let name = OsString::from_vec(chance.of(names).to_vec());
            let path = Path::new(chance.of(places)).join(name);
            let files: Vec<PathBuf> = tree.files();
            let made = match chance.below(10) {
                0 if !files.is_empty() => Made::HardLink(chance.of(&files).clone()),
                1 => Made::Link(PathBuf::from(*chance.of(&["nowhere", "a", "/usr/bin/true"]))),
                _ => {
                    let kind = kinds[chance.below(kinds.len())];
                    Made::File(kind, *chance.of(&MODES))
                }
            };
            tree.0.entry(path).or_insert(made);
        }
        tree
    }

    /// Whether all names in it are ordinary ones.
    pub fn is_ordinary(&self) -> bool {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/.-_".contains(byte);
        self.0.keys().all(|path| path.as_os_str().as_bytes().iter().all(is_plain))
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
        let is_link = |made: &Made| matches!(made, Made::HardLink(_));
        for links in [false, true] {
            for (path, made) in self.0.iter().filter(|(_, made)| is_link(made) == links) {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                match made {
                    Made::File(kind, mode) => {
                        fs::write(&path, &contents()[kind]).unwrap();
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
        found.insert(name, (metadata.mode(), content, same_as));
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
            gzip -9c program >zipped";
        let output = Command::new("/bin/sh").args(["-ec", script]).current_dir(temp.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let kinds = [
            "object", "shared", "pie", "program", "static", "stripped", "stripped-shared", "noted", "loaded", "archive", "thin",
            "cut", "cut-archive", "longer", "script", "text", "empty", "zipped",
        ];
        kinds.into_iter().map(|kind| (kind, fs::read(temp.path().join(kind)).unwrap())).collect()
    })
}
