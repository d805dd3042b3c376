//! What a git range touches: files of the project, and what its manifest said before.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::context::{CliError, Context, Failure};
use super::selection_arguments::Selection;
use crate::digest::{Digest, Encoder};
use crate::engine::{MacroSetting, Settings};
use crate::files::{Folder, HostPath};
use crate::manifest::declaration::SourceKind;
use crate::manifest::{ChrootId, MANIFEST_FILE, Manifest, ManifestPath, PackageId, load, manifest_files};
use crate::plan::{Build, Fate, Inputs};
use crate::process::{Cancel, Command, Exit, Stream, Supervisor};
use crate::ui::plain_text;

/// What helps where there is no work tree.
const NO_WORK_TREE: &str = "`--changed-since` asks git what has changed: run it in a clone of the repository";

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
    pub async fn since(revision: &str, git: &GitProject<'_>, selection: &Selection) -> Result<Self, Failure> {
        let is_range = revision.contains("..");
        git.check_work_tree().await?;
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
                true => git.manifest_before(revision, is_range, &selection.profile).await?,
            };
        let mut settings = BTreeMap::new();
        if let ManifestChange::From(before) = &manifest {
            settings = all_settings(before, &selection.define);
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
        self.run(self.command(arguments, over)).await
    }

    /// Sees to it that there is a work tree which git reads: outside of one, or in one of another user, `git diff` takes
    /// its arguments for files.
    async fn check_work_tree(&self) -> Result<(), Failure> {
        let asked = self.ask(&["rev-parse", "--is-inside-work-tree"], &BTreeMap::new()).await;
        match asked {
            Ok(answer) if text(&answer) == "true" => Ok(()),
            Ok(_) => {
                let reason = format!("{} is in no git work tree", self.folder.path());
                Err(CliError::NoWorkTree { reason, help: NO_WORK_TREE.to_owned() }.into())
            }
            Err(Failure::Report(report)) => match report.downcast_ref::<CliError>() {
                Some(CliError::Git { reason }) => Err(self.no_work_tree(reason).into()),
                Some(_) | None => Err(Failure::Report(report)),
            },
            Err(failure) => Err(failure),
        }
    }

    /// What git said of it, without its usage.
    fn no_work_tree(&self, reason: &str) -> CliError {
        let reason = reason.lines().next().unwrap_or_default().to_owned();
        let folder = self.folder.path().to_string();
        let folder = folder.trim_end_matches('/');
        if reason.contains("dubious ownership") {
            let help = format!(
                "the checkout belongs to another user, as in containers of CI jobs; if you trust it: \
                 `git config --global --add safe.directory {folder}`"
            );
            return CliError::NoWorkTree { reason, help };
        }
        CliError::NoWorkTree { reason: format!("{folder}: {reason}"), help: NO_WORK_TREE.to_owned() }
    }

    fn command(&self, arguments: &[&str], over: &BTreeMap<String, String>) -> Command {
        let mut environment = self.context.environment.clone();
        environment.extend(over.clone());
        Command::new("git", self.folder.path(), environment, GIT_TIME).arguments(arguments)
    }

    async fn run(&self, command: Command) -> Result<Vec<u8>, Failure> {
        let (mut output, mut complaint) = (Vec::new(), Vec::new());
        let mut keep = |stream: Stream, chunk: &[u8]| match stream {
            Stream::Output => output.extend_from_slice(chunk),
            Stream::Error => complaint.extend_from_slice(chunk),
        };
        let exit = command.run(self.supervisor, self.cancel, &mut keep).await?;
        match exit {
            Exit::Code(0) => Ok(output),
            Exit::Code(_) | Exit::TimedOut | Exit::Canceled | Exit::PassedLimit(_) => {
                let complaint = String::from_utf8_lossy(&complaint);
                let complaint = complaint.trim().trim_start_matches("fatal: ");
                let reason = if complaint.is_empty() { "it gave no answer" } else { complaint };
                Err(CliError::Git { reason: reason.to_owned() }.into())
            }
        }
    }

    /// The manifest as it was, with those of these profiles that it had.
    async fn manifest_before(
        &self,
        revision: &str,
        is_range: bool,
        profiles: &[String],
    ) -> Result<ManifestChange, Failure> {
        let base = match revision.split_once("..").filter(|_| is_range) {
            Some((from, _)) => from.to_owned(),
            None => text(&self.ask(&["merge-base", revision, "HEAD"], &BTreeMap::new()).await?),
        };
        let base = if base.is_empty() { "HEAD".to_owned() } else { base };
        let scratch = self.state.unique("changed-since-").map_err(CliError::Io)?;
        let folder = self.state.create(format!("{scratch}/project")).map_err(CliError::Io)?;
        let index = self.state.path().join(format!("{scratch}/index"));
        let before = self.lay_out(&base, &index, &folder).await;
        let manifest = before.map(|()| match load(&folder, MANIFEST_FILE, self.context) {
            Ok(mut manifest) => {
                manifest.choose_known_profiles(profiles);
                ManifestChange::From(Box::new(manifest))
            }
            Err(_) => {
                self.context.tell(&plain_text(&format!(
                    "note: the manifest as it was at {base} has mistakes: every build counts as changed\n"
                )));
                ManifestChange::FromUnreadable
            }
        });
        self.state.remove(&scratch).map_err(CliError::Io)?;
        manifest
    }

    /// Lays the project out as it was: its manifests, its specs (packages are known by the names in them), and empty files
    /// for all others.
    async fn lay_out(&self, base: &str, index: &HostPath, folder: &Folder) -> Result<(), Failure> {
        let index = BTreeMap::from([("GIT_INDEX_FILE".to_owned(), index.to_string())]);
        self.ask(&["read-tree", base], &index).await?;
        let entries = entries(&self.ask(&["ls-files", "--stage", "-z"], &index).await?);
        let (texts, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| is_read(&entry.path));
        for entry in &others {
            new_file(folder, &entry.path)?;
        }
        let asked: String = texts.iter().map(|entry| format!("{}\n", entry.object)).collect();
        let command = self.command(&["cat-file", "--batch"], &index).request(asked.into_bytes());
        let answer = if texts.is_empty() { Vec::new() } else { self.run(command).await? };
        let mut rest = answer.as_slice();
        for entry in &texts {
            let content = take_object(&mut rest).unwrap_or_default();
            new_file(folder, &entry.path)?.write_all(content).map_err(CliError::Io)?;
        }
        Ok(())
    }
}

/// A file of a git tree.
struct TreeEntry {
    /// The object with its content.
    object: String,
    path: PathBuf,
}

/// What `git ls-files --stage -z` lists: `MODE OBJECT STAGE<tab>PATH`.
fn entries(output: &[u8]) -> Vec<TreeEntry> {
    let entry = |line: &[u8]| {
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let (head, path) = line.split_at_checked(tab)?;
        let object = std::str::from_utf8(head).ok()?.split(' ').nth(1)?.to_owned();
        Some(TreeEntry { object, path: PathBuf::from(OsStr::from_bytes(path.get(1..)?)) })
    };
    output.split(|byte| *byte == 0).filter_map(entry).collect()
}

/// The next object of what `git cat-file --batch` answers: `OBJECT blob SIZE<newline>CONTENT<newline>`, or
/// `OBJECT missing<newline>`.
fn take_object<'a>(answer: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = answer.iter().position(|byte| *byte == b'\n')?;
    let (head, rest) = answer.split_at_checked(end)?;
    let rest = rest.get(1..)?;
    *answer = rest;
    let size: usize = std::str::from_utf8(head).ok()?.split(' ').nth(2)?.parse().ok()?;
    let (content, rest) = rest.split_at_checked(size)?;
    *answer = rest.get(1..).unwrap_or_default();
    Some(content)
}

/// A new file, and the folders that it is in.
fn new_file(folder: &Folder, path: &Path) -> Result<impl Write + use<>, Failure> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        folder.create(parent).map_err(CliError::Io)?;
    }
    Ok(folder.new_file(path, 0o644).map_err(CliError::Io)?)
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

/// Whether the content of a file counts when a manifest is read: it may be a manifest or a spec.
fn is_read(file: &Path) -> bool {
    is_manifest(file) || file.extension().is_some_and(|extension| extension == "spec")
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
        | SourceKind::Published { .. }
        | SourceKind::Build(_)
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
    let names = output.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.map(|name| PathBuf::from(OsStr::from_bytes(name))).collect()
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim().to_owned()
}
