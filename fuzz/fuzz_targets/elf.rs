//! Any bytes depend on something that can be written down, or are no ELF file as linkers make it.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use rpmforge::engine::{ElfFile, ElfQuestion, read_elf_dependencies};
use rpmforge::macros::RpmVersion;

/// Calls of rpm's program that have all of its rules in them.
const CALLS: [(u16, u16, &[&str]); 5] = [
    (4, 16, &["--requires", "--filter-private"]),
    (4, 18, &["--provides", "--no-filter-soname"]),
    (4, 20, &["--requires", "--require-interp"]),
    (6, 1, &["--provides", "--no-fake-soname", "--soname-only"]),
    (6, 1, &["--requires", "--no-filter-soname", "--multifile"]),
];

fuzz_target!(|bytes: &[u8]| {
    for (major, minor, options) in CALLS {
        let question = ElfQuestion::read(RpmVersion::new(major, minor), options).expect("they are known");
        let about = ElfFile { name: b"libfuzz.so", is_executable: bytes.len() % 2 == 0 };
        for line in read_elf_dependencies(&question, about, Cursor::new(bytes)).into_iter().flatten() {
            assert!(!line.starts_with(b";") && !line.iter().any(u8::is_ascii_control), "{line}");
        }
    }
});
