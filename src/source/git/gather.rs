//! `source git`: a spec and the files beside it, from a commit.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;

use gix_hash::ObjectId;

use super::address::GitAddress;
use super::beside_spec::write_files_beside;
use super::checkout::{Checkout, CheckoutOptions};
use super::commit_choice::{ChosenCommit, CommitChooser, CommitLock, CommitReach};
use super::commit_place::{CommitPlace, is_file};
use super::connection::GitTools;
use super::error::GitError;
use super::limits::CONFIG_BYTES;
use super::method::{GitMethod, MethodQuestion, prepare_sources};
use super::repository::Repository;
use super::request::GitRequest;
use super::revision::Revision;
use super::spec_history::put_history_in;
use super::spec_location::{SpecLocation, WantedSpec, find_spec};
use super::write_tree::{CaseClash, find_entry};
use crate::chroot::Connection;
use crate::chroot::making::LockRule;
use crate::digest::{Digest, Encoder};
use crate::files::{Folder, Sharing};
use crate::source::SourceError;
use crate::source::autospec::SpecFeatures;
use crate::source::lock::{LockedFile, LockedSource};
use crate::source::tools::{Gathered, SourceTools};
use crate::store::{Blob, GIT_CACHE};

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
const TAGS: &str = "tags";

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
    let method = request.method.as_deref().filter(|method| *method != "plain");
    let method = method
        .map(|word| {
            let not_yet = || SourceError::NotYet { kind: format!("git method={word}") };
            GitMethod::named(word).ok_or_else(not_yet)
        })
        .transpose()?;
    let cache = tools.store.folder().create(GIT_CACHE)?;
    let address = GitAddress::parse(request.url)?;
    let environment: BTreeMap<OsString, OsString> = tools.environment.iter().cloned().collect();
    let git_tools = GitTools { client: tools.client, environment: &environment, cancel: tools.cancel };
    let git_tools = match (tools.connection, &address) {
        (Connection::Online, _) | (Connection::Offline, GitAddress::Local(_)) => Some(git_tools),
        (Connection::Offline, GitAddress::Web(_) | GitAddress::Ssh(_) | GitAddress::Daemon { .. }) => None,
    };
    let repository = Repository::open(&cache, &address)?;
    let package = GitPackage { request, method, repository, address, cache: &cache, tools: git_tools };
    package.gather(tools, locked, add)
}

/// A package in a repository.
struct GitPackage<'a> {
    request: &'a GitRequest<'a>,
    /// What makes its sources; nothing where they are what lies there.
    method: Option<GitMethod>,
    repository: Repository,
    address: GitAddress,
    cache: &'a Folder,
    tools: Option<GitTools<'a>>,
}

impl GitPackage<'_> {
    fn gather(
        self,
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
        let reach = if self.method.is_some() { CommitReach::History } else { CommitReach::Commit };
        let chosen = self.chooser(reach).choose(&revision, lock)?;
        let Self { request, method, repository, address, cache, tools: git_tools } = self;
        let start = CommitPlace { repository: Rc::new(repository), address, commit: chosen.commit };
        let checkout = Checkout { cache, tools: git_tools, options: request.options };
        let package = CommitPackage { request, start: &start, chosen: &chosen, checkout: &checkout };
        let (folder, spec, files, more) = match method {
            None => {
                let (folder, spec, files) = package.write(&revision, tools, add)?;
                (folder, spec, files, BTreeMap::new())
            }
            Some(method) => {
                let tags = known.as_ref().and(locked).and_then(|locked| locked.found.get(TAGS));
                let (folder, spec, more) = package.write_made(method, tags.map(String::as_str), tools)?;
                (folder, spec, BTreeMap::new(), more)
            }
        };
        if known.is_none() {
            tools.say(format!("{} is locked at {}", start.address, chosen.commit));
        }
        let mut found = BTreeMap::from([(COMMIT.to_owned(), chosen.commit.to_string())]);
        found.extend(chosen.reference.map(|reference| (REFERENCE.to_owned(), reference)));
        found.extend(more);
        let locked = LockedSource { kind: request.kind.to_owned(), asked: Some(asked), found, files };
        Ok(Gathered { folder, spec, locked })
    }

    /// What is asked for, as far as it decides which commit is meant.
    fn asked(&self) -> Digest {
        let mut encoder = begin_asked(&self.address, self.request.revision.as_deref());
        if let Some(method) = self.method {
            encoder.text("method", method.word());
        }
        encoder.digest()
    }

    fn chooser(&self, reach: CommitReach) -> CommitChooser<'_> {
        CommitChooser { repository: &self.repository, address: &self.address, tools: self.tools, reach }
    }
}

/// A package in a commit.
struct CommitPackage<'a> {
    request: &'a GitRequest<'a>,
    start: &'a CommitPlace,
    chosen: &'a ChosenCommit,
    checkout: &'a Checkout<'a>,
}

/// Sources that were written: their folder, the spec's name, and what is locked of those that were added.
type Written = (Folder, String, BTreeMap<String, LockedFile>);

/// Sources that were made: their folder, the spec's name, and what the lock says of how.
type Made = (Folder, String, BTreeMap<String, String>);

impl CommitPackage<'_> {
    /// Writes the spec as it lies there, with the files beside it.
    fn write(
        &self,
        revision: &Revision,
        tools: &SourceTools<'_>,
        add: &AddFiles<'_>,
    ) -> Result<Written, SourceError> {
        let (request, options, git_tools) = (self.request, self.request.options, self.checkout.tools);
        let wanted = WantedSpec {
            folder: request.folder.as_deref(),
            spec: request.spec.as_deref(),
            endings: &[".spec"],
        };
        let SpecLocation { submodule, below, spec } =
            find_spec(self.start, &wanted, Some(self.checkout).filter(|_| options.submodules))?;
        let place = submodule.as_ref().unwrap_or(self.start);
        let text = read_spec(place, &below.join(&spec))?;
        let features = SpecFeatures::find(&String::from_utf8_lossy(&text));
        let beside = place.folder(&below)?.map_or_else(|| place.root(), Ok)?;
        let added = add(&BesideSpec { repository: &place.repository, folder: beside })?;
        let mut encoder = Encoder::new("rpmforge git source v2");
        encoder.text("repository", &place.address.to_string()).text("commit", &place.commit.to_string());
        encoder.text("folder", &below.to_string_lossy()).text("spec", &spec);
        encode_options(&mut encoder, options);
        encoder.list("added", added.iter(), |encoder, (name, file)| {
            encoder.digest_field(name, &file.blob.digest);
        });
        let (folder, spec) = tools.folders.make_once(encoder.digest(), |folder| {
            write_files_beside(self.checkout, place, &below, folder)?;
            if features.has_autorelease || features.has_autochangelog {
                // A submodule has no revision but its commit.
                let alone = ChosenCommit { commit: place.commit, reference: None };
                match &submodule {
                    Some(_) => fetch_history(place, &Revision::Commit(place.commit), &alone, git_tools)?,
                    None => fetch_history(place, revision, self.chosen, git_tools)?,
                }
                let processed = put_history_in(place, (&below, &spec), &text)?;
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
        let files = added.into_iter().map(|(name, file)| (name, file.locked)).collect();
        Ok((folder, spec, files))
    }

    /// Writes what a method makes of the commit.
    fn write_made(
        &self,
        method: GitMethod,
        locked_tags: Option<&str>,
        tools: &SourceTools<'_>,
    ) -> Result<Made, SourceError> {
        let CommitPackage { request, start, chosen, checkout } = self;
        let question = MethodQuestion {
            folder: request.folder.as_deref(),
            spec: request.spec.as_deref(),
            reference: chosen.reference.as_deref(),
            locked_tags,
            has_submodules: request.options.submodules,
        };
        let prepared = prepare_sources(method, start, &question)?;
        let mut encoder = Encoder::new("rpmforge made git source v1");
        encode_options(&mut encoder, request.options);
        encoder.digest_field("prepared", &prepared.digest());
        let (folder, spec) = tools.folders.make_once(encoder.digest(), |folder| {
            prepared.write(checkout, folder)?;
            Ok(prepared.spec.clone())
        })?;
        Ok((folder, spec, prepared.locked()))
    }
}

/// What is asked for, as far as it decides which commit is meant.
pub(super) fn asked_of(address: &GitAddress, revision: Option<&str>) -> Digest {
    begin_asked(address, revision).digest()
}

fn begin_asked(address: &GitAddress, revision: Option<&str>) -> Encoder {
    let mut encoder = Encoder::new("rpmforge asked of git v1");
    encoder.text("url", &address.to_string());
    encoder.text("revision", revision.unwrap_or("HEAD"));
    encoder
}

/// Has all that was before a commit, and the tags.
fn fetch_history(
    place: &CommitPlace,
    revision: &Revision,
    chosen: &ChosenCommit,
    tools: Option<GitTools<'_>>,
) -> Result<(), GitError> {
    let CommitPlace { repository, address, commit: _ } = place;
    let chooser = CommitChooser { repository, address, tools, reach: CommitReach::History };
    chooser.choose(revision, CommitLock::Locked(chosen)).map(drop)
}

fn encode_options(encoder: &mut Encoder, options: CheckoutOptions) {
    let CheckoutOptions { submodules, large_files, case } = options;
    let case = match case {
        CaseClash::Allowed => "allowed",
        CaseClash::Refused => "refused",
    };
    let word = |wanted: bool| if wanted { "written" } else { "left out" };
    encoder.text("case", case).text("submodules", word(submodules)).text("large files", word(large_files));
}

fn read_spec(place: &CommitPlace, path: &Path) -> Result<Vec<u8>, SourceError> {
    let entry = place.entry(path)?.ok_or_else(|| place.no_path("spec", path))?;
    Ok(place.repository.blob(entry.id)?)
}

/// The commit that is locked.
pub(super) fn read_lock(locked: &LockedSource) -> Option<ChosenCommit> {
    let commit = ObjectId::from_hex(locked.found.get(COMMIT)?.as_bytes()).ok()?;
    Some(ChosenCommit { commit, reference: locked.found.get(REFERENCE).cloned() })
}
