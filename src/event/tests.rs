//! Every variant, written and read again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;

fn build() -> BuildName {
    BuildName { package: "curl".to_owned(), chroot: "host".to_owned() }
}

fn failure() -> Failure {
    let bare = Problem {
        code: "forge::engine::bad_exit".to_owned(),
        severity: Severity::Warning,
        text: "Bad exit status".to_owned(),
        file: None,
        line: None,
        through: Vec::new(),
        help: None,
    };
    let full = Problem {
        severity: Severity::Error,
        file: Some("curl.spec".to_owned()),
        line: Some(7),
        through: vec!["%configure".to_owned()],
        help: Some("look there".to_owned()),
        ..bare.clone()
    };
    Failure {
        cause: "it failed in %build".to_owned(),
        problems: vec![bare, full],
        excerpt: vec!["no such thing".to_owned()],
        log: Some(".forge/results/host/00000001-curl/build.log".to_owned()),
        tree: None,
    }
}

fn ended(state: State, failure: Option<Failure>) -> What {
    let stages = vec![StageTime { name: "prep".to_owned(), milliseconds: 3 }];
    What::BuildEnded(Ended {
        build: build(),
        number: failure.is_some().then_some(1),
        state,
        duration: Duration::from_millis(1500),
        stages,
        skipped: failure.is_none().then(|| "not chosen".to_owned()),
        results: failure.as_ref().map(|_| ".forge/results/host/00000001-curl".to_owned()),
        failure,
    })
}

fn not_published(package: Option<&str>) -> What {
    What::NotPublished {
        chroot: "host".to_owned(),
        package: package.map(str::to_owned),
        cause: "no room".to_owned(),
        code: package.map(|_| "forge::publish::io".to_owned()),
        help: None,
    }
}

/// Something of each variant, with what may be missing there and missing.
fn samples() -> Vec<What> {
    let minute = Duration::from_secs(60);
    let changed =
        |number, estimate| What::StateChanged { build: build(), number, state: State::Running, estimate };
    let damaged = |package: Option<String>, damage| DamagedFile::new("a.rpm".to_owned(), package, damage);
    let repaired = vec![damaged(None, Damage::Missing)];
    let lost = vec![damaged(Some("curl".to_owned()), Damage::Changed)];
    let (chroot, folder) = ("host".to_owned(), "public/host".to_owned());
    let place = "s3://bucket/host".to_owned();
    let (packages, none) = (BTreeMap::from([("a.rpm".to_owned(), "00".to_owned())]), BTreeMap::new());
    let found = |build| What::DamageFound { build, file: "a.rpm".to_owned(), digest: "00".to_owned() };
    vec![
        What::ApplyStarted { builds: 2, estimate: minute },
        changed(None, None),
        changed(Some(1), Some(minute)),
        What::StageStarted { build: build(), stage: "prep".to_owned() },
        What::Logged { build: build(), text: "+ make \u{fffd}\u{1b}[1m\n".to_owned() },
        What::Retried { build: build(), attempt: 2, cause: "it failed".to_owned() },
        ended(State::Failed, Some(failure())),
        ended(State::Skipped, None),
        What::Published {
            chroot: chroot.clone(),
            folder: folder.clone(),
            packages: 3,
            added: vec!["curl".to_owned()],
            removed: Vec::new(),
            signed_by: vec!["0123456789ABCDEF0123456789ABCDEF01234567".to_owned()],
        },
        not_published(None),
        not_published(Some("curl")),
        What::Sending { chroot: chroot.clone(), place: place.clone(), bytes: 1, total_bytes: 3 },
        What::Sent { chroot: chroot.clone(), place: place.clone(), files: 2, bytes: 3, removed: 1 },
        What::NotSent {
            chroot: chroot.clone(),
            place,
            cause: "no answer".to_owned(),
            code: Some("forge::fetch::connection".to_owned()),
            help: None,
        },
        What::RepositoryDamaged { chroot, folder, repaired, lost },
        found(None),
        found(Some(build())),
        What::Noted { text: "note".to_owned() },
        What::SourceMoved {
            package: "curl".to_owned(),
            kind: "git".to_owned(),
            from: None,
            to: Some("00".to_owned()),
        },
        What::Rebuilt {
            build: build(),
            number: 2,
            comparison: RebuildComparison::new(1, &packages, &packages),
        },
        What::Rebuilt { build: build(), number: 3, comparison: RebuildComparison::new(1, &packages, &none) },
        What::SourceFailed { package: "curl".to_owned(), cause: "no answer".to_owned() },
        What::SourcesLookedAt { sources: 2, moved: 1, failed: 1 },
        What::ApplyEnded { states: [(State::Succeeded, 1), (State::Skipped, 1)].into(), duration: minute },
    ]
}

fn event(what: What) -> Event {
    Event { run: RunId::new(Timestamp(9), [3; 10]), at: Timestamp(1_764_235_000_123), what }
}

fn line(what: What) -> String {
    serde_json::to_string(&event(what)).unwrap()
}

fn schema() -> serde_json::Value {
    serde_json::from_str(&event_schema()).unwrap()
}

/// The names of the variants, from the schema that is made of the type.
fn variants() -> BTreeSet<String> {
    let schema = schema();
    let variants = schema["oneOf"].as_array().unwrap().iter();
    variants.map(|variant| variant["properties"]["event"]["const"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_variant_is_read_as_it_was_written() {
    let mut seen = BTreeSet::new();
    for what in samples() {
        let line = line(what.clone());
        assert_eq!(Event::read(&line).unwrap(), Some(event(what)), "{line}");
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        seen.insert(json["event"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, variants());
}

#[test]
fn every_variant_fits_the_schema_and_what_lacks_a_field_does_not() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for what in samples() {
        let json: serde_json::Value = serde_json::from_str(&line(what)).unwrap();
        assert!(validator.is_valid(&json), "{json}: {:?}", validator.iter_errors(&json).collect::<Vec<_>>());
        for name in json.as_object().unwrap().keys() {
            let mut lacking = json.clone();
            lacking.as_object_mut().unwrap().remove(name);
            // What is written only where it is known may be missing.
            let optional = [("not-published", "package"), ("published", "signed_by")];
            let is_optional = optional.iter().any(|(event, field)| json["event"] == *event && name == field);
            assert_eq!(validator.is_valid(&lacking), is_optional, "{json} without {name}");
        }
    }
}

#[test]
fn what_a_newer_forge_adds_is_passed_over() {
    let noted = line(What::Noted { text: "note".to_owned() });
    let with_field = noted.replace("\"event\"", "\"host\":\"builder-1\",\"event\"");
    assert_eq!(Event::read(&with_field).unwrap(), Some(event(What::Noted { text: "note".to_owned() })));
    for newer in [
        noted.replace("noted", "uploaded"),
        line(ended(State::Failed, None)).replace("\"failed\"", "\"postponed\""),
    ] {
        assert_eq!(Event::read(&newer).unwrap(), None, "{newer}");
    }
}

#[test]
fn what_is_no_event_is_an_error() {
    let noted = line(What::Noted { text: "note".to_owned() });
    for broken in ["", "note", "{}", "{\"event\":\"noted\"}", &noted[1..], &noted.replace("-", "+")] {
        assert!(Event::read(broken).is_err(), "{broken}");
    }
}
