//! How long it takes to find what programs and libraries depend on, here and by the machine's `elfdeps`:
//! `cargo bench --bench dependencies`.
//!
//! `FORGE_BENCH_ELF=ROOT` takes the files of another root, and its `elfdeps` (which takes root).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "benchmarks set up the machine that forge works on, and stop by panicking"
)]

use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use rpmforge::engine::{ElfFile, ElfQuestion, read_elf_dependencies};
use rpmforge::macros::RpmVersion;

const SIDES: [&str; 2] = ["--provides", "--requires"];

fn find_elf_files(root: &Path) -> Vec<PathBuf> {
    let mut open = vec![root.join("usr")];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().map(Result::unwrap) {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let mut start = [0; 4];
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file()
                && File::open(&path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
                && &start == b"\x7fELF"
            {
                found.push(path);
            }
        }
    }
    found
}

fn ask_elfdeps(root: &Path, path: &Path, side: &str) {
    let mut command = if root == Path::new("/") {
        Command::new("/usr/lib/rpm/elfdeps")
    } else {
        let mut command = Command::new("chroot");
        command.arg(root).arg("/usr/lib/rpm/elfdeps");
        command
    };
    let mut child = command.arg(side).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "/{}", path.strip_prefix(root).unwrap().display()).unwrap();
    child.wait_with_output().unwrap();
}

fn read_natively(path: &Path, side: &str) {
    let question = ElfQuestion::read(RpmVersion::NEWEST, &[side]).unwrap();
    let file = File::open(path).unwrap();
    let is_executable = file.metadata().unwrap().permissions().mode() & 0o111 != 0;
    let about = ElfFile { name: path.file_name().unwrap().as_encoded_bytes(), is_executable };
    let _ = std::hint::black_box(read_elf_dependencies(&question, about, file));
}

fn main() {
    let root = std::env::var_os("FORGE_BENCH_ELF").map_or_else(|| PathBuf::from("/"), PathBuf::from);
    let files = find_elf_files(&root);
    let measure = |ask: &dyn Fn(&Path, &str)| {
        let begun = Instant::now();
        for path in &files {
            SIDES.iter().for_each(|side| ask(path, side));
        }
        begun.elapsed().as_secs_f64()
    };
    // All are in memory then.
    measure(&read_natively);
    let (own, theirs) = (measure(&read_natively), measure(&|path, side| ask_elfdeps(&root, path, side)));
    println!(
        "{} files: elfdeps {theirs:.3} s, here {own:.3} s, one thread each: {:.4} of it",
        files.len(),
        own / theirs
    );
}
