//! What all downloads of a client share.

use std::sync::OnceLock;

use reqwest::RequestBuilder;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::FetchError;
use super::address::Address;
use super::hosts::Hosts;
use super::logins::{Credentials, Logins};
use super::proxies::Proxies;
use super::redirect;
use super::settings::ClientSettings;

/// What all downloads of a client share.
pub(super) struct Equipment {
    pub settings: ClientSettings,
    pub hosts: Hosts,
    logins: Logins,
    proxies: Proxies,
    /// Of those who vouch for servers, beside those that the machine knows.
    certificates: Vec<reqwest::Certificate>,
    /// Made when something is to come over the network: that reads the machine's certificates.
    http: OnceLock<Result<reqwest::Client, String>>,
}

impl Equipment {
    pub fn new(
        (settings, proxies): (ClientSettings, Proxies),
        certificates: &[Vec<u8>],
        logins: Logins,
    ) -> Result<Self, FetchError> {
        let certificates = certificates.iter().map(|pem| read_certificate(pem)).collect::<Result<_, _>>()?;
        let hosts = Hosts::new(&settings);
        Ok(Self { settings, hosts, logins, proxies, certificates, http: OnceLock::new() })
    }

    pub fn http(&self) -> Result<reqwest::Client, FetchError> {
        let made = self.http.get_or_init(|| self.make_http().map_err(|error| error.to_string()));
        made.clone().map_err(|reason| FetchError::Client { reason })
    }

    /// A request that says who asks, where that is known. Where a server leads elsewhere, it does not go along.
    ///
    /// # Errors
    /// [`FetchError::UnsetToken`]: nobody asks without the token that the manifest names.
    pub fn authorize(
        &self,
        request: RequestBuilder,
        address: &Address,
    ) -> Result<RequestBuilder, FetchError> {
        match self.logins.find(address) {
            Some(Credentials::Token(token)) => Ok(request.bearer_auth(token)),
            Some(Credentials::Password(name, password)) => Ok(request.basic_auth(name, Some(password))),
            Some(Credentials::Unset(variable)) => {
                Err(FetchError::UnsetToken { address: address.to_string(), variable: variable.to_owned() })
            }
            None => Ok(request),
        }
    }

    fn make_http(&self) -> Result<reqwest::Client, FetchError> {
        // Where one is set already, it is this one: nothing else sets any.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = |error: reqwest::Error| FetchError::Client { reason: error.to_string() };
        let certificates = || self.certificates.iter().cloned();
        let with_certificates = self.builder()?.tls_certs_merge(certificates()).build();
        // A machine without certificates of its own can do without https, or with those that it was given.
        with_certificates.or_else(|_| self.builder()?.tls_certs_only(certificates()).build().map_err(client))
    }

    fn builder(&self) -> Result<reqwest::ClientBuilder, FetchError> {
        let builder = reqwest::ClientBuilder::new()
            .user_agent(concat!("forge/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.settings.connect_timeout)
            .redirect(redirect::policy())
            .referer(false);
        self.proxies.set_up(builder)
    }
}

fn read_certificate(pem: &[u8]) -> Result<reqwest::Certificate, FetchError> {
    let error = |reason: String| FetchError::Client { reason: format!("a certificate is none: {reason}") };
    let read = CertificateDer::from_pem_slice(pem).map_err(|reason| error(reason.to_string()))?;
    reqwest::Certificate::from_der(&read).map_err(|reason| error(reason.to_string()))
}
