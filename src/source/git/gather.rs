//! `source git`: a spec and the files beside it, from a commit.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use gix_hash::ObjectId;

use super::address::GitAddress;
use super::checkout::{Checkout, CheckoutOptions};
use super::commit_choice::{ChosenCommit, CommitChooser, CommitLock, CommitReach};
use super::connection::GitTools;
use super::error::GitError;
use super::history::GitHistory;
use super::limits::CONFIG_BYTES;
use super::repository::{CommitEntryKind, Repository};
use super::revision::Revision;
use super::write_tree::{Subfolders, find_entry, find_folder};
use crate::chroot::Connection;
use crate::chroot::making::LockRule;
use crate::digest::{Digest, Encoder};
use crate::files::{Folder, Sharing, normalize};
use crate::source::SourceError;
use crate::source::autospec::{SpecFeatures, process_spec, work_out};
use crate::source::lock::{LockedFile, LockedSource};
use crate::source::source_package::only_spec;
use crate::source::tools::{Gathered, SourceTools};
use crate::store::Blob;

/// What the manifest says.
pub(in crate::source) struct GitRequest<'a> {
    /// The kind of source, as the manifest has it.
    pub kind: &'static str,
    /// Where.
    pub url: &'a str,
    /// The commit, tag or branch.
    pub revision: &'a Option<String>,
    /// The folder in it.
    pub folder: &'a Option<String>,
    /// The spec in that folder.
    pub spec: &'a Option<String>,
    /// How it makes its source package.
    pub method: &'a Option<String>,
}

/// A file that is put beside the spec.
pub(in crate::source) struct AddedFile {
    /// Its content.
    pub blob: Blob,
    /// What is locked of it.
    pub locked: LockedFile,
}

/// The files beside a spec, in its commit.
pub(in crate::source) struct BesideSpec<'a> {
    repository: &'a Repository,
    folder: ObjectId,
}

impl BesideSpec<'_> {
    /// The content of one, if it is there and not too long to be read whole.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, GitError> {
        let entry = find_entry(self.repository, self.folder, Path::new(name))?;
        let Some(entry) = entry.filter(|entry| is_file(entry.kind)) else { return Ok(None) };
        match self.repository.blob_size(entry.id)? {
            size if size <= CONFIG_BYTES as u64 => self.repository.blob(entry.id).map(Some),
            size => Err(GitError::TooLarge {
                repository: self.repository.shown().to_owned(),
                what: format!("its `{name}` has {size} bytes"),
            }),
        }
    }
}

/// Gives the files that are put beside a spec, by their names.
pub(in crate::source) type AddFiles<'a> =
    dyn Fn(&BesideSpec<'_>) -> Result<BTreeMap<String, AddedFile>, SourceError> + 'a;

/// What is locked of a commit: its id, and the branch or tag that stood for it.
pub(super) const COMMIT: &str = "commit";
pub(super) const REFERENCE: &str = "ref";

/// Fetches what `source git` names.
///
/// # Errors
/// It can't be had, or there is no spec in it.
pub(in crate::source) fn gather(
    request: &GitRequest<'_>,
    tools: &SourceTools<'_>,
    locked: Option<&LockedSource>,
) -> Result<Gathered, SourceError> {
    gather_adding(request, tools, locked, &|_| Ok(BTreeMap::new()))
}

/// As [`gather`], with files from elsewhere beside the spec.
///
/// # Errors
/// As there.
pub(in crate::source) fn gather_adding(
    request: &GitRequest<'_>,
    tools: &SourceTools<'_>,
    locked: Option<&LockedSource>,
    add: &AddFiles<'_>,
) -> Result<Gathered, SourceError> {
    if let Some(method) = request.method.as_ref().filter(|method| *method != "plain") {
        return Err(SourceError::NotYet { kind: format!("git method={method}") });
    }
    let cache = tools.store.folder().create("git")?;
    let address = GitAddress::parse(request.url)?;
    let environment: BTreeMap<OsString, OsString> = tools.environment.iter().cloned().collect();
    let git_tools = GitTools { client: tools.client, environment: &environment, cancel: tools.cancel };
    let git_tools = match (tools.connection, &address) {
        (Connection::Online, _) | (Connection::Offline, GitAddress::Local(_)) => Some(git_tools),
        (Connection::Offline, GitAddress::Web(_) | GitAddress::Ssh(_) | GitAddress::Daemon { .. }) => None,
    };
    let package = GitPackage {
        request,
        repository: Repository::open(&cache, &address)?,
        address: &address,
        cache: &cache,
        tools: git_tools,
    };
    package.gather(tools, locked, add)
}

/// A package in a repository.
struct GitPackage<'a> {
    request: &'a GitRequest<'a>,
    repository: Repository,
    address: &'a GitAddress,
    cache: &'a Folder,
    tools: Option<GitTools<'a>>,
}

impl GitPackage<'_> {
    fn gather(
        &self,
        tools: &SourceTools<'_>,
        locked: Option<&LockedSource>,
        add: &AddFiles<'_>,
    ) -> Result<Gathered, SourceError> {
        let revision = Revision::parse(self.request.revision.as_deref())?;
        let asked = self.asked();
        let known = locked.filter(|locked| locked.asked == Some(asked)).and_then(read_lock);
        // What an update moves has nothing that it was asked for.
        let before = locked.filter(|locked| locked.asked.is_none()).and_then(read_lock);
        let lock = match (&known, &before, tools.rule) {
            (Some(known), _, _) => CommitLock::Locked(known),
            (None, Some(before), LockRule::MayChange) => CommitLock::Moves(before),
            (None, None, LockRule::MayChange) => CommitLock::Open,
            (None, _, LockRule::Frozen) => CommitLock::Frozen,
        };
        let chosen = self.chooser(CommitReach::Commit).choose(&revision, lock)?;
        let (below, spec) = self.find_spec(chosen.commit)?;
        let text = self.read_spec(chosen.commit, &below.join(&spec))?;
        let features = SpecFeatures::find(&String::from_utf8_lossy(&text));
        let root = self.repository.commit(chosen.commit)?.tree;
        let beside = find_folder(&self.repository, root, &below)?.unwrap_or(root);
        let added = add(&BesideSpec { repository: &self.repository, folder: beside })?;
        let needs_history = features.has_autorelease || features.has_autochangelog;
        let mut encoder = Encoder::new("rpmforge git source v1");
        encoder.text("commit", &chosen.commit.to_string()).text("folder", &below.to_string_lossy());
        encoder.text("spec", &spec).list("added", added.iter(), |encoder, (name, file)| {
            encoder.digest_field(name, &file.blob.digest);
        });
        let (folder, spec) = tools.folders.make_once(encoder.digest(), |folder| {
            let checkout =
                Checkout { cache: self.cache, tools: self.tools, options: CheckoutOptions::default() };
            let commit = (self.address, chosen.commit);
            checkout.write(&self.repository, commit, (&below, Subfolders::LeftOut), folder)?;
            if needs_history {
                let processed = self.put_history_in(&revision, &chosen, (&below, &spec), &text)?;
                folder.write_atomic(&spec, processed.as_bytes())?;
            }
            for (name, AddedFile { blob, .. }) in &added {
                // What the lookaside cache has wins over a file of that name, as with fedpkg.
                if folder.file_size(name).is_some() {
                    folder.remove_file(name)?;
                }
                tools.store.place(blob, folder, Path::new(name), Sharing::Nothing)?;
            }
            Ok(spec.clone())
        })?;
        if known.is_none() {
            tools.say(format!("{} is locked at {}", self.address, chosen.commit));
        }
        let mut found = BTreeMap::from([(COMMIT.to_owned(), chosen.commit.to_string())]);
        found.extend(chosen.reference.map(|reference| (REFERENCE.to_owned(), reference)));
        let files = added.into_iter().map(|(name, file)| (name, file.locked)).collect();
        let locked = LockedSource { kind: self.request.kind.to_owned(), asked: Some(asked), found, files };
        Ok(Gathered { folder, spec, locked })
    }

    /// What is asked for, as far as it decides which commit is meant.
    fn asked(&self) -> Digest {
        asked_of(self.address, self.request.revision.as_deref())
    }

    fn chooser(&self, reach: CommitReach) -> CommitChooser<'_> {
        CommitChooser { repository: &self.repository, address: self.address, tools: self.tools, reach }
    }

    /// The folder of the spec, and its name.
    fn find_spec(&self, commit: ObjectId) -> Result<(PathBuf, String), SourceError> {
        let no_path = |what: &'static str, path: &Path| GitError::NoPath {
            repository: self.address.to_string(),
            what,
            path: path.display().to_string(),
            commit: commit.to_string(),
        };
        let folder = PathBuf::from(self.request.folder.as_deref().unwrap_or_default());
        let spec = self.request.spec.as_deref().map(PathBuf::from);
        let joined = normalize(&folder, spec.as_deref().unwrap_or(Path::new("")));
        let joined = joined.ok_or_else(|| no_path("folder", &folder))?;
        let (below, name) = match spec {
            None => (joined, None),
            Some(_) => (
                joined.parent().map(Path::to_owned).unwrap_or_default(),
                joined.file_name().map(|name| name.to_string_lossy().into_owned()),
            ),
        };
        let root = self.repository.commit(commit)?.tree;
        let tree = find_folder(&self.repository, root, &below)?.ok_or_else(|| no_path("folder", &below))?;
        let files = self.repository.tree(tree)?.into_iter().filter(|entry| is_file(entry.kind));
        let names: Vec<String> = files.map(|entry| entry.name).collect();
        match name {
            Some(name) if names.contains(&name) => Ok((below, name)),
            Some(name) => Err(no_path("spec", &below.join(name)).into()),
            None => {
                let specs = names.into_iter().filter(|name| name.ends_with(".spec")).collect();
                let shown = format!("{} at {commit}", self.address);
                Ok((below, only_spec(&shown, specs)?))
            }
        }
    }

    fn read_spec(&self, commit: ObjectId, path: &Path) -> Result<Vec<u8>, SourceError> {
        let root = self.repository.commit(commit)?.tree;
        let entry = find_entry(&self.repository, root, path)?;
        let missing = || GitError::NoPath {
            repository: self.address.to_string(),
            what: "spec",
            path: path.display().to_string(),
            commit: commit.to_string(),
        };
        Ok(self.repository.blob(entry.ok_or_else(missing)?.id)?)
    }

    /// The spec with the release and the changes that its history says.
    fn put_history_in(
        &self,
        revision: &Revision,
        chosen: &ChosenCommit,
        (below, spec): (&Path, &str),
        text: &[u8],
    ) -> Result<String, SourceError> {
        self.chooser(CommitReach::History).choose(revision, CommitLock::Locked(chosen))?;
        let text = String::from_utf8_lossy(text);
        let features = SpecFeatures::find(&text);
        let Some(wanted) = features.wanted() else { return Ok(text.into_owned()) };
        let history = GitHistory::new(&self.repository, below, spec);
        let found = work_out(&history, &chosen.commit, wanted)?;
        Ok(process_spec(&text, features, &found))
    }
}

/// What is asked for, as far as it decides which commit is meant.
pub(super) fn asked_of(address: &GitAddress, revision: Option<&str>) -> Digest {
    let mut encoder = Encoder::new("rpmforge asked of git v1");
    encoder.text("url", &address.to_string());
    encoder.text("revision", revision.unwrap_or("HEAD"));
    encoder.digest()
}

/// The commit that is locked.
pub(super) fn read_lock(locked: &LockedSource) -> Option<ChosenCommit> {
    let commit = ObjectId::from_hex(locked.found.get(COMMIT)?.as_bytes()).ok()?;
    Some(ChosenCommit { commit, reference: locked.found.get(REFERENCE).cloned() })
}

fn is_file(kind: CommitEntryKind) -> bool {
    match kind {
        CommitEntryKind::File | CommitEntryKind::Executable => true,
        CommitEntryKind::Link | CommitEntryKind::Folder | CommitEntryKind::Submodule => false,
    }
}
