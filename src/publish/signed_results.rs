//! Results, signed, for the repositories of a manifest.

use std::collections::HashMap;
use std::sync::Arc;

use super::PublishError;
use super::client_files::ClientFiles;
use super::multilib::MultilibRepository;
use super::record::{PublishedPackage, SignedResult};
use super::repositories::{Repositories, RepositoryPlace};
use super::signing::{Signers, file_url};
use super::wanted::{Built, package_from_result};
use crate::files::Folder;
use crate::manifest::multilib::find_narrower;
use crate::store::{ResultFile, StepResult};

impl Repositories {
    /// What signs; nothing where the manifest doesn't say so. No passphrase is asked for.
    pub(super) fn signers(&self) -> Result<Option<Arc<Signers>>, PublishError> {
        Ok(self.signing.signers(&self.manifest, self.project.path(), self.clock.now())?)
    }

    /// Results as they are to be published: with signatures where the manifest says so.
    pub(super) fn signed(
        &self,
        place: &RepositoryPlace,
        built: &[Built<'_>],
    ) -> Result<Vec<PublishedPackage>, PublishError> {
        let parting = self.parting();
        let unsigned =
            |built: &Built<'_>| package_from_result(built.package, built.key, (built.result, parting), None);
        let Some(signers) = self.signers()? else { return Ok(built.iter().map(unsigned).collect()) };
        let by = signers.package_fingerprints();
        if by.is_empty() {
            return Ok(built.iter().map(unsigned).collect());
        }
        let (folder, published) = self.published_packages(place)?;
        let published = |built: &Built<'_>| {
            let published = published.get(built.package)?;
            let is_known = |file: &ResultFile| self.store.signed_copy(&file.blob.digest, &by).is_some();
            let is_gone = !built.result.files.iter().all(is_known);
            (is_gone && built.is_published(published, &by, folder.as_ref()))
                .then(|| PublishedPackage { key: Some(built.key), ..published.clone() })
        };
        let kept: Vec<Option<PublishedPackage>> = built.iter().map(published).collect();
        let open: Vec<&StepResult> = built
            .iter()
            .zip(&kept)
            .filter(|(_, kept)| kept.is_none())
            .map(|(built, _)| built.result)
            .collect();
        let mut signed = signers.sign_results(&self.store, &open, self.clock.now())?.into_iter();
        let package = |(built, kept): (&Built<'_>, Option<PublishedPackage>)| {
            kept.or_else(|| {
                let of = SignedResult { of: built.result.digest(), by: by.clone() };
                Some(package_from_result(built.package, built.key, (&signed.next()?, parting), Some(of)))
            })
        };
        Ok(built.iter().zip(kept).filter_map(package).collect())
    }

    /// What is on record of a repository, by the names of packages; and its folder, where it is there.
    pub(super) fn published_packages(
        &self,
        place: &RepositoryPlace,
    ) -> Result<(Option<Folder>, HashMap<String, PublishedPackage>), PublishError> {
        let Some(folder) = self.open(&place.path)? else { return Ok((None, HashMap::new())) };
        let target = self.target(&place.chroot, &place.path, folder)?;
        let known = target.read_known(self.clock.now()).map_err(|error| self.locate(error))?;
        let packages = known.record.newest().map(|package| (package.package.clone(), package.clone()));
        let packages = packages.collect();
        Ok((Some(target.folder), packages))
    }

    /// What clients of the repository in `folder` are told. Where a key can't be read, nothing is published: here it is as if nothing
    /// signed.
    pub(super) fn client_files(
        &self,
        chroot: &str,
        id: &str,
        folder: &Folder,
    ) -> Result<ClientFiles, PublishError> {
        let signers = self.signers().ok().flatten();
        let url = match self.declared_url(chroot) {
            Some(url) => url,
            None => file_url(&folder.real_path()?),
        };
        let title = match &self.manifest.name {
            Some(name) => format!("{} for {chroot}", name.replace(char::is_control, " ")),
            None => format!("Packages for {chroot}"),
        };
        let (sections, multilib) = (self.parting().sections(), self.multilib(chroot));
        Ok(ClientFiles { signers, id: id.to_owned(), title, url, sections, multilib })
    }

    /// Where the manifest says that clients find the repository of a chroot.
    fn declared_url(&self, chroot: &str) -> Option<String> {
        let url = self.manifest.publish.as_ref()?.url.as_ref()?;
        Some(url.replace("{chroot}", chroot).trim_end_matches('/').to_owned())
    }

    /// The repository of the narrower architecture that clients of a chroot's are told of, where the manifest says so.
    fn multilib(&self, chroot: &str) -> Option<MultilibRepository> {
        let publish = self.manifest.publish.as_ref().filter(|publish| publish.is_multilib())?;
        let all = self.manifest.chroots.iter().map(|declared| declared.name.value.as_str());
        let (other, arch) = find_narrower(chroot, all)?;
        let url = self.declared_url(other).unwrap_or_else(|| {
            let place = self.place_on_disk(&publish.folder.value.with_chroot(other));
            // One that is not there yet will be where its name says.
            let real = Folder::open_ambient(&place).and_then(|folder| folder.real_path());
            file_url(&real.unwrap_or_else(|_| place.as_path().to_owned()))
        });
        Some(MultilibRepository { arch, url })
    }
}
