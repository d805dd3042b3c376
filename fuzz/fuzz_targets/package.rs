//! Any bytes are a package or an error.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use rpmforge::package::{Compared, PackageRecord, content_digest, decode_header, difference, read_headers_of};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(headers) = read_headers_of("fuzz.rpm", &mut Cursor::new(bytes)) {
        let _ = PackageRecord::read("fuzz.rpm", &headers);
        let _ = content_digest(&headers);
    }
    // The database of a root holds headers without their first 8 bytes.
    let _ = decode_header(bytes);
    if let Ok(compared) = Compared::read("fuzz.rpm", bytes) {
        assert!(difference(&compared, &compared).is_empty());
    }
});
