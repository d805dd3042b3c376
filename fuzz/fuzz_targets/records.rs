//! Whatever stands where the store remembers results and facts, it is believed only as it was remembered.
#![no_main]

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;
use rpmforge::digest::{Digest, Key};
use rpmforge::files::{Folder, HostPath};
use rpmforge::store::{RecordKind, StepResult, Store};
use tempfile::TempDir;

thread_local! {
    static FOLDER: OnceCell<(TempDir, Folder)> = const { OnceCell::new() };
}

fuzz_target!(|bytes: &[u8]| {
    // As the reader of a record has it: any JSON is a result or is none, and one that is read is written and read again.
    if let Ok(result) = serde_json::from_slice::<StepResult>(bytes) {
        let written = serde_json::to_vec(&result).unwrap();
        let again: StepResult = serde_json::from_slice(&written).unwrap();
        assert_eq!(again.digest(), result.digest());
        assert_eq!(again.blobs().count(), result.blobs().count());
    }
    FOLDER.with(|cell| {
        let (_, folder) = cell.get_or_init(|| {
            let temp = TempDir::new().unwrap();
            let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
            (temp, folder)
        });
        folder.clear().unwrap();
        // The input is the content of a record under the right key and the wrong digest, and under no known name.
        let key = Key::from_digest(Digest::compute(bytes));
        let shelf = format!("steps/{}", key.digest().short(2));
        folder.create(&shelf).unwrap();
        folder.write_atomic(format!("{shelf}/{key}-{}.json", Digest::compute(bytes)), bytes).unwrap();
        folder.write_atomic(format!("{shelf}/{key}.json"), bytes).unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(store.result(&key).is_none());
        assert!(store.record::<StepResult>(RecordKind::Step, &key).is_none());
    });
});
