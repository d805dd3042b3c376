//! Files that can be read.

use std::fs;

use super::sources::rust_files;

const LONGEST_FILE: usize = 600;

#[test]
fn no_file_is_longer_than_600_lines() {
    let files = ["src", "tests", "benches", "fuzz"].into_iter().flat_map(rust_files);
    let long: Vec<String> = files
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, path)| format!("{}: {lines}", path.display()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}
