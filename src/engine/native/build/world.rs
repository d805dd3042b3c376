//! What a build works with: its macros, the files of its root, and the listener to its messages.

use super::problem::BuildProblem;
use super::root_files::RootFiles;
use crate::files::HostPath;
use crate::macros::{Macros, Origin, Stop};

/// Receives what a build says, in rpm's words.
pub trait BuildListener {
    /// What it does next: a line without its end.
    fn notice(&self, text: &[u8]);
    /// A stage begins: the name of its section, or `files` and `packages`.
    fn stage(&self, name: &str);
    /// A package was written.
    fn wrote(&self, path: &HostPath);
    /// What is wrong, or may not be meant.
    fn problem(&self, problem: &BuildProblem);
    /// More of the build, for those who asked for it.
    fn detail(&self, text: &[u8]);
    /// Whether what scripts write to standard output is dropped.
    fn is_quiet(&self) -> bool;
}

/// What a build works with.
#[derive(Clone, Copy)]
pub(super) struct World<'w> {
    pub(super) macros: &'w Macros,
    pub(super) files: &'w RootFiles,
    listener: &'w dyn BuildListener,
}

impl<'w> World<'w> {
    pub(super) fn new(macros: &'w Macros, files: &'w RootFiles, listener: &'w dyn BuildListener) -> Self {
        Self { macros, files, listener }
    }

    pub(super) fn notice(&self, text: impl AsRef<[u8]>) {
        self.listener.notice(text.as_ref());
    }

    /// Tells that a stage begins.
    pub(super) fn begin_stage(&self, name: &str) {
        self.listener.stage(name.trim_start_matches('%'));
    }

    /// Tells that a package was written.
    pub(super) fn tell_written(&self, path: &HostPath) {
        self.listener.notice(format!("Wrote: {path}").as_bytes());
        self.listener.wrote(path);
    }

    pub(super) fn detail(&self, text: impl AsRef<[u8]>) {
        self.listener.detail(text.as_ref());
    }

    /// Tells of a problem that does not end the build by itself.
    pub(super) fn tell(&self, problem: BuildProblem) {
        self.listener.problem(&problem);
    }

    /// Tells of a problem that does.
    pub(super) fn fail(&self, problem: BuildProblem) -> Stop {
        self.listener.problem(&problem);
        Stop
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.listener.is_quiet()
    }

    /// What a text expands to.
    pub(super) fn expand(&self, text: impl AsRef<[u8]>) -> Result<Vec<u8>, Stop> {
        self.macros.set_place(Origin::named("<spec>"));
        self.macros.expand(text.as_ref())
    }

    /// What a macro gives for words that are its arguments as they stand.
    pub(super) fn call(&self, name: &str, words: Vec<Vec<u8>>) -> Result<Vec<u8>, Stop> {
        self.macros.set_place(Origin::named("<spec>"));
        self.macros.call(name.as_bytes(), words)
    }

    /// The value of a macro; empty where it is not defined.
    pub(super) fn setting(&self, name: &str) -> String {
        let value = self.expand(format!("%{{?{name}}}")).unwrap_or_default();
        String::from_utf8_lossy(value.trim_ascii()).into_owned()
    }

    pub(super) fn is_defined(&self, name: &str) -> bool {
        self.macros.is_defined(name.as_bytes())
    }

    /// The value of a macro as a number, as rpm takes it: 0 where it is none, and the first digits where more follows.
    pub(super) fn number(&self, name: &str) -> i64 {
        let value = self.setting(name);
        match value.chars().next() {
            Some('y' | 'Y') => 1,
            _ => {
                let is_digit = |(at, c): &(usize, char)| c.is_ascii_digit() || *at == 0 && *c == '-';
                let digits = value.char_indices().take_while(is_digit).map(|(_, c)| c).collect::<String>();
                digits.parse().unwrap_or(0)
            }
        }
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.number(name) != 0
    }
}
