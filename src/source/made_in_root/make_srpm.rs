//! `source git … method=make-srpm`: the target `srpm` of a repository's `.copr/Makefile` makes the source package, as in Copr.
//!
//! make begins in the folder that `subdir` names, in a checkout of the commit with a `.git` of its own: `git describe`, `git log` and
//! `git archive` work there, with all commits before that one and all tags, and without branches.

use std::path::Path;

use super::error::MakingError;
use super::lay_out::lay_out;
use super::make::{MadeSource, MakeRequest, PreparedProgram, make};
use super::run::PLACE;
use crate::digest::Encoder;
use crate::files::{Folder, Mount, MountAccess, RootPath, normalize};
use crate::manifest::Package;
use crate::package::Dependency;
use crate::source::SourceError;
use crate::source::git::{GitRequest, WholeCommit};
use crate::source::lock::LockedSource;
use crate::source::tools::{Gathered, SourceTools};

/// The checkout, below the folder that make works in.
const CHECKOUT: &str = "checkout";
/// Where make leaves the source package, beside it.
const RESULTS: &str = "results";
/// Where the objects of the repository are seen.
const OBJECTS: &str = "/source.git/objects";

const MAKEFILE: &str = ".copr/Makefile";

/// Has the source package made.
///
/// # Errors
/// The commit can't be had, it has no such makefile, or that can't make the source package.
pub(in crate::source) fn gather(
    (package, request): (&Package, &GitRequest<'_>),
    tools: &SourceTools<'_>,
    locked: Option<&LockedSource>,
) -> Result<Gathered, SourceError> {
    let commit = WholeCommit::choose(request, tools, locked)?;
    if !commit.has(Path::new(MAKEFILE))? {
        let (repository, commit) = (commit.shown(), commit.id());
        return Err(MakingError::NoMakefile { repository, commit }.into());
    }
    let (folder, spec) = (request.folder.as_deref(), request.spec.as_deref());
    let prepare = |place: &Folder| {
        let checkout = place.create(CHECKOUT)?;
        commit.write(&checkout, OBJECTS, tools)?;
        place.create(RESULTS)?;
        let below = normalize(Path::new(CHECKOUT), Path::new(folder.unwrap_or_default()));
        let below = below.filter(|below| below.starts_with(CHECKOUT) && place.is_folder(below));
        let below = below.ok_or_else(|| MakingError::NoFolder {
            repository: commit.shown(),
            folder: folder.unwrap_or_default().to_owned(),
            commit: commit.id(),
        })?;
        let begin = Path::new(PLACE).join(&below);
        let spec = spec.map(|spec| begin.join(spec).display().to_string()).or_else(|| {
            let specs = place.search(&below, "*.spec").ok().flatten().unwrap_or_default();
            let only = specs.first().filter(|_| specs.len() == 1)?;
            Some(Path::new(PLACE).join(only).display().to_string())
        });
        let command = [
            "make".to_owned(),
            "-f".to_owned(),
            format!("{PLACE}/{CHECKOUT}/{MAKEFILE}"),
            "srpm".to_owned(),
            format!("outdir={PLACE}/{RESULTS}"),
            format!("spec={}", spec.unwrap_or_default()),
        ];
        let root = RootPath::root().join(OBJECTS.trim_start_matches('/'));
        let objects = Mount { host: commit.objects(), root, access: MountAccess::Read };
        Ok(PreparedProgram {
            command: command.to_vec(),
            begin: below.to_string_lossy().into_owned(),
            variables: Vec::new(),
            mounts: vec![objects],
        })
    };
    let mut encoder = Encoder::new("rpmforge make srpm v1");
    encoder.text("commit", &commit.id()).option("folder", folder).option("spec", spec);
    let make_request = MakeRequest {
        package,
        what: format!("`{MAKEFILE}`"),
        content: encoder.digest(),
        implied: vec![Dependency::any("make")],
        refresh: None,
        spec: None,
        results: Path::new(RESULTS),
        prepare: &prepare,
    };
    let made = make(&make_request, tools, locked.filter(|locked| locked.kind == request.kind))?;
    if !commit.was_locked {
        tools.say(format!("{} is locked at {}", commit.shown(), commit.id()));
    }
    let files = made.locked_files()?;
    let (folder, spec) = lay_out(&made.files, None, tools)?;
    let MadeSource { files: _, made_of: _, mut found } = made;
    found.extend(commit.found());
    let locked = LockedSource { kind: request.kind.to_owned(), asked: Some(commit.asked), found, files };
    Ok(Gathered { folder, spec, locked })
}
