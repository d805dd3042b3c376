//! The root's pkg-config, which `pkgconfigdeps.sh` runs: whether it is a pkgconf that is known, and nothing in the environment changes
//! what it says.

use bstr::ByteSlice;
use cap_std::fs::MetadataExt;

use super::super::world::World;
use super::program_file::read_program;
use crate::files::HostPath;

/// The program that the script runs.
const PROGRAM: &str = "/usr/bin/pkg-config";

/// The versions of pkgconf that were compared, without their last number.
const OLDEST: (u32, u32) = (1, 4);
const NEWEST: (u32, u32) = (3, 0);

/// Texts that stand in each pkgconf of those.
const PKGCONF_TEXTS: [&str; 3] =
    ["print-provides", "print-requires-private", "PKG_CONFIG_MAXIMUM_TRAVERSE_DEPTH"];

/// Variables that the script, or the shell that runs it, takes as they are.
const SCRIPT_VARIABLES: [&[u8]; 4] = [b"i", b"BASH_ENV", b"BASHOPTS", b"SHELLOPTS"];

/// Variables by which pkgconf says other things begin like this; the script sets two of them itself.
const PKGCONF_VARIABLES: &[u8] = b"PKG_CONFIG";
const OWN_VARIABLES: [&[u8]; 2] = [b"PKG_CONFIG_PATH", b"PKG_CONFIG_MAXIMUM_TRAVERSE_DEPTH"];

/// The variables that distributions set in a script that is their pkg-config: where else files are, which are not looked for here.
const WRAPPER_VARIABLES: [&str; 3] =
    ["PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSTEM_LIBRARY_PATH", "PKG_CONFIG_SYSTEM_INCLUDE_PATH"];

/// Whether the root's pkg-config is known, as the script would call it.
pub(super) fn is_pkgconf_known(world: World<'_>) -> bool {
    if !has_plain_environment(world) {
        return false;
    }
    match read_runnable(world, PROGRAM.as_bytes()) {
        Some(text) if text.starts_with(b"#!") => {
            is_wrapper(&text)
                && find_in_path(world, "pkgconf")
                    .and_then(|path| read_runnable(world, &path))
                    .is_some_and(|text| is_pkgconf(&text))
        }
        Some(text) => is_pkgconf(&text),
        None => false,
    }
}

fn has_plain_environment(world: World<'_>) -> bool {
    let is_plain = |name: &Vec<u8>| {
        let is_pkgconf = name.starts_with(PKGCONF_VARIABLES) && !OWN_VARIABLES.contains(&name.as_slice());
        !is_pkgconf && !SCRIPT_VARIABLES.contains(&name.as_slice()) && !name.starts_with(b"BASH_FUNC_")
    };
    world.macros.variable_names().iter().all(is_plain)
}

/// What a program holds that everybody can run.
fn read_runnable(world: World<'_>, path: &[u8]) -> Option<Vec<u8>> {
    let (_, metadata) = world.files.find(&HostPath::new(path.to_path().ok()?)?).ok()?;
    let is_runnable = metadata.is_file() && metadata.mode() & 0o111 == 0o111;
    is_runnable.then(|| read_program(world, path)).flatten()
}

/// Where a program is that is called by its name.
fn find_in_path(world: World<'_>, name: &str) -> Option<Vec<u8>> {
    let folders = world.macros.variable(b"PATH")?;
    let mut paths = folders.split_str(":").map(|folder| [folder, b"/", name.as_bytes()].concat());
    paths.find(|path| !path.starts_with(b"/") || world.macros.exists(path))
}

/// Whether a script only sets variables of [`WRAPPER_VARIABLES`], and is pkgconf then.
fn is_wrapper(script: &[u8]) -> bool {
    let mut lines = script.lines().filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    let is_last = |line: &[u8]| line == br#"exec pkgconf "$@""#;
    let is_wrapper = lines.find(|line| !sets_folders(line)).is_some_and(is_last);
    let starts_plainly = script.starts_with(b"#!/bin/sh\n") || script.starts_with(b"#!/usr/bin/sh\n");
    starts_plainly && is_wrapper && lines.next().is_none()
}

/// Whether a line is `export NAME="${NAME:-folders}"`.
fn sets_folders(line: &[u8]) -> bool {
    WRAPPER_VARIABLES.into_iter().any(|name| {
        let start = format!("export {name}=\"${{{name}:-");
        let folders = line.strip_prefix(start.as_bytes()).and_then(|rest| rest.strip_suffix(b"}\""));
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._+-:".contains(byte);
        folders.is_some_and(|folders| folders.iter().all(is_plain))
    })
}

/// Whether a program is a pkgconf of a version that was compared, as far as that can be seen.
fn is_pkgconf(program: &[u8]) -> bool {
    let has = |text: &str| program.contains_str(text);
    let mut versions = program.split(|byte| *byte == 0).filter_map(read_version);
    let version = versions.next().filter(|_| versions.next().is_none());
    let is_compared = version.is_some_and(|version| (OLDEST..=NEWEST).contains(&version));
    program.starts_with(b"\x7fELF") && is_compared && PKGCONF_TEXTS.into_iter().all(has)
}

/// Reads a text that is three numbers.
fn read_version(text: &[u8]) -> Option<(u32, u32)> {
    let numbers: Vec<&str> = text.to_str().ok()?.split('.').collect();
    let [major, minor, patch] = numbers.as_slice() else {
        return None;
    };
    let is_number = |text: &&&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    [major, minor, patch].iter().all(is_number).then_some(())?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: &[u8] =
        b"\x7fELF\0print-provides\0print-requires-private\0PKG_CONFIG_MAXIMUM_TRAVERSE_DEPTH\0";

    #[test]
    fn pkgconf_is_known_by_its_version_and_texts() {
        let with = |version: &str| is_pkgconf(&[TEXTS, version.as_bytes(), b"\0"].concat());
        assert!(with("1.8.1") && with("2.5.1") && with("1.4.0") && with("3.0.5"));
        assert!(!with("0.29.2") && !with("1.3.9") && !with("3.1.0") && !with("1.8") && !with(""));
        assert!(!with("1.8.1\x002.0.0"), "it has two");
        assert!(!is_pkgconf(b"\x7fELF\x001.8.1\0"));
    }

    #[test]
    fn a_script_that_only_sets_folders_is_pkgconf() {
        let line =
            "export PKG_CONFIG_LIBDIR=\"${PKG_CONFIG_LIBDIR:-/usr/lib/pkgconfig:/usr/share/pkgconfig}\"\n";
        let script = |head: &str, line: &str| {
            is_wrapper(format!("{head}\n# It.\n\n{line}\nexec pkgconf \"$@\"\n").as_bytes())
        };
        assert!(script("#!/bin/sh", line) && script("#!/usr/bin/sh", ""));
        assert!(!script("#!/bin/bash", line));
        assert!(!script("#!/bin/sh", "export PKG_CONFIG_LIBDIR=\"${PKG_CONFIG_LIBDIR:-$(pwd)}\""));
        assert!(!script("#!/bin/sh", "export PKG_CONFIG_SYSROOT_DIR=\"${PKG_CONFIG_SYSROOT_DIR:-/x}\""));
        assert!(!script("#!/bin/sh", "exec pkgconf \"$@\""));
        assert!(!is_wrapper(line.as_bytes()));
    }
}
