//! What files are by their first bytes, where file(1) does not say it, and how wide programs are.

use std::io::Read;

use bstr::ByteSlice;

use super::super::files::PackagedFile;
use super::class::Class;
use crate::files::Folder;

/// The first bytes of a file.
fn read_start(root: Option<&Folder>, entry: &PackagedFile, length: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(file) = root.and_then(|root| root.open(&entry.on_disk).ok()) {
        // What can't be read has no beginning.
        let _ = file.take(length).read_to_end(&mut bytes);
    }
    bytes
}

/// What a file is by its first bytes, in the words that file(1) has for it.
pub(super) fn classify_by_start(root: Option<&Folder>, entry: &PackagedFile) -> Class {
    let bytes = read_start(root, entry, 4096);
    match bytes.as_slice() {
        [] => Class::new("empty", "inode/x-empty"),
        [0x7f, b'E', b'L', b'F', width, order, ..] => {
            let width = if *width == 1 { 32 } else { 64 };
            let order = if *order == 2 { "MSB" } else { "LSB" };
            let (what, mime) = match bytes.get(16..18) {
                Some([1, 0] | [0, 1]) => ("relocatable", "application/x-object"),
                Some([2, 0] | [0, 2]) => ("executable", "application/x-executable"),
                _ => ("shared object", "application/x-sharedlib"),
            };
            Class::new(format!("ELF {width}-bit {order} {what}"), mime)
        }
        [b'#', b'!', line @ ..] => {
            let line = line.lines().next().unwrap_or_default().trim_ascii();
            Class::new(describe_script(line), "text/x-script")
        }
        text if text.contains(&0) => Class::new("data", "application/octet-stream"),
        text if text.is_ascii() => Class::new("ASCII text", "text/plain"),
        _ => Class::new("Unicode text, UTF-8 text", "text/plain"),
    }
}

/// A script, by its first line behind `#!`, as file(1) describes it.
fn describe_script(line: &[u8]) -> String {
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
pub(super) fn read_color(root: Option<&Folder>, entry: &PackagedFile) -> u32 {
    const BPF: u16 = 247;
    if !entry.is_regular() || !entry.is_there || !entry.mode.permissions.can_run() {
        return 0;
    }
    let head = read_start(root, entry, 64);
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
    fn scripts_are_known_without_file() {
        assert_eq!(describe_script(b"/usr/bin/env python3"), "Python script, ASCII text executable");
        assert_eq!(
            describe_script(b"/usr/bin/tclsh -f"),
            "a /usr/bin/tclsh -f script, ASCII text executable"
        );
    }
}
