//! What `keep` says of repositories: looked at, and carried out.

use schemars::JsonSchema;
use serde::Serialize;

use super::PublishError;
use super::declared_metadata::DeclaredMetadata;
use super::groups::RecordGroups;
use super::inspect::Verification;
use super::record::{PublishedFile, PublishedPackage, Superseded};
use super::repositories::{Repositories, RepositoryPlace};
use super::retention::Verdict;
use super::superseded::{is_expired, supersede};
use super::update::Updater;
use crate::digest::Key;
use crate::event::{Timestamp, What};

/// What becomes of the builds of a repository, and of files that nothing names any more.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PrunedRepository {
    /// The chroot.
    pub chroot: String,
    /// Its folder, as the manifest says it.
    pub folder: String,
    /// Whether the manifest declares it. The repository of one that it doesn't declare is emptied.
    pub declared: bool,
    /// Its builds, by package, the newest first.
    pub builds: Vec<JudgedBuild>,
    /// The files that nothing names any more, and that go now.
    pub expired: CountedFiles,
    /// The files that nothing names any more, with those of builds that go now. They go later: a client that has read the metadata
    /// before may still ask for them.
    pub expiring: CountedFiles,
}

/// A build, and what becomes of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct JudgedBuild {
    /// The package's name in the manifest.
    pub package: String,
    /// Its version, `[epoch:]version-release`.
    pub version: Option<String>,
    /// The key of its result, where that is known.
    #[schemars(with = "Option<String>")]
    pub key: Option<Key>,
    /// When it came into the repository.
    pub came: Option<Timestamp>,
    /// Since when it is not the newest of its package; none: it is.
    pub superseded: Option<Timestamp>,
    /// Its files.
    pub files: usize,
    /// Their size together.
    pub bytes: u64,
    /// What becomes of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// How many files, and how large they are together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CountedFiles {
    /// How many.
    pub files: usize,
    /// In bytes.
    pub bytes: u64,
}

impl CountedFiles {
    fn count<'f>(files: impl Iterator<Item = &'f PublishedFile>) -> Self {
        files.fold(Self::default(), |counted, file| Self {
            files: counted.files + 1,
            bytes: counted.bytes.saturating_add(file.size),
        })
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self { files: self.files + other.files, bytes: self.bytes.saturating_add(other.bytes) }
    }
}

impl JudgedBuild {
    fn new((build, verdict): (PublishedPackage, Verdict)) -> Self {
        let CountedFiles { files, bytes } = CountedFiles::count(build.files.iter());
        Self {
            version: build.version(),
            key: build.key,
            came: build.keeping.came,
            superseded: build.keeping.since,
            files,
            bytes,
            verdict,
            package: build.package,
        }
    }
}

impl Repositories {
    /// What an update would have stay and go now in the repository of each chroot, also of those that the manifest no longer declares.
    /// Nothing is written.
    ///
    /// # Errors
    /// As [`Repositories::leaving`].
    pub fn judge_builds(&self) -> Result<Vec<PrunedRepository>, PublishError> {
        self.check_folders()?;
        let mut judged = Vec::new();
        for place in self.declared_places().chain(self.undeclared_places()?) {
            judged.extend(self.judge_repository(&place)?);
        }
        Ok(judged)
    }

    /// Carries out what [`Repositories::judge_builds`] says; gives what happened.
    pub fn prune(&self) -> Vec<What> {
        let declared = self.declared_places().flat_map(|place| self.update(place, &[]));
        declared.chain(self.retire_undeclared()).collect()
    }

    fn judge_repository(&self, place: &RepositoryPlace) -> Result<Option<PrunedRepository>, PublishError> {
        let Some(folder) = self.open(&place.path)? else { return Ok(None) };
        let target = self.target(&place.chroot, &place.path, folder)?;
        let now = self.clock.now();
        if target.is_unknown() {
            return Ok(None);
        }
        let record = target.read_known(now).map_err(|error| self.locate(error))?.record;
        let (store, verification, holding) = (&self.store, Verification::TimesFirst, self.holding());
        let declared = DeclaredMetadata::default();
        let updater = Updater { store, now, verification, holding, declared };
        let published = RecordGroups::new(&record, updater.holding.packing);
        let (retained, _) = updater.desired(&target, &published, &[]);
        let superseded = supersede(&record, &retained.packages, &record.metadata, now);
        let replaced = target.keep.replaced();
        let (expired, expiring): (Vec<Superseded>, Vec<Superseded>) =
            superseded.into_iter().partition(|superseded| is_expired(superseded, replaced, now));
        let judged = retained.into_judged(&record, &target.declared, now);
        let count = |files: &[Superseded]| CountedFiles::count(files.iter().map(|file| &file.file));
        Ok(Some(PrunedRepository {
            chroot: place.chroot.clone(),
            folder: target.shown.clone(),
            declared: target.all_chroots.contains(place.chroot.as_str()),
            builds: judged.into_iter().map(JudgedBuild::new).collect(),
            expired: count(&expired),
            expiring: count(&expiring),
        }))
    }
}
