//! Sources from elsewhere: real servers on this machine, that work and that don't, and the binary between them and its store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

mod autospec;
mod daemon;
mod distgit;
mod git;
#[allow(dead_code, reason = "the tests of repositories use more of it")]
#[path = "../repositories/keys.rs"]
mod keys;
mod made_in_root;
mod newer;
mod rebuilt;
mod registries;
mod registry_faults;
mod remote;
#[allow(dead_code, reason = "the tests of repositories use more of it")]
#[path = "../repositories/server.rs"]
mod server;
mod signatures;
#[path = "../support/mod.rs"]
mod support;
mod svn;
mod tokens;
mod updates;
