//! Roots that somebody else made: a tarball, a folder, an image in OCI's layout.

use std::io::{self, Read};

use super::file::TreeFiles;
use super::image_entries::ImageEntries;
use super::image_folder::read_image_folder;
use super::kept_list::{list_path, sound_list, write_list};
use super::list::content_digest;
use super::oci::OciLayout;
use super::tarball::{decompressed_by_magic, open_image, read_tarball};
use super::{Boot, ImageChoice, PackageTree, TreeError};
use crate::digest::{Checksum, ChecksumHasher, Digest, Encoder};
use crate::files::HostPath;
use crate::store::Store;

/// How much is digested at a time.
const BUFFER: usize = 256 * 1024;

/// A root that somebody else made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// An archive of tar(1), compressed or not.
    Tarball(HostPath),
    /// An image in OCI's layout (image-layout.md of its image-spec): a folder, or an archive of one.
    Oci(HostPath),
    /// A folder, which is copied.
    Folder(HostPath),
}

impl ImageSource {
    /// Where it is.
    pub fn path(&self) -> &HostPath {
        match self {
            Self::Tarball(path) | Self::Oci(path) | Self::Folder(path) => path,
        }
    }

    fn unreadable(&self, error: &io::Error) -> TreeError {
        self.damaged(crate::files::reason(error))
    }

    fn damaged(&self, reason: String) -> TreeError {
        TreeError::Image { origin: self.path().to_string(), reason }
    }
}

impl Store {
    /// What an image unpacks to; unpacked now where that wasn't done yet. Beside it stands what the image is known by: the digest
    /// of the tarball, of the image's manifest, or of all that is in the folder.
    ///
    /// # Errors
    /// The image is not what it should be, has files that don't belong into a root, or the store can't be used.
    pub fn image_tree(
        &self,
        source: &ImageSource,
        choice: &ImageChoice<'_>,
        boot: &Boot,
    ) -> Result<(Digest, PackageTree), TreeError> {
        let trees = self.trees()?;
        let files = TreeFiles::open(&trees)?;
        let name = self.known_image_name(source, choice, &files)?;
        if let Some(name) = &name
            && let Some(entries) = sound_list(&trees, &list_path(name), &files, boot)
        {
            return Ok((*name, PackageTree { entries, is_new: false }));
        }
        let mut image = ImageEntries::new(source.path().to_string(), &files);
        match source {
            ImageSource::Tarball(path) => {
                let file = open_image(path).and_then(decompressed_by_magic);
                read_tarball(&mut image, file.map_err(|error| source.unreadable(&error))?)?;
            }
            ImageSource::Folder(path) => read_image_folder(&mut image, path)?,
            ImageSource::Oci(path) => OciLayout::open(path, choice, &files)?.read(&mut image)?,
        }
        let entries = image.finish()?;
        let name = name.unwrap_or_else(|| image_name("folder", &content_digest(&entries)));
        let entries = write_list(&trees, &list_path(&name), entries, boot)?;
        Ok((name, PackageTree { entries, is_new: true }))
    }
}

impl Store {
    /// What an image is known by before it is read; nothing of a folder.
    fn known_image_name(
        &self,
        source: &ImageSource,
        choice: &ImageChoice<'_>,
        files: &TreeFiles,
    ) -> Result<Option<Digest>, TreeError> {
        let digest_file = |path: &HostPath| {
            let digest = open_image(path).and_then(Digest::read_from);
            Ok::<_, TreeError>(digest.map_err(|error| source.unreadable(&error))?.0)
        };
        Ok(match source {
            ImageSource::Tarball(path) => {
                choice.digest.map_or(Ok(()), |digest| check_tarball(source, digest))?;
                Some(image_name("tarball", &digest_file(path)?))
            }
            ImageSource::Oci(path) if path.as_path().is_dir() => {
                Some(image_name("oci", &OciLayout::open(path, choice, files)?.digest()))
            }
            // It is unpacked once only, so its manifest isn't known; which image of it is meant makes a difference.
            ImageSource::Oci(path) => {
                let mut encoder = Encoder::new("rpmforge image archive v2");
                let digest = choice.digest.map(ToString::to_string);
                encoder.digest_field("archive", &digest_file(path)?).option("digest", digest.as_deref());
                encoder.text("architecture", choice.arch.unwrap_or(std::env::consts::ARCH));
                Some(encoder.digest())
            }
            ImageSource::Folder(_) if choice.digest.is_some() => {
                return Err(source.damaged("a folder has no digest that it could be checked by".to_owned()));
            }
            ImageSource::Folder(_) => None,
        })
    }
}

/// Checks that a tarball is the one that is meant.
fn check_tarball(source: &ImageSource, digest: &Checksum) -> Result<(), TreeError> {
    let mut hasher = ChecksumHasher::new(digest.algorithm());
    let mut file = open_image(source.path()).map_err(|error| source.unreadable(&error))?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = file.read(&mut buffer).map_err(|error| source.unreadable(&error))?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
    }
    let found = hasher.finish();
    match found == *digest {
        true => Ok(()),
        false => Err(source.damaged(format!("it is not {digest}, but {found}"))),
    }
}

fn image_name(kind: &str, digest: &Digest) -> Digest {
    Encoder::new("rpmforge image tree v1").text("kind", kind).digest_field("image", digest).digest()
}
