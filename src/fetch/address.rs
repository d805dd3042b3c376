//! Where a file is.

use std::fmt;

use reqwest::Url;

use super::FetchError;
use crate::files::HostPath;

/// A URL that a file can be had from. Shown, it has neither user nor password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address(Url);

/// How a file is had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressScheme {
    /// `https:`.
    Https,
    /// `http:`.
    Http,
    /// `file:`.
    File,
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`FetchError::Address`] where it is none, [`FetchError::Scheme`] where it is not one that forge fetches from.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        let error = |reason: String| FetchError::Address { address: without_login(text), reason };
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(error("it has spaces or control characters".to_owned()));
        }
        let url = Url::parse(text).map_err(|reason| error(reason.to_string()))?;
        let address = Self(url);
        match (address.scheme(), address.0.host_str()) {
            (None, _) => Err(FetchError::Scheme {
                address: address.to_string(),
                scheme: address.0.scheme().to_owned(),
            }),
            (Some(AddressScheme::File), Some(host)) if host != "localhost" => {
                Err(error("a file of another machine can't be reached this way".to_owned()))
            }
            (Some(AddressScheme::File | AddressScheme::Https | AddressScheme::Http), _) => Ok(address),
        }
    }

    /// The address of a file or folder of this machine.
    pub fn from_path(path: &HostPath) -> Option<Self> {
        Url::from_file_path(path.as_path()).ok().map(Self)
    }

    fn scheme(&self) -> Option<AddressScheme> {
        match self.0.scheme() {
            "https" => Some(AddressScheme::Https),
            "http" => Some(AddressScheme::Http),
            "file" => Some(AddressScheme::File),
            _ => None,
        }
    }

    /// Whether it is a file of this machine, and where.
    pub fn local_path(&self) -> Option<HostPath> {
        if self.scheme() != Some(AddressScheme::File) {
            return None;
        }
        self.0.to_file_path().ok().and_then(HostPath::new)
    }

    /// Whether nobody on the way can have changed what comes from it.
    pub fn is_protected(&self) -> bool {
        !matches!(self.scheme(), Some(AddressScheme::Http) | None)
    }

    /// Where an answer came from.
    pub(super) fn from_response(url: &Url) -> Self {
        let mut url = url.clone();
        url.set_query(None);
        Self(url)
    }

    /// The same with a query: `?` and what it says.
    #[must_use]
    pub fn with_query(&self, query: &str) -> Self {
        let mut url = self.0.clone();
        url.set_query(Some(query));
        Self(url)
    }

    /// The same, with these names and values added to its query.
    #[must_use]
    pub fn with_pairs<'a>(&self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut url = self.0.clone();
        url.query_pairs_mut().extend_pairs(pairs);
        Self(url)
    }

    /// What stands behind the `?`.
    pub fn query(&self) -> Option<&str> {
        self.0.query()
    }

    /// The address of something below the folder that this is. What stands behind a `?` stays: some mirrors want it.
    #[must_use]
    pub fn join(&self, relative: &str) -> Self {
        let mut url = self.0.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(relative.split('/').filter(|part| !part.is_empty()));
        }
        Self(url)
    }

    /// The address that a page at this one means by a reference in it (RFC 3986, section 5).
    ///
    /// # Errors
    /// As [`Address::parse`].
    pub fn resolve(&self, reference: &str) -> Result<Self, FetchError> {
        match self.0.join(reference) {
            Ok(url) => Self::parse(url.as_str()),
            Err(reason) => {
                Err(FetchError::Address { address: without_login(reference), reason: reason.to_string() })
            }
        }
    }

    /// The address without the end of its path, if it ends so.
    pub fn without_end(&self, end: &str) -> Option<Self> {
        let path = self.0.path().strip_suffix(end)?.to_owned();
        let mut url = self.0.clone();
        url.set_path(&path);
        Some(Self(url))
    }

    /// The machine that answers: files of one machine come one after the other.
    pub(super) fn host(&self) -> String {
        let port = self.0.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
        self.0.host_str().unwrap_or_default().to_owned() + &port
    }

    /// Whether the same server answers for both.
    #[must_use]
    pub fn is_same_server(&self, other: &Self) -> bool {
        self.0.scheme() == other.0.scheme() && self.host() == other.host()
    }

    /// Whether nobody on the way can read what is sent there: it goes over https, or stays on this machine.
    #[must_use]
    pub fn keeps_secrets(&self) -> bool {
        let is_here = matches!(self.0.host_str().unwrap_or_default(), "localhost" | "127.0.0.1" | "[::1]");
        self.0.scheme() == "https" || (self.0.scheme() == "http" && is_here)
    }

    /// The whole URL, with its login: for digests, never for people.
    pub fn secret_text(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

/// The URL as a request has it, user and password left out.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        let has_login = !shown.username().is_empty() || shown.password().is_some();
        // Neither can fail for an address that has one.
        if has_login && (shown.set_username("").is_err() || shown.set_password(None).is_err()) {
            return f.write_str(self.0.host_str().unwrap_or_default());
        }
        f.write_str(shown.as_str())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What may be shown of a text that should become a URL: all but what stands between `//` and `@`.
pub fn without_login(text: &str) -> String {
    let visible: String = text.chars().flat_map(|c| c.escape_debug()).take(LONGEST_SHOWN).collect();
    let Some((scheme, rest)) = visible.split_once("//") else { return visible };
    let path_at = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(path_at);
    match host.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}//{host}{path}"),
        None => visible,
    }
}

/// How many characters are shown of a text that is no URL.
const LONGEST_SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_login_is_shown() {
        let address = Address::parse("https://me:secret@mirror.example/os/?key=1").unwrap();
        assert_eq!(address.to_string(), "https://mirror.example/os/?key=1");
        assert_eq!(format!("{address:?}"), "https://mirror.example/os/?key=1");
        let error = Address::parse("https://me:secret@[mirror").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
        let error = Address::parse("ftp://me:secret@mirror.example/").unwrap_err();
        assert!(matches!(&error, FetchError::Scheme { scheme, .. } if scheme == "ftp"));
        assert!(!format!("{error} {error:?}").contains("secret"));
    }

    #[test]
    fn what_lies_below_a_folder_is_joined_whether_it_ends_with_a_slash_or_not() {
        for folder in ["http://mirror.example/os/?a=b", "http://mirror.example/os?a=b"] {
            let joined = Address::parse(folder).unwrap().join("repodata/repomd.xml");
            assert_eq!(joined.to_string(), "http://mirror.example/os/repodata/repomd.xml?a=b");
            assert_eq!(joined.without_end("repodata/repomd.xml").unwrap().url().path(), "/os/");
        }
        let odd = Address::parse("http://mirror.example/os/").unwrap().join("p/c++#1?-2 3.rpm");
        assert_eq!(odd.to_string(), "http://mirror.example/os/p/c++%231%3F-2%203.rpm");
    }

    #[test]
    fn a_path_of_this_machine_is_found_again() {
        let path = HostPath::new("/srv/a b").unwrap();
        assert_eq!(Address::from_path(&path).unwrap().local_path(), Some(path));
        assert!(Address::parse("file://elsewhere/srv").is_err());
        assert_eq!(Address::parse("http://mirror.example/").unwrap().local_path(), None);
    }
}
