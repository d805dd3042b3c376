//! How many files come from a machine at once, and which machines have failed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::address::Address;
use super::settings::ClientSettings;

/// What a client knows of the machines that it asks.
#[derive(Debug)]
pub(super) struct Hosts {
    all: Arc<Semaphore>,
    most_per_host: usize,
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Debug)]
struct Host {
    permits: Arc<Semaphore>,
    failures: u32,
    /// Until when it wants to be left alone.
    closed_until: Option<Instant>,
}

/// Leave to fetch one file.
pub(super) struct Permit {
    _host: Option<OwnedSemaphorePermit>,
    _all: Option<OwnedSemaphorePermit>,
}

impl Hosts {
    pub fn new(settings: &ClientSettings) -> Self {
        Self {
            all: Arc::new(Semaphore::new(settings.most_downloads.max(1))),
            most_per_host: settings.most_per_host.max(1),
            hosts: Mutex::default(),
        }
    }

    /// Waits until one more file may come from there.
    pub async fn permit(&self, address: &Address) -> Permit {
        let of_host = self.with_host(address, |host| Arc::clone(&host.permits));
        // That of the machine first: who waits for it must not keep others from theirs. They are never closed.
        let host = of_host.acquire_owned().await.ok();
        self.wait_for(address).await;
        let all = Arc::clone(&self.all).acquire_owned().await.ok();
        Permit { _host: host, _all: all }
    }

    /// Waits until a machine may be asked again.
    pub async fn wait_for(&self, address: &Address) {
        // It may say so again while it is waited for.
        while let Some(until) = self.with_host(address, |host| host.closed_until) {
            if until <= Instant::now() {
                break;
            }
            tokio::time::sleep_until(until).await;
        }
    }

    /// Notes that a machine wants to be left alone for so long.
    pub fn leave_alone(&self, address: &Address, wait: Duration) {
        let until = Instant::now() + wait;
        self.with_host(address, |host| host.closed_until = host.closed_until.max(Some(until)));
    }

    /// For how long some machine wants to be left alone yet.
    pub fn longest_wait(&self) -> Duration {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let until = hosts.values().filter_map(|host| host.closed_until).max();
        until.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default()
    }

    /// Notes that a machine has failed: it is asked after those that have not.
    pub fn note_failure(&self, address: &Address) {
        self.with_host(address, |host| host.failures = host.failures.saturating_add(1));
    }

    /// The addresses with those of machines that have failed at the end.
    pub fn in_order(&self, addresses: &[Address]) -> Vec<Address> {
        let mut ordered = addresses.to_vec();
        ordered.sort_by_cached_key(|address| self.with_host(address, |host| host.failures));
        ordered
    }

    fn with_host<T>(&self, address: &Address, act: impl FnOnce(&mut Host) -> T) -> T {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Host {
            permits: Arc::new(Semaphore::new(self.most_per_host)),
            failures: 0,
            closed_until: None,
        };
        act(hosts.entry(address.host()).or_insert_with(new))
    }
}
