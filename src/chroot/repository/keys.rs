//! The keys that a repository declares, read.

use crate::digest::{Digest, Encoder, Key};
use crate::fetch::Address;
use crate::files::{Folder, HostPath};
use crate::signature::Keyring;
use crate::store::RecordKind;

use super::error::RepositoryError;
use super::limits::LARGEST_SMALL_FILE;
use super::problem::FileOf;
use super::request::{Connection, DeclaredKey, KeyPlace, RepositoryAccess, RepositoryRequest};
use super::stored::not_fetched;

impl RepositoryAccess<'_> {
    /// The keys that sign a repository.
    pub(super) fn keyring(&self, request: &RepositoryRequest) -> Result<Keyring, RepositoryError> {
        let mut all = Keyring::default();
        for declared in &request.keys {
            all.add(self.read_keys(request, declared)?);
        }
        Ok(all)
    }

    fn read_keys(
        &self,
        request: &RepositoryRequest,
        DeclaredKey { place, fingerprints }: &DeclaredKey,
    ) -> Result<Keyring, RepositoryError> {
        let error = |place: String, reason| RepositoryError::KeyFile {
            repository: request.name.clone(),
            place,
            reason,
        };
        let (shown, content) = match place {
            KeyPlace::File(path) => {
                let content = read_key_file(path);
                (
                    path.to_string(),
                    content.map_err(|reason| error(path.to_string(), crate::files::reason(&reason)))?,
                )
            }
            KeyPlace::Url(url) => {
                let url = request.substitute(url)?;
                let place = FileOf { repository: &request.name, file: "the key" };
                let address = Address::parse(&url).map_err(|source| not_fetched(place, source))?;
                if fingerprints.is_empty() {
                    let reason = "it is fetched, and declared without a fingerprint: anybody could answer";
                    return Err(error(address.to_string(), reason.to_owned()));
                }
                let content = self.fetched_key(request, &address)?;
                (address.to_string(), content)
            }
        };
        Keyring::read(&content, fingerprints).map_err(|reason| error(shown, reason))
    }

    /// A key that was fetched once is not fetched again for a while: its fingerprint says that it is the right one. It is, where
    /// its owner may have revoked it since.
    fn fetched_key(
        &self,
        request: &RepositoryRequest,
        address: &Address,
    ) -> Result<Vec<u8>, RepositoryError> {
        let record = record_key(address);
        if self.connection == Connection::Offline
            && let Some(known) = self.store.record::<Vec<u8>>(RecordKind::Repository, &record)
        {
            return Ok(known);
        }
        let shown = address.to_string();
        let place = FileOf { repository: &request.name, file: &shown };
        let file = self.small_file(place, vec![address.clone()], (Vec::new(), None))?;
        let content = file.map(|file| file.content).unwrap_or_default();
        self.store.remember(RecordKind::Repository, &record, &content)?;
        Ok(content)
    }
}

fn read_key_file(path: &HostPath) -> std::io::Result<Vec<u8>> {
    let missing = || std::io::Error::from(std::io::ErrorKind::IsADirectory);
    let parent = path.as_path().parent().and_then(HostPath::new).ok_or_else(missing)?;
    let name = path.as_path().file_name().ok_or_else(missing)?;
    let file = Folder::open_ambient(&parent)?.open_regular(name)?;
    let mut content = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, LARGEST_SMALL_FILE), &mut content)?;
    Ok(content)
}

fn record_key(address: &Address) -> Key {
    let address = Digest::compute(address.secret_text().as_bytes());
    Encoder::new("rpmforge repository key v1").digest_field("address", &address).key()
}
