//! What an expansion learned from the world: to know later whether it would learn the same again.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;

use serde::{Deserialize, Serialize};

use super::host::{Access, Host, Machine, Report, Streams};
use crate::digest::{Digest, Encoder};

/// One thing that was learned. Names are as macros wrote them.
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
    /// A variable of the environment: the digest of its value, or nothing if it is not set.
    Variable(Vec<u8>, Option<Digest>),
    /// A command of the shell: the digest of what it wrote, or nothing if it could not be started.
    Command(Vec<u8>, Option<Digest>),
    /// The machine's architecture, processors and memory.
    Machine(Digest),
    /// A program was run for its effects: nobody can know what it would do now.
    Run,
}

impl Observation {
    /// Makes the same observation now.
    #[must_use]
    pub fn again(&self, host: &dyn Host) -> Self {
        match self {
            Self::File(path, _) => file(host, path),
            Self::Start(path, length, _) => start(host, path, *length),
            Self::Exists(path, _) => Self::Exists(path.clone(), host.exists(path)),
            Self::Glob(pattern, _) => glob(pattern, &host.glob(pattern)),
            Self::Variable(name, _) => variable(host, name),
            Self::Command(command, _) => {
                Self::Command(command.clone(), host.shell(command).ok().map(|output| Digest::of(&output)))
            }
            Self::Machine(_) => machine(host),
            Self::Run => Self::Run,
        }
    }

    /// Whether it would be the same now.
    pub fn holds(&self, host: &dyn Host) -> bool {
        *self != Self::Run && self.again(host) == *self
    }
}

fn file(host: &dyn Host, path: &[u8]) -> Observation {
    Observation::File(path.to_vec(), host.read_file(path).ok().map(|text| Digest::of(&text)))
}

fn start(host: &dyn Host, path: &[u8], length: usize) -> Observation {
    let text = host.read_start(path, length).ok();
    Observation::Start(path.to_vec(), length, text.map(|text| Digest::of(&text)))
}

fn glob(pattern: &[u8], found: &[Vec<u8>]) -> Observation {
    Observation::Glob(pattern.to_vec(), Digest::of(&found.join(&0)))
}

fn variable(host: &dyn Host, name: &[u8]) -> Observation {
    Observation::Variable(name.to_vec(), host.variable(name).map(|value| Digest::of(&value)))
}

fn machine(host: &dyn Host) -> Observation {
    let Machine { processors, memory_bytes } = host.machine();
    let mut encoder = Encoder::new("rpmforge machine v1");
    encoder.text("architecture", &host.architecture());
    encoder.text("processors", &processors.to_string()).text("memory", &memory_bytes.to_string());
    Observation::Machine(encoder.digest())
}

/// A host that keeps in mind what was learned from another.
pub struct Observing<H> {
    host: H,
    observations: RefCell<BTreeSet<Observation>>,
}

impl<H: Host> Observing<H> {
    /// With nothing learned so far.
    pub fn new(host: H) -> Self {
        Self { host, observations: RefCell::default() }
    }

    /// All that was learned, in a fixed order.
    pub fn observations(&self) -> Vec<Observation> {
        self.observations.borrow().iter().cloned().collect()
    }

    fn note(&self, observation: Observation) {
        self.observations.borrow_mut().insert(observation);
    }
}

impl<H: Host> Host for Observing<H> {
    fn access(&self) -> Access {
        self.host.access()
    }

    fn shell(&self, command: &[u8]) -> io::Result<Vec<u8>> {
        let output = self.host.shell(command);
        let digest = output.as_ref().ok().map(|output| Digest::of(output));
        self.note(Observation::Command(command.to_vec(), digest));
        output
    }

    fn run(&self, words: &[Vec<u8>], streams: &Streams) -> io::Result<i32> {
        self.note(Observation::Run);
        self.host.run(words, streams)
    }

    fn read_file(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        let text = self.host.read_file(path);
        let digest = text.as_ref().ok().map(|text| Digest::of(text));
        self.note(Observation::File(path.to_vec(), digest));
        text
    }

    fn read_start(&self, path: &[u8], length: usize) -> io::Result<Vec<u8>> {
        let text = self.host.read_start(path, length);
        let digest = text.as_ref().ok().map(|text| Digest::of(text));
        self.note(Observation::Start(path.to_vec(), length, digest));
        text
    }

    fn exists(&self, path: &[u8]) -> bool {
        let exists = self.host.exists(path);
        self.note(Observation::Exists(path.to_vec(), exists));
        exists
    }

    fn glob(&self, pattern: &[u8]) -> Vec<Vec<u8>> {
        let found = self.host.glob(pattern);
        self.note(glob(pattern, &found));
        found
    }

    fn local_path(&self, path: &[u8]) -> Vec<u8> {
        // Lua opens it itself: what it reads there is not seen, but whether it has changed can be.
        self.note(file(&self.host, path));
        self.host.local_path(path)
    }

    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        let value = self.host.variable(name);
        self.note(Observation::Variable(name.to_vec(), value.as_ref().map(|value| Digest::of(value))));
        value
    }

    fn set_variable(&self, name: &[u8], value: Option<&[u8]>) {
        self.host.set_variable(name, value);
    }

    fn architecture(&self) -> String {
        self.note(machine(&self.host));
        self.host.architecture()
    }

    fn machine(&self) -> Machine {
        self.note(machine(&self.host));
        self.host.machine()
    }

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
    fn what_was_learned_holds_as_long_as_it_is_so() {
        let observing = Observing::new(NoHost::default());
        assert!(observing.read_file(b"/a").is_err());
        assert!(observing.variable(b"HOME").is_none());
        let learned = observing.observations();
        assert_eq!(learned.len(), 2);
        assert!(learned.iter().all(|observation| observation.holds(&NoHost::default())));
        let other = Observation::Variable(b"HOME".to_vec(), Some(Digest::of(b"/root")));
        assert!(!other.holds(&NoHost::default()));
        assert!(!Observation::Run.holds(&NoHost::default()));
    }
}
