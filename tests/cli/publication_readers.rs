//! Clients that read while forge publishes, and forge killed while it does.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::interruption::Delays;
use crate::publication::{change, two};
use crate::support::Repository;

#[test]
fn a_reader_never_meets_a_missing_or_wrong_file_while_200_publishes_happen_and_50_are_killed() {
    let project = two();
    for round in [1, 0] {
        change(&project, "a", round);
        project.succeed(&["apply"]);
    }
    let folder = project.path().join("public/host");
    let mut killed = 0;
    let is_over = AtomicBool::new(false);
    let reads = AtomicUsize::new(0);
    let repository = Repository::new(&folder);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                repository.follow()?;
                reads.fetch_add(1, Ordering::Relaxed);
                // Leaves the processors to those who publish.
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok::<(), String>(())
        });
        let mut delays = Delays(20_261_127);
        for round in 0..200 {
            let is_killed = round % 4 == 3;
            // What is killed brings in a package that was never there.
            change(&project, "a", if is_killed { round } else { round % 2 });
            let mut child =
                project.forge(&["apply", "-q"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            if is_killed {
                wait_until_it_publishes(&mut child, &folder);
                std::thread::sleep(delays.next(Duration::from_millis(40)));
                // It may have ended by itself.
                let _ = child.kill();
                killed += usize::from(child.wait().unwrap().code().is_none());
            } else {
                assert!(child.wait().unwrap().success(), "round {round}");
            }
            if reader.is_finished() {
                break;
            }
        }
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(reader.join().unwrap(), Ok(()));
    });
    assert!(reads.load(Ordering::Relaxed) > 200 && killed > 25, "{killed} killed");
    project.succeed(&["apply", "--verify-published"]);
    let record: serde_json::Value =
        serde_json::from_str(&project.read("public/host/.forge-repository")).unwrap();
    let on_record = paths(&record);
    let found = files_below(&folder).into_iter().filter(|path| !path.starts_with(".forge-repository"));
    let unknown: Vec<String> = found.filter(|path| !on_record.contains(path)).collect();
    assert!(unknown.is_empty(), "left by what was killed: {unknown:?}");
}

/// Waits until a forge has begun to write to a repository, or has ended.
fn wait_until_it_publishes(child: &mut Child, repository: &Path) {
    while !repository.join(".forge-publishing").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Every `path` in a record.
fn paths(json: &serde_json::Value) -> BTreeSet<String> {
    match json {
        serde_json::Value::Object(fields) => {
            let own = fields.get("path").and_then(|path| path.as_str()).map(str::to_owned);
            fields.values().flat_map(paths).chain(own).collect()
        }
        serde_json::Value::Array(values) => values.iter().flat_map(paths).collect(),
        _ => BTreeSet::new(),
    }
}

/// The files of a folder and those below, relative to it.
fn files_below(folder: &Path) -> Vec<String> {
    let (mut files, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            match entry.unwrap().path() {
                path if path.is_dir() => open.push(path),
                path => files.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    files
}
