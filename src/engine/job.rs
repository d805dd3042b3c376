//! A job for an engine, and what comes of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::environment::environment_at_home;
use super::{EngineError, Root, Settings};
use crate::digest::Digest;
use crate::event::StageTime;
use crate::files::{HostPath, Mount, RootPath};
use crate::macros::RpmVersion;
use crate::package::Dependency;
use crate::process::{Circumstances, InsideUser, SandboxLimits};
use crate::spec::Finding;

/// What an engine is told to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The source package.
    SourcePackage,
    /// A source package that requires what `%generate_buildrequires` names, beside what the spec does.
    BuildRequires,
    /// The binary packages.
    Packages,
}

/// Where a job begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Begin {
    /// In a folder of the build that it makes itself.
    #[default]
    Anew,
    /// Behind `%prep`: a job with [`Part::BuildRequires`] has left the folder of the build as it was then (`--noprep`).
    BehindPrep,
}

/// What is to be built, as it can be sent anywhere: paths are those of the root.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobSpec {
    /// The spec.
    pub spec: RootPath,
    /// The folder that holds its sources.
    pub sources: RootPath,
    /// A folder of this job's own: whatever is built lies below it.
    pub top: RootPath,
    /// What to make.
    pub part: Part,
    /// Where it begins.
    #[serde(default)]
    pub begin: Begin,
    /// What to build it with. Secrets are written down as their digests only.
    pub settings: Settings,
    /// Folders to search before the root's own, for packages built here that the root does not have.
    pub search: Vec<(String, String)>,
    /// What each of those packages provides, files included.
    pub staged: Vec<Vec<Dependency>>,
    /// `SOURCE_DATE_EPOCH`: seconds since 1970; no time in a package is later than this.
    pub source_date_epoch: u64,
    /// Variables that are other ones than usual: it is tried whether packages depend on them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub varied: BTreeMap<String, String>,
}

impl JobSpec {
    /// The environment that it is carried out in. It may hold secrets.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let mut environment = environment_at_home(&self.settings, &self.top);
        environment.insert("SOURCE_DATE_EPOCH".to_owned(), self.source_date_epoch.to_string());
        for (name, folders) in &self.search {
            let own = environment.get(name).map(|own| format!(":{own}")).unwrap_or_default();
            environment.insert(name.clone(), format!("{folders}{own}"));
        }
        environment.extend(self.varied.clone());
        environment
    }

    /// Macros of every build: where it works, and that two builds of the same thing come out the same. The manifest's own
    /// macros follow and override them.
    pub fn definitions(&self) -> Vec<String> {
        let top = &self.top;
        let dialect = self.settings.rpm.map(|rpm| format!("{} {rpm}", RpmVersion::MACRO));
        let own = vec![
            format!("_topdir {top}"),
            format!("_tmppath {top}/tmp"),
            "_buildhost localhost".to_owned(),
            "use_source_date_epoch_as_buildtime 1".to_owned(),
            "clamp_mtime_to_source_date_epoch 1".to_owned(),
            "build_mtime_policy clamp_to_source_date_epoch".to_owned(),
        ];
        own.into_iter().chain(dialect).collect()
    }
}

/// One build, as it is carried out from here.
#[derive(Clone, Debug)]
pub struct Job {
    /// What is to be built.
    pub spec: JobSpec,
    /// The root that it is carried out in.
    pub root: Root,
    /// The folders of this machine that it works in, and where they are seen in the root.
    pub mounts: Vec<Mount>,
    /// Folders of packages that are seen over the root's own, the uppermost first.
    pub layers: Vec<HostPath>,
    /// A folder that holds what is private to it: `/tmp`, `/var/tmp` and `/home` of its sandbox.
    pub private: Option<HostPath>,
    /// How much it may take, in a sandbox.
    pub limits: SandboxLimits,
    /// Who builds, in a sandbox.
    pub user: InsideUser,
    /// What else its sandbox has.
    pub circumstances: Circumstances,
    /// How long it may take.
    pub timeout: Duration,
    /// Where all that is printed goes.
    pub log: HostPath,
}

impl Job {
    /// Where the job's folder is on this machine.
    ///
    /// # Errors
    /// No mount holds it, or one is seen elsewhere than it is: that takes a sandbox.
    pub(super) fn top_on_host(&self) -> Result<HostPath, EngineError> {
        let not_mounted = |path: &RootPath| EngineError::NotMounted { path: path.clone() };
        let elsewhere = self.mounts.iter().find(|mount| !mount.is_in_place());
        if let Some(mount) = elsewhere.filter(|_| !self.spec.settings.isolation.is_sandbox()) {
            return Err(not_mounted(&mount.root));
        }
        let found = self.mounts.iter().find_map(|mount| mount.on_host(&self.spec.top));
        found.ok_or_else(|| not_mounted(&self.spec.top))
    }
}

/// Something that a build needs and that is not there, or that it conflicts with and that is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unmet {
    /// What it needs, or must not have, as the spec says it.
    pub dependency: String,
    /// Whether it is there, and should not be.
    pub is_conflict: bool,
    /// The package that says so: `name-version-release.arch`.
    pub package: String,
}

impl fmt::Display for Unmet {
    /// In rpm's words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.is_conflict { "conflicts with" } else { "is needed by" };
        write!(f, "{} {verb} {}", self.dependency, self.package)
    }
}

/// Why a job stopped before it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The engine gave up.
    Failed {
        /// Why, in a sentence.
        cause: String,
    },
    /// Its time was up.
    TimedOut,
    /// It was told to end.
    Canceled,
}

/// What a package file held when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WrittenContent {
    /// BLAKE3 of the file.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A package that a job has written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WrittenPackage {
    /// Its file, below the job's folder.
    pub path: HostPath,
    /// What it held then. rpmbuild does not say.
    pub content: Option<WrittenContent>,
}

/// What came of a job.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Packages.
    Built {
        /// The packages, by their paths.
        packages: Vec<WrittenPackage>,
        /// The stages that it went through.
        stages: Vec<StageTime>,
    },
    /// Nothing.
    Stopped {
        /// Why.
        reason: StopReason,
        /// The stages that it went through; the last is the one that it stopped in.
        stages: Vec<StageTime>,
        /// The lines of its output that say why: those around the first error, or the last ones.
        excerpt: Vec<String>,
        /// What the engine found to be wrong.
        problems: Vec<Finding>,
    },
}

/// Hears of the stages of a job, and what is printed in them.
pub trait StageListener: Send + Sync {
    /// A stage begins.
    fn stage(&self, name: &str);

    /// More was printed, and is in the log: cut anywhere, without secrets.
    fn printed(&self, text: &[u8]);
}

#[cfg(test)]
mod tests {
    use super::super::{Isolation, Part};
    use super::*;
    use crate::files::MountAccess;

    fn job(host: &str, root: &str) -> Job {
        let path = |path: &str| RootPath::new(path).unwrap();
        let spec = JobSpec {
            part: Part::Packages,
            begin: Begin::Anew,
            spec: path("/work/a.spec"),
            sources: path("/work"),
            top: path("/work"),
            settings: Settings::default(),
            search: Vec::new(),
            staged: Vec::new(),
            source_date_epoch: 1,
            varied: BTreeMap::new(),
        };
        let (host, log) = (HostPath::new(host).unwrap(), HostPath::new("/log").unwrap());
        let mounts = vec![Mount { host, root: path(root), access: MountAccess::Write }];
        let (layers, private, limits) = (Vec::new(), None, SandboxLimits::default());
        Job {
            spec,
            root: Root::of_this_machine(),
            mounts,
            layers,
            private,
            limits,
            user: InsideUser::Builder,
            circumstances: Circumstances::default(),
            timeout: Duration::from_secs(1),
            log,
        }
    }

    #[test]
    fn a_folder_is_taken_only_where_it_is_seen_at_its_own_place() {
        assert_eq!(job("/work", "/work").top_on_host().unwrap(), HostPath::new("/work").unwrap());
        for (host, root) in [("/home/me", "/work"), ("/home", "/home")] {
            let error = job(host, root).top_on_host().unwrap_err();
            assert_eq!(error.to_string(), "nothing is mounted at /work, where a build works");
        }
        let mut in_sandbox = job("/home/me", "/work");
        in_sandbox.spec.settings.isolation = Isolation::Sandbox;
        assert_eq!(in_sandbox.top_on_host().unwrap(), HostPath::new("/home/me").unwrap());
    }
}
