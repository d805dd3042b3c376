//! All processes that descend from this one, found in `/proc` (proc_pid_stat(5)).

use std::collections::HashMap;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

/// Sends `signal` to every living descendant of `ancestor`; gives how many there were.
pub fn signal_all(ancestor: Pid, signal: Signal) -> usize {
    let descendants = living_descendants(ancestor);
    for pid in &descendants {
        // One that ended in between needs no signal any more.
        let _ = kill_process(*pid, signal);
    }
    descendants.len()
}

/// Ends every descendant of `ancestor`, which is this process and adopts what its descendants leave behind, those forked
/// meanwhile included, and collects the remains.
pub fn end_all(ancestor: Pid) {
    // Whoever descends from it does so through a child of its own. Most programs leave nothing, and to look through all
    // processes of a machine takes long.
    while has_children() && signal_all(ancestor, Signal::KILL) > 0 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

/// Collects the children that have ended; whether there is another. Where that can't be known, there may be.
fn has_children() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Ok(None) => return true,
            Err(error) => return error != rustix::io::Errno::CHILD,
        }
    }
}

fn living_descendants(ancestor: Pid) -> Vec<Pid> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for (pid, parent) in parents() {
        children.entry(parent).or_default().push(pid);
    }
    let mut found = Vec::new();
    let mut open = vec![ancestor.as_raw_nonzero().get()];
    while let Some(pid) = open.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            found.extend(Pid::from_raw(child));
            open.push(child);
        }
    }
    found
}

/// Each living process and its parent. A zombie needs no signal and has no children.
#[expect(clippy::disallowed_methods, reason = "/proc is this module's own source, not a file of the project")]
fn parents() -> Vec<(i32, i32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // The command stands in parentheses and may itself hold any character: fields count from the last one.
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
            let state = fields.next()?;
            let parent = fields.next()?.parse().ok()?;
            (state != "Z").then_some((pid, parent))
        })
        .collect()
}
