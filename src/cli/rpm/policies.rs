//! `forge policies`: what the script of `%install` runs in the place of known policies.

use std::ffi::OsString;

use super::super::context::Context;
use crate::engine::run_policies;

/// Does what policies do to the buildroot, each of them a script with its arguments; gives the exit code.
pub fn run(words: &[OsString], context: &Context) -> u8 {
    u8::try_from(run_policies(words, context.variables.iter().cloned())).unwrap_or(1)
}
