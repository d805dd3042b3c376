//! What was fetched of a repository: a bare one of git's own form (gitrepository-layout(5)) in the cache, which `git -C` can
//! look into. Only objects, the names of what was asked for and where history ends are kept there; nothing in it is ever
//! run or asked how to work: no hooks, no filters, no configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::sync::atomic::AtomicBool;

use gix_hash::{Kind as HashKind, ObjectId};
use gix_object::{Find, Kind};
use gix_odb::{Handle, Header};

use super::address::GitAddress;
use super::error::GitError;
use super::limits::{OBJECT_BYTES, TAG_DEPTH};
use super::packet::{PackReader, printable};
use super::server::{Depth, GitReference, Server, ShallowChanges, WantedObjects};
use crate::digest::Digest;
use crate::files::{Folder, HostPath, Lock, LockKind};
use crate::store::GIT_USED;

/// A repository in the cache. See the [module](self).
pub struct Repository {
    folder: Folder,
    shown: String,
    objects: Handle,
}

/// A commit, as far as forge reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// Its files.
    pub tree: ObjectId,
    /// Those before it; the first is what others were merged into.
    pub parents: Vec<ObjectId>,
    /// Who wrote it.
    pub author: Signature,
    /// Who took it in.
    pub committer: Signature,
    /// What it says.
    pub message: String,
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
    /// Seconds since 1970.
    pub seconds: i64,
    /// How far the clock there is from UTC, in seconds.
    pub offset: i32,
}

/// A tag that is an object of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnotatedTag {
    /// Who made it.
    pub tagger: Signature,
    /// What it says, without a signature of OpenPGP's.
    pub message: String,
}

/// A name in a folder of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitEntry {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub kind: CommitEntryKind,
    /// The object.
    pub id: ObjectId,
}

/// What a name in a folder of a commit stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitEntryKind {
    /// A file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link.
    Link,
    /// A folder.
    Folder,
    /// A commit of another repository.
    Submodule,
}

impl Signature {
    /// The day, by the clock there, as changelogs have it: `Mon Jan 01 2024`.
    pub fn day(&self) -> String {
        let offset = jiff::tz::Offset::from_seconds(self.offset).unwrap_or(jiff::tz::Offset::UTC);
        let time = jiff::Timestamp::from_second(self.seconds).unwrap_or_default();
        offset.to_datetime(time).strftime("%a %b %d %Y").to_string()
    }
}

const LOCK: &str = "forge.lock";
const PACKED_REFS: &str = "packed-refs";
const SHALLOW: &str = "shallow";
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";
const PACKS: &str = "objects/pack";

impl Repository {
    /// The repository of an address, made where it is missing.
    ///
    /// # Errors
    /// The cache can't be used.
    pub fn open(cache: &Folder, address: &GitAddress) -> Result<Self, GitError> {
        let name = Digest::compute(address.identity().as_bytes()).to_string();
        let folder = cache.create(name)?;
        folder.create(PACKS)?;
        folder.create("refs")?;
        if !folder.exists("HEAD") {
            folder.write_atomic("config", CONFIG.as_bytes())?;
            folder.write_atomic("HEAD", b"ref: refs/heads/main\n")?;
        }
        // Its time says when it was of use last. That it goes too soon some day is no reason not to use it.
        let _ = folder.again().and_then(|folder| folder.without_sync().write_atomic(GIT_USED, b""));
        let objects = gix_odb::at(folder.path().join("objects").as_path(), HashKind::Sha1)?;
        Ok(Self { folder, shown: address.to_string(), objects })
    }

    /// Where it is kept.
    pub(super) fn path(&self) -> &HostPath {
        self.folder.path()
    }

    /// How it is called in messages.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether an object is there.
    pub fn has(&self, id: ObjectId) -> bool {
        matches!(self.objects.try_header(&id), Ok(Some(_)))
    }

    /// Whether a commit is there with all that was before it.
    pub fn has_history(&self, id: ObjectId) -> Result<bool, GitError> {
        let shallow = self.shallow()?;
        if !self.has(id) {
            return Ok(false);
        }
        if shallow.is_empty() {
            return Ok(true);
        }
        let (mut open, mut seen) = (vec![id], BTreeSet::new());
        while let Some(id) = open.pop() {
            if shallow.contains(&id) {
                return Ok(false);
            }
            if seen.insert(id) {
                open.extend(self.commit(id)?.parents);
            }
        }
        Ok(true)
    }

    /// What a reference was found to stand for when it was fetched.
    pub(super) fn known_reference(&self, candidates: &[String]) -> Result<Option<GitReference>, GitError> {
        let known = self.known_references()?;
        Ok(candidates.iter().find_map(|name| known.get(name)).cloned())
    }

    /// The tags that were fetched, by their names without `refs/tags/`, with their commits.
    pub fn tags(&self) -> Result<BTreeMap<String, GitReference>, GitError> {
        let tag = |(name, reference): (String, GitReference)| {
            Some((name.strip_prefix("refs/tags/")?.to_owned(), reference))
        };
        Ok(self.known_references()?.into_iter().filter_map(tag).collect())
    }

    fn known_references(&self) -> Result<BTreeMap<String, GitReference>, GitError> {
        let mut known: BTreeMap<String, GitReference> = BTreeMap::new();
        let mut last = None;
        for line in self.folder.read_text_if_there(PACKED_REFS)?.unwrap_or_default().lines() {
            let id = |text: &str| ObjectId::from_hex(text.as_bytes()).ok();
            if let Some(peeled) = line.strip_prefix('^') {
                if let Some(reference) = last.as_ref().and_then(|name: &String| known.get_mut(name)) {
                    reference.peeled = id(peeled);
                }
            } else if let Some((hex, name)) = line.split_once(' ')
                && let Some(id) = id(hex)
            {
                let name = if name == REMOTE_HEAD { "HEAD" } else { name }.to_owned();
                known.insert(
                    name.clone(),
                    GitReference { name: name.clone(), id, peeled: None, target: None },
                );
                last = Some(name);
            }
        }
        Ok(known)
    }

    /// Fetches what references stand for, and remembers them.
    pub(super) fn fetch_references(
        &self,
        server: &mut Server<'_>,
        references: &[GitReference],
        depth: Depth,
    ) -> Result<(), GitError> {
        let _lock = Lock::wait(&self.folder, LOCK, LockKind::Exclusive)?;
        let mut ids = BTreeSet::new();
        for reference in references {
            let is_there = match depth {
                Depth::One => self.has(reference.id) && self.has(reference.commit()),
                Depth::Whole => self.has(reference.id) && self.has_history(reference.commit())?,
            };
            if !is_there {
                ids.insert(reference.id);
            }
        }
        self.fetch_missing(server, ids, depth)?;
        let mut known = self.known_references()?;
        known.extend(references.iter().map(|reference| (reference.name.clone(), reference.clone())));
        let mut text = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
        for (name, reference) in known {
            let name = if name == "HEAD" { REMOTE_HEAD.to_owned() } else { name };
            text.push_str(&format!("{} {name}\n", reference.id));
            if let Some(peeled) = reference.peeled {
                text.push_str(&format!("^{peeled}\n"));
            }
        }
        self.folder.write_atomic(PACKED_REFS, text.as_bytes())?;
        Ok(())
    }

    /// Fetches a commit by its id.
    pub(super) fn fetch_commit(
        &self,
        server: &mut Server<'_>,
        id: ObjectId,
        depth: Depth,
    ) -> Result<(), GitError> {
        let _lock = Lock::wait(&self.folder, LOCK, LockKind::Exclusive)?;
        let is_there = match depth {
            Depth::One => self.has(id),
            Depth::Whole => self.has_history(id)?,
        };
        if is_there { Ok(()) } else { self.fetch_missing(server, BTreeSet::from([id]), depth) }
    }

    fn fetch_missing(
        &self,
        server: &mut Server<'_>,
        ids: BTreeSet<ObjectId>,
        depth: Depth,
    ) -> Result<(), GitError> {
        if ids.is_empty() {
            return Ok(());
        }
        let shallow = self.shallow()?;
        let known = match depth {
            // A single commit is soon told in full, and what is known may be known without its history.
            Depth::One => Vec::new(),
            Depth::Whole => self
                .known_references()?
                .into_values()
                .map(|known| known.id)
                .filter(|id| self.has(*id))
                .collect(),
        };
        let wanted = WantedObjects {
            ids: ids.into_iter().collect(),
            known,
            shallow: shallow.iter().copied().collect(),
            depth,
        };
        let ((), changes) = server.fetch(&wanted, |pack| self.take_pack(pack))?;
        self.write_shallow(shallow, changes)
    }

    fn take_pack(&self, pack: &mut PackReader<'_>) -> Result<(), GitError> {
        let folder = self.folder.path().join(PACKS);
        let interrupt = AtomicBool::new(false);
        let options = gix_pack::bundle::write::Options {
            thread_limit: Some(1),
            alloc_limit_bytes: Some(OBJECT_BYTES),
            ..Default::default()
        };
        let written = gix_pack::Bundle::write_to_directory(
            &mut BufReader::new(pack),
            Some(folder.as_path()),
            &mut gix_utils::progress::Discard,
            &interrupt,
            None::<Handle>,
            HashKind::Sha1,
            options,
        );
        let reason = |reason: String| GitError::Server { repository: self.shown.clone(), reason };
        let written =
            written.map_err(|error| reason(format!("its objects are no good: {}", causes(&error))))?;
        // It says that the pack is needed before any reference names it; here nothing is ever removed.
        if let Some(keep) = written.keep_path.as_deref().and_then(|path| path.file_name()) {
            self.folder.remove_file(std::path::Path::new(PACKS).join(keep))?;
        }
        Ok(())
    }

    fn shallow(&self) -> Result<BTreeSet<ObjectId>, GitError> {
        let text = self.folder.read_text_if_there(SHALLOW)?.unwrap_or_default();
        Ok(text.lines().filter_map(|line| ObjectId::from_hex(line.as_bytes()).ok()).collect())
    }

    fn write_shallow(
        &self,
        mut shallow: BTreeSet<ObjectId>,
        changes: ShallowChanges,
    ) -> Result<(), GitError> {
        if changes == ShallowChanges::default() {
            return Ok(());
        }
        shallow.extend(changes.added);
        shallow.retain(|id| !changes.removed.contains(id));
        let text: String = shallow.iter().map(|id| format!("{id}\n")).collect();
        match text.is_empty() {
            true => self.folder.remove_file(SHALLOW)?,
            false => self.folder.write_atomic(SHALLOW, text.as_bytes())?,
        }
        Ok(())
    }

    /// The commit that an object is, or is a tag of.
    pub fn peel(&self, id: ObjectId) -> Result<ObjectId, GitError> {
        let mut current = id;
        for _ in 0..TAG_DEPTH {
            let (kind, data) = self.object(current)?;
            match kind {
                Kind::Commit => return Ok(current),
                Kind::Tag => {
                    let tag = gix_object::TagRefIter::from_bytes(&data, HashKind::Sha1).target_id();
                    current = tag.map_err(|_| self.damaged(format!("tag {current} can't be read")))?;
                }
                Kind::Tree | Kind::Blob => break,
            }
        }
        Err(GitError::NotFound {
            repository: self.shown.clone(),
            revision: format!("{id}, which is no commit"),
        })
    }

    /// Reads a commit.
    ///
    /// # Errors
    /// It isn't there, or can't be read.
    pub fn commit(&self, id: ObjectId) -> Result<Commit, GitError> {
        let data = self.object_of_kind(id, Kind::Commit)?;
        let odd = || self.damaged(format!("commit {id} can't be read"));
        let commit = gix_object::CommitRef::from_bytes(&data, HashKind::Sha1).map_err(|_| odd())?;
        let is_shallow = || self.shallow().map(|shallow| shallow.contains(&id));
        let parents: Vec<ObjectId> = commit.parents().collect();
        Ok(Commit {
            id,
            tree: commit.tree(),
            // What lies before a commit at the end of what was fetched is not there.
            parents: if !parents.is_empty() && is_shallow()? { Vec::new() } else { parents },
            author: read_signature(commit.author),
            committer: read_signature(commit.committer),
            message: String::from_utf8_lossy(commit.message).into_owned(),
        })
    }

    /// Reads a tag that is an object of its own.
    ///
    /// # Errors
    /// It isn't there, or can't be read.
    pub fn tag(&self, id: ObjectId) -> Result<AnnotatedTag, GitError> {
        let data = self.object_of_kind(id, Kind::Tag)?;
        let odd = || self.damaged(format!("tag {id} can't be read"));
        let tag = gix_object::TagRef::from_bytes(&data, HashKind::Sha1).map_err(|_| odd())?;
        let tagger = tag.tagger.unwrap_or_default();
        let message = String::from_utf8_lossy(tag.message).into_owned();
        Ok(AnnotatedTag { tagger: read_signature(tagger), message })
    }

    /// Reads a folder of a commit.
    ///
    /// # Errors
    /// It isn't there, or can't be read.
    pub fn tree(&self, id: ObjectId) -> Result<Vec<CommitEntry>, GitError> {
        if id == ObjectId::empty_tree(HashKind::Sha1) {
            return Ok(Vec::new());
        }
        let data = self.object_of_kind(id, Kind::Tree)?;
        let odd = || self.damaged(format!("tree {id} can't be read"));
        let mut entries = Vec::new();
        for entry in gix_object::TreeRefIter::from_bytes(&data, HashKind::Sha1) {
            let entry = entry.map_err(|_| odd())?;
            let kind = match entry.mode.value() & 0o170_000 {
                0o040_000 => CommitEntryKind::Folder,
                0o120_000 => CommitEntryKind::Link,
                0o160_000 => CommitEntryKind::Submodule,
                0o100_000 if entry.mode.value() & 0o100 != 0 => CommitEntryKind::Executable,
                0o100_000 => CommitEntryKind::File,
                _ => return Err(odd()),
            };
            let name = std::str::from_utf8(entry.filename).map_err(|_| GitError::UnsafeName {
                repository: self.shown.clone(),
                path: entry.filename.to_string(),
                reason: "it is not UTF-8",
            })?;
            entries.push(CommitEntry { name: name.to_owned(), kind, id: entry.oid.to_owned() });
        }
        Ok(entries)
    }

    /// Reads a file of a commit.
    ///
    /// # Errors
    /// It isn't there, or can't be read.
    pub fn blob(&self, id: ObjectId) -> Result<Vec<u8>, GitError> {
        self.object_of_kind(id, Kind::Blob)
    }

    /// How many bytes a file has.
    pub fn blob_size(&self, id: ObjectId) -> Result<u64, GitError> {
        let header = self.objects.try_header(&id).ok().flatten();
        header.map(|header| header.size()).ok_or_else(|| self.damaged(format!("object {id} is missing")))
    }

    fn object_of_kind(&self, id: ObjectId, wanted: Kind) -> Result<Vec<u8>, GitError> {
        match self.object(id)? {
            (kind, data) if kind == wanted => Ok(data),
            (kind, _) => Err(self.damaged(format!("object {id} is a {kind}, and should be a {wanted}"))),
        }
    }

    /// Reads an object, and makes sure that it is the one that its id says.
    fn object(&self, id: ObjectId) -> Result<(Kind, Vec<u8>), GitError> {
        let size = self.blob_size(id)?;
        if size > OBJECT_BYTES as u64 {
            return Err(GitError::TooLarge {
                repository: self.shown.clone(),
                what: format!("object {id} has {size} bytes"),
            });
        }
        let mut data = Vec::new();
        let found = self.objects.try_find(&id, &mut data);
        let found = found.map_err(|error| self.damaged(causes(&error)))?;
        let kind = found.ok_or_else(|| self.damaged(format!("object {id} is missing")))?.kind;
        match gix_object::compute_hash(HashKind::Sha1, kind, &data) {
            Ok(computed) if computed == id => Ok((kind, data)),
            Ok(_) | Err(_) => Err(self.damaged(format!("object {id} is not what its id says"))),
        }
    }

    fn damaged(&self, reason: String) -> GitError {
        let folder = self.folder.path().to_string();
        GitError::Damaged { repository: self.shown.clone(), folder, reason }
    }
}

/// `HEAD` is no name that packed references may have.
const REMOTE_HEAD: &str = "refs/remotes/origin/HEAD";

/// `NAME <MAIL> SECONDS OFFSET`; what is odd in it is left out, as git does.
fn read_signature(text: &bstr::BStr) -> Signature {
    let text = String::from_utf8_lossy(text).into_owned();
    let (name, rest) = text.split_once('<').unwrap_or((&text, ""));
    let (email, time) = rest.rsplit_once('>').unwrap_or((rest, ""));
    let mut words = time.split_whitespace();
    let seconds = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
    let offset = words.next().and_then(read_offset).unwrap_or_default();
    Signature { name: name.trim().to_owned(), email: email.trim().to_owned(), seconds, offset }
}

/// `+0130` → 5400.
fn read_offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("-", digits) => (-1, digits),
        ("+", digits) => (1, digits),
        _ => return None,
    };
    let number: i32 = digits.parse().ok().filter(|number| (0..=9999).contains(number))?;
    Some(sign * (number / 100 * 3600 + number % 100 * 60))
}

/// What an error of gitoxide says, in one line.
fn causes(error: &dyn std::fmt::Display) -> String {
    printable(&error.to_string())
}
