//! Signatures: keys, packages and repositories, as forge makes and checks them, and as rpm, dnf, zypper and GnuPG see them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod attestations;
mod autosign;
mod clients;
mod flipped_bits;
mod keys;
mod older_builds;
mod packages;
mod programs;
mod published;
mod site;
