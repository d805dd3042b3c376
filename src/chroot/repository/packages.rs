//! Packages, brought into the store.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::error::RepositoryError;
use super::limits::LARGEST_PACKAGE;
use super::mirrors::SourceText;
use super::problem::FileOf;
use super::request::{RepositoryAccess, RepositoryRequest, SignatureRule};
use super::signed_package::PackageCheck;
use super::stored::{file_name, not_fetched, not_stored};
use crate::chroot::LockedPackage;
use crate::fetch::{Address, Download};
use crate::files::Folder;
use crate::signature::Keyring;
use crate::store::{Blob, FetchedFile};

/// Brings packages into the store, and gives their blobs in the same order. What is there already is not fetched; whatever
/// comes is checked: its checksum, its name and version, and, where its repository asks for that, its signature.
///
/// # Errors
/// What is wrong with the first of them that can't be had; the others are in the store then.
pub fn fetch_packages(
    packages: &[LockedPackage],
    requests: &[RepositoryRequest],
    access: &RepositoryAccess<'_>,
) -> Result<Vec<Blob>, RepositoryError> {
    let fetching = Fetching::new(packages, requests, access)?;
    let mut blobs: Vec<Option<Result<Blob, RepositoryError>>> =
        packages.par_iter().map(|package| fetching.find(package).transpose()).collect();
    let missing: Vec<usize> =
        (0..packages.len()).filter(|index| matches!(blobs.get(*index), Some(None))).collect();
    for (index, result) in fetching.fetch(packages, &missing)? {
        if let Some(blob) = blobs.get_mut(index) {
            *blob = Some(result);
        }
    }
    let not_there =
        |package: &LockedPackage| not_stored(FileOf { repository: &package.repository, file: &package.href });
    let all = blobs.into_iter().zip(packages);
    all.map(|(blob, package)| blob.unwrap_or_else(|| Err(not_there(package)))).collect()
}

/// What came of a package, by its place among those that were asked for.
type TakenPackage = (usize, Result<Blob, RepositoryError>);

struct Fetching<'a> {
    access: &'a RepositoryAccess<'a>,
    repositories: BTreeMap<&'a str, (&'a RepositoryRequest, Keyring)>,
}

impl<'a> Fetching<'a> {
    fn new(
        packages: &'a [LockedPackage],
        requests: &'a [RepositoryRequest],
        access: &'a RepositoryAccess<'a>,
    ) -> Result<Self, RepositoryError> {
        let mut repositories = BTreeMap::new();
        for package in packages {
            if repositories.contains_key(package.repository.as_str()) {
                continue;
            }
            let request = requests.iter().find(|request| request.name == package.repository);
            let request = request.ok_or_else(|| RepositoryError::UnknownRepository {
                repository: package.repository.clone(),
                nevra: package.nevra(),
            })?;
            let keyring = match request.package_signatures {
                SignatureRule::Required => access.keyring(request)?,
                SignatureRule::NotAsked => Keyring::default(),
            };
            repositories.insert(package.repository.as_str(), (request, keyring));
        }
        Ok(Self { access, repositories })
    }

    fn check<'c>(&'c self, package: &'c LockedPackage) -> Result<PackageCheck<'c>, RepositoryError> {
        let found = self.repositories.get(package.repository.as_str());
        let (request, keyring) = found.ok_or_else(|| RepositoryError::UnknownRepository {
            repository: package.repository.clone(),
            nevra: package.nevra(),
        })?;
        Ok(PackageCheck {
            place: FileOf { repository: &package.repository, file: &package.href },
            nevra: package.nevra(),
            rule: request.package_signatures,
            keyring,
            keys_at: self.access.keys_at,
        })
    }

    /// A package that is in the store, if it is what is wanted there; it is looked at again if what was found of it the last
    /// time is not enough now.
    fn find(&self, package: &LockedPackage) -> Result<Option<Blob>, RepositoryError> {
        let store = self.access.store;
        let Some(FetchedFile { blob, package: known }) = store.fetched(&package.checksum, self.access.now)
        else {
            return Ok(None);
        };
        let check = self.check(package)?;
        let is_trusted = |signer: &Option<String>| match (check.rule, signer) {
            (SignatureRule::NotAsked, _) => true,
            (SignatureRule::Required, Some(signer)) => check.keyring.trusts(signer, self.access.keys_at),
            (SignatureRule::Required, None) => false,
        };
        if known.is_some_and(|known| known.nevra == package.nevra() && is_trusted(&known.signer)) {
            return Ok(Some(blob));
        }
        let found = store.read_blob(&blob, |mut content| check.run(&mut content))?;
        store.remember_fetched(&package.checksum, &FetchedFile { blob, package: Some(found) })?;
        Ok(Some(blob))
    }

    /// Fetches packages, and takes each in as it comes.
    fn fetch(
        &self,
        packages: &[LockedPackage],
        missing: &[usize],
    ) -> Result<Vec<TakenPackage>, RepositoryError> {
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let mut places: BTreeMap<&str, Vec<Address>> = BTreeMap::new();
        let mut wanted = Vec::new();
        for package in missing.iter().filter_map(|index| packages.get(*index)) {
            let addresses = match places.get(package.repository.as_str()) {
                Some(addresses) => addresses.clone(),
                None => {
                    let addresses = self.addresses(&package.repository)?;
                    places.insert(&package.repository, addresses.clone());
                    addresses
                }
            };
            wanted.push(self.download(package, &addresses)?);
        }
        let names: Vec<String> = wanted.iter().map(|download| download.file.clone()).collect();
        let orders: Vec<(usize, &LockedPackage, &String)> = missing
            .iter()
            .zip(&names)
            .filter_map(|(index, file)| Some((*index, packages.get(*index)?, file)))
            .collect();
        let folder = self.access.downloads()?;
        let results = Mutex::new(Vec::new());
        rayon::in_place_scope(|scope| {
            let around = self.access.downloads_into(&folder);
            self.access.client.download_all(wanted, around, |position, outcome| {
                let Some((index, package, file)) = orders.get(position).copied() else { return };
                let (results, folder) = (&results, &folder);
                scope.spawn(move |_| {
                    let place = FileOf { repository: &package.repository, file: &package.href };
                    let taken = match outcome {
                        Ok(_) => self.take_in(package, (folder, file)),
                        Err(source) => Err(not_fetched(place, source)),
                    };
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((index, taken));
                });
            });
        });
        Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn take_in(
        &self,
        package: &LockedPackage,
        (folder, file): (&Folder, &str),
    ) -> Result<Blob, RepositoryError> {
        let check = self.check(package)?;
        self.access.take_in(folder, file, &package.checksum, |content| check.run(content).map(Some))
    }

    fn addresses(&self, repository: &str) -> Result<Vec<Address>, RepositoryError> {
        let Some((request, _)) = self.repositories.get(repository) else { return Ok(Vec::new()) };
        let mirrors = SourceText::new(request)?.mirrors(request, self.access)?;
        Ok(mirrors.addresses)
    }

    fn download(&self, package: &LockedPackage, addresses: &[Address]) -> Result<Download, RepositoryError> {
        let place = FileOf { repository: &package.repository, file: &package.href };
        let is_whole = ["https://", "http://"].iter().any(|scheme| package.href.starts_with(scheme));
        let addresses = match is_whole {
            true => vec![Address::parse(&package.href).map_err(|source| not_fetched(place, source))?],
            false => addresses.iter().map(|address| address.join(&package.href)).collect(),
        };
        let addresses = self.access.reachable(addresses);
        if addresses.is_empty() {
            return Err(not_stored(place));
        }
        Ok(Download {
            file: file_name(),
            addresses,
            checksums: vec![package.checksum.clone()],
            size: Some(package.size).filter(|size| *size > 0),
            most_bytes: LARGEST_PACKAGE,
            known: None,
            accept: None,
        })
    }
}
