//! One file on its way into a bucket.
//!
//! A small one goes at once; a large one in parts (`CreateMultipartUpload`, `UploadPart`, `CompleteMultipartUpload`), so that an upload that
//! was cut goes on where it stopped: the service has what came, with the MD5 of each part, and is asked for it. Nothing is remembered here.
//! Either way the object is there once it is whole, and never half. With each piece goes its MD5, which the service checks; that of the
//! whole file must be the SHA-256 on record.

use std::collections::HashMap;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use rusty_s3::actions::{
    AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, ListParts, PutObject, UploadPart,
};
use sha2::{Digest as _, Sha256};

use super::PlaceError;
use super::s3_answers::{HeldPart, describe_refusal, has_failed, read_parts, read_uploads};
use super::s3_bucket::{RequestContent, S3Bucket};
use super::sending::Sending;
use super::snapshot::{OutgoingFile, hex, unless_missing};
use crate::fetch::{SignedReply, content_type};

/// How large the parts of a file are, in bytes, and up to which size it has none. S3 asks for 5 MiB at the least.
const PART: u64 = 8 << 20;

/// How many parts a file may have (S3 User Guide, "Amazon S3 multipart upload limits").
const MOST_PARTS: u64 = 10_000;

/// The header that says the SHA-256 of an object, for people and other programs.
const SHA256_HEADER: &str = "x-amz-meta-sha256";

/// See the [module](self).
pub(super) struct S3Upload<'a> {
    pub bucket: &'a S3Bucket<'a>,
    pub key: String,
    pub outgoing: &'a OutgoingFile,
    pub from: &'a Sending<'a>,
}

impl S3Upload<'_> {
    /// Sends it.
    pub fn run(&self) -> Result<(), PlaceError> {
        match self.outgoing.file.size <= PART {
            true => self.send_whole(),
            false => self.send_parts(),
        }
    }

    fn doing(&self) -> String {
        format!("sending `{}`", self.outgoing.path)
    }

    fn changed(&self) -> PlaceError {
        PlaceError::ChangedFile { folder: self.from.shown.to_owned(), path: self.outgoing.path.clone() }
    }

    fn open(&self) -> Result<impl Read + use<>, PlaceError> {
        self.from
            .folder
            .open_regular(&self.outgoing.path)
            .map_err(|error| unless_missing(error, self.changed()))
    }

    fn send_whole(&self) -> Result<(), PlaceError> {
        let mut body = Vec::new();
        self.open()?.take(PART + 1).read_to_end(&mut body)?;
        let is_right = body.len() as u64 == self.outgoing.file.size
            && hex(&Sha256::digest(&body)) == self.outgoing.file.sha256;
        if !is_right {
            return Err(self.changed());
        }
        let (bytes, md5) = (body.len() as u64, Md5::digest(&body));
        let mut headers = object_headers(&self.outgoing.path);
        headers.push((SHA256_HEADER, self.outgoing.file.sha256.clone()));
        headers.push(("content-md5", STANDARD.encode(md5)));
        let action = PutObject::new(&self.bucket.bucket, Some(&self.bucket.credentials), &self.key);
        let reply = self.bucket.ask(action, RequestContent { headers, body }, || self.doing())?;
        self.check_etag(&reply, &hex(&md5))?;
        (self.from.count)(bytes);
        Ok(())
    }

    /// Where a service gives the MD5 of what it has, it must be that of what was sent. One that encrypts gives another thing.
    fn check_etag(&self, reply: &SignedReply, md5: &str) -> Result<(), PlaceError> {
        let etag = reply.header("etag").unwrap_or_default().trim_matches('"');
        let is_md5 = etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_encrypted = reply.header("x-amz-server-side-encryption").is_some_and(|with| with != "AES256")
            || reply.header("x-amz-server-side-encryption-customer-algorithm").is_some();
        match is_md5 && !is_encrypted && !etag.eq_ignore_ascii_case(md5) {
            true => Err(PlaceError::NotArrived { path: self.outgoing.path.clone() }),
            false => Ok(()),
        }
    }

    fn send_parts(&self) -> Result<(), PlaceError> {
        let size = self.outgoing.file.size;
        let part_size = PART.max(size.div_ceil(MOST_PARTS));
        let id = match self.find_upload() {
            Some(id) => id,
            None => self.begin()?,
        };
        let held = self.held_parts(&id)?;
        let (mut file, mut whole, mut left) = (self.open()?, Sha256::new(), size);
        let mut etags = Vec::new();
        let mut number = 0_u16;
        while left > 0 {
            number = number.checked_add(1).ok_or_else(|| self.changed())?;
            let mut body = Vec::new();
            file.by_ref().take(part_size.min(left)).read_to_end(&mut body)?;
            if body.len() as u64 != part_size.min(left) {
                return Err(self.abandon(&id));
            }
            left = left.saturating_sub(body.len() as u64);
            whole.update(&body);
            etags.push(self.send_part((&id, number), body, held.get(&number))?);
        }
        let is_longer = file.read(&mut [0])? > 0;
        if is_longer || hex(&whole.finalize()) != self.outgoing.file.sha256 {
            return Err(self.abandon(&id));
        }
        self.complete(&id, &etags)
    }

    /// An unfinished upload of this file. Not every service lists those: where there is none to be found, all is sent.
    fn find_upload(&self) -> Option<String> {
        let reply = self.bucket.query(&[("prefix", &self.key), ("uploads", "")]).ok()?;
        let uploads = if reply.is_success() { read_uploads(&reply.body) } else { Vec::new() };
        uploads.into_iter().rev().find_map(|(key, id)| (key == self.key).then_some(id))
    }

    fn begin(&self) -> Result<String, PlaceError> {
        let mut headers = object_headers(&self.outgoing.path);
        headers.push((SHA256_HEADER, self.outgoing.file.sha256.clone()));
        let action =
            CreateMultipartUpload::new(&self.bucket.bucket, Some(&self.bucket.credentials), &self.key);
        let reply = self.bucket.ask(action, RequestContent { headers, body: Vec::new() }, || self.doing())?;
        let text = String::from_utf8_lossy(&reply.body);
        let begun = CreateMultipartUpload::parse_response(&text)
            .map_err(|error| PlaceError::Answer { doing: self.doing(), reason: error.to_string() })?;
        Ok(begun.upload_id().to_owned())
    }

    fn held_parts(&self, id: &str) -> Result<HashMap<u16, HeldPart>, PlaceError> {
        let (mut held, mut after) = (HashMap::new(), None);
        loop {
            let mut action =
                ListParts::new(&self.bucket.bucket, Some(&self.bucket.credentials), &self.key, id);
            if let Some(after) = after {
                action.set_part_number_marker(after);
            }
            let reply = self.bucket.ask(action, RequestContent::default(), || self.doing())?;
            let (parts, is_truncated) = read_parts(&reply.body);
            let last = parts.iter().map(|part| part.number).max();
            held.extend(parts.into_iter().map(|part| (part.number, part)));
            // A list that does not go on would be asked for ever.
            match last.filter(|last| is_truncated && after.is_none_or(|after| *last > after)) {
                Some(last) => after = Some(last),
                None => return Ok(held),
            }
        }
    }

    fn send_part(
        &self,
        (id, number): (&str, u16),
        body: Vec<u8>,
        held: Option<&HeldPart>,
    ) -> Result<String, PlaceError> {
        let (bytes, md5) = (body.len() as u64, Md5::digest(&body));
        let is_held = |held: &&HeldPart| {
            held.size == bytes && held.etag.trim_matches('"').eq_ignore_ascii_case(&hex(&md5))
        };
        if let Some(held) = held.filter(is_held) {
            (self.from.count)(bytes);
            return Ok(held.etag.clone());
        }
        let headers = vec![("content-md5", STANDARD.encode(md5))];
        let credentials = Some(&self.bucket.credentials);
        let action = UploadPart::new(&self.bucket.bucket, credentials, &self.key, number, id);
        let reply = self.bucket.ask(action, RequestContent { headers, body }, || self.doing())?;
        self.check_etag(&reply, &hex(&md5))?;
        (self.from.count)(bytes);
        let etag = reply.header("etag").map(str::to_owned);
        etag.ok_or_else(|| PlaceError::Answer { doing: self.doing(), reason: "it names no part".to_owned() })
    }

    fn complete(&self, id: &str, etags: &[String]) -> Result<(), PlaceError> {
        let credentials = Some(&self.bucket.credentials);
        let etags = || etags.iter().map(String::as_str);
        let body =
            CompleteMultipartUpload::new(&self.bucket.bucket, credentials, &self.key, id, etags()).body();
        let action = CompleteMultipartUpload::new(&self.bucket.bucket, credentials, &self.key, id, etags());
        let content = RequestContent {
            headers: vec![("content-type", "application/xml".to_owned())],
            body: body.into_bytes(),
        };
        let reply = self.bucket.ask(action, content, || self.doing())?;
        match has_failed(&reply.body) {
            true => Err(describe_refusal(self.doing(), &reply)),
            false => Ok(()),
        }
    }

    /// Has the service forget what came of a file that is not what it should be.
    fn abandon(&self, id: &str) -> PlaceError {
        let credentials = Some(&self.bucket.credentials);
        let action = AbortMultipartUpload::new(&self.bucket.bucket, credentials, &self.key, id);
        // That it changed is what is to be told.
        let _ = self.bucket.ask(action, RequestContent::default(), || self.doing());
        self.changed()
    }
}

/// What clients and caches between are told of a file whose content never changes.
pub(super) fn object_headers(path: &str) -> Vec<(&'static str, String)> {
    vec![
        ("cache-control", "public, max-age=31536000, immutable".to_owned()),
        ("content-type", content_type(path).to_owned()),
    ]
}

/// What clients and caches between are told of a file that is replaced.
pub(super) fn head_headers(path: &str) -> Vec<(&'static str, String)> {
    vec![("cache-control", "no-cache".to_owned()), ("content-type", content_type(path).to_owned())]
}
