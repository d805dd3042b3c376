//! An earlier build that is made again.

use std::collections::BTreeMap;

use crate::engine::{Settings, Variations};
use crate::files::HostPath;
use crate::package::Dependency;
use crate::process::SandboxLimits;
use crate::store::ResultFile;

/// An earlier build that is made again, with what it was made with.
#[derive(Clone, Debug)]
pub struct Rebuild {
    /// Its number in this project.
    pub number: u64,
    /// What makes the key of this one its own: what it makes is kept beside what the earlier build has made, and is taken for
    /// no other build.
    pub run: String,
    /// What it was built with.
    pub settings: Settings,
    /// How much it could take.
    pub limits: SandboxLimits,
    /// The packages that the manifest had built and that were in its root.
    pub dependencies: Vec<ResultFile>,
    /// The packages that it has made: SHA-256, in hexadecimal digits, by file name.
    pub packages: BTreeMap<String, String>,
    /// What about it is another than it was then.
    pub variations: Variations,
    /// The folder of this machine that it works in, where that is not the usual one.
    pub work: Option<HostPath>,
}

impl Rebuild {
    /// What packages of the manifest bring along that were in its root.
    pub fn provided(&self) -> impl Iterator<Item = &[Dependency]> {
        self.dependencies.iter().map(|file| file.package.provides.as_slice())
    }

    /// Whether a package of the manifest that was in its root is what is asked for.
    pub fn brings(&self, dependency: &Dependency) -> bool {
        let has_file = |file: &ResultFile| {
            let mut files = file.package.files.iter().chain(&file.package.other_files);
            dependency.name.starts_with('/') && files.any(|path| *path == dependency.name)
        };
        self.provided().flatten().any(|provide| dependency.is_met_by(provide))
            || self.dependencies.iter().any(has_file)
    }
}
