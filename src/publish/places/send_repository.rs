//! Bringing one place up to date: what the repository has, what is on the place's record and what is there are made one.
//!
//! The order is such that clients of the place never see metadata of files that are not there, wherever forge is stopped:
//!
//! 1. the place's record, with what comes in
//! 2. packages, under names of their own
//! 3. metadata files, named by their checksums
//! 4. the public key and the `.repo` file, the signature of `repomd.xml`, and `repomd.xml`
//! 5. the place's record, as things are now
//! 6. what nothing has named for [long enough](crate::publish::superseded) goes, and from the record with it
//!
//! How long something is no longer named counts from when the place's own `repomd.xml` was replaced: the folder's may have been long
//! before, when the place could not be reached.

use std::collections::{BTreeMap, BTreeSet};

use super::PlaceError;
use super::place::PublishPlace;
use super::place_record::{PLACE_RECORD, PlaceRecord};
use super::sending::Sending;
use super::snapshot::{Head, OutgoingFile, Snapshot};
use crate::event::{Clock, Timestamp};
use crate::publish::owner::Sameness;
use crate::publish::paths::{REPOMD, REPOMD_SIGNATURE};
use crate::publish::superseded::GRACE;

/// What is sent, and whose it is.
pub(super) struct Shipment<'a> {
    pub snapshot: &'a Snapshot,
    pub chroot: &'a str,
    /// Whether a place is taken over that is another's.
    pub adopts: bool,
    pub clock: &'a dyn Clock,
    /// Is told of how many bytes are to be sent, once that is known.
    pub announce: &'a dyn Fn(u64),
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shipped {
    /// Files that were sent.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were removed.
    pub removed: usize,
}

impl Shipment<'_> {
    /// Brings a place up to date.
    pub fn deliver(&self, place: &dyn PublishPlace, from: &Sending<'_>) -> Result<Shipped, PlaceError> {
        let before = self.read_record(place)?;
        let mut record = before.clone().unwrap_or_else(|| self.new_record());
        record.owner = self.snapshot.owner.clone();
        let missing = |files: &[OutgoingFile]| place.find_missing(files, from, &record.files);
        let (packages, metadata) = (missing(&self.snapshot.packages)?, missing(&self.snapshot.metadata)?);
        let heads = self.changed_heads(place)?;
        let sizes = packages.iter().chain(&metadata).map(|file| file.file.size);
        let bytes = sizes.sum::<u64>() + heads.iter().map(|head| head.content.len() as u64).sum::<u64>();
        (self.announce)(bytes);
        let mut shipped = Shipped { files: packages.len() + metadata.len() + heads.len(), bytes, removed: 0 };
        self.note_incoming(&mut record);
        let mut written = before;
        write_record(place, &record, &mut written)?;
        place.send(&packages, from)?;
        place.send(&metadata, from)?;
        let unsigned = self.stale_signature(&record);
        place.send_heads(&heads)?;
        heads.iter().for_each(|head| (from.count)(head.content.len() as u64));
        if let Some(signature) = unsigned {
            place.remove(std::slice::from_ref(&signature))?;
            record.files.remove(&signature);
        }
        let expired = self.supersede(&mut record, self.clock.now());
        write_record(place, &record, &mut written)?;
        if !expired.is_empty() {
            place.remove(&expired)?;
            for path in &expired {
                record.files.remove(path);
                record.superseded.remove(path);
            }
            write_record(place, &record, &mut written)?;
            shipped.removed = expired.len();
        }
        Ok(shipped)
    }

    fn new_record(&self) -> PlaceRecord {
        PlaceRecord::empty(self.snapshot.owner.clone(), self.chroot)
    }

    /// The record that is there, where it is this project's; none where nothing is there.
    fn read_record(&self, place: &dyn PublishPlace) -> Result<Option<PlaceRecord>, PlaceError> {
        let Some(bytes) = place.read(PLACE_RECORD)? else {
            return match self.adopts || place.read(REPOMD)?.is_none() {
                true => Ok(None),
                false => Err(PlaceError::Unrecorded),
            };
        };
        let Some(record) = PlaceRecord::decode(&bytes) else {
            return if self.adopts { Ok(None) } else { Err(PlaceError::DamagedRecord) };
        };
        let own = &self.snapshot.owner;
        let is_own = record.chroot == self.chroot && record.owner.compare(own, Some(own)) == Sameness::Same;
        match is_own || self.adopts {
            true => Ok(Some(record)),
            false if record.chroot == self.chroot => {
                Err(PlaceError::Foreign { owner: record.owner.to_string() })
            }
            false => {
                let chroot = record.chroot.escape_debug();
                Err(PlaceError::Foreign { owner: format!("chroot `{chroot}` of {}", record.owner) })
            }
        }
    }

    /// Those of the small files that are not there as they should be.
    fn changed_heads(&self, place: &dyn PublishPlace) -> Result<Vec<Head>, PlaceError> {
        let mut changed = Vec::new();
        for head in &self.snapshot.heads {
            if place.read(&head.path)?.as_ref() != Some(&head.content) {
                changed.push(head.clone());
            }
        }
        Ok(changed)
    }

    /// Puts on record what is to be there, before it comes.
    fn note_incoming(&self, record: &mut PlaceRecord) {
        for OutgoingFile { path, file } in self.snapshot.files() {
            record.files.insert(path.clone(), file.clone());
            record.superseded.remove(path);
        }
        for head in &self.snapshot.heads {
            record.files.insert(head.path.clone(), head.placed());
            record.superseded.remove(&head.path);
        }
    }

    /// The signature that is there of a `repomd.xml` that is no longer signed: of another it would have clients refuse the repository.
    fn stale_signature(&self, record: &PlaceRecord) -> Option<String> {
        let is_signed = self.snapshot.heads.iter().any(|head| head.path == REPOMD_SIGNATURE);
        (!is_signed && record.files.contains_key(REPOMD_SIGNATURE)).then(|| REPOMD_SIGNATURE.to_owned())
    }

    /// Notes since when files are no longer named; gives those that may go.
    fn supersede(&self, record: &mut PlaceRecord, now: Timestamp) -> Vec<String> {
        let heads = self.snapshot.heads.iter().map(|head| head.path.as_str());
        let wanted: BTreeSet<&str> =
            self.snapshot.files().map(|file| file.path.as_str()).chain(heads).collect();
        let superseded: BTreeMap<String, Timestamp> = record
            .files
            .keys()
            .filter(|path| !wanted.contains(path.as_str()))
            .map(|path| {
                // A clock that has been put back must not keep files for ever.
                let since = record.superseded.get(path).map_or(now, |since| (*since).min(now));
                (path.clone(), since)
            })
            .collect();
        record.superseded = superseded;
        let is_expired = |since: &Timestamp| now.since(*since) >= GRACE;
        let kept = &self.snapshot.kept;
        let expired =
            record.superseded.iter().filter(|(path, since)| is_expired(since) && !kept.contains(*path));
        expired.map(|(path, _)| path.clone()).collect()
    }
}

/// Writes the record where it is not the one that was `written` last.
fn write_record(
    place: &dyn PublishPlace,
    record: &PlaceRecord,
    written: &mut Option<PlaceRecord>,
) -> Result<(), PlaceError> {
    if written.as_ref() == Some(record) {
        return Ok(());
    }
    place.send_heads(&[Head { path: PLACE_RECORD.to_owned(), content: record.encode()? }])?;
    *written = Some(record.clone());
    Ok(())
}
