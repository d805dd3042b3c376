//! Whether a file comes fast enough.

use std::time::Duration;

use tokio::time::Instant;

use super::FetchError;
use super::address::Address;
use super::settings::ClientSettings;

/// Measures bytes over windows of time.
#[derive(Debug)]
pub(super) struct SpeedWatch {
    window: Duration,
    least: u64,
    began: Instant,
    bytes: u64,
}

impl SpeedWatch {
    pub fn new(settings: &ClientSettings) -> Self {
        let window = settings.speed_window;
        let least = settings.least_bytes_per_second.saturating_mul(whole_seconds(window));
        Self { window, least, began: Instant::now(), bytes: 0 }
    }

    /// When the window ends.
    pub fn deadline(&self) -> Instant {
        self.began + self.window
    }

    /// Counts bytes that came; an error where too few did.
    pub fn count(&mut self, bytes: u64, address: &Address) -> Result<(), FetchError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if Instant::now() < self.deadline() {
            return Ok(());
        }
        if self.bytes < self.least {
            return Err(self.too_slow(address));
        }
        self.began = Instant::now();
        self.bytes = 0;
        Ok(())
    }

    /// The error of a server that has given too little.
    pub fn too_slow(&self, address: &Address) -> FetchError {
        let seconds = whole_seconds(self.window);
        FetchError::Slow { address: address.to_string(), bytes: self.bytes, seconds }
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().max(1)
}
