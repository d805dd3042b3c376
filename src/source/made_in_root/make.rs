//! From what a program is to make to its files: by the lock, by what is kept in the store, or by running it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::error::MakingError;
use super::needs::find_missing;
use super::results::{MadeFiles, ResultFolder, find_stored};
use super::roots::SourceRoot;
use super::run::{ProgramFolders, ProgramOrder};
use crate::chroot::making::{BuildWish, ChosenSet, LockRule, RootError};
use crate::chroot::{Connection, LockedSet};
use crate::digest::{Digest, Encoder, Key};
use crate::engine::{Isolation, Settings};
use crate::event::Timestamp;
use crate::files::{Folder, Mount};
use crate::manifest::declaration::Network;
use crate::manifest::{ChrootId, Package, PackageId};
use crate::package::Dependency;
use crate::source::SourceError;
use crate::source::lock::{LockedFile, LockedSource, MADE_OF};
use crate::source::tools::SourceTools;
use crate::store::RecordKind;

/// A source that a program is to make.
pub(super) struct MakeRequest<'a> {
    /// The package.
    pub package: &'a Package,
    /// What runs, for messages: "`make-nightly.sh`".
    pub what: String,
    /// The digest of what runs, and of what it works on.
    pub content: Digest,
    /// What it needs in any case.
    pub implied: Vec<Dependency>,
    /// After how long it runs anew.
    pub refresh: Option<Duration>,
    /// The spec that is meant, of those that it leaves.
    pub spec: Option<&'a str>,
    /// The folder that it leaves its results in, below the one that it works in.
    pub results: &'a Path,
    /// Puts what it works on into that folder, and gives how it is run.
    pub prepare: &'a dyn Fn(&Folder) -> Result<PreparedProgram, SourceError>,
}

/// How a program is run.
pub(super) struct PreparedProgram {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it begins, below the folder that it works in.
    pub begin: String,
    /// Variables of its environment.
    pub variables: Vec<(String, String)>,
    /// Folders that it sees beside its own.
    pub mounts: Vec<Mount>,
}

/// What was made, and what is to be locked of it.
pub(super) struct MadeSource {
    /// Its files.
    pub files: MadeFiles,
    /// What it was made of: the lock holds that.
    pub made_of: Digest,
    /// What is locked beside the files.
    pub found: BTreeMap<String, String>,
}

/// When the time began that the results are of, where a script runs anew after some.
const SINCE: &str = "since";
/// The names of the files that may be executed, with `/` between them.
const EXECUTABLE: &str = "executable";

/// How long a program may take where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(3600);

/// The name by which the root of a package's source stands in the lock, beside that of its builds. No package has such a name.
pub fn wish_name(package: &str) -> String {
    format!("{package} (source)")
}

/// Makes a source, or finds what was made before.
///
/// # Errors
/// There is no root, the program fails, its results can't be taken in, or the lock has others.
pub(super) fn make(
    request: &MakeRequest<'_>,
    tools: &SourceTools<'_>,
    locked: Option<&LockedSource>,
) -> Result<MadeSource, SourceError> {
    let maker = Maker::open(request, tools)?;
    let made_of = maker.made_of();
    let since = request.refresh.map(|every| period_begin(tools.clock.now(), every).to_string());
    let known = locked
        .filter(|locked| locked.asked.is_some() && locked.found.get(MADE_OF) == Some(&made_of.to_string()));
    let is_frozen = tools.rule == LockRule::Frozen;
    if known.is_none() && is_frozen {
        let (what, package) = (request.what.clone(), request.package.name.value.clone());
        return Err(MakingError::NotLocked { what, package }.into());
    }
    let is_due = known.is_some_and(|known| {
        since.as_ref() != known.found.get(SINCE) && since.is_some() && !is_frozen && !maker.lacks_network()
    });
    let holds = known.filter(|_| !is_due);
    if let Some(files) = holds.and_then(|known| find_locked(known, tools)) {
        let since = holds.and_then(|known| known.found.get(SINCE).cloned());
        return Ok(to_made(files, made_of, since));
    }
    let key = maker.key(&made_of, since.as_deref());
    let is_to_be_found_anew = locked.is_some_and(|locked| locked.asked.is_none());
    if holds.is_none()
        && !is_to_be_found_anew
        && let Some(files) = find_kept(&key, tools)
    {
        return Ok(to_made(files, made_of, since));
    }
    let files = maker.run()?;
    if let Some(known) = holds {
        maker.check_same(known, &files)?;
    }
    tools.store.remember(RecordKind::Facts, &key, &files)?;
    Ok(to_made(files, made_of, since))
}

/// The files that are locked, if the store has them.
fn find_locked(known: &LockedSource, tools: &SourceTools<'_>) -> Option<MadeFiles> {
    let executable: Vec<&str> =
        known.found.get(EXECUTABLE).map(|names| names.split('/').collect()).unwrap_or_default();
    let made = known.files.iter().filter(|(_, file)| file.url == MADE);
    let files = made.map(|(name, file)| (name, &file.checksum, executable.contains(&name.as_str())));
    find_stored(files, tools)
}

/// The files that were made under a key, if the store has them still.
fn find_kept(key: &Key, tools: &SourceTools<'_>) -> Option<MadeFiles> {
    let kept: MadeFiles = tools.store.record(RecordKind::Facts, key)?;
    let files: Vec<_> = kept
        .iter()
        .map(|(name, file)| Some((name, file.checksum().ok()?, file.is_executable)))
        .collect::<Option<_>>()?;
    find_stored(files.iter().map(|(name, checksum, is)| (*name, checksum, *is)), tools)
}

/// What stands for an address in the lock.
const MADE: &str = "made in a root";

impl MadeSource {
    /// What is locked of its files.
    ///
    /// # Errors
    /// A checksum makes no sense.
    pub fn locked_files(&self) -> Result<BTreeMap<String, LockedFile>, SourceError> {
        let locked = self.files.iter().map(|(name, file)| {
            let (url, checksum, size) = (MADE.to_owned(), file.checksum()?, file.blob.size);
            Ok((name.clone(), LockedFile { url, checksum, size }))
        });
        locked.collect()
    }
}

fn to_made(files: MadeFiles, made_of: Digest, since: Option<String>) -> MadeSource {
    let mut found = BTreeMap::from([(MADE_OF.to_owned(), made_of.to_string())]);
    found.extend(since.map(|since| (SINCE.to_owned(), since)));
    let executable: Vec<&str> =
        files.iter().filter(|(_, file)| file.is_executable).map(|(name, _)| name.as_str()).collect();
    if !executable.is_empty() {
        found.insert(EXECUTABLE.to_owned(), executable.join("/"));
    }
    MadeSource { files, made_of, found }
}

/// When the time began that it is now, of those of one length since 1970.
fn period_begin(now: Timestamp, every: Duration) -> Timestamp {
    let length = u64::try_from(every.as_millis()).unwrap_or(u64::MAX).max(1000);
    Timestamp(now.0 / length * length)
}

/// All that making a source takes.
struct Maker<'a> {
    request: &'a MakeRequest<'a>,
    tools: &'a SourceTools<'a>,
    chroot: ChrootId,
    chroot_name: &'a str,
    root: SourceRoot,
    /// The packages of the root, where it is made of packages.
    chosen: Option<ChosenSet>,
    needs: Vec<Dependency>,
    settings: Settings,
}

impl<'a> Maker<'a> {
    fn open(request: &'a MakeRequest<'a>, tools: &'a SourceTools<'a>) -> Result<Self, SourceError> {
        let making = &request.package.source.making;
        let chroot = request.package.source_chroot().unwrap_or(ChrootId(0));
        let chroot_name = tools.making.manifest.chroot(chroot).name.value.as_str();
        let no_root = |reason: String, help: String| MakingError::NoRoot {
            what: request.what.clone(),
            chroot: chroot_name.to_owned(),
            reason,
            help,
        };
        let root = tools.making.roots.open_root(chroot);
        let root = root.map_err(|refused| no_root(refused.reason, refused.help))?;
        let needs: Vec<Dependency> = request.implied.iter().chain(&making.needs).cloned().collect();
        let chosen = match &root.packages {
            None => None,
            Some(packages) => {
                let _in_runtime = tools.making.runtime.enter();
                let wish = wish(&request.package.name.value, &needs);
                let chosen = packages.chooser.choose_for_builds(std::slice::from_ref(&wish));
                let chosen = chosen.and_then(|mut chosen| chosen.pop().unwrap_or(Ok(ChosenSet::default())));
                let refuse = |error: RootError| no_root(error.in_words(), error.help_in_words());
                Some(chosen.map_err(refuse)?)
            }
        };
        let isolation = match making.network {
            Network::Allowed => Isolation::SandboxWithNetwork,
            Network::Denied => Isolation::Sandbox,
        };
        let environment = making.environment.clone();
        let target = tools.making.manifest.chroot(chroot).arch.clone();
        let settings = Settings { target, environment, isolation, ..Settings::default() };
        Ok(Self { request, tools, chroot, chroot_name, root, chosen, needs, settings })
    }

    /// What the source is made of as far as everybody has the same: a machine's own root is each machine's.
    fn made_of(&self) -> Digest {
        let mut encoder = Encoder::new("rpmforge source made in a root v1");
        encoder.digest_field("content", &self.request.content).text("chroot", self.chroot_name);
        encoder.list("needs", self.needs.iter(), |encoder, need| {
            encoder.text("", &need.to_string());
        });
        encoder.option("spec", self.request.spec).text("results", &self.request.results.to_string_lossy());
        encoder.text("isolation", &self.settings.isolation.to_string());
        // A secret's digest is its user's own: who else has the lock may not know it, nor have the same.
        encoder.list("environment", self.settings.environment.iter(), |encoder, (name, value)| {
            encoder.text(name, value.shown());
        });
        let packages = self.chosen.as_ref().map(|chosen| LockedSet::digest_of(&chosen.packages()));
        let image = self.root.identity.image;
        for (name, digest) in [("packages", packages), ("image", image)] {
            encoder.option(name, digest.map(|digest| digest.to_string()).as_deref());
        }
        encoder.digest()
    }

    /// What the files are kept by: all that they may depend on.
    fn key(&self, made_of: &Digest, since: Option<&str>) -> Key {
        let mut encoder = Encoder::new("rpmforge files made in a root v1");
        encoder.digest_field("made of", made_of).option("since", since);
        self.settings.encode(&mut encoder);
        if self.chosen.is_none() {
            let identity = &self.root.identity;
            encoder.digest_field("packages", &identity.packages);
            encoder.digest_field("configuration", &identity.configuration);
            encoder.digest_field("programs", &identity.programs);
        }
        encoder.key()
    }

    fn lacks_network(&self) -> bool {
        self.tools.connection == Connection::Offline
            && self.settings.isolation == Isolation::SandboxWithNetwork
    }

    /// Runs the program, and takes in what it leaves.
    fn run(&self) -> Result<MadeFiles, SourceError> {
        let (what, making) = (&self.request.what, &self.tools.making);
        if self.lacks_network() {
            return Err(MakingError::Offline { what: what.clone() }.into());
        }
        if self.chosen.is_none() {
            let missing = find_missing(&self.root, &self.needs, making, self.tools.cancel)?;
            if !missing.is_empty() {
                let (what, chroot) = (what.clone(), self.chroot_name.to_owned());
                return Err(MakingError::Needs { what, missing: missing.join(", "), chroot }.into());
            }
        }
        let package = self.request.package.name.value.as_str();
        self.tools.say(format!(
            "running {} in chroot {} for {package}",
            what.trim_matches('`'),
            self.chroot_name
        ));
        let work = self.tools.folders.make_work_folder()?;
        let folders = ProgramFolders::make(&work.folder)?;
        let PreparedProgram { command, begin, variables, mounts } = (self.request.prepare)(&folders.place)?;
        let log = making.logs.join(format!("{package}.log"));
        let shown_log = log.to_string();
        let order = ProgramOrder {
            what,
            package,
            chroot: self.chroot_name,
            command,
            begin: &begin,
            settings: &self.settings,
            variables,
            mounts,
            limits: making.manifest.limits(self.package_id(), self.chroot).into(),
            timeout: self.request.package.source.making.timeout.unwrap_or(TIMEOUT),
            log,
        };
        order.run((&self.root, self.chosen.as_ref()), &folders, making, self.tools.cancel)?;
        let results = folders.place.folder(self.request.results).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                let folder = self.request.results.strip_prefix("work").unwrap_or(self.request.results);
                let folder = folder.display().to_string();
                SourceError::from(MakingError::NoResults {
                    what: what.clone(),
                    folder,
                    log: shown_log.clone(),
                })
            }
            _ => error.into(),
        })?;
        let (settings, spec, log) = (&self.settings, self.request.spec, shown_log.as_str());
        ResultFolder { what, settings, spec, log }.take_in(&results, self.tools)
    }

    fn package_id(&self) -> PackageId {
        let is_it = |package: &Package| package.name.value == self.request.package.name.value;
        PackageId(self.tools.making.manifest.packages.iter().position(is_it).unwrap_or_default())
    }

    /// Refuses files that are others than those that are locked.
    fn check_same(&self, known: &LockedSource, files: &MadeFiles) -> Result<(), SourceError> {
        let locked = known.files.iter().filter(|(_, file)| file.url == MADE);
        let locked: BTreeMap<&str, &str> =
            locked.map(|(name, file)| (name.as_str(), file.checksum.hex())).collect();
        let made: BTreeMap<&str, &str> =
            files.iter().map(|(name, file)| (name.as_str(), file.sha256.as_str())).collect();
        let names = locked.keys().chain(made.keys()).filter(|name| locked.get(*name) != made.get(*name));
        let names: std::collections::BTreeSet<String> = names.map(|name| format!("`{name}`")).collect();
        if names.is_empty() {
            return Ok(());
        }
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        let (what, package) = (self.request.what.clone(), self.request.package.name.value.clone());
        Err(MakingError::Changed { what, package, names }.into())
    }
}

/// What the root has beside the minimal one.
fn wish(package: &str, needs: &[Dependency]) -> BuildWish {
    BuildWish {
        package: wish_name(package),
        requires: needs.to_vec(),
        before: Vec::new(),
        conflicts: Vec::new(),
        asked_with: Some("`needs` of a source"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_moments_of_a_day_have_the_same_begin() {
        let day = Duration::from_secs(24 * 3600);
        let begin = |text: &str| {
            let time = humantime::parse_rfc3339(text).unwrap();
            period_begin(Timestamp::of(time), day).to_string()
        };
        assert_eq!(begin("2026-11-28T00:00:00Z"), "2026-11-28T00:00:00Z");
        assert_eq!(begin("2026-11-28T23:59:59Z"), "2026-11-28T00:00:00Z");
        assert_eq!(begin("2026-11-29T00:00:01Z"), "2026-11-29T00:00:00Z");
    }
}
