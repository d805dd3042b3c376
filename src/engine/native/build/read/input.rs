//! What builds begin with other than a spec: source packages, and archives with a spec in them.

use std::io::{BufReader, Read};
use std::path::Path;

use bstr::ByteSlice;

use super::super::files::flag;
use super::super::problem::BuildProblem;
use super::super::root_files::{RootFiles, plain_reason};
use super::super::world::{BuildListener, World};
use crate::engine::limits::LARGEST_SPEC;
use crate::files::{Folder, HostPath, reason};
use crate::macros::{Macros, Stop};
use crate::package::{Compression, Tag, decompressed, read_headers, unpack};

/// Puts the files of a source package where builds look for them; gives the spec.
///
/// # Errors
/// It is none, or its files can't be written; the listener has been told.
pub fn install_source_package(
    macros: &Macros,
    files: &RootFiles,
    listener: &dyn BuildListener,
    file: &HostPath,
    shown: &str,
) -> Result<HostPath, Stop> {
    let world = World::new(macros, files, listener);
    world.notice(format!("Installing {shown}"));
    let wrong = |reason: String| world.fail(BuildProblem::SourcePackage { file: shown.to_owned(), reason });
    let opened = files.open_file(file);
    let mut reader = opened.map_err(|error| {
        world.fail(BuildProblem::CannotOpen { file: shown.to_owned(), reason: plain_reason(&error) })
    })?;
    let headers = read_headers(&mut reader).map_err(|error| wrong(error.to_string()))?;
    if !headers.is_source && !headers.header.has(Tag::SOURCE_PACKAGE) {
        return Err(wrong("it is no source package".to_owned()));
    }
    let names = headers.header.texts(Tag::BASENAMES);
    let flags = headers.header.numbers(Tag::FILEFLAGS);
    let is_spec = |flags: &u64| flags & u64::from(flag::SPEC_FILE) != 0;
    let marked = names.iter().zip(flags).find(|(_, flags)| is_spec(flags)).map(|(name, _)| name);
    let named = || names.iter().find(|name| name.ends_with(b".spec"));
    let spec = marked.or_else(named).ok_or_else(|| wrong("it holds no spec".to_owned()))?;
    let spec = Path::new(spec.to_str().map_err(|error| wrong(error.to_string()))?);
    if spec.components().count() != 1 || spec.file_name().is_none() {
        return Err(wrong("the spec in it lies outside of it".to_owned()));
    }
    let sources = open_named_folder(world, "%{_sourcedir}")?;
    let specs = open_named_folder(world, "%{_specdir}")?;
    let reader = files.open_file(file).map_err(|error| wrong(reason(&error)))?;
    unpack(shown, reader, &sources).map_err(|error| wrong(error.to_string()))?;
    if sources.path() != specs.path() {
        let moved = sources.read(spec).and_then(|text| specs.write_atomic(spec, &text));
        moved.and_then(|()| sources.remove_file(spec)).map_err(|error| wrong(reason(&error)))?;
    }
    Ok(specs.path().join(spec))
}

/// Takes the spec out of an archive; gives the spec. The archive itself is among the sources from now on.
///
/// # Errors
/// There is none in it, or it can't be written; the listener has been told.
pub fn extract_spec(
    macros: &Macros,
    files: &RootFiles,
    listener: &dyn BuildListener,
    file: &HostPath,
    shown: &str,
) -> Result<HostPath, Stop> {
    let world = World::new(macros, files, listener);
    let reader = files.open_file(file).map_err(|error| {
        let (file, reason) = (shown.to_owned(), plain_reason(&error));
        world.tell(BuildProblem::Archive { file, reason });
        world.fail(BuildProblem::NoSpecInArchive { file: shown.to_owned() })
    })?;
    let none = || world.fail(BuildProblem::NoSpecInArchive { file: shown.to_owned() });
    let (name, text) = find_spec(reader).map_err(|_| none())?.ok_or_else(none)?;
    let specs = open_named_folder(world, "%{_specdir}")?;
    let written = specs.write_atomic(&name, &text);
    written.map_err(|error| {
        world.fail(BuildProblem::Archive { file: shown.to_owned(), reason: reason(&error) })
    })?;
    Ok(specs.path().join(name))
}

/// The first `Specfile` or `*.spec` of an archive, with its text.
fn find_spec(mut reader: BufReader<std::fs::File>) -> std::io::Result<Option<(String, Vec<u8>)>> {
    use std::io::BufRead;
    let compression = match reader.fill_buf()? {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [b'B', b'Z', b'h', ..] => Compression::Bzip2,
        [0xfd, b'7', b'z', ..] => Compression::Xz,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        [0x5d, 0, 0, ..] => Compression::Lzma,
        _ => Compression::None,
    };
    let mut archive = tar::Archive::new(decompressed(compression, reader)?);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path_bytes().into_owned();
        let name = path.rsplit_once_str("/").map_or(path.as_slice(), |(_, name)| name);
        let is_spec = name == b"Specfile" || name.ends_with(b".spec") && name.len() > b".spec".len();
        if !is_spec || !entry.header().entry_type().is_file() || entry.size() > LARGEST_SPEC {
            continue;
        }
        let name = name.to_str_lossy().into_owned();
        let mut text = Vec::new();
        entry.read_to_end(&mut text)?;
        return Ok(Some((name, text)));
    }
    Ok(None)
}

/// The folder that macros name; it is made where it is not there.
fn open_named_folder(world: World<'_>, text: &str) -> Result<Folder, Stop> {
    let value = world.expand(text)?;
    let wrong = |reason: String| {
        let file = value.to_str_lossy().into_owned();
        world.fail(BuildProblem::Archive { file, reason })
    };
    let path = HostPath::new(value.to_path_lossy()).ok_or_else(|| wrong("no absolute path".to_owned()))?;
    world.files.create_folder(&path).map_err(|error| wrong(reason(&error)))
}
