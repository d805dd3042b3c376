//! One file from one server.

use std::error::Error;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::{RequestBuilder, Response, StatusCode};

use super::FetchError;
use super::address::Address;
use super::download::{Download, DownloadOutcome, Downloaded, Validators};
use super::equipment::Equipment;
use super::partial::Partial;
use super::redirect::RefusedRedirect;
use super::retry_after::refuse;
use super::speed::SpeedWatch;

/// What one server is asked for.
pub(super) struct Transfer<'a> {
    pub http: &'a reqwest::Client,
    pub equipment: &'a Equipment,
    pub download: &'a Download,
    pub address: &'a Address,
}

impl Transfer<'_> {
    /// Fetches the file, or what is missing of it.
    pub async fn run(&self, partial: &mut Partial) -> Result<DownloadOutcome, FetchError> {
        let mut response = self.ask(partial).await?;
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            partial.empty()?;
            response = self.ask(partial).await?;
        }
        match response.status() {
            StatusCode::NOT_MODIFIED if self.download.known.is_some() => {
                return Ok(DownloadOutcome::Unchanged);
            }
            StatusCode::PARTIAL_CONTENT if self.goes_on(&response, partial) => {}
            StatusCode::OK => partial.restart(self.address, &validators(response.headers()))?,
            _ => return Err(self.refused(&response)),
        }
        let validators = validators(response.headers());
        self.receive(response, partial).await?;
        let address = self.address.clone();
        Ok(DownloadOutcome::Came(Downloaded { size: partial.received(), address, validators }))
    }

    async fn ask(&self, partial: &Partial) -> Result<Response, FetchError> {
        let request = self.http.get(self.address.url().clone()).header(ACCEPT_ENCODING, "identity");
        let request = self.equipment.authorize(request, self.address)?;
        let request = match self.download.accept {
            Some(forms) => request.header(ACCEPT, forms),
            None => request,
        };
        let request = match (partial.etag_to_go_on(self.address), &self.download.known) {
            (Some(etag), _) => {
                request.header(RANGE, format!("bytes={}-", partial.received())).header(IF_RANGE, etag)
            }
            (None, Some(known)) => conditional(request, known),
            (None, None) => request,
        };
        let watch = SpeedWatch::new(&self.equipment.settings);
        match tokio::time::timeout_at(watch.deadline(), request.send()).await {
            Ok(answer) => answer.map_err(|error| self.broken(error)),
            Err(_) => Err(watch.too_slow(self.address)),
        }
    }

    /// Whether an answer is what is missing, and nothing else.
    fn goes_on(&self, response: &Response, partial: &Partial) -> bool {
        let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
        let parts = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('/'));
        let Some((first, total)) = parts.and_then(|(range, total)| Some((range.split_once('-')?.0, total)))
        else {
            return false;
        };
        let is_as_known = |total: u64| self.download.size.is_none_or(|size| size == total);
        let is_right_size = total == "*" || total.parse().is_ok_and(is_as_known);
        first.parse() == Ok(partial.received()) && partial.received() > 0 && is_right_size
    }

    async fn receive(&self, mut response: Response, partial: &mut Partial) -> Result<(), FetchError> {
        if let Some(length) = response.content_length() {
            let found = length.saturating_add(partial.received());
            self.download.check_limit(self.address, found)?;
            if let Some(expected) = self.download.size.filter(|size| *size != found) {
                return Err(FetchError::Length { address: self.address.to_string(), expected, found });
            }
        }
        let mut watch = SpeedWatch::new(&self.equipment.settings);
        loop {
            let chunk = match tokio::time::timeout_at(watch.deadline(), response.chunk()).await {
                Err(_) => {
                    // Nothing more came in this window; what came before may have been enough.
                    watch.count(0, self.address)?;
                    continue;
                }
                Ok(chunk) => chunk.map_err(|error| self.broken(error))?,
            };
            let Some(chunk) = chunk else { return Ok(()) };
            let found = partial.received().saturating_add(chunk.len() as u64);
            self.download.check_limit(self.address, found)?;
            partial.write(&chunk)?;
            watch.count(chunk.len() as u64, self.address)?;
        }
    }

    fn refused(&self, response: &Response) -> FetchError {
        let status = response.status();
        match status.is_redirection() {
            true => FetchError::Redirect {
                address: self.address.to_string(),
                reason: format!("{status}, to nowhere that forge fetches from"),
            },
            false => refuse(response, self.address, self.equipment),
        }
    }

    fn broken(&self, error: reqwest::Error) -> FetchError {
        describe_broken(error, self.address)
    }
}

/// What an error of the HTTP library says, without the address that it would name with its password.
pub(super) fn describe_broken(error: reqwest::Error, address: &Address) -> FetchError {
    let error = error.without_url();
    let address = address.to_string();
    let mut causes = causes(&error);
    match causes.iter().find_map(|cause| cause.downcast_ref::<RefusedRedirect>()) {
        Some(refused) => FetchError::Redirect { address, reason: refused.to_string() },
        None => {
            let mut innermost = causes.pop().map_or_else(|| error.to_string(), ToString::to_string);
            // The resolver prints its query.
            if innermost.starts_with("no records found for") {
                innermost = "the server's name is not known".to_owned();
            }
            let what = if error.is_connect() { "no connection" } else { "the connection broke" };
            FetchError::Connection { address, reason: format!("{what}: {innermost}") }
        }
    }
}

/// What an error comes from, down to the first cause.
fn causes(error: &reqwest::Error) -> Vec<&(dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    causes
}

fn conditional(request: RequestBuilder, known: &Validators) -> RequestBuilder {
    let request = match &known.etag {
        Some(etag) => request.header(IF_NONE_MATCH, etag),
        None => request,
    };
    match &known.last_modified {
        Some(time) => request.header(IF_MODIFIED_SINCE, time),
        None => request,
    }
}

fn validators(headers: &HeaderMap) -> Validators {
    let text = |name: HeaderName| Some(headers.get(name)?.to_str().ok()?.to_owned());
    Validators { etag: text(ETAG), last_modified: text(LAST_MODIFIED) }
}
