//! Scripts of the build: their templates, and how they are run (rpm-spec(5), "Build scriptlets").

use std::io::Write;

use bstr::ByteSlice;

use super::problem::BuildProblem;
use super::world::World;
use crate::files::{Folder, HostPath, reason};
use crate::macros::{Stop, Streams};
use crate::spec::SectionKind;

/// A script to run.
pub(super) struct Script<'s> {
    /// As it is called in messages: `%build`.
    pub(super) name: &'s str,
    /// The name in its macros, `__spec_build_template`; nothing where it has no template.
    pub(super) template: Option<&'static str>,
    /// What it does.
    pub(super) body: &'s [u8],
    /// Whether it runs in the folder of the sources.
    pub(super) in_sources: bool,
}

/// The name of a section's script in macros.
pub(super) fn template(kind: SectionKind) -> &'static str {
    match kind {
        SectionKind::GenerateBuildRequires => "buildrequires",
        kind => kind.word(),
    }
}

/// The exit code of a script whose shell can't be run, as shells give it.
const NOT_RUN: i32 = 127;

impl World<'_> {
    /// Runs a script. What it writes is shown, or kept if it is wanted.
    pub(super) fn run_script(&self, script: &Script<'_>) -> Result<(), Stop> {
        let (file, words) = self.begin_script(script)?;
        let output = self.is_quiet().then(|| b"/dev/null".to_vec());
        let code = self.macros.run(&words, &Streams { output, ..Streams::default() });
        self.end_script(script.name, &file, &words, code)
    }

    /// Runs a script, and gives what it wrote.
    pub(super) fn script_output(&self, script: &Script<'_>) -> Result<Vec<u8>, Stop> {
        let (file, words) = self.begin_script(script)?;
        let result = self.macros.filter(&words, b"");
        let (code, output) = match result {
            Ok((code, output)) => (Ok(code), output),
            Err(error) => (Err(error), Vec::new()),
        };
        self.end_script(script.name, &file, &words, code)?;
        Ok(output)
    }

    /// Writes the script down; gives its file and the command that runs it.
    fn begin_script(&self, script: &Script<'_>) -> Result<(HostPath, Vec<Vec<u8>>), Stop> {
        let text = self.script_text(script)?;
        let command = match script.template {
            Some(template) => self.expand(format!("%{{__spec_{template}_cmd}}"))?,
            None => self.expand("%{___build_cmd}")?,
        };
        let file = self.temporary(&text)?;
        let shown = [command.as_slice(), b" ", file.as_os_str().as_encoded_bytes()].concat();
        self.begin_stage(script.name);
        self.notice([b"Executing(", script.name.as_bytes(), b"): ", &shown].concat());
        Ok((file, words(&shown)))
    }

    fn script_text(&self, script: &Script<'_>) -> Result<Vec<u8>, Stop> {
        let Some(template) = script.template else {
            return Ok(script.body.to_vec());
        };
        let mut text = self.expand(format!("%{{__spec_{template}_template}}"))?;
        let subfolder = self.expand("%{?buildsubdir}")?;
        if script.in_sources && !subfolder.is_empty() {
            text.extend(format!("cd '{}'\n", subfolder.to_str_lossy()).into_bytes());
        }
        text.extend_from_slice(script.body);
        if !script.body.ends_with(b"\n") {
            text.push(b'\n');
        }
        text.extend(self.expand(format!("%{{__spec_{template}_post}}"))?);
        Ok(text)
    }

    /// A file of this build's own.
    pub(super) fn temporary(&self, text: &[u8]) -> Result<HostPath, Stop> {
        self.temporary_named(text, "")
    }

    /// A file of this build's own, whose name ends so.
    pub(super) fn temporary_named(&self, text: &[u8], end: &str) -> Result<HostPath, Stop> {
        let folder = self.expand("%{_tmppath}")?;
        let failed = |error: std::io::Error| {
            // rpm names no file: none has a name yet.
            let reason = reason(&error);
            let reason = reason.rsplit_once(": ").map_or(reason.as_str(), |(_, reason)| reason).to_owned();
            self.fail(BuildProblem::Temporary { reason })
        };
        let path = HostPath::new(folder.to_path_lossy())
            .ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
        let folder = Folder::create_scratch(&path).map_err(failed)?;
        let name = folder.unique("rpm-tmp.").map_err(failed)? + end;
        let mut file = folder.new_file(&name, 0o600).map_err(failed)?;
        file.write_all(text).map_err(failed)?;
        Ok(path.join(name))
    }

    fn end_script(
        &self,
        name: &str,
        file: &HostPath,
        words: &[Vec<u8>],
        code: std::io::Result<i32>,
    ) -> Result<(), Stop> {
        match code {
            Ok(0) => {
                remove(file);
                Ok(())
            }
            Ok(code) => {
                let (script, name) = (file.to_string(), name.to_owned());
                Err(self.fail(BuildProblem::BadExit { script, name, code }))
            }
            Err(error) => {
                let program = words.first().map(|word| word.to_str_lossy().into_owned());
                let program = program.unwrap_or_default();
                self.tell(BuildProblem::NotRun { program, reason: reason(&error) });
                let (script, name) = (file.to_string(), name.to_owned());
                Err(self.fail(BuildProblem::BadExit { script, name, code: NOT_RUN }))
            }
        }
    }
}

/// Removes a temporary file; one that is gone already does no harm.
pub(super) fn remove(file: &HostPath) {
    let path = file.as_path();
    if let (Some(folder), Some(name)) = (path.parent().and_then(HostPath::new), path.file_name())
        && let Ok(folder) = Folder::open_ambient(&folder)
    {
        let _ = folder.remove_file(name);
    }
}

/// The words of a command, as popt(3) takes it apart: blanks separate, quotes keep together.
pub(super) fn words(command: &[u8]) -> Vec<Vec<u8>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<Vec<u8>>, None);
    let mut bytes = command.iter().copied();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (None, b'\'' | b'"') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (None, _) if byte.is_ascii_whitespace() => words.extend(word.take()),
            (_, b'\\') if quote != Some(b'\'') => word.get_or_insert_default().extend(bytes.next()),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        let shown = words(b"/bin/sh -e  'a b' \"c\\\"d\" '' e\\ f");
        assert_eq!(shown, ["/bin/sh", "-e", "a b", "c\"d", "", "e f"].map(|word| word.as_bytes().to_vec()));
    }
}
