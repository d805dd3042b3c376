//! Images in OCI's layout (<https://github.com/opencontainers/image-spec>): `index.json` names a manifest, that names the layers,
//! each of them a tarball of what it adds, with names that begin with `.wh.` for what it takes away.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::file::TreeFiles;
use super::image_entries::ImageEntries;
use super::limits::{LARGEST_OCI_DOCUMENT, MOST_OCI_LAYERS};
use super::oci_platform::{OciPlatform, WantedPlatform};
use super::tarball::{add, decompressed_by_magic, for_each_entry, open_image};
use super::{ImageChoice, TreeError};
use crate::digest::Digest;
use crate::files::{Folder, HostPath};
use crate::package::hex;

/// An image, opened: what its manifest says.
pub(super) struct OciLayout<'f> {
    folder: Folder,
    manifest: Digest,
    layers: Vec<Descriptor>,
    /// Where an archive of a layout was unpacked to.
    unpacked: Option<(&'f TreeFiles, PathBuf)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    layers: Vec<Descriptor>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<OciPlatform>,
}

/// Why an image can't be read.
enum OciProblem {
    Damaged(String),
    /// None of its images is for this platform.
    NoPlatform {
        wanted: String,
        there: String,
    },
}

impl From<String> for OciProblem {
    fn from(reason: String) -> Self {
        Self::Damaged(reason)
    }
}

impl Descriptor {
    /// Whether it is of a list of images.
    fn is_index(&self) -> bool {
        self.media_type.contains("index") || self.media_type.contains("manifest.list")
    }
}

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

impl<'f> OciLayout<'f> {
    /// Opens a layout: a folder, or an archive of one.
    /// Where it has several images, it is the one of the digest, or else of the architecture.
    pub fn open(path: &HostPath, choice: &ImageChoice<'_>, files: &'f TreeFiles) -> Result<Self, TreeError> {
        let origin = path.to_string();
        let damaged = |reason: String| TreeError::Image { origin: origin.clone(), reason };
        let is_folder = path.as_path().is_dir();
        let (folder, unpacked) = if is_folder {
            (Folder::open_ambient(path).map_err(|error| damaged(crate::files::reason(&error)))?, None)
        } else {
            let unreadable = |error: io::Error| damaged(crate::files::reason(&error));
            let (folder, name) = unpack_layout(path, files).map_err(unreadable)?;
            (folder, Some((files, name)))
        };
        let mut layout = Self { folder, manifest: Digest::compute(b""), layers: Vec::new(), unpacked };
        layout.read_documents(choice).map_err(|problem| match problem {
            OciProblem::Damaged(reason) => damaged(reason),
            OciProblem::NoPlatform { wanted, there } => {
                TreeError::NoPlatform { origin: origin.clone(), wanted, there }
            }
        })?;
        Ok(layout)
    }

    /// What the image is known by.
    pub fn digest(&self) -> Digest {
        self.manifest
    }

    fn read_documents(&mut self, choice: &ImageChoice<'_>) -> Result<(), OciProblem> {
        let digest = choice.digest.map(ToString::to_string);
        let (digest, wanted) = (digest.as_deref(), WantedPlatform::for_architecture(choice.arch));
        let index = self.document(Path::new("index.json"), None)?;
        let index: Index =
            serde_json::from_slice(&index).map_err(|error| format!("its index.json: {error}"))?;
        let mut descriptor = choose(&index.manifests, digest, &wanted)?;
        let mut manifest = self.blob_document(&descriptor)?;
        if descriptor.is_index() {
            let inner: Index = serde_json::from_slice(&manifest)
                .map_err(|error| format!("its index {}: {error}", descriptor.digest))?;
            // A digest of the index leaves the choice to us.
            let digest = digest.filter(|digest| descriptor.digest != *digest);
            descriptor = choose(&inner.manifests, digest, &wanted)?;
            manifest = self.blob_document(&descriptor)?;
        }
        self.manifest = Digest::compute(&manifest);
        let manifest: Manifest =
            serde_json::from_slice(&manifest).map_err(|error| format!("its manifest: {error}"))?;
        if manifest.layers.len() > MOST_OCI_LAYERS {
            return Err(format!("it has more than {MOST_OCI_LAYERS} layers").into());
        }
        self.layers = manifest.layers;
        Ok(())
    }

    fn blob_document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, String> {
        self.document(&blob_path(&descriptor.digest)?, Some(descriptor))
    }

    fn document(&self, path: &Path, descriptor: Option<&Descriptor>) -> Result<Vec<u8>, String> {
        let shown = path.display();
        let text = self.folder.read_text_up_to(path, LARGEST_OCI_DOCUMENT);
        let text =
            text.map_err(|error| format!("its {shown} can't be read: {}", crate::files::reason(&error)))?;
        let is_right = |descriptor: &Descriptor| {
            text.len() as u64 == descriptor.size && sha256_name(&Sha256::digest(&text)) == descriptor.digest
        };
        match descriptor.is_none_or(is_right) {
            true => Ok(text.into_bytes()),
            false => Err(format!("its {shown} is not what its digest says")),
        }
    }

    /// Reads all layers, each over those before.
    pub fn read(&self, image: &mut ImageEntries<'_>) -> Result<(), TreeError> {
        for layer in &self.layers {
            let path = blob_path(&layer.digest).map_err(|reason| image.damaged(reason))?;
            let file = self.folder.open_regular(&path).map_err(|error| image.unreadable(error))?;
            let mut checked = DigestedLayer { file: BufReader::new(file), sha256: Sha256::new(), bytes: 0 };
            let read = read_layer(image, &mut checked);
            // A tarball may end before its file does.
            io::copy(&mut checked, &mut io::sink()).map_err(|error| image.unreadable(error))?;
            if checked.bytes != layer.size || sha256_name(&checked.sha256.finalize()) != layer.digest {
                return Err(image.damaged(format!("its layer {} is not what its digest says", layer.digest)));
            }
            read?;
        }
        Ok(())
    }
}

impl Drop for OciLayout<'_> {
    fn drop(&mut self) {
        if let Some((files, name)) = &self.unpacked {
            // What is left there counts for nothing, and is collected.
            let _ = files.incoming().remove_folder(name);
        }
    }
}

fn read_layer(image: &mut ImageEntries<'_>, reader: &mut impl Read) -> Result<(), TreeError> {
    let reader = decompressed_by_magic(reader).map_err(|error| image.unreadable(error))?;
    let mut lower = image.take_lower();
    let read = for_each_entry(image, reader, |image, entry, path| {
        let name = path.rsplit_once_str("/").map_or(path.as_slice(), |(_, name)| name);
        let parent: BString = path.rsplit_once_str("/").map_or(&b""[..], |(parent, _)| parent).into();
        if name == OPAQUE {
            remove_below(&mut lower, &parent);
        } else if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            let separator: &[u8] = if parent.is_empty() { b"" } else { b"/" };
            let hidden: BString = [parent.as_slice(), separator, hidden].concat().into();
            lower.remove(&hidden);
            remove_below(&mut lower, &hidden);
        } else {
            if entry.header().entry_type() == tar::EntryType::Link {
                let target = image.path(&entry.link_name_bytes().unwrap_or_default())?;
                image.lend(&lower, &target);
            }
            add(image, entry, path)?;
        }
        Ok(())
    });
    image.lay_over(lower);
    read
}

fn remove_below(entries: &mut std::collections::BTreeMap<BString, super::TreeEntry>, path: &BString) {
    let prefix = if path.is_empty() { Vec::new() } else { [path.as_slice(), b"/"].concat() };
    entries.retain(|other, _| other.is_empty() || !other.starts_with(&prefix));
}

/// The image of a digest; without one that for the platform, or the only one where nothing is said of what it is for.
fn choose(
    manifests: &[Descriptor],
    digest: Option<&str>,
    wanted: &WantedPlatform,
) -> Result<Descriptor, OciProblem> {
    if let Some(digest) = digest {
        let found = manifests.iter().find(|manifest| manifest.digest == digest);
        // It may stand in the index that is the only one here.
        let index = match manifests {
            [only] if only.is_index() => Some(only),
            _ => None,
        };
        return found.or(index).cloned().ok_or_else(|| {
            let there: Vec<&str> = manifests.iter().map(|manifest| manifest.digest.as_str()).collect();
            format!("it is not {digest}, but {}", there.join(", ")).into()
        });
    }
    match manifests {
        [] => return Err("its index.json names no image".to_owned().into()),
        [only] if only.platform.is_none() => return Ok(only.clone()),
        _ => {}
    }
    let ranked = manifests.iter().filter_map(|one| Some((wanted.rank(one.platform.as_ref()?)?, one)));
    // The first of those that do equally well.
    let best = ranked.min_by_key(|(rank, _)| *rank).map(|(_, manifest)| manifest.clone());
    best.ok_or_else(|| {
        // Signatures and the like stand beside images as if they were for an unknown machine.
        let platforms = manifests.iter().filter_map(|one| one.platform.as_ref());
        let mut there: Vec<String> =
            platforms.filter(|platform| platform.os != "unknown").map(ToString::to_string).collect();
        let unnamed = manifests.iter().filter(|one| one.platform.is_none()).count();
        if unnamed > 0 {
            there.push(format!("{unnamed} of which it doesn't say what for"));
        }
        OciProblem::NoPlatform { wanted: wanted.to_string(), there: there.join(", ") }
    })
}

/// Where a blob is, by its digest.
fn blob_path(digest: &str) -> Result<PathBuf, String> {
    let hex = digest.strip_prefix("sha256:");
    let is_digest =
        |hex: &&str| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match hex.filter(is_digest) {
        Some(hex) => Ok(Path::new("blobs/sha256").join(hex)),
        None => Err(format!("`{}` is no SHA-256 digest", digest.escape_debug())),
    }
}

fn sha256_name(digest: &[u8]) -> String {
    format!("sha256:{}", hex(digest))
}

/// Unpacks the documents and blobs of an archive of a layout, and nothing else.
fn unpack_layout(path: &HostPath, files: &TreeFiles) -> io::Result<(Folder, PathBuf)> {
    let file = open_image(path)?;
    let place = PathBuf::from(files.incoming().unique("oci-")?);
    let folder = files.incoming().create(&place)?;
    let unpack = || {
        folder.create("blobs/sha256")?;
        let mut archive = tar::Archive::new(decompressed_by_magic(file)?);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path_bytes().to_str_lossy().into_owned();
            let path = path.strip_prefix("./").unwrap_or(&path);
            let is_blob = path
                .strip_prefix("blobs/sha256/")
                .is_some_and(|hex| blob_path(&format!("sha256:{hex}")).is_ok());
            if entry.header().entry_type().is_file() && (path == "index.json" || is_blob) {
                let mut file = folder.replace_file(path)?;
                io::copy(&mut (&mut entry).take(super::limits::MOST_UNPACKED), &mut file)?;
            }
        }
        Ok(())
    };
    match unpack() {
        Ok(()) => Ok((folder, place)),
        Err(error) => {
            let _ = files.incoming().remove_folder(&place);
            Err(error)
        }
    }
}

/// A layer that is digested while it is read.
struct DigestedLayer<R> {
    file: R,
    sha256: Sha256,
    bytes: u64,
}

impl<R: Read> Read for DigestedLayer<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.sha256.update(buffer.get(..read).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(read as u64);
        Ok(read)
    }
}
