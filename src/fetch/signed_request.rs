//! A request that says itself who asks: by a signature in the query of its address, or by a header. Nothing of what the client
//! knows of logins goes along, and neither the query nor a header is ever shown.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Response;
use reqwest::header::HeaderMap;
use tokio::runtime::Handle;

use super::FetchError;
use super::address::Address;
use super::answers::{ask_again, has_trouble, header_map, wait_for_answer};
use super::equipment::Equipment;
use super::retry_after::refuse;
use super::transfer::describe_broken;
use crate::process::Cancel;

/// What a request does (RFC 9110, section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestMethod {
    /// Asks for what is there.
    Get,
    /// Asks what is said of it.
    Head,
    /// Puts something there.
    Put,
    /// Has the server do something.
    Post,
    /// Adds to what is there (RFC 5789).
    Patch,
    /// Removes what is there.
    Delete,
}

/// A request. See the [module](self).
#[derive(Clone)]
pub struct SignedRequest {
    /// What it does.
    pub method: RequestMethod,
    /// Where.
    pub address: Address,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// What it sends; empty where it sends nothing.
    pub body: Vec<u8>,
    /// How large the answer may be, in bytes.
    pub most: usize,
}

/// What a server has answered, whole.
pub struct SignedReply {
    /// The status code.
    pub status: u16,
    /// Its content.
    pub body: Vec<u8>,
    headers: HeaderMap,
}

impl SignedReply {
    /// What a header says, by its name in lower case; none where it is no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the server has done what it was asked.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A request on its way, and with what.
pub(super) struct SignedExchange {
    pub equipment: Arc<Equipment>,
    pub handle: Handle,
    pub request: SignedRequest,
    pub cancel: Cancel,
}

impl SignedExchange {
    /// Asks, and waits for the whole answer. A server that has trouble is asked again.
    pub fn run(self) -> Result<SignedReply, FetchError> {
        let (handle, cancel) = (self.handle.clone(), self.cancel.clone());
        wait_for_answer(&handle, cancel, async move {
            ask_again(&self.equipment.settings, || self.ask_in_time()).await
        })
    }

    async fn ask_in_time(&self) -> Result<SignedReply, FetchError> {
        // What is shown of it: a signature must not be.
        let shown = Address::from_response(self.request.address.url());
        let answer = tokio::time::timeout(self.patience(), self.ask_once(&shown)).await;
        answer.unwrap_or_else(|_| Err(self.too_slow(&shown)))
    }

    /// How long an attempt may take: as long as what it sends takes at the least speed, and a while for the answer.
    fn patience(&self) -> Duration {
        let settings = &self.equipment.settings;
        let bytes = self.request.body.len() as u64;
        let sending = Duration::from_secs(bytes / settings.least_bytes_per_second.max(1));
        settings.connect_timeout + settings.speed_window + sending
    }

    fn too_slow(&self, shown: &Address) -> FetchError {
        let seconds = self.patience().as_secs();
        let reason = format!("the connection broke: it was not answered in {seconds} seconds");
        FetchError::Connection { address: shown.to_string(), reason }
    }

    async fn ask_once(&self, shown: &Address) -> Result<SignedReply, FetchError> {
        self.equipment.hosts.wait_for(shown).await;
        let http = self.equipment.http()?;
        let SignedRequest { method, address, headers, body, most } = &self.request;
        let url = address.url().clone();
        let request = match method {
            RequestMethod::Get => http.get(url),
            RequestMethod::Head => http.head(url),
            RequestMethod::Put => http.put(url).body(body.clone()),
            RequestMethod::Post => http.post(url).body(body.clone()),
            RequestMethod::Patch => http.patch(url).body(body.clone()),
            RequestMethod::Delete => http.delete(url),
        };
        let sent = request.headers(header_map(headers)?).send().await;
        let response = sent.map_err(|error| describe_broken(error, shown))?;
        let status = response.status();
        if has_trouble(status) {
            return Err(refuse(&response, shown, &self.equipment));
        }
        let headers = response.headers().clone();
        let body = read_up_to(response, *most, shown).await?;
        Ok(SignedReply { status: status.as_u16(), body, headers })
    }
}

async fn read_up_to(mut response: Response, most: usize, shown: &Address) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| describe_broken(error, shown))? {
        if body.len().saturating_add(chunk.len()) > most {
            return Err(FetchError::TooLarge { address: shown.to_string(), most: most as u64 });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
