//! Tokens that say who asks (RFC 6750): what a server is shown in the place of a name and a password.

use std::fmt;

use super::address::Address;

/// A token, and for which addresses it is. Shown, it has no token.
#[derive(Clone)]
pub struct BearerToken {
    address: Address,
    scope: TokenScope,
    value: TokenValue,
}

/// What is known of a token.
#[derive(Clone)]
enum TokenValue {
    Known(String),
    /// It stands in a variable of the environment that is not set: whoever fetches nothing from there needs none.
    Unset {
        variable: String,
    },
}

/// For which addresses a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenScope {
    /// For the one address.
    Exactly,
    /// For it and all below it: `https://example.org/team/a` is above `…/a/b`, and not above `…/ab`.
    Below,
    /// For a repository of git: as [`Self::Below`], with `.git` at its end or not.
    Repository,
}

/// Why a token can't be shown to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    /// Others could read it on its way.
    #[error(
        "over plain http anybody on the way could read the token: only https will do, or this machine itself"
    )]
    Unprotected,
    /// There is nothing in it, or something that no header can have.
    #[error("the token is empty, or has spaces or characters that no token has")]
    Malformed,
}

impl BearerToken {
    /// A token for an address.
    ///
    /// # Errors
    /// It must not be sent there, or can't be.
    pub fn new(address: Address, scope: TokenScope, token: &str) -> Result<Self, TokenProblem> {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenProblem::Malformed);
        }
        Self::for_protected(address, scope, TokenValue::Known(token.to_owned()))
    }

    /// A token that nobody has said: what is asked of these addresses fails, and names the variable.
    ///
    /// # Errors
    /// It would not be sent there if it were known.
    pub fn unset(address: Address, scope: TokenScope, variable: &str) -> Result<Self, TokenProblem> {
        Self::for_protected(address, scope, TokenValue::Unset { variable: variable.to_owned() })
    }

    fn for_protected(address: Address, scope: TokenScope, value: TokenValue) -> Result<Self, TokenProblem> {
        match address.keeps_secrets() {
            true => Ok(Self { address, scope, value }),
            false => Err(TokenProblem::Unprotected),
        }
    }

    /// The token, if it is for an address; the variable that should have it, where that is not set.
    pub(super) fn find(&self, address: &Address) -> Option<Result<&str, &str>> {
        let (own, asked) = (self.address.url(), address.url());
        let is_same_server = self.address.is_same_server(address);
        let path = own.path().trim_end_matches('/');
        let rest = |path: &str| asked.path().strip_prefix(path).map(str::to_owned);
        let is_below = |rest: String| rest.is_empty() || rest.starts_with('/');
        let is_meant = match self.scope {
            TokenScope::Exactly => own.path() == asked.path() && own.query() == asked.query(),
            TokenScope::Below => rest(path).is_some_and(is_below),
            TokenScope::Repository => {
                let path = path.trim_end_matches(".git");
                let rest =
                    rest(path).map(|rest| rest.strip_prefix(".git").map(str::to_owned).unwrap_or(rest));
                rest.is_some_and(is_below)
            }
        };
        let value = match &self.value {
            TokenValue::Known(token) => Ok(token.as_str()),
            TokenValue::Unset { variable } => Err(variable.as_str()),
        };
        Some(value).filter(|_| is_same_server && is_meant && address.keeps_secrets())
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerToken").field("address", &self.address).field("scope", &self.scope).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(address: &str, scope: TokenScope) -> Result<BearerToken, TokenProblem> {
        BearerToken::new(Address::parse(address).unwrap(), scope, "s3cr3t")
    }

    #[test]
    fn a_token_is_for_its_addresses_and_no_others() {
        let is_sent = |own: &str, scope, asked: &str| {
            token(own, scope).unwrap().find(&Address::parse(asked).unwrap()).is_some()
        };
        let file = "https://a.example/x/a.spec";
        assert!(is_sent(file, TokenScope::Exactly, file));
        for other in
            ["https://a.example/x/b.spec", "https://b.example/x/a.spec", "https://a.example:1/x/a.spec"]
        {
            assert!(!is_sent(file, TokenScope::Exactly, other), "{other}");
        }
        let base = "https://a.example/os/";
        assert!(is_sent(base, TokenScope::Below, "https://a.example/os/repodata/repomd.xml"));
        for other in ["https://a.example/oss/x", "https://a.example/", "http://a.example/os/x"] {
            assert!(!is_sent(base, TokenScope::Below, other), "{other}");
        }
        for own in
            ["https://a.example/team/a", "https://a.example/team/a.git", "https://a.example/team/a.git/"]
        {
            for asked in ["team/a/info/refs", "team/a.git/info/lfs/objects/batch", "team/a.git"] {
                let asked = format!("https://a.example/{asked}");
                assert!(is_sent(own, TokenScope::Repository, &asked), "{own} {asked}");
            }
            for asked in ["team/ab/info/refs", "team/a.gitx", "team/"] {
                let asked = format!("https://a.example/{asked}");
                assert!(!is_sent(own, TokenScope::Repository, &asked), "{own} {asked}");
            }
        }
    }

    #[test]
    fn no_token_goes_where_others_can_read_it() {
        assert_eq!(token("http://a.example/", TokenScope::Below).unwrap_err(), TokenProblem::Unprotected);
        assert_eq!(token("file:///srv", TokenScope::Below).unwrap_err(), TokenProblem::Unprotected);
        assert!(token("http://localhost:8080/", TokenScope::Below).is_ok());
        let address = Address::parse("https://a.example/").unwrap();
        let odd = BearerToken::new(address, TokenScope::Below, "a b\r\nX: y").unwrap_err();
        assert_eq!(odd, TokenProblem::Malformed);
        assert!(!format!("{:?}", token("https://a.example/", TokenScope::Below)).contains("s3cr3t"));
        let plain = Address::parse("http://a.example/").unwrap();
        let unset = BearerToken::unset(plain, TokenScope::Below, "TOKEN").unwrap_err();
        assert_eq!(unset, TokenProblem::Unprotected);
    }
}
