//! The client: its connections, its limits, and the threads that it works on.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::FetchError;
use super::attempts::Attempts;
use super::download::{Download, DownloadOutcome};
use super::equipment::Equipment;
use super::exchange::{Exchange, Question, Reply};
use super::logins::Logins;
use super::progress::{Counter, Progress};
use super::proxies::Proxies;
use super::settings::ClientSettings;
use super::signed_request::{SignedExchange, SignedReply, SignedRequest};
use crate::files::Folder;
use crate::process::Cancel;

/// Fetches files. See the [module](super). Its functions return when all is done: what waits for the network are threads of
/// its own.
pub struct Client {
    equipment: Arc<Equipment>,
    runtime: Option<Runtime>,
}

/// What downloads have around them.
#[derive(Clone, Copy)]
pub struct Downloads<'a> {
    /// Where files get their names once they are whole and right.
    pub folder: &'a Folder,
    /// Calls them off.
    pub cancel: &'a Cancel,
    /// Is told how far they are.
    pub progress: &'a dyn Fn(Progress),
}

/// How often it is told how far downloads are.
const BETWEEN_REPORTS: Duration = Duration::from_millis(100);

/// What only waits and copies needs few threads.
const THREADS: usize = 2;

impl Client {
    /// A client that goes through these proxies.
    ///
    /// # Errors
    /// [`FetchError::Proxy`], and [`FetchError::Client`] where no threads can be had.
    pub fn new(settings: ClientSettings, proxies: Proxies) -> Result<Self, FetchError> {
        Self::with_certificates(settings, proxies, &[])
    }

    /// As [`Client::new`], and servers are believed as well whose certificates come from one of these, in PEM: a company's own.
    ///
    /// # Errors
    /// As there; [`FetchError::Client`] where one of them is none.
    pub fn with_certificates(
        settings: ClientSettings,
        proxies: Proxies,
        certificates: &[Vec<u8>],
    ) -> Result<Self, FetchError> {
        Self::with_logins(settings, proxies, certificates, Logins::default())
    }

    /// As [`Client::with_certificates`], and it says who it is where that is known.
    ///
    /// # Errors
    /// As there.
    pub fn with_logins(
        settings: ClientSettings,
        proxies: Proxies,
        certificates: &[Vec<u8>],
        logins: Logins,
    ) -> Result<Self, FetchError> {
        proxies.check()?;
        let equipment = Equipment::new((settings, proxies), certificates, logins)?;
        let client = |error: std::io::Error| FetchError::Client { reason: error.to_string() };
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("forge-fetch")
            .enable_all()
            .build()
            .map_err(client)?;
        Ok(Self { equipment: Arc::new(equipment), runtime: Some(runtime) })
    }

    /// Fetches one file.
    ///
    /// # Errors
    /// Why it could not be had.
    pub fn download(&self, file: Download, around: Downloads<'_>) -> Result<DownloadOutcome, FetchError> {
        let mut outcome = Err(FetchError::Canceled);
        self.download_all(vec![file], around, |_, result| outcome = result);
        outcome
    }

    /// Asks a server something, and gives its answer as it comes.
    ///
    /// # Errors
    /// There is no answer. One that says no is an answer.
    pub fn ask(&self, question: Question, cancel: &Cancel) -> Result<Reply, FetchError> {
        let runtime = self.runtime.as_ref().ok_or(FetchError::Canceled)?;
        let (equipment, handle) = (Arc::clone(&self.equipment), runtime.handle().clone());
        Exchange { equipment, handle, question, cancel: cancel.clone() }.run()
    }

    /// Sends a request that says itself who asks, and gives the whole answer. One that says no is an answer.
    ///
    /// # Errors
    /// There is no answer, also after it was asked again, or it is too large.
    pub fn send(&self, request: SignedRequest, cancel: &Cancel) -> Result<SignedReply, FetchError> {
        let runtime = self.runtime.as_ref().ok_or(FetchError::Canceled)?;
        let (equipment, handle) = (Arc::clone(&self.equipment), runtime.handle().clone());
        SignedExchange { equipment, handle, request, cancel: cancel.clone() }.run()
    }

    /// Fetches files, several at once. `done` is told of each by its index as soon as it is there, or can't be had.
    pub fn download_all(
        &self,
        files: Vec<Download>,
        around: Downloads<'_>,
        mut done: impl FnMut(usize, Result<DownloadOutcome, FetchError>),
    ) {
        let total_files = files.len();
        let total_bytes = files.iter().map(|file| file.size.unwrap_or_default()).sum();
        let counter = Arc::new(Counter::default());
        let (sender, receiver) = mpsc::channel();
        let folder = around.folder.again().map(Arc::new);
        for (index, download) in files.into_iter().enumerate() {
            let (Ok(folder), Some(runtime)) = (&folder, &self.runtime) else {
                done(index, Err(FetchError::Io(std::io::ErrorKind::NotFound.into())));
                continue;
            };
            let attempts = Attempts {
                equipment: Arc::clone(&self.equipment),
                folder: Arc::clone(folder),
                download,
                counter: Arc::clone(&counter),
                cancel: around.cancel.clone(),
            };
            let sender = sender.clone();
            runtime.spawn(async move {
                // The receiver is there as long as this function.
                let _ = sender.send((index, attempts.run().await));
            });
        }
        drop(sender);
        let mut progress = Progress { total_bytes, total_files, ..Progress::default() };
        loop {
            match receiver.recv_timeout(BETWEEN_REPORTS) {
                Ok((index, outcome)) => {
                    progress.files += 1;
                    done(index, outcome);
                }
                Err(RecvTimeoutError::Timeout) => {}
                // All have sent, or were dropped with the runtime.
                Err(RecvTimeoutError::Disconnected) => break,
            }
            progress.bytes = counter.bytes();
            progress.waiting_seconds = self.equipment.hosts.longest_wait().as_secs_f64().ceil() as u64;
            (around.progress)(progress);
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Where this is dropped may be a thread of another runtime, which must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
