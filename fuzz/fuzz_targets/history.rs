//! Any bytes are opened as a history, or refused, or put aside for a new one; whatever its rows hold, questions have answers.
#![no_main]

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;
use rpmforge::event::Timestamp;
use rpmforge::files::{Folder, HostPath};
use rpmforge::store::History;
use tempfile::TempDir;

thread_local! {
    static FOLDER: OnceCell<(TempDir, Folder)> = const { OnceCell::new() };
}

fn ask(history: &History) {
    let _ = history.last_good();
    for row in history.builds(None, 100).unwrap_or_default() {
        let _ = history.build(row.number);
    }
    let _ = history.old_results(Timestamp(u64::MAX));
}

fuzz_target!(|bytes: &[u8]| {
    FOLDER.with(|cell| {
        let (_, folder) = cell.get_or_init(|| {
            let temp = TempDir::new().unwrap();
            let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
            (temp, folder)
        });
        folder.clear().unwrap();
        folder.write_atomic("history.db", bytes).unwrap();
        let path = folder.path().join("history.db");
        if let Ok(history) = History::open(&path) {
            ask(&history);
        }
        // A history that can't be used is put aside: the new one must always be had.
        let history = History::open_or_renew(&path).expect("a new history can be made");
        let _ = history.take_notes();
        ask(&history);
    });
});
