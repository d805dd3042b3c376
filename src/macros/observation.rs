//! What an expansion learned from the world: to know later whether it would learn the same again.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;

use serde::{Deserialize, Serialize};

use super::host::{
    Access, FileStatus, FilterJob, Host, HostEnvironment, HostFiles, HostOutput, HostPrograms, Machine,
    Report, Streams,
};
use super::placeholders::Placeholders;
use crate::digest::{Digest, Encoder};
use crate::files::LastLink;

/// One thing that was learned. Names are as macros wrote them, with [`Placeholders`] put in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observation {
    /// A file was read: the digest of what was read, or nothing if it could not be.
    File(Vec<u8>, Option<Digest>),
    /// The beginning of a file was read, so many bytes of it.
    Start(Vec<u8>, usize, Option<Digest>),
    /// It was asked whether there is such a file.
    Exists(Vec<u8>, bool),
    /// Files were looked for by a pattern: the digest of their names.
    Glob(Vec<u8>, Digest),
    /// The names in a folder: their digest, or nothing if it could not be read.
    Folder(Vec<u8>, Option<Digest>),
    /// What is known of a file, and whether a link was followed to it: the digest of what does not change by itself.
    Status(Vec<u8>, bool, Option<Digest>),
    /// Where a link points to.
    Link(Vec<u8>, Option<Digest>),
    /// A variable of the environment: the digest of its value, or nothing if it is not set.
    Variable(Vec<u8>, Option<Digest>),
    /// A command of the shell: the digest of what it wrote, or nothing if it could not be started.
    Command(Vec<u8>, Option<Digest>),
    /// The machine's architecture.
    Architecture(String),
    /// The machine's processors and memory.
    Machine(Digest),
    /// Something was done for its effects, or learned, that nobody can know of what it would come to now: a program that Lua
    /// ran, the time of day.
    Run,
}

impl Observation {
    /// Makes the same observation now.
    #[must_use]
    pub fn repeat(&self, host: &dyn Host, placeholders: &Placeholders) -> Self {
        let observer = Observer { host, placeholders };
        match self {
            Self::File(path, _) => observer.observe_file(&placeholders.reveal(path)),
            Self::Start(path, length, _) => observer.observe_start(&placeholders.reveal(path), *length),
            Self::Exists(path, _) => Self::Exists(path.clone(), host.exists(&placeholders.reveal(path))),
            Self::Glob(pattern, _) => {
                let pattern = placeholders.reveal(pattern);
                observer.observe_glob(&pattern, &host.glob(&pattern).unwrap_or_default())
            }
            Self::Folder(path, _) => {
                let path = placeholders.reveal(path);
                observer.observe_folder(&path, host.names(&path).as_deref().ok())
            }
            Self::Status(path, is_followed, _) => {
                let last = if *is_followed { LastLink::Followed } else { LastLink::Kept };
                let path = placeholders.reveal(path);
                observer.observe_status(&path, last, host.status(&path, last).as_ref().ok())
            }
            Self::Link(path, _) => {
                let path = placeholders.reveal(path);
                observer.observe_link(&path, host.link_target(&path).as_deref().ok())
            }
            Self::Variable(name, _) => observe_variable(host, name),
            Self::Command(command, _) => {
                let command = placeholders.reveal(command);
                observer.observe_command(&command, host.shell(&command).ok().as_deref())
            }
            Self::Architecture(_) => Self::Architecture(host.architecture()),
            Self::Machine(_) => observe_machine(host),
            Self::Run => Self::Run,
        }
    }

    /// Whether a program has to run to make it again.
    pub fn runs_a_command(&self) -> bool {
        match self {
            Self::Command(..) => true,
            Self::File(..)
            | Self::Start(..)
            | Self::Exists(..)
            | Self::Glob(..)
            | Self::Folder(..)
            | Self::Status(..)
            | Self::Variable(..)
            | Self::Link(..)
            | Self::Architecture(_)
            | Self::Machine(_)
            | Self::Run => false,
        }
    }

    /// Whether it would be the same now.
    pub fn still_holds(&self, host: &dyn Host, placeholders: &Placeholders) -> bool {
        *self != Self::Run && self.repeat(host, placeholders) == *self
    }
}

/// Looks at a host, and notes what it sees with placeholders.
struct Observer<'a> {
    host: &'a dyn Host,
    placeholders: &'a Placeholders,
}

impl Observer<'_> {
    fn hide(&self, name: &[u8]) -> Vec<u8> {
        self.placeholders.hide(name)
    }

    fn observe_file(&self, path: &[u8]) -> Observation {
        Observation::File(
            self.hide(path),
            self.host.read_file(path).ok().map(|text| self.placeholders.digest(&text)),
        )
    }

    fn observe_start(&self, path: &[u8], length: usize) -> Observation {
        let text = self.host.read_start(path, length).ok();
        Observation::Start(self.hide(path), length, text.map(|text| self.placeholders.digest(&text)))
    }

    fn observe_glob(&self, pattern: &[u8], found: &[Vec<u8>]) -> Observation {
        Observation::Glob(self.hide(pattern), self.placeholders.digest(&self.hide(&found.join(&0))))
    }

    /// Of what a command wrote only that counts which is not in its words already.
    fn observe_command(&self, command: &[u8], output: Option<&[u8]>) -> Observation {
        let answer = output.map(|output| self.placeholders.digest(&self.hide(output)));
        Observation::Command(self.hide(command), answer)
    }

    fn observe_folder(&self, path: &[u8], names: Option<&[Vec<u8>]>) -> Observation {
        let digest = names.map(|names| self.placeholders.digest(&names.join(&0)));
        Observation::Folder(self.hide(path), digest)
    }

    /// The time of the last access is nobody's business: reading changes it.
    fn observe_status(&self, path: &[u8], last: LastLink, status: Option<&FileStatus>) -> Observation {
        let described = status.map(|status| format!("{:?}", FileStatus { accessed: 0, ..*status }));
        let digest = described.map(|text| Digest::compute(text.as_bytes()));
        Observation::Status(self.hide(path), last == LastLink::Followed, digest)
    }

    fn observe_link(&self, path: &[u8], target: Option<&[u8]>) -> Observation {
        let digest = target.map(|target| self.placeholders.digest(&self.hide(target)));
        Observation::Link(self.hide(path), digest)
    }
}

fn observe_variable(host: &dyn Host, name: &[u8]) -> Observation {
    Observation::Variable(name.to_vec(), host.variable(name).map(|value| Digest::compute(&value)))
}

fn observe_machine(host: &dyn Host) -> Observation {
    let Machine { processors, memory_bytes } = host.machine();
    let mut encoder = Encoder::new("rpmforge machine v2");
    encoder.text("processors", &processors.to_string()).text("memory", &memory_bytes.to_string());
    Observation::Machine(encoder.digest())
}

/// A host that keeps in mind what was learned from another.
pub struct ObservingHost<H> {
    host: H,
    placeholders: Placeholders,
    observations: RefCell<BTreeSet<Observation>>,
}

impl<H: Host> ObservingHost<H> {
    /// With nothing learned so far.
    pub fn new(host: H, placeholders: Placeholders) -> Self {
        Self { host, placeholders, observations: RefCell::default() }
    }

    fn observer(&self) -> Observer<'_> {
        Observer { host: &self.host, placeholders: &self.placeholders }
    }

    /// All that was learned, in a fixed order.
    pub fn observations(&self) -> Vec<Observation> {
        self.observations.borrow().iter().cloned().collect()
    }

    fn note(&self, observation: Observation) {
        self.observations.borrow_mut().insert(observation);
    }
}

impl<H: Host> Host for ObservingHost<H> {
    fn access(&self) -> Access {
        self.host.access()
    }
}

impl<H: Host> HostPrograms for ObservingHost<H> {
    fn shell(&self, command: &[u8]) -> io::Result<Vec<u8>> {
        let output = self.host.shell(command);
        self.note(self.observer().observe_command(command, output.as_deref().ok()));
        output
    }

    fn note_effect(&self) {
        self.note(Observation::Run);
    }

    fn run(&self, words: &[Vec<u8>], streams: &Streams) -> io::Result<i32> {
        self.note(Observation::Run);
        self.host.run(words, streams)
    }

    fn filter_all(&self, jobs: &[FilterJob], threads: usize) -> Vec<io::Result<(i32, Vec<u8>)>> {
        self.note(Observation::Run);
        self.host.filter_all(jobs, threads)
    }
}

impl<H: Host> HostFiles for ObservingHost<H> {
    fn read_file(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        let text = self.host.read_file(path);
        let digest = text.as_ref().ok().map(|text| self.placeholders.digest(text));
        self.note(Observation::File(self.placeholders.hide(path), digest));
        text
    }

    fn read_start(&self, path: &[u8], length: usize) -> io::Result<Vec<u8>> {
        let text = self.host.read_start(path, length);
        let digest = text.as_ref().ok().map(|text| self.placeholders.digest(text));
        self.note(Observation::Start(self.placeholders.hide(path), length, digest));
        text
    }

    fn exists(&self, path: &[u8]) -> bool {
        let exists = self.host.exists(path);
        self.note(Observation::Exists(self.placeholders.hide(path), exists));
        exists
    }

    fn glob(&self, pattern: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let found = self.host.glob(pattern);
        self.note(self.observer().observe_glob(pattern, found.as_deref().unwrap_or_default()));
        found
    }

    fn is_out_of_reach(&self, path: &[u8]) -> bool {
        self.host.is_out_of_reach(path)
    }

    fn open_file(&self, path: &[u8]) -> io::Result<File> {
        // What is read of it is not seen, but whether it has changed can be.
        self.note(self.observer().observe_file(path));
        self.host.open_file(path)
    }

    fn names(&self, path: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let names = self.host.names(path);
        self.note(self.observer().observe_folder(path, names.as_deref().ok()));
        names
    }

    fn status(&self, path: &[u8], last: LastLink) -> io::Result<FileStatus> {
        let status = self.host.status(path, last);
        self.note(self.observer().observe_status(path, last, status.as_ref().ok()));
        status
    }

    fn link_target(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        let target = self.host.link_target(path);
        self.note(self.observer().observe_link(path, target.as_deref().ok()));
        target
    }

    fn local_path(&self, path: &[u8]) -> Vec<u8> {
        // Lua opens it itself: what it reads there is not seen, but whether it has changed can be, and of a folder
        // which names are in it.
        let seen = self.observer().observe_file(path);
        if matches!(seen, Observation::File(_, None)) {
            let inside = [path, b"/*"].concat();
            self.note(self.observer().observe_glob(&inside, &self.host.glob(&inside).unwrap_or_default()));
        }
        self.note(seen);
        self.host.local_path(path)
    }

    fn working_folder(&self) -> Option<Vec<u8>> {
        self.host.working_folder()
    }
}

impl<H: Host> HostEnvironment for ObservingHost<H> {
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        let value = self.host.variable(name);
        self.note(Observation::Variable(name.to_vec(), value.as_ref().map(|value| Digest::compute(value))));
        value
    }

    fn variable_names(&self) -> Vec<Vec<u8>> {
        // Who asks for names asks for the values next; a variable that is there later is one of another environment.
        self.host.variable_names()
    }

    fn set_variable(&self, name: &[u8], value: Option<&[u8]>) {
        self.host.set_variable(name, value);
    }

    fn architecture(&self) -> String {
        let architecture = self.host.architecture();
        self.note(Observation::Architecture(architecture.clone()));
        architecture
    }

    fn machine(&self) -> Machine {
        self.note(observe_machine(&self.host));
        self.host.machine()
    }
}

impl<H: Host> HostOutput for ObservingHost<H> {
    fn is_verbose(&self) -> bool {
        self.host.is_verbose()
    }

    fn print(&self, text: &[u8]) {
        self.host.print(text);
    }

    fn report(&self, report: Report) {
        self.host.report(report);
    }

    fn trace(&self, text: &[u8]) {
        self.host.trace(text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::NoHost;
    use super::*;

    #[test]
    fn programs_that_filter_are_run_and_seen() {
        let observing = ObservingHost::new(NoHost::default(), Placeholders::default());
        assert_eq!(observing.filter_all(&[(vec![b"true".to_vec()], Vec::new())], 1).len(), 1);
        assert_eq!(observing.observations(), [Observation::Run]);
    }

    #[test]
    fn what_was_learned_holds_as_long_as_it_is_so() {
        let observing = ObservingHost::new(NoHost::default(), Placeholders::default());
        assert!(observing.read_file(b"/a").is_err());
        assert!(observing.variable(b"HOME").is_none());
        let learned = observing.observations();
        assert_eq!(learned.len(), 2);
        let holds = |seen: &Observation| seen.still_holds(&NoHost::default(), &Placeholders::default());
        assert!(learned.iter().all(holds));
        let other = Observation::Variable(b"HOME".to_vec(), Some(Digest::compute(b"/root")));
        assert!(!holds(&other));
        assert!(!holds(&Observation::Run));
    }
}
