//! Scripts of the build: their templates, and how they are run (rpm-spec(5), "Build scriptlets").

use bstr::ByteSlice;

use super::super::debuginfo::{WHOLE_BUILD_IDS, stand_in_for_find_debuginfo};
use super::super::policies::write_stand_ins;
use super::command_line::split_words;
use super::problem::BuildProblem;
use super::root_files::plain_reason;
use super::world::World;
use crate::files::{HostPath, reason};
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
pub(super) fn template_name(kind: SectionKind) -> &'static str {
    if kind == SectionKind::GenerateBuildRequires { "buildrequires" } else { kind.word() }
}

/// The file below `%_tmppath` that holds the beginning of a script.
pub const SHELL_BEGINNING: &str = "shell-beginning";

/// The macro that leaves policies to their scripts where it is 0.
const NATIVE_POLICIES: &str = "_forge_native_policies";

/// The macro that says whether debug information is taken out here (1) or by the root's own program (0). Where nobody says it, that is
/// done here only if the root has no program for it.
const NATIVE_DEBUGINFO: &str = "_forge_native_debuginfo";

/// The macro that has all bytes of build-ids made anew where that is done here.
const WHOLE_IDS: &str = "_forge_whole_build_ids";

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
        let file = self.write_temporary(&text)?;
        let shown = [command.as_slice(), b" ", file.as_os_str().as_encoded_bytes()].concat();
        self.begin_stage(script.name);
        self.notice([b"Executing(", script.name.as_bytes(), b"): ", &shown].concat());
        Ok((file, split_words(&shown)))
    }

    fn script_text(&self, script: &Script<'_>) -> Result<Vec<u8>, Stop> {
        let Some(template) = script.template else {
            return Ok(script.body.to_vec());
        };
        let mut text = self.beginning(template, script.in_sources)?;
        text.extend_from_slice(script.body);
        if !script.body.ends_with(b"\n") {
            text.push(b'\n');
        }
        let post = self.expand(format!("%{{__spec_{template}_post}}"))?;
        let is_install = template == template_name(SectionKind::Install);
        let post =
            if is_install { self.with_native_debuginfo(self.with_native_policies(post)) } else { post };
        text.extend(post);
        Ok(text)
    }

    /// What follows `%install`, with this program in the place of policies whose work it knows.
    fn with_native_policies(&self, post: Vec<u8>) -> Vec<u8> {
        let is_wanted = !self.is_defined(NATIVE_POLICIES) || self.is_on(NATIVE_POLICIES);
        match std::env::current_exe() {
            Ok(own) if is_wanted => {
                write_stand_ins(post, own.as_os_str(), |script| self.files.read(script).ok())
            }
            Ok(_) | Err(_) => post,
        }
    }

    /// What follows `%install`, with this program in the place of find-debuginfo(1) where that is wanted.
    fn with_native_debuginfo(&self, post: Vec<u8>) -> Vec<u8> {
        let Ok(own) = std::env::current_exe() else {
            return post;
        };
        let said = self.is_defined(NATIVE_DEBUGINFO).then(|| self.is_on(NATIVE_DEBUGINFO));
        let options = if self.is_on(WHOLE_IDS) { format!(" {WHOLE_BUILD_IDS}") } else { String::new() };
        stand_in_for_find_debuginfo(post, own.as_os_str(), &options, |program| {
            said.unwrap_or_else(|| self.files.find(program).is_err())
        })
    }

    /// What stands in a script before its own lines: the environment, and the folder that it runs in.
    fn beginning(&self, template: &str, in_sources: bool) -> Result<Vec<u8>, Stop> {
        let mut text = self.expand(format!("%{{__spec_{template}_template}}"))?;
        let subfolder = self.expand("%{?buildsubdir}")?;
        if in_sources && !subfolder.is_empty() {
            text.extend(format!("cd '{}'\n", subfolder.to_str_lossy()).into_bytes());
        }
        Ok(text)
    }

    /// Writes the beginning of a section's script to [`SHELL_BEGINNING`], to be read by a shell.
    pub(super) fn write_beginning(&self, kind: SectionKind) -> Result<(), Stop> {
        let text = self.beginning(template_name(kind), kind != SectionKind::Prep)?;
        // The script shows what it runs; whoever types it knows.
        let mut text: Vec<u8> = text.replace("\nset -x\n", "\n").replace("\n  set -x\n", "\n");
        text.extend_from_slice(b"{ set +x; } 2>/dev/null\n");
        let failed = |error| self.fail(BuildProblem::Temporary { reason: plain_reason(&error) });
        let folder = HostPath::new(self.expand("%{_tmppath}")?.to_path_lossy())
            .ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
        let folder = self.files.create_folder(&folder).map_err(failed)?;
        folder.write_atomic(SHELL_BEGINNING, &text).map_err(failed)
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
                self.files.remove_file(file);
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
