//! Where the spec of a package lies in a commit.

use std::path::{Path, PathBuf};

use super::checkout::Checkout;
use super::commit_place::CommitPlace;
use super::error::GitError;
use super::limits::SUBMODULE_DEPTH;
use crate::files::normalize;
use crate::source::SourceError;
use crate::source::source_package::only_spec;

/// Where a spec lies.
pub(super) struct SpecLocation {
    /// The submodule that it lies in; nothing where it is in the repository itself.
    pub submodule: Option<CommitPlace>,
    /// Its folder there.
    pub below: PathBuf,
    /// Its name.
    pub spec: String,
}

/// What is said of where it lies.
pub(super) struct WantedSpec<'a> {
    /// The folder of the repository that is meant.
    pub folder: Option<&'a str>,
    /// The spec in that folder.
    pub spec: Option<&'a str>,
    /// How names of specs end.
    pub endings: &'a [&'a str],
}

/// Finds the spec of a commit; with `checkout` where it may lie in a submodule too.
///
/// # Errors
/// It isn't there, or there are several.
pub(super) fn find_spec(
    start: &CommitPlace,
    wanted: &WantedSpec<'_>,
    checkout: Option<&Checkout<'_>>,
) -> Result<SpecLocation, SourceError> {
    let (mut below, name) = wanted.paths(start)?;
    let mut submodule: Option<CommitPlace> = None;
    for _ in 0..SUBMODULE_DEPTH {
        let at = submodule.as_ref().unwrap_or(start);
        let next = checkout.map(|checkout| at.submodule_on_the_way(&below, checkout)).transpose()?;
        let Some((inner, rest)) = next.flatten() else { break };
        (submodule, below) = (Some(inner), rest);
    }
    let at = submodule.as_ref().unwrap_or(start);
    let names = at.file_names(&below)?.ok_or_else(|| at.no_path("folder", &below))?;
    let spec = match name {
        Some(name) if names.contains(&name) => name,
        Some(name) => return Err(at.no_path("spec", &below.join(name)).into()),
        None => {
            let is_spec = |name: &String| wanted.endings.iter().any(|ending| name.ends_with(ending));
            let shown = format!("{} at {}", at.address, at.commit);
            only_spec(&shown, names.into_iter().filter(is_spec).collect())?
        }
    };
    Ok(SpecLocation { submodule, below, spec })
}

impl WantedSpec<'_> {
    /// The folder, and the name of the spec if that is said.
    fn paths(&self, start: &CommitPlace) -> Result<(PathBuf, Option<String>), GitError> {
        let folder = PathBuf::from(self.folder.unwrap_or_default());
        let spec = self.spec.map(Path::new);
        let joined = normalize(&folder, spec.unwrap_or(Path::new("")));
        let joined = joined.ok_or_else(|| start.no_path("folder", &folder))?;
        Ok(match spec {
            None => (joined, None),
            Some(_) => (
                joined.parent().map(Path::to_owned).unwrap_or_default(),
                joined.file_name().map(|name| name.to_string_lossy().into_owned()),
            ),
        })
    }
}
