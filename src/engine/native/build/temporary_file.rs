//! Files of a build's own below `%_tmppath`: scripts, what is to be signed, databases for file(1).

use std::io::Write;

use bstr::ByteSlice;

use super::problem::BuildProblem;
use super::root_files::plain_reason;
use super::world::World;
use crate::files::HostPath;
use crate::macros::Stop;

impl World<'_> {
    /// Writes a file of this build's own.
    pub(super) fn write_temporary(&self, text: &[u8]) -> Result<HostPath, Stop> {
        self.write_temporary_named(text, "")
    }

    /// Writes a file of this build's own, whose name ends so.
    pub(super) fn write_temporary_named(&self, text: &[u8], end: &str) -> Result<HostPath, Stop> {
        let folder = self.expand("%{_tmppath}")?;
        // rpm names no file: none has a name yet.
        let failed = |error| self.fail(BuildProblem::Temporary { reason: plain_reason(&error) });
        let path = HostPath::new(folder.to_path_lossy())
            .ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
        let folder = self.files.create_folder(&path).map_err(failed)?;
        let name = folder.unique("rpm-tmp.").map_err(failed)? + end;
        let mut file = folder.new_file(&name, 0o600).map_err(failed)?;
        file.write_all(text).map_err(failed)?;
        Ok(path.join(name))
    }
}
