//! Any bytes are a package or an error.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use rpmforge::package::{PackageRecord, content_digest, read_metadata};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(metadata) = read_metadata("fuzz.rpm", &mut Cursor::new(bytes)) {
        let _ = PackageRecord::read("fuzz.rpm", &metadata);
        let _ = content_digest("fuzz.rpm", &metadata);
    }
});
