//! Two faults in a row: forge is killed while it publishes, and the power goes while the next apply puts that right. What the
//! killed one had not synced yet is then still unsynced, and nobody else knows of it.
//!
//! The default run takes a few kills and lets forge go on from a sample of what each leaves; `FORGE_TEST_TWO_FAULTS=all` takes
//! all kills.

use std::collections::HashSet;

use crate::failures::{Failures, sample};
use crate::power_cut::{Cut, Recording, is_scratch};
use crate::simulation::{Disk, Loss, Machine, Operation, Tree, in_own_mounts};

/// How many kills the default run takes.
const KILLS: usize = 12;

/// From how many of the disks that each leads to forge goes on.
const RECOVERIES: usize = 1;

const REPOSITORY: &str = "project/public/host";

/// After how many operations of the second apply forge is killed: each time that something in the repository has got its name.
fn kills(recording: &Recording) -> Vec<usize> {
    let mut disk = recording.disk_after(recording.change.end);
    let mut kills = Vec::new();
    for (at, (operation, time)) in recording.journal.operations.iter().enumerate().skip(recording.change.end)
    {
        let names = disk.live().describe(operation);
        disk.apply(operation, *time);
        // A new name is what a power cut takes away again.
        if names.contains(REPOSITORY)
            && matches!(operation, Operation::Rename { .. } | Operation::Link { .. })
        {
            kills.push(at + 1);
        }
    }
    kills
}

/// Lets the apply that follows a kill run, and gives all disks that a power cut leaves while it does, and then.
fn disks_after(machine: &Machine, mut disk: Disk) -> (Vec<(Loss, Tree)>, String) {
    let mount = machine.mount(disk.live().clone());
    let said = machine.forge(&["apply"]);
    let journal = mount.journal();
    drop(mount);
    let mut left = Vec::new();
    let mut seen = HashSet::new();
    for (operation, time) in &journal.operations {
        disk.apply(operation, *time);
        for loss in Loss::ALL.into_iter().filter(|loss| loss.is_changed_by(operation)) {
            let tree = disk.after_power_cut(loss);
            if seen.insert(tree.fingerprint(is_scratch)) {
                left.push((loss, tree));
            }
        }
    }
    (left, if said.code == Some(0) { String::new() } else { said.text })
}

#[test]
fn a_power_cut_after_a_killed_publish_leaves_clients_a_whole_repository() {
    if !in_own_mounts("two_faults::a_power_cut_after_a_killed_publish_leaves_clients_a_whole_repository") {
        return;
    }
    let machine = Machine::new();
    let recording = Recording::make(&machine);
    let kills = kills(&recording);
    assert!(kills.len() > 10, "{} kills: a publish names more files than that", kills.len());
    let (mut failures, mut checked) = (Failures::default(), 0);
    for kill in sample(&kills, "FORGE_TEST_TWO_FAULTS", KILLS) {
        let (disks, refused) = disks_after(&machine, recording.disk_after(kill));
        if !refused.is_empty() {
            failures.add(format!("the apply after a kill: {refused}"), format!("after operation {kill}"));
        }
        let cut = |loss: &Loss| Cut { after: kill, loss: *loss };
        for (loss, left) in &disks {
            checked += 1;
            if let Err(problem) = recording.check_clients(left, cut(loss)) {
                failures.add(format!("clients: {problem}"), format!("{:?}", cut(loss)));
            }
        }
        for (loss, left) in sample(&disks, "FORGE_TEST_TWO_FAULTS_GO_ON", RECOVERIES) {
            if let Err(problem) = recording.recover(&machine, left, cut(&loss)) {
                failures.add(problem, format!("{:?}", cut(&loss)));
            }
        }
    }
    println!("{} kills, {checked} disks", kills.len());
    failures.assert_none(checked);
}
