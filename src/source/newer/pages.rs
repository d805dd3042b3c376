//! What pages said when they were looked at, and what their servers say to know them again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::fetch::Validators;
use crate::source::made_spec::{MadeSpecError, NewerDocument, RegistryAccess};

/// A page that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPage {
    /// What its server says to know it again.
    pub validators: Validators,
    /// The newest version that it named.
    pub newest: String,
}

/// The pages that were looked at, by digests of their addresses, which may hold passwords, and of what was looked for.
#[derive(Debug, Default)]
pub struct KnownPages(Mutex<BTreeMap<String, KnownPage>>);

impl KnownPages {
    /// Those that were written down before.
    pub fn new(known: BTreeMap<String, KnownPage>) -> Self {
        Self(Mutex::new(known))
    }

    /// To be written down.
    pub fn all(&self) -> BTreeMap<String, KnownPage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest version that a page names, which is asked for only if it has changed. `read` finds it in what comes, and is
    /// known by `reader`; nothing where there is no such page.
    pub(super) fn newest<E: From<MadeSpecError>>(
        &self,
        access: &RegistryAccess<'_>,
        ((url, accept), reader): ((&str, Option<&'static str>), &str),
        read: impl FnOnce(&[u8]) -> Result<String, E>,
    ) -> Result<Option<String>, E> {
        let key = Digest::compute(format!("{reader}\n{url}").as_bytes()).to_string();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let document =
            access.newer_document((url, accept), known.as_ref().map(|page| page.validators.clone()))?;
        let (content, validators) = match document {
            NewerDocument::Unchanged => return Ok(known.map(|page| page.newest)),
            NewerDocument::NotThere => return Ok(None),
            NewerDocument::Came(content, validators) => (content, validators),
        };
        let newest = read(&content)?;
        let can_be_known = validators != Validators::default();
        let page = KnownPage { validators, newest: newest.clone() };
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match can_be_known {
            true => pages.insert(key, page),
            false => pages.remove(&key),
        };
        Ok(Some(newest))
    }
}
