//! What the machine's own clients of registries are set up with.

use super::context::Context;
use crate::files::{Folder, HostPath};
use crate::source::made_spec::{Indexes, MachineSettings};

/// How large a file of settings may be.
const LARGEST: u64 = 1 << 20;

/// The indexes that pip, gem, cargo and npm use on this machine.
pub fn indexes(context: &Context) -> Indexes {
    Indexes::from_machine(&SettingsHere(context))
}

struct SettingsHere<'a>(&'a Context);

impl MachineSettings for SettingsHere<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.environment.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn file(&self, path: &str) -> Option<String> {
        let path = HostPath::new(path)?;
        let (parent, name) = (path.as_path().parent().and_then(HostPath::new)?, path.as_path().file_name()?);
        Folder::open_ambient(&parent).ok()?.read_text_up_to(name, LARGEST).ok()
    }
}
