//! One file on its way into a registry (OCI Distribution Specification 1.1, "Pushing blobs").
//!
//! A small one goes at once; a large one in chunks, so that an upload that was cut goes on where it stopped: where an upload is to go on is
//! noted in the project's state, and the registry is asked how much it has. One that no longer knows, or can't go on in the middle of a
//! chunk, gets the file once more. Either way content is there once it is whole: the registry compares it with its digest.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::PlaceError;
use super::oci_registry::{OciRegistry, OciRequest, describe_refusal};
use super::place_record::PlacedFile;
use super::sending::Sending;
use super::snapshot::{OutgoingFile, hex, unless_missing};
use crate::fetch::{Address, RequestMethod, SignedReply};
use crate::files::Folder;

/// How large the chunks of a file are, in bytes, and up to which size it has none.
const CHUNK: u64 = 8 << 20;

/// How large a chunk may become where a registry asks for larger ones, in bytes: it lies in memory.
const LARGEST_CHUNK: u64 = 64 << 20;

/// How often a file is begun, or gone on with, in one run.
const ATTEMPTS: usize = 3;

/// The file, in the project's state, that says where uploads are to go on.
const UPLOADS: &str = "uploads.json";

/// How large that file may be, in bytes.
const LARGEST_UPLOADS: u64 = 1 << 20;

/// Uploads that have not come to their end: where each goes on, by the SHA-256 of its file.
pub(super) struct OciUploads<'a> {
    folder: &'a Folder,
    open: Mutex<BTreeMap<String, String>>,
}

impl<'a> OciUploads<'a> {
    /// Those noted in a folder.
    pub fn read(folder: &'a Folder) -> Self {
        let text = folder.read_text_up_to(UPLOADS, LARGEST_UPLOADS).unwrap_or_default();
        Self { folder, open: Mutex::new(serde_json::from_str(&text).unwrap_or_default()) }
    }

    fn find(&self, sha256: &str) -> Option<String> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(sha256).cloned()
    }

    /// Notes where an upload goes on, or that it has ended. Where that can't be noted, all is sent once more.
    fn note(&self, sha256: &str, location: Option<&Address>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match location {
            Some(location) => open.insert(sha256.to_owned(), location.secret_text().to_owned()),
            None => open.remove(sha256),
        };
        if before.is_some() || location.is_some() {
            let text = serde_json::to_vec(&*open).unwrap_or_default();
            let _ = self.folder.write_atomic(UPLOADS, &text);
        }
    }

    /// Forgets all: what was to be there is there.
    pub fn forget(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let _ = self.folder.dir().remove_file(UPLOADS);
    }
}

/// See the [module](self).
pub(super) struct OciUpload<'a> {
    pub registry: &'a OciRegistry<'a>,
    pub uploads: &'a OciUploads<'a>,
    pub outgoing: &'a OutgoingFile,
    pub from: &'a Sending<'a>,
}

/// Where an upload goes on.
struct UploadSession {
    location: Address,
    /// How much the registry has, in bytes.
    offset: u64,
    /// How large chunks are, in bytes.
    chunk: u64,
}

impl OciUpload<'_> {
    /// Sends it.
    pub fn run(&self) -> Result<(), PlaceError> {
        match self.outgoing.file.size <= CHUNK {
            true => self.send_whole(),
            false => self.send_chunks(),
        }
    }

    fn doing(&self) -> String {
        format!("sending `{}`", self.outgoing.path)
    }

    fn changed(&self) -> PlaceError {
        PlaceError::ChangedFile { folder: self.from.shown.to_owned(), path: self.outgoing.path.clone() }
    }

    fn open(&self) -> Result<impl Read + use<>, PlaceError> {
        let opened = self.from.folder.open_regular(&self.outgoing.path);
        opened.map_err(|error| unless_missing(error, self.changed()))
    }

    fn send_whole(&self) -> Result<(), PlaceError> {
        let mut body = Vec::new();
        self.open()?.take(CHUNK + 1).read_to_end(&mut body)?;
        let file = &self.outgoing.file;
        if body.len() as u64 != file.size || hex(&Sha256::digest(&body)) != file.sha256 {
            return Err(self.changed());
        }
        let bytes = body.len() as u64;
        send_blob(self.registry, file, (body, &|| self.doing()))?;
        (self.from.count)(bytes);
        Ok(())
    }

    fn send_chunks(&self) -> Result<(), PlaceError> {
        let sha256 = &self.outgoing.file.sha256;
        let noted = self.uploads.find(sha256).and_then(|location| Address::parse(&location).ok());
        let noted = noted.map(|location| self.ask_how_far(&location)).transpose()?.flatten();
        let mut session = match noted {
            Some(session) => session,
            None => self.begin()?,
        };
        let mut counted = 0;
        for attempt in 1..=ATTEMPTS {
            let Err(stopped) = self.send_from(&mut session, &mut counted)? else {
                self.uploads.note(sha256, None);
                return Ok(());
            };
            if attempt == ATTEMPTS {
                return Err(describe_refusal(self.doing(), &stopped));
            }
            session = match self.ask_how_far(&session.location)? {
                Some(session) => session,
                None => self.begin()?,
            };
        }
        Ok(())
    }

    fn begin(&self) -> Result<UploadSession, PlaceError> {
        let address = self.registry.address("blobs/uploads/")?;
        let reply = self.registry.ask(RequestMethod::Post, &address, OciRequest::default())?;
        let location = location_of(&reply, (&address, &|| self.doing()))?;
        let least = reply.header("oci-chunk-min-length").and_then(|length| length.parse().ok());
        let chunk = CHUNK.max(least.unwrap_or_default()).min(LARGEST_CHUNK);
        Ok(UploadSession { location, offset: 0, chunk })
    }

    /// How much a registry has of an upload; none where it does not know it any more.
    fn ask_how_far(&self, location: &Address) -> Result<Option<UploadSession>, PlaceError> {
        let reply = self.registry.ask(RequestMethod::Get, location, OciRequest::default())?;
        let is_possible = |offset: &u64| *offset <= self.outgoing.file.size;
        let offset = reply.header("range").and_then(end_of_range).filter(is_possible);
        let (true, Some(offset)) = (reply.is_success(), offset) else { return Ok(None) };
        let next = reply.header("location").map(|reference| location.resolve(reference)).transpose()?;
        let location = next.unwrap_or_else(|| location.clone());
        Ok(Some(UploadSession { location, offset, chunk: CHUNK }))
    }

    /// Sends what is missing. Gives the answer that says no.
    fn send_from(
        &self,
        session: &mut UploadSession,
        counted: &mut u64,
    ) -> Result<Result<(), SignedReply>, PlaceError> {
        let (mut file, mut whole, size) = (self.open()?, Sha256::new(), self.outgoing.file.size);
        let mut at = 0;
        while at < size {
            // What the registry has is read as well, for the checksum of all.
            let is_there = at < session.offset;
            let length =
                if is_there { (session.offset - at).min(CHUNK) } else { session.chunk.min(size - at) };
            let mut body = Vec::new();
            file.by_ref().take(length).read_to_end(&mut body)?;
            if body.len() as u64 != length {
                return Err(self.abandon(session));
            }
            whole.update(&body);
            if !is_there && let Err(stopped) = self.send_chunk(session, at, body)? {
                return Ok(Err(stopped));
            }
            at = at.saturating_add(length);
            (self.from.count)(at.saturating_sub(*counted));
            *counted = at.max(*counted);
        }
        if file.read(&mut [0])? > 0 || hex(&whole.finalize()) != self.outgoing.file.sha256 {
            return Err(self.abandon(session));
        }
        let reply = finish(self.registry, (&session.location, &self.outgoing.file), Vec::new())?;
        Ok(if reply.is_success() { Ok(()) } else { Err(reply) })
    }

    fn send_chunk(
        &self,
        session: &mut UploadSession,
        at: u64,
        body: Vec<u8>,
    ) -> Result<Result<(), SignedReply>, PlaceError> {
        let end = at.saturating_add(body.len() as u64);
        let headers = vec![
            ("content-type", "application/octet-stream".to_owned()),
            ("content-range", format!("{at}-{}", end.saturating_sub(1))),
        ];
        let request = OciRequest { headers, body };
        let reply = self.registry.ask(RequestMethod::Patch, &session.location, request)?;
        if !reply.is_success() || reply.header("range").and_then(end_of_range).is_some_and(|has| has != end) {
            return Ok(Err(reply));
        }
        session.location = location_of(&reply, (&session.location, &|| self.doing()))?;
        session.offset = end;
        self.uploads.note(&self.outgoing.file.sha256, Some(&session.location));
        Ok(Ok(()))
    }

    /// Has the registry forget what came of a file that is not what it should be.
    fn abandon(&self, session: &UploadSession) -> PlaceError {
        self.uploads.note(&self.outgoing.file.sha256, None);
        // That it changed is what is to be told.
        let _ = self.registry.ask(RequestMethod::Delete, &session.location, OciRequest::default());
        self.changed()
    }
}

/// Sends content at once.
pub(super) fn send_blob(
    registry: &OciRegistry<'_>,
    file: &PlacedFile,
    (body, doing): (Vec<u8>, &dyn Fn() -> String),
) -> Result<(), PlaceError> {
    let address = registry.address("blobs/uploads/")?;
    let reply = registry.ask(RequestMethod::Post, &address, OciRequest::default())?;
    let location = location_of(&reply, (&address, doing))?;
    let reply = finish(registry, (&location, file), body)?;
    if reply.is_success() { Ok(()) } else { Err(describe_refusal(doing(), &reply)) }
}

/// Ends an upload: what came, and `body` after it, is to be the content of that digest.
fn finish(
    registry: &OciRegistry<'_>,
    (location, file): (&Address, &PlacedFile),
    body: Vec<u8>,
) -> Result<SignedReply, PlaceError> {
    let digest = format!("sha256:{}", file.sha256);
    let address = location.with_pairs([("digest", digest.as_str())]);
    let headers = vec![("content-type", "application/octet-stream".to_owned())];
    registry.ask(RequestMethod::Put, &address, OciRequest { headers, body })
}

/// Where an upload goes on.
fn location_of(
    reply: &SignedReply,
    (asked, doing): (&Address, &dyn Fn() -> String),
) -> Result<Address, PlaceError> {
    if !reply.is_success() {
        return Err(describe_refusal(doing(), reply));
    }
    let reason = || "it does not say where to send the content to".to_owned();
    let none = || PlaceError::Answer { doing: doing(), reason: reason() };
    Ok(asked.resolve(reply.header("location").ok_or_else(none)?)?)
}

/// How many bytes a range from the beginning has: `0-9` has ten. Registries say `0-0` for none, too.
fn end_of_range(range: &str) -> Option<u64> {
    let range = range.trim().trim_start_matches("bytes").trim_start_matches(['=', ' ']);
    match range.split_once('-')? {
        ("0", "0") => Some(0),
        ("0", last) => last.parse::<u64>().ok()?.checked_add(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_registry_has_is_read_from_its_range() {
        assert_eq!(end_of_range("0-8388607"), Some(8 << 20));
        assert_eq!(end_of_range("bytes=0-9"), Some(10));
        assert_eq!(end_of_range("0-0"), Some(0));
        for odd in ["", "5-9", "0-", "0-x", "0--1", "0-18446744073709551615"] {
            assert_eq!(end_of_range(odd), None, "{odd}");
        }
    }
}
