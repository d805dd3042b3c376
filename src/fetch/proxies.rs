//! Proxies, as the environment names them (curl(1), ENVIRONMENT).

use reqwest::{ClientBuilder, NoProxy, Proxy};

use super::FetchError;
use super::address::Address;

/// The proxies to go through. Their addresses may hold passwords: there is no `Debug`.
#[derive(Clone, Default)]
pub struct Proxies {
    http: Option<NamedProxy>,
    https: Option<NamedProxy>,
    except: Option<String>,
}

/// A proxy, and the variable that names it.
#[derive(Clone)]
struct NamedProxy {
    variable: &'static str,
    address: String,
}

impl Proxies {
    /// What `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say; `variable` gives the value of a variable of the
    /// environment. In capitals they count as well, but for `HTTP_PROXY`, which a web server sets to what its clients say.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&'static str]| {
            let set = |name: &&'static str| {
                let address = variable(name).filter(|value| !value.is_empty())?;
                Some(NamedProxy { variable: name, address })
            };
            names.iter().find_map(set)
        };
        Self {
            http: first(&["http_proxy", "all_proxy", "ALL_PROXY"]),
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            except: first(&["no_proxy", "NO_PROXY"]).map(|named| named.address),
        }
    }

    /// An error where one of them is no HTTP proxy.
    pub(super) fn check(&self) -> Result<(), FetchError> {
        self.set_up(ClientBuilder::new()).map(drop)
    }

    /// Sets up a client to use them.
    ///
    /// # Errors
    /// [`FetchError::Proxy`] where one of them is no HTTP proxy.
    pub(super) fn set_up(&self, builder: ClientBuilder) -> Result<ClientBuilder, FetchError> {
        let except = || self.except.as_deref().and_then(NoProxy::from_string);
        let mut builder = builder.no_proxy();
        if let Some(proxy) = &self.http {
            builder = builder.proxy(proxy.read(Proxy::http)?.no_proxy(except()));
        }
        if let Some(proxy) = &self.https {
            builder = builder.proxy(proxy.read(Proxy::https)?.no_proxy(except()));
        }
        Ok(builder)
    }
}

impl NamedProxy {
    fn read(&self, make: impl FnOnce(String) -> reqwest::Result<Proxy>) -> Result<Proxy, FetchError> {
        let error = |reason| FetchError::Proxy { variable: self.variable.to_owned(), reason };
        let text = match self.address.contains("://") {
            true => self.address.clone(),
            false => format!("http://{}", self.address),
        };
        let address = Address::parse(&text).map_err(|reason| error(reason.to_string()))?;
        if address.local_path().is_some() {
            return Err(error("it is a file".to_owned()));
        }
        make(text).map_err(|reason| error(reason.without_url().to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_up(variables: &[(&str, &str)]) -> Result<(), FetchError> {
        let value =
            |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
        Proxies::from_environment(value).set_up(ClientBuilder::new()).map(drop)
    }

    #[test]
    fn a_proxy_that_is_none_is_refused_by_its_variable_and_without_its_password() {
        assert!(
            set_up(&[("https_proxy", "http://me:secret@proxy.example:3128"), ("no_proxy", "a,b")]).is_ok()
        );
        assert!(set_up(&[("http_proxy", "proxy.example:3128"), ("HTTPS_PROXY", "")]).is_ok());
        let error = set_up(&[("ALL_PROXY", "socks5://me:secret@proxy.example")]).unwrap_err();
        assert!(matches!(&error, FetchError::Proxy { variable, .. } if variable == "ALL_PROXY"));
        assert!(!format!("{error:?} {error}").contains("secret"));
    }
}
