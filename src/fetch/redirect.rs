//! Which redirections are followed.

use reqwest::Url;
use reqwest::redirect::{Attempt, Policy};

/// How often a server may lead elsewhere.
const MOST_REDIRECTS: usize = 10;

/// Why a redirection is not followed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RefusedRedirect {
    #[error("more than {MOST_REDIRECTS} times")]
    TooMany,
    #[error("from https to http, where anybody on the way can change what comes")]
    Unprotected,
    #[error("to `{0}:`")]
    Scheme(String),
}

/// The policy of the client.
pub(super) fn policy() -> Policy {
    let decide = |attempt: Attempt<'_>| match check_redirect(attempt.previous(), attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(refused) => attempt.error(refused),
    };
    Policy::custom(decide)
}

fn check_redirect(previous: &[Url], next: &Url) -> Result<(), RefusedRedirect> {
    let was_protected = previous.iter().any(|url| url.scheme() == "https");
    match next.scheme() {
        _ if previous.len() > MOST_REDIRECTS => Err(RefusedRedirect::TooMany),
        "https" => Ok(()),
        "http" if was_protected => Err(RefusedRedirect::Unprotected),
        "http" => Ok(()),
        other => Err(RefusedRedirect::Scheme(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(previous: &[&str], next: &str) -> Option<String> {
        let previous: Vec<Url> = previous.iter().map(|url| url.parse().unwrap()).collect();
        check_redirect(&previous, &next.parse().unwrap()).err().map(|error| error.to_string())
    }

    #[test]
    fn no_redirection_leads_from_https_to_http_nor_to_a_file() {
        assert_eq!(check(&["http://a/"], "http://b/"), None);
        assert_eq!(check(&["http://a/"], "https://b/"), None);
        assert!(check(&["https://a/"], "http://a/").unwrap().starts_with("from https to http"));
        assert!(check(&["http://a/", "https://a/"], "http://a/").is_some());
        assert_eq!(check(&["http://a/"], "file:///etc/passwd").unwrap(), "to `file:`");
        assert_eq!(check(&["http://a/"; 10], "http://b/"), None);
        assert_eq!(check(&["http://a/"; 11], "http://b/").unwrap(), "more than 10 times");
    }
}
