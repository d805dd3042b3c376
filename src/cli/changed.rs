//! What a git range touches: files of the project, and what its manifest said before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::context::{CliError, Context, Failure};
use crate::digest::{Digest, Encoder};
use crate::engine::{MacroSetting, Settings};
use crate::files::{Folder, HostPath};
use crate::manifest::declaration::SourceKind;
use crate::manifest::{ChrootId, MANIFEST_FILE, Manifest, ManifestPath, PackageId, load, manifest_files};
use crate::plan::{Build, Fate, Inputs};
use crate::process::{Cancel, Command, Exit, Stream, Supervisor};

/// How long git may take for one answer.
const GIT_TIME: Duration = Duration::from_secs(300);

/// What git is asked of.
pub struct GitProject<'a> {
    /// The project's folder, in a git work tree.
    pub folder: &'a Folder,
    /// A folder that is forge's own.
    pub state: &'a Folder,
    /// Starts git.
    pub supervisor: &'a Supervisor,
    /// Ends git.
    pub cancel: &'a Cancel,
    /// The environment.
    pub context: &'a Context,
}

/// What has changed since a revision.
pub struct ChangedFiles {
    /// The project's folder.
    project: HostPath,
    /// The files, relative to it.
    files: BTreeSet<PathBuf>,
    manifest: ManifestChange,
    /// What each build was built with before, where the manifest has changed.
    settings: BTreeMap<(String, String), Digest>,
}

/// Whether the manifest says something else.
enum ManifestChange {
    /// None of its files has changed.
    None,
    /// It has, and this is what it was.
    From(Box<Manifest>),
    /// It has, and what it was can't be read.
    FromUnreadable,
}

impl ChangedFiles {
    /// Asks git what differs in the work tree from where it left `revision`, files that git does not know yet included.
    /// `revision` may be a range, `A..B`.
    pub async fn since(revision: &str, git: &GitProject<'_>, over: &[MacroSetting]) -> Result<Self, Failure> {
        let is_range = revision.contains("..");
        let mut arguments = vec!["diff", "--name-only", "-z", "--no-renames", "--relative", "--no-ext-diff"];
        // What others have added to the branch meanwhile is no change of this work tree.
        arguments.extend((!is_range).then_some("--merge-base"));
        arguments.extend(["--end-of-options", revision, "--"]);
        let mut files = names(&git.ask(&arguments, &BTreeMap::new()).await?);
        if !is_range {
            let unknown = ["ls-files", "-z", "--others", "--exclude-standard"];
            files.extend(names(&git.ask(&unknown, &BTreeMap::new()).await?));
        }
        let now: BTreeSet<PathBuf> =
            manifest_files(git.folder).map_err(Failure::Manifest)?.into_iter().map(PathBuf::from).collect();
        let manifest =
            match now.iter().any(|file| files.contains(file)) || files.iter().any(|file| is_manifest(file)) {
                false => ManifestChange::None,
                true => git.manifest_before(revision, is_range).await?,
            };
        let mut settings = BTreeMap::new();
        if let ManifestChange::From(before) = &manifest {
            settings = all_settings(before, over);
        }
        Ok(Self { project: git.folder.path().clone(), files, manifest, settings })
    }

    /// Whether a build can come out differently: by its files, by what its spec reads, by what the manifest says of it.
    pub fn touches(&self, build: &Build, now: &Manifest) -> bool {
        let is_touched = match &build.fate {
            Fate::Buildable(inputs) => self.touches_inputs(inputs),
            // Without its spec nothing is known of its files but where they are.
            Fate::RuledOut(_) | Fate::NotYet(_) | Fate::Impossible(_) => {
                let source = source_path(now, &build.name.package);
                source.is_some_and(|path| self.files.iter().any(|file| is_beside(file, path)))
            }
        };
        is_touched || self.manifest_touches(build, now)
    }

    fn touches_inputs(&self, inputs: &Inputs) -> bool {
        let is_changed = |path: &Path| {
            path.strip_prefix(self.project.as_path()).is_ok_and(|path| self.files.contains(path))
        };
        let mut paths = inputs.files().map(|file| file.root.join(&file.path));
        let spec = inputs.spec.root.join(&inputs.spec.path);
        let beside = spec.as_path().parent().unwrap_or(Path::new("/"));
        paths.any(|path| is_changed(path.as_path()))
            || inputs.observed.paths(beside).any(|path| is_changed(&path))
    }

    fn manifest_touches(&self, build: &Build, now: &Manifest) -> bool {
        let before = match &self.manifest {
            ManifestChange::None => return false,
            ManifestChange::FromUnreadable => return true,
            ManifestChange::From(before) => before,
        };
        let name = (build.name.package.clone(), build.name.chroot.clone());
        self.settings.get(&name) != Some(&digest_settings(&build.settings))
            || source_path(before, &name.0) != source_path(now, &name.0)
    }
}

impl GitProject<'_> {
    /// What git writes when it is asked.
    async fn ask(&self, arguments: &[&str], over: &BTreeMap<String, String>) -> Result<Vec<u8>, Failure> {
        let mut environment = self.context.environment.clone();
        environment.extend(over.clone());
        let command = Command::new("git", self.folder.path(), environment, GIT_TIME).arguments(arguments);
        let (mut output, mut complaint) = (Vec::new(), Vec::new());
        let mut keep = |stream: Stream, chunk: &[u8]| match stream {
            Stream::Output => output.extend_from_slice(chunk),
            Stream::Error => complaint.extend_from_slice(chunk),
        };
        let exit = command.run(self.supervisor, self.cancel, &mut keep).await?;
        match exit {
            Exit::Code(0) => Ok(output),
            Exit::Code(_) | Exit::TimedOut | Exit::Canceled => {
                let complaint = String::from_utf8_lossy(&complaint);
                let complaint = complaint.trim().trim_start_matches("fatal: ");
                let reason = if complaint.is_empty() { "it gave no answer" } else { complaint };
                Err(CliError::Git { reason: reason.to_owned() }.into())
            }
        }
    }

    /// The manifest as it was. Of the other files it asks only whether they are there.
    async fn manifest_before(&self, revision: &str, is_range: bool) -> Result<ManifestChange, Failure> {
        let base = match revision.split_once("..").filter(|_| is_range) {
            Some((from, _)) => from.to_owned(),
            None => text(&self.ask(&["merge-base", revision, "HEAD"], &BTreeMap::new()).await?),
        };
        let base = if base.is_empty() { "HEAD".to_owned() } else { base };
        let scratch = self.state.unique("changed-since-").map_err(CliError::Io)?;
        let folder = self.state.create(&scratch).map_err(CliError::Io)?;
        let before = self.lay_out(&base, &folder).await;
        let manifest = before.map(|()| match load(&folder, MANIFEST_FILE, self.context) {
            Ok(manifest) => ManifestChange::From(Box::new(manifest)),
            Err(_) => ManifestChange::FromUnreadable,
        });
        self.state.remove(&scratch).map_err(CliError::Io)?;
        manifest
    }

    /// Lays the project out as it was: its manifests, and empty files for all others.
    async fn lay_out(&self, base: &str, folder: &Folder) -> Result<(), Failure> {
        let index = folder.path().join("index").to_string();
        let index = BTreeMap::from([("GIT_INDEX_FILE".to_owned(), index)]);
        self.ask(&["read-tree", base], &index).await?;
        let known = names(&self.ask(&["ls-files", "-z"], &index).await?);
        for file in known.iter().filter(|file| !is_manifest(file)) {
            let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            parent.map_or(Ok(()), |parent| folder.create(parent).map(drop)).map_err(CliError::Io)?;
            folder.new_file(file, 0o644).map_err(CliError::Io)?;
        }
        for file in known.iter().filter(|file| is_manifest(file)) {
            let Some(name) = file.to_str() else { continue };
            let content = self.ask(&["show", &format!(":./{name}")], &index).await?;
            let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            parent.map_or(Ok(()), |parent| folder.create(parent).map(drop)).map_err(CliError::Io)?;
            folder.write_atomic(file, &content).map_err(CliError::Io)?;
        }
        Ok(())
    }
}

/// The digest of what each build is built with.
fn all_settings(manifest: &Manifest, over: &[MacroSetting]) -> BTreeMap<(String, String), Digest> {
    let packages = (0..manifest.packages.len()).map(PackageId);
    let builds = packages
        .flat_map(|package| manifest.package(package).chroots.iter().map(move |chroot| (package, *chroot)));
    let digest = |(package, chroot): (PackageId, ChrootId)| {
        let name = (manifest.package(package).name.value.clone(), manifest.chroot(chroot).name.value.clone());
        (name, digest_settings(&manifest.settings(package, chroot, over)))
    };
    builds.map(digest).collect()
}

fn digest_settings(settings: &Settings) -> Digest {
    let mut encoder = Encoder::new("rpmforge settings v1");
    settings.encode(&mut encoder);
    encoder.list("build requires", settings.build_requires.iter(), |encoder, dependency| {
        encoder.text("", &dependency.to_string());
    });
    encoder.digest()
}

/// Whether a file may be one of a manifest's.
fn is_manifest(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "kdl")
}

/// The path of a package's source in the repository.
fn source_path<'m>(manifest: &'m Manifest, package: &str) -> Option<&'m Path> {
    let package = manifest.packages.iter().find(|known| known.name.value == package)?;
    match &package.source.kind {
        SourceKind::Path(path) => match &path.value {
            ManifestPath::Repository(path) => Some(path),
            ManifestPath::Absolute(_) => None,
        },
        SourceKind::Url { .. }
        | SourceKind::Repository { .. }
        | SourceKind::Distgit { .. }
        | SourceKind::Registry { .. }
        | SourceKind::Custom { .. }
        | SourceKind::Named(_) => None,
    }
}

/// Whether a file is a source, lies in the folder that is one, or beside the spec that is one.
fn is_beside(file: &Path, source: &Path) -> bool {
    let is_file = source.extension().is_some_and(|extension| extension == "spec" || extension == "rpm");
    let folder = if is_file { source.parent().unwrap_or(source) } else { source };
    file.starts_with(folder)
}

fn names(output: &[u8]) -> BTreeSet<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let names = output.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.map(|name| PathBuf::from(std::ffi::OsStr::from_bytes(name))).collect()
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim().to_owned()
}
