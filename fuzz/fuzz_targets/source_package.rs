//! Any bytes are unpacked as a source package, or refused; nothing is written outside of the folder that they are unpacked into.
#![no_main]

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;
use rpmforge::files::{Folder, HostPath};
use rpmforge::package::unpack;
use tempfile::TempDir;

thread_local! {
    static FOLDER: OnceCell<(TempDir, Folder)> = const { OnceCell::new() };
}

fuzz_target!(|bytes: &[u8]| {
    FOLDER.with(|cell| {
        let (_, folder) = cell.get_or_init(|| {
            let temp = TempDir::new().unwrap();
            let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
            (temp, folder)
        });
        folder.clear().unwrap();
        let inside = folder.create("inside").unwrap();
        let _ = unpack("fuzz.src.rpm", std::io::Cursor::new(bytes.to_vec()), &inside);
        let names: Vec<String> = folder.entries().unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["inside"]);
    });
});
