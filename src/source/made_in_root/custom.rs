//! `source custom`: a script of the project's that makes spec and sources.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cap_std::fs::{Permissions, PermissionsExt};

use super::error::MakingError;
use super::lay_out::lay_out;
use super::make::{MadeSource, MakeRequest, PreparedProgram, make};
use super::run::PLACE;
use crate::digest::{Digest, Encoder};
use crate::files::{Folder, normalize};
use crate::manifest::{ManifestPath, Package};
use crate::source::SourceError;
use crate::source::lock::LockedSource;
use crate::source::reach::{open_reachable, regular_file};
use crate::source::tools::{Gathered, SourceTools};

/// What the manifest says.
pub(in crate::source) struct CustomRequest<'a> {
    /// The package.
    pub package: &'a Package,
    /// The repository: paths of the manifest begin there.
    pub repository: &'a Folder,
    /// The script.
    pub script: &'a ManifestPath,
    /// What it is called with.
    pub arguments: &'a [String],
    /// The folder that it leaves the sources in.
    pub results: Option<&'a str>,
    /// The spec among them.
    pub spec: Option<&'a str>,
    /// After how long it runs anew.
    pub refresh: Option<Duration>,
}

/// How large a script may be, in bytes.
const LARGEST_SCRIPT: u64 = 16 << 20;

/// The folder that it begins in, below the one that it works in.
const WORK: &str = "work";
/// The script there, beside it.
const SCRIPT: &str = "script";

/// Makes what a script makes.
///
/// # Errors
/// The script can't be read, or it can't make the source.
pub(in crate::source) fn gather(
    request: &CustomRequest<'_>,
    tools: &SourceTools<'_>,
    locked: Option<&LockedSource>,
) -> Result<Gathered, SourceError> {
    let script = request.read_script()?;
    let results = request.results_folder()?;
    let shown = request.script.as_path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let prepare = |place: &Folder| {
        place.create(WORK)?;
        place.write_atomic(SCRIPT, &script)?;
        place.dir().set_permissions(SCRIPT, Permissions::from_mode(0o755))?;
        let path = format!("{PLACE}/{SCRIPT}");
        let shell = (!script.starts_with(b"#!")).then(|| "/bin/sh".to_owned());
        let command = shell.into_iter().chain([path]).chain(request.arguments.iter().cloned()).collect();
        // What Copr's scripts are told.
        let folder = Path::new(PLACE).join(&results).display().to_string();
        let variables = vec![("COPR_RESULTDIR".to_owned(), folder)];
        Ok(PreparedProgram { command, begin: WORK.to_owned(), variables, mounts: Vec::new() })
    };
    let make_request = MakeRequest {
        package: request.package,
        what: format!("`{shown}`"),
        content: request.digest(&script),
        implied: Vec::new(),
        refresh: request.refresh,
        spec: request.spec,
        results: &results,
        prepare: &prepare,
    };
    let made = make(&make_request, tools, locked.filter(|locked| locked.kind == "custom"))?;
    let files = made.locked_files()?;
    let (folder, spec) = lay_out(&made.files, request.spec, tools)?;
    let MadeSource { files: _, made_of, found } = made;
    let locked = LockedSource { kind: "custom".to_owned(), asked: Some(made_of), found, files };
    Ok(Gathered { folder, spec, locked })
}

impl CustomRequest<'_> {
    fn read_script(&self) -> Result<Vec<u8>, SourceError> {
        let read = || -> Result<Vec<u8>, SourceError> {
            let (root, relative) = open_reachable(self.script, self.repository)?;
            let path = regular_file(&root, &relative)?;
            if root.file_size(&path).is_some_and(|size| size > LARGEST_SCRIPT) {
                return Err(std::io::Error::from(std::io::ErrorKind::FileTooLarge).into());
            }
            Ok(root.read(&path)?)
        };
        read().map_err(|error| {
            MakingError::Script { script: self.script.to_string(), reason: error.to_string() }.into()
        })
    }

    /// The folder of the results, below the one that it works in.
    fn results_folder(&self) -> Result<PathBuf, SourceError> {
        let results = self.results.unwrap_or_default();
        normalize(Path::new(WORK), Path::new(results)).filter(|path| path.starts_with(WORK)).ok_or_else(
            || {
                let what = format!("`{}`", self.script);
                let log = "no log: it was not run".to_owned();
                MakingError::NoResults { what, folder: results.to_owned(), log }.into()
            },
        )
    }

    fn digest(&self, script: &[u8]) -> Digest {
        let mut encoder = Encoder::new("rpmforge script of a source v1");
        encoder.digest_field("script", &Digest::compute(script));
        encoder.list("arguments", self.arguments.iter(), |encoder, argument| {
            encoder.text("", argument);
        });
        encoder.option("refresh", self.refresh.map(|every| format!("{every:?}")).as_deref());
        encoder.digest()
    }
}
