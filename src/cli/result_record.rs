//! What is written down of a build in its result folder.

use std::path::Path;

use crate::execute::ResultRecord;
use crate::files::Folder;
use crate::store::BuildRow;

/// What `result.json` of a build says, where it can be read.
pub fn read_record(state: &Folder, row: &BuildRow) -> Option<ResultRecord> {
    let path = Path::new(row.results.as_deref()?).join("result.json");
    serde_json::from_slice(&state.read(path).ok()?).ok()
}
