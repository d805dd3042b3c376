//! The roots of chroots that are made from images.

use std::sync::Arc;

use crate::chroot::compose::{Farm, compose_image};
use crate::chroot::making::{LockRule, RootError};
use crate::chroot::{Lock, LockedChroot};
use crate::digest::Digest;
use crate::files::{Folder, HostPath};
use crate::manifest::Chroot;
use crate::manifest::declaration::{ImageDecl, ImageKind};
use crate::plan::PlanError;
use crate::store::{ImageChoice, ImageSource, Store};

/// What composing the root of an image takes.
pub struct ImageOpener<'a> {
    /// The repository: paths of the manifest begin there.
    pub repository: &'a Folder,
    pub store: &'a Store,
    /// What is locked.
    pub lock: &'a Lock,
    /// Whether that may change.
    pub rule: LockRule,
}

impl ImageOpener<'_> {
    /// Composes the root of a chroot's image. Who has it holds it in the store.
    ///
    /// # Errors
    /// The image can't be read, it is not what it should be, or the lock has another one and must not change.
    pub fn compose(&self, chroot: &Chroot, image: &ImageDecl) -> Result<Arc<Farm>, PlanError> {
        let source = self.source(image);
        let composed = tokio::task::block_in_place(|| {
            let choice = ImageChoice { digest: image.digest.as_ref(), arch: chroot.arch.as_deref() };
            compose_image(self.store, &source, &choice, &|_| ())
        });
        let farm = composed.map_err(RootError::from)?;
        let name = &chroot.name.value;
        let locked = self.lock.chroots.get(name).and_then(|locked| locked.image);
        if self.rule == LockRule::Frozen && locked != Some(identity_of(&farm)) {
            let what = format!("the image `{image}`");
            return Err(RootError::Locked { chroot: name.clone(), what }.into());
        }
        Ok(Arc::new(farm))
    }

    fn source(&self, image: &ImageDecl) -> ImageSource {
        let path: HostPath = image.path.on_host(self.repository.path());
        match image.kind {
            ImageKind::Oci => ImageSource::Oci(path),
            ImageKind::Plain if path.as_path().is_dir() => ImageSource::Folder(path),
            ImageKind::Plain => ImageSource::Tarball(path),
        }
    }
}

/// What an image is known by in keys and in the lock.
pub fn identity_of(image: &Farm) -> Digest {
    *image.key().digest()
}

/// What is locked of a chroot that is made from an image.
pub fn locked_image(image: &Farm) -> LockedChroot {
    LockedChroot { image: Some(identity_of(image)), ..LockedChroot::default() }
}
