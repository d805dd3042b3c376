//! Policies of which it is known when there is nothing for them to do. Where there is, the script does it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use bstr::ByteSlice;

use super::buildroot::{Beginning, FoundFile, Unusual, has_ordinary_name, last_part};
use super::content::{beginning, first_line};
use super::known::OtherPolicy;
use super::removal::is_program;
use super::situation::{Done, Situation};

/// What makes links of libraries.
const LINKER: &str = "/sbin/ldconfig";

/// The options of the script that changes interpreters, each with a value.
const SHEBANG_OPTIONS: [&str; 4] = ["--files", "--files-from", "--shebangs", "--shebangs-from"];

/// How much of a script is looked at, in bytes.
const SHEBANG_LENGTH: u64 = 512;

/// What somebody may run.
const ANY_PROGRAM: u32 = 0o111;

/// Whether a script does with these arguments what is known of it.
pub(super) fn understands(policy: OtherPolicy, arguments: &[OsString]) -> bool {
    match policy {
        OtherPolicy::PythonBytecompile { takes_extra } => {
            let extra = arguments.get(2).map(|word| word.as_bytes()).unwrap_or_default();
            matches!(extra, b"" | b"0") || (takes_extra && extra == b"1")
        }
        OtherPolicy::MangleShebangs => arguments.chunks(2).all(|pair| match pair {
            [option, _] => SHEBANG_OPTIONS.iter().any(|known| *known == option.as_os_str()),
            _ => false,
        }),
        OtherPolicy::PythonHardlink | OtherPolicy::LinkLibraries | OtherPolicy::StripLto => true,
    }
}

/// Ends well where the policy has nothing to do.
pub(super) fn leave_alone(situation: &Situation<'_>, policy: OtherPolicy) -> Result<Done, Unusual> {
    let files = &situation.found.files;
    let has_ending = |ending: &[u8]| files.iter().any(|file| file.path.ends_with(ending));
    let has_work = match policy {
        OtherPolicy::PythonBytecompile { .. } => has_ending(b".py") || has_python_folder(situation),
        OtherPolicy::PythonHardlink => has_ending(b".pyc"),
        OtherPolicy::LinkLibraries => has_library(situation) || !is_program(LINKER),
        OtherPolicy::StripLto => has_ending(b".a") || has_ending(b".o"),
        OtherPolicy::MangleShebangs => {
            let may_run = |file: &&FoundFile| file.mode & ANY_PROGRAM != 0;
            let mut files = files.iter().filter(may_run);
            !files.all(|file| is_left_alone(situation, file).unwrap_or(false))
        }
    };
    if has_work { Err(Unusual) } else { Ok(Done::UNCHANGED) }
}

/// Whether a folder is called as Python's own are, or one above it.
fn has_python_folder(situation: &Situation<'_>) -> bool {
    let is_python = |path: &[u8]| {
        path.find_iter("python").any(|at| path.get(at.saturating_add(6)).is_some_and(u8::is_ascii_digit))
    };
    is_python(situation.found.folder.path().as_os_str().as_bytes())
        || situation.found.folders.iter().any(|path| is_python(path))
}

/// Whether a name is one that ldconfig(8) looks at.
fn has_library(situation: &Situation<'_>) -> bool {
    let found = situation.found;
    let paths = found.files.iter().map(|file| &file.path).chain(&found.links).chain(&found.folders);
    let mut names = paths.map(|path| last_part(path));
    names.any(|name| name.starts_with(b"l") && name.contains_str(".so"))
}

/// Whether the interpreter of a file that can be run is named as it should be, or it is a program.
fn is_left_alone(situation: &Situation<'_>, file: &FoundFile) -> Result<bool, Unusual> {
    let start = || beginning(situation.found.folder.dir(), file, SHEBANG_LENGTH);
    match file.beginning {
        Beginning::Program => Ok(is_whole_program(&start()?)),
        Beginning::Other => Ok(has_ordinary_name(&file.path) && first_line(&start()?).is_some_and(is_kept)),
        Beginning::Archive | Beginning::ThinArchive | Beginning::Unknown => Ok(false),
    }
}

/// Whether file(1) calls it a program, whatever follows: it knows how many bits it has, their order, and its kind.
fn is_whole_program(start: &[u8]) -> bool {
    let Some([_, _, _, _, bits, order, ..]) = start.get(..20) else { return false };
    let kind = match (order, start.get(16), start.get(17)) {
        (1, Some(low), Some(0)) => *low,
        (2, Some(0), Some(low)) => *low,
        _ => 0,
    };
    matches!(bits, 1 | 2) && matches!(kind, 1..=4)
}

/// Whether a first line names an interpreter that all versions of the script leave as it is.
fn is_kept(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"#!") else { return false };
    let interpreter = rest.strip_prefix(b" ").unwrap_or(rest);
    let is_plain = interpreter.split_str(" ").all(|word| !word.is_empty() && has_ordinary_name(word));
    let is_ambiguous = |(at, name): (usize, &[u8])| {
        matches!(interpreter.get(at.saturating_add(name.len())), None | Some(b' '))
    };
    let pythons = interpreter.find_iter("/bin/python").map(|at| (at, b"/bin/python".as_slice()));
    is_plain
        && interpreter.starts_with(b"/")
        && !interpreter.starts_with(b"/bin/")
        && !interpreter.contains_str("/env")
        && !pythons.into_iter().any(is_ambiguous)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_are_kept_that_are_named_as_they_should_be() {
        for line in ["#!/usr/bin/bash", "#! /usr/bin/sh -e", "#!/usr/bin/python3 -s", "#!/usr/sbin/x"] {
            assert!(is_kept(line.as_bytes()), "{line}");
        }
        for line in [
            "",
            "#!",
            "#!bash",
            "#!/bin/sh",
            "#!/usr/bin/env bash",
            "#!/usr/bin/python",
            "#!/usr/bin/python -E",
            "#!/usr/bin/a  b",
            "#!/usr/bin/sh ",
            "text",
            "#!/usr/bin/a\\b",
        ] {
            assert!(!is_kept(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_program_says_what_it_is() {
        let start = |order: u8, kind: [u8; 2]| {
            [b"\x7fELF\x02".as_slice(), &[order, 1], &[0; 9], &kind, &[62, 0]].concat()
        };
        assert!(is_whole_program(&start(1, [3, 0])) && is_whole_program(&start(2, [0, 2])));
        assert!(!is_whole_program(&start(1, [0, 3])) && !is_whole_program(&start(0, [3, 0])));
        assert!(!is_whole_program(b"\x7fELF"));
    }
}
