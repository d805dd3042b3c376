//! What programs and libraries provide and require, as rpm's `elfdeps` says it (rpm-dependency-generators(7)).
//!
//! [`ElfQuestion`] is a call of that program: which dependencies, by which options, of which rpm. What the versions do
//! otherwise stands in one place, `Rules`. A file that is not as linkers make it is [`UnusualElf`]: about it the program itself
//! is asked, because what libelf makes of it is nobody's promise.

mod found;
mod question;
mod tables;
mod unusual;

use std::io::{Read, Seek};

use bstr::BString;
use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::{ReadCache, ReadRef};

use found::FoundDependencies;
pub use question::{ElfFile, ElfQuestion};
use tables::Tables;
pub use unusual::UnusualElf;

/// The classes of ELF files, as byte 4 says them.
const CLASS_32: u8 = 1;
const CLASS_64: u8 = 2;

/// Answers a question about a file: the lines that the program would write, in its order and with its repetitions.
///
/// # Errors
/// The file is not as linkers make it, or can't be read.
pub fn read_elf_dependencies(
    question: &ElfQuestion,
    about: ElfFile<'_>,
    content: impl Read + Seek,
) -> Result<Vec<BString>, UnusualElf> {
    let content = ReadCache::new(content);
    let start = (&content).read_bytes_at(0, 8).map_err(|()| UnusualElf)?;
    let [0x7f, b'E', b'L', b'F', class, ..] = start else {
        return Err(UnusualElf);
    };
    let found = FoundDependencies::new(question, about);
    match *class {
        CLASS_32 => Tables::<FileHeader32<Endianness>, _>::open(&content)?.find(found),
        CLASS_64 => Tables::<FileHeader64<Endianness>, _>::open(&content)?.find(found),
        _ => Err(UnusualElf),
    }
}
