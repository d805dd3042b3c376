//! Policies that only look: for the buildroot's own path in files, and for places of libraries in programs. Where they would
//! say something, the scripts say it.

use std::path::Path;

use bstr::ByteSlice;
use object::Endianness;
use object::elf::{DT_RPATH, DT_RUNPATH, ET_REL, FileHeader32, FileHeader64};
use object::read::archive::ArchiveFile;
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader};
use object::read::{FileKind, ReadCache, ReadRef};
use rayon::prelude::*;

use super::buildroot::{Beginning, FoundFile, Unusual};
use super::content::{contains, open};
use super::known::is_run_path_worker;
use super::programs::PolicyVariables;
use super::situation::{Done, Situation, variable};
use crate::files::{HostPath, Tree};

/// The script that looks at each program.
const RUN_PATH_WORKER: &str = "/usr/lib/rpm/check-rpaths-worker";

/// How files end that may have the path of the buildroot in them; those of `.packlist` have that name.
const FREE_ENDINGS: [&[u8]; 4] = [b".pyo", b".pyc", b".elc", b"/.packlist"];

/// Where temporary files are if nothing else is said.
const TEMPORARY: &str = "/tmp";

/// Looks for the path of the buildroot in all files.
pub(super) fn check_contents(situation: &Situation<'_>) -> Result<Done, Unusual> {
    if situation.variable("QA_SKIP_BUILD_ROOT").is_some() {
        return Ok(Done::UNCHANGED);
    }
    // Without a place for temporary files the scripts fail in ways of their own.
    let tree = Tree::open(&HostPath::root()).map_err(|_| Unusual)?;
    let temporary = situation.variable("TMPDIR").unwrap_or(TEMPORARY.as_ref());
    tree.folder(Path::new(temporary)).map_err(|_| Unusual)?;
    let dir = situation.found.folder.dir();
    let path = situation.found.folder.path().as_os_str().as_encoded_bytes();
    let is_free = |file: &FoundFile| {
        let full = [b"/", file.path.as_bytes()].concat();
        file.path.is_ascii() && FREE_ENDINGS.iter().any(|ending| full.ends_with(ending))
    };
    let look = |file: &FoundFile| match file.beginning {
        Beginning::Unknown => Err(Unusual),
        Beginning::Program | Beginning::Archive | Beginning::ThinArchive | Beginning::Other => {
            if is_free(file) { Ok(false) } else { contains(dir, file, path) }
        }
    };
    let has_path = situation.found.files.par_iter().with_min_len(16).any(|file| look(file) != Ok(false));
    if has_path { Err(Unusual) } else { Ok(Done::UNCHANGED) }
}

/// Whether a script does here what is known of it.
pub(super) fn understands(environment: &PolicyVariables) -> bool {
    variable(environment, "QA_SKIP_RPATHS").is_none()
}

/// Looks for programs that say where libraries are.
pub(super) fn check_run_paths(situation: &Situation<'_>) -> Result<Done, Unusual> {
    let tree = Tree::open(&HostPath::root()).map_err(|_| Unusual)?;
    let worker = tree.read(Path::new(RUN_PATH_WORKER)).map_err(|_| Unusual)?;
    if !is_run_path_worker(&worker) {
        return Err(Unusual);
    }
    let dir = situation.found.folder.dir();
    let look = |file: &FoundFile| match file.beginning {
        Beginning::Other => Ok(false),
        Beginning::Program => program_has_run_path(&ReadCache::new(open(dir, file)?.into_std())),
        Beginning::Archive => archive_has_others(&ReadCache::new(open(dir, file)?.into_std())),
        Beginning::ThinArchive | Beginning::Unknown => Err(Unusual),
    };
    let has_any = situation.found.files.par_iter().with_min_len(16).any(|file| look(file) != Ok(false));
    if has_any { Err(Unusual) } else { Ok(Done::UNCHANGED) }
}

/// Whether a program may say where libraries are.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other kinds are no ELF files")]
fn program_has_run_path<'d>(data: impl ReadRef<'d>) -> Result<bool, Unusual> {
    let found = match FileKind::parse(data).map_err(|_| Unusual)? {
        FileKind::Elf32 => has_run_path::<FileHeader32<Endianness>, _>(data),
        FileKind::Elf64 => has_run_path::<FileHeader64<Endianness>, _>(data),
        _ => return Err(Unusual),
    };
    found.map_err(|_| Unusual)
}

fn has_run_path<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(data: R) -> object::Result<bool> {
    let header = H::parse(data)?;
    let endian = header.endian()?;
    let says = |table: &[H::Dyn]| {
        table.iter().any(|entry| {
            let tag = entry.tag(endian);
            tag == DT_RPATH || tag == DT_RUNPATH
        })
    };
    for segment in header.program_headers(endian, data)? {
        if segment.dynamic(endian, data)?.is_some_and(says) {
            return Ok(true);
        }
    }
    for section in header.sections(endian, data)?.iter() {
        if section.dynamic(endian, data)?.is_some_and(|(table, _)| says(table)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an archive has something else in it than objects, which have no such tables.
fn archive_has_others<'d>(data: impl ReadRef<'d>) -> Result<bool, Unusual> {
    let archive = ArchiveFile::parse(data).map_err(|_| Unusual)?;
    for member in archive.members() {
        let content = member.and_then(|member| member.data(data)).map_err(|_| Unusual)?;
        let is_object = match FileKind::parse(content) {
            Ok(FileKind::Elf32) => is_plain_object::<FileHeader32<Endianness>>(content),
            Ok(FileKind::Elf64) => is_plain_object::<FileHeader64<Endianness>>(content),
            Ok(_) | Err(_) => false,
        };
        if !is_object {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_plain_object<H: FileHeader<Endian = Endianness>>(content: &[u8]) -> bool {
    let Ok(header) = H::parse(content) else { return false };
    header.endian().is_ok_and(|endian| header.e_type(endian) == ET_REL && header.e_phnum(endian) == 0)
}
