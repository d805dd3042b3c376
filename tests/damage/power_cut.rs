//! The power goes while forge applies and publishes `examples/libraries`: at every operation on the file system, under
//! several models of what a disk loses. What clients of the repository then see is whole, and the next apply ends with the
//! repository that an undisturbed one makes.
//!
//! The default run looks at what clients see of all states, and lets forge go on from a sample of them; with
//! `FORGE_TEST_POWER_CUTS=all` from all. A number takes a sample of that size, `1/8` the first of eight parts, each spread over
//! all moments.

use std::collections::HashSet;
use std::path::Path;

use crate::failures::{Failures, sample, scattered};
use crate::repository_client::Listed;
use crate::simulation::{
    Disk, Journal, Loss, Machine, Operation, PROJECT, Tree, in_own_mounts, read_repository, release_again,
    wrong_blobs,
};

/// From how many states forge goes on in the default run.
const SAMPLE: usize = 16;

/// Where builds work and where their logs are written as they come: disks that differ only there are one case.
pub fn is_scratch(path: &Path) -> bool {
    let is_log =
        path.starts_with("project/.forge/results") && path.extension().is_some_and(|name| name == "log");
    is_log || path.starts_with("project/.forge/work")
}

/// An apply, a change, and an apply that publishes it, with everything that they did on the disk.
pub struct Recording {
    empty_disk: Tree,
    pub journal: Journal,
    /// The operations that made the change, and were not forge's.
    pub change: std::ops::Range<usize>,
    pub first: Listed,
    pub second: Listed,
}

/// A moment at which the power goes, and what is lost.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// So many operations have been carried out.
    pub after: usize,
    pub loss: Loss,
}

impl Recording {
    pub fn make(machine: &Machine) -> Self {
        let empty_disk = machine.new_disk();
        let mount = machine.mount(empty_disk.clone());
        machine.succeed(&["apply"]);
        let first = read_repository(&mount.tree()).unwrap();
        let begin = mount.journal().operations.len();
        release_again(machine, "base/libbase.spec");
        let end = mount.journal().operations.len();
        machine.succeed(&["apply"]);
        let second = read_repository(&mount.tree()).unwrap();
        assert!(first.len() >= 14 && second.len() >= 14 && first != second, "{first:#?}");
        Self { empty_disk, journal: mount.journal(), change: begin..end, first, second }
    }

    /// What the repository must be after a cut and another apply.
    fn expected(&self, cut: Cut) -> &Listed {
        if cut.after < self.change.end { &self.first } else { &self.second }
    }

    /// All cuts that leave different disks, each with what was wrong there for clients.
    fn distinct_cuts(&self) -> (Vec<Cut>, Failures) {
        let (mut cuts, mut failures) = (Vec::new(), Failures::default());
        let mut seen = HashSet::new();
        let mut disk = Disk::new(self.empty_disk.clone());
        for (at, (operation, time)) in self.journal.operations.iter().enumerate() {
            disk.apply(operation, *time);
            if self.change.contains(&at) && at + 1 < self.change.end {
                continue;
            }
            for loss in Loss::ALL.into_iter().filter(|loss| loss.is_changed_by(operation)) {
                let left = disk.after_power_cut(loss);
                let cut = Cut { after: at + 1, loss };
                // The same disk before and after the change is two cases: other things are expected of it.
                if seen.insert((left.fingerprint(is_scratch), cut.after < self.change.end)) {
                    if let Err(problem) = self.check_clients(&left, cut) {
                        failures.add(format!("clients: {problem}"), self.describe(cut, &disk));
                    }
                    cuts.push(cut);
                }
            }
        }
        (cuts, failures)
    }

    /// What clients see is one of the repositories that forge has made; once it has ended, there is one.
    pub fn check_clients(&self, left: &Tree, cut: Cut) -> Result<(), String> {
        let seen = read_repository(left)?;
        let is_first = seen == self.first;
        if cut.after < self.change.end {
            let may_be_missing = seen.is_empty() && cut.after < self.change.start;
            return (is_first || may_be_missing)
                .then_some(())
                .ok_or_else(|| names("neither none nor the first", &seen));
        }
        (is_first || seen == self.second)
            .then_some(())
            .ok_or_else(|| names("neither the first nor the second", &seen))
    }

    /// The disk after so many operations.
    pub fn disk_after(&self, count: usize) -> Disk {
        let mut disk = Disk::new(self.empty_disk.clone());
        self.journal.operations.iter().take(count).for_each(|(operation, time)| disk.apply(operation, *time));
        disk
    }

    /// Lets forge go on after a cut.
    pub fn recover(&self, machine: &Machine, left: Tree, cut: Cut) -> Result<(), String> {
        let mount = machine.mount(left);
        let expected = self.expected(cut);
        let apply = |what: &str| {
            let said = machine.forge(&["apply"]);
            if said.code != Some(0) {
                return Err(format!("{what}: exit {:?}: {}", said.code, said.text));
            }
            match read_repository(&mount.tree()) {
                Ok(listed) if listed == *expected => Ok(()),
                Ok(listed) => Err(names(&format!("{what}: exit 0 with another repository"), &listed)),
                Err(problem) => Err(format!("{what}: exit 0 and clients meet: {problem}")),
            }
        };
        apply("the next apply")?;
        check_memory(&mount.tree())?;
        let verify = machine.forge(&["store", "verify"]);
        if verify.code != Some(0) {
            return Err(format!("after the next apply, store verify says: {}", verify.text));
        }
        let plan = machine.forge(&["plan", "--detailed-exitcode"]);
        if plan.code != Some(0) {
            return Err(format!("after the next apply, plan has exit {:?}: {}", plan.code, plan.text));
        }
        std::fs::remove_dir_all(machine.path().join(PROJECT).join("public")).unwrap();
        apply("an apply from the store alone")
    }

    fn describe(&self, cut: Cut, disk: &Disk) -> String {
        let (operation, _) = &self.journal.operations[cut.after - 1];
        let phase = if cut.after < self.change.end { "first" } else { "second" };
        format!(
            "{phase} apply, after operation {}, {:?}: {}",
            cut.after,
            cut.loss,
            disk.live().describe(operation)
        )
    }
}

/// What is in the store and in the history is right, without asking forge.
fn check_memory(disk: &Tree) -> Result<(), String> {
    if let Some(wrong) = wrong_blobs(disk).pop() {
        return Err(format!("after the next apply, {wrong}"));
    }
    let temp = tempfile::tempdir().unwrap();
    for file in ["history.db", "history.db-wal"] {
        if let Some(data) = disk.read(format!("{PROJECT}/.forge/{file}")) {
            std::fs::write(temp.path().join(file), data).unwrap();
        }
    }
    let history = rusqlite::Connection::open(temp.path().join("history.db")).unwrap();
    let found: Result<String, _> = history.query_row("PRAGMA integrity_check", [], |row| row.get(0));
    let builds: Result<i64, _> = history.query_row("SELECT count(*) FROM builds", [], |row| row.get(0));
    match (found.as_deref(), builds) {
        (Ok("ok"), Ok(1..)) => Ok(()),
        (found, builds) => {
            Err(format!("after the next apply, the history is damaged: {found:?}, {builds:?}"))
        }
    }
}

fn names(problem: &str, listed: &Listed) -> String {
    format!("{problem}: {:?}", listed.keys().collect::<Vec<_>>())
}

#[test]
fn whenever_the_power_goes_clients_see_a_whole_repository_and_the_next_apply_makes_the_right_one() {
    if !in_own_mounts(
        "power_cut::whenever_the_power_goes_clients_see_a_whole_repository_and_the_next_apply_makes_the_right_one",
    ) {
        return;
    }
    let machine = Machine::new();
    let recording = Recording::make(&machine);
    let syncs = |operation: &Operation| {
        matches!(operation, Operation::SyncFile { .. } | Operation::SyncFolder { .. })
    };
    let operations = recording.journal.operations.len();
    println!("{operations} operations, {} syncs", recording.journal.count(syncs));
    let (cuts, mut failures) = recording.distinct_cuts();
    let selected = sample(&cuts, "FORGE_TEST_POWER_CUTS", SAMPLE);
    println!("{} different disks, forge goes on from {}", cuts.len(), selected.len());

    let count = selected.len();
    for (recovered, cut) in scattered(selected).into_iter().enumerate() {
        failures.tell_progress(recovered, count);
        let disk = recording.disk_after(cut.after);
        if let Err(problem) = recording.recover(&machine, disk.after_power_cut(cut.loss), cut) {
            failures.add(problem, recording.describe(cut, &disk));
        }
    }
    println!("{count} recoveries");
    failures.assert_none(cuts.len());
}
