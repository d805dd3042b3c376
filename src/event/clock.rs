//! Time as a value.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: milliseconds since 1970-01-01 00:00 UTC. In JSON it is a text as in RFC 3339: `2026-11-27T12:30:05.250Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

/// The last moment that RFC 3339 can write: the end of the year 9999.
const LAST_WRITABLE: u64 = 253_402_300_799_999;

impl Timestamp {
    /// How long after `earlier` this is; zero where it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment `age` before this one.
    pub fn before(self, age: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The moment `age` after this one.
    pub fn after(self, age: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)))
    }

    /// A moment of the file system's clock.
    pub fn of(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl Timestamp {
    fn writable(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.0.min(LAST_WRITABLE))
    }
}

impl fmt::Display for Timestamp {
    /// As in RFC 3339, to the second, in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_seconds(self.writable()).fmt(f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_rfc3339_millis(self.writable()))
    }
}

/// A moment as it may be written: records of earlier versions count milliseconds.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenTime {
    Text(String),
    Milliseconds(u64),
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match WrittenTime::deserialize(deserializer)? {
            WrittenTime::Milliseconds(milliseconds) => Ok(Self(milliseconds)),
            WrittenTime::Text(text) => {
                humantime::parse_rfc3339(&text).map(Self::of).map_err(serde::de::Error::custom)
            }
        }
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "A moment, as in RFC 3339, in UTC: 2026-11-27T12:30:05.250Z",
            "type": "string",
            "format": "date-time",
        })
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The moment that it is now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the time is read")]
    fn now(&self) -> Timestamp {
        Timestamp::of(SystemTime::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_rfc_3339_says_and_read_back() {
        let moment = Timestamp(1_795_783_805_250);
        let text = serde_json::to_string(&moment).unwrap();
        assert_eq!(text, "\"2026-11-27T12:50:05.250Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), moment);
        assert_eq!(serde_json::from_str::<Timestamp>("1795783805250").unwrap(), moment);
        assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
    }

    #[test]
    fn a_moment_that_no_calendar_has_is_shown_all_the_same() {
        assert_eq!(Timestamp(u64::MAX).to_string(), "9999-12-31T23:59:59Z");
    }
}
