//! What a root consists of, and what identifies it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RootRequest;
use super::configuration::configuration_files;
use super::file_digests::FileDigests;
use super::package_database::{dpkg, find_database_files};
use super::programs::find_programs;
use super::view::{RootFile, View};
use crate::digest::{Digest, Encoder, Key};
use crate::store::{RecordKind, Store};

/// What identifies a root: the digests of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootIdentity {
    /// Every installed package with its version, and which system it is.
    pub packages: Digest,
    /// rpm's configuration.
    pub configuration: Digest,
    /// Programs.
    pub programs: Digest,
    /// All that is in it, where it is an image.
    #[serde(default)]
    pub image: Option<Digest>,
}

/// A part of a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RootPart {
    /// The package database.
    Packages,
    /// Macro files, rpmrc, attributes, and what lies beside them.
    Configuration,
    /// Programs of `PATH`, and those that compilers call.
    Programs,
    /// Whatever else an image has.
    Image,
}

/// The files of a root that identify it, by path, with their digests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootContents {
    /// Package databases.
    pub packages: BTreeMap<String, Digest>,
    /// rpm's configuration.
    pub configuration: BTreeMap<String, Digest>,
    /// Programs.
    pub programs: BTreeMap<String, Digest>,
}

/// What is remembered of a root from one look to the next.
#[derive(Debug, Default, Serialize, Deserialize)]
struct LastLook {
    files: FileDigests,
    /// The identity whose parts have been written down.
    described: Option<RootIdentity>,
}

impl fmt::Display for RootPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Packages => "package database",
            Self::Configuration => "macro files",
            Self::Programs => "programs",
            Self::Image => "image",
        })
    }
}

impl RootIdentity {
    /// The identity of the root that is there now. What its files are is remembered in the store, so that a later look knows
    /// which of them has changed.
    ///
    /// # Errors
    /// The root can't be read, or the store not written.
    pub fn read(request: &RootRequest<'_>, store: &Store) -> io::Result<Self> {
        let mut name = Encoder::new("rpmforge root look v1");
        name.text("root", &request.path.to_string());
        let last: LastLook = store.record(RecordKind::Root, &name.key()).unwrap_or_default();
        let (contents, files) = RootContents::read(request, &last.files)?;
        let identity = contents.identity();
        let is_described = last.described == Some(identity);
        if !is_described {
            let files = [&contents.packages, &contents.configuration, &contents.programs];
            for ((_, digest), files) in identity.parts().into_iter().zip(files) {
                remember(store, &Key::from_digest(digest), files)?;
            }
        }
        if !is_described || files.is_some() {
            let look = LastLook { files: files.unwrap_or(last.files), described: Some(identity) };
            remember(store, &name.key(), &look)?;
        }
        Ok(identity)
    }

    /// Its parts that every root has.
    pub fn parts(&self) -> [(RootPart, Digest); 3] {
        let Self { packages, configuration, programs, image: _ } = *self;
        [
            (RootPart::Packages, packages),
            (RootPart::Configuration, configuration),
            (RootPart::Programs, programs),
        ]
    }

    /// The digest of all of it.
    pub fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("rpmforge root v2");
        for (part, digest) in self.parts() {
            encoder.digest_field(&part.to_string(), &digest);
        }
        if let Some(image) = &self.image {
            encoder.digest_field("image", image);
        }
        encoder.digest()
    }
}

impl RootContents {
    /// Looks at a root: the files that identify it, and what is to be remembered of them, if that is anything new.
    fn read(request: &RootRequest<'_>, known: &FileDigests) -> io::Result<(Self, Option<FileDigests>)> {
        let view = View::open(request.path)?;
        let (packages, configuration) = (find_database_files(&view), configuration_files(&view)?);
        let (first, second) = (packages.len(), packages.len() + configuration.len());
        let files: Vec<RootFile> =
            packages.into_iter().chain(configuration).chain(find_programs(&view, request)?).collect();
        let digested = known.digest_files(&view, &files, request.now)?;
        let (packages, rest) = digested.digests.split_at(first);
        let (configuration, programs) = rest.split_at(second - first);
        let by_name = |digests: &[(String, Digest)]| digests.iter().cloned().collect::<BTreeMap<_, _>>();
        let mut contents = Self {
            packages: by_name(packages),
            configuration: by_name(configuration),
            programs: by_name(programs),
        };
        contents.packages.extend(dpkg(&view)?);
        Ok((contents, digested.is_new.then_some(digested.known)))
    }

    /// What identifies a root with these files.
    pub fn identity(&self) -> RootIdentity {
        let Self { packages, configuration, programs } = self;
        RootIdentity {
            packages: digest_of("rpmforge root packages v2", packages),
            configuration: digest_of("rpmforge root configuration v2", configuration),
            programs: digest_of("rpmforge root programs v1", programs),
            image: None,
        }
    }
}

/// The files that differ between two digests of the same part, as far as the store knows what they stand for.
pub fn changed_files(store: &Store, was: Digest, now: Digest) -> Vec<String> {
    let files =
        |digest| store.record::<BTreeMap<String, Digest>>(RecordKind::Root, &Key::from_digest(digest));
    let (Some(was), Some(now)) = (files(was), files(now)) else {
        return Vec::new();
    };
    let mut changed: Vec<String> = now
        .iter()
        .filter(|(name, digest)| was.get(*name) != Some(digest))
        .map(|(name, _)| name.clone())
        .collect();
    changed.extend(was.into_keys().filter(|name| !now.contains_key(name)));
    changed.sort();
    changed
}

fn digest_of(context: &str, files: &BTreeMap<String, Digest>) -> Digest {
    let mut encoder = Encoder::new(context);
    encoder.list("files", files.iter(), |encoder, (name, digest)| {
        encoder.digest_field(name, digest);
    });
    encoder.digest()
}

fn remember<T: Serialize>(store: &Store, key: &Key, record: &T) -> io::Result<()> {
    store.remember(RecordKind::Root, key, record).map_err(io::Error::other)
}
