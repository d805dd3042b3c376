//! What a method makes of a commit: the spec, archives, and the files beside the spec.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::archive::{ArchiveOrder, ArchiveStamp, write_archive};
use super::attributes::ExportRules;
use super::tags::{KnownTags, write_locked_tags};
use crate::digest::{Digest, Encoder};
use crate::files::Folder;
use crate::source::SourceError;
use crate::source::git::beside_spec::{remove_whole, take_files, write_whole};
use crate::source::git::checkout::Checkout;
use crate::source::git::commit_place::CommitPlace;
use crate::source::git::error::GitError;

/// Sources that are worked out, and not yet written.
pub(in crate::source::git) struct PreparedSources {
    /// The commit that they are of.
    pub(super) place: CommitPlace,
    /// The name of the spec.
    pub spec: String,
    /// Its text.
    pub text: String,
    /// The folder of the commit whose files lie beside it.
    pub beside: PathBuf,
    /// What is packed.
    pub(super) archives: Vec<ArchiveOrder>,
    /// The tags that had an effect.
    pub(super) tags: KnownTags,
}

impl PreparedSources {
    /// What the lock says of it.
    pub fn locked(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("tags".to_owned(), write_locked_tags(&self.tags))])
    }

    /// The digest of all that decides what is written, but for how the commit itself is.
    pub fn digest(&self) -> Digest {
        let place = &self.place;
        let mut encoder = Encoder::new("rpmforge git method v1");
        encoder.text("repository", &place.address.to_string()).text("commit", &place.commit.to_string());
        encoder.text("spec", &self.spec).text("text", &self.text);
        encoder.text("beside", &self.beside.to_string_lossy());
        encoder.list("archives", self.archives.iter(), |encoder, archive| {
            encoder.text("file", &archive.file).text("top", &archive.top);
            encoder.text("below", &archive.below.to_string_lossy());
        });
        encoder.digest()
    }

    /// Writes them into a folder, which is empty.
    ///
    /// # Errors
    /// Something of the commit could do harm, or can't be had or written.
    pub fn write(&self, checkout: &Checkout<'_>, into: &Folder) -> Result<(), SourceError> {
        let place = &self.place;
        let whole = write_whole(checkout, place, into)?;
        let seconds = place.repository.commit(place.commit)?.committer.seconds;
        let seconds = u64::try_from(seconds).unwrap_or_default();
        let stamp = ArchiveStamp { seconds, commit: place.commit.to_string() };
        for archive in &self.archives {
            let folder = open_below(&whole, &archive.below)?;
            let rules = ExportRules::read(&folder).map_err(GitError::from)?;
            let left_out = |path: &Path| rules.is_left_out(path);
            into.write_atomic_with(&archive.file, |file| {
                write_archive(&folder, &archive.top, &stamp, &left_out, file)
            })?;
        }
        into.write_atomic(&self.spec, self.text.as_bytes())?;
        take_files(&whole, &self.beside, into)?;
        Ok(remove_whole(into)?)
    }
}

fn open_below(whole: &Folder, below: &Path) -> Result<Folder, GitError> {
    Ok(if below.as_os_str().is_empty() { whole.again()? } else { whole.folder(below)? })
}
