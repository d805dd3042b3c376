//! Result folders: `.forge/results/<chroot>/<number>-<package>/`.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ExecuteError;
use super::inputs_record::InputsRecord;
use super::task::Task;
use crate::digest::Key;
use crate::event::{BuildName, Failure, RebuildComparison, StageTime, State, Timestamp};
use crate::files::{EntryKind, Folder, Sharing};
use crate::plan::Reason;
use crate::store::{ResultFile, StepResult, Store};

/// Where result folders are, below the project's state folder.
pub const RESULTS_FOLDER: &str = "results";

/// No project has had more builds: a folder with a larger number is not one of ours.
const MOST_BUILDS: u64 = 1 << 40;

/// A package in a result folder.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ResultPackage {
    /// The name of its file.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// `result.json`: how a build ended.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ResultRecord {
    /// The build.
    #[serde(flatten)]
    pub build: BuildName,
    /// Its number in this project.
    pub number: u64,
    /// How it ended.
    pub state: State,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Its key.
    pub key: Key,
    /// Why it was built.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// Its stages.
    pub stages: Vec<StageTime>,
    /// Its packages.
    pub packages: Vec<ResultPackage>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<Failure>,
    /// What it is a rebuild of, and how its packages compare.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rebuild: Option<RebuildComparison>,
}

impl ResultRecord {
    /// Whether nothing but the source package was asked for.
    pub fn is_source_package_alone(&self) -> bool {
        self.reasons.contains(&Reason::SourcePackage)
    }
}

/// Where a build works, below the project's state.
pub(super) fn work_folder(name: &BuildName) -> PathBuf {
    ["work", &name.chroot, &name.package].iter().collect()
}

/// The name of a build's result folder, below the project's state folder.
pub fn result_folder(build: &BuildName, number: u64) -> String {
    format!("{RESULTS_FOLDER}/{}/{number:08}-{}", build.chroot, build.package)
}

/// The largest number of a result folder that is there.
pub(super) fn largest_number(state: &Folder) -> std::io::Result<u64> {
    let Ok(results) = state.folder(RESULTS_FOLDER) else {
        return Ok(0);
    };
    let mut largest = 0;
    for chroot in results.entries()?.iter().filter(|entry| entry.kind == EntryKind::Folder) {
        let names = results.folder(&chroot.name)?.entries()?;
        let numbers = names.iter().filter_map(|entry| entry.name.split('-').next()?.parse::<u64>().ok());
        largest = numbers.filter(|number| *number < MOST_BUILDS).fold(largest, u64::max);
    }
    Ok(largest)
}

/// Puts packages and `root.log` into a build's result folder, `result.json` last: a folder without it is of a build that
/// did not come to its end.
pub(super) fn complete(
    store: &Store,
    task: &Task,
    record: &ResultRecord,
    result: Option<&StepResult>,
) -> Result<(), ExecuteError> {
    // All of it is made to last at once, before the record says that it is there.
    let folder = task.results_folder()?.without_sync();
    for file in result.map(|result| result.files.as_slice()).unwrap_or_default() {
        store.place(&file.blob, &folder, Path::new(&file.name), Sharing::HardLink)?;
    }
    if let Some(result) = result.filter(|_| !folder.exists("build.log")) {
        store.place(&result.log, &folder, Path::new("build.log"), Sharing::HardLink)?;
    }
    // What was made of packages has told already what it consists of.
    let log = match folder.read_text("root.log") {
        Ok(made) => format!("engine: {}\n{made}", task.build.inputs.engine),
        Err(_) => root_log(task),
    };
    folder.write_atomic("root.log", log.as_bytes())?;
    InputsRecord::new(task).write(&folder)?;
    folder.sync_with_files()?;
    write_record(&task.results_folder()?, record)
}

fn write_record(folder: &Folder, record: &ResultRecord) -> Result<(), ExecuteError> {
    let mut json = serde_json::to_vec_pretty(record).map_err(std::io::Error::other)?;
    json.push(b'\n');
    Ok(folder.write_atomic("result.json", &json)?)
}

/// What the root consisted of.
fn root_log(task: &Task) -> String {
    let parts = task.build.inputs.root.parts();
    let parts = parts.map(|(part, digest)| format!("{part} {}", digest.short(12))).join(", ");
    // A root of packages is not made where an earlier result is taken.
    let root = match task.build.inputs.wish {
        Some(_) => "packages, which Rpmforge.lock names",
        None => "one that exists, read in place",
    };
    let mut log = format!("root: {root} ({parts})\nengine: {}\n", task.build.inputs.engine);
    for file in &task.build.dependencies {
        let ResultFile { name, package, .. } = file;
        log.push_str(&format!("added: {name} (content {})\n", package.content.short(12)));
    }
    log
}
