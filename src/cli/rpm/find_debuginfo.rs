//! `forge find-debuginfo`: what the script of `%install` runs in the place of find-debuginfo(1).

use std::ffi::OsString;

use super::super::context::Context;
use crate::engine::find_debuginfo;

/// Puts debug information of the buildroot's programs where debuggers find it; the words are find-debuginfo's. Gives the exit code.
pub fn run(words: &[OsString], context: &Context) -> u8 {
    u8::try_from(find_debuginfo(words, context.variables.iter().cloned())).unwrap_or(1)
}
