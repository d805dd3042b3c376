//! The programs of this machine that places are reached with.

use std::collections::BTreeMap;

use std::time::Duration;

use tokio::runtime::Handle;

use crate::files::Folder;
use crate::process::{Cancel, Command, Exit, Stream, Supervisor};

/// How long a program may take that answers at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of an answer is read, in bytes.
const LARGEST_ANSWER: usize = 64 << 10;

/// See the [module](self).
pub struct PlacePrograms<'a> {
    /// What supervises them.
    pub supervisor: &'a Supervisor,
    /// Where they are waited for, by a thread that is not of it.
    pub runtime: &'a Handle,
    /// The environment of forge.
    pub variables: &'a BTreeMap<String, String>,
}

impl PlacePrograms<'_> {
    /// The environment of a program: forge's own, where ssh finds its agent and rsync its password. What they say is in English,
    /// and they ask nobody.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        let mut environment = self.variables.clone();
        environment.insert("LC_ALL".to_owned(), "C.UTF-8".to_owned());
        let shell = || "ssh -o BatchMode=yes -o ConnectTimeout=20".to_owned();
        environment.entry("RSYNC_RSH".to_owned()).or_insert_with(shell);
        environment
    }

    /// What a program answers that reads a request and ends well; none where it does not. What it says may be secret, and is shown nowhere.
    pub(super) fn answer(
        &self,
        program: &str,
        arguments: &[&str],
        (request, folder, cancel): (&[u8], &Folder, &Cancel),
    ) -> Option<Vec<u8>> {
        let command = Command::new(program, folder.path(), self.environment(), PATIENCE);
        let command = command.arguments(arguments).request(request.to_vec());
        let mut output = Vec::new();
        let mut listen = |stream: Stream, chunk: &[u8]| match stream {
            Stream::Output if output.len() < LARGEST_ANSWER => output.extend_from_slice(chunk),
            Stream::Output | Stream::Error => {}
        };
        let run = command.run(self.supervisor, cancel, &mut listen);
        let exit = self.runtime.block_on(run).ok()?;
        matches!(exit, Exit::Code(0)).then_some(output)
    }
}
