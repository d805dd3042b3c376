//! Which run of forge an event is of.

use std::fmt;
use std::io;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// One run of `forge apply`, from its first event to its last. It is a UUID of version 7 (RFC 9562): later runs have
/// greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(extend("format" = "uuid"))]
pub struct RunId(u128);

/// How many random bytes a run's id is made of.
const RANDOM_BYTES: usize = 10;

/// A text that is no run's id.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no run: 32 hexadecimal digits are, in groups of 8, 4, 4, 4 and 12")]
pub struct NotARun(String);

impl RunId {
    /// The id of a run that begins at `now`.
    pub fn new(now: Timestamp, random: [u8; RANDOM_BYTES]) -> Self {
        let random = random.iter().fold(0, |all, byte| all << 8 | u128::from(*byte));
        let time = u128::from(now.0 & 0xffff_ffff_ffff) << 80;
        let version = 7 << 76;
        let variant = 2 << 62;
        let (high, low) = (random & (0xfff << 64), random & (u128::MAX >> 66));
        Self(time | version | high | variant | low)
    }

    /// The id of a run that begins at `now`, as no other run has it.
    ///
    /// # Errors
    /// The kernel gives no random bytes.
    pub fn random(now: Timestamp) -> io::Result<Self> {
        let mut bytes = [0; RANDOM_BYTES];
        // The kernel fills so few at once.
        rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
        Ok(Self::new(now, bytes))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |shift: u32, digits: u32| self.0 >> shift & (u128::MAX >> (128 - 4 * digits));
        let (time, more, high) = (group(96, 8), group(80, 4), group(64, 4));
        write!(f, "{time:08x}-{more:04x}-{high:04x}-{:04x}-{:012x}", group(48, 4), group(0, 12))
    }
}

impl FromStr for RunId {
    type Err = NotARun;

    fn from_str(text: &str) -> Result<Self, NotARun> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let parsed = u128::from_str_radix(&digits, 16).map(Self).ok();
        parsed.filter(|run| run.to_string() == text).ok_or_else(|| NotARun(text.to_owned()))
    }
}

impl From<RunId> for String {
    fn from(run: RunId) -> Self {
        run.to_string()
    }
}

impl TryFrom<String> for RunId {
    type Error = NotARun;

    fn try_from(text: String) -> Result<Self, NotARun> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_uuid_of_version_7_and_later_ones_are_greater() {
        let run = RunId::new(Timestamp(0x0192_f3a4_b5c6), [0xff; RANDOM_BYTES]);
        assert_eq!(run.to_string(), "0192f3a4-b5c6-7fff-bfff-ffffffffffff");
        assert_eq!(run.to_string().parse::<RunId>().unwrap(), run);
        let later = RunId::new(Timestamp(0x0192_f3a4_b5c7), [0; RANDOM_BYTES]);
        assert_eq!(later.to_string(), "0192f3a4-b5c7-7000-8000-000000000000");
        assert!(later > run && later.to_string() > run.to_string());
    }

    #[test]
    fn another_text_is_no_run() {
        for text in
            ["", "0192f3a4", "0192F3A4-b5c6-7fff-bfff-ffffffffffff", "0192f3a4b5c67fffbfffffffffffffff"]
        {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }
}
