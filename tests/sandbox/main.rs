//! Builds that misbehave: each harms only itself, and how it ended is told rightly.
//!
//! They run as root, where the tests do, and as an ordinary user.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod attacks;
mod beside;
mod calls;
mod ends;
mod examples;
mod killed;
mod lacking;
mod leaks;
mod left;
mod limits;
mod machine;
mod outputs;
mod site;
mod verify;
