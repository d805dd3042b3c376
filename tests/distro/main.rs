//! A distribution of RPM packages, made out of Debian's, and what real package managers make of it: the reference for roots that
//! forge composes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

#[allow(dead_code, reason = "the tests of repositories use more of it")]
#[path = "../repositories/server.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;

mod clean_roots;
mod example;
mod images;
mod installed_root;
mod languages;
mod make;
mod reference;
mod repository;
mod settings;
mod site;
mod translation;
mod two_phases;
mod upstream;
