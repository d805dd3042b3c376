//! The results and logs of builds that failed, which stay for as long as `keep failed=` says.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::context::{CliError, Failure};
use crate::event::{BuildName, Timestamp};
use crate::execute::result_folder;
use crate::files::{Folder, FreedSpace};
use crate::manifest::{Age, Manifest};
use crate::store::{CollectionMode, History};

/// A build that failed, and whose folder goes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FailedBuild {
    /// Its number in this project.
    pub number: u64,
    #[serde(flatten)]
    pub build: BuildName,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How much room that makes on the disk, in bytes.
    pub bytes: u64,
}

/// How long builds that failed stay, where the manifest says so.
pub fn failed_age(manifest: &Manifest) -> Option<Age> {
    manifest.publish.as_ref()?.keep.as_ref()?.value.failed
}

/// Removes the folders of those that have stayed for long enough, or only names them. The newest build of a package stays: what is to be
/// mended is read there.
pub fn collect_failed(
    (state, history): (&Folder, &History),
    age: Option<Age>,
    mode: CollectionMode,
    now: Timestamp,
) -> Result<Vec<FailedBuild>, Failure> {
    let Some(Age::Limited(age)) = age else { return Ok(Vec::new()) };
    let mut failed = Vec::new();
    // What has its full age goes; the history says what is older than a moment.
    for row in history.failed_results(Timestamp(now.before(age).0.saturating_add(1)))? {
        // A row that was damaged must not take another build's folder along.
        let folder = result_folder(&row.build, row.number);
        if row.results.as_deref() != Some(&folder) {
            continue;
        }
        let mut freed = FreedSpace::default();
        if state.is_folder(&folder) {
            freed.add_folder(&state.folder(&folder).map_err(CliError::Io)?).map_err(CliError::Io)?;
        }
        if mode == CollectionMode::Remove {
            state.remove_folder(Path::new(&folder)).map_err(CliError::Io)?;
            history.forget_results(row.number)?;
        }
        failed.push(FailedBuild {
            number: row.number,
            build: row.build,
            ended: row.ended,
            bytes: freed.bytes(),
        });
    }
    Ok(failed)
}
