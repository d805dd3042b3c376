//! A registry of OCI artifacts as a place.
//!
//! All content comes first, then the manifest, then the tag is moved to it: who pulls gets the repository as it was before or as it is now,
//! `repomd.xml` and its signature included. What the registry has is asked for by its digest and not sent again. Nothing is removed: what no
//! tag stands for any more is for the registry to collect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::PlaceError;
use super::at_once::for_each_at_once;
use super::oci_manifest::{CONFIG_TYPE, MANIFEST_TYPE, OciArtifact, OciConfig, OciContent, OciManifest};
use super::oci_registry::{OciRegistry, OciRequest, describe_refusal, misses_content};
use super::oci_upload::{OciUpload, OciUploads, send_blob};
use super::place_record::PlacedFile;
use super::send_repository::{Shipment, Shipped};
use super::sending::Sending;
use super::snapshot::{Head, OutgoingFile, sha256_hex};
use crate::fetch::{RequestMethod, SignedReply};
use crate::files::Folder;
use crate::publish::owner::Sameness;

/// How many manifests an index may name that is there.
const MOST_PARTS: usize = 1000;

/// See the [module](self).
pub(super) struct OciPlace<'a> {
    pub registry: OciRegistry<'a>,
    pub tag: String,
    /// Where is noted how far uploads are.
    pub scratch: Folder,
}

/// What the tag stands for.
#[derive(Default)]
struct HeldArtifact {
    digest: Option<String>,
    /// The digests of its files, by path.
    files: BTreeMap<String, String>,
}

/// One thing to send.
enum SentContent<'a> {
    /// From the folder.
    File(&'a OutgoingFile),
    /// From memory.
    Bytes { path: &'a str, file: PlacedFile, content: &'a [u8] },
}

impl OciPlace<'_> {
    /// Brings the artifact up to date.
    pub fn deliver(&self, shipment: &Shipment<'_>, from: &Sending<'_>) -> Result<Shipped, PlaceError> {
        let held = self.read_held(shipment)?;
        let snapshot = shipment.snapshot;
        let heads: Vec<(&Head, PlacedFile)> =
            snapshot.heads.iter().map(|head| (head, head.placed())).collect();
        let outgoing = snapshot.files().map(|file| (file.path.as_str(), &file.file));
        let of_heads = heads.iter().map(|(head, file)| (head.path.as_str(), file));
        let files: BTreeMap<&str, &PlacedFile> = outgoing.chain(of_heads).collect();
        let config = OciConfig::new(snapshot.owner.clone(), shipment.chroot);
        let artifact = OciArtifact::compose(&config, &files)?;
        let digest = format!("sha256:{}", sha256_hex(&artifact.top.0));
        if held.digest.as_ref() == Some(&digest) {
            return Ok(Shipped::default());
        }
        let config = SentContent::of_bytes("config", &artifact.config);
        let of_heads = heads.iter().map(|(head, _)| SentContent::of_bytes(&head.path, &head.content));
        let all: Vec<SentContent<'_>> =
            snapshot.files().map(SentContent::File).chain(of_heads).chain([config]).collect();
        let is_held: BTreeSet<&String> = held.files.values().collect();
        let sent = self.send_missing(&all, &|digest| is_held.contains(digest), (shipment, from))?;
        if let Err(refusal) = self.put_manifests(&artifact)? {
            if !misses_content(&refusal) {
                return Err(describe_refusal("sending the manifest".to_owned(), &refusal));
            }
            // What the tag stood for is not there as it should be.
            self.send_missing(&all, &|_| false, (shipment, from))?;
            let again = self.put_manifests(&artifact)?;
            again.map_err(|refusal| describe_refusal("sending the manifest".to_owned(), &refusal))?;
        }
        self.check_arrived(&digest)?;
        OciUploads::read(&self.scratch).forget();
        let is_new = |(path, file): &(&&str, &&PlacedFile)| {
            held.files.get(**path).is_none_or(|digest| *digest != format!("sha256:{}", file.sha256))
        };
        let removed = held.files.keys().filter(|path| !files.contains_key(path.as_str())).count();
        Ok(Shipped { files: files.iter().filter(is_new).count(), bytes: sent, removed })
    }

    /// What the tag stands for, where that is this project's.
    fn read_held(&self, shipment: &Shipment<'_>) -> Result<HeldArtifact, PlaceError> {
        let doing = || "looking at what is there".to_owned();
        let Some(top) = self.registry.read_named("manifests", &self.tag, &doing)? else {
            return Ok(HeldArtifact::default());
        };
        let digest = Some(format!("sha256:{}", sha256_hex(&top)));
        let decode = |bytes: &[u8]| serde_json::from_slice::<OciManifest>(bytes).ok();
        let mut manifests: Vec<OciManifest> = Vec::new();
        if let Some(top) = decode(&top) {
            let named = top.manifests.iter().flatten().filter(|part| part.media_type == MANIFEST_TYPE);
            for OciContent { digest, .. } in named.take(MOST_PARTS) {
                let part = self.registry.read_content("manifests", digest, &doing)?;
                manifests.extend(part.as_deref().and_then(decode));
            }
            manifests.push(top);
        }
        self.check_owner(&manifests, shipment)?;
        let layers = manifests.iter().flat_map(|manifest| manifest.layers.iter().flatten());
        let file = |layer: &OciContent| Some((layer.title()?.to_owned(), layer.digest.clone()));
        Ok(HeldArtifact { digest, files: layers.filter_map(file).collect() })
    }

    fn check_owner(&self, manifests: &[OciManifest], shipment: &Shipment<'_>) -> Result<(), PlaceError> {
        if shipment.adopts {
            return Ok(());
        }
        let of_forge = |config: &&OciContent| config.media_type == CONFIG_TYPE;
        let mut configs = manifests.iter().filter_map(|manifest| manifest.config.as_ref());
        let config = configs.find(of_forge).ok_or(PlaceError::Unrecorded)?;
        let doing = || "looking whose repository is there".to_owned();
        let content = self.registry.read_content("blobs", &config.digest, &doing)?;
        let config = content.as_deref().and_then(OciConfig::decode).ok_or(PlaceError::DamagedRecord)?;
        let own = &shipment.snapshot.owner;
        let is_own = config.owner.compare(own, Some(own)) == Sameness::Same;
        match config.chroot == shipment.chroot {
            true if is_own => Ok(()),
            true => Err(PlaceError::Foreign { owner: config.owner.to_string() }),
            false => {
                let chroot = config.chroot.escape_debug();
                Err(PlaceError::Foreign { owner: format!("chroot `{chroot}` of {}", config.owner) })
            }
        }
    }

    /// Sends what the registry does not have; gives how many bytes those were. What `is_known` says is there is not asked for.
    fn send_missing(
        &self,
        all: &[SentContent<'_>],
        is_known: &(dyn Fn(&String) -> bool + Sync),
        (shipment, from): (&Shipment<'_>, &Sending<'_>),
    ) -> Result<u64, PlaceError> {
        let by_digest: BTreeMap<String, &SentContent<'_>> =
            all.iter().map(|content| (content.digest(), content)).collect();
        let unknown: Vec<(String, &SentContent<'_>)> =
            by_digest.into_iter().filter(|(digest, _)| !is_known(digest)).collect();
        let missing: Mutex<Vec<&SentContent<'_>>> = Mutex::default();
        for_each_at_once(&unknown, |(digest, content)| {
            if !self.registry.has_blob(digest)? {
                missing.lock().unwrap_or_else(PoisonError::into_inner).push(content);
            }
            Ok(())
        })?;
        let missing = missing.into_inner().unwrap_or_else(PoisonError::into_inner);
        let bytes = missing.iter().map(|content| content.file().size).sum();
        (shipment.announce)(bytes);
        let uploads = OciUploads::read(&self.scratch);
        for_each_at_once(&missing, |content| match content {
            SentContent::File(outgoing) => {
                OciUpload { registry: &self.registry, uploads: &uploads, outgoing, from }.run()
            }
            SentContent::Bytes { path, file, content } => {
                send_blob(&self.registry, file, (content.to_vec(), &|| format!("sending `{path}`")))?;
                (from.count)(file.size);
                Ok(())
            }
        })?;
        Ok(bytes)
    }

    /// Sends the manifests, and moves the tag last. Gives the answer that says no.
    fn put_manifests(&self, artifact: &OciArtifact) -> Result<Result<(), SignedReply>, PlaceError> {
        for part in &artifact.parts {
            let digest = format!("sha256:{}", sha256_hex(part));
            if let Err(refusal) = self.put_manifest(&digest, (part, MANIFEST_TYPE))? {
                return Ok(Err(refusal));
            }
        }
        let (top, media_type) = &artifact.top;
        self.put_manifest(&self.tag, (top, media_type))
    }

    fn put_manifest(
        &self,
        reference: &str,
        (content, media_type): (&[u8], &str),
    ) -> Result<Result<(), SignedReply>, PlaceError> {
        let address = self.registry.address(&format!("manifests/{reference}"))?;
        let headers = vec![("content-type", media_type.to_owned())];
        let request = OciRequest { headers, body: content.to_vec() };
        let reply = self.registry.ask(RequestMethod::Put, &address, request)?;
        Ok(if reply.is_success() { Ok(()) } else { Err(reply) })
    }

    /// Looks whether the tag stands for what was sent.
    fn check_arrived(&self, digest: &str) -> Result<(), PlaceError> {
        let doing = || "looking at what has arrived".to_owned();
        let found = self.registry.read_named("manifests", &self.tag, &doing)?;
        match found.is_some_and(|content| format!("sha256:{}", sha256_hex(&content)) == digest) {
            true => Ok(()),
            false => Err(PlaceError::NotArrived { path: self.tag.clone() }),
        }
    }
}

impl<'a> SentContent<'a> {
    fn of_bytes(path: &'a str, content: &'a [u8]) -> Self {
        let file = PlacedFile { size: content.len() as u64, sha256: sha256_hex(content) };
        Self::Bytes { path, file, content }
    }

    fn file(&self) -> &PlacedFile {
        match self {
            Self::File(outgoing) => &outgoing.file,
            Self::Bytes { file, .. } => file,
        }
    }

    fn digest(&self) -> String {
        format!("sha256:{}", self.file().sha256)
    }
}
