//! Scripts that another program runs.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::fs::{MemfdFlags, memfd_create};

use super::{PlannedScript, ScriptletEnd};
use crate::files::{Folder, HostPath};
use crate::process::{Redirections, run_plain};

/// Where the file of a script lies while it runs: what lies there is gone with the sandbox. Where a root has no such folder, it
/// is made in the other one, as rpm does.
const FOLDERS: [&str; 2] = ["/tmp", "/var/tmp"];

/// The beginning of the file's name, as in rpm.
const NAME: &str = "rpm-tmp.";

/// Runs a script with its interpreter, or a program alone, at the top of the root.
pub(super) fn run_program(
    script: &PlannedScript,
    body: Option<&[u8]>,
    environment: &BTreeMap<String, String>,
) -> ScriptletEnd {
    let program = script.interpreter.first().map(super::Bytes::to_text).unwrap_or_default();
    end_of(try_run(script, body, environment), &program)
}

/// The root's own program that puts headers into its package database.
const IMPORT: [&str; 2] = ["/usr/bin/rpmdb", "--importdb"];

/// Has the root's rpm read headers into its database.
pub(super) fn import_headers(headers: &[u8], environment: &BTreeMap<String, String>) -> ScriptletEnd {
    let run = || {
        let words = IMPORT.map(|word| word.as_bytes().to_vec());
        let redirections = Redirections { input: Some(write_input(headers)?), ..Redirections::default() };
        run_plain(&words, &os_environment(environment), Some(Path::new("/")), redirections)
    };
    end_of(run(), IMPORT[0])
}

fn end_of(ended: io::Result<i32>, program: &str) -> ScriptletEnd {
    match ended {
        Ok(0) => ScriptletEnd::Done,
        Ok(code) => ScriptletEnd::Failed { code },
        Err(error) => ScriptletEnd::Broken { reason: format!("{program}: {}", crate::files::reason(&error)) },
    }
}

fn os_environment(environment: &BTreeMap<String, String>) -> BTreeMap<OsString, OsString> {
    environment.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn try_run(
    script: &PlannedScript,
    body: Option<&[u8]>,
    environment: &BTreeMap<String, String>,
) -> io::Result<i32> {
    let mut words: Vec<Vec<u8>> = script.interpreter.iter().map(|word| word.0.clone()).collect();
    let file = body.map(ScriptFile::write).transpose()?;
    // A program without a script gets no numbers.
    if let Some(file) = &file {
        words.push(file.path.clone());
        words.extend(script.arguments.iter().map(|number| number.to_string().into_bytes()));
    }
    let mut environment = os_environment(environment);
    for (number, prefix) in script.prefixes.iter().enumerate() {
        let prefix = OsString::from_vec(prefix.0.clone());
        if number == 0 {
            environment.insert("RPM_INSTALL_PREFIX".into(), prefix.clone());
        }
        environment.insert(format!("RPM_INSTALL_PREFIX{number}").into(), prefix);
    }
    let lines: Vec<u8> = script.input.iter().flat_map(|path| [path.0.as_slice(), b"\n"].concat()).collect();
    let redirections = Redirections { input: Some(write_input(&lines)?), ..Redirections::default() };
    run_plain(&words, &environment, Some(Path::new("/")), redirections)
}

/// What a program reads: a file in memory, so that one that does not read it is not waited for.
fn write_input(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("input", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

/// The file of a script, which goes when it is dropped.
struct ScriptFile {
    folder: Folder,
    name: String,
    path: Vec<u8>,
}

impl ScriptFile {
    fn write(body: &[u8]) -> io::Result<Self> {
        let mut failed = io::Error::from(io::ErrorKind::NotFound);
        for (number, place) in FOLDERS.iter().enumerate() {
            let path = HostPath::new(*place).ok_or(io::ErrorKind::InvalidInput)?;
            let is_last = number + 1 == FOLDERS.len();
            let opened = if is_last { Folder::create_ambient(&path) } else { Folder::open_ambient(&path) };
            match opened.and_then(|folder| Self::write_in(folder, place, body)) {
                Ok(file) => return Ok(file),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    fn write_in(folder: Folder, place: &str, body: &[u8]) -> io::Result<Self> {
        let name = folder.unique(NAME)?;
        folder.new_file(&name, 0o600)?.write_all(body)?;
        let path = OsStr::new(&format!("{place}/{name}")).as_bytes().to_vec();
        Ok(Self { folder, name, path })
    }
}

impl Drop for ScriptFile {
    fn drop(&mut self) {
        // It lies where everybody's leavings do.
        let _ = self.folder.remove_file(&self.name);
    }
}
