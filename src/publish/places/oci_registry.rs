//! A repository of a registry, and who uses it: requests of the OCI Distribution Specification 1.1.
//!
//! A registry that wants to know who asks says so, and how (`WWW-Authenticate`): by a name and a password, or by a token that another
//! service gives to who has those. Neither goes where others can read it, nor to another server than the one that wants it.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::PlaceError;
use super::oci_challenge::OciChallenge;
use super::oci_logins::OciLogin;
use super::oci_manifest::{INDEX_TYPE, MANIFEST_TYPE};
use super::snapshot::sha256_hex;
use crate::fetch::{Address, Client, RequestMethod, SignedReply, SignedRequest};
use crate::process::Cancel;
use crate::publish::paths::is_sha256;

/// How large a manifest may be that is there, in bytes: larger than registries take.
const LARGEST_MANIFEST: usize = 8 << 20;

/// How large other answers may be, in bytes.
const LARGEST_ANSWER: usize = 1 << 20;

/// How much is shown of what a registry says, in characters.
const LONGEST_SHOWN: usize = 200;

/// What asks for a token that is had for another (Docker Registry v2 authentication, "Token OAuth2").
const CLIENT_ID: &str = "rpmforge";

/// See the [module](self).
pub(super) struct OciRegistry<'a> {
    /// The URL of the registry, without a slash at its end.
    pub base: String,
    /// What it calls the repository.
    pub name: String,
    pub login: Option<OciLogin>,
    pub client: &'a Client,
    pub cancel: &'a Cancel,
    /// The header `Authorization`, once it is wanted.
    pub authorization: Mutex<Option<String>>,
}

/// What is asked.
#[derive(Clone, Default)]
pub(super) struct OciRequest {
    /// In lower case.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// What a service of tokens answers.
#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct RegistryRefusal {
    errors: Vec<RegistryReason>,
}

#[derive(Deserialize)]
struct RegistryReason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl OciRegistry<'_> {
    /// The address of something of the repository.
    pub fn address(&self, below: &str) -> Result<Address, PlaceError> {
        Ok(Address::parse(&format!("{}/v2/{}/{below}", self.base, self.name))?)
    }

    /// Asks, and says who asks where that is wanted. An answer that says no is an answer.
    pub fn ask(
        &self,
        method: RequestMethod,
        address: &Address,
        request: OciRequest,
    ) -> Result<SignedReply, PlaceError> {
        let own = self.address("")?;
        let is_own = address.is_same_server(&own) && (address.keeps_secrets() || self.login.is_none());
        let known = self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reply = self.send(method, address, (request.clone(), known.as_ref().filter(|_| is_own)))?;
        if reply.status != 401 || !is_own {
            return Ok(reply);
        }
        let challenge = reply.header("www-authenticate").and_then(OciChallenge::parse);
        let Some(header) = challenge.map(|challenge| self.authorize(&challenge)).transpose()?.flatten()
        else {
            return Ok(reply);
        };
        // A token that has become too old is no other's fault.
        if known.as_ref() == Some(&header) {
            return Ok(reply);
        }
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(header.clone());
        self.send(method, address, (request, Some(&header)))
    }

    /// Asks for content that is known by its digest; none where it is not there.
    pub fn read_content(
        &self,
        kind: &str,
        digest: &str,
        doing: &dyn Fn() -> String,
    ) -> Result<Option<Vec<u8>>, PlaceError> {
        // It may come from a manifest that anybody has written.
        if !digest.strip_prefix("sha256:").is_some_and(is_sha256) {
            return Ok(None);
        }
        let Some(content) = self.read_named(kind, digest, doing)? else { return Ok(None) };
        match format!("sha256:{}", sha256_hex(&content)) == digest {
            true => Ok(Some(content)),
            false => {
                let reason = format!("it has other content than that of {digest}");
                Err(PlaceError::Answer { doing: doing(), reason })
            }
        }
    }

    /// Asks for `manifests` or `blobs` by a digest or tag; none where nothing is there.
    pub fn read_named(
        &self,
        kind: &str,
        reference: &str,
        doing: &dyn Fn() -> String,
    ) -> Result<Option<Vec<u8>>, PlaceError> {
        let accept = format!(
            "{MANIFEST_TYPE}, {INDEX_TYPE}, application/vnd.docker.distribution.manifest.v2+json, */*"
        );
        let request = OciRequest { headers: vec![("accept", accept)], body: Vec::new() };
        let reply = self.ask(RequestMethod::Get, &self.address(&format!("{kind}/{reference}"))?, request)?;
        match reply.status {
            404 => Ok(None),
            _ if reply.is_success() => Ok(Some(reply.body)),
            _ => Err(describe_refusal(doing(), &reply)),
        }
    }

    /// Whether there is content of this digest.
    pub fn has_blob(&self, digest: &str) -> Result<bool, PlaceError> {
        let address = self.address(&format!("blobs/{digest}"))?;
        let reply = self.ask(RequestMethod::Head, &address, OciRequest::default())?;
        match reply.status {
            404 => Ok(false),
            _ if reply.is_success() => Ok(true),
            _ => Err(describe_refusal("looking at what is there".to_owned(), &reply)),
        }
    }

    fn send(
        &self,
        method: RequestMethod,
        address: &Address,
        (request, authorization): (OciRequest, Option<&String>),
    ) -> Result<SignedReply, PlaceError> {
        let headers = request.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
        let authorization = authorization.map(|value| ("authorization".to_owned(), value.clone()));
        let request = SignedRequest {
            method,
            address: address.clone(),
            headers: headers.chain(authorization).collect(),
            body: request.body,
            most: LARGEST_MANIFEST,
        };
        Ok(self.client.send(request, self.cancel)?)
    }

    /// The header that a registry wants; none where nothing is known that could stand there.
    fn authorize(&self, challenge: &OciChallenge) -> Result<Option<String>, PlaceError> {
        match challenge {
            OciChallenge::Basic => Ok(self.login_for(&self.address("")?)),
            OciChallenge::Bearer { realm, service } => {
                let token = self.ask_for_token(&Address::parse(realm)?, service.as_deref())?;
                Ok(Some(format!("Bearer {token}")))
            }
        }
    }

    /// The header of a name and a password, for an address that may have them.
    fn login_for(&self, address: &Address) -> Option<String> {
        match &self.login {
            Some(OciLogin::Password { name, password }) if address.keeps_secrets() => {
                Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
            }
            Some(OciLogin::Password { .. } | OciLogin::IdentityToken(_)) | None => None,
        }
    }

    fn ask_for_token(&self, realm: &Address, service: Option<&str>) -> Result<String, PlaceError> {
        let doing = || "asking for a token".to_owned();
        let scope = format!("repository:{}:pull,push", self.name);
        let service = service.map(|service| ("service", service));
        let wanted = || service.into_iter().chain([("scope", scope.as_str())]);
        let (method, address, headers, body) = match &self.login {
            Some(OciLogin::IdentityToken(token)) if realm.keeps_secrets() => {
                let of_token =
                    [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", CLIENT_ID)];
                let headers =
                    vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
                let form = realm.with_query("").with_pairs(wanted().chain(of_token));
                let body = form.query().unwrap_or_default().as_bytes().to_vec();
                (RequestMethod::Post, realm.clone(), headers, body)
            }
            _ => {
                let login = self.login_for(realm);
                let headers = login.into_iter().map(|login| ("authorization".to_owned(), login)).collect();
                (RequestMethod::Get, realm.with_pairs(wanted()), headers, Vec::new())
            }
        };
        let request = SignedRequest { method, address, headers, body, most: LARGEST_ANSWER };
        let reply = self.client.send(request, self.cancel)?;
        if !reply.is_success() {
            return Err(describe_refusal(doing(), &reply));
        }
        let answer = serde_json::from_slice::<TokenAnswer>(&reply.body).ok();
        let token = answer.and_then(|answer| answer.token.or(answer.access_token));
        let is_token =
            |token: &String| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let none = || PlaceError::Answer { doing: doing(), reason: "there is no token in it".to_owned() };
        token.filter(is_token).ok_or_else(none)
    }
}

/// What a refusal becomes.
pub(super) fn describe_refusal(doing: String, reply: &SignedReply) -> PlaceError {
    let shorten = |text: &str| -> String {
        text.chars().filter(|character| !character.is_control()).take(LONGEST_SHOWN).collect()
    };
    let said = first_reason(reply).map(|reason| match reason.message.is_empty() {
        true => shorten(&reason.code),
        false => format!("{}: {}", shorten(&reason.code), shorten(&reason.message)),
    });
    let said = said.filter(|said| !said.is_empty()).map(|said| format!(" {said}")).unwrap_or_default();
    let help = match reply.status {
        401 | 403 => {
            "may you push there? Logins are those of `docker login`, `podman login` or `oras login`, and are sent over https \
             and to this machine alone"
        }
        404 | 405 => "is that a registry, and does it have such a project?",
        413 => "the registry takes no content of that size",
        _ => "the registry's log may say more",
    };
    PlaceError::Refused { doing, answer: format!("{}{said}", reply.status), help }
}

/// Whether a manifest was refused since something that it names is not there.
pub(super) fn misses_content(reply: &SignedReply) -> bool {
    let unknown = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"];
    first_reason(reply).is_some_and(|reason| unknown.contains(&reason.code.as_str()))
}

fn first_reason(reply: &SignedReply) -> Option<RegistryReason> {
    serde_json::from_slice::<RegistryRefusal>(&reply.body).ok()?.errors.into_iter().next()
}
