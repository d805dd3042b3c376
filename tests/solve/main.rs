//! The solver as the rest of forge uses it: its words on the screen, what it chooses beside dnf, and that nothing that
//! repositories may say brings it down.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

mod differences;
mod differential;
mod hostile;
#[path = "../support/made_repository.rs"]
mod made_repository;
#[path = "../support/read_repodata.rs"]
mod read_repodata;
mod reference;
mod words;
#[path = "../support/written_repodata.rs"]
mod written_repodata;
