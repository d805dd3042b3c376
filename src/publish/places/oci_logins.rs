//! Who asks registries: the files that `docker login`, `podman login` and `oras login` write.
//!
//! Each is JSON with `auths`, by the registry's name: a name and a password, together in base64, or a token that stands for them. What a
//! file leaves to a program (`credHelpers`, `credsStore`) is asked of that program, `docker-credential-NAME get`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::programs::PlacePrograms;
use crate::files::Folder;
use crate::process::Cancel;

/// What Docker's own registry is called in such files.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// What stands for a user's name where the password is a token (docker-credential-helpers, "Development").
const TOKEN_USER: &str = "<token>";

/// See the [module](self). It has no `Debug`: it holds secrets.
#[derive(Default)]
pub struct OciLogins {
    files: Vec<LoginFile>,
}

/// Who asks a registry.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum OciLogin {
    Password {
        name: String,
        password: String,
    },
    /// What a token is had for.
    IdentityToken(String),
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LoginFile {
    auths: BTreeMap<String, WrittenLogin>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WrittenLogin {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// What a program says.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: String,
}

impl OciLogins {
    /// Those of files with these texts; what an earlier one says wins. One that is none says nothing.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self { files: texts.into_iter().filter_map(|text| serde_json::from_str(text).ok()).collect() }
    }

    /// Who asks a registry about one of its repositories.
    pub(super) fn find(
        &self,
        (registry, name): (&str, &str),
        (programs, scratch, cancel): (&PlacePrograms<'_>, &Folder, &Cancel),
    ) -> Option<OciLogin> {
        let keys = keys_of(registry, name);
        self.files.iter().find_map(|file| {
            if let Some(helper) = keys.iter().find_map(|key| file.cred_helpers.get(key)) {
                return ask_helper(helper, registry, (programs, scratch, cancel));
            }
            let written = keys.iter().find_map(|key| file.auths.get(key)).and_then(WrittenLogin::read);
            let store = || ask_helper(file.creds_store.as_ref()?, registry, (programs, scratch, cancel));
            written.or_else(store)
        })
    }
}

impl WrittenLogin {
    fn read(&self) -> Option<OciLogin> {
        if !self.identitytoken.is_empty() {
            return Some(OciLogin::IdentityToken(self.identitytoken.clone()));
        }
        let joined = STANDARD.decode(self.auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let parted = joined.as_deref().and_then(|joined| joined.split_once(':'));
        let (name, password) = parted.unwrap_or((&self.username, &self.password));
        let (name, password) = (name.to_owned(), password.trim_end_matches('\0').to_owned());
        (!name.is_empty()).then_some(OciLogin::Password { name, password })
    }
}

/// What such files may call the login of a repository, the nearest first: podman has logins for parts of a registry.
fn keys_of(registry: &str, name: &str) -> Vec<String> {
    let whole = format!("{registry}/{name}");
    let above = whole.match_indices('/').map(|(at, _)| whole.get(..at).unwrap_or_default().to_owned());
    let mut keys: Vec<String> = above.chain([whole.clone()]).collect();
    keys.reverse();
    keys.extend(["https://", "http://"].map(|scheme| format!("{scheme}{registry}")));
    if registry == "docker.io" {
        keys.push(DOCKER_HUB.to_owned());
    }
    keys
}

/// Asks a program of this machine; none where it knows nothing.
fn ask_helper(
    helper: &str,
    registry: &str,
    (programs, scratch, cancel): (&PlacePrograms<'_>, &Folder, &Cancel),
) -> Option<OciLogin> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if helper.is_empty() || !helper.chars().all(is_plain) {
        return None;
    }
    let asked = if registry == "docker.io" { DOCKER_HUB } else { registry };
    let program = format!("docker-credential-{helper}");
    let answer = programs.answer(&program, &["get"], (asked.as_bytes(), scratch, cancel))?;
    let HelperAnswer { username, secret } = serde_json::from_slice(&answer).ok()?;
    Some(match username == TOKEN_USER {
        true => OciLogin::IdentityToken(secret),
        false => OciLogin::Password { name: username, password: secret },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(logins: &OciLogins, registry: &str, name: &str) -> Option<String> {
        let keys = keys_of(registry, name);
        logins.files.iter().find_map(|file| {
            match keys.iter().find_map(|key| file.auths.get(key)).and_then(WrittenLogin::read)? {
                OciLogin::Password { name, password } => Some(format!("{name}:{password}")),
                OciLogin::IdentityToken(token) => Some(format!("token {token}")),
            }
        })
    }

    #[test]
    fn a_login_is_found_by_the_nearest_name_and_the_first_file() {
        let first =
            r#"{"auths":{"r.example/acme":{"auth":"YWRhOnM6M2NyZXQ="},"r.example":{"auth":"Ym9iOmI="}}}"#;
        let second = r#"{"auths":{"r.example":{"username":"no","password":"no"},"https://q.example":{"identitytoken":"t"},
                         "https://index.docker.io/v1/":{"username":"hub","password":"h"},"empty.example":{}}}"#;
        let logins = OciLogins::new([first, "no json", second]);
        let found = |registry, repository| name(&logins, registry, repository);
        assert_eq!(found("r.example", "acme/el9").as_deref(), Some("ada:s:3cret"));
        assert_eq!(found("r.example", "acmes").as_deref(), Some("bob:b"));
        assert_eq!(found("q.example", "x").as_deref(), Some("token t"));
        assert_eq!(found("docker.io", "x/y").as_deref(), Some("hub:h"));
        assert_eq!((found("empty.example", "x"), found("other.example", "x")), (None, None));
    }
}
