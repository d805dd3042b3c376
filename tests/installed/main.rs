//! Roots that forge composes, beside what the machine's rpm makes of the same packages: the package database, the order of
//! installation, scriptlets and triggers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test sets up its files, and fails by panicking"
)]

mod database;
mod distribution;
mod order;
mod packages;
mod running;
mod scriptlets;
