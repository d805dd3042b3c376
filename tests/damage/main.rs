//! What forge keeps and publishes, after the machine has failed: power cuts and flipped bits.
//!
//! All of it runs on a file system of the tests' own ([`simulation`]), mounted with FUSE: this needs `/dev/fuse`, and root or
//! unprivileged user namespaces. Where these are missing the tests fail, and say what to do. The default run takes a
//! sample; `FORGE_TEST_POWER_CUTS=all FORGE_TEST_BIT_FLIPS=all cargo test --test damage -- --nocapture` takes all cases, which
//! is hours, and tells how far it is; `1/2` and `2/2` in place of `all` take half of them each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, tell how many cases they took, and fail by panicking"
)]

#[path = "../support/repository_client.rs"]
mod repository_client;
#[path = "../support/power_cut/mod.rs"]
mod simulation;
#[path = "../support/mod.rs"]
mod support;

mod bit_flips;
mod database;
mod failures;
mod lost_writes;
mod power_cut;
mod two_faults;
