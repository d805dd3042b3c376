//! Bringing one repository's folder up to date.

use std::collections::BTreeSet;
use std::path::Path;

use super::metadata::{self, REPODATA};
use super::wanted::Wanted;
use super::{PublishError, Repositories};
use crate::event::What;
use crate::files::{EntryKind, Folder, Sharing};
use crate::manifest::ManifestPath;
use crate::store::PublishedRow;

/// How many hexadecimal digits a package's folder ends with.
const DIGITS: usize = 12;

impl Repositories {
    /// Makes the repository at `path` hold what is wanted; `None` where it does already.
    pub(super) fn update(
        &self,
        chroot: &str,
        path: &ManifestPath,
        wanted: Vec<Wanted>,
    ) -> Result<Option<What>, PublishError> {
        let before = self.history.published(chroot)?;
        let rows: Vec<PublishedRow> = wanted.iter().map(Wanted::row).collect();
        let host_path = path.on_host(self.project.path());
        if wanted.is_empty() && before.is_empty() && Folder::open_ambient(&host_path).is_err() {
            return Ok(None);
        }
        let repository = match path {
            ManifestPath::Repository(relative) => self.project.create(relative)?,
            ManifestPath::Absolute(absolute) => Folder::create_ambient(absolute)?,
        };
        let is_whole = || wanted.iter().all(|package| repository.is_folder(&package.folder));
        if rows == before && repository.exists(metadata::REPOMD) && is_whole() {
            clean(&repository, &wanted)?;
            return Ok(None);
        }
        for package in &wanted {
            self.bring_in(&repository, package)?;
        }
        let packages = metadata::write(&repository, &wanted)?;
        self.history.set_published(chroot, &rows)?;
        clean(&repository, &wanted)?;
        let names =
            |rows: &[PublishedRow]| rows.iter().map(|row| row.package.clone()).collect::<BTreeSet<_>>();
        let added = rows.iter().filter(|row| !before.contains(row)).map(|row| row.package.clone()).collect();
        let removed = names(&before).difference(&names(&rows)).cloned().collect();
        let folder = path.to_string();
        Ok(Some(What::Published { chroot: chroot.to_owned(), folder, packages, added, removed }))
    }

    /// Puts a package's folder in place, whole or not at all.
    fn bring_in(&self, repository: &Folder, package: &Wanted) -> Result<(), PublishError> {
        if repository.is_folder(&package.folder) {
            return Ok(());
        }
        let Some(result) = &package.result else {
            return Ok(());
        };
        let temporary = repository.temporary(Path::new(&package.folder));
        let folder = repository.create(&temporary)?;
        for file in &result.files {
            self.store.place(&file.blob, &folder, Path::new(&file.name), Sharing::HardLink)?;
        }
        repository.dir().rename(&temporary, repository.dir(), &package.folder)?;
        Ok(())
    }
}

/// Removes what nothing refers to any more: package folders and metadata files of forge's own naming. What somebody else
/// has put there stays.
fn clean(repository: &Folder, wanted: &[Wanted]) -> Result<(), PublishError> {
    let kept: BTreeSet<&str> = wanted.iter().map(|package| package.folder.as_str()).collect();
    for entry in repository.entries()? {
        let is_ours = is_package_folder(&entry.name) || entry.name.starts_with(".forge-tmp-");
        if entry.kind == EntryKind::Folder && is_ours && !kept.contains(entry.name.as_str()) {
            repository.remove_folder(&entry.name)?;
        }
    }
    let repomd = repository.read_text(metadata::REPOMD)?;
    let repodata = repository.folder(REPODATA)?;
    for entry in repodata.entries()? {
        let is_ours = entry.name.ends_with(".xml.gz") || entry.name.starts_with(".forge-tmp-");
        if is_ours && !repomd.contains(&entry.name) {
            repodata.remove_file(&entry.name)?;
        }
    }
    Ok(())
}

fn is_package_folder(name: &str) -> bool {
    let digits = name.rsplit_once('-').map(|(_, digits)| digits).unwrap_or_default();
    digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}
