//! A bucket and who uses it: requests of S3's protocol, signed.

use std::time::Duration;

use rusty_s3::signing::sign;
use rusty_s3::{Bucket, Credentials, Method, S3Action, UrlStyle};

use super::PlaceError;
use super::s3_answers::describe_refusal;
use crate::fetch::{Address, Client, RequestMethod, SignedReply, SignedRequest};
use crate::process::Cancel;

/// For how long a signature holds: longer than a request is tried.
const VALID: Duration = Duration::from_secs(60 * 60);

/// How large answers may be, in bytes: as large as a record may be.
const LARGEST_ANSWER: usize = 256 << 20;

/// See the [module](self).
pub(super) struct S3Bucket<'a> {
    pub bucket: Bucket,
    pub credentials: Credentials,
    pub client: &'a Client,
    pub cancel: &'a Cancel,
}

/// What a request sends beside its address.
#[derive(Default)]
pub(super) struct RequestContent {
    /// Its headers, in lower case.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// Where a bucket is.
pub(super) struct BucketAddress<'a> {
    pub name: &'a str,
    /// The URL of the service; none for Amazon's.
    pub endpoint: Option<String>,
    pub region: String,
}

impl BucketAddress<'_> {
    /// The bucket that is there. Amazon has a machine's name for each bucket; other services need not.
    pub fn open(self) -> Result<Bucket, PlaceError> {
        let wrong = |reason: String| PlaceError::Address { reason };
        let has_plain_name = !self.name.contains('.');
        let (endpoint, style) = match self.endpoint {
            Some(endpoint) => (endpoint, UrlStyle::Path),
            None if has_plain_name => {
                (format!("https://s3.{}.amazonaws.com", self.region), UrlStyle::VirtualHost)
            }
            None => (format!("https://s3.{}.amazonaws.com", self.region), UrlStyle::Path),
        };
        let endpoint = endpoint.parse().map_err(|error| wrong(format!("{error}")))?;
        Bucket::new(endpoint, style, self.name.to_owned(), self.region)
            .map_err(|error| wrong(error.to_string()))
    }
}

impl S3Bucket<'_> {
    /// Has the server do something; gives its answer where it has done it.
    pub fn ask<'b, A: S3Action<'b>>(
        &self,
        action: A,
        content: RequestContent,
        doing: impl Fn() -> String,
    ) -> Result<SignedReply, PlaceError> {
        let reply = self.ask_freely(action, content)?;
        match reply.is_success() {
            true => Ok(reply),
            false => Err(describe_refusal(doing(), &reply)),
        }
    }

    /// As [`S3Bucket::ask`], and gives also the answer that says no.
    pub fn ask_freely<'b, A: S3Action<'b>>(
        &self,
        mut action: A,
        content: RequestContent,
    ) -> Result<SignedReply, PlaceError> {
        for (name, value) in &content.headers {
            action.headers_mut().insert(*name, value.clone());
        }
        let url = action.sign(VALID);
        self.send(A::METHOD, url.as_str(), content)
    }

    /// Asks something of the whole bucket for which there is no action: a query, sorted by its names.
    pub fn query(&self, query: &[(&str, &str)]) -> Result<SignedReply, PlaceError> {
        let url = sign(
            &jiff::Timestamp::now(),
            Method::Get,
            self.bucket.base_url().clone(),
            self.credentials.key(),
            self.credentials.secret(),
            self.credentials.token(),
            self.bucket.region(),
            VALID.as_secs(),
            query.iter().copied(),
            std::iter::empty(),
        );
        self.send(Method::Get, url.as_str(), RequestContent::default())
    }

    fn send(&self, method: Method, url: &str, content: RequestContent) -> Result<SignedReply, PlaceError> {
        let request = SignedRequest {
            method: match method {
                Method::Head => RequestMethod::Head,
                Method::Get => RequestMethod::Get,
                Method::Post => RequestMethod::Post,
                Method::Put => RequestMethod::Put,
                Method::Delete => RequestMethod::Delete,
            },
            address: Address::parse(url)?,
            headers: content.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body: content.body,
            most: LARGEST_ANSWER,
        };
        Ok(self.client.send(request, self.cancel)?)
    }
}
