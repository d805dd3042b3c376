//! What a registry wants to know of who asks: the header `WWW-Authenticate` of a refusal (RFC 9110, section 11.6.1).

use std::collections::BTreeMap;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OciChallenge {
    /// A name and a password with each request (RFC 7617).
    Basic,
    /// A token with each request (RFC 6750), which another service gives.
    Bearer {
        /// The URL of that service.
        realm: String,
        /// What the registry is called there.
        service: Option<String>,
    },
}

impl OciChallenge {
    /// Reads the header; none where it wants something else.
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        match scheme.to_ascii_lowercase().as_str() {
            "basic" => Some(Self::Basic),
            "bearer" => {
                let mut values = parameters(rest);
                Some(Self::Bearer { realm: values.remove("realm")?, service: values.remove("service") })
            }
            _ => None,
        }
    }
}

/// `NAME="VALUE"` or `NAME=VALUE`, with commas between; names in lower case.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let (mut found, mut rest) = (BTreeMap::new(), text);
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => read_quoted(quoted),
            None => {
                let (value, left) = after.split_once(',').unwrap_or((after, ""));
                (value.trim().to_owned(), left)
            }
        };
        found.insert(name, value);
        rest = left;
    }
    found
}

/// A text up to its closing quote, and what stands behind that.
fn read_quoted(text: &str) -> (String, &str) {
    let (mut value, mut is_escaped) = (String::new(), false);
    for (at, character) in text.char_indices() {
        match character {
            '\\' if !is_escaped => is_escaped = true,
            '"' if !is_escaped => return (value, text.get(at.saturating_add(1)..).unwrap_or_default()),
            _ => {
                value.push(character);
                is_escaped = false;
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_registries_want_is_read() {
        let header =
            "Bearer realm=\"https://auth.example/token?a=b,c\",service=\"r.example\",scope=\"x:y:pull,push\"";
        let realm = "https://auth.example/token?a=b,c".to_owned();
        let service = Some("r.example".to_owned());
        assert_eq!(OciChallenge::parse(header), Some(OciChallenge::Bearer { realm, service }));
        let odd = OciChallenge::parse("bearer Service=s , realm=\"a\\\"b\"");
        let (realm, service) = ("a\"b".to_owned(), Some("s".to_owned()));
        assert_eq!(odd, Some(OciChallenge::Bearer { realm, service }));
        assert_eq!(OciChallenge::parse("Basic realm=\"Registry\""), Some(OciChallenge::Basic));
        for none in ["", "Digest realm=x", "Bearer", "Bearer service=s", "Bearer realm"] {
            assert_eq!(OciChallenge::parse(none), None, "{none}");
        }
    }
}
