//! A question to a server whose answer is read as it comes, and that is no file: of protocols that speak over HTTP.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use tokio::runtime::Handle;

use super::FetchError;
use super::address::Address;
use super::answers::{ask_again, has_trouble, header_map, wait_for_answer};
use super::equipment::Equipment;
use super::retry_after::refuse;
use super::transfer::describe_broken;
use crate::process::Cancel;

/// What a server is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Where.
    pub address: Address,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent; where there is nothing, it is only asked for.
    pub body: Option<Vec<u8>>,
    /// Whether it counts among the downloads that come from one machine at once.
    pub weight: QuestionWeight,
}

/// How much a question asks of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionWeight {
    /// A few lines: many may be asked at once.
    Light,
    /// As much as a file.
    Heavy,
}

/// What a server answers: read it to its end.
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The type of its content.
    pub content_type: String,
    /// Where it came from in the end, without what stood behind the `?`.
    pub address: Address,
    content: Content,
}

struct Content {
    handle: Handle,
    response: Option<reqwest::Response>,
    chunk: Vec<u8>,
    read: usize,
    patience: Duration,
    cancel: Cancel,
    _permit: Option<super::hosts::Permit>,
}

/// What is asked, and with what.
pub(super) struct Exchange {
    pub equipment: Arc<Equipment>,
    pub handle: Handle,
    pub question: Question,
    pub cancel: Cancel,
}

impl Exchange {
    /// Asks, and waits until the answer begins. A server that has trouble is asked again.
    pub fn run(self) -> Result<Reply, FetchError> {
        let (handle, cancel) = (self.handle.clone(), self.cancel.clone());
        wait_for_answer(&handle, cancel, async move {
            ask_again(&self.equipment.settings, || self.ask_once()).await
        })
    }

    async fn ask_once(&self) -> Result<Reply, FetchError> {
        let Question { address, headers, body, weight } = &self.question;
        let permit = match weight {
            QuestionWeight::Light => None,
            QuestionWeight::Heavy => Some(self.equipment.hosts.permit(address).await),
        };
        self.equipment.hosts.wait_for(address).await;
        let http = self.equipment.http()?;
        let request = match body {
            None => http.get(address.url().clone()),
            Some(body) => http.post(address.url().clone()).body(body.clone()),
        };
        let request = self.equipment.authorize(request, address)?;
        let response = request.headers(header_map(headers)?).send().await;
        let response = response.map_err(|error| describe_broken(error, address))?;
        let status = response.status();
        // The rest is for who asked.
        if has_trouble(status) {
            return Err(refuse(&response, address, &self.equipment));
        }
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        Ok(Reply {
            status: status.as_u16(),
            content_type: content_type.unwrap_or_default().to_owned(),
            address: Address::from_response(response.url()),
            content: Content {
                handle: self.handle.clone(),
                response: Some(response),
                chunk: Vec::new(),
                read: 0,
                patience: self.equipment.settings.speed_window,
                cancel: self.cancel.clone(),
                _permit: permit,
            },
        })
    }
}

impl Content {
    /// The next piece, fetched by the client's own threads: who reads may be in a thread that must not wait itself.
    fn next_chunk(&mut self) -> io::Result<()> {
        let Some(mut response) = self.response.take() else { return Ok(()) };
        let (sender, receiver) = mpsc::channel();
        let (patience, cancel) = (self.patience, self.cancel.clone());
        self.handle.spawn(async move {
            let chunk = tokio::select! {
                biased;
                () = cancel.canceled() => Err(io::Error::new(io::ErrorKind::Interrupted, "it was canceled")),
                chunk = tokio::time::timeout(patience, response.chunk()) => match chunk {
                    Err(_) => Err(io::ErrorKind::TimedOut.into()),
                    Ok(Err(error)) => Err(io::Error::new(io::ErrorKind::ConnectionReset, error.without_url())),
                    Ok(Ok(chunk)) => Ok(chunk),
                },
            };
            // Who asked waits for it.
            let _ = sender.send((response, chunk));
        });
        let ended = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let (response, chunk) = receiver.recv().map_err(|_| ended())?;
        if let Some(chunk) = chunk? {
            self.chunk = chunk.into();
            self.read = 0;
            self.response = Some(response);
        }
        Ok(())
    }
}

impl Read for Reply {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let content = &mut self.content;
        while content.read >= content.chunk.len() && content.response.is_some() {
            content.next_chunk()?;
        }
        let rest = content.chunk.get(content.read..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        content.read += length;
        Ok(length)
    }
}
