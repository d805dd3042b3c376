//! The simulation is checked with a program that is known to sync what it must: SQLite loses nothing that it has committed,
//! under any model and at any moment; where it is told not to sync, it does.

use rusqlite::Connection;

use crate::simulation::{Disk, Journal, Loss, Machine, Tree, in_own_mounts};

const ROWS: u32 = 4;

/// Commits rows one by one; gives what was done, and how many operations had been done after each commit.
fn commit_rows(synchronous: &str) -> (Journal, Vec<usize>) {
    let machine = Machine::new();
    let mount = machine.mount(Tree::default());
    let connection = Connection::open(machine.path().join("rows.db")).unwrap();
    // Without it SQLite maps shared memory from the file system that this very process serves: it would wait for itself.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "synchronous", synchronous).unwrap();
    connection.execute("CREATE TABLE rows (number)", []).unwrap();
    let mut commits = Vec::new();
    for number in 0..ROWS {
        connection.execute("INSERT INTO rows VALUES (?)", [number]).unwrap();
        commits.push(mount.journal().operations.len());
    }
    connection.close().unwrap();
    (mount.journal(), commits)
}

fn rows_left(left: &Tree) -> u32 {
    let temp = tempfile::tempdir().unwrap();
    for name in ["rows.db", "rows.db-wal", "rows.db-journal"] {
        if let Some(data) = left.read(name) {
            std::fs::write(temp.path().join(name), data).unwrap();
        }
    }
    let connection = Connection::open(temp.path().join("rows.db")).unwrap();
    // Reading may write the rest of a journal down, which needs no disk to be asked.
    connection.pragma_update(None, "synchronous", "OFF").unwrap();
    connection.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)).unwrap_or_default()
}

/// The moments and models at which fewer rows are left than had been committed.
fn losses(synchronous: &str) -> Vec<String> {
    let (journal, commits) = commit_rows(synchronous);
    let mut disk = Disk::new(Tree::default());
    let mut lost = Vec::new();
    for (at, (operation, time)) in journal.operations.iter().enumerate() {
        disk.apply(operation, *time);
        let committed = commits.iter().filter(|commit| **commit <= at + 1).count();
        for loss in Loss::ALL {
            let left = rows_left(&disk.after_power_cut(loss));
            if (left as usize) < committed {
                lost.push(format!(
                    "{loss:?}, after {}: {left} of {committed}",
                    disk.live().describe(operation)
                ));
            }
        }
    }
    lost
}

#[test]
fn a_database_that_syncs_loses_nothing_that_it_has_committed() {
    if in_own_mounts("database::a_database_that_syncs_loses_nothing_that_it_has_committed") {
        assert_eq!(losses("FULL"), [""; 0]);
    }
}

#[test]
fn a_database_that_does_not_sync_loses_what_it_has_committed() {
    if in_own_mounts("database::a_database_that_does_not_sync_loses_what_it_has_committed") {
        let lost = losses("OFF");
        assert!(lost.len() > ROWS as usize, "{lost:#?}");
    }
}
