//! `inputs.json` and `root.json` of a result folder: what a build was made of, so that it can be made again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::task::Task;
use crate::chroot::making::GivenRoot;
use crate::files::Folder;
use crate::plan::Ingredients;
use crate::process::SandboxLimits;
use crate::source::InputFile;
use crate::store::{Blob, ResultFile};

/// The form of the records: a forge that writes them otherwise says so.
const VERSION: u32 = 1;

const INPUTS: &str = "inputs.json";
const ROOT: &str = "root.json";

/// What a build was made of: `inputs.json`. Secrets are in it by their keyed digests.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InputsRecord {
    version: u32,
    /// What its key is made from.
    pub ingredients: Ingredients,
    /// The spec.
    pub spec: KeptInput,
    /// The files that it names.
    pub sources: Vec<KeptInput>,
    /// The packages of the manifest in its root.
    pub dependencies: Vec<KeptPackage>,
    /// How long each of its steps could take, in milliseconds.
    timeout_ms: u64,
    /// How much it could take.
    pub limits: SandboxLimits,
}

/// A spec or a source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptInput {
    /// Its file name.
    pub name: String,
    /// Its content.
    #[serde(flatten)]
    pub blob: Blob,
    /// Whether its owner may execute it.
    #[serde(default)]
    pub is_executable: bool,
}

/// A package of the manifest that was in the root of a build.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptPackage {
    /// The name of its file.
    pub file: String,
    /// `name-[epoch:]version-release.arch`.
    pub nevra: String,
    /// Its content.
    #[serde(flatten)]
    pub blob: Blob,
    /// SHA-256 of the content.
    pub sha256: String,
}

/// What is in the root of a build: `root.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct RootRecord {
    version: u32,
    #[serde(flatten)]
    root: GivenRoot,
}

impl InputsRecord {
    pub(super) fn new(task: &Task) -> Self {
        let build = &task.build;
        let package = |file: &ResultFile| KeptPackage {
            file: file.name.clone(),
            nevra: file.package.nevra.clone(),
            blob: file.blob,
            sha256: file.sha256.clone(),
        };
        Self {
            version: VERSION,
            ingredients: build.ingredients.clone(),
            spec: kept(&build.inputs.spec),
            sources: build.inputs.sources.iter().map(kept).collect(),
            dependencies: build.dependencies.iter().map(package).collect(),
            timeout_ms: u64::try_from(build.timeout.as_millis()).unwrap_or(u64::MAX),
            limits: build.limits,
        }
    }

    /// Reads that of a result folder; nothing where there is none, or of another form.
    pub fn read(results: &Folder) -> Option<Self> {
        let record: Self = serde_json::from_slice(&results.read(INPUTS).ok()?).ok()?;
        (record.version == VERSION).then_some(record)
    }

    pub(super) fn write(&self, results: &Folder) -> std::io::Result<()> {
        let json = serde_json::to_vec(self).map_err(std::io::Error::other)?;
        results.write_atomic(INPUTS, &json)
    }

    /// How long each of its steps could take.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

fn kept(file: &InputFile) -> KeptInput {
    KeptInput { name: file.name.clone(), blob: file.blob, is_executable: file.is_executable }
}

/// Reads which packages of repositories were in the root of a build, where it was made of such and was made.
pub fn read_root_record(results: &Folder) -> Option<GivenRoot> {
    let record: RootRecord = serde_json::from_slice(&results.read(ROOT).ok()?).ok()?;
    (record.version == VERSION).then_some(record.root)
}

pub(super) fn write_root_record(results: &Folder, root: GivenRoot) -> std::io::Result<()> {
    let json = serde_json::to_vec(&RootRecord { version: VERSION, root }).map_err(std::io::Error::other)?;
    results.write_atomic(ROOT, &json)
}
