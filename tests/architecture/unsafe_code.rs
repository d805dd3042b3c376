//! Where code is not checked by the compiler.

use std::fs;

use super::sources::{repository, rust_files};

/// The files that may have `unsafe`: what the kernel is asked without a safe face, and libsolv, which is written in C.
const UNSAFE: [&str; 2] = ["src/chroot/solve/libsolv.rs", "src/sandbox/kernel.rs"];

#[test]
fn unsafe_code_stands_in_two_files_and_each_block_says_why_it_is_sound() {
    let mut found = Vec::new();
    for path in rust_files("src") {
        let name = path.strip_prefix(repository()).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        let blocks = text.matches("unsafe {").count();
        if blocks == 0 && !text.contains("unsafe_code,") {
            continue;
        }
        let proofs = text.matches("// SAFETY:").count();
        assert!(proofs >= blocks, "{name}: {blocks} blocks, {proofs} proofs");
        found.push(name);
    }
    assert_eq!(found, UNSAFE);
}
