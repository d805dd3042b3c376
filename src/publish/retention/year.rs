//! A year of a repository: 200 packages, 10,000 builds, and a clock that the test sets.
//!
//! What is kept is compared, after every publish, with what a model says that knows nothing of records: it has the builds as the test made
//! them, and works out from the words of the documentation which of them stay.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Keep, KeepRules};
use crate::digest::Encoder;
use crate::event::{Timestamp, What};
use crate::files::{Folder, HostPath};
use crate::manifest::Age;
use crate::manifest::declaration::{MetadataPacking, OnBroken, RepositoryLayout};
use crate::package::Dependency;
use crate::publish::client_files::ClientFiles;
use crate::publish::closure::Beside;
use crate::publish::declared_metadata::DeclaredMetadata;
use crate::publish::groups::Groups;
use crate::publish::holding::Holding;
use crate::publish::inspect::Verification;
use crate::publish::known::PublishTarget;
use crate::publish::owner::Owner;
use crate::publish::paths::package_folder;
use crate::publish::record::{Keeping, PublishedFile, PublishedPackage};
use crate::publish::record_file::DecodedRecords;
use crate::publish::section::Parting;
use crate::publish::update::Updater;
use crate::store::{Pins, Store};

const PACKAGES: usize = 200;
const LIBRARIES: usize = 20;
const BUILDS: usize = 10_000;
/// A publish every fourth day.
const PUBLISHES: usize = 91;
const DAY: u64 = 86_400_000;

const KEPT_BUILDS: usize = 3;
const SUPERSEDED_DAYS: u64 = 14;
const NEWEST_DAYS: u64 = 120;

/// A build as the test has made it.
#[derive(Clone)]
struct Made {
    package: usize,
    version: u32,
    provides: Option<String>,
    requires: Option<String>,
    published: PublishedPackage,
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

/// Nothing is known of what is beside the repository.
struct Alone;

impl Beside for Alone {
    fn provided(&self, _chroot: &str, _names: &BTreeSet<String>) -> Option<Vec<Dependency>> {
        None
    }
}

fn name_of(package: usize) -> String {
    match package < LIBRARIES {
        true => format!("lib{package:02}"),
        false => format!("app{package:03}"),
    }
}

/// Makes builds, and puts their packages into a store.
struct Workshop {
    folder: Folder,
    store: Store,
    dice: Dice,
    /// The newest version of each package, and of the name of each library that is linked to.
    versions: Vec<u32>,
    sonames: Vec<u32>,
    /// The libraries whose name has changed since the last publish: nothing is linked to one that is never published.
    renamed: BTreeSet<usize>,
    made: usize,
}

impl Workshop {
    fn build(&mut self, package: usize) -> Made {
        self.made += 1;
        // One in eight is a build of the same version once more.
        if self.versions[package] == 0 || self.dice.roll(8) > 0 {
            self.versions[package] += 1;
            if package < LIBRARIES && self.dice.roll(10) == 0 && self.renamed.insert(package) {
                self.sonames[package] += 1;
            }
        }
        let version = self.versions[package];
        let soname = |library: usize, number: u32| format!("{}.so.{number}", name_of(library));
        let provides = (package < LIBRARIES).then(|| soname(package, self.sonames[package]));
        let requires = (package >= LIBRARIES).then(|| {
            let library = self.dice.roll(LIBRARIES);
            soname(library, self.sonames[library])
        });
        let published = self.write(package, version, (provides.as_deref(), requires.as_deref()));
        Made { package, version, provides, requires, published }
    }

    fn write(
        &self,
        package: usize,
        version: u32,
        (provides, requires): (Option<&str>, Option<&str>),
    ) -> PublishedPackage {
        let (name, version) = (name_of(package), version.to_string());
        let mut builder = rpm::PackageBuilder::new(&name, &version, "MIT", "noarch", "For a test");
        // The memory that the usual compression takes for each would be the better part of the test.
        let config = rpm::BuildConfig::v4().compression(rpm::CompressionType::None);
        builder.using_config(config.source_date(1_700_000_000)).release("1");
        builder.description(format!("Build {}", self.made));
        provides.map(|provided| builder.provides(rpm::Dependency::any(provided)));
        requires.map(|wanted| builder.requires(rpm::Dependency::any(wanted)));
        let mut bytes = Vec::new();
        builder.build().unwrap().write(&mut bytes).unwrap();
        self.folder.write_atomic("made.rpm", &bytes).unwrap();
        let (blob, sha256) = self.store.take_in(&self.folder, Path::new("made.rpm")).unwrap();
        let file = PublishedFile {
            path: format!("{}/{name}-{version}-1.noarch.rpm", package_folder(&name, &blob.digest)),
            size: blob.size,
            sha256,
            blake3: blob.digest,
            nevra: Some(format!("{name}-{version}-1.noarch")),
            times: None,
        };
        let key = Some(Encoder::new("test v1").digest_field("package", &blob.digest).key());
        let keeping = Keeping::default();
        PublishedPackage { package: name, key, files: vec![file].into(), signed: None, keeping }
    }
}

/// A build in the model: when it came and since when it is not the newest, in days.
#[derive(Clone)]
struct Kept {
    build: Made,
    came: u64,
    since: Option<u64>,
}

/// What the documentation says of `keep newest="120d" builds=3 superseded="14d"`.
#[derive(Default)]
struct Model {
    kept: Vec<Kept>,
    /// Packages that have left, each with the file of the build that it had.
    left: BTreeSet<String>,
}

fn path_of(build: &Made) -> String {
    build.published.files[0].path.clone()
}

impl Model {
    fn publish(&mut self, newest: &[Made], today: u64) {
        for build in newest.iter().filter(|build| !self.left.contains(&path_of(build))) {
            let path = path_of(build);
            if self.kept.iter().any(|kept| kept.since.is_none() && path_of(&kept.build) == path) {
                continue;
            }
            for kept in self.kept.iter_mut().filter(|kept| kept.build.package == build.package) {
                kept.since.get_or_insert(today);
            }
            self.kept.push(Kept { build: build.clone(), came: today, since: None });
        }
        let mut staying: Vec<bool> = self.kept.iter().map(|kept| self.stays(kept, today)).collect();
        let replaced: Vec<bool> = self.kept.iter().map(|kept| self.is_replaced(kept)).collect();
        loop {
            let mut more = Vec::new();
            for wanted in self.kept.iter().zip(&staying).filter(|(_, stays)| **stays) {
                let Some(wanted) = wanted.0.build.requires.as_deref() else { continue };
                let provides = |place: &usize| self.kept[*place].build.provides.as_deref() == Some(wanted);
                let all: Vec<usize> = (0..self.kept.len()).filter(provides).collect();
                if all.iter().any(|place| staying[*place]) {
                    continue;
                }
                let open = all.into_iter().filter(|place| !replaced[*place]);
                more.extend(open.max_by_key(|place| self.kept[*place].came));
            }
            if more.is_empty() {
                break;
            }
            more.into_iter().for_each(|place| staying[place] = true);
        }
        let mut places = staying.iter();
        let left = self.kept.iter().zip(&staying).filter(|(kept, stays)| !**stays && kept.since.is_none());
        self.left.extend(left.map(|(kept, _)| path_of(&kept.build)));
        self.kept.retain(|_| *places.next().unwrap());
    }

    /// Whether a newer build there is of the same version.
    fn is_replaced(&self, kept: &Kept) -> bool {
        let is_same = |other: &&Kept| {
            other.build.package == kept.build.package && other.build.version == kept.build.version
        };
        self.kept.iter().filter(is_same).any(|other| other.came > kept.came)
    }

    fn stays(&self, kept: &Kept, today: u64) -> bool {
        let of_package = || self.kept.iter().filter(|other| other.build.package == kept.build.package);
        let Some(newest) = of_package().find(|other| other.since.is_none()) else { return false };
        if today - newest.came >= NEWEST_DAYS || self.is_replaced(kept) {
            return false;
        }
        let newer: BTreeSet<u32> =
            of_package().filter(|other| other.came > kept.came).map(|other| other.build.version).collect();
        let is_young = kept.since.is_some_and(|since| today - since < SUPERSEDED_DAYS);
        kept.since.is_none() || newer.len() < KEPT_BUILDS || is_young
    }

    fn paths(&self) -> BTreeSet<String> {
        self.kept.iter().map(|kept| path_of(&kept.build)).collect()
    }
}

fn keep() -> Keep {
    let age = |days: u64| Age::Limited(Duration::from_millis(days * DAY));
    let rules = KeepRules {
        newest: age(NEWEST_DAYS),
        builds: KEPT_BUILDS as u32,
        superseded: Some(age(SUPERSEDED_DAYS)),
    };
    Keep { rules: Some(rules), pins: Pins::default() }
}

/// What metadata name, as their record says.
fn listed(target: &PublishTarget<'_>, now: Timestamp) -> BTreeSet<String> {
    let record = target.read_known(now).unwrap().record;
    record.packages.iter().flat_map(|package| &package.files).map(|file| file.path.clone()).collect()
}

#[test]
fn over_a_year_what_is_kept_is_what_the_policy_says_and_all_of_it_can_be_installed() {
    let temp =
        tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" }).unwrap();
    let root = HostPath::new(temp.path()).unwrap();
    let folder = |name: &str| Folder::create_ambient(&root.join(name)).unwrap();
    let mut workshop = Workshop {
        folder: folder("made"),
        store: Store::open(&root.join("store")).unwrap(),
        dice: Dice(20_251_128),
        versions: vec![0; PACKAGES],
        sonames: vec![1; LIBRARIES],
        renamed: BTreeSet::new(),
        made: 0,
    };
    let (public, state, decoded) = (folder("public"), folder("state"), DecodedRecords::default());
    let names: Vec<String> = (0..PACKAGES).map(name_of).collect();
    let declared: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let target = PublishTarget {
        chroot: "host",
        folder: public,
        shown: "public/host".to_owned(),
        owner: Owner::new(None, temp.path(), temp.path()),
        adopts: false,
        links: false,
        clients: ClientFiles {
            signers: None,
            id: "host".to_owned(),
            title: String::new(),
            url: String::new(),
            sections: Parting::Together.sections(),
            multilib: None,
        },
        state: &state,
        decoded: &decoded,
        declared: declared.clone(),
        all_packages: declared,
        all_chroots: BTreeSet::from(["host"]),
        keep: keep(),
        layout: RepositoryLayout::Builds,
    };
    let mut newest: BTreeMap<usize, Made> = BTreeMap::new();
    let mut model = Model::default();
    let mut most_kept = 0;
    for publish in 0..PUBLISHES {
        let today = publish as u64 * 4;
        workshop.renamed.clear();
        while workshop.made < BUILDS * (publish + 1) / PUBLISHES {
            // Of some packages no more comes after a third of the year.
            let all = if publish * 3 > PUBLISHES { PACKAGES - 30 } else { PACKAGES };
            let package = match workshop.made < PACKAGES {
                true => workshop.made,
                false => workshop.dice.roll(all),
            };
            let made = workshop.build(package);
            newest.insert(package, made);
        }
        let results: Vec<PublishedPackage> = newest.values().map(|build| build.published.clone()).collect();
        let now = Timestamp(today * DAY);
        let (groups, packing) = (Groups::new(&workshop.store), MetadataPacking::Zstd);
        let (store, rule) = (&workshop.store, OnBroken::Allow);
        let holding = Holding { store, groups, packing, beside: &Alone, rule };
        let verification = Verification::TimesFirst;
        let declared = DeclaredMetadata::default();
        let updater = Updater { store, now, verification, holding, declared };
        let told = updater.update(&target, &results).unwrap();
        assert!(!told.iter().any(|what| matches!(what, What::NotPublished { .. })), "{told:?}");
        model.publish(&newest.values().cloned().collect::<Vec<_>>(), today);
        assert_eq!(listed(&target, now), model.paths(), "on day {today}");
        most_kept = most_kept.max(model.kept.len());
    }
    assert_eq!(workshop.made, BUILDS);
    let of_packages: BTreeSet<usize> = model.kept.iter().map(|kept| kept.build.package).collect();
    assert!((PACKAGES - 30..PACKAGES).contains(&of_packages.len()), "some have left: {}", of_packages.len());
    assert!(most_kept > 2 * PACKAGES, "several builds of a package are kept: {most_kept}");
    expect_whole(&model);
    expect_files(&target, &model);
    install(temp.path(), &model);
}

/// Everything that is kept has what it requires.
fn expect_whole(model: &Model) {
    let provided: BTreeSet<&str> =
        model.kept.iter().filter_map(|kept| kept.build.provides.as_deref()).collect();
    for kept in &model.kept {
        let wanted = kept.build.requires.as_deref();
        assert!(wanted.is_none_or(|wanted| provided.contains(wanted)), "{wanted:?}");
    }
}

/// All that is kept is there, and nothing has stayed behind that should have gone.
fn expect_files(target: &PublishTarget<'_>, model: &Model) {
    for path in model.paths() {
        assert!(target.folder.exists(&path), "{path}");
    }
    let folders = target.folder.entries().unwrap().len();
    let most = model.kept.len() + BUILDS * (SUPERSEDED_DAYS as usize + 8) / 365;
    assert!(folders < most, "{folders} folders of {} builds", model.kept.len());
}

/// The machine's dnf installs the newest of all packages, and older builds beside what they need.
#[expect(clippy::disallowed_methods, reason = "dnf is no program of forge's")]
fn install(temp: &Path, model: &Model) {
    let older = model.kept.iter().filter(|kept| kept.since.is_some() && kept.build.requires.is_some());
    let older = older
        .step_by(model.kept.len() / 8)
        .map(|kept| vec![format!("{}-{}-1", name_of(kept.build.package), kept.build.version)]);
    let newest = model.kept.iter().filter(|kept| kept.since.is_none());
    let newest: Vec<String> = newest.map(|kept| name_of(kept.build.package)).collect();
    for (number, wanted) in older.chain([newest]).enumerate() {
        let mut dnf = Command::new("dnf");
        dnf.args(["-y", "-q", "--repo=year", "--releasever=1", "--nogpgcheck"]);
        dnf.args(["--setopt=pluginpath=/nonexistent", "--setopt=tsflags=test"]);
        dnf.arg(format!("--setopt=cachedir={}", temp.join("cache").display()));
        dnf.arg(format!("--installroot={}", temp.join(format!("root{number}")).display()));
        dnf.arg(format!("--repofrompath=year,file://{}", temp.join("public").display()));
        let ended = dnf.arg("install").args(&wanted).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{wanted:?}: {said}");
    }
}
