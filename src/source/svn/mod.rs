//! `source svn`: a spec and the files beside it, from a folder of a Subversion repository.
//!
//! The machine's `svn` fetches them, in a sandbox; what it has written is checked and copied. The lock has the revision that
//! changed the folder last, and the digest of its files.

mod address;
mod answer;
mod error;
mod program;

pub use error::SvnError;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::PermissionsExt;

use address::SvnAddress;
use answer::{read_folders, read_info, read_log};
use program::{SvnProgram, WORK};

use super::SourceError;
use super::limits::{PACKAGE_FILES, UNPACKED_BYTES};
use super::lock::{LockedSource, is_file_name};
use super::source_package::only_spec;
use super::tools::{Gathered, SourceTools};
use crate::chroot::Connection;
use crate::chroot::making::LockRule;
use crate::digest::{Digest, Encoder};
use crate::files::{EntryKind, Folder, Resolved, normalize};

/// What the manifest says.
pub(super) struct SvnRequest<'a> {
    /// Where.
    pub url: &'a str,
    /// The revision.
    pub revision: Option<&'a str>,
    /// The folder in it.
    pub folder: Option<&'a str>,
    /// The spec in that folder.
    pub spec: Option<&'a str>,
}

const REVISION: &str = "revision";
const TREE: &str = "tree";

/// Where `svn` writes to, beside what is taken of it.
const EXPORT: &str = ".export";

/// How many changes an update tells.
const CHANGES_TOLD: &str = "20";

/// What is locked.
struct SvnLock {
    revision: u64,
    tree: Digest,
}

/// A folder of a repository.
struct SvnFolder<'a> {
    request: &'a SvnRequest<'a>,
    /// The folder's own address.
    address: SvnAddress,
    /// The spec, if the manifest names it.
    spec: Option<String>,
    tools: &'a SourceTools<'a>,
}

/// Fetches what `source svn` names.
///
/// # Errors
/// It can't be had, or there is no spec in it.
pub(super) fn gather(
    request: &SvnRequest<'_>,
    tools: &SourceTools<'_>,
    locked: Option<&LockedSource>,
) -> Result<Gathered, SourceError> {
    let (folder, spec) = paths(request)?;
    let address = SvnAddress::parse(request.url)?.below(&folder);
    SvnFolder { request, address, spec, tools }.gather(locked)
}

/// What is newer of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SvnNews {
    /// The last revision that changed it.
    Revision(u64),
    /// The manifest names a revision.
    Fixed(String),
    /// It is below a folder of tags: its own, and all that are there.
    Tag {
        /// The tag that the address names.
        current: String,
        /// All tags.
        all: Vec<String>,
    },
}

/// Looks whether a folder has changed, or which tags there are beside the one that it is below. Nothing is fetched.
///
/// # Errors
/// The repository doesn't answer.
pub(super) fn look_at(request: &SvnRequest<'_>, tools: &SourceTools<'_>) -> Result<SvnNews, SvnError> {
    let (folder, spec) = paths(request)?;
    let address = SvnAddress::parse(request.url)?.below(&folder);
    if let Some((tags, current)) = split_tag_folder(&address.to_string()) {
        let address = SvnAddress::parse(tags)?;
        let folder = SvnFolder { request, address, spec, tools };
        return Ok(SvnNews::Tag { current: current.to_owned(), all: folder.list_folders()? });
    }
    let folder = SvnFolder { request, address, spec, tools };
    match folder.wanted_revision()? {
        head if head == "HEAD" => Ok(SvnNews::Revision(folder.find_revision(None)?)),
        revision => Ok(SvnNews::Fixed(revision)),
    }
}

/// The revision that is locked.
pub(super) fn locked_revision(locked: &LockedSource) -> Option<u64> {
    read_lock(locked).map(|lock| lock.revision)
}

/// The address of a folder `tags`, as repositories have it by custom, and the name below it.
fn split_tag_folder(address: &str) -> Option<(&str, &str)> {
    const TAGS: &str = "/tags";
    let (at, _) = address.rmatch_indices("/tags/").next()?;
    let (tags, below) = address.split_at_checked(at + TAGS.len())?;
    let tag = below.trim_start_matches('/').split('/').next().filter(|tag| !tag.is_empty())?;
    Some((tags, tag))
}

/// The folder that is meant, and the name of the spec if that is said.
fn paths(request: &SvnRequest<'_>) -> Result<(PathBuf, Option<String>), SvnError> {
    let folder = Path::new(request.folder.unwrap_or_default());
    let spec = request.spec.map(Path::new);
    let joined = normalize(folder, spec.unwrap_or(Path::new(""))).ok_or_else(|| SvnError::Address {
        address: crate::fetch::without_login(request.url),
        reason: format!("`{}` leads out of it", folder.display()),
    })?;
    Ok(match spec {
        None => (joined, None),
        Some(_) => (
            joined.parent().map(Path::to_owned).unwrap_or_default(),
            joined.file_name().map(|name| name.to_string_lossy().into_owned()),
        ),
    })
}

impl SvnFolder<'_> {
    fn gather(&self, locked: Option<&LockedSource>) -> Result<Gathered, SourceError> {
        let asked = self.asked()?;
        let known = locked.filter(|locked| locked.asked == Some(asked)).and_then(read_lock);
        let before = locked.filter(|locked| locked.asked.is_none()).and_then(read_lock);
        let revision = match &known {
            Some(known) => known.revision,
            None => self.find_revision(before.as_ref())?,
        };
        let (folder, spec) = self.tools.folders.make_once(self.digest(revision), |folder| {
            self.export(revision, folder)?;
            self.check_tree(revision, known.as_ref(), folder)?;
            let names = folder.entries()?.into_iter().map(|entry| entry.name);
            Ok(match &self.spec {
                Some(spec) if folder.file_size(spec).is_some() => spec.clone(),
                Some(spec) => {
                    return Err(SourceError::NoSpec { file: format!("{}/{spec}", self.address) });
                }
                None => {
                    let specs = names.filter(|name| name.ends_with(".spec")).collect();
                    only_spec(&format!("{} at {revision}", self.address), specs)?
                }
            })
        })?;
        let tree = self.check_tree(revision, known.as_ref(), &folder)?;
        if known.is_none() {
            self.tools.say(format!("{} is locked at revision {revision}", self.address));
        }
        let found = BTreeMap::from([
            (REVISION.to_owned(), revision.to_string()),
            (TREE.to_owned(), tree.to_string()),
        ]);
        let kind = "svn".to_owned();
        let locked = LockedSource { kind, asked: Some(asked), found, ..LockedSource::default() };
        Ok(Gathered { folder, spec, locked })
    }

    /// What is asked for, as far as it decides which files are meant.
    fn asked(&self) -> Result<Digest, SvnError> {
        let revision = self.wanted_revision()?;
        let mut encoder = Encoder::new("rpmforge asked of svn v1");
        encoder.text("address", &self.address.to_string()).text("revision", &revision);
        Ok(encoder.digest())
    }

    /// What names the files of a revision.
    fn digest(&self, revision: u64) -> Digest {
        let mut encoder = Encoder::new("rpmforge svn source v1");
        encoder.text("address", &self.address.to_string()).text("revision", &revision.to_string());
        encoder.option("spec", self.spec.as_deref());
        encoder.digest()
    }

    fn program(&self) -> SvnProgram<'_> {
        SvnProgram { tools: self.tools, address: &self.address }
    }

    /// A number, or `HEAD`.
    fn wanted_revision(&self) -> Result<String, SvnError> {
        match self.request.revision {
            None | Some("HEAD") => Ok("HEAD".to_owned()),
            Some(text) => match text.trim_start_matches('r').parse::<u64>() {
                Ok(number) if number > 0 => Ok(number.to_string()),
                Ok(_) | Err(_) => {
                    Err(SvnError::Revision { revision: text.escape_debug().take(100).collect() })
                }
            },
        }
    }

    fn check_reachable(&self) -> Result<(), SvnError> {
        match (self.tools.connection, &self.address) {
            (Connection::Online, _) | (Connection::Offline, SvnAddress::Local(_)) => Ok(()),
            (Connection::Offline, SvnAddress::Server(_)) => {
                Err(SvnError::Offline { repository: self.address.to_string() })
            }
        }
    }

    /// The last revision that changed the folder, up to the one that is asked for; what has come since `before` is told.
    fn find_revision(&self, before: Option<&SvnLock>) -> Result<u64, SvnError> {
        let repository = || self.address.to_string();
        if self.tools.rule == LockRule::Frozen {
            return Err(SvnError::NotLocked { repository: repository() });
        }
        self.check_reachable()?;
        // A peg revision always stands behind, so that an `@` in a name is none.
        let target = format!("{}@{}", self.address, self.wanted_revision()?);
        let answer = self.program().run(&["info", "--xml", &target], None)?;
        let failed = |reason: &str| SvnError::Failed { repository: repository(), reason: reason.to_owned() };
        let info = read_info(&answer).ok_or_else(|| failed("what `svn info` answers makes no sense"))?;
        if info.kind != "dir" {
            return Err(failed("it is a file: name its folder, and the file as `spec`"));
        }
        if let Some(before) = before.filter(|before| before.revision < info.last_changed) {
            self.tell_changes(before.revision, info.last_changed);
        }
        Ok(info.last_changed)
    }

    /// The folders that are in it now.
    fn list_folders(&self) -> Result<Vec<String>, SvnError> {
        self.check_reachable()?;
        let target = format!("{}@HEAD", self.address);
        let answer = self.program().run(&["list", "--xml", &target], None)?;
        read_folders(&answer).ok_or_else(|| SvnError::Failed {
            repository: self.address.to_string(),
            reason: "what `svn list` answers makes no sense".to_owned(),
        })
    }

    /// Tells what has changed; that nobody knows is no reason to fail.
    fn tell_changes(&self, before: u64, now: u64) {
        let (range, target) = (format!("{now}:{}", before + 1), format!("{}@{now}", self.address));
        let arguments = ["log", "--xml", "--limit", CHANGES_TOLD, "--revision", &range, &target];
        let changes = self.program().run(&arguments, None).ok().and_then(|answer| read_log(&answer));
        for change in changes.unwrap_or_default() {
            let plain: String = change.subject.chars().filter(|c| !c.is_control()).take(200).collect();
            let author: String = change.author.chars().filter(|c| !c.is_control()).take(50).collect();
            self.tools.say(format!("r{} {author}: {plain}", change.revision));
        }
    }

    /// Has the files of the folder written into `into`.
    fn export(&self, revision: u64, into: &Folder) -> Result<(), SourceError> {
        self.check_reachable()?;
        let work = into.create(EXPORT)?;
        let target = format!("{}@{revision}", self.address);
        let to = format!("{WORK}/files");
        let arguments =
            ["export", "--quiet", "--ignore-externals", "--depth", "files", target.as_str(), to.as_str()];
        self.program().run(&arguments, Some(&work))?;
        self.take_files(&work.folder("files")?, into)?;
        Ok(into.remove_folder(EXPORT)?)
    }

    /// Copies what was exported: regular files, and what links lead to among them.
    fn take_files(&self, from: &Folder, into: &Folder) -> Result<(), SvnError> {
        let repository = || self.address.to_string();
        let too_large = |what: String| SvnError::TooLarge { repository: repository(), what };
        let entries = from.entries()?;
        if entries.len() > PACKAGE_FILES {
            return Err(too_large(format!("it has more than {PACKAGE_FILES} files")));
        }
        let mut bytes = 0_u64;
        for entry in entries.into_iter().filter(|entry| entry.kind != EntryKind::Folder) {
            if !is_file_name(&entry.name) {
                let name = entry.name.escape_debug().to_string();
                let reason = "that is no name of a source";
                return Err(SvnError::UnsafeName { repository: repository(), name, reason });
            }
            let Ok(Resolved::Inside(path)) = from.resolve(&entry.name) else { continue };
            let Some(size) = from.file_size(&path) else { continue };
            bytes = bytes.saturating_add(size);
            if bytes > UNPACKED_BYTES {
                return Err(too_large(format!("its files have more than {} GiB", UNPACKED_BYTES >> 30)));
            }
            let mut file = from.open_regular(&path)?;
            let mode = if file.metadata()?.permissions().mode() & 0o100 != 0 { 0o755 } else { 0o644 };
            let mut copy = into.new_file(&entry.name, mode)?;
            io::copy(&mut file, &mut copy)?;
            copy.set_permissions(cap_std::fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }

    /// The digest of the files of a folder, if it is the one that is locked.
    fn check_tree(
        &self,
        revision: u64,
        known: Option<&SvnLock>,
        folder: &Folder,
    ) -> Result<Digest, SvnError> {
        let mut encoder = Encoder::new("rpmforge svn tree v1");
        for entry in folder.entries()? {
            let file = folder.open_regular(&entry.name)?;
            let is_executable = file.metadata()?.permissions().mode() & 0o100 != 0;
            let (digest, _) = Digest::read_file(folder, &entry.name)?;
            encoder.digest_field(&entry.name, &digest);
            encoder.text("mode", if is_executable { "755" } else { "644" });
        }
        let tree = encoder.digest();
        match known.is_none_or(|known| known.tree == tree) {
            true => Ok(tree),
            false => Err(SvnError::Changed {
                repository: self.address.to_string(),
                revision: revision.to_string(),
            }),
        }
    }
}

fn read_lock(locked: &LockedSource) -> Option<SvnLock> {
    let revision = locked.found.get(REVISION)?.parse().ok()?;
    Some(SvnLock { revision, tree: locked.found.get(TREE)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::split_tag_folder;

    #[test]
    fn a_tag_is_what_lies_below_a_folder_of_tags() {
        let cases = [
            ("svn://host/x/tags/v1.2", Some(("svn://host/x/tags", "v1.2"))),
            ("svn://host/tags/x/tags/v1.2/rpm", Some(("svn://host/tags/x/tags", "v1.2"))),
            ("svn://host/x/trunk", None),
            ("svn://host/x/tags/", None),
            ("svn://host/mytags/1.2", None),
        ];
        for (address, found) in cases {
            assert_eq!(split_tag_folder(address), found, "{address}");
        }
    }
}
