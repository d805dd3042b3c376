//! What a spec says of itself: enough to plan with, without building it.

use serde::{Deserialize, Serialize};

use super::Settings;
use crate::digest::Digest;
use crate::files::RootPath;
use crate::macros::Observation;
use crate::package::Dependency;
use crate::spec::Finding;

/// Asks for a spec's facts, as it can be asked anywhere: paths are those of the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsRequest {
    /// The spec.
    pub spec: RootPath,
    /// The folder that its sources are in.
    pub sources: RootPath,
    /// What it is to be read with. Secrets are written down as their digests only.
    pub settings: Settings,
    /// Whether it may run programs while it is read, and look at all that the user may look at.
    pub may_run: bool,
    /// Where it may look if it may not run anything: these folders, besides its own, that of its sources, and rpm's.
    pub readable: Vec<RootPath>,
}

/// What reading a spec came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Its facts.
    Facts(Box<Facts>),
    /// Its `ExclusiveArch`, `ExcludeArch` or the like rules this target out, in rpm's words.
    RuledOut(String),
    /// It runs programs while it is read, and may not: what it says without them is not to be trusted. What it wanted to
    /// look at and may not is told.
    Withheld(Vec<Finding>),
    /// It can't be read: what is wrong with it.
    Broken(Vec<Finding>),
}

/// A reading, and what it depends on besides the spec itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// What the spec says.
    pub reading: Reading,
    /// What was learned from the world on the way: as long as it would be the same, so is the reading.
    pub observations: Vec<Observation>,
    /// The digest of the text that the spec expands to, where the observations can't tell all that it depends on.
    pub expanded: Option<Digest>,
}

impl Facts {
    /// The digest of all that they say, but for warnings: those change no package. A field that is forgotten here does
    /// not compile.
    pub fn digest(&self) -> Digest {
        let Self {
            name,
            evr,
            subpackages,
            build_requires,
            build_conflicts,
            generates_requires,
            sources,
            arch,
            changelog_time,
            warnings: _,
        } = self;
        let required = (build_requires, build_conflicts, generates_requires);
        let said = (name, evr, subpackages, required, sources, arch, changelog_time);
        // What is made of texts and numbers alone can be written.
        Digest::compute(&serde_json::to_vec(&said).unwrap_or_default())
    }
}

/// The facts of a spec under given settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// `Name` of the source package.
    pub name: String,
    /// `[epoch:]version-release`.
    pub evr: String,
    /// The packages that it builds.
    pub subpackages: Vec<SubpackageFacts>,
    /// `BuildRequires`.
    pub build_requires: Vec<Dependency>,
    /// `BuildConflicts`.
    pub build_conflicts: Vec<Dependency>,
    /// Whether it has a `%generate_buildrequires`.
    pub generates_requires: bool,
    /// `Source` and `Patch` files.
    pub sources: Vec<SourceReference>,
    /// Where it can be built.
    pub arch: ArchLimits,
    /// The time of its newest changelog entry: seconds since 1970.
    pub changelog_time: Option<u64>,
    /// What may not be meant.
    #[serde(default)]
    pub warnings: Vec<Finding>,
}

/// One binary package of a spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubpackageFacts {
    /// Its name.
    pub name: String,
    /// Its architecture.
    pub arch: String,
    /// What it provides as far as the spec alone says, with what its `%files` give away (pkg-config and CMake files).
    pub provides: Vec<Dependency>,
    /// What it requires as far as the spec alone says.
    pub requires: Vec<Dependency>,
    /// The plain paths of its `%files`, but for those of `%dir`: files, and folders with all that is in them.
    pub files: Vec<String>,
    /// The paths of `%dir`: folders without what is in them.
    pub folders: Vec<String>,
}

/// A file that a spec needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReference {
    /// The name that it must have in the sources folder.
    pub file_name: String,
    /// What the spec says, often a URL.
    pub reference: String,
}

impl SourceReference {
    /// From the value of a `Source` or `Patch` tag. rpm takes what stands after the last slash.
    pub fn new(reference: &str) -> Self {
        let file_name = reference.rsplit('/').next().unwrap_or(reference).to_owned();
        Self { file_name, reference: reference.to_owned() }
    }
}

impl ArchLimits {
    /// Whether they rule an architecture out, in rpm's words: such a spec can be read, and can't be built.
    pub(super) fn ruled_out(&self, arch: &str) -> Option<String> {
        let lists = |list: &[String]| list.iter().any(|listed| listed == arch);
        if lists(&self.excluded) {
            return Some(format!("Architecture is excluded: {arch}"));
        }
        let is_included = self.exclusive.is_empty() || lists(&self.exclusive);
        (!is_included).then(|| format!("Architecture is not included: {arch}"))
    }
}

/// The architectures that a spec limits itself to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchLimits {
    /// `ExclusiveArch`: only these, if any.
    pub exclusive: Vec<String>,
    /// `ExcludeArch`: none of these.
    pub excluded: Vec<String>,
    /// `BuildArch`.
    pub build: Vec<String>,
}
