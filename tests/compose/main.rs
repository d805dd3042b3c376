//! Roots that are composed of packages: what is in them, and what is not let in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

mod apart;
mod collection;
mod conflicts;
mod hostile;
mod images;
mod kills;
#[path = "../support/made_package.rs"]
mod made_package;
mod owners;
mod roots;
mod scratch;
