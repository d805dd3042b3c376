//! Files, metadata and packages from servers that work and servers that don't: real ones, on this machine, that cut, stall,
//! lie and send what harms.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

mod downloads;
mod gnupg;
mod hostile;
mod keys;
mod reading;
mod server;
mod signatures;
mod site;
