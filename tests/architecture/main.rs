//! What holds for the whole of `src/`: layers, imports that point one way, names, sizes, handles, error codes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

mod circles;
mod error_codes;
mod guide;
mod handles;
mod imports;
mod layers;
mod names;
mod parameters;
mod paths;
mod rule;
mod sizes;
mod sources;
mod unsafe_code;
