//! What all that asks a server once or more has in common: it waits for the answer, and asks again a server that has trouble.

use std::sync::mpsc;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::runtime::Handle;

use super::FetchError;
use super::attempts::pause;
use super::error::Recovery;
use super::settings::ClientSettings;
use crate::process::Cancel;

/// Waits for an answer, or until nobody wants it any more.
pub(super) fn wait_for_answer<T: Send + 'static>(
    handle: &Handle,
    cancel: Cancel,
    answer: impl Future<Output = Result<T, FetchError>> + Send + 'static,
) -> Result<T, FetchError> {
    let (sender, receiver) = mpsc::channel();
    handle.spawn(async move {
        let answer = tokio::select! {
            biased;
            () = cancel.canceled() => Err(FetchError::Canceled),
            answer = answer => answer,
        };
        // Who asked waits for it.
        let _ = sender.send(answer);
    });
    receiver.recv().unwrap_or(Err(FetchError::Canceled))
}

/// Asks, and once more after each failure that may go by itself, as often as the settings say.
pub(super) async fn ask_again<T, A: Future<Output = Result<T, FetchError>>>(
    settings: &ClientSettings,
    ask: impl Fn() -> A,
) -> Result<T, FetchError> {
    let mut failures = 0;
    loop {
        pause(settings.first_pause, failures).await;
        match ask().await {
            Err(error) if error.recovery() == Recovery::SameAddress && failures < settings.retries => {
                failures += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Whether a server says that it has trouble just now: what it will say a moment later is worth waiting for (RFC 9110, section 15).
pub(super) fn has_trouble(status: reqwest::StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

/// Headers as they are sent.
pub(super) fn header_map<N: AsRef<str>>(headers: &[(N, String)]) -> Result<HeaderMap, FetchError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = name.as_ref();
        let odd = || FetchError::Client { reason: format!("`{name}` can't be sent: it has odd characters") };
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| odd())?;
        map.append(key, HeaderValue::from_str(value).map_err(|_| odd())?);
    }
    Ok(map)
}
