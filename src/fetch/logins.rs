//! Who asks: what servers are told of whoever runs forge.

use super::address::Address;
use super::netrc::Netrc;
use super::token::BearerToken;

/// Who asks, where servers want to know. There is no `Debug`: passwords stand in it.
#[derive(Clone, Default)]
pub struct Logins {
    /// Names and passwords, by machine.
    pub netrc: Netrc,
    /// Tokens, by address.
    pub tokens: Vec<BearerToken>,
}

/// What a server is told.
pub(super) enum Credentials<'a> {
    /// A token.
    Token(&'a str),
    /// A name and a password.
    Password(&'a str, &'a str),
    /// A token that this variable of the environment should have, and hasn't.
    Unset(&'a str),
}

impl Logins {
    /// What the server of an address is told. A login of the address itself counts before, then a token. Nobody on the way may read
    /// any of it: it goes over https, or stays on this machine.
    pub(super) fn find(&self, address: &Address) -> Option<Credentials<'_>> {
        let url = address.url();
        if !address.keeps_secrets() || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        if let Some(token) = self.tokens.iter().find_map(|token| token.find(address)) {
            return Some(token.map_or_else(Credentials::Unset, Credentials::Token));
        }
        let login = self.netrc.find(url.host_str().unwrap_or_default())?;
        Some(Credentials::Password(login.name, login.password))
    }
}
