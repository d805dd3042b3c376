//! Small repositories, a rule at a time.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use super::{Keep, KeepRules, Retained, Verdict, WhyGoes, WhyStays, retain};
use crate::digest::{Digest, Encoder, Key};
use crate::event::{BuildName, Timestamp};
use crate::manifest::Age;
use crate::package::Dependency;
use crate::publish::closure::Needs;
use crate::publish::owner::Owner;
use crate::publish::paths::package_folder;
use crate::publish::record::{Keeping, PublishedFile, PublishedPackage, RepositoryRecord};
use crate::store::{Pin, Pins};

/// So many days after the beginning.
fn day(days: u64) -> Timestamp {
    Timestamp(days * 86_400_000)
}

fn days(days: u64) -> Age {
    Age::Limited(Duration::from_secs(days * 86_400))
}

fn key(package: &str, content: &str) -> Key {
    Encoder::new("test v1").text(package, content).key()
}

/// A build of a package: `a 1-1` has the one package `a-1-1.noarch`. What follows a `+` tells builds of a version apart.
fn build(title: &str) -> PublishedPackage {
    let (package, content) = title.split_once(' ').unwrap();
    let (version, _) = content.split_once('+').unwrap_or((content, ""));
    let digest = Digest::compute(title.as_bytes());
    let file = PublishedFile {
        path: format!("{}/{package}.rpm", package_folder(package, &digest)),
        size: 1,
        sha256: "0".repeat(64),
        blake3: digest,
        nevra: Some(format!("{package}-{version}.noarch")),
        times: None,
    };
    PublishedPackage {
        package: package.to_owned(),
        key: Some(key(package, content)),
        files: vec![file].into(),
        signed: None,
        keeping: Keeping::default(),
    }
}

/// A repository that is published to again and again.
struct Repository {
    record: RepositoryRecord,
    keep: Keep,
    declared: BTreeSet<&'static str>,
    /// What packages provide and require, by their names.
    needs: HashMap<&'static str, (&'static str, &'static str)>,
}

impl Repository {
    fn new(rules: KeepRules) -> Self {
        let owner = Owner::new(None, Path::new("/a"), Path::new("/b"));
        Self {
            record: RepositoryRecord::empty(owner, "host"),
            keep: Keep { rules: Some(rules), pins: Pins::default() },
            declared: BTreeSet::from(["a", "b", "c"]),
            needs: HashMap::new(),
        }
    }

    /// Publishes these as the newest builds, at that time; gives what becomes of each build.
    fn publish(&mut self, titles: &[&str], now: Timestamp) -> Vec<(String, Verdict)> {
        let needs = |package: &PublishedPackage| {
            let nevra = package.files[0].nevra.clone().unwrap();
            let list = |text: &str| text.split_whitespace().map(Dependency::any).collect();
            let (provides, requires) = self.needs.get(&*nevra).copied().unwrap_or_default();
            Ok(vec![Needs { provides: list(provides), requires: list(requires), nevra }])
        };
        let newest = titles.iter().map(|title| build(title));
        let newest = newest.filter(|it| !self.keep.stays_away(&self.record, it, now)).collect();
        let rules = (&self.keep, &self.declared);
        let Retained { packages, retired, judged, warning } =
            retain((&self.record, newest), rules, now, &needs);
        assert_eq!(warning, None);
        (self.record.packages, self.record.retired) = (packages.into(), retired);
        let judged = judged.unwrap_or_default().into_iter();
        judged.map(|(build, verdict)| (build.title(), verdict)).collect()
    }

    /// Pins a build of `a`.
    fn pin(&mut self, key: Key) {
        let build = BuildName { package: "a".to_owned(), chroot: "host".to_owned() };
        self.keep.pins.add(Pin { number: 1, build, key, result: None, since: day(0) });
    }

    /// The builds that stay.
    fn titles(&self) -> Vec<String> {
        self.record.packages.iter().map(PublishedPackage::title).collect()
    }
}

const BUILDS: KeepRules = KeepRules { newest: Age::Forever, builds: 2, superseded: None };

#[test]
fn as_many_of_the_newest_builds_stay_as_are_kept() {
    let mut repository = Repository::new(BUILDS);
    for version in 1..=4 {
        repository.publish(&[&format!("a {version}-1"), "b 1-1"], day(version));
    }
    assert_eq!(repository.titles(), ["a 4-1", "a 3-1", "b 1-1"]);
    let judged = repository.publish(&["a 5-1", "b 1-1"], day(9));
    assert_eq!(judged[1], ("a 4-1".to_owned(), Verdict::Stays(WhyStays::Builds { place: 2 })));
    assert_eq!(judged[2], ("a 3-1".to_owned(), Verdict::Goes(WhyGoes::Superseded { since: day(4) })));
}

#[test]
fn superseded_builds_stay_for_as_long_as_is_said() {
    let mut repository = Repository::new(KeepRules { superseded: Some(days(14)), builds: 1, ..BUILDS });
    repository.publish(&["a 1-1"], day(0));
    let judged = repository.publish(&["a 2-1"], day(30));
    let until = Some(day(44));
    assert_eq!(
        judged[1].1,
        Verdict::Stays(WhyStays::Superseded { until }),
        "it counts from the newer one on"
    );
    repository.publish(&["a 2-1"], day(43));
    assert_eq!(repository.titles(), ["a 2-1", "a 1-1"]);
    repository.publish(&["a 2-1"], day(44));
    assert_eq!(repository.titles(), ["a 2-1"]);
}

#[test]
fn a_package_that_was_not_built_for_long_leaves_until_it_is_built_again() {
    let mut repository = Repository::new(KeepRules { newest: days(100), builds: 3, superseded: None });
    repository.publish(&["a 1-1"], day(0));
    repository.publish(&["a 2-1"], day(10));
    repository.publish(&["a 2-1", "b 1-1"], day(109));
    assert_eq!(repository.titles(), ["a 2-1", "a 1-1", "b 1-1"]);
    repository.publish(&["a 2-1", "b 1-1"], day(110));
    assert_eq!(repository.titles(), ["b 1-1"]);
    repository.publish(&["a 2-1", "b 1-1"], day(111));
    assert_eq!(repository.titles(), ["b 1-1"], "its result is still the newest, and does not come back");
    repository.publish(&["a 3-1", "b 1-1"], day(112));
    assert_eq!(repository.titles(), ["a 3-1", "b 1-1"]);
    assert!(repository.record.retired.is_empty());
}

#[test]
fn what_has_left_for_its_age_comes_back_where_it_may_be_older_now() {
    let mut repository = Repository::new(KeepRules { newest: days(100), builds: 1, superseded: None });
    repository.publish(&["a 1-1"], day(0));
    repository.publish(&["a 1-1"], day(100));
    assert!(repository.titles().is_empty());
    repository.keep.rules = Some(KeepRules { newest: days(200), builds: 1, superseded: None });
    repository.publish(&["a 1-1"], day(101));
    assert_eq!(repository.titles(), ["a 1-1"]);
    repository.publish(&["a 1-1"], day(200));
    assert!(repository.titles().is_empty(), "it has the age that it had");
}

#[test]
fn what_a_kept_package_requires_stays_with_what_that_requires() {
    let mut repository = Repository::new(KeepRules { builds: 1, ..BUILDS });
    repository.needs = HashMap::from([
        ("a-1-1.noarch", ("liba.1", "libb.1")),
        ("a-2-1.noarch", ("liba.2", "")),
        ("b-1-1.noarch", ("libb.1", "")),
        ("b-2-1.noarch", ("libb.2", "")),
        ("c-1-1.noarch", ("", "liba.1 elsewhere")),
    ]);
    repository.publish(&["a 1-1", "b 1-1", "c 1-1"], day(0));
    let judged = repository.publish(&["a 2-1", "b 2-1", "c 1-1"], day(1));
    let required = |by: &str, wanted: &str| {
        Verdict::Stays(WhyStays::Required { by: by.to_owned(), wanted: wanted.to_owned() })
    };
    assert_eq!(judged[1], ("a 1-1".to_owned(), required("c-1-1.noarch", "liba.1")));
    assert_eq!(judged[3], ("b 1-1".to_owned(), required("a-1-1.noarch", "libb.1")));
    repository.publish(&["a 2-1", "b 2-1", "c 2-1"], day(2));
    assert_eq!(repository.titles(), ["a 2-1", "b 2-1", "c 2-1"]);
}

#[test]
fn a_build_of_the_same_version_takes_the_place_of_the_one_before() {
    let mut repository = Repository::new(BUILDS);
    repository.publish(&["a 1-1"], day(0));
    repository.publish(&["a 2-1+first"], day(1));
    let judged = repository.publish(&["a 2-1+second"], day(2));
    assert_eq!(judged[1].1, Verdict::Goes(WhyGoes::Replaced { since: day(2) }));
    assert_eq!(repository.titles(), ["a 2-1", "a 1-1"], "the one before that is the second newest");
}

#[test]
fn an_older_build_that_needs_what_was_replaced_goes() {
    let mut repository = Repository::new(BUILDS);
    repository.needs = HashMap::from([("a-1-1.noarch", ("lib.1", "")), ("b-1-1.noarch", ("", "lib.1"))]);
    repository.publish(&["a 1-1+first", "b 1-1"], day(0));
    repository.publish(&["a 1-1+first", "b 2-1"], day(1));
    assert_eq!(repository.titles(), ["a 1-1", "b 2-1", "b 1-1"]);
    repository.needs.remove("a-1-1.noarch");
    repository.needs.insert("a-1-1.noarch", ("lib.2", ""));
    // Only its files tell the first build from the second here.
    let needs = |package: &PublishedPackage| {
        let is_first = package.key == Some(key("a", "1-1+first"));
        let provides = if is_first { vec![Dependency::any("lib.1")] } else { Vec::new() };
        let is_user = package.key == Some(key("b", "1-1"));
        let requires = if is_user { vec![Dependency::any("lib.1")] } else { Vec::new() };
        Ok(vec![Needs { nevra: package.files[0].nevra.clone().unwrap(), provides, requires }])
    };
    let newest = vec![build("a 1-1+second"), build("b 2-1")];
    let rules = (&repository.keep, &repository.declared);
    let retained = retain((&repository.record, newest), rules, day(2), &needs);
    let verdict = &retained.judged.as_ref().unwrap()[3].1;
    assert!(
        matches!(verdict, Verdict::Goes(WhyGoes::Broken { wanted, .. }) if wanted == "lib.1"),
        "{verdict:?}"
    );
    let titles: Vec<String> = retained.packages.iter().map(PublishedPackage::title).collect();
    assert_eq!(titles, ["a 1-1", "b 2-1"]);
}

#[test]
fn pinned_builds_stay_and_what_they_require() {
    let mut repository = Repository::new(KeepRules { builds: 1, ..BUILDS });
    repository.needs = HashMap::from([("a-1-1.noarch", ("", "lib.1")), ("b-1-1.noarch", ("lib.1", ""))]);
    repository.publish(&["a 1-1", "b 1-1"], day(0));
    repository.pin(key("a", "1-1"));
    repository.publish(&["a 2-1", "b 2-1"], day(1));
    assert_eq!(repository.titles(), ["a 2-1", "a 1-1", "b 2-1", "b 1-1"]);
    repository.keep.rules = None;
    repository.declared.clear();
    let judged = repository.publish(&[], day(900));
    assert_eq!(repository.titles(), ["a 1-1", "b 1-1"], "also where nothing declares them");
    assert_eq!(judged[0].1, Verdict::Goes(WhyGoes::Undeclared));
    repository.keep.pins = Pins::default();
    repository.publish(&[], day(901));
    assert!(repository.titles().is_empty());
}

#[test]
fn of_two_builds_of_one_key_the_one_is_pinned_that_was_named() {
    let mut repository = Repository::new(KeepRules { builds: 1, ..BUILDS });
    let shared = key("a", "1-1");
    let build_of = |version: &str| PublishedPackage { key: Some(shared), ..build(&format!("a {version}")) };
    let name = BuildName { package: "a".to_owned(), chroot: "host".to_owned() };
    let result = Some(build_of("1-1").result());
    repository.keep.pins.add(Pin { number: 1, build: name, key: shared, result, since: day(0) });
    assert!(repository.keep.pins(&build_of("1-1")) && !repository.keep.pins(&build_of("2-1")));
    // Of one that was taken over, nothing but its files is known.
    assert!(repository.keep.pins(&PublishedPackage { key: None, ..build("a 1-1") }));
    assert!(!repository.keep.pins(&PublishedPackage { key: None, ..build("a 2-1") }));
}

#[test]
fn a_pinned_build_is_left_out_of_metadata_while_another_has_its_version() {
    let mut repository = Repository::new(BUILDS);
    repository.pin(key("a", "1-1+first"));
    repository.publish(&["a 1-1+first"], day(0));
    repository.publish(&["a 1-1+second"], day(1));
    let is_hidden = |repository: &Repository| -> Vec<bool> {
        repository.record.packages.iter().map(|package| package.keeping.hidden).collect()
    };
    assert_eq!(is_hidden(&repository), [false, true]);
    repository.keep.rules = Some(KeepRules { builds: 1, ..BUILDS });
    repository.publish(&["a 2-1"], day(2));
    assert_eq!(is_hidden(&repository), [false, false], "{:?}", repository.titles());
}

#[test]
fn a_build_that_comes_back_is_the_newest_again() {
    let mut repository = Repository::new(BUILDS);
    repository.publish(&["a 2-1"], day(0));
    repository.publish(&["a 1-1"], day(1));
    repository.publish(&["a 2-1"], day(2));
    assert_eq!(repository.titles(), ["a 2-1", "a 1-1"]);
    let [newest, older] = &*repository.record.packages else { panic!("two builds") };
    assert_eq!((newest.keeping.came, newest.keeping.since), (Some(day(2)), None));
    assert_eq!((older.keeping.came, older.keeping.since), (Some(day(1)), Some(day(2))));
}

#[test]
fn without_rules_and_pins_nothing_is_said_of_builds() {
    let mut repository = Repository::new(BUILDS);
    repository.publish(&["a 1-1"], day(0));
    repository.publish(&["a 2-1"], day(1));
    repository.keep.rules = None;
    repository.publish(&["a 2-1"], day(2));
    assert_eq!(*repository.record.packages, [build("a 2-1")]);
    assert!(repository.record.retired.is_empty());
}
