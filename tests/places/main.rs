//! Places that repositories are sent to: real servers on this machine, that work, stop half way and say no.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

mod bucket_server;
mod buckets;
mod cuts;
#[path = "../sources/daemon.rs"]
mod daemon;
mod http;
mod plain_layout;
mod readers;
mod refusals;
mod registries;
mod registry_server;
#[path = "../support/repository_client.rs"]
mod repository_client;
mod rsync;
mod served;
#[path = "../support/mod.rs"]
mod support;
