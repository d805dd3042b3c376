//! Files that a program has made, laid out as builds find them.

use std::path::Path;

use cap_std::fs::{Permissions, PermissionsExt};

use super::results::MadeFiles;
use crate::digest::Encoder;
use crate::files::{Folder, Sharing};
use crate::source::SourceError;
use crate::source::tools::SourceTools;

/// Lays files out as builds find them; gives the name of the spec among them.
///
/// # Errors
/// The source package that they are can't be unpacked, or a file is gone.
pub(super) fn lay_out(
    files: &MadeFiles,
    spec: Option<&str>,
    tools: &SourceTools<'_>,
) -> Result<(Folder, String), SourceError> {
    let mut all = files.iter();
    if let (Some((name, file)), None) = (all.next(), all.next())
        && name.ends_with(".src.rpm")
    {
        return tools.folders.unpack_once(tools.store.folder(), &file.blob.path(), name);
    }
    let is_spec = |name: &&String| spec.map_or(name.ends_with(".spec"), |spec| **name == spec);
    let spec = files.keys().find(is_spec).cloned().unwrap_or_default();
    let mut encoder = Encoder::new("rpmforge made source v1");
    encoder.text("spec", &spec).list("files", files.iter(), |encoder, (name, file)| {
        let mode = if file.is_executable { "executable" } else { "file" };
        encoder.text("mode", mode).digest_field(name, &file.blob.digest);
    });
    tools.folders.make_once(encoder.digest(), |folder| {
        for (name, file) in files {
            tools.store.place(&file.blob, folder, Path::new(name), Sharing::Nothing)?;
            let mode = if file.is_executable { 0o755 } else { 0o644 };
            folder.dir().set_permissions(name, Permissions::from_mode(mode))?;
        }
        Ok(spec.clone())
    })
}
