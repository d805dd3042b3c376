//! Results → repositories that dnf, zypper and every reader of createrepo_c's metadata can use.
//!
//! A repository is updated so that a client never sees metadata for files that are not there: new packages come in
//! under names of their own (`<package>-<digest of the result>/`), then the metadata files, named by their checksums, then
//! `repomd.xml` in one rename; only then do the old files go.

mod metadata;
mod repository;
mod wanted;

use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;

pub use wanted::{Leaving, leaving};

use crate::event::What;
use crate::execute::{Ends, Publisher};
use crate::files::Folder;
use crate::manifest::declaration::SignDecl;
use crate::manifest::{ChrootId, Manifest};
use crate::package::PackageError;
use crate::plan::Plan;
use crate::store::{History, Store, StoreError};

/// Why a repository can't be brought up to date.
#[derive(Debug, Error, Diagnostic)]
pub enum PublishError {
    /// The store or the history can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// A package can't be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Package(#[from] PackageError),
    /// The repository's folder can't be written.
    #[error("{}", crate::files::reason(.0))]
    #[diagnostic(
        code(forge::publish::io),
        help("is there room on the disk, and may forge write to the repository's folder?")
    )]
    Io(#[from] std::io::Error),
    /// The manifest asks for what this forge does not carry out.
    #[error("{what} is not carried out by this version of forge, so nothing is published")]
    #[diagnostic(
        code(forge::publish::not_yet),
        help("take it from `publish`, or publish with another tool from `.forge/results`")
    )]
    NotYet {
        /// What.
        what: &'static str,
    },
}

/// Writes the repositories of a manifest.
pub struct Repositories {
    /// The manifest.
    pub manifest: Arc<Manifest>,
    /// The repository that the manifest lies in.
    pub project: Arc<Folder>,
    /// Where packages come from.
    pub store: Arc<Store>,
    /// What repositories hold.
    pub history: Arc<History>,
}

impl Publisher for Repositories {
    fn publish(&self, chroot: ChrootId, plan: &Plan, ends: &Ends) -> Vec<What> {
        let name = self.manifest.chroot(chroot).name.value.clone();
        match self.try_publish(chroot, plan, ends) {
            Ok(Some(published)) => vec![published],
            Ok(None) => Vec::new(),
            Err(error) => vec![What::NotPublished { chroot: name, cause: error.to_string() }],
        }
    }
}

impl Repositories {
    fn try_publish(&self, chroot: ChrootId, plan: &Plan, ends: &Ends) -> Result<Option<What>, PublishError> {
        self.can_publish()?;
        let wanted = wanted::wanted(self, chroot, plan, ends)?;
        let chroot = self.manifest.chroot(chroot);
        let folder = self.manifest.publish_folder(chroot);
        self.update(&chroot.name, &folder, wanted)
    }

    /// Empties the repositories of chroots that the manifest no longer declares.
    pub fn retire_undeclared(&self) -> Vec<What> {
        let undeclared = match self.history.published_chroots() {
            Ok(chroots) => chroots,
            Err(error) => {
                return vec![What::Noted { text: error.to_string() }];
            }
        };
        let declared = |name: &String| self.manifest.chroots.iter().any(|chroot| chroot.name.value == *name);
        let mut told = Vec::new();
        for name in undeclared.into_iter().filter(|name| !declared(name)) {
            let folder = match &self.manifest.publish {
                Some(publish) => publish.folder.value.with_chroot(&name),
                None => crate::manifest::ManifestPath::Repository(["public", &name].iter().collect()),
            };
            match self.update(&name, &folder, Vec::new()) {
                Ok(published) => told.extend(published),
                Err(error) => told.push(What::NotPublished { chroot: name, cause: error.to_string() }),
            }
        }
        told
    }

    fn can_publish(&self) -> Result<(), PublishError> {
        let Some(publish) = &self.manifest.publish else {
            return Ok(());
        };
        let what = match (&publish.sign, &publish.keep, &publish.separate_debuginfo) {
            (Some(sign), _, _) => match sign.value {
                SignDecl::KeyFile(_) => "`sign key=`",
                SignDecl::Variable(_) => "`sign env=`",
                SignDecl::Command(_) => "`sign command=`",
            },
            (None, Some(_), _) => "`keep`",
            (None, None, Some(separate)) if separate.value => "`debuginfo separate=#true`",
            (None, None, _) => return Ok(()),
        };
        Err(PublishError::NotYet { what })
    }
}
