//! The folder that a job is carried out in, and the log of what is printed there.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use cap_std::fs::{Permissions, PermissionsExt};

use super::log_file::LogFile;
use super::{EngineError, Job, WrittenContent, WrittenPackage};
use crate::files::{Folder, HostPath};
use crate::process::Cancel;

/// The folders that a job may write packages to, as `rpmbuild`'s macros name them.
const RESULT_FOLDERS: [&str; 2] = ["RPMS", "SRPMS"];

/// Makes the folder of a job, and those that rpm's macros name in it.
pub(super) fn make(job: &Job) -> Result<Folder, EngineError> {
    let top = Folder::create_scratch(&job.top_on_host()?)?;
    if job.spec.settings.secrets().next().is_some() {
        // Scripts with secrets lie there while they run, and until the next build where forge itself is killed.
        top.dir().set_permissions(".", Permissions::from_mode(0o700))?;
    }
    for folder in ["BUILD", "BUILDROOT", "tmp"].iter().chain(&RESULT_FOLDERS) {
        top.create(folder)?;
    }
    Ok(top)
}

/// Opens the log of a job and begins it with the command line that a person would type. Where the log is full, `stop` ends the job.
pub(super) fn open_log(job: &Job, line: &str, stop: &Cancel) -> Result<LogFile, EngineError> {
    open_log_at((&job.log, job.limits.log), line, stop)
}

/// As [`open_log`], for a log at `path` that may hold `most` bytes.
pub(super) fn open_log_at(
    (path, most): (&HostPath, u64),
    line: &str,
    stop: &Cancel,
) -> Result<LogFile, EngineError> {
    let path = path.as_path();
    let folder = path.parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    let name = path.file_name().unwrap_or_default();
    let mut options = cap_std::fs::OpenOptions::new();
    options.append(true).create(true);
    let mut log = Folder::open_ambient(&folder)?.dir().open_with(name, &options)?;
    writeln!(log, "$ {line}")?;
    let size = log.metadata()?.len();
    Ok(LogFile::new(log, size, most, stop.clone()))
}

/// The packages of those that are said to have been written that lie where they may be written.
pub(super) fn packages<'p>(
    top: &Folder,
    job: &Job,
    written: impl IntoIterator<Item = (&'p Path, Option<WrittenContent>)>,
) -> Vec<WrittenPackage> {
    let is_result = |below: &&Path| {
        RESULT_FOLDERS.iter().any(|folder| below.starts_with(folder)) && top.file_size(below).is_some()
    };
    // What is written twice is what was written last.
    let mut packages = BTreeMap::new();
    for (path, content) in written {
        let below = path.strip_prefix(job.spec.top.as_path()).ok().filter(is_result);
        packages.extend(below.map(|below| (top.path().join(below), content)));
    }
    packages.into_iter().map(|(path, content)| WrittenPackage { path, content }).collect()
}
