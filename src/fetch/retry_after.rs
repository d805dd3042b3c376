//! When a server wants to be asked again (RFC 9110, section 10.2.3).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::Response;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use super::FetchError;
use super::address::Address;
use super::equipment::Equipment;

/// What a status that says no becomes. Where the server says when it wants to be asked again, its machine is left alone until
/// then; where that is too long, it is given up.
pub(super) fn refuse(response: &Response, address: &Address, equipment: &Equipment) -> FetchError {
    let (shown, status) = (address.to_string(), response.status().to_string());
    let asks_for_time = response.status().is_server_error() || response.status().as_u16() == 429;
    match read(response.headers()).filter(|_| asks_for_time) {
        Some(wait) if wait > equipment.settings.longest_wait => {
            FetchError::RetryLater { address: shown, status, seconds: wait.as_secs() }
        }
        Some(wait) => {
            equipment.hosts.leave_alone(address, wait);
            FetchError::Status { address: shown, status }
        }
        None => FetchError::Status { address: shown, status },
    }
}

/// How long from now: seconds, or a date, which is compared with what the server takes for the time.
fn read(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let said = text(RETRY_AFTER)?;
    if let Ok(seconds) = said.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = read_date(said)?;
    let now = text(DATE).and_then(read_date).unwrap_or_else(Timestamp::now);
    Some(Duration::try_from(then.duration_since(now)).unwrap_or_default())
}

fn read_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn wait(headers: &[(HeaderName, &'static str)]) -> Option<u64> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        read(&headers.collect()).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_read_and_nothing_else() {
        assert_eq!(wait(&[(RETRY_AFTER, "17")]), Some(17));
        let (now, then) = ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:29:30 GMT");
        assert_eq!(wait(&[(DATE, now), (RETRY_AFTER, then)]), Some(90));
        assert_eq!(wait(&[(DATE, then), (RETRY_AFTER, now)]), Some(0));
        assert_eq!(wait(&[(RETRY_AFTER, "soon")]), None);
        assert_eq!(wait(&[]), None);
    }
}
