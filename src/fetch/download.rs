//! What is to be fetched, and what came.

use serde::{Deserialize, Serialize};

use super::FetchError;
use super::address::Address;
use crate::digest::Checksum;

/// A file to fetch.
#[derive(Clone, Debug)]
pub struct Download {
    /// The name that it gets in the folder that files are fetched into.
    pub file: String,
    /// Where it can be had, in order of preference.
    pub addresses: Vec<Address>,
    /// Checksums of which it must have one; where there are none, whatever comes is taken.
    pub checksums: Vec<Checksum>,
    /// Its size in bytes, where it is known.
    pub size: Option<u64>,
    /// How many bytes it may have at most.
    pub most_bytes: u64,
    /// What is known of it already: where it is still so, it need not come.
    pub known: Option<Validators>,
    /// In which forms it is taken, as `Accept` has it (RFC 9110, section 12.5.1); without it, in whichever the server has.
    pub accept: Option<&'static str>,
}

/// What a server says of a file to know it again (RFC 9110, section 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// `ETag`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub etag: Option<String>,
    /// `Last-Modified`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_modified: Option<String>,
}

impl Validators {
    /// What a range may depend on: a time is to the second only, and a weak tag says the same of different bytes.
    pub(super) fn strong(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| etag.starts_with('"'))
    }
}

/// What became of a download that went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownloadOutcome {
    /// It came, and has its name.
    Came(Downloaded),
    /// It is as it was known to be, and did not come again.
    Unchanged,
}

/// A file that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// How many bytes it has.
    pub size: u64,
    /// Which address it came from.
    pub address: Address,
    /// What the server said to know it again.
    pub validators: Validators,
}

impl DownloadOutcome {
    /// Which address it came from, if it came.
    pub fn into_address(self) -> Option<Address> {
        match self {
            Self::Came(downloaded) => Some(downloaded.address),
            Self::Unchanged => None,
        }
    }
}

impl Download {
    /// The limit that holds: what was said of its size, or what such a file may have.
    pub(super) fn limit(&self) -> u64 {
        self.size.map_or(self.most_bytes, |size| size.min(self.most_bytes))
    }

    /// An error where it would be larger than it may be.
    pub(super) fn check_limit(&self, address: &Address, found: u64) -> Result<(), FetchError> {
        let address = || address.to_string();
        match self.size {
            _ if found > self.most_bytes => {
                Err(FetchError::TooLarge { address: address(), most: self.most_bytes })
            }
            Some(expected) if found > expected => {
                Err(FetchError::Length { address: address(), expected, found })
            }
            Some(_) | None => Ok(()),
        }
    }
}
