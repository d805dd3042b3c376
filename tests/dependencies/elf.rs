//! `elfdeps`, asked about each file, and what is found here.

use std::fs::{self, File};
use std::io::{Cursor, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use rpmforge::engine::{ElfFile, ElfQuestion, UnusualElf, read_elf_dependencies};
use rpmforge::macros::RpmVersion;

use super::numbers::Numbers;

/// Ways to call it that are compared for each file.
const USUAL: [&[&str]; 2] = [&["--provides"], &["--requires"]];

/// Ways to call it that are compared for some.
const OTHERS: [&[&str]; 9] = [
    &["-P", "--soname-only"],
    &["-R", "--soname-only"],
    &["--provides", "--no-fake-soname"],
    &["--provides", "--no-filter-soname"],
    &["--requires", "--no-filter-soname"],
    &["--requires", "--require-interp"],
    &["--provides", "--require-interp"],
    &["-P", "-R"],
    &["--provides", "--no-fake-soname", "--no-filter-soname", "--soname-only"],
];

/// Where programs and libraries are.
const FOLDERS: [&str; 5] = ["usr/lib", "usr/lib64", "usr/bin", "usr/sbin", "usr/libexec"];

/// How many files are compared where nobody asks for all.
const MOST_FILES: usize = 1500;

/// An `elfdeps`, and the root that it runs in.
struct Elfdeps {
    program: PathBuf,
    root: PathBuf,
    version: RpmVersion,
}

/// The machine's, and those that `FORGE_TEST_ELFDEPS` names as `VERSION=PROGRAM`, separated by colons.
fn programs() -> Vec<Elfdeps> {
    let others = std::env::var("FORGE_TEST_ELFDEPS").unwrap_or_default();
    let others = others.split(':').filter_map(|other| other.split_once('=')).map(|(version, program)| {
        Elfdeps { program: program.into(), root: "/".into(), version: RpmVersion::read(version).unwrap() }
    });
    std::iter::once(Elfdeps::of(Path::new("/"))).chain(others).collect()
}

impl Elfdeps {
    fn of(root: &Path) -> Self {
        let names = fs::read_dir(root.join("usr/lib/rpm")).unwrap();
        let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let version = names.find_map(|name| name.strip_prefix("rpmpopt-").and_then(RpmVersion::read));
        let program = "/usr/lib/rpm/elfdeps".into();
        Self { program, root: root.to_owned(), version: version.expect("the root has an rpm") }
    }

    /// What it says of a file, which it knows by a path of its root; `None` where it does not come to an end.
    fn ask(&self, options: &[&str], path: &Path) -> Option<Vec<u8>> {
        let mut command = Command::new("timeout");
        command.arg("10");
        if self.root != Path::new("/") {
            command.arg("chroot").arg(&self.root);
        }
        command.arg(&self.program);
        let mut child =
            command.args(options).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
        writeln!(child.stdin.take().unwrap(), "{}", path.display()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code() != Some(124)).then_some(output.stdout)
    }

    fn question(&self, options: &[&str]) -> ElfQuestion {
        ElfQuestion::read(self.version, options).unwrap()
    }
}

fn find_elf_files(root: &Path) -> Vec<PathBuf> {
    let mut open: Vec<PathBuf> = FOLDERS.iter().map(|folder| root.join(folder)).collect();
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().map(Result::unwrap) {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                let mut start = [0; 4];
                let is_read = File::open(&path).and_then(|mut file| file.read_exact(&mut start)).is_ok();
                if is_read && &start == b"\x7fELF" {
                    found.push(path);
                }
            }
        }
    }
    found.sort();
    found
}

fn read_natively(question: &ElfQuestion, path: &Path) -> Result<Vec<u8>, UnusualElf> {
    let is_executable = fs::metadata(path).unwrap().permissions().mode() & 0o111 != 0;
    let name = path.file_name().unwrap().as_encoded_bytes();
    let about = ElfFile { name, is_executable };
    Ok(write_lines(&read_elf_dependencies(question, about, File::open(path).unwrap())?))
}

fn write_lines<L: AsRef<[u8]>>(lines: &[L]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_ref(), b"\n"].concat()).collect()
}

/// Compares what both say of files; gives how many were compared.
fn compare(elfdeps: &Elfdeps, files: &[PathBuf], calls: &[&[&str]]) -> usize {
    let (next, unusual) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let known = Path::new("/").join(path.strip_prefix(&elfdeps.root).unwrap());
                    for options in calls {
                        let said = elfdeps.ask(options, &known).expect("it comes to an end");
                        match read_natively(&elfdeps.question(options), path) {
                            Ok(own) => assert_eq!(
                                String::from_utf8_lossy(&own),
                                String::from_utf8_lossy(&said),
                                "{} {options:?} {}",
                                path.display(),
                                elfdeps.version
                            ),
                            Err(UnusualElf) => {
                                unusual.fetch_add(1, Ordering::Relaxed);
                                eprintln!("unusual: {} {options:?}", path.display());
                            }
                        }
                    }
                }
            });
        }
    });
    // What a distribution ships is made by linkers.
    assert!(unusual.into_inner() * 1000 <= files.len() * calls.len(), "too much is unusual");
    files.len()
}

#[test]
fn files_of_roots_depend_on_what_elfdeps_says() {
    let asked = std::env::var_os("FORGE_TEST_ELF").unwrap_or_default();
    let roots: Vec<PathBuf> = std::env::split_paths(&asked).filter(|root| root.is_absolute()).collect();
    for root in &roots {
        let files = find_elf_files(root);
        let compared = compare(&Elfdeps::of(root), &files, &USUAL);
        eprintln!("{}: {compared} files", root.display());
        let step = files.len() / 200 + 1;
        let some: Vec<PathBuf> = files.into_iter().step_by(step).collect();
        compare(&Elfdeps::of(root), &some, &OTHERS);
    }
    if roots.is_empty() {
        let files = find_elf_files(Path::new("/"));
        assert!(files.len() > 300, "{} files are too few", files.len());
        let step = files.len() / MOST_FILES + 1;
        let some: Vec<PathBuf> = files.iter().step_by(step).cloned().collect();
        let few: Vec<PathBuf> = files.into_iter().step_by(20 * step).collect();
        for elfdeps in programs() {
            compare(&elfdeps, &some, &USUAL);
            compare(&elfdeps, &few, &OTHERS);
        }
    }
}

/// Programs and libraries made for what linkers seldom do: no permission to run, no name, versions of symbols, a made-up name.
const MADE: &str = "
echo 'int f(void) { return 1; } int g(void) { return 2; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
echo 'ONE { global: f; }; TWO { global: g; } ONE;' >versions
gcc -shared -fPIC -o libplain.so f.c
gcc -shared -fPIC -Wl,-soname,libnamed.so.1 -o named.so f.c
gcc -shared -fPIC -Wl,-soname,odd -o libodd.so f.c
gcc -shared -fPIC -Wl,-soname,libversions.so.2 -Wl,--version-script=versions -o libversions.so f.c
gcc -shared -fPIC -o plugin.so f.c
gcc -o linked m.c libversions.so
gcc -o odd-linked m.c libodd.so
gcc -o named-linked m.c ./named.so
gcc -no-pie -o fixed m.c f.c
gcc -static -o static m.c f.c
gcc -static-pie -o static-pie m.c f.c
gcc -Wl,--hash-style=sysv -o old-hash m.c f.c
gcc -Wl,--hash-style=both -o both-hashes m.c f.c
gcc -c f.c -o object.o
gcc -g -shared -fPIC -Wl,-soname,libdebug.so.1 -o libdebug.so f.c
objcopy --only-keep-debug libdebug.so libdebug.so.debug
objcopy --only-keep-debug linked linked.debug
objcopy --strip-section-headers linked no-sections 2>/dev/null || cp linked no-sections
cp linked not-run; chmod 644 not-run
cp libversions.so libexec.so; chmod 644 libexec.so
cp static 'with space'
head -c 100 linked >short
head -c 3000 linked >cut
printf '\\177ELF' >four
";

/// A folder with all that is made.
fn make_files() -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    let made = Command::new("/bin/sh").args(["-ec", MADE]).current_dir(temp.path()).status().unwrap();
    assert!(made.success());
    temp
}

/// Asserts that lines are those that elfdeps wrote, which counts damaged tables up to numbers that they may say: then nobody waits.
#[track_caller]
fn assert_said(own: &[u8], elfdeps: &Elfdeps, options: &[&str], path: &Path, what: &str) {
    let Some(said) = elfdeps.ask(options, path) else { return };
    let (own, said) = (String::from_utf8_lossy(own), String::from_utf8_lossy(&said));
    assert_eq!(own, said, "{what} {options:?}, elfdeps {}", elfdeps.version);
}

#[test]
fn made_files_depend_on_what_elfdeps_says() {
    let temp = make_files();
    for elfdeps in programs() {
        let mut read = 0;
        for path in fs::read_dir(temp.path()).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            for options in USUAL.iter().chain(&OTHERS) {
                let Ok(own) = read_natively(&elfdeps.question(options), &path) else {
                    let is_none =
                        name.ends_with(".c") || ["versions", "short", "cut", "four"].contains(&name);
                    assert!(is_none, "{name} is unusual");
                    continue;
                };
                assert_said(&own, &elfdeps, options, &path, name);
                read += 1;
            }
        }
        assert!(read > 200, "{read}");
    }
}

/// Changes a few bytes of a file: in its header, in the tables of segments and sections, or among what is read.
fn damage(numbers: &mut Numbers, bytes: &mut [u8]) {
    let sections = usize::try_from(u64::from_le_bytes(bytes[40..48].try_into().unwrap())).unwrap();
    for _ in 0..=numbers.below(3) {
        let at = match numbers.below(4) {
            0 => numbers.below(64),
            1 => 64 + numbers.below(56 * 12),
            2 => sections + numbers.below(bytes.len() - sections),
            _ => numbers.below(bytes.len().min(6000)),
        };
        let wrong = [0, 1, 0xff, 0x7f, bytes[at] ^ 1, bytes[at].wrapping_add(1)];
        bytes[at] = wrong[numbers.below(wrong.len())];
    }
}

/// Whatever is damaged in a file, what is found is what elfdeps finds, or nothing is said of it.
#[test]
fn damaged_files_depend_on_what_elfdeps_says_or_are_unusual() {
    let rounds = std::env::var("FORGE_TEST_ROUNDS").map_or(200, |rounds| rounds.parse().unwrap());
    let temp = make_files();
    let path = temp.path().join("damaged.so");
    for elfdeps in programs() {
        let (mut numbers, mut read) = (Numbers(1), 0);
        for round in 0..rounds {
            let name =
                ["linked", "libversions.so", "named.so", "both-hashes", "libdebug.so.debug"][round % 5];
            let mut bytes = fs::read(temp.path().join(name)).unwrap();
            damage(&mut numbers, &mut bytes);
            fs::write(&path, &bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            for options in USUAL.iter().chain(&OTHERS[..6]) {
                let about = ElfFile { name: b"damaged.so", is_executable: true };
                let own = read_elf_dependencies(&elfdeps.question(options), about, Cursor::new(&bytes));
                let Ok(own) = own else { continue };
                assert_said(&write_lines(&own), &elfdeps, options, &path, &format!("{name}, round {round}:"));
                read += 1;
            }
        }
        assert!(read > rounds * 2, "{read} damaged files are read");
    }
}
