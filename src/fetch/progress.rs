//! How far downloads are.

use std::sync::atomic::{AtomicU64, Ordering};

/// How far all files of one call are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many bytes have come. It falls where a file has to be begun again.
    pub bytes: u64,
    /// How many there are to come, as far as that is known.
    pub total_bytes: u64,
    /// How many files are done.
    pub files: usize,
    /// How many there are.
    pub total_files: usize,
    /// For how many seconds a server wants to be left alone yet (`Retry-After`).
    pub waiting_seconds: u64,
}

/// Counts bytes of one file towards those of all.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn take_back(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
