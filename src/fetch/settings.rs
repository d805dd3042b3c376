//! How patient and how greedy a client is.

use std::time::Duration;

/// How a [`Client`](super::Client) works.
#[derive(Clone, Copy, Debug)]
pub struct ClientSettings {
    /// How many files come at once.
    pub most_downloads: usize,
    /// How many of them from one machine.
    pub most_per_host: usize,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// Over this time it is measured how fast a file comes.
    pub speed_window: Duration,
    /// A server that gives fewer bytes a second is left.
    pub least_bytes_per_second: u64,
    /// How often an address is tried again where that may help.
    pub retries: u32,
    /// How long is waited before the first retry; before each further one it is twice as long.
    pub first_pause: Duration,
    /// How long a server is waited for that says when it wants to be asked again (`Retry-After`); for longer it is given up.
    pub longest_wait: Duration,
}

impl Default for ClientSettings {
    /// Much as dnf has it: `minrate=1000`, `timeout=30`, a few files at once.
    fn default() -> Self {
        Self {
            most_downloads: 10,
            most_per_host: 5,
            connect_timeout: Duration::from_secs(15),
            speed_window: Duration::from_secs(30),
            least_bytes_per_second: 1000,
            retries: 4,
            first_pause: Duration::from_millis(500),
            longest_wait: Duration::from_secs(120),
        }
    }
}
