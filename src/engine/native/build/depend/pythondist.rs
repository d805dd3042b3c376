//! The root's `pythondistdeps.py`: whether it is one that is known, and what it would say of metadata in the buildroot.

use std::io;
use std::path::Path;

use bstr::{BString, ByteSlice};
use cap_std::fs::MetadataExt;

use super::super::files::PackagedFile;
use super::super::world::World;
use super::not_known::NotKnown;
use super::program_file::read_program;
use crate::digest::{Checksum, ChecksumAlgorithm};
use crate::engine::native::pythondist_dependencies::{
    PythondistQuestion, PythondistRules, UnusualPythondist, read_pythondist_dependencies,
};
use crate::files::Folder;

/// SHA-256 of the scripts that are known, without their first lines and comments: distributions write other interpreters there, and
/// names of authors in other encodings.
const SCRIPTS: [(&str, PythondistRules); 5] = [
    // python-rpm-packaging: three steps up to the one that nearly all have, and its last one.
    ("4c600c79e314431dedc41f4866cb6dd1c09bf982d51d73ec0147333f49115256", PythondistRules::Early),
    ("705d37ca1b2f71169dfb32534deeeb58b60ec7b19c50c9dff3e208942dadcab0", PythondistRules::Early),
    ("010d02fc85f906273865520465e07d66341d3f5674760fd83eecc520a6394f26", PythondistRules::Early),
    ("7a1684c60fb416193917e1f0e834dcd108625ad5a9f70677f4c864611764dc6c", PythondistRules::Early),
    // Azure Linux 3.
    ("61fa744847a5536b87dda4f9946b36d5a2461271290c098409d409db988ad79a", PythondistRules::Late),
];

/// The script fails without this module, and says so.
const PACKAGING: &str = "/usr/lib*/python3*/*-packages/packaging";

/// Variables by which Python does other things begin like this; some of them change nothing that counts here.
const PYTHON_VARIABLES: &[u8] = b"PYTHON";
const HARMLESS_VARIABLES: [&[u8]; 4] =
    [b"PYTHONDONTWRITEBYTECODE", b"PYTHONHASHSEED", b"PYTHONNOUSERSITE", b"PYTHONUNBUFFERED"];

/// The rules of the root's script, if it is known and can be run.
pub(super) fn find_pythondist_rules(world: World<'_>, program: &[u8]) -> Option<PythondistRules> {
    let is_plain =
        |name: &Vec<u8>| !name.starts_with(PYTHON_VARIABLES) || HARMLESS_VARIABLES.contains(&name.as_slice());
    if !world.macros.variable_names().iter().all(is_plain) {
        return None;
    }
    let rules = find_rules(&read_program(world, program)?)?;
    (!world.macros.glob(PACKAGING.as_bytes()).is_empty()).then_some(rules)
}

/// What the script would say of metadata of which it is told `path`.
pub(super) fn answer_pythondist(
    question: &PythondistQuestion,
    root: &Folder,
    file: &PackagedFile,
    path: &[u8],
) -> Result<Vec<BString>, NotKnown> {
    let is_folder = file.is_folder();
    if !is_folder && !file.is_regular() {
        return Err(NotKnown);
    }
    let open = |name: &str| match (name, is_folder) {
        ("", false) => open_readable(root, &file.on_disk),
        ("", true) | (_, false) => Ok(None),
        (name, true) => open_readable(root, &file.on_disk.join(name)),
    };
    read_pythondist_dependencies(question, path, open).map_err(|UnusualPythondist| NotKnown)
}

/// Opens a file; gives none if it is not there.
fn open_readable(root: &Folder, path: &Path) -> Result<Option<std::fs::File>, UnusualPythondist> {
    match root.open_regular_with_metadata(path) {
        Ok((file, metadata)) if metadata.mode() & 0o400 != 0 => Ok(Some(file.into_std())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => Err(UnusualPythondist),
    }
}

fn find_rules(script: &[u8]) -> Option<PythondistRules> {
    let (first, rest) = script.split_once_str("\n")?;
    // Python takes other ends of lines as well.
    let is_odd = |byte: &u8| byte.is_ascii_control() && *byte != b'\n';
    if !is_python(first) || rest.iter().any(is_odd) {
        return None;
    }
    let is_comment = |line: &&[u8]| line.trim_start_with(|sign| sign == ' ').starts_with(b"#");
    let lines: Vec<&[u8]> = rest.split(|byte| *byte == b'\n').filter(|line| !is_comment(line)).collect();
    let sum = Checksum::compute(ChecksumAlgorithm::Sha256, &lines.join(b"\n".as_slice()));
    SCRIPTS.into_iter().find(|(known, _)| sum.hex() == *known).map(|(_, rules)| rules)
}

/// Whether a first line has Python run the script, as distributions write it.
fn is_python(first: &[u8]) -> bool {
    let mut words = first.strip_prefix(b"#!").unwrap_or_default().fields();
    let program = words.next().and_then(|program| program.strip_prefix(b"/usr/bin/python"));
    let is_version = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let is_option = |word: &[u8]| matches!(word, b"-s" | b"-E" | b"-I" | b"-P" | b"-sP" | b"-Es");
    program.is_some_and(|version| version.iter().all(is_version)) && words.all(is_option)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_run_by_python() {
        for line in ["#!/usr/bin/python3", "#! /usr/bin/python", "#!/usr/bin/python3.11 -s"] {
            assert!(is_python(line.as_bytes()), "{line}");
        }
        for line in ["", "#!/bin/sh", "/usr/bin/python3", "#!/usr/bin/python3 -c", "#!/usr/bin/env python3"] {
            assert!(!is_python(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn what_is_no_known_script_has_no_rules() {
        assert_eq!(find_rules(b"#!/usr/bin/python3\nprint('x')\n"), None);
        assert_eq!(find_rules(b"#!/usr/bin/python3"), None);
    }
}
