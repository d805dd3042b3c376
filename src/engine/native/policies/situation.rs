//! What a policy works with: the buildroot, the arguments of its script and its environment.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rayon::prelude::*;

use super::buildroot::{Buildroot, FoundFile};
use super::programs::{PolicyVariables, tell};
use crate::process::{Redirections, run_plain};

/// What a policy works with.
pub(super) struct Situation<'s> {
    /// The buildroot.
    pub found: &'s Buildroot,
    /// What programs run with.
    pub environment: &'s PolicyVariables,
    /// The arguments of its script.
    pub arguments: &'s [OsString],
}

/// How a policy ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Done {
    /// The exit code of its script.
    pub code: i32,
    /// Whether names, kinds or permissions of files are other ones now, so that the buildroot must be looked at again.
    pub has_changed: bool,
}

impl Done {
    /// Nothing was wrong, and what was found is still there.
    pub const UNCHANGED: Self = Self { code: 0, has_changed: false };

    /// Nothing was wrong, and files have other names or permissions now.
    pub const CHANGED: Self = Self { code: 0, has_changed: true };
}

impl Situation<'_> {
    /// What a variable says, nothing where it is empty.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        variable(self.environment, name)
    }

    /// Runs a program; gives whether it did what it was to do.
    pub fn run(&self, words: &[Vec<u8>], folder: Option<&Path>) -> bool {
        match run_plain(words, self.environment, folder, Redirections::default()) {
            Ok(code) => code == 0,
            Err(error) => {
                let program = words.first().map(|word| String::from_utf8_lossy(word)).unwrap_or_default();
                tell(&format!("{program}: {}", crate::files::reason(&error)));
                false
            }
        }
    }

    /// How many programs run at a time.
    pub fn threads(&self) -> usize {
        let said = self.variable("RPM_BUILD_NCPUS").and_then(|count| count.to_str());
        said.and_then(|count| count.parse().ok()).unwrap_or(1).max(1)
    }

    /// Does something to each file, on as many threads as the build may have. A file that has several names is one thread's.
    pub fn for_each(&self, files: &[&FoundFile], work: impl Fn(&FoundFile) + Sync) {
        let mut sorted = files.to_vec();
        sorted.sort_by(|a, b| a.identity.cmp(&b.identity).then_with(|| a.path.cmp(&b.path)));
        let groups: Vec<&[&FoundFile]> = sorted.chunk_by(|a, b| a.identity == b.identity).collect();
        self.in_parallel(&groups, |group| group.iter().for_each(|file| work(file)));
    }

    /// Does something to each, on as many threads as the build may have.
    pub fn in_parallel<T: Sync>(&self, items: &[T], work: impl Fn(&T) + Sync) {
        let threads = self.threads().min(items.len());
        let pool = || rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok();
        match (threads > 1).then(pool).flatten() {
            Some(pool) => pool.install(|| items.par_iter().with_max_len(1).for_each(&work)),
            None => items.iter().for_each(work),
        }
    }

    /// A path of the buildroot as the root has it.
    pub fn absolute(&self, path: &[u8]) -> Vec<u8> {
        [self.found.folder.path().as_os_str().as_bytes(), b"/", path].concat()
    }
}

/// What a variable says, nothing where it is empty: as shells have it in `${NAME:-…}`.
pub(super) fn variable<'v>(environment: &'v PolicyVariables, name: &str) -> Option<&'v OsStr> {
    environment.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
}
