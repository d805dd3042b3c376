//! One file from whichever of its addresses has it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::FetchError;
use super::address::Address;
use super::download::{Download, DownloadOutcome};
use super::equipment::Equipment;
use super::error::Recovery;
use super::local;
use super::partial::Partial;
use super::progress::Counter;
use super::transfer::Transfer;
use crate::files::Folder;
use crate::process::Cancel;

/// A file on its way.
pub(super) struct Attempts {
    pub equipment: Arc<Equipment>,
    pub folder: Arc<Folder>,
    pub download: Download,
    pub counter: Arc<Counter>,
    pub cancel: Cancel,
}

/// An address, and how often it has failed for this file.
struct Candidate {
    address: Address,
    failures: u32,
}

impl Attempts {
    /// Fetches the file.
    pub async fn run(self) -> Result<DownloadOutcome, FetchError> {
        tokio::select! {
            biased;
            () = self.cancel.canceled() => Err(FetchError::Canceled),
            outcome = self.try_addresses() => outcome,
        }
    }

    async fn try_addresses(&self) -> Result<DownloadOutcome, FetchError> {
        let mut partial = Partial::open(Arc::clone(&self.folder), &self.download, Arc::clone(&self.counter))?;
        let addresses = self.equipment.hosts.in_order(&self.download.addresses);
        let mut open: VecDeque<Candidate> =
            addresses.into_iter().map(|address| Candidate { address, failures: 0 }).collect();
        let mut errors: Vec<(Address, FetchError)> = Vec::new();
        let mut retries = self.equipment.settings.retries;
        while let Some(mut candidate) = open.pop_front() {
            pause(self.equipment.settings.first_pause, candidate.failures).await;
            let error = match self.try_address(&candidate.address, &mut partial).await {
                Ok(DownloadOutcome::Unchanged) => return Ok(DownloadOutcome::Unchanged),
                Ok(DownloadOutcome::Came(downloaded)) => {
                    partial.finish(&self.download.file)?;
                    return Ok(DownloadOutcome::Came(downloaded));
                }
                Err(error) => error,
            };
            let recovery = error.recovery();
            if recovery == Recovery::GiveUp {
                return Err(error);
            }
            self.equipment.hosts.note_failure(&candidate.address);
            errors.retain(|(address, _)| *address != candidate.address);
            errors.push((candidate.address.clone(), error));
            if recovery == Recovery::SameAddress && retries > 0 {
                retries -= 1;
                candidate.failures += 1;
                open.push_back(candidate);
            }
        }
        Err(Self::failure(errors))
    }

    async fn try_address(
        &self,
        address: &Address,
        partial: &mut Partial,
    ) -> Result<DownloadOutcome, FetchError> {
        let _permit = self.equipment.hosts.permit(address).await;
        let goes_on = partial.etag_to_go_on(address).is_some();
        match self.try_once(address, partial).await {
            // What an earlier run has left may be to blame, not the server.
            Err(FetchError::WrongChecksum { .. }) if goes_on => {
                partial.empty()?;
                self.try_once(address, partial).await
            }
            outcome => outcome,
        }
    }

    async fn try_once(
        &self,
        address: &Address,
        partial: &mut Partial,
    ) -> Result<DownloadOutcome, FetchError> {
        let outcome = match address.local_path() {
            Some(path) => {
                let copy = || local::copy(&self.download, (address, &path), partial, &self.cancel);
                DownloadOutcome::Came(tokio::task::block_in_place(copy)?)
            }
            None => {
                let http = &self.equipment.http()?;
                let equipment = &self.equipment;
                let transfer = Transfer { http, equipment, download: &self.download, address };
                transfer.run(partial).await?
            }
        };
        if let DownloadOutcome::Came(_) = outcome
            && let Err(error) = partial.check(&self.download, address)
        {
            partial.empty()?;
            return Err(error);
        }
        Ok(outcome)
    }

    fn failure(mut errors: Vec<(Address, FetchError)>) -> FetchError {
        match errors.pop() {
            None => FetchError::NoAddress,
            Some((_, error)) if errors.is_empty() => error,
            Some(last) => {
                errors.push(last);
                FetchError::NoMirror { attempts: errors.into_iter().map(|(_, error)| error).collect() }
            }
        }
    }
}

/// Waits before an address is tried again: twice as long each time, and not as long as all others who were cut off with us.
pub(super) async fn pause(first: Duration, failures: u32) {
    if failures == 0 {
        return;
    }
    let most = first.saturating_mul(1 << failures.min(8).saturating_sub(1));
    let mut random = [0_u8; 1];
    // Without randomness it is only less well spread.
    let _ = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::NONBLOCK);
    tokio::time::sleep(most / 2 + most.mul_f64(f64::from(random[0]) / 512.0)).await;
}
