//! A bucket of a service that speaks S3's protocol, as a place.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use rusty_s3::actions::{DeleteObject, GetObject, ListObjectsV2, PutObject};

use super::PlaceError;
use super::at_once::for_each_at_once;
use super::aws_settings::AwsSettings;
use super::place::PublishPlace;
use super::place_record::PlacedFile;
use super::s3_answers::describe_refusal;
use super::s3_bucket::{BucketAddress, RequestContent, S3Bucket};
use super::s3_upload::{S3Upload, head_headers};
use super::sending::Sending;
use super::snapshot::{Head, OutgoingFile};
use crate::fetch::Client;
use crate::manifest::PlaceDecl;
use crate::process::Cancel;

/// How many pages of a list are read: as many objects as a record can name, twice over.
const MOST_PAGES: usize = 2000;

/// See the [module](self).
pub(super) struct S3Place<'a> {
    bucket: S3Bucket<'a>,
    /// What keys begin with, without a slash at its end.
    prefix: String,
    /// The sizes of what is there, by path, once it was asked for.
    listed: Mutex<Option<BTreeMap<String, u64>>>,
}

impl<'a> S3Place<'a> {
    /// The place of a bucket and a prefix in it.
    pub fn open(
        (bucket, prefix): (&str, &str),
        place: &PlaceDecl,
        (client, cancel): (&'a Client, &'a Cancel),
        aws: &AwsSettings,
    ) -> Result<Self, PlaceError> {
        let profile = place.profile.as_deref();
        let credentials =
            aws.credentials(profile).map_err(|profile| PlaceError::NoCredentials { profile })?;
        let address = BucketAddress {
            name: bucket,
            endpoint: place.endpoint.clone().or_else(|| aws.endpoint(profile)),
            region: place.region.clone().unwrap_or_else(|| aws.region(profile)),
        };
        let bucket = S3Bucket { bucket: address.open()?, credentials, client, cancel };
        Ok(Self { bucket, prefix: prefix.to_owned(), listed: Mutex::default() })
    }

    fn key(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }

    /// The sizes of what is there, by path.
    fn list(&self) -> Result<BTreeMap<String, u64>, PlaceError> {
        let doing = || "listing what is there".to_owned();
        let begin = if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) };
        let (mut found, mut next) = (BTreeMap::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let mut action = ListObjectsV2::new(&self.bucket.bucket, Some(&self.bucket.credentials));
            action.with_prefix(begin.as_str());
            if let Some(token) = next.take() {
                action.with_continuation_token(token);
            }
            let reply = self.bucket.ask(action, RequestContent::default(), doing)?;
            let text = String::from_utf8_lossy(&reply.body);
            let page = ListObjectsV2::parse_response(&text)
                .map_err(|error| PlaceError::Answer { doing: doing(), reason: error.to_string() })?;
            found.extend(
                page.contents
                    .into_iter()
                    .filter_map(|object| Some((object.key.strip_prefix(&begin)?.to_owned(), object.size?))),
            );
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(found);
            }
        }
        Err(PlaceError::Answer { doing: doing(), reason: "the list has no end".to_owned() })
    }

    fn listed(&self) -> Result<BTreeMap<String, u64>, PlaceError> {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listed) = &*listed {
            return Ok(listed.clone());
        }
        let found = self.list()?;
        Ok(listed.insert(found).clone())
    }

    fn remove_one(&self, path: &str) -> Result<(), PlaceError> {
        let key = self.key(path);
        let action = DeleteObject::new(&self.bucket.bucket, Some(&self.bucket.credentials), &key);
        let reply = self.bucket.ask_freely(action, RequestContent::default())?;
        match reply.is_success() || reply.status == 404 {
            true => Ok(()),
            false => Err(describe_refusal(format!("removing `{path}`"), &reply)),
        }
    }
}

impl PublishPlace for S3Place<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, PlaceError> {
        let key = self.key(path);
        let action = GetObject::new(&self.bucket.bucket, Some(&self.bucket.credentials), &key);
        let reply = self.bucket.ask_freely(action, RequestContent::default())?;
        // That there is no bucket is no answer to what is in it.
        let is_missing =
            reply.status == 404 && !String::from_utf8_lossy(&reply.body).contains("NoSuchBucket");
        match reply.is_success() {
            true => Ok(Some(reply.body)),
            false if is_missing => Ok(None),
            false => Err(describe_refusal(format!("reading `{path}`"), &reply)),
        }
    }

    fn find_missing(
        &self,
        files: &[OutgoingFile],
        _from: &Sending<'_>,
        known: &BTreeMap<String, PlacedFile>,
    ) -> Result<Vec<OutgoingFile>, PlaceError> {
        let there = self.listed()?;
        // An object is there once it is whole: what is on record and has its size is what was sent.
        let is_there = |OutgoingFile { path, file }: &&OutgoingFile| {
            known.get(path) == Some(file) && there.get(path) == Some(&file.size)
        };
        Ok(files.iter().filter(|file| !is_there(file)).cloned().collect())
    }

    fn send(&self, files: &[OutgoingFile], from: &Sending<'_>) -> Result<(), PlaceError> {
        if files.is_empty() {
            return Ok(());
        }
        for_each_at_once(files, |outgoing| {
            S3Upload { bucket: &self.bucket, key: self.key(&outgoing.path), outgoing, from }.run()
        })?;
        let there = self.list()?;
        let is_there =
            |OutgoingFile { path, file }: &&OutgoingFile| there.get(path.as_str()) == Some(&file.size);
        match files.iter().find(|file| !is_there(file)) {
            Some(missing) => Err(PlaceError::NotArrived { path: missing.path.clone() }),
            None => Ok(()),
        }
    }

    fn send_heads(&self, heads: &[Head]) -> Result<(), PlaceError> {
        for Head { path, content } in heads {
            let key = self.key(path);
            let mut headers = head_headers(path);
            headers.push(("content-md5", STANDARD.encode(Md5::digest(content))));
            let action = PutObject::new(&self.bucket.bucket, Some(&self.bucket.credentials), &key);
            let content = RequestContent { headers, body: content.clone() };
            self.bucket.ask(action, content, || format!("sending `{path}`"))?;
        }
        Ok(())
    }

    fn remove(&self, paths: &[String]) -> Result<(), PlaceError> {
        for_each_at_once(paths, |path| self.remove_one(path))
    }
}
