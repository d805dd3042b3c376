//! What is said from within a sandbox, and about it.

use std::io::{self, Write};

/// Says something to whoever reads what the program prints.
pub(super) fn tell(words: &str) {
    let _ = io::stdout().write_all(format!("forge: {words}\n").as_bytes());
}
