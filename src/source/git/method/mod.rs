//! How a repository makes its source package, where it is more than a spec and the files beside it: with rpkg, tito or packit.
//!
//! A method reads the commit, and what lies before it, and [says](PreparedSources) what the sources are; then they are written. No program
//! of the repository, or of its tools, is run.

mod ancestry;
mod archive;
mod attributes;
mod error;
mod input;
mod kind;
mod packit;
mod packit_config;
mod prepared;
mod rpkg;
mod spec_text;
mod tags;
mod tito;

pub use error::MethodError;
pub(super) use kind::GitMethod;
pub(super) use prepared::PreparedSources;

use std::path::{Path, PathBuf};

use ancestry::read_ancestors;
use input::MethodInput;
use packit_config::read_config;
use tags::{read_locked_tags, read_merged_tags};

use super::commit_place::CommitPlace;
use super::spec_history::put_history_in;
use super::spec_location::{WantedSpec, find_spec};
use crate::files::normalize;
use crate::source::SourceError;
use crate::source::autospec::SpecFeatures;

/// What is asked of a method.
pub(super) struct MethodQuestion<'a> {
    /// The folder that the manifest says.
    pub folder: Option<&'a str>,
    /// The spec in that folder.
    pub spec: Option<&'a str>,
    /// The whole name of the branch or tag that stood for the commit.
    pub reference: Option<&'a str>,
    /// The tags that are locked; nothing where nothing is.
    pub locked_tags: Option<&'a str>,
    /// Whether submodules are there too.
    pub has_submodules: bool,
}

/// Works out what the sources of a commit are; all that lies before it is there.
///
/// # Errors
/// The repository asks for what forge doesn't do, or can't be read.
pub(super) fn prepare_sources(
    method: GitMethod,
    place: &CommitPlace,
    question: &MethodQuestion<'_>,
) -> Result<PreparedSources, SourceError> {
    let before = read_ancestors(&place.repository, place.commit)?;
    let tags = match question.locked_tags {
        Some(locked) => read_locked_tags(&place.repository, locked)?,
        None => read_merged_tags(&place.repository, &before)?,
    };
    let packit = match method {
        GitMethod::Packit => Some(read_config(place, question.spec_path().as_deref())?),
        GitMethod::Rpkg | GitMethod::Tito | GitMethod::TitoTest => None,
    };
    // What the manifest says counts more.
    let of_config = packit.as_ref().and_then(|config| config.spec.as_deref());
    let of_config = of_config.filter(|_| question.folder.is_none() && question.spec.is_none());
    let wanted = WantedSpec {
        folder: question.folder,
        spec: question.spec.or(of_config),
        endings: &[".spec", ".spec.rpkg"],
    };
    let location = find_spec(place, &wanted, None)?;
    let path = location.below.join(&location.spec);
    let text = input::read_text(place, &path)?.ok_or_else(|| place.no_path("spec", &path))?;
    let folder = normalize(Path::new(""), Path::new(question.folder.unwrap_or_default())).unwrap_or_default();
    let input = MethodInput {
        place,
        before: &before,
        tags: &tags,
        reference: question.reference,
        has_submodules: question.has_submodules,
        folder,
        below: location.below,
        spec: location.spec,
        text,
    };
    let mut prepared = match (method, packit) {
        (GitMethod::Packit, Some(config)) => packit::prepare(&input, &config)?,
        (GitMethod::Rpkg | GitMethod::Packit, _) => rpkg::prepare(&input)?,
        (GitMethod::Tito, _) => tito::prepare_tagged(&input)?,
        (GitMethod::TitoTest, _) => tito::prepare_test(&input)?,
    };
    let features = SpecFeatures::find(&prepared.text);
    if features.has_autorelease || features.has_autochangelog {
        let path = (prepared.beside.as_path(), input.spec.as_str());
        prepared.text = put_history_in(&prepared.place, path, prepared.text.as_bytes())?;
    }
    Ok(prepared)
}

impl MethodQuestion<'_> {
    /// The path of the spec in the repository, if the manifest says it.
    fn spec_path(&self) -> Option<PathBuf> {
        let folder = Path::new(self.folder.unwrap_or_default());
        self.spec.and_then(|spec| normalize(folder, Path::new(spec)))
    }
}
